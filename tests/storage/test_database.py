"""The engine and its transactions keep what they promise."""

from __future__ import annotations

import asyncio
import sqlite3
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError

from storage import audit, counts, people
from storage.database import AlreadyServed, Database, UncertainCommit
from storage.database import database_url as with_driver
from storage.ideas import IdeaRow
from storage.outbox import OutboxRow
from storage.people import AccountRow, PersonRow
from tests.storage.hub import NOW, everything_kept, meet, number_of, only_postgresql, only_sqlite

BST = timezone(timedelta(hours=1))


async def test_an_instant_comes_back_aware_and_in_utc(database: Database) -> None:
    local = datetime(2027, 7, 1, 9, 30, 15, 123456, tzinfo=BST)
    async with database.transaction() as session:
        await audit.add(session, now=local, action="test", object="it", by=None)
    async with database.reading() as session:
        (entry,) = await audit.newest(session)
    assert entry.at == local
    assert entry.at.tzinfo is UTC
    assert entry.at.isoformat() == "2027-07-01T08:30:15.123456+00:00"


async def test_a_datetime_without_a_zone_is_not_stored(database: Database) -> None:
    with pytest.raises(StatementError, match="without a time zone"):
        async with database.transaction() as session:
            await audit.add(session, now=datetime(2027, 7, 1), action="test", object="it", by=None)  # noqa: DTZ001
    assert "test" not in await everything_kept(database)


async def test_twenty_who_read_and_then_write_all_succeed(database_url: str) -> None:
    """Two engines on one database, as two processes have them."""
    servers = (Database(database_url), Database(database_url))
    async with servers[0].transaction() as session:
        await counts.add_one(session, day=NOW.date(), what="clicks")

    async def increment(database: Database) -> None:
        async with database.transaction() as session:
            row = sa.select(counts.CountRow.number).where(counts.CountRow.what == "clicks")
            before = await session.scalar(row.with_for_update()) or 0
            await asyncio.sleep(0)
            await session.execute(sa.update(counts.CountRow).values(number=before + 1))

    await asyncio.gather(*(increment(servers[number % 2]) for number in range(20)))
    async with servers[0].reading() as session:
        assert await counts.total(session, "clicks") == 21
    for server in servers:
        await server.close()


async def test_sqlite_is_set_up_for_safety(sqlite_template: Path) -> None:
    database = Database(f"sqlite:///{sqlite_template}")
    wanted = {"journal_mode": "wal", "foreign_keys": 1, "busy_timeout": 10000, "synchronous": 1, "secure_delete": 1, "temp_store": 2}
    async with database.reading() as session:
        found = {name: await session.scalar(sa.text(f"PRAGMA {name}")) for name in wanted}
    await database.close()
    assert found == wanted


async def test_reading_does_not_wait_for_a_writer(database_url: str) -> None:
    writer, reader = Database(database_url), Database(database_url)
    async with writer.transaction() as session:
        await counts.add_one(session, day=NOW.date(), what="clicks")
        async with asyncio.timeout(5), reader.reading() as other:
            assert await counts.total(other, "clicks") == 0
    async with reader.reading() as other:
        assert await counts.total(other, "clicks") == 1
    await writer.close()
    await reader.close()


async def test_what_raises_leaves_nothing_behind(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):  # noqa: PT012
        async with database.transaction() as session:
            await counts.add_one(session, day=NOW.date(), what="clicks")
            raise ZeroDivisionError
    async with database.reading() as session:
        assert await number_of(session, "counts") == 0


async def test_a_writer_that_gives_up_while_it_waits_holds_no_lock_afterwards(database_url: str) -> None:
    """A cancelled task must not leave its BEGIN behind in the connection's thread."""
    first, second = Database(database_url), Database(database_url)
    async with first.transaction() as session:
        await counts.add_one(session, day=NOW.date(), what="clicks")

        async def wait() -> None:
            async with second.transaction() as other:
                await counts.add_one(other, day=NOW.date(), what="clicks")

        waiting = asyncio.create_task(wait())
        done, _ = await asyncio.wait((waiting,), timeout=0.2)
        assert not done
        waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    for database in (first, second, first):
        async with asyncio.timeout(20), database.transaction() as session:
            await counts.add_one(session, day=NOW.date(), what="clicks")
    async with first.reading() as session:
        assert await counts.total(session, "clicks") == 4
    await first.close()
    await second.close()


FALSE_ROWS = (
    sa.insert(PersonRow).values(name="Ann", email="Ann@Example.org", administrator=False, created_at=NOW),
    sa.insert(PersonRow).values(name="Ann", organisation_id=77, administrator=False, created_at=NOW),
    sa.text("INSERT INTO people (name, organisation_by, administrator, created_at) VALUES ('Ann', 'hearsay', false, '2026-11-23')"),
    sa.text(
        "INSERT INTO ideas (title, need, proposal, visibility, state, author_id, submitted_at) "
        "VALUES ('t', 'n', '', 'everybody', 'submitted', 1, '2026-11-23')"
    ),
    sa.text(
        "INSERT INTO ideas (title, need, proposal, visibility, state, author_id, submitted_at) "
        "VALUES ('t', 'n', '', 'hub', 'lost', 1, '2026-11-23')"
    ),
    sa.insert(OutboxRow).values(key="a", kind="k", args={}, state="waiting", due_at=NOW),
    sa.insert(OutboxRow).values(key="a", kind="k", person_id=1, group="core_team", args={}, state="waiting", due_at=NOW),
    sa.insert(OutboxRow).values(key="a", kind="k", person_id=1, args={}, state="sending", due_at=NOW),
    sa.insert(OutboxRow).values(key="a", kind="k", person_id=1, args={}, state="sent", lease="x", due_at=NOW),
    sa.text("INSERT INTO memberships (person_id, \"group\") VALUES (1, 'board')"),
    sa.insert(AccountRow).values(person_id=99, channel="web", tenant="", user="1", name="A", vouched=False, first_seen_at=NOW),
)  # fmt: skip


@pytest.mark.parametrize("number", range(len(FALSE_ROWS)))
async def test_the_database_itself_refuses_a_row_that_cannot_be_true(database: Database, number: int) -> None:
    ann = await meet(database, "U1")
    assert ann.id == 1
    with pytest.raises(IntegrityError):
        async with database.transaction() as session:
            await session.execute(FALSE_ROWS[number])


@only_postgresql
async def test_a_commit_that_failed_on_postgresql_is_said_to_be_uncertain(database: Database, database_url: str) -> None:
    operator = Database(database_url)
    with pytest.raises(UncertainCommit):  # noqa: PT012
        async with database.transaction() as session:
            await counts.add_one(session, day=NOW.date(), what="clicks")
            process = await session.scalar(sa.text("SELECT pg_backend_pid()"))
            async with operator.transaction() as other:
                await other.execute(sa.text("SELECT pg_terminate_backend(:process, 5000)"), {"process": process})
    async with database.transaction() as session:
        await counts.add_one(session, day=NOW.date(), what="clicks")


@only_sqlite
async def test_a_commit_that_failed_on_sqlite_is_said_to_be_uncertain_and_the_next_one_works(database: Database) -> None:
    orphan = {"person_id": 99, "channel": "web", "tenant": "", "user": "1", "name": "A", "vouched": False, "first_seen_at": NOW}
    with pytest.raises(UncertainCommit):  # noqa: PT012
        async with database.transaction() as session:
            await session.execute(sa.text("PRAGMA defer_foreign_keys=ON"))
            await session.execute(sa.insert(AccountRow).values(**orphan))
    async with database.transaction() as session:
        await counts.add_one(session, day=NOW.date(), what="clicks")
    async with database.reading() as session:
        assert await number_of(session, "accounts") == 0


async def test_a_failure_before_the_commit_is_not_uncertain(database: Database) -> None:
    with pytest.raises(DBAPIError):
        async with database.transaction() as session:
            await session.execute(sa.text("SELECT * FROM nowhere"))


async def test_a_second_server_of_one_sqlite_file_is_refused_and_the_command_line_works_beside_it(sqlite_template: Path) -> None:
    url = f"sqlite:///{sqlite_template}"
    server, second, command_line = Database(url), Database(url), Database(url)
    server.serve_alone()
    with pytest.raises(AlreadyServed, match="Another server already uses this SQLite file"):
        second.serve_alone()
    async with command_line.reading() as session:
        assert await people.administrators(session) == ()
    await command_line.close()
    await server.close()
    second.serve_alone()
    await second.close()


@only_postgresql
async def test_servers_share_a_postgresql_database(database: Database, database_url: str) -> None:
    replica = Database(database_url)
    database.serve_alone()
    replica.serve_alone()
    await replica.close()


async def test_nothing_in_the_schema_can_hold_a_pickled_object(database: Database) -> None:
    def kinds(connection: sa.Connection) -> set[str]:
        inspector = sa.inspect(connection)
        columns = [column for table in inspector.get_table_names() for column in inspector.get_columns(table)]
        return {type(column["type"]).__name__ for column in columns}

    async with database.reading() as session:
        found = await session.run_sync(kinds)
    assert found <= {"TEXT", "VARCHAR", "INTEGER", "BOOLEAN", "DATE", "DATETIME", "TIMESTAMP", "JSON"}
    assert found


@pytest.mark.parametrize(
    "text",
    ["mysql://root:hunter2@db/dih", "sqlite://", "sqlite:///:memory:", "", "hunter2", "postgresql://bot:x@db:hunter2/dih", "//", "\x00"],
)
def test_other_databases_are_refused_without_repeating_what_was_typed(text: str) -> None:
    with pytest.raises(ValueError, match=r"sqlite:///dih\.db or postgresql://") as raised:
        with_driver(text)
    assert "hunter2" not in str(raised.value)


async def test_a_number_of_an_idea_is_never_used_twice(database: Database) -> None:
    ann = await meet(database, "U1")
    row = {"title": "t", "need": "n", "proposal": "", "visibility": "hub", "state": "submitted", "author_id": ann.id, "submitted_at": NOW}
    async with database.transaction() as session:
        first = (await session.execute(sa.insert(IdeaRow).values(**row).returning(IdeaRow.id))).scalar_one()
        await session.execute(sa.delete(IdeaRow))
        second = (await session.execute(sa.insert(IdeaRow).values(**row).returning(IdeaRow.id))).scalar_one()
    assert second == first + 1


def test_our_sqlite_knows_what_we_use() -> None:
    assert sqlite3.sqlite_version_info >= (3, 35), "RETURNING came with 3.35"
