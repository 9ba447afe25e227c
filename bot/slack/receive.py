"""The way in from Slack: the signature first, then bolt, then an answer within a second whatever happens."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import re
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import replace
from typing import Any, TypeAlias
from urllib.parse import parse_qsl

import aiohttp
from aiohttp import web
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.context.async_context import AsyncBoltContext
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.web.async_client import AsyncWebClient

from bot.dispatch import Answer, Dispatcher, new_reference
from bot.limits import BUSY, Busy, Patience
from bot.pictures import Pictures
from bot.profiles import Profiles
from bot.slack import parse
from bot.slack.answers import WORKING, Answers, CommandAnswers, EventAnswers, PressAnswers, SubmissionAnswers
from bot.slack.send import SECONDS, SlackSender, client
from bot.slack.upload import Uploads
from handlers.routing import Interaction, Profile
from handlers.views import Form

log = logging.getLogger(__name__)
bolt_log = logging.getLogger(f"{__name__}.bolt")
bolt_log.setLevel(logging.CRITICAL + 1)  # bolt would log what people wrote; what matters is logged here

ASK_AGAIN_AFTER = 30  # seconds until Slack is asked again who we are, where it did not say
OPEN_WITHIN, IDENTIFY_WITHIN = 3, 0.1
WINDOW = 300  # seconds that a signature is good for, either way
NOT_YET = "I cannot reach Slack just now. Nothing was changed. Try again in a minute."
STRANGE = "This Slack workspace is not one that the hub's bot works with. Ask an administrator of the hub."

Payload: TypeAlias = Mapping[str, Any]
Parse: TypeAlias = Callable[[Payload, Profile | None], Interaction]
Ack: TypeAlias = Callable[..., Awaitable[Any]]
Listener: TypeAlias = Callable[[Ack, dict[str, Any]], Awaitable[None]]
WORDS = ("message", "app_mention")
"""The events that are somebody's words to the bot."""


def is_signed(secret: bytes, headers: Mapping[str, str], raw: bytes, now: float) -> bool:
    """Whether Slack signed exactly these bytes within the window."""
    stamp = headers.get("X-Slack-Request-Timestamp", "")
    if not re.fullmatch(r"[0-9]{1,12}", stamp) or abs(now - int(stamp)) > WINDOW:
        return False
    expected = "v0=" + hmac.digest(secret, b"v0:" + stamp.encode() + b":" + raw, hashlib.sha256).hex()
    given = headers.get("X-Slack-Signature", "").encode("utf-8", "surrogateescape")
    return hmac.compare_digest(expected.encode(), given)


def body_of(raw: bytes) -> dict[str, Any]:
    """The payload of a request; bolt would lose a command whose text has the word "payload". Raises ValueError for rubbish."""
    text = raw.decode()
    if text.lstrip()[:1] in ("{", "["):
        body = json.loads(text)
    else:
        fields = dict(parse_qsl(text, keep_blank_values=True, max_num_fields=100))
        body = fields if "command" in fields or "payload" not in fields else json.loads(fields["payload"])
    if not isinstance(body, dict) or not parse.is_sensible(body):
        raise ValueError("not a payload")
    return body


class Workspace:
    """Which workspace we are in, which others are allowed, and whose profile we know."""

    def __init__(self, api: AsyncWebClient, bot_token: str, allowed: frozenset[str]) -> None:
        self._api, self._allowed = api, allowed
        self._own = ""
        self._asking: asyncio.Task[None] | None = None
        self._ask_again = 0.0
        self.authorization = AuthorizeResult(enterprise_id=None, team_id=None, bot_token=bot_token)
        self._profiles = Profiles()

    async def identify(self, within: float) -> None:
        """Has Slack say who we are: asked once, one request at a time, and not again at once where it does not say."""
        if not self._own and (self._asking is None or (self._asking.done() and time.monotonic() >= self._ask_again)):
            self._asking = asyncio.create_task(self._identify())
        if self._asking is not None and not self._asking.done():
            await asyncio.wait((self._asking,), timeout=within)

    async def _identify(self) -> None:
        try:
            answer = await self._api.auth_test()
            self._own = str(answer["team_id"] or "")
        except Exception as error:
            self._ask_again = time.monotonic() + ASK_AGAIN_AFTER
            log.warning("Slack did not say which workspace this is", extra={"error": type(error).__name__})
            return
        self.authorization = AuthorizeResult(
            enterprise_id=None,
            team_id=self._own,
            bot_token=self.authorization.bot_token,
            bot_id=answer.get("bot_id"),
            bot_user_id=answer.get("user_id"),
        )

    def forget(self) -> None:
        """Ends what is being asked."""
        if self._asking is not None:
            self._asking.cancel()

    async def objection(self, workspace: str) -> str:
        """Why a workspace is not served, in words for the person; "" where it is: our own, or one that is listed."""
        if workspace and workspace in self._allowed:
            return ""
        await self.identify(IDENTIFY_WITHIN)
        if not self._own:
            return NOT_YET
        return "" if workspace == self._own else STRANGE

    async def profile(self, user: str, team: str, workspace: str) -> Profile | None:
        """What Slack says of somebody; None when it does not say so in time."""

        async def ask() -> Profile | None:
            found = parse.profile_of((await self._api.users_info(user=user)).get("user"), workspace)
            return replace(found, guest=True) if found is not None and team != workspace else found

        return await self._profiles.of(team, user, ask)


class SlackChannel:
    """One Slack app in one workspace, and those that are allowed besides."""

    name = parse.CHANNEL

    def __init__(
        self,
        dispatcher: Dispatcher,
        pictures: Pictures,
        *,
        signing_secret: str,
        bot_token: str,
        api_url: str,
        allowed: frozenset[str],
        patience: Patience,
    ) -> None:
        self._dispatcher, self._secret, self._patience = dispatcher, signing_secret.encode(), patience
        self._api = client(bot_token, api_url)
        self._workspace = Workspace(self._api, bot_token, allowed)
        self._uploads = Uploads(self._api, pictures)
        self.sender = SlackSender(self._api, self._uploads)

        async def authorize(context: AsyncBoltContext) -> AuthorizeResult:
            return self._workspace.authorization

        self._bolt = AsyncApp(
            name=self.name,  # bolt would look for one in the source of whoever calls it
            client=client(None, api_url),
            authorize=authorize,
            signing_secret=signing_secret,
            logger=bolt_log,
            process_before_response=True,
            request_verification_enabled=False,
            ssl_check_enabled=False,
            url_verification_enabled=False,
            ignoring_self_events_enabled=False,
            ignoring_self_assistant_message_events_enabled=False,
            attaching_function_token_enabled=False,
            attaching_conversation_kwargs_enabled=False,
        )
        self._listen()

    def mount(self, application: web.Application) -> None:
        """The one address that Slack calls."""
        application.router.add_post("/slack/events", self._post)

    async def open(self) -> None:
        """One HTTP session for all calls to Slack."""
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=SECONDS))
        self._api.session = self._session
        await self._workspace.identify(OPEN_WITHIN)

    async def close(self) -> None:
        """Gives the HTTP session back."""
        self._workspace.forget()
        await self._uploads.close()
        await self._session.close()

    async def _post(self, request: web.Request) -> web.Response:
        raw = await request.read()
        if not is_signed(self._secret, request.headers, raw, time.time()):
            return web.Response(status=401, text="The signature is missing, wrong or old.")
        try:
            body = body_of(raw)
        except (ValueError, RecursionError):
            return web.Response(status=400, text="The body is not what Slack sends.")
        if body.get("type") == "url_verification":
            return web.json_response({"challenge": str(body.get("challenge", ""))})
        if "ssl_check" in body:
            return web.Response()
        try:
            answer = await self._bolt.async_dispatch(AsyncBoltRequest(body=body, mode="socket_mode"))
        except Exception as error:
            log.warning("bolt could not read a request", extra={"error": type(error).__name__})
            return web.Response(status=400, text="The body is not what Slack sends.")
        kind = answer.headers.get("content-type", ["text/plain"])[0].partition(";")[0]
        return web.Response(status=answer.status if answer.status < 500 else 400, text=answer.body, content_type=kind)

    def _listen(self) -> None:
        """A listener for everything Slack may send: what has none is answered 404 and sent again."""
        bolt, anything = self._bolt, re.compile(".*")
        bolt.command(anything)(self._surely(self._on_command))
        bolt.action(anything)(self._surely(self._on_press))
        bolt.view_submission(anything)(self._surely(self._on_submission))
        bolt.view_closed(anything)(self._on_nothing)
        for event in WORDS:
            bolt.event(event)(self._surely(self._on_event))
        bolt.event(anything)(self._on_nothing)

    async def _on_nothing(self, ack: Ack) -> None:
        await ack()

    def _surely(self, listen: Listener) -> Listener:
        """The listener, whose faults never reach bolt: it would answer 500, and Slack would send the request again."""

        async def listener(ack: Ack, body: dict[str, Any]) -> None:
            try:
                await listen(ack, body)
            except Exception as error:
                reference = new_reference()
                log.error("a request of Slack failed", exc_info=error, extra={"reference": reference})
                await ack(**self._sorry(body, f"Something went wrong on our side. Reference {reference}."))

        return listener

    def _sorry(self, body: dict[str, Any], sentence: str) -> dict[str, Any]:
        """An acknowledgement that says so where Slack shows one."""
        if body.get("type") == "view_submission":
            return SubmissionAnswers(self._api, self._session, self._uploads, body).wait(sentence)
        return {"text": sentence} if "command" in body else {}

    async def _answer(self, body: Payload, to_interaction: Parse) -> Answer:
        """The bot's answer; the person's profile is looked up first, and never for long."""
        user, team = parse.user_and_team(body)
        profile = await self._workspace.profile(user, team, parse.workspace(body))
        return await self._dispatcher.answer(to_interaction(body, profile))

    async def _on_command(self, ack: Ack, body: dict[str, Any]) -> None:
        if objection := await self._workspace.objection(parse.workspace(body)):
            await ack(text=objection)
            return
        answers = CommandAnswers(self._api, self._session, self._uploads, body)
        try:
            answer = await self._patience.within(self._answer(body, parse.command), answers.later)
        except Busy:
            await ack(text=BUSY)
            return
        if answer is None or answers.must_wait(answer):
            await ack(text=WORKING)
            if answer is not None:
                self._follow(answers.later(answer))
            return
        await ack(**answers.at_once(answer))
        if isinstance(answer.outcome, Form):
            self._follow(answers.after(answer))

    async def _on_event(self, ack: Ack, body: dict[str, Any]) -> None:
        await ack()
        if parse.is_for_us(body["event"]):
            await self._attend(EventAnswers(self._api, self._session, self._uploads, body), body, parse.message)

    async def _on_press(self, ack: Ack, body: dict[str, Any]) -> None:
        await ack()
        if not parse.is_link(body):
            await self._attend(PressAnswers(self._api, self._session, self._uploads, body), body, parse.press)

    async def _attend(self, answers: Answers, body: Payload, to_interaction: Parse) -> None:
        """Answers what is acknowledged already."""
        if objection := await self._workspace.objection(parse.workspace(body)):
            if objection == NOT_YET or "response_url" in body:  # into a strange workspace, our token does not reach
                self._follow(answers.decline("I could not do that", objection))
            return
        try:
            answer = await self._patience.within(self._answer(body, to_interaction), answers.later)
        except Busy:
            self._follow(answers.decline("Busy", BUSY))
            return
        if answer is not None:
            self._follow(answers.later(answer))

    async def _on_submission(self, ack: Ack, body: dict[str, Any]) -> None:
        answers = SubmissionAnswers(self._api, self._session, self._uploads, body)
        if objection := await self._workspace.objection(parse.workspace(body)):
            await ack(**answers.wait(objection))
            return
        try:
            answer = await self._patience.within(self._answer(body, parse.submission), answers.later)
        except Busy:
            await ack(**answers.wait(BUSY))
            return
        await ack(**(answers.at_once(answer) if answer is not None else answers.saving()))

    def _follow(self, work: Coroutine[Any, Any, None]) -> None:
        """What comes after the answer to Slack must not hold it up."""
        self._patience.soon(work)
