"""A round closes although the process that closes it dies on the way."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from handlers.pulse.kept import words_of
from handlers.pulse.wheel import illustrative
from storage.database import Database
from storage.database import database_url as with_driver
from storage.people import Group
from storage.pulse import answers, results, rounds
from storage.pulse.answers import CHOICE
from storage.pulse.rounds import Round, RoundState
from storage.pulse.sealing import Said
from tests.conftest import SECRET_KEY
from tests.processes.serving import BotProcess
from tests.pulse.burglar import carried_away, opened
from tests.storage.hub import meet

WHEEL = words_of(illustrative())


@contextmanager
def busy_reader(url: str) -> Iterator[None]:
    """Somebody who looks at the answers' table and does not go away."""
    if url.startswith("sqlite"):
        reader = sqlite3.connect(with_driver(url).database or "", isolation_level=None)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM pulse_open").fetchone()
        yield
        reader.close()
    else:
        with psycopg.connect(url) as connection:
            connection.execute("SELECT count(*) FROM pulse_open")
            yield


async def answered(database: Database) -> tuple[Round, list[int]]:
    """A round that five have answered and that somebody has just marked as closing."""
    now = datetime.now(UTC)
    people = [(await meet(database, f"U{number}", name=f"Member {number}")).id for number in range(5)]
    async with database.transaction() as session:
        closes_at = now + timedelta(days=1)
        round = await rounds.add(session, wheel=WHEEL, opens_at=now, closes_at=closes_at, groups=(Group.PROGRAMME_GROUP,), minimum=5)
        await answers.add_key(session, round.id)
        for place, person in enumerate(people):
            said = Said(item="purpose", level=2 + place % 3, comment=f"Remark {place}")
            await answers.save(session, round, person, said, now=now)
        await rounds.mark_closing(session, round.id, at=now)
    return round, people


async def until(condition: Callable[[], bool]) -> None:
    """Waits for what must happen."""
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.05)


async def over(database: Database) -> None:
    """Waits until the round is over."""
    async with asyncio.timeout(30):
        while True:
            async with database.reading() as session:
                if await rounds.list_over(session, limit=1):
                    return
            await asyncio.sleep(0.1)


@pytest.mark.may_block("files are read and searched")
async def test_a_process_killed_in_the_middle_of_a_close_is_followed_by_one_that_ends_it(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    round, people = await answered(database)
    bot = BotProcess(tmp_path, {"DIH_DATABASE_URL": database_url, "DIH_SECRET_KEYS": SECRET_KEY})

    def burgled() -> object:
        return opened(carried_away(database_url), (SECRET_KEY,), round.id, people, (*WHEEL.items, CHOICE))

    with busy_reader(database_url):
        await bot.start()
        await until(lambda: "reader holds back" in bot.log or "cannot close yet" in bot.log)
        await bot.kill()
        async with database.reading() as session:
            left = await rounds.under_way(session)
            assert await rounds.list_over(session, limit=1) == ()
        assert left is not None
        assert left.state is (RoundState.CLOSED if database.is_sqlite else RoundState.CLOSING)
        assert burgled(), "what the killed process left could still be read"
    async with bot:
        await over(database)
    async with database.reading() as session:
        found = await results.find(session, round.id)
        comments = await results.comments(session, round.id)
    assert found is not None
    assert [(each.dimension, each.scored) for each in found.numbers] == [("purpose", 5)]
    assert {each.text for each in comments} == {f"Remark {number}" for number in range(5)}
    assert not burgled()
