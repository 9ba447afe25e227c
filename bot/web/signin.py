"""Who is visiting: one-time links, sessions, and in a demonstration the persona of the address."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from aiohttp import web

from bot.limits import RateLimit
from bot.web import render, safety
from bot.web.respond import Respond
from storage import accounts, people, signin
from storage.database import Database, Session
from storage.people import AccountKey, Person, Seen

TRIES_PER_MINUTE = 20
FOREIGN = "I could not see that this came from this site’s own page. Load the page again, then repeat it. Nothing was done."
HOW = "Do you already talk to me in a chat elsewhere? Send me the word “web” there, and open the link that I send you."
OR_ASK = "Or ask an administrator of the hub for an invitation. On the server, that is: dih invite you@example.org"


@dataclass(frozen=True, kw_only=True)
class Persona:
    """Somebody one can be in a demonstration, under /as/{slug}/."""

    slug: str
    label: str
    person_id: int


@dataclass(frozen=True, kw_only=True)
class Visit:
    """Whose page it is and where; `proof` stands in its forms; `unnoted`: a session whose use should be written down."""

    person_id: int
    base: str
    proof: str
    label: str = ""
    unnoted: str = ""


class Personas:
    """The people of a demonstration."""

    def __init__(self, personas: Sequence[Persona]) -> None:
        self.all = tuple(personas)
        self._key = secrets.token_bytes(32)

    def visit(self, slug: str) -> Visit | None:
        """The visit of one of them, None for anybody else."""
        for persona in self.all:
            if persona.slug == slug:
                proof = safety.proof(self._key, slug)
                return Visit(person_id=persona.person_id, base=f"/as/{slug}/", proof=proof, label=persona.label)
        return None


async def web_account(session: Session, person: Person, *, now: datetime) -> str:
    """The user id of somebody's account here, which they are given when they have none.

    It is their number as a rule; after two people became one, that number may belong to the other.
    """
    for account in await people.accounts_of(session, person.id):
        if account.key.channel == "web":
            return account.key.user
    key = AccountKey(channel="web", tenant="", user=str(person.id))
    if await people.find_by_account(session, key) is not None:
        key = AccountKey(channel="web", tenant="", user=f"{person.id}-{secrets.token_hex(4)}")
    await accounts.attach(session, person.id, Seen(key=key, name=person.name, email=None, vouched=False), now=now)
    return key.user


class SignIn:
    """The doors of the web chat."""

    def __init__(self, database: Database, clock: Callable[[], datetime], respond: Respond, *, secure: bool) -> None:
        self._database, self._clock, self._respond = database, clock, respond
        self._cookie = safety.Cookie(secure=secure)
        self._limit = RateLimit(TRIES_PER_MINUTE)

    async def visit(self, session: Session, request: web.Request) -> Visit | None:
        """The visit of whoever holds this session, None without one that lasts."""
        token = self._cookie.read(request)
        whose = await signin.whose(session, token, now=self._clock()) if token else None
        if whose is None:
            return None
        person_id, stale = whose
        return Visit(person_id=person_id, base="/", proof=safety.proof(token.encode(), "session"), unnoted=token if stale else "")

    async def note_use(self, visit: Visit) -> None:
        """Writes down that the session is in use, now and then."""
        if visit.unnoted:
            async with self._database.transaction() as session:
                await signin.note_use(session, visit.unnoted, now=self._clock())

    def outside(self, *, status: int = 200) -> web.Response:
        """Says how to get in."""
        return self._respond.notice("The hub’s web chat", "You are not signed in on this device.", HOW, OR_ASK, status=status, links=())

    async def show(self, request: web.Request) -> web.Response:
        """The button of a one-time link. Looking spends nothing, so a mail scanner may look."""
        token = request.match_info["token"]
        async with self._database.reading() as session:
            usable = await signin.is_usable(session, token, now=self._clock())
        return self._respond.html(render.sign_in(token)) if usable else self._old_link()

    def _old_link(self) -> web.Response:
        words = "It works once, and only for a day. You can get a new one."
        return self._respond.notice("This link was used, or is too old", words, HOW, OR_ASK, status=410)

    async def spend(self, request: web.Request) -> web.Response:
        """Spends the link and begins a session."""
        if not safety.is_ours(request):
            return self._respond.notice("That was not done", FOREIGN, status=403)
        now = self._clock()
        if not self._limit.allows(AccountKey(channel="web", tenant="sign-in", user=request.remote or ""), now):
            return self._respond.notice("Too many tries", "Wait a minute, then open your link again. It is not spent.", status=429)
        async with self._database.transaction() as session:
            person_id = await signin.spend(session, request.match_info["token"], now=now)
            person = None if person_id is None else await people.find(session, person_id)
            if person is None:
                return self._old_link()
            await web_account(session, person, now=now)
            if before := self._cookie.read(request):
                await signin.end(session, before)
            token = await signin.start(session, person.id, now=now)
        response = self._respond.redirect("/")
        self._cookie.set(response, token)
        return response

    async def leave(self, request: web.Request, visit: Visit) -> web.Response:
        """Ends the session; `visit` was proved."""
        async with self._database.transaction() as session:
            await signin.end(session, self._cookie.read(request))
        response = self._respond.notice("You are signed out", HOW, OR_ASK, status=200, links=())
        self._cookie.forget(response)
        return response
