"""The promise: until the round closes the people who run the server could technically look; after it closes nobody can.

Every search is tried first where it must find something.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Collection
from dataclasses import dataclass, field

import psycopg
import pytest
import sqlalchemy as sa
from cryptography.exceptions import InvalidTag

from storage.database import Database
from storage.database import database_url as with_driver
from storage.pulse import results
from storage.pulse.answers import CHOICE
from storage.pulse.rounds import RoundState
from storage.pulse.sealing import RoundKey, Said, new_secret
from storage.tables import METADATA
from tests.conftest import SECRET_KEY, FakeClock
from tests.dispatch.conftest import User, words
from tests.pulse.burglar import carried_away, opened, places_left
from tests.pulse.circle import KEYS, Circle, Sheet, answers_all, said_by, says, stored_at_once, takes_back
from tests.storage.hub import everything_kept, number_of, only_postgresql, only_sqlite

searching = pytest.mark.may_block("every byte is looked at in another thread, which keeps the interpreter for itself now and then")
SHOWN, HIDDEN = "purpose", "evidence"
PASSING = ("pulse_keys", "pulse_open", "pulse_participation")


def sheet(number: int) -> Sheet:
    """What one of nine says: everybody scores SHOWN, only four score HIDDEN."""
    levels: list[int | None] = [1 + (number * 3 + place * 2) % 5 for place in range(8)]
    levels[KEYS.index(HIDDEN)] = 4 if number < 4 else None if number % 2 else 0
    comments = {SHOWN: f"shown words of number {number}"} | ({HIDDEN: f"kept quiet by person {number}"} if number < 5 else {})
    return Sheet(levels=levels, comments={key: text for key, text in comments.items() if levels[KEYS.index(key)] is not None})


@dataclass
class Watched:
    """A round that nine have answered, with every value that ever stood in its tables."""

    circle: Circle
    url: str
    round_id: int
    ever: set[str] = field(default_factory=set)
    people: dict[int, User] = field(default_factory=dict)

    async def looks(self) -> None:
        """Notes what stands there now."""
        async with self.circle.hub.database.reading() as session:
            for table in ("pulse_keys", "pulse_open"):
                for row in await session.execute(sa.select(METADATA.tables[table])):
                    self.ever.update(value for value in row if isinstance(value, str))

    async def all_said(self) -> dict[int, set[Said]]:
        """What everybody said, as their own forms would show it."""
        return {id: set((await said_by(self.circle, user)).values()) for id, user in self.people.items()}

    async def burgled(self) -> dict[int, set[Said]]:
        """What the files and the secret keys give away, what was changed since included."""
        everything = await asyncio.to_thread(carried_away, self.url)
        return dict(await asyncio.to_thread(opened, everything, (SECRET_KEY,), self.round_id, self.people, (*KEYS, CHOICE)))

    async def found(self, *texts: str) -> int:
        """At how many places there is a piece of these texts, or of anything that ever stood in the tables."""
        everything = await asyncio.to_thread(carried_away, self.url)
        return await asyncio.to_thread(places_left, texts or self.ever, everything)


@pytest.fixture
async def watched(database: Database, database_url: str, clock: FakeClock) -> Watched:
    """Nine have answered, one of them through the whole bot; three have changed their minds since."""
    circle = await Circle.of(database, clock, members=9)
    watched = Watched(circle, database_url, await circle.opens())
    await stored_at_once(circle, circle.members[1:], [sheet(number) for number in range(1, 9)])
    await answers_all(circle.members[0], watched.round_id, sheet(0))
    await watched.looks()
    for member in circle.members[:3]:
        await says(member, watched.round_id, "needs", 5, "shown words, changed")
        await takes_back(member, watched.round_id, "finding")
    await watched.looks()
    watched.people |= {(await member.is_known()).id: member for member in circle.members}
    return watched


@searching
async def test_after_the_close_nobody_can_look(watched: Watched) -> None:
    said = await watched.all_said()
    assert {len(each) for each in said.values()} == {9}
    burgled = await watched.burgled()
    assert said.keys() == burgled.keys()
    assert all(said[id] <= burgled[id] for id in said), "while it is open, whoever has files and keys can read everything"
    assert await watched.found(), "and pieces of it stand in the files"
    await watched.circle.closes()
    assert await watched.burgled() == {}
    assert await watched.found() == 0
    assert await watched.found("shown words of number 4"), "published comments are there"
    assert not await watched.found("kept quiet by person 4"), "the others never were"


async def test_after_the_close_no_row_ties_an_answer_to_a_person(watched: Watched) -> None:
    await watched.circle.closes()
    async with watched.circle.hub.database.reading() as session:
        for table in PASSING:
            assert await number_of(session, table) == 0, table
        comments = (await session.execute(sa.select(METADATA.tables["pulse_comments"]))).all()
        published = await results.find(session, watched.round_id)
        rows = {table.name: [str(tuple(row)) for row in await session.execute(sa.select(table))] for table in METADATA.sorted_tables}
    assert published is not None
    assert HIDDEN not in {each.dimension for each in published.numbers}
    assert {row.dimension for row in comments} == {SHOWN, "needs"}
    assert all(re.fullmatch(r"[0-9a-f]{32}", row.id) for row in comments)
    with_people = [
        name for name, table in METADATA.tables.items() if any(key.target_fullname.startswith("people.") for key in table.foreign_keys)
    ]
    assert {"receipts", "drafts", "history", "audit", "outbox", "nudges"} < set(with_people)
    ours = [row for name in with_people for row in rows[name] if "pulse" in row]
    assert all(re.search(r"pulse\.(open|close|closed)\b", row) for row in ours), ours
    columns = {name: {column.name for column in METADATA.tables[name].columns} for name in ("pulse_results", "pulse_comments")}
    assert columns["pulse_comments"] == {"id", "round_id", "dimension", "text"}
    assert not {"person_id", "at", "created_at"} & (columns["pulse_results"] | columns["pulse_comments"])


def _marks(url: str) -> dict[str, tuple[str, str]]:
    """Which transactions wrote and last held the row of each person."""
    with psycopg.connect(url, autocommit=True) as connection:
        rows = connection.execute("SELECT name, xmin::text, xmax::text FROM people").fetchall()
    return {name: (written, held) for name, written, held in rows}


@only_postgresql
async def test_on_postgresql_no_mark_on_a_persons_row_says_that_they_took_part(
    database: Database, database_url: str, clock: FakeClock
) -> None:
    circle = await Circle.of(database, clock, members=3)
    round_id = await circle.opens()
    ann, bob, cat = circle.members
    new_account = circle.hub.person("ANN-TOO", "Member0", "member0@uhd.nhs.uk")
    for user in (ann, new_account, bob, cat):
        await user.types("pulse")
    before = await asyncio.to_thread(_marks, database_url)
    await answers_all(ann, round_id, Sheet(levels=[3] * 8))
    await says(bob, round_id, KEYS[0], None)
    await cat.presses("pulse.decline", round=str(round_id))
    assert await asyncio.to_thread(_marks, database_url) == before
    await ann.shares()
    assert (await asyncio.to_thread(_marks, database_url))["Member0"] != before["Member0"], "ordinary work leaves one"


async def test_receipts_drafts_history_audit_and_messages_hold_nothing_of_answers(watched: Watched) -> None:
    ann = watched.circle.members[0]
    await ann.sends("ideas.submit", {"title": "Hm", "need": "unheard words", "proposal": "", "visibility": "hub"})
    assert "unheard words" in await everything_kept(watched.circle.hub.database), "a draft of another form would be found"
    await ann.sends("pulse.answer", {"level": "", "comment": "unsaid words"}, round=str(watched.round_id), item=SHOWN)
    await ann.sends("pulse.answer", {"level": "3", "comment": "NHS number 999 123 4567"}, round=str(watched.round_id), item=SHOWN)
    await watched.circle.nurse.sends("pulse.answer", {"level": "3", "comment": "unsaid"}, round=str(watched.round_id), item=SHOWN)
    kept = await everything_kept(watched.circle.hub.database)
    for words_ in ("unsaid", "999 123 4567", "shown words", "kept quiet", *(f"pulse.{step}" for step in ("skip", "back", "start"))):
        assert words_ not in kept
    assert kept.count("pulse.answer") == 1, "that the nurse was refused is audited, without what she pressed"
    assert len([row for row in kept.splitlines() if SHOWN in row]) == 1, "besides the wheel itself, nothing names a dimension"


async def test_while_it_is_open_the_tables_say_nothing_without_the_key(watched: Watched) -> None:
    circle, ann = watched.circle, watched.circle.members[0]

    async def table() -> dict[str, str]:
        async with circle.hub.database.reading() as session:
            return {row.tag: row.sealed for row in await session.execute(sa.select(METADATA.tables["pulse_open"]))}

    before = await table()
    assert len(before) == 9 * 9, "what was passed over stands there too"
    assert {(len(tag), len(sealed)) for tag, sealed in before.items()} == {(64, 892)}
    assert len(set(before.values())) == len(before)
    await says(ann, watched.round_id, SHOWN, 5, "x" * 300)
    once = await table()
    await says(ann, watched.round_id, SHOWN, 5, "x" * 300)
    twice = await table()
    changed = [tag for tag in before if before[tag] != once[tag]]
    assert len(changed) == 1
    assert [tag for tag in once if once[tag] != twice[tag]] == changed, "the same words are sealed anew each time"
    assert {len(sealed) for sealed in twice.values()} == {892}
    strange = RoundKey(watched.round_id, new_secret())
    for tag, sealed in twice.items():
        with pytest.raises(InvalidTag):
            strange.open(tag, sealed)


async def test_an_answer_cannot_be_put_under_another_name(watched: Watched) -> None:
    async with watched.circle.hub.database.transaction() as session:
        await session.exec_driver_sql("UPDATE pulse_open SET sealed = (SELECT max(sealed) FROM pulse_open)")
    with pytest.raises(InvalidTag):
        await watched.all_said()


@only_sqlite
@searching
async def test_on_sqlite_a_busy_reader_leaves_nothing_behind(watched: Watched) -> None:
    circle = watched.circle
    reader = sqlite3.connect(with_driver(watched.url).database or "", isolation_level=None)
    reader.execute("BEGIN")
    assert reader.execute("SELECT count(*) FROM people").fetchone() == (11,)
    await circle.marks_closing()
    assert not await circle.job().run()
    assert (await circle.round()).state is RoundState.CLOSED
    assert await watched.found(), "the reader holds the log back, with all that is in it"
    assert await watched.burgled()
    assert "No round has closed yet" in words(await circle.kay.types("pulse results")), "so it is not over"
    assert not await circle.job().run()
    reader.execute("COMMIT")
    assert await circle.job().run()
    assert await watched.found() == 0
    assert await watched.burgled() == {}
    reader.close()


@only_sqlite
async def test_on_sqlite_no_hidden_number_keeps_an_order(watched: Watched) -> None:
    await watched.circle.closes()
    connection = sqlite3.connect(with_driver(watched.url).database or "")
    for table in ("pulse_open", "pulse_participation", "pulse_comments", "pulse_results"):
        with pytest.raises(sqlite3.OperationalError, match="no such column: rowid"):
            connection.execute(f"SELECT rowid FROM {table}")
    assert connection.execute("SELECT rowid FROM pulse_rounds").fetchone() == (1,)
    connection.close()


@only_postgresql
@searching
async def test_on_postgresql_a_busy_reader_holds_the_close_back_and_nobody_else(watched: Watched) -> None:
    circle = watched.circle
    await circle.marks_closing()
    with psycopg.connect(watched.url) as reader:
        assert reader.execute("SELECT count(*) FROM pulse_open").fetchone() == (81,)
        assert not await circle.job().run()
        assert (await circle.round()).state is RoundState.CLOSING
        assert "Its results come in a few minutes" in words(await circle.members[0].types("pulse"))
    assert await watched.burgled(), "nothing was lost by it"
    assert await circle.job().run()
    assert await watched.found() == 0


def _statistics(connection: psycopg.Connection[tuple[object, ...]], tables: Collection[str]) -> str:
    connection.execute("ANALYZE")
    values = ", ".join(f"stavalues{number}::text" for number in range(1, 6))
    rows = connection.execute(f"SELECT {values} FROM pg_statistic WHERE starelid = ANY (%s::regclass[])".encode(), ([*tables],)).fetchall()
    return str(rows)


@dataclass(frozen=True)
class Catalogue:
    """What PostgreSQL itself says of the tables that are emptied."""

    statistics: str
    side_tables: int
    files: frozenset[int]
    all_statistics: str


def _catalogue(url: str) -> Catalogue:
    with psycopg.connect(url, autocommit=True) as connection:
        statistics = _statistics(connection, PASSING)
        side = "SELECT coalesce(sum(pg_relation_size(reltoastrelid)), 0)::int FROM pg_class WHERE relname = ANY (%s) AND reltoastrelid <> 0"
        (size,) = connection.execute(side, ([*PASSING],)).fetchone() or (0,)
        files = connection.execute("SELECT relfilenode FROM pg_class WHERE relname ~ 'pulse_(keys|open|participation)$'").fetchall()
        everything = str(connection.execute("SELECT * FROM pg_statistic").fetchall())
    return Catalogue(statistics, size, frozenset(file for (file,) in files), everything)


def _careless_statistics(url: str) -> str:
    """Those of a table with the same columns that was made without care."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE decoy AS SELECT md5(n::text) AS tag, repeat(md5(n::text), 20) AS sealed FROM generate_series(1, 81) n"
        )
        found = _statistics(connection, ["decoy"])
        connection.execute("DROP TABLE decoy")
    return found


@only_postgresql
@searching
async def test_on_postgresql_statistics_keep_no_value_and_no_side_table_does(watched: Watched) -> None:
    assert "c4ca4238a0b923820dcc509a6f75849b" in await asyncio.to_thread(_careless_statistics, watched.url), "they would be found"
    before = await asyncio.to_thread(_catalogue, watched.url)
    await watched.circle.closes()
    after = await asyncio.to_thread(_catalogue, watched.url)
    for each in (before, after):
        assert (each.statistics, each.side_tables) == ("[]", 0)
        assert not await asyncio.to_thread(places_left, watched.ever, each.all_statistics.encode())
    assert len(before.files) == 6, "three tables and their keys"
    assert not before.files & after.files, "all stand in new files"


@only_postgresql
async def test_on_postgresql_rows_stand_in_the_order_of_chance(database: Database, clock: FakeClock) -> None:
    circle = await Circle.of(database, clock, members=9)
    orders = []
    for seed in (1, 2):
        round_id = await circle.opens()
        await stored_at_once(circle, circle.members, [sheet(number) for number in range(9)])
        await circle.closes(seed=seed)
        by_place = sa.text("SELECT text, xmin::text AS written FROM pulse_comments WHERE round_id = :id ORDER BY ctid")
        async with database.reading() as session:
            rows = (await session.execute(by_place, {"id": round_id})).all()
        assert len({row.written for row in rows}) == 1
        orders.append([row.text for row in rows])
    assert sorted(orders[0]) == sorted(orders[1])
    assert orders[0] != orders[1]
    assert sorted(orders[0]) not in orders, "the order in which they answered"
