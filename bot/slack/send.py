"""The way out to Slack: one try a call, every failure one of a closed set of results; and what `dih check` says of the token."""

from __future__ import annotations

from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.outbound import NEVER_LEFT, proxy_for
from bot.slack import render
from bot.slack.render import NO_FILES, Files
from bot.slack.upload import A_LITTLE, Uploads
from handlers.views import Card, Message
from scheduler.delivery import Ambiguous, BadContent, CredentialsDead, Result, RetryLater, Sent, Target, TargetDead

SECONDS = 10
CREDENTIALS = frozenset(
    (
        "account_inactive", "app_uninstalled", "invalid_auth", "missing_scope", "no_permission", "not_authed", "org_login_required",
        "team_access_not_granted", "token_expired", "token_revoked",
    )
)  # fmt: skip
TARGET = frozenset(
    (
        "cannot_dm_bot", "channel_not_found", "is_archived", "messages_tab_disabled", "not_in_channel", "restricted_action",
        "restricted_action_non_threadable_channel", "restricted_action_read_only_channel", "restricted_action_thread_only_channel",
        "user_disabled", "user_not_found", "user_not_in_channel", "user_not_visible", "users_not_found",
    )
)  # fmt: skip
CONTENT = frozenset(
    ("block_mismatch", "invalid_arguments", "invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long", "no_text")
)


def client(token: str | None, api_url: str, session: aiohttp.ClientSession | None = None) -> AsyncWebClient:
    """A Web API client that never tries again by itself."""
    api = AsyncWebClient(token=token, base_url=api_url, timeout=SECONDS, session=session, retry_handlers=[])
    api.proxy = proxy_for(api_url)
    return api


class SlackSender:
    """Delivers the outbox's messages; implements scheduler.delivery.Sender."""

    def __init__(self, api: AsyncWebClient, uploads: Uploads) -> None:
        self._api, self._uploads = api, uploads
        self._direct: dict[str, str] = {}

    async def send(self, target: Target, message: Message, *, ticket: str, handle: str | None) -> Result:
        """Posts a message, or changes the one that `handle` ("channel:ts") names.

        Its pictures are added when they are ready. A live message, which another process may change by then, waits for them instead.
        """
        card = message.card
        if message.live or not self._uploads.can_follow:
            await self._uploads.wait(card, A_LITTLE)
        files = self._uploads.ready(card)
        result = await self._send(target, card, ticket, files, handle)
        if isinstance(result, BadContent) and self._uploads.forget(card):
            files = NO_FILES
            result = await self._send(target, card, ticket, files, handle)
        if isinstance(result, Sent) and result.handle and not message.live:
            self._uploads.follow_message(result.handle, card, ticket, files)
        return result

    async def _send(self, target: Target, card: Card, ticket: str, files: Files, handle: str | None) -> Result:
        content = {**render.message(card, ticket, files), "unfurl_links": False, "unfurl_media": False}
        try:
            if handle:
                return await self._change(handle, content, target)
            return await self._post(target, content)
        except SlackApiError as error:
            return _result(error)
        except (*NEVER_LEFT, _NotYetSent):
            return RetryLater(reason="Slack could not be reached")
        except Exception as error:  # whatever the SDK makes of an answer it cannot read
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
            if error_code(error) not in ("message_not_found", "cant_update_message", "edit_window_closed"):
                raise
            return await self._post(target, content)
        return Sent(handle=handle)

    async def _direct_channel(self, user: str) -> str:
        """The direct message with somebody; opening it sends nothing, so it is safe to repeat."""
        if user not in self._direct:
            try:
                answer = await self._api.conversations_open(users=user)
                channel = str(answer["channel"]["id"])
            except SlackApiError as error:
                if error_code(error):
                    raise
                raise _NotYetSent from error
            except Exception as error:
                raise _NotYetSent from error
            if len(self._direct) > 10_000:
                self._direct.clear()
            self._direct[user] = channel
        return self._direct[user]


class _NotYetSent(Exception):
    """The line broke before the message itself left: it is safe to try again."""


def error_code(error: SlackApiError) -> str:
    """The name that Slack gives its refusal; "" where what came back is not Slack's."""
    if error.response.status_code == 429:
        return "ratelimited"
    said = error.response.data
    return str(said.get("error") or "") if isinstance(said, dict) and error.response.status_code < 500 else ""


def _result(error: SlackApiError) -> Result:
    """What a refusal of Slack means for the message."""
    code = error_code(error)
    if not code:
        return Ambiguous(reason=f"no clear answer from Slack: {error.response.status_code}")
    if code in ("ratelimited", "rate_limited"):
        return RetryLater(reason="Slack asked us to slow down", seconds=_seconds(error.response.headers.get("Retry-After")))
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
    from manifests.slack import SCOPES  # needed only when somebody asks

    try:
        answer = await client(bot_token, api_url).auth_test()
    except Exception as error:
        code = error_code(error) if isinstance(error, SlackApiError) else ""
        if code:
            return False, [f"Slack refuses SLACK_BOT_TOKEN: {code}. Copy the bot token from the app's OAuth page again."]
        return False, [f"Slack does not answer at {api_url}. Check the network, HTTPS_PROXY and SLACK_API_URL."]
    lines = [f"Slack accepts the bot token, for the workspace {answer.get('team')} ({answer.get('team_id')})."]
    granted = set(filter(None, str(answer.headers.get("x-oauth-scopes", "")).split(",")))
    missing = sorted(set(SCOPES) - granted)
    lines += [f"Slack did not grant {scope}, so the bot cannot {SCOPES[scope]}." for scope in missing]
    if missing:
        lines.append("Add the missing scopes to the app, then install it to the workspace again.")
    return not missing, lines
