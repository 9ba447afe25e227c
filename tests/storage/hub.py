"""People and partners for stories about what is kept."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from storage import accounts
from storage.database import Database, Session
from storage.people import AccountKey, Person, Seen
from storage.tables import METADATA

only_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
only_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


def seen(
    user: str,
    *,
    name: str = "Ann Lee",
    email: str | None = None,
    vouched: bool = True,
    tenant: str = "T1",
    channel: str = "slack",
    zone: str | None = None,
) -> Seen:
    """What an account says of its owner."""
    return Seen(key=AccountKey(channel=channel, tenant=tenant, user=user), name=name, email=email, vouched=vouched, zone=zone)


async def meet(database: Database, user: str, *, admins: tuple[str, ...] = (), **said: str | bool | None) -> Person:
    """Notes an account as the dispatcher does; returns the person behind it."""
    async with database.transaction() as session:
        return await accounts.note(session, seen(user, **said), now=NOW, admins=admins)  # type: ignore[arg-type]


async def number_of(session: Session, table: str) -> int:
    """How many rows a table has."""
    return await session.scalar(sa.select(sa.func.count()).select_from(METADATA.tables[table])) or 0


async def everything_kept(database: Database) -> str:
    """All rows of all tables, as one text to look for words in."""
    async with database.reading() as session:
        rows = [str(tuple(row)) for table in METADATA.sorted_tables for row in await session.execute(sa.select(table))]
    return "\n".join(rows)
