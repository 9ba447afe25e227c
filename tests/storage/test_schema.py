"""Tables are made, taken back and compared; whoever starts with the wrong ones is told what to type."""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from storage import database as house
from storage import schema
from storage.database import Database, NoDatabase, WrongSchema
from storage.people import Group
from storage.pulse import participation, rounds
from storage.pulse.rounds import WheelWords
from storage.schema import downgrade, migrate
from storage.tables import METADATA
from tests.storage.hub import NOW, meet

ROOT = Path(__file__).parents[2]
MIGRATE = """
import asyncio, sys
from storage.database import Database
from storage.schema import migrate
async def main():
    database = Database(sys.argv[1])
    sys.stdin.readline()
    await migrate(database)
    await database.require_schema()
    await database.close()
print("ready", flush=True)
asyncio.run(main())
"""


def test_the_code_needs_the_newest_revision() -> None:
    script = ScriptDirectory(str(schema.MIGRATIONS))
    assert script.get_heads() == [house.SCHEMA]
    newest = max(path.name for path in (schema.MIGRATIONS / "versions").glob("[0-9]*.py"))
    assert newest.startswith(f"{house.SCHEMA}_")


async def test_an_empty_database_is_made_ready(empty_url: str) -> None:
    database = Database(empty_url)
    with pytest.raises(WrongSchema, match=r"The database has no tables yet\. Type: dih migrate"):
        await database.require_schema()
    await migrate(database)
    await database.require_schema()
    await migrate(database)
    await database.require_schema()
    await database.close()


async def test_the_last_revision_can_be_taken_back_and_put_on_again(database: Database) -> None:
    await downgrade(database)
    assert await database.schema() != house.SCHEMA
    with pytest.raises(WrongSchema):
        await database.require_schema()
    await migrate(database)
    await database.require_schema()


async def test_who_takes_part_in_an_open_round_comes_along(database: Database) -> None:
    rows = sa.text("SELECT round_id, person_id, state FROM pulse_participation")
    kay = await meet(database, "KAY")
    async with database.transaction() as session:
        wheel = WheelWords(key="hub", version=1, items=("one",), words="{}")
        until, groups = NOW + timedelta(days=9), (Group.CORE_TEAM,)
        round = await rounds.add(session, wheel=wheel, opens_at=NOW, closes_at=until, groups=groups, minimum=5)
        await participation.finish(session, round.id, kay.id)
    for move in (downgrade, migrate):
        await move(database)
        async with database.reading() as session:
            assert [tuple(row) for row in await session.execute(rows)] == [(round.id, kay.id, "finished")]


async def test_the_tables_are_those_that_the_code_describes(database: Database) -> None:
    def differences(connection: sa.Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), METADATA))

    async with database.reading() as session:
        assert await session.run_sync(differences) == []


async def test_the_checks_of_the_migrations_are_those_that_the_code_describes(database: Database) -> None:
    """Autogenerate does not compare CHECKs, so this does."""

    def found(connection: sa.Connection) -> set[tuple[str, str | None]]:
        inspector = sa.inspect(connection)
        return {(table, check["name"]) for table in inspector.get_table_names() for check in inspector.get_check_constraints(table)}

    described = {
        (table.name, str(constraint.name)) for table in METADATA.tables.values() for constraint in table.constraints
        if isinstance(constraint, sa.CheckConstraint)
    }  # fmt: skip
    async with database.reading() as session:
        there = {(table, name) for table, name in await session.run_sync(found) if name and not name.endswith("_not_null")}
    assert {(table, name.removeprefix(f"ck_{table}_")) for table, name in there if name} == {
        (table, name.removeprefix(f"ck_{table}_")) for table, name in described
    }


async def test_two_who_migrate_at_once_both_succeed(empty_url: str) -> None:
    databases = [Database(empty_url) for _ in range(3)]
    await asyncio.gather(*(migrate(each) for each in databases))
    for each in databases:
        await each.require_schema()
        await each.close()


@pytest.mark.parametrize("attempt", range(3))
async def test_two_processes_that_migrate_at_once_both_succeed(empty_url: str, attempt: int) -> None:
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    pipe = asyncio.subprocess.PIPE
    processes = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", MIGRATE, empty_url, stdin=pipe, stdout=pipe, stderr=pipe, env=env)
        for _ in range(3)
    ]
    for process in processes:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
    ends = await asyncio.gather(*(process.communicate(b"go\n") for process in processes))
    assert [process.returncode for process in processes] == [0, 0, 0], ends


async def _stamp(database: Database, revision: str) -> None:
    async with database.transaction() as session:
        await session.execute(sa.text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})


async def test_old_tables_are_named_with_what_to_type(database: Database) -> None:
    await _stamp(database, "0000")
    with pytest.raises(WrongSchema, match=rf"is old \(0000; this program needs {house.SCHEMA}\)\. Type: dih migrate"):
        await database.require_schema()


async def test_newer_tables_are_left_alone(database: Database) -> None:
    await _stamp(database, "9999")
    newer = rf"The database is newer \(9999\) than this program \({house.SCHEMA}\)\. Install the newer program\."
    with pytest.raises(WrongSchema, match=newer):
        await database.require_schema()
    with pytest.raises(WrongSchema, match=newer):
        await migrate(database)
    assert await database.schema() == "9999"


async def test_a_database_that_does_not_answer_is_named(tmp_path: Path) -> None:
    for url in (f"sqlite:///{tmp_path}/no/such/folder/dih.db", "postgresql://nobody@127.0.0.1:1/dih"):
        database = Database(url)
        with pytest.raises(NoDatabase, match="Check DIH_DATABASE_URL"):
            await database.require_schema()
        with pytest.raises(NoDatabase, match="Check DIH_DATABASE_URL"):
            await migrate(database)
        await database.close()
