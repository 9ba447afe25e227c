"""The bot behind a real HTTP port, a Teams that calls it from Microsoft's own addresses, and Microsoft's renderer of cards."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from aiohttp import web

from bot import http
from bot.dispatch import Dispatcher, Vouching
from bot.limits import Patience, RateLimit
from bot.links import FileLinks
from bot.pictures import Pictures
from bot.teams.receive import TeamsChannel
from handlers.registry import FEATURES
from handlers.routing import Router, Routes
from scheduler.delivery import Delivery
from storage import people
from storage.database import Database
from tests.browser.conftest import CHROMIUM
from tests.processes.serving import free_port
from tests.teamsdouble.teamsdouble import TeamsDouble, User

if TYPE_CHECKING:
    from tests.teams.drawing import Board

PARTNER = "5d1f3a52-1d3c-4f6e-9a0b-2f6a3b1c7d99"
"""A tenant that is allowed besides the app's own."""


PACKAGES = {"adaptivecards@3.0.6": "adaptivecards/dist/adaptivecards.min.js", "markdown-it@14.1.0": "markdown-it/dist/markdown-it.min.js"}
"""What npm fetches, both MIT: the renderer, and the markdown that its documentation puts with it."""


def now() -> datetime:
    """The real time: tokens are checked against it."""
    return datetime.now(UTC)


class Bot:
    """One process's worth of the bot, with the topics of the product and those of a test."""

    def __init__(
        self, teams: TeamsDouble, database: Database, extra: Iterable[Router] = (), *, per_minute: int = 1000, most: int = 100
    ) -> None:
        routes = Routes((*FEATURES, *extra))
        links = FileLinks([])
        self.database = database
        self.pictures = Pictures([], now)
        domains = {("teams", teams.tenant): frozenset({"uhd.nhs.uk"})}
        self.dispatcher = Dispatcher(
            database,
            routes,
            clock=now,
            limit=RateLimit(per_minute),
            links=links,
            vouching=Vouching(domains=domains, admins=frozenset({"head@uhd.nhs.uk"})),
            site="https://dih.example.org",
            wake=lambda: self.delivery.wake(),
        )
        self.patience = Patience(seconds=0.8, most=most)
        self.channel = TeamsChannel(
            self.dispatcher,
            database,
            self.pictures,
            app_id=teams.app_id,
            password=teams.app_password,
            tenant=teams.tenant,
            allowed=frozenset({PARTNER}),
            site="https://dih.example.org",
            patience=self.patience,
            clock=now,
        )
        self.delivery = Delivery(database, routes, {"teams": self.channel.sender}, clock=now, lease_seconds=60)
        app = http.application([self.channel], self.dispatcher, links, self.pictures, database, clock=now, body_limit=262_144)
        self._runner = http.runner(app, grace=1)
        self._port = int(teams.bot_url.rpartition(":")[2])

    async def start(self) -> None:
        """Serves."""
        await self.channel.open()
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()

    async def stop(self) -> None:
        """Ends."""
        await self._runner.cleanup()
        await self.patience.finish(2)
        await self.channel.close()
        await self.pictures.close()


@asynccontextmanager
async def playing(monkeypatch: pytest.MonkeyPatch, bot_url: str = "") -> AsyncIterator[TeamsDouble]:
    """A Teams whose addresses are those of life; whatever else is called is refused and counted."""
    async with TeamsDouble(bot_url or f"http://127.0.0.1:{free_port()}", proxy=True) as teams:
        for name, value in teams.env().items():
            monkeypatch.setenv(name, value)
        yield teams
        assert teams.leaks == []


@pytest.fixture
async def teams(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[TeamsDouble]:
    """A Teams that would complain at the end."""
    async with playing(monkeypatch) as teams:
        yield teams
        teams.assert_clean()


@asynccontextmanager
async def serving(teams: TeamsDouble, database: Database, *extra: Router, most: int = 100) -> AsyncIterator[Bot]:
    """The bot of a hub with one partner, for a while."""
    async with database.transaction() as session:
        await people.add_organisation(session, name="University Hospitals Dorset", domains=("uhd.nhs.uk",))
    bot = Bot(teams, database, extra, most=most)
    await bot.start()
    try:
        yield bot
    finally:
        await bot.stop()


@pytest.fixture
async def bot(teams: TeamsDouble, database: Database) -> AsyncIterator[Bot]:
    """The product's topics, serving."""
    async with serving(teams, database) as running:
        yield running


@pytest.fixture
def ann(teams: TeamsDouble) -> User:
    """Somebody of a partner."""
    person: User = teams.user("Ann Lee", "ann@uhd.nhs.uk")
    return person


@pytest.fixture(scope="session")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The renderer's scripts, fetched once."""
    npm = shutil.which("npm")
    if npm is None or not CHROMIUM.exists() or importlib.util.find_spec("playwright") is None:
        pytest.skip(f"tests with Microsoft's renderer need npm, playwright and {CHROMIUM}")
    folder = tmp_path_factory.mktemp("renderer")
    fetch = [npm, "install", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(folder), *PACKAGES]
    fetched = subprocess.run(fetch, capture_output=True, text=True, check=False, timeout=120)
    if fetched.returncode:
        pytest.skip(f"tests with Microsoft's renderer need npm to reach a registry: {fetched.stderr.strip()[-200:]}")
    return [folder / "node_modules" / script for script in PACKAGES.values()]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def board(scripts: list[Path]) -> AsyncIterator[Board]:
    """A page on which cards are drawn."""
    from tests.teams.drawing import board

    async with board(scripts) as opened:
        yield opened
