"""Chromium in front of the demonstration; without a browser these tests are skipped."""

from __future__ import annotations

import importlib.util
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bot.web.receive import Persona
from handlers.pulse.kept import words_of
from handlers.pulse.wheel import illustrative
from storage import sample
from storage.database import Database
from tests.conftest import FakeClock
from tests.web.conftest import Bot

if TYPE_CHECKING:
    from tests.browser.windows import Desk

CHROMIUM = Path("/usr/bin/chromium")


@pytest.fixture
async def demo(database: Database, clock: FakeClock) -> AsyncIterator[Bot]:
    """The demonstration, serving."""
    async with database.transaction() as session:
        found = await sample.load(session, wheel=words_of(illustrative()), now=clock())
    bot = Bot(database, clock, personas=[Persona(slug=each.slug, label=each.label, person_id=each.person_id) for each in found])
    await bot.start()
    yield bot
    await bot.stop()


@pytest.fixture
async def bot(database: Database, clock: FakeClock) -> AsyncIterator[Bot]:
    """The product, serving people with sessions."""
    bot = Bot(database, clock)
    await bot.start()
    yield bot
    await bot.stop()


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """A browser."""
    if not CHROMIUM.exists() or importlib.util.find_spec("playwright") is None:
        pytest.skip(f"browser tests need playwright and {CHROMIUM}")
    from tests.browser.windows import desk

    async with desk(tmp_path) as opened:
        yield opened
