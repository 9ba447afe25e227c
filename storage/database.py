"""The engine and its transactions: SQLite for one server, PostgreSQL for any number, one code path for both."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import sqlalchemy as sa
from filelock import FileLock, Timeout
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from storage.keys import SecretKeys
from storage.sqlite import READS, empty_log, sqlite_engine

Session = AsyncConnection
"""One transaction under way. Topics run Core statements on it and never end it themselves."""

SCHEMA = "0011"
"""The revision that this code needs: the newest file in storage/migrations/versions."""

POOL = 20
PATIENCE = {"connect_timeout": 10}
MIGRATION_LOCK = 7_201_945  # any number, the same in all replicas
_KEYS = "dih_secret_keys"


class UncertainCommit(Exception):
    """The database was asked to commit and gave no clear answer: the change may or may not be there."""


class NoDatabase(Exception):
    """The database does not answer; the text says what to look at."""


class WrongSchema(Exception):
    """The tables are not those this code works with; the text says what to type."""


class AlreadyServed(Exception):
    """Another server has this SQLite file; the text says so."""


def database_url(text: str) -> sa.URL:
    """The URL with our drivers: aiosqlite and psycopg 3. Raises ValueError for any other database."""
    try:
        url = sa.make_url(text)
    except (sa.exc.ArgumentError, ValueError):
        raise ValueError("This is not a database URL. Use sqlite:///dih.db or postgresql://user@host/name.") from None
    kind = url.drivername.partition("+")[0]
    if kind == "sqlite" and url.database and url.database != ":memory:":
        return url.set(drivername="sqlite+aiosqlite")
    if kind in ("postgresql", "postgres"):
        return url.set(drivername="postgresql+psycopg")
    raise ValueError("The database must be a SQLite file or PostgreSQL: sqlite:///dih.db or postgresql://user@host/name.")


def secret_keys(session: Session) -> SecretKeys:
    """The hub's secret keys, which came with the session's database."""
    assert session.sync_connection is not None
    keys: SecretKeys = session.sync_connection.get_execution_options()[_KEYS]
    return keys


class Database:
    """Where everything is kept, and the secret keys that wrap what is sealed in it. Close it when done."""

    def __init__(self, url: str, keys: Sequence[str] = ()) -> None:
        self.url = database_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        if self.is_sqlite:
            engine = sqlite_engine(self.url, hide_parameters=True, pool_timeout=30)
        else:
            engine = create_async_engine(
                self.url, hide_parameters=True, pool_size=POOL, max_overflow=0, pool_timeout=30, connect_args=PATIENCE
            )
        self.engine = engine.execution_options(**{_KEYS: SecretKeys(keys)})
        self._reading = self.engine.execution_options(**{READS: True})
        self._server_lock: FileLock | None = None

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Session]:
        """One transaction for writing: committed at the end, rolled back when anything raises.

        Raises UncertainCommit when the commit itself failed.
        """
        async with self.engine.connect() as session:
            await session.begin()
            yield session
            try:
                await session.commit()
            except Exception as error:
                await session.invalidate()  # SQLite would keep the failed transaction open on its one connection
                raise UncertainCommit from error

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Session]:
        """One transaction that only reads; it never waits for a writer's lock."""
        async with self._reading.connect() as session:
            await session.begin()
            yield session

    @asynccontextmanager
    async def migrating(self) -> AsyncIterator[Session]:
        """One transaction that holds every other migration back until it ends."""
        async with self.engine.connect() as session:
            await session.begin()
            if not self.is_sqlite:
                await session.execute(sa.select(sa.func.pg_advisory_xact_lock(MIGRATION_LOCK)))
            yield session
            await session.commit()

    async def empty_log(self) -> bool:
        """Removes from disk what was deleted and committed; False while a reader holds it back. To be called outside any transaction.

        PostgreSQL recycles its log by itself, in its own time: True.
        """
        return not self.is_sqlite or await asyncio.to_thread(empty_log, Path(self.url.database or ""))

    async def schema(self) -> str | None:
        """The revision of the tables that are there, None for an empty database."""
        async with self.reading() as session:
            if not await session.run_sync(lambda connection: sa.inspect(connection).has_table("alembic_version")):
                return None
            found: str | None = await session.scalar(sa.text("SELECT version_num FROM alembic_version"))
            return found

    async def refuse_newer(self) -> str | None:
        """The revision that is there. Raises WrongSchema for one that this code does not know yet, NoDatabase where there is none."""
        try:
            found = await self.schema()
        except (sa.exc.SQLAlchemyError, OSError) as error:
            raise NoDatabase("The database does not answer. Check DIH_DATABASE_URL and that the database is running.") from error
        if found is not None and found > SCHEMA:
            raise WrongSchema(f"The database is newer ({found}) than this program ({SCHEMA}). Install the newer program.")
        return found

    async def require_schema(self) -> None:
        """Raises WrongSchema unless the tables are the ones this code needs, NoDatabase where there is none."""
        found = await self.refuse_newer()
        if found != SCHEMA:
            state = "has no tables yet" if found is None else f"is old ({found}; this program needs {SCHEMA})"
            raise WrongSchema(f"The database {state}. Type: dih migrate")

    def serve_alone(self) -> None:
        """On SQLite, makes this the only server of the file until close; raises AlreadyServed for a second one."""
        if not self.is_sqlite:
            return
        self._server_lock = FileLock(f"{self.url.database}.lock", timeout=0)
        try:
            self._server_lock.acquire()
        except Timeout as error:
            self._server_lock = None
            raise AlreadyServed(
                "Another server already uses this SQLite file. Stop it first, or use PostgreSQL for several servers."
            ) from error

    async def close(self) -> None:
        """Gives connections and the server's lock back."""
        await self.engine.dispose()
        if self._server_lock is not None:
            self._server_lock.release()
