"""The way in from Teams: the token first, then botbuilder's turn, then an answer in time whatever happens."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, cast

from aiohttp import web
from botbuilder.core import TurnContext
from botbuilder.integration.aiohttp import CloudAdapter
from botbuilder.schema import Activity, ChannelAccount, ConversationAccount
from botframework.connector.aio import ConnectorClient
from botframework.connector.auth import (
    AuthenticateRequestResult,
    AuthenticationConstants,
    BotFrameworkAuthentication,
    ChannelValidation,
    ClaimsIdentity,
    ConnectorFactory,
    JwtTokenExtractor,
    SimpleCredentialProvider,
    UserTokenClient,
)
from botframework.connector.skills import BotFrameworkClient

from bot.dispatch import Answer, Dispatcher, new_reference
from bot.figures import is_drawn
from bot.limits import Busy, Patience, Recent
from bot.pictures import Pictures
from bot.profiles import Profiles
from bot.teams import parse, render
from bot.teams.answers import DECLINED, SURFACES, Answers, Surroundings, Told, closing, word
from bot.teams.book import AddressBook
from bot.teams.keys import METADATA, SigningKeys
from bot.teams.network import Network
from bot.teams.send import Connector, TeamsSender
from bot.teams.tokens import Tokens
from handlers.routing import Profile
from handlers.views import Card, Form, Picture
from storage.addresses import Address
from storage.database import Database

log = logging.getLogger(__name__)

GOOD_FOR = 300  # seconds that a token's signature is not looked at again
FOREIGN = Told(status=403)
NOTHING = Told()
UNKNOWN_INVOKE = Told(status=501)


class Authentication(BotFrameworkAuthentication):
    """botbuilder's check of a token with our own source of keys, and without the clients that it would build for every turn.

    Only tokens of the public channel service are taken: none of an emulator or of another bot.
    """

    def __init__(self, keys: SigningKeys, app_id: str) -> None:
        self._extractor = JwtTokenExtractor(
            ChannelValidation.TO_BOT_FROM_CHANNEL_TOKEN_VALIDATION_PARAMETERS, METADATA, AuthenticationConstants.ALLOWED_SIGNING_ALGORITHMS
        )
        self._extractor.open_id_metadata = keys
        self._credentials = SimpleCredentialProvider(app_id, "")
        self._good: Recent[tuple[str, str], tuple[ClaimsIdentity, float]] = Recent(1000)

    async def authenticate_request(self, activity: Activity, auth_header: str) -> AuthenticateRequestResult:
        """Who sent it; raises PermissionError, whatever is wrong."""
        identity = await self._identity(auth_header, activity.channel_id)
        if not activity.service_url or identity.get_claim_value(ChannelValidation.SERVICE_URL_CLAIM) != activity.service_url:
            raise PermissionError("the token is for another address")
        result = AuthenticateRequestResult()
        result.claims_identity, result.connector_factory = identity, NoConnectors()
        return result

    async def _identity(self, header: str, channel_id: str) -> ClaimsIdentity:
        """Teams sends a token with many requests: one that was good is not looked at again for a while."""
        known = self._good.get((header, channel_id))
        if known is not None and time.time() < known[1]:
            return known[0]
        try:
            identity = await self._extractor.get_identity_from_auth_header(header, channel_id)
            identity = await ChannelValidation.validate_identity(identity, self._credentials)
            until = min(time.time() + GOOD_FOR, float(identity.claims["exp"]))
        except PermissionError:
            raise
        except Exception as error:
            raise PermissionError(type(error).__name__) from error
        self._good.keep((header, channel_id), (identity, until))
        return identity

    async def authenticate_streaming_request(self, auth_header: str, channel_id_header: str) -> AuthenticateRequestResult:
        """There are no streams."""
        raise PermissionError

    async def authenticate_channel_request(self, auth_header: str) -> ClaimsIdentity:
        """There are no bots behind this one."""
        raise PermissionError

    def create_connector_factory(self, claims_identity: ClaimsIdentity) -> ConnectorFactory:
        """What is sent goes through bot/teams/send.py."""
        return NoConnectors()

    async def create_user_token_client(self, claims_identity: ClaimsIdentity) -> UserTokenClient:
        """Nobody signs in to anything else."""
        return cast("UserTokenClient", None)

    def create_bot_framework_client(self) -> BotFrameworkClient:
        """There are no bots behind this one."""
        raise PermissionError

    def get_originating_audience(self) -> str:
        """Whom our own tokens are for."""
        return str(AuthenticationConstants.TO_CHANNEL_FROM_BOT_OAUTH_SCOPE)


class NoConnectors(ConnectorFactory):
    """A turn must have a client for answers, and never uses it."""

    async def create(self, service_url: str, audience: str) -> ConnectorClient:
        """Something that is not nothing."""
        return cast("ConnectorClient", self)


class TeamsChannel:
    """One Teams app, in its own tenant and in those that are allowed besides."""

    name = parse.CHANNEL

    def __init__(
        self,
        dispatcher: Dispatcher,
        database: Database,
        pictures: Pictures,
        *,
        app_id: str,
        password: str,
        tenant: str,
        allowed: frozenset[str],
        site: str,
        patience: Patience,
        clock: Callable[[], datetime],
    ) -> None:
        self._dispatcher, self._patience = dispatcher, patience
        self._pictures, self._site = pictures, site
        self._allowed = allowed | {tenant}
        self._network = Network()
        self._keys = SigningKeys(self._network)
        self._connector = Connector(self._network, Tokens(app_id=app_id, password=password, tenant=tenant), app_id)
        self._book = AddressBook(database, clock)
        self._profiles = Profiles()
        self._adapter = CloudAdapter(Authentication(self._keys, app_id))
        self.sender = TeamsSender(self._connector, self._book, self._addresses)

    def mount(self, application: web.Application) -> None:
        """The one address that Teams calls."""
        application.router.add_post("/api/messages", self._post)

    async def open(self) -> None:
        """Before the first request."""
        await self._network.open()

    async def close(self) -> None:
        """After the last."""
        self._keys.forget()
        await self._network.close()

    def _addresses(self, view: Card | Form) -> render.Pictures:
        """Where the view's pictures are fetched from; nowhere while the server has no address that Teams could reach."""
        if not self._site.startswith("https://"):
            return {}
        there = (block.figure for block in view.blocks if isinstance(block, Picture) and is_drawn(block.figure))
        return {figure: f"{self._site}{path}" for figure in there if (path := self._pictures.path(figure))}

    # -- the request

    async def _post(self, request: web.Request) -> web.Response:
        header = request.headers.get("Authorization", "")
        if not header.startswith("Bearer "):
            return web.Response(status=401, text="The token is missing.")
        body = _body(await request.read()) if request.content_type == "application/json" else None
        if body is None:
            return web.Response(status=400, text="The body is not what Teams sends.")
        if body.get("channelId") != "msteams" or not parse.is_service(body.get("serviceUrl")):
            return web.Response(status=400, text="The body is not from Teams.")
        told = NOTHING

        async def logic(_turn: TurnContext) -> None:
            """Sent through the turn, the answer would be copied deeply and sorted out again."""
            nonlocal told
            told = await self._surely(body)

        try:
            await self._adapter.process_activity(header, _activity(body), logic)
        except PermissionError as error:
            log.info("a token was refused", extra={"error": str(error)[:60]})
            return web.Response(status=401, text="The token is wrong or old.")
        return web.Response(status=told.status) if told.body is None else web.json_response(told.body, status=told.status)

    async def _surely(self, body: parse.Activity) -> Told:
        """An answer, whatever happens: a fault of ours must not have Teams send the request again."""
        try:
            return await self._attend(body)
        except Exception as error:
            reference = new_reference()
            log.error("a request of Teams failed", exc_info=error, extra={"reference": reference})
            return _sorry(body, f"Something went wrong on our side. Reference {reference}.")

    # -- what it says

    async def _attend(self, body: parse.Activity) -> Told:
        tenant, user = parse.tenant_of(body), parse.user_of(body)
        if tenant not in self._allowed:
            log.warning("an activity of a tenant that is not allowed", extra={"tenant": tenant[:64]})
            return FOREIGN
        surface = parse.surface_of(body)
        if not user:
            return UNKNOWN_INVOKE if body.get("type") == "invoke" else NOTHING
        if (added := parse.installed(body)) is not None:
            await (self._arrived(body) if added else self._book.leave(tenant, user))
            return NOTHING
        if surface is None:
            return UNKNOWN_INVOKE if body.get("type") == "invoke" else NOTHING
        person = await self._heard(body)
        around = Surroundings(connector=self._connector, book=self._book, activity=body, person=person, pictures=self._addresses)
        return await self._answered(SURFACES[surface](around), body, person)

    async def _heard(self, body: parse.Activity, *, anew: bool = False) -> Address:
        """The person's address, noted with that of the place where they spoke; `anew`: they may have been gone."""
        place = Address(
            channel=parse.CHANNEL,
            tenant=parse.tenant_of(body),
            who=parse.place_of(body),
            service=str(body["serviceUrl"]),
            conversation=parse.place_of(body),
        )
        own = place.conversation if parse.is_personal(body) else ""
        person = replace(place, who=parse.user_of(body), contact=parse.contact_of(body), conversation=own)
        return (await self._book.heard(*((person,) if own else (person, place)), anew=anew))[0]

    async def _answered(self, answers: Answers, body: parse.Activity, person: Address) -> Told:
        try:
            answer = await self._patience.within(self._answer(body, person), answers.later)
        except Busy:
            answer = DECLINED
        if answer is None:
            return answers.working()
        if answers.waits:
            await answers.after(answer)
        else:
            self._patience.soon(answers.after(answer))
        return answers.at_once(answer)

    async def _answer(self, body: parse.Activity, person: Address) -> Answer:
        """The bot's answer; the person's profile is looked up first, and never for long."""
        return await self._dispatcher.answer(parse.interaction(body, await self._profile(body, person)))

    # -- who comes and goes

    async def _arrived(self, body: parse.Activity) -> None:
        """Whoever adds the app is greeted, once; what waits for them can be sent again."""
        person = await self._heard(body, anew=True)
        await self._dispatcher.answer(parse.arrival(body, await self._profile(body, person)))

    async def _profile(self, body: parse.Activity, person: Address) -> Profile | None:
        """As the roster has it, with the time zone that the activity says."""

        async def ask() -> Profile | None:
            return parse.profile_of(await self._connector.member(person, parse.conversation_of(body)), person.tenant)

        profile = await self._profiles.of(person.tenant, person.who, ask)
        return None if profile is None else replace(profile, zone=parse.zone_of(body))


def _activity(body: parse.Activity) -> Activity:
    """As much of an activity as the turn needs: to read all of it takes botbuilder longer than all else that it does."""
    return Activity(
        type=body["type"],
        id=str(body.get("id") or ""),
        channel_id=body["channelId"],
        service_url=body["serviceUrl"],
        conversation=ConversationAccount(id=parse.conversation_of(body)),
        recipient=ChannelAccount(),
        from_property=ChannelAccount(id=parse.contact_of(body)),
    )


def _body(raw: bytes) -> Mapping[str, Any] | None:
    """The activity of a request; None for rubbish."""
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) and parse.is_sensible(body) else None


def _sorry(body: parse.Activity, sentence: str) -> Told:
    """An answer that says so where Teams shows one."""
    match parse.surface_of(body):
        case "execute":
            return word(sentence)
        case "fetch" | "dialog":
            return closing(sentence)
        case _:
            return NOTHING
