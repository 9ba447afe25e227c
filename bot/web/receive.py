"""The web chat: a plain page that works without scripts, for people with a session or, in a demonstration, for anybody."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from aiohttp import web

from bot.dispatch import Answer, Dispatcher, new_reference, new_ticket
from bot.limits import Busy, Patience
from bot.pictures import Pictures
from bot.web import parse, render, safety
from bot.web.conversation import Conversation, Doing, Held
from bot.web.items import PageItem, digest, is_secret, unpack
from bot.web.parse import Garbled, Posted, Sender
from bot.web.respond import Respond
from bot.web.send import WebSender
from bot.web.signin import FOREIGN, Persona, Personas, SignIn, Visit, web_account
from handlers.routing import Interaction
from handlers.views import Form, Link, Reply
from storage import history, people
from storage.database import Database, Session
from storage.history import Item

__all__ = ["Persona", "WebChannel"]

log = logging.getLogger(__name__)

SHOWN = 30
SHOWN_MORE = 50
SHOWN_AT_MOST = 230
LOOKS = 60  # seconds that a page without scripts looks for a late answer by itself
Handler = Callable[[web.Request], Awaitable[web.Response]]
Read = Callable[[Posted, Sender], Interaction]


@dataclass(frozen=True, kw_only=True)
class _Kept:
    """The answer stands on the page, at this anchor."""

    anchor: str


@dataclass(frozen=True, kw_only=True)
class _Drawn:
    """The answer is to be drawn now: it is not kept, or (`stands`) not all of it."""

    answer: Answer
    stands: bool = False


@dataclass(frozen=True, kw_only=True)
class _Found:
    """Somebody's name and the newest of their items; `more` as on the page."""

    name: str
    items: Sequence[Item]
    more: int


class WebChannel:
    """Implements bot.http.Channel."""

    name = "web"

    def __init__(
        self,
        dispatcher: Dispatcher,
        database: Database,
        pictures: Pictures,
        *,
        clock: Callable[[], datetime],
        secure: bool,
        patience: Patience | None = None,
        personas: Sequence[Persona] = (),
    ) -> None:
        self._dispatcher, self._database, self._pictures, self._clock = dispatcher, database, pictures, clock
        self._patience = patience or Patience(seconds=0.8)
        self._personas = Personas(personas)
        self._demo = bool(personas)
        self._respond = Respond(secure=secure)
        self._sign_in = SignIn(database, clock, self._respond, secure=secure)
        self._conversation, self._held = Conversation(database, clock), Held()
        self.sender = WebSender(database, clock)

    def mount(self, application: web.Application) -> None:
        """Adds the page, what it posts to, the sign-in and the static files."""
        base = "/as/{persona}/" if self._demo else "/"
        routes: list[tuple[str, str, Handler]] = [
            ("GET", base, self._page),
            ("GET", f"{base}new", self._new),
            ("POST", f"{base}say", self._posting(parse.command)),
            ("POST", f"{base}press", self._posting(parse.press)),
            ("POST", f"{base}submit", self._posting(parse.submission)),
            ("POST", f"{base}close", self._close),
            ("GET", "/static/{name}", self._static),
            ("GET", "/privacy", self._privacy),
            ("GET", "/terms", self._terms),
        ]
        if self._demo:
            routes += [("GET", "/", self._choose), ("GET", "/as/{persona}", self._slashed), ("GET", "/sign-in/{token}", self._choose)]
        else:
            routes += [
                ("GET", "/sign-in/{token}", self._sign_in.show),
                ("POST", "/sign-in/{token}", self._sign_in.spend),
                ("POST", "/sign-out", self._leave),
            ]
        for method, path, handler in routes:
            application.router.add_route(method, path, self._safe(handler))

    async def open(self) -> None:
        """Nothing to open."""

    async def close(self) -> None:
        """Late answers are written."""
        await self._patience.finish(10)

    def _safe(self, handler: Handler) -> Handler:
        """Whatever happens, the browser gets a page that says so."""

        async def run(request: web.Request) -> web.Response:
            try:
                return await handler(request)
            except Garbled:
                words = "It did not come from this site’s own page. Load the page again. Nothing was done."
                return self._respond.notice("I could not read that", words, status=400)
            except web.HTTPRequestEntityTooLarge:
                return self._respond.notice("That is too long", "Press Back, make it shorter, and send it again.", status=413)
            except Busy:
                return self._respond.notice("Busy", "Too much is under way. Press Back, wait a moment, and send it again.", status=503)
            except ConnectionError:
                raise
            except Exception as error:
                reference = new_reference()
                log.error("a page failed", exc_info=error, extra={"reference": reference})
                return self._respond.notice("Sorry", f"Something went wrong on our side. Reference {reference}.", status=500)

        return run

    # -- who

    async def _visit(self, session: Session, request: web.Request) -> Visit | None:
        if self._demo:
            return self._personas.visit(request.match_info["persona"])
        return await self._sign_in.visit(session, request)

    def _nobody(self, *, status: int) -> web.Response:
        if self._demo:
            return self._respond.notice("There is nobody of that name", "Choose somebody from the list.", status=404, demo=True)
        return self._sign_in.outside(status=status)

    async def _proved(self, request: web.Request) -> tuple[Visit, Posted] | web.Response:
        """The visit and what it posted, or the answer to a post that is not from our own page."""
        if not safety.is_ours(request):
            return self._respond.notice("That was not done", FOREIGN, status=403)
        posted = parse.posted(await request.read())
        async with self._database.reading() as session:
            visit = await self._visit(session, request)
        if visit is None:
            return self._nobody(status=401)
        if not safety.is_proof(parse.one(posted, "proof"), visit.proof):
            return self._respond.notice("That was not done", FOREIGN, status=403)
        return visit, posted

    # -- looking

    async def _page(self, request: web.Request) -> web.Response:
        """The page; while an answer is late, one that looks for it by itself."""
        async with self._database.reading() as session:
            visit = await self._visit(session, request)
            found = await self._found(session, visit, show=_number(request.query.get("show", ""), SHOWN)) if visit else None
        if visit is None or found is None:
            return self._nobody(status=200)
        await self._sign_in.note_use(visit)
        waited_for = request.query.get("working", "")
        if held := self._held.find(waited_for, visit.person_id):
            return await self._draw(visit, found, *held)
        page = await self._paged(visit, found)
        if not re.fullmatch(r"[\w-]{1,64}", waited_for, re.ASCII):
            return await self._html(page)
        for item in page.items:
            if item.answers == waited_for:
                return self._respond.redirect(f"{visit.base}#i{item.id}")
        look = _number(request.query.get("look", ""), 1)
        again = f"{visit.base}?working={waited_for}&look={look + 1}"
        return await self._html(replace(page, working=again, patient=look < LOOKS))

    async def _found(self, session: Session, visit: Visit, *, show: int) -> _Found | None:
        person = await people.find(session, visit.person_id)
        if person is None:
            return None
        show = min(max(show, SHOWN), SHOWN_AT_MOST)
        there = await history.newest(session, visit.person_id, limit=show + 1)
        more = show + SHOWN_MORE if len(there) > show and show < SHOWN_AT_MOST else 0
        return _Found(name=person.name, items=there[-show:], more=more)

    async def _paged(self, visit: Visit, found: _Found) -> render.Page:
        return render.Page(
            base=visit.base,
            who=visit.label or found.name,
            proof=visit.proof,
            ticket=new_ticket(),
            items=await asyncio.to_thread(_unpacked, found.items),
            more=found.more,
            picture=self._pictures.path,
            demo=self._demo,
        )

    async def _html(self, page: render.Page, *, status: int = 200) -> web.Response:
        """A long page takes a while to draw; others are served meanwhile."""
        return self._respond.html(await asyncio.to_thread(render.page, page), status=status)

    async def _new(self, request: web.Request) -> web.Response:
        """The newest items for the page's script, unless it has them."""
        async with self._database.reading() as session:
            visit = await self._visit(session, request)
            there = await history.newest(session, visit.person_id, limit=SHOWN) if visit else ()
        if visit is None:
            return self._nobody(status=401)
        digests = "".join(f"{item.id}{digest(item)}" for item in there)
        tag = f'"{hashlib.blake2b(digests.encode(), digest_size=12).hexdigest()}"'
        if request.headers.get("If-None-Match") == tag:
            return self._respond.unchanged()
        page = render.Page(base=visit.base, who="", proof=visit.proof, ticket="", items=_unpacked(there), picture=self._pictures.path)
        return self._respond.fragment(await asyncio.to_thread(render.items, page), tag=tag)

    async def _static(self, request: web.Request) -> web.Response:
        return self._respond.static(request.match_info["name"])

    async def _privacy(self, _request: web.Request) -> web.Response:
        return self._respond.html(render.privacy())

    async def _terms(self, _request: web.Request) -> web.Response:
        return self._respond.html(render.terms())

    async def _choose(self, _request: web.Request) -> web.Response:
        links = [Link(label=persona.label, url=f"/as/{persona.slug}/") for persona in self._personas.all]
        return self._respond.html(render.choose(links))

    async def _slashed(self, request: web.Request) -> web.Response:
        visit = self._personas.visit(request.match_info["persona"])
        return self._respond.redirect(visit.base) if visit else self._nobody(status=404)

    # -- doing

    def _posting(self, read: Read) -> Handler:
        """Takes a post, answers it, and sends the browser to where the answer stands."""

        async def post(request: web.Request) -> web.Response:
            proved = await self._proved(request)
            if isinstance(proved, web.Response):
                return proved
            visit, posted = proved
            await self._sign_in.note_use(visit)
            user = await self._user(visit)
            if user is None:
                return self._nobody(status=401)
            doing = Doing(
                person_id=visit.person_id,
                interaction=read(posted, Sender(user=user, id=secrets.token_urlsafe(12))),
                item=parse.item(posted),
            )
            result = await self._patience.within(self._do(doing), lambda late: self._keep_late(doing, late))
            return await self._show(visit, doing, result)

        return post

    async def _user(self, visit: Visit) -> str | None:
        """The account that the person acts by; None when they are no longer there."""
        async with self._database.reading() as session:
            for account in await people.accounts_of(session, visit.person_id):
                if account.key.channel == self.name:
                    return account.key.user
        async with self._database.transaction() as session:
            person = await people.find(session, visit.person_id)
            return None if person is None else await web_account(session, person, now=self._clock())

    async def _do(self, doing: Doing) -> _Kept | _Drawn:
        """Answers; what must not be kept, and a form that was turned away, is left to be drawn at once."""
        answer = await self._dispatcher.answer(doing.interaction)
        outcome = answer.outcome
        if answer.unkept or (doing.interaction.kind == "form" and not answer.done):
            return _Drawn(answer=answer)
        item = await self._conversation.keep(doing, answer)
        if isinstance(outcome, Reply) and is_secret(outcome.card):
            return _Drawn(answer=answer, stands=True)
        if not item:
            return _Kept(anchor="say")
        return _Kept(anchor=f"i{item}-errors" if isinstance(outcome, Form) and outcome.errors else f"i{item}")

    async def _keep_late(self, doing: Doing, late: _Kept | _Drawn) -> None:
        if isinstance(late, _Drawn) and not late.stands:
            if late.answer.unkept:
                self._held.put(doing, late.answer)
            else:
                await self._conversation.keep_late(doing, late.answer)

    async def _show(self, visit: Visit, doing: Doing, result: _Kept | _Drawn | None) -> web.Response:
        if result is None:
            return self._respond.redirect(f"{visit.base}?working={doing.interaction.id}")
        if isinstance(result, _Kept):
            return self._respond.redirect(f"{visit.base}#{result.anchor}")
        async with self._database.reading() as session:
            found = await self._found(session, visit, show=SHOWN)
        if found is None:
            return self._nobody(status=401)
        return await self._draw(visit, found, doing, result.answer)

    async def _draw(self, visit: Visit, found: _Found, doing: Doing, answer: Answer) -> web.Response:
        """The page with an answer that is not kept on it."""
        page = await self._paged(visit, found)
        there = self._conversation.drawn(page.items, doing, answer)
        turned_away = not answer.done or (isinstance(answer.outcome, Form) and bool(answer.outcome.errors))
        typed = doing.interaction.text if turned_away else ""
        return await self._html(replace(page, items=there, typed=typed), status=422 if turned_away else 200)

    async def _close(self, request: web.Request) -> web.Response:
        """Puts a form away without sending it."""
        proved = await self._proved(request)
        if isinstance(proved, web.Response):
            return proved
        visit, posted = proved
        await self._conversation.close(visit.person_id, parse.item(posted))
        return self._respond.redirect(f"{visit.base}#say")

    async def _leave(self, request: web.Request) -> web.Response:
        proved = await self._proved(request)
        return proved if isinstance(proved, web.Response) else await self._sign_in.leave(request, proved[0])


def _unpacked(there: Sequence[Item]) -> tuple[PageItem, ...]:
    return tuple(map(unpack, there))


def _number(text: str, otherwise: int) -> int:
    return int(text) if re.fullmatch(r"[0-9]{1,4}", text) else otherwise
