"""The bot behind a real HTTP port, and a Slack that calls it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from aiohttp import web

from bot import http
from bot.dispatch import Dispatcher, Vouching
from bot.limits import Patience, RateLimit
from bot.links import FileLinks
from bot.pictures import Pictures
from bot.slack.receive import SlackChannel
from handlers.registry import FEATURES
from handlers.routing import Router, Routes
from scheduler.delivery import Delivery
from storage import people
from storage.database import Database
from tests.processes.serving import free_port
from tests.slackdouble.slackdouble import SlackDouble, User

SECRET = "signing-secret"


def now() -> datetime:
    """The real time: signatures are checked against it."""
    return datetime.now(UTC)


class Bot:
    """One process's worth of the bot, with the topics of the product and those of a test."""

    def __init__(
        self, slack: SlackDouble, database: Database, extra: Iterable[Router] = (), *, per_minute: int = 1000, most: int = 100
    ) -> None:
        routes = Routes((*FEATURES, *extra))
        links = FileLinks([])
        self.pictures = Pictures([], now)
        domains = {("slack", slack.team["id"]): frozenset({"uhd.nhs.uk"})}
        vouching = Vouching(domains=domains, admins=frozenset({"head@uhd.nhs.uk"}))
        self.dispatcher = Dispatcher(
            database,
            routes,
            clock=now,
            limit=RateLimit(per_minute),
            links=links,
            vouching=vouching,
            site="https://dih.example.org",
            wake=lambda: self.delivery.wake(),
        )
        self.channel = SlackChannel(
            self.dispatcher,
            self.pictures,
            signing_secret=SECRET,
            bot_token=slack.bot_token,
            api_url=slack.api_url,
            allowed=frozenset(),
            patience=Patience(seconds=0.8, most=most),
        )
        self.delivery = Delivery(database, routes, {"slack": self.channel.sender}, clock=now, lease_seconds=60)
        app = http.application([self.channel], self.dispatcher, links, self.pictures, database, clock=now, body_limit=262_144)
        self._runner = http.runner(app, grace=1)
        self._port = int(slack.app_url.rpartition(":")[2])

    async def line(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection on which anything can be said."""
        return await asyncio.open_connection("127.0.0.1", self._port)

    @property
    def lines(self) -> int:
        """How many connections are open."""
        assert self._runner.server is not None
        return len(self._runner.server.connections)

    async def start(self) -> None:
        """Serves and delivers."""
        await self.channel.open()
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        self._delivering = asyncio.create_task(self.delivery.keep_running())

    async def stop(self) -> None:
        """Ends."""
        self.delivery.stop()
        await self._delivering
        await self._runner.cleanup()
        await self.channel.close()
        await self.pictures.close()


@pytest.fixture
async def slack() -> AsyncIterator[SlackDouble]:
    """A Slack that repeats events at once."""
    async with SlackDouble(f"http://127.0.0.1:{free_port()}", SECRET, retry_delays=(0, 0, 0)) as double:
        yield double


@pytest.fixture
def ann(slack: SlackDouble) -> User:
    """Somebody of a partner."""
    person: User = slack.user("Ann Lee", "ann@uhd.nhs.uk")
    return person


@pytest.fixture
async def pictures() -> AsyncIterator[Pictures]:
    """What draws."""
    pictures = Pictures([], now)
    yield pictures
    await pictures.close()


@pytest.fixture
async def hub(database: Database) -> Database:
    """A database with one partner."""
    async with database.transaction() as session:
        await people.add_organisation(session, name="University Hospitals Dorset", domains=("uhd.nhs.uk",))
    return database


@asynccontextmanager
async def serving(slack: SlackDouble, database: Database, *extra: Router, per_minute: int = 1000, most: int = 100) -> AsyncIterator[Bot]:
    """A bot for a while."""
    bot = Bot(slack, database, extra, per_minute=per_minute, most=most)
    await bot.start()
    try:
        yield bot
    finally:
        await bot.stop()


@pytest.fixture
async def bot(slack: SlackDouble, hub: Database) -> AsyncIterator[Bot]:
    """The product's topics, serving."""
    async with serving(slack, hub) as running:
        yield running
