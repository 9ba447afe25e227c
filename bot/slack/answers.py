"""Answers to interactions, on the surface that they came from."""

from __future__ import annotations

import asyncio
import logging
import secrets
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, TypeAlias

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.dispatch import Answer, new_reference
from bot.outbound import NEVER_LEFT
from bot.slack import render
from bot.slack.parse import ASK_AGAIN, channel_of, is_between_us, pressed, pressed_on, thread_of, typed_words, user_and_team
from bot.slack.send import CONTENT, TARGET, error_code
from bot.slack.upload import A_LITTLE, Uploads
from handlers.views import Button, Card, File, Form, Quiet, Reply, Text

WORKING = "Working on it. The answer will follow here."
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

    def __init__(self, api: AsyncWebClient, session: aiohttp.ClientSession, uploads: Uploads, body: Payload) -> None:
        self._api, self._session, self._uploads, self._body = api, session, uploads, body
        self._user, self._channel, self._thread = user_and_team(body)[0], channel_of(body), thread_of(body)

    async def later(self, answer: Answer) -> None:
        """Shows the answer; where Slack does not take it, the person is told so once."""
        await self._carefully(self._surely(answer))

    async def _surely(self, answer: Answer) -> None:
        """A picture that Slack does not take costs nobody the answer."""
        try:
            await self._show(answer)
        except SlackApiError as error:
            view = answer.outcome if isinstance(answer.outcome, Form) else _card(answer.outcome)
            if error_code(error) not in CONTENT or not self._uploads.forget(view):
                raise
            await self._show(answer)

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
            reference = new_reference()
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
        if self._body.get("response_url"):
            content = await self._whole(card, ticket)
            threaded = {**content, "thread_ts": self._thread} if self._thread else content
            if await self._respond({**threaded, **FOR_ALL}):
                return True
        return await _reached(self._post(self._channel, card, ticket))

    async def _private(self, card: Card, ticket: str) -> None:
        """For the person's eyes only: where they are, else in their direct message."""
        if is_between_us(self._body) and await _reached(self._post(self._channel, card, ticket)):
            return
        content = await self._whole(card, ticket)
        if not await self._whisper(content) and not await self._respond({**content, **FOR_ONE}):
            await self._post(self._user, card, ticket)

    async def _whole(self, card: Card, ticket: str) -> Mapping[str, Any]:
        """What cannot be changed later waits a little for its pictures."""
        return render.message(card, ticket, await self._uploads.wait(card, A_LITTLE))

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

    async def _post(self, channel: str, card: Card, ticket: str) -> None:
        """A message like any other: its pictures are added when they are ready."""
        thread, files = self._thread if channel == self._channel else None, self._uploads.ready(card)
        content = {**render.message(card, ticket, files), "unfurl_links": False, "unfurl_media": False}
        said = await self._api.chat_postMessage(channel=channel, thread_ts=thread, **content)
        self._uploads.follow_message(f"{said['channel']}:{said['ts']}", card, ticket, files)

    async def _open(self, form: Form, ticket: str, instead: Card) -> None:
        """Opens a modal; where the trigger is too old, the person gets a button for a new one."""
        try:
            await self._api.views_open(
                trigger_id=str(self._body.get("trigger_id", "")), view=render.modal(form, ticket, self._uploads.ready(form))
            )
        except Exception as error:
            code = error_code(error) if isinstance(error, SlackApiError) else type(error).__name__
            if code == "exchanged_trigger_id":
                log.info("a modal was asked for twice")
                return
            log.warning("a modal did not open", extra={"error": code})
            await self._private(instead, ticket)


class CommandAnswers(Answers):
    """A slash command: answered in the acknowledgement, or through the response_url when it took long."""

    def must_wait(self, answer: Answer) -> bool:
        """Whether the acknowledgement would be without a picture that can still come: Slack lets nobody change it."""
        return isinstance(answer.outcome, Reply) and self._uploads.are_missing(answer.outcome.card)

    def at_once(self, answer: Answer) -> dict[str, Any]:
        """The acknowledgement."""
        outcome = answer.outcome
        if isinstance(outcome, Form | Quiet):
            return {}
        content = render.message(_card(outcome), answer.ticket, self._uploads.ready(_card(outcome)))
        return {**content, "response_type": "in_channel" if _is_for_all(outcome) else "ephemeral"}

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
            content = await self._whole(outcome.card, ticket)
            self._uploads.leave(pressed_on(self._body))
            if not await self._respond({**content, "replace_original": True}):
                await self._private(outcome.card, ticket)
        else:
            await self._say(outcome, ticket)

    async def _change_view(self, answer: Answer) -> None:
        """The modal shows the answer; a refusal lies above it, so that nothing typed is lost. Where that is over, the person is told."""
        outcome, ticket, view = answer.outcome, answer.ticket, self._body["view"]
        try:
            if isinstance(outcome, Form):
                form = render.modal(outcome, ticket, self._uploads.ready(outcome), last=_is_last(view))
                await self._api.views_update(view_id=view["id"], view=form)
            elif not answer.done and _is_full(view):
                await self._private(_card(outcome), ticket)
            else:
                draw = partial(render.shown, _card(outcome), ticket, last=answer.done and _is_last(view))
                files = self._uploads.ready(_card(outcome))
                change = {"view_id": view["id"]} if answer.done else {"trigger_id": str(self._body.get("trigger_id", ""))}
                said = await (self._api.views_update if answer.done else self._api.views_push)(**change, view=draw(files))
                self._uploads.follow_modal(said["view"], _card(outcome), files, draw)
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

    def __init__(self, api: AsyncWebClient, session: aiohttp.ClientSession, uploads: Uploads, body: Payload) -> None:
        super().__init__(api, session, uploads, body)
        self._external_id = f"answer-{secrets.token_hex(8)}"
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
            return {"response_action": "update", "view": render.modal(outcome, ticket, self._uploads.ready(outcome), last=self._last)}
        if answer.done or not self._inputs:
            return {"response_action": "update", "view": self._shown(_card(outcome), ticket, last=True)}
        card = _card(outcome)
        if _is_full(self._body["view"]):
            return self.wait(" ".join([card.title, *(block.text for block in card.blocks if isinstance(block, Text))]))
        kept = Card(title=card.title, blocks=(*card.blocks, Text(text=render.BACK)), buttons=card.buttons)
        return {"response_action": "push", "view": self._shown(kept, ticket)}

    def _shown(self, card: Card, ticket: str, *, last: bool = False) -> dict[str, Any]:
        """A modal with the card; one that its pictures are added to has a name to find it by."""
        draw, files = partial(render.shown, card, ticket, last=last), self._uploads.ready(card)
        if not self._uploads.are_missing(card):
            return draw(files)
        self._uploads.follow(self._external_id, card, files, lambda files: self._change(draw(files)))
        return {**draw(files), "external_id": self._external_id}

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
        if isinstance(outcome, Form) and not outcome.errors:
            if await self._change(render.modal(outcome, ticket, self._uploads.ready(outcome), last=True)) is None:
                await self._private(render.says("Your form", CLOSED), ticket)
            return
        if isinstance(outcome, Form):
            card = render.refusal(outcome)
        else:
            kept = () if answer.done or not self._inputs else (Text(text=render.BACK),)
            card = replace(_card(outcome), blocks=(*_card(outcome).blocks, *kept))
        draw, files = partial(render.shown, card, ticket, last=answer.done), self._uploads.ready(card)
        said = await self._change(draw(files))
        if said is None:
            await self._private(card, ticket)
        else:
            self._uploads.follow_modal(said, card, files, draw)

    async def _change(self, view: Payload) -> Payload | None:
        """Changes the modal of that name, which Slack may not have drawn yet; None where it is not there any more."""
        for wait in TRIES:
            try:
                said: Payload = (await self._api.views_update(external_id=self._external_id, view=dict(view)))["view"]
                return said
            except SlackApiError as error:
                if error_code(error) != "not_found":
                    raise
            await asyncio.sleep(wait)
        return None
