"""What stands on a person's page: their own words and the views that answered them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from storage.database import Session
from storage.types import Base, one_of


class Speaker(StrEnum):
    """Who said it."""

    PERSON = "person"
    BOT = "bot"


class HistoryRow(Base):
    __tablename__ = "history"
    __table_args__ = (sa.Index("ix_history_person_id_id", "person_id", "id"), {"sqlite_autoincrement": True})
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("people.id"))
    speaker: Mapped[Speaker] = mapped_column(one_of(Speaker, "speaker"))
    content: Mapped[dict[str, object]] = mapped_column(sa.JSON)
    ticket: Mapped[str]
    at: Mapped[datetime]


@dataclass(frozen=True, kw_only=True)
class Item:
    """One thing said; `content` is what the page's own code wrote of it."""

    id: int
    speaker: Speaker
    content: Mapping[str, object]
    ticket: str
    at: datetime


async def add(session: Session, *, person_id: int, speaker: Speaker, content: Mapping[str, object], ticket: str, now: datetime) -> int:
    """Adds to a person's page; returns the item's number."""
    values = {"person_id": person_id, "speaker": speaker, "content": dict(content), "ticket": ticket, "at": now}
    return (await session.execute(sa.insert(HistoryRow).values(**values).returning(HistoryRow.id))).scalar_one()


async def replace(
    session: Session, *, id: int, person_id: int, content: Mapping[str, object], ticket: str, instead_of: str | None = None
) -> bool:
    """Puts something else where an item stands; False when the person has no such item, or it no longer has the ticket `instead_of`."""
    mine = (HistoryRow.id == id) & (HistoryRow.person_id == person_id)
    if instead_of is not None:
        mine &= HistoryRow.ticket == instead_of
    changed = sa.update(HistoryRow).where(mine).values(content=dict(content), ticket=ticket)
    return (await session.execute(changed)).rowcount == 1


async def remove(session: Session, *, id: int, person_id: int) -> None:
    """Takes an item off a person's page."""
    await session.execute(sa.delete(HistoryRow).where(HistoryRow.id == id, HistoryRow.person_id == person_id))


async def newest(session: Session, person_id: int, *, limit: int) -> tuple[Item, ...]:
    """The latest items of a person's page, oldest of them first."""
    mine = sa.select(HistoryRow.__table__).where(HistoryRow.person_id == person_id)
    rows = (await session.execute(mine.order_by(HistoryRow.id.desc()).limit(limit))).all()
    return tuple(Item(id=row.id, speaker=row.speaker, content=row.content, ticket=row.ticket, at=row.at) for row in reversed(rows))


async def find(session: Session, *, id: int, person_id: int) -> Item | None:
    """One item of a person's page."""
    mine = (HistoryRow.id == id) & (HistoryRow.person_id == person_id)
    row = (await session.execute(sa.select(HistoryRow.__table__).where(mine))).one_or_none()
    return None if row is None else Item(id=row.id, speaker=row.speaker, content=row.content, ticket=row.ticket, at=row.at)
