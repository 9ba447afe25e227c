"""What all tests share: both databases, ready and empty, and a clock that stands still until it is told to go on."""

from __future__ import annotations

import asyncio
import base64
import itertools
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from handlers import calendar
from storage.database import SCHEMA, Database
from storage.schema import migrate
from storage.tables import METADATA

pytest_plugins = ["tests.blocking"]

POSTGRES = os.environ.get("DIH_TEST_POSTGRES_URL", "")
NO_POSTGRES = "PostgreSQL tests need DIH_TEST_POSTGRES_URL"
SECRET_KEY = base64.urlsafe_b64encode(b"secret key of the tests, 32 byte").decode()
"""What DIH_SECRET_KEYS holds."""
_numbers = itertools.count(1)

calendar.is_working_day(date(2026, 11, 23))  # loads the bank holidays: here, not in the middle of a test
_free: list[str] = []
"""PostgreSQL databases that are as new."""


class FakeClock:
    """Tells the time it was set to."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **span: float) -> None:
        """Moves on: `clock.forward(minutes=5)`."""
        self.now += timedelta(**span)


@pytest.fixture
def clock() -> FakeClock:
    """A Monday morning."""
    return FakeClock()


def _migrated(url: str) -> None:
    async def run() -> None:
        database = Database(url)
        await migrate(database)
        await database.close()

    asyncio.run(run())


def _statement(sql: str) -> None:
    with psycopg.connect(POSTGRES, autocommit=True) as connection:
        connection.execute(sql.encode())


def _another(template: str) -> str:
    name = f"dih_test_{os.getpid()}_{next(_numbers)}"
    _statement(f"CREATE DATABASE {name} TEMPLATE {template}")
    _statement(f"ALTER DATABASE {name} SET synchronous_commit = off")  # these tests end processes, never the database's machine
    return name


def _emptied(url: str) -> bool:
    """Makes a database as new for the next test, far faster than a new one; False where a test changed its tables."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        there = {name for (name,) in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}
        if there != {"alembic_version", *METADATA.tables}:
            return False
        if connection.execute("SELECT version_num FROM alembic_version").fetchall() != [(SCHEMA,)]:
            return False
        connection.execute("SET session_replication_role = replica")
        connection.execute("".join(f'DELETE FROM "{name}";' for name in METADATA.tables).encode())
        connection.execute("SELECT setval(oid, 1, false) FROM pg_class WHERE relkind = 'S'")
    return True


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy."""
    path = tmp_path_factory.mktemp("template") / "template.db"
    _migrated(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_template() -> Iterator[str]:
    """The name of a migrated PostgreSQL database to copy."""
    if not POSTGRES:
        pytest.skip(NO_POSTGRES)
    name = f"dih_template_{os.getpid()}"
    _statement(f"DROP DATABASE IF EXISTS {name}")
    _statement(f"CREATE DATABASE {name}")
    _migrated(f"{POSTGRES.rpartition('/')[0]}/{name}")
    yield name
    for each in (name, *_free):
        _statement(f"DROP DATABASE {each} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database with all tables, once for SQLite and once for PostgreSQL."""
    if request.param == "sqlite":
        path = tmp_path / "dih.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    name = _free.pop() if _free else _another(request.getfixturevalue("postgres_template"))
    url = f"{POSTGRES.rpartition('/')[0]}/{name}"
    yield url
    if _emptied(url):
        _free.append(name)
    else:
        _statement(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """An empty database with all tables, of either kind."""
    database = Database(database_url, (SECRET_KEY,))
    yield database
    await database.close()
