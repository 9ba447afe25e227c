"""What all tests share: both databases, ready and empty, and a clock that stands still until it is told to go on."""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from storage.database import Database
from storage.schema import migrate

pytest_plugins = ["tests.blocking"]

POSTGRES = os.environ.get("DIH_TEST_POSTGRES_URL", "")
NO_POSTGRES = "PostgreSQL tests need DIH_TEST_POSTGRES_URL"
_numbers = itertools.count(1)


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
    _statement(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database with all tables, once for SQLite and once for PostgreSQL."""
    if request.param == "sqlite":
        path = tmp_path / "dih.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    template = request.getfixturevalue("postgres_template")
    name = f"dih_test_{os.getpid()}_{next(_numbers)}"
    _statement(f"CREATE DATABASE {name} TEMPLATE {template}")
    yield f"{POSTGRES.rpartition('/')[0]}/{name}"
    _statement(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """An empty database with all tables, of either kind."""
    database = Database(database_url)
    yield database
    await database.close()
