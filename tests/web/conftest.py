"""The bot behind a real HTTP port, and people in front of their windows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence

import pytest
from aiohttp import web

from bot import http
from bot.dispatch import Dispatcher, Vouching
from bot.limits import Patience, RateLimit
from bot.links import FileLinks
from bot.pictures import Pictures
from bot.web.receive import Persona, WebChannel
from handlers.pulse.kept import words_of
from handlers.pulse.wheel import illustrative
from handlers.registry import FEATURES
from handlers.routing import Router, Routes
from scheduler.delivery import Delivery
from storage import accounts, people, rights, sample, signin
from storage.database import Database
from storage.people import Group
from storage.rights import Rights
from tests.conftest import FakeClock
from tests.web.window import Window


class Bot:
    """One process's worth of the bot with the web chat; messages go out when a test says so."""

    def __init__(
        self,
        database: Database,
        clock: FakeClock,
        *,
        extra: Iterable[Router] = (),
        personas: Sequence[Persona] = (),
        secure: bool = False,
        patience: Patience | None = None,
        per_minute: int = 1000,
    ) -> None:
        self.database, self.clock = database, clock
        routes = Routes((*FEATURES, *extra))
        links = FileLinks([])
        self.pictures = Pictures([], clock)
        self.dispatcher = Dispatcher(
            database,
            routes,
            clock=clock,
            limit=RateLimit(per_minute),
            links=links,
            vouching=Vouching(),
            site="http://127.0.0.1",
            wake=lambda: None,
        )
        unhurried = patience or Patience(seconds=30)
        self.channel = WebChannel(
            self.dispatcher, database, self.pictures, clock=clock, secure=secure, patience=unhurried, personas=personas
        )
        self.delivery = Delivery(database, routes, {"web": self.channel.sender}, clock=clock, lease_seconds=60)
        app = http.application([self.channel], self.dispatcher, links, self.pictures, database, clock=clock, body_limit=262_144)
        self._runner = http.runner(app, grace=1)
        self._windows: list[Window] = []

    async def start(self) -> None:
        """Serves; what the HTTP client loads at its first request is loaded here, not in the middle of a test."""
        await self.channel.open()
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        await self.window().goes("/healthz")

    async def stop(self) -> None:
        """Ends."""
        for window in self._windows:
            await window.close()
        await self._runner.cleanup()
        await self.channel.close()
        await self.pictures.close()

    def window(self, home: str = "/") -> Window:
        """A new window, where nobody is signed in."""
        host, port = self._runner.addresses[0]
        window = Window(f"http://{host}:{port}", home, deliver=self.delivery.run)
        self._windows.append(window)
        return window

    async def person(self, name: str, *groups: Group, administrator: bool = False) -> int:
        """Somebody new with these rights."""
        async with self.database.transaction() as session:
            id = await accounts.add_person(session, name=name, email=None, now=self.clock())
            person = await people.find(session, id)
            assert person is not None
            wanted = Rights(organisation_id=None, groups=frozenset(groups), administrator=administrator)
            await rights.change(session, person, wanted)
        return id

    async def link(self, person_id: int) -> str:
        """The path of a one-time link."""
        async with self.database.transaction() as session:
            return f"/sign-in/{await signin.add_link(session, person_id, now=self.clock())}"

    async def signed_in(self, person_id: int) -> Window:
        """A window in which somebody has signed in."""
        window = self.window()
        await window.goes(await self.link(person_id))
        await window.presses("Sign in")
        return window


@pytest.fixture
async def bot(database: Database, clock: FakeClock) -> AsyncIterator[Bot]:
    """The product's topics, with one partner, serving people with sessions."""
    async with database.transaction() as session:
        await people.add_organisation(session, name="University Hospitals Dorset", domains=("uhd.nhs.uk",))
    bot = Bot(database, clock)
    await bot.start()
    yield bot
    await bot.stop()


@pytest.fixture
async def ann(bot: Bot) -> Window:
    """Ann, of the staff, at her window."""
    return await bot.signed_in(await bot.person("Ann Lee"))


@pytest.fixture
async def kay(bot: Bot) -> Window:
    """Kay, of the Core Team, at hers."""
    return await bot.signed_in(await bot.person("Kay Fox", Group.CORE_TEAM))


@pytest.fixture
async def demo(database: Database, clock: FakeClock) -> AsyncIterator[Bot]:
    """The demonstration."""
    async with database.transaction() as session:
        found = await sample.load(session, wheel=words_of(illustrative()), now=clock())
    bot = Bot(database, clock, personas=[Persona(slug=each.slug, label=each.label, person_id=each.person_id) for each in found])
    await bot.start()
    yield bot
    await bot.stop()
