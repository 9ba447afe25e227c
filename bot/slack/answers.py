"""Answers to interactions, on the surface that they came from."""

from __future__ import annotations

import asyncio
import logging
import secrets
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Mapping
from typing import Any, TypeAlias

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.dispatch import Answer
from bot.slack import render
from bot.slack.parse import ASK_AGAIN, channel_of, is_between_us, pressed, thread_of, typed_words, user_and_team
from bot.slack.send import NEVER_LEFT, TARGET, error_code
from handlers.views import Button, Card, File, Form, Quiet, Reply, Text

WORKING = "Working on it. The answer will follow here."
BUSY = "I am busy just now. Nothing was changed. Try again in a minute."
SAVING = "Saving. You can wait here or close this."
AGAIN = "Still saving, press again in a moment."
CLOSED = "The form was closed before I could show you the next one. Start it again to go on."
FOR_ONE = {"response_type": "ephemeral", "replace_original": False}
FOR_ALL = {"response_type": "in_channel", "replace_original": False}
TRIES = (0.1, 0.2, 0.4, 0.8, 1.6)
OVER = ("not_found", "expired_trigger_id", "exchanged_trigger_id")
"""The modal was closed, or the press came too long ago to lay another on it."""

log = logging.getLogger(__name__)
Payload: TypeAlias = Mapping[str, Any]


def _card(outcome: Reply | File | Quiet) -> Card:
    return outcome.card if isinstance(outcome, Reply) else Card(title="Done")


def _is_for_all(outcome: Reply | File) -> bool:
    return isinstance(outcome, Reply) and outcome.audience == "here"


async def _reached(saying: Awaitable[object]) -> bool:
    """Whether Slack let the bot speak there."""
    try:
        await saying
    except SlackApiError as error:
        if error_code(error) not in TARGET:
            raise
        return False
    return True


class Answers(ABC):
    """What one interaction is answered with; `later` shows an answer after Slack was acknowledged."""

    def __init__(self, api: AsyncWebClient, session: aiohttp.ClientSession, body: Payload) -> None:
        self._api, self._session, self._body = api, session, body
        self._user, self._channel, self._thread = user_and_team(body)[0], channel_of(body), thread_of(body)

    async def later(self, answer: Answer) -> None:
        """Shows the answer; where Slack does not take it, the person is told so once."""
        await self._carefully(self._show(answer))

    async def decline(self, title: str, why: str) -> None:
        """Says that nothing was begun."""
        await self._carefully(self._private(render.says(title, why), "declined"))

    @abstractmethod
    async def _show(self, answer: Answer) -> None:
        """Shows the answer on the surface it came from; raises what Slack or the network raises."""

    async def _carefully(self, showing: Awaitable[None]) -> None:
        try:
            await showing
        except Exception as error:
            reference = secrets.token_hex(2).upper()
            facts = {"reference": reference, "error": error_code(error) if isinstance(error, SlackApiError) else type(error).__name__}
            log.error("an answer could not be shown", exc_info=error, extra=facts)
            sorry = f"I could not show you the answer. What you asked for may have been done. Reference {reference}."
            await self._private(render.says("Sorry", "Something went wrong on our side.", sorry), "sorry")

    async def _say(self, outcome: Reply | File, ticket: str) -> None:
        """A card in a conversation: for everybody there, or for the person alone."""
        if not (_is_for_all(outcome) and await self._public(_card(outcome), ticket)):
            await self._private(_card(outcome), ticket)

    async def _public(self, card: Card, ticket: str) -> bool:
        """For everybody who is there; False where the bot may not speak."""
        content = render.message(card, ticket)
        threaded = {**content, "thread_ts": self._thread} if self._thread else content
        return await self._respond({**threaded, **FOR_ALL}) or await _reached(self._post(self._channel, content))

    async def _private(self, card: Card, ticket: str) -> None:
        """For the person's eyes only: where they are, else in their direct message."""
        content = render.message(card, ticket)
        if is_between_us(self._body) and await _reached(self._post(self._channel, content)):
            return
        if not await self._whisper(content) and not await self._respond({**content, **FOR_ONE}):
            await self._post(self._user, content)

    async def _respond(self, content: Mapping[str, Any]) -> bool:
        """Through the response_url, which works where the bot is no member; False where there is none, or it is over or out of reach."""
        url = str(self._body.get("response_url") or "")
        if not url:
            return False
        try:
            async with self._session.post(url, json=content, proxy=self._api.proxy) as response:
                return response.status == 200
        except NEVER_LEFT as error:
            log.warning("a response_url could not be reached", extra={"error": type(error).__name__})
            return False

    async def _whisper(self, content: Mapping[str, Any]) -> bool:
        """Where a response_url will not do: there is none, or it would speak beside the thread. False where the bot may not speak."""
        if not self._channel or (self._body.get("response_url") and not self._thread):
            return False
        return await _reached(self._api.chat_postEphemeral(channel=self._channel, user=self._user, thread_ts=self._thread, **content))

    async def _post(self, channel: str, content: Mapping[str, Any]) -> None:
        thread = self._thread if channel == self._channel else None
        await self._api.chat_postMessage(channel=channel, thread_ts=thread, **content, unfurl_links=False, unfurl_media=False)

    async def _open(self, form: Form, ticket: str, instead: Card) -> None:
        """Opens a modal; where the trigger is too old, the person gets a button for a new one."""
        try:
            await self._api.views_open(trigger_id=str(self._body.get("trigger_id", "")), view=render.modal(form, ticket))
        except Exception as error:
            code = error_code(error) if isinstance(error, SlackApiError) else type(error).__name__
            if code == "exchanged_trigger_id":
                log.info("a modal was asked for twice")
                return
            log.warning("a modal did not open", extra={"error": code})
            await self._private(instead, ticket)


class CommandAnswers(Answers):
    """A slash command: answered in the acknowledgement, or through the response_url when it took long."""

    def at_once(self, answer: Answer) -> dict[str, Any]:
        """The acknowledgement."""
        outcome = answer.outcome
        if isinstance(outcome, Form | Quiet):
            return {}
        return {**render.message(_card(outcome), answer.ticket), "response_type": "in_channel" if _is_for_all(outcome) else "ephemeral"}

    async def after(self, answer: Answer) -> None:
        """A form opens after the acknowledgement."""
        if isinstance(answer.outcome, Form):
            form = self._open(answer.outcome, answer.ticket, render.words_card(typed_words(str(self._body.get("text", "")))))
            await self._carefully(form)

    async def _show(self, answer: Answer) -> None:
        if isinstance(answer.outcome, Reply | File):
            await self._say(answer.outcome, answer.ticket)
        await self.after(answer)


class EventAnswers(Answers):
    """Words in a conversation: answered there, in a channel for the person's eyes only."""

    async def _show(self, answer: Answer) -> None:
        outcome = answer.outcome
        if isinstance(outcome, Form):
            await self._private(render.words_card(typed_words(str(self._body["event"].get("text", "")))), answer.ticket)
        elif not isinstance(outcome, Quiet):
            await self._say(outcome, answer.ticket)


class PressAnswers(Answers):
    """A button: on a modal, the modal changes; on a message, a private answer or the message itself."""

    async def _show(self, answer: Answer) -> None:
        outcome, ticket = answer.outcome, answer.ticket
        if isinstance(outcome, Quiet):
            return
        if isinstance(self._body.get("view"), Mapping):
            await self._change_view(answer)
        elif isinstance(outcome, Form):
            await self._open(outcome, ticket, self._again())
        elif isinstance(outcome, Reply) and outcome.replaces:
            if not await self._respond({**render.message(outcome.card, ticket), "replace_original": True}):
                await self._private(outcome.card, ticket)
        else:
            await self._say(outcome, ticket)

    async def _change_view(self, answer: Answer) -> None:
        """The modal shows the answer; a refusal lies above it, so that nothing typed is lost. Where that is over, the person is told."""
        outcome, ticket, view = answer.outcome, answer.ticket, self._body["view"]
        try:
            if isinstance(outcome, Form):
                await self._api.views_update(view_id=view["id"], view=render.modal(outcome, ticket, last=_is_last(view)))
            elif answer.done:
                await self._api.views_update(view_id=view["id"], view=render.shown(_card(outcome), ticket, last=_is_last(view)))
            elif _is_full(view):
                await self._private(_card(outcome), ticket)
            else:
                await self._api.views_push(trigger_id=str(self._body.get("trigger_id", "")), view=render.shown(_card(outcome), ticket))
        except SlackApiError as error:
            if error_code(error) not in OVER:
                raise
            await self._private(render.says("Your form", CLOSED) if isinstance(outcome, Form) else _card(outcome), ticket)

    def _again(self) -> Card:
        """The same button once more; its answer may then open a modal."""
        action, args = pressed(self._body)
        if action == ASK_AGAIN:
            return render.words_card(args.get("text", ""))
        return render.form_card(Button(label="Open the form", action=action, args=args, style="primary", does="ask"))


def _is_full(view: Payload) -> bool:
    """Whether three modals lie on each other: Slack takes no more."""
    return view.get("previous_view_id") not in (None, view.get("root_view_id"))


def _is_last(view: Payload) -> bool:
    """Whether what lies beneath is over, so that closing this modal closes all."""
    return bool(view.get("clear_on_close"))


class SubmissionAnswers(Answers):
    """A form: the modal becomes the confirmation, shows what is wrong, or says that it is being saved."""

    def __init__(self, api: AsyncWebClient, session: aiohttp.ClientSession, body: Payload) -> None:
        super().__init__(api, session, body)
        self._external_id = f"saving-{secrets.token_hex(8)}"
        self._saving = False
        self._last = _is_last(body["view"])
        self._inputs = [block["block_id"] for block in body["view"].get("blocks") or () if block.get("type") == "input"]

    def at_once(self, answer: Answer) -> dict[str, Any]:
        """The acknowledgement."""
        outcome, ticket = answer.outcome, answer.ticket
        if isinstance(outcome, Form):
            wrong = render.errors(outcome, ticket)
            if wrong is not None and set(wrong) <= set(self._inputs):
                return {"response_action": "errors", "errors": wrong}
            return {"response_action": "update", "view": render.modal(outcome, ticket, last=self._last)}
        if answer.done or not self._inputs:
            return {"response_action": "update", "view": render.shown(_card(outcome), ticket, last=True)}
        card = _card(outcome)
        if _is_full(self._body["view"]):
            return self.wait(" ".join([card.title, *(block.text for block in card.blocks if isinstance(block, Text))]))
        kept = Card(title=card.title, blocks=(*card.blocks, Text(text=render.BACK)), buttons=card.buttons)
        return {"response_action": "push", "view": render.shown(kept, ticket)}

    def wait(self, sentence: str) -> dict[str, Any]:
        """The form stays as it is, with a sentence under its first field."""
        if self._inputs:
            return {"response_action": "errors", "errors": {self._inputs[0]: sentence}}
        return {"response_action": "update", "view": render.shown(render.says("Not now", sentence), "wait", last=self._last)}

    def saving(self) -> dict[str, Any]:
        """A modal above the form, which stays as typed beneath; where no more fit, the person presses again."""
        if self._inputs and _is_full(self._body["view"]):
            return self.wait(AGAIN)
        self._saving = True
        saving = render.shown(render.says("Saving", SAVING), "saving", last=self._last and not self._inputs)
        view = {**saving, "external_id": self._external_id}
        return {"response_action": "push" if self._inputs else "update", "view": view}

    async def _show(self, answer: Answer) -> None:
        """Changes the modal that says "Saving"; Slack may not have drawn it yet."""
        if not self._saving:
            return
        outcome, ticket = answer.outcome, answer.ticket
        card = render.refusal(outcome) if isinstance(outcome, Form) and outcome.errors else None
        if isinstance(outcome, Form):
            view = render.shown(card, ticket) if card else render.modal(outcome, ticket, last=True)
        else:
            kept = () if answer.done or not self._inputs else (Text(text=render.BACK),)
            card = Card(title=_card(outcome).title, blocks=(*_card(outcome).blocks, *kept), buttons=_card(outcome).buttons)
            view = render.shown(card, ticket, last=answer.done)
        for wait in TRIES:
            try:
                await self._api.views_update(external_id=self._external_id, view=view)
                return
            except SlackApiError as error:
                if error_code(error) != "not_found":
                    raise
            await asyncio.sleep(wait)
        await self._private(card or render.says("Your form", CLOSED), ticket)
