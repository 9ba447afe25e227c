"""The way out to Slack: one try a call, every failure one of a closed set of results; and what `dih check` says of the token."""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
from collections.abc import Mapping
from typing import Any, TypeAlias

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.dispatch import Answer
from bot.slack import render
from bot.slack.parse import ASK_AGAIN, typed_words
from handlers.views import Button, Card, File, Form, Message, Quiet, Reply, Text
from scheduler.delivery import (
    Ambiguous,
    BadContent,
    CredentialsDead,
    Result,
    RetryLater,
    Sent,
    Target,
    TargetDead,
)

SECONDS = 10
SCOPES = {
    "app_mentions:read": "hear its name in channels",
    "chat:write": "send messages",
    "commands": "take /dih",
    "im:history": "read direct messages sent to it",
    "im:write": "begin a direct message",
    "users:read": "know people's names",
    "users:read.email": "know people's e-mail addresses",
}
"""The least the bot needs, and what for."""

CREDENTIALS = frozenset(
    (
        "account_inactive",
        "invalid_auth",
        "missing_scope",
        "not_authed",
        "token_expired",
        "token_revoked",
        "no_permission",
        "org_login_required",
    )
)
TARGET = frozenset(
    (
        "cannot_dm_bot", "channel_not_found", "is_archived", "messages_tab_disabled", "not_in_channel", "restricted_action",
        "user_disabled", "user_not_found", "user_not_in_channel", "user_not_visible", "users_not_found",
    )
)  # fmt: skip
CONTENT = frozenset(
    ("block_mismatch", "invalid_arguments", "invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long", "no_text")
)


def client(token: str | None, api_url: str, session: aiohttp.ClientSession | None = None) -> AsyncWebClient:
    """A Web API client that never tries again by itself."""
    return AsyncWebClient(token=token, base_url=api_url, timeout=SECONDS, session=session, retry_handlers=[], trust_env_in_session=True)


class SlackSender:
    """Delivers the outbox's messages; implements scheduler.delivery.Sender."""

    def __init__(self, api: AsyncWebClient) -> None:
        self._api = api
        self._direct: dict[str, str] = {}

    async def send(self, target: Target, message: Message, *, ticket: str, handle: str | None) -> Result:
        """Posts a message, or changes the one that `handle` ("channel:ts") names."""
        content = {**render.message(message.card, ticket), "unfurl_links": False, "unfurl_media": False}
        try:
            if handle:
                return await self._change(handle, content, target)
            return await self._post(target, content)
        except SlackApiError as error:
            return _result(error)
        except (aiohttp.ClientConnectorError, _NotYetSent):
            return RetryLater(reason="Slack could not be reached")
        except (aiohttp.ClientError, SlackClientError, TimeoutError, ValueError) as error:
            return Ambiguous(reason=f"no clear answer from Slack: {type(error).__name__}")

    async def _post(self, target: Target, content: dict[str, Any]) -> Result:
        channel = target.place or await self._direct_channel(target.user or "")
        answer = await self._api.chat_postMessage(channel=channel, **content)
        return Sent(handle=f"{answer['channel']}:{answer['ts']}")

    async def _change(self, handle: str, content: dict[str, Any], target: Target) -> Result:
        channel, _, ts = handle.partition(":")
        try:
            await self._api.chat_update(channel=channel, ts=ts, text=content["text"], blocks=content["blocks"])
        except SlackApiError as error:
            if error.response.get("error") not in ("message_not_found", "cant_update_message", "edit_window_closed"):
                raise
            return await self._post(target, content)
        return Sent(handle=handle)

    async def _direct_channel(self, user: str) -> str:
        """The direct message with somebody; opening it sends nothing, so it is safe to repeat."""
        if user not in self._direct:
            try:
                answer = await self._api.conversations_open(users=user)
            except (aiohttp.ClientError, TimeoutError) as error:
                raise _NotYetSent from error
            if len(self._direct) > 10_000:
                self._direct.clear()
            self._direct[user] = answer["channel"]["id"]
        return self._direct[user]


class _NotYetSent(Exception):
    """The line broke before the message itself left: it is safe to try again."""


def _result(error: SlackApiError) -> Result:
    """What a refusal of Slack means for the message."""
    response = error.response
    if response.status_code == 429:
        return RetryLater(reason="Slack asked us to slow down", seconds=_seconds(response.headers.get("Retry-After")))
    if response.status_code >= 500:
        return Ambiguous(reason=f"Slack answered {response.status_code}")
    code = str(response.get("error", "unknown"))
    if code == "ratelimited":
        return RetryLater(reason="Slack asked us to slow down", seconds=_seconds(response.headers.get("Retry-After")))
    if code in CREDENTIALS:
        return CredentialsDead(reason=f"Slack: {code}")
    if code in TARGET:
        return TargetDead(reason=f"Slack: {code}")
    if code in CONTENT:
        return BadContent(reason=f"Slack: {code}")
    return RetryLater(reason=f"Slack: {code}")


def _seconds(text: object) -> float:
    try:
        return max(1.0, float(str(text)))
    except ValueError:
        return 30.0


async def slack_report(bot_token: str, api_url: str) -> tuple[bool, list[str]]:
    """(Whether Slack lets us in with all we need, a sentence for each thing looked at)."""
    try:
        answer = await client(bot_token, api_url).auth_test()
    except SlackApiError as error:
        return False, [f"Slack refuses SLACK_BOT_TOKEN: {error.response.get('error')}. Copy the bot token from the app's OAuth page again."]
    except (aiohttp.ClientError, SlackClientError, TimeoutError, ValueError):
        return False, [f"Slack does not answer at {api_url}. Check the network, HTTPS_PROXY and SLACK_API_URL."]
    lines = [f"Slack accepts the bot token, for the workspace {answer.get('team')} ({answer.get('team_id')})."]
    granted = set(filter(None, str(answer.headers.get("x-oauth-scopes", "")).split(",")))
    missing = sorted(set(SCOPES) - granted)
    lines += [f"Slack did not grant {scope}, so the bot cannot {SCOPES[scope]}." for scope in missing]
    if missing:
        lines.append("Add the missing scopes to the app, then install it to the workspace again.")
    return not missing, lines


# -- answers, on the surface that the interaction came from

WORKING = "Working on it. The answer will follow here."
BUSY = "I am busy just now. Nothing was changed. Try again in a minute."
SAVING = "Saving. You can wait here or close this."
AGAIN = "Still saving, press again in a moment."
BACK = "It was not saved. Go back to the form: what you typed is still there."
TRIES = (0.1, 0.2, 0.4, 0.8, 1.6)

log = logging.getLogger(__name__)
Payload: TypeAlias = Mapping[str, Any]


def _card(outcome: Reply | File | Quiet) -> Card:
    return outcome.card if isinstance(outcome, Reply) else Card(title="Done")


class _Answers:
    """What one interaction is answered with; `later` shows an answer after Slack was acknowledged."""

    def __init__(self, api: AsyncWebClient, session: aiohttp.ClientSession, body: Payload) -> None:
        self._api, self._session, self._body = api, session, body

    async def _respond(self, content: Mapping[str, Any]) -> None:
        """Through the response_url, which works where the bot is no member."""
        url = str(self._body.get("response_url", ""))
        async with self._session.post(url, json=content) as response:
            if response.status != 200:
                log.warning("Slack did not take an answer", extra={"status": response.status})

    async def _private(self, card: Card, ticket: str) -> None:
        await self._respond({**render.message(card, ticket), "response_type": "ephemeral", "replace_original": False})

    async def _open(self, form: Form, ticket: str, again: str) -> None:
        """Opens a modal; where the trigger is too old, the person gets a button for a new one."""
        try:
            await self._api.views_open(trigger_id=str(self._body.get("trigger_id", "")), view=render.modal(form, ticket))
        except SlackApiError as error:
            code = error.response.get("error")
            if code == "exchanged_trigger_id":
                log.info("a modal was asked for twice")
                return
            log.warning("a modal did not open", extra={"error": code})
            await self._private(form_card(again), ticket)


def form_card(again: str) -> Card:
    """Where no modal can open: a button that can open one; the words come with it as far as they fit."""
    text = again
    while len(json.dumps({"text": text}, ensure_ascii=False)) > 1990:
        text = text[: len(text) * 9 // 10]
    button = Button(label="Open the form", action=ASK_AGAIN, args={"text": text}, style="primary", does="ask")
    return Card(title="Your form is ready", blocks=(Text(text="Press the button to open it."),), buttons=(button,))


class CommandAnswers(_Answers):
    """A slash command: answered in the acknowledgement, or through the response_url when it took long."""

    def at_once(self, answer: Answer) -> dict[str, Any]:
        """The acknowledgement."""
        outcome = answer.outcome
        if isinstance(outcome, Form | Quiet):
            return {}
        audience = "in_channel" if isinstance(outcome, Reply) and outcome.audience == "here" else "ephemeral"
        return {**render.message(_card(outcome), answer.ticket), "response_type": audience}

    async def after(self, answer: Answer) -> None:
        """A form opens after the acknowledgement."""
        if isinstance(answer.outcome, Form):
            await self._open(answer.outcome, answer.ticket, typed_words(str(self._body.get("text", ""))))

    async def later(self, answer: Answer) -> None:
        """All of it, when the acknowledgement only said that it is worked on."""
        if content := self.at_once(answer):
            await self._respond(content)
        await self.after(answer)


class EventAnswers(_Answers):
    """Words in a conversation: answered there, in a channel for the person's eyes only."""

    async def later(self, answer: Answer) -> None:
        """Shows the answer."""
        outcome, event = answer.outcome, self._body["event"]
        if isinstance(outcome, Quiet):
            return
        card = form_card(typed_words(str(event.get("text", "")))) if isinstance(outcome, Form) else _card(outcome)
        content, channel, user = render.message(card, answer.ticket), event["channel"], event["user"]
        everybody = isinstance(outcome, Reply) and outcome.audience == "here"
        if everybody or event.get("channel_type") == "im":
            await self._api.chat_postMessage(channel=channel, **content)
            return
        try:
            await self._api.chat_postEphemeral(channel=channel, user=user, **content)
        except SlackApiError:
            await self._api.chat_postMessage(channel=user, **content)


class PressAnswers(_Answers):
    """A button: on a modal, the modal changes; on a message, a private answer or the message itself."""

    async def later(self, answer: Answer) -> None:
        """Shows the answer."""
        outcome, ticket = answer.outcome, answer.ticket
        view = self._body.get("view")
        if isinstance(outcome, Quiet):
            return
        if isinstance(view, Mapping):
            shown = render.modal(outcome, ticket) if isinstance(outcome, Form) else render.shown(_card(outcome), ticket)
            await self._api.views_update(view_id=view["id"], view=shown)
        elif isinstance(outcome, Form):
            await self._open(outcome, ticket, "help")
        elif isinstance(outcome, Reply) and outcome.replaces:
            await self._respond({**render.message(outcome.card, ticket), "replace_original": True})
        elif self._in_own_conversation() and not (self._body.get("container") or {}).get("is_ephemeral"):
            await self._api.chat_postMessage(channel=self._body["channel"]["id"], **render.message(_card(outcome), ticket))
        else:
            await self._private(_card(outcome), ticket)

    def _in_own_conversation(self) -> bool:
        return str((self._body.get("channel") or {}).get("id", "")).startswith("D")

    async def busy(self) -> None:
        """Nothing was begun."""
        if self._body.get("response_url"):
            await self._private(Card(title="Busy", blocks=(Text(text=BUSY),)), "busy")


class SubmissionAnswers(_Answers):
    """A form: the modal becomes the confirmation, shows what is wrong, or says that it is being saved."""

    def __init__(self, api: AsyncWebClient, session: aiohttp.ClientSession, body: Payload) -> None:
        super().__init__(api, session, body)
        self._external_id = f"saving-{secrets.token_hex(8)}"

    def at_once(self, answer: Answer) -> dict[str, Any]:
        """The acknowledgement."""
        outcome, ticket = answer.outcome, answer.ticket
        if isinstance(outcome, Form):
            wrong = render.errors(outcome, ticket)
            if wrong is not None:
                return {"response_action": "errors", "errors": wrong}
            return {"response_action": "update", "view": render.modal(outcome, ticket)}
        return {"response_action": "update", "view": render.shown(_card(outcome), ticket, last=True)}

    def wait(self, words: str) -> dict[str, Any]:
        """The form stays as it is, with a sentence under its first field."""
        inputs = [block["block_id"] for block in self._body["view"]["blocks"] if block.get("type") == "input"]
        if inputs:
            return {"response_action": "errors", "errors": {inputs[0]: words}}
        return {"response_action": "push", "view": render.shown(Card(title="Not now", blocks=(Text(text=words),)), "wait")}

    def saving(self) -> dict[str, Any]:
        """A modal above the form, which stays as typed beneath; where no more fit, the person presses again."""
        view = self._body["view"]
        if view.get("previous_view_id") not in (None, view.get("root_view_id")):
            return self.wait(AGAIN)
        card = Card(title="Saving", blocks=(Text(text=SAVING),))
        return {"response_action": "push", "view": {**render.shown(card, "saving"), "external_id": self._external_id}}

    async def later(self, answer: Answer) -> None:
        """Changes the modal that says "Saving"; Slack may not have drawn it yet."""
        outcome = answer.outcome
        if isinstance(outcome, Form) and outcome.errors:
            labels = {field.name: field.label for field in outcome.fields}
            wrong = tuple(Text(text=f"{labels.get(name, 'The form')}: {words}") for name, words in outcome.errors.items())
            view = render.shown(Card(title="Not saved yet", blocks=(*wrong, Text(text=BACK))), answer.ticket)
        elif isinstance(outcome, Form):
            view = render.modal(outcome, answer.ticket)
        else:
            view = render.shown(_card(outcome), answer.ticket, last=True)
        for wait in TRIES:
            try:
                await self._api.views_update(external_id=self._external_id, view=view)
                return
            except SlackApiError as error:
                if error.response.get("error") != "not_found":
                    raise
            await asyncio.sleep(wait)
