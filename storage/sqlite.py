"""SQLite made ready: own transactions, a write-ahead log, and one trip to the database's thread for each statement."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aiosqlite
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

READS = "dih_reads"
"""The execution option of a transaction that only reads."""

PRAGMAS = ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=10000", "foreign_keys=ON", "secure_delete=ON", "temp_store=MEMORY")
"""secure_delete and temp_store: what is deleted is overwritten, and nothing of it lies in a file beside the database."""
PATIENCE = 1000  # milliseconds for readers to end; nobody else can write meanwhile


class _Cursor:
    """A cursor whose statement runs, and whose rows are fetched, in one trip to the thread; three or four otherwise.

    SQLAlchemy's adapter fetches all rows at once anyway, so nothing more is held in memory.
    """

    arraysize = 1

    def __init__(self, connection: _Connection) -> None:
        self._connection = connection
        self._rows: Sequence[Any] = ()
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None

    async def __aenter__(self) -> _Cursor:
        return self

    def _take(self, cursor: sqlite3.Cursor) -> None:
        self.description = cursor.description
        self._rows = cursor.fetchall() if cursor.description else ()
        self.rowcount, self.lastrowid = cursor.rowcount, cursor.lastrowid
        cursor.close()

    async def execute(self, operation: str, parameters: Any = ()) -> None:
        """One statement."""
        await self._connection.in_thread(lambda raw: self._take(raw.execute(operation, parameters)))

    async def executemany(self, operation: str, parameters: Any) -> None:
        """One statement with many rows."""
        await self._connection.in_thread(lambda raw: self._take(raw.executemany(operation, parameters)))

    async def fetchall(self) -> Sequence[Any]:
        """The rows, which are here already."""
        return self._rows

    async def close(self) -> None:
        """Nothing is open."""


class _Connection(aiosqlite.Connection):
    """An aiosqlite connection with such cursors, and no trip for a rollback of nothing."""

    async def in_thread(self, work: Any) -> None:
        """Runs work with the sqlite3 connection in the connection's own thread."""
        await self._execute(work, self._conn)  # type: ignore[no-untyped-call]

    def cursor(self) -> Any:
        """A new cursor."""
        return _Cursor(self)

    async def rollback(self) -> None:
        """Ends the transaction if there is one."""
        if self.in_transaction:
            await super().rollback()


def _connect(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: sa.Connection) -> None:
    """A writer takes its lock at once, so that nothing it read can change before it writes."""
    reads = connection.get_execution_options().get(READS, False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def sqlite_engine(url: sa.URL, **options: Any) -> AsyncEngine:
    """An engine for a SQLite file, with one connection."""
    path = Path(url.database or "")

    async def connect() -> aiosqlite.Connection:
        connection = _Connection(lambda: sqlite3.connect(path, check_same_thread=False), iter_chunk_size=64)
        connection._thread.daemon = True
        return await connection

    engine = create_async_engine(url, async_creator=connect, pool_size=1, max_overflow=0, **options)
    sa.event.listen(engine.sync_engine, "connect", _connect)
    sa.event.listen(engine.sync_engine, "begin", _begin)
    return engine


def empty_log(path: Path) -> bool:
    """Moves all of the write-ahead log into the database and cuts the log to nothing; False while somebody still reads from it."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute(f"PRAGMA busy_timeout={PATIENCE}")
        busy, in_log, moved = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return (busy, in_log, moved) == (0, 0, 0)
    finally:
        connection.close()
