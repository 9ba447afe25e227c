"""Plain counts by day, for what may be counted but not kept."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from storage.database import Session
from storage.types import Base
from storage.upserts import Upsert


class CountRow(Base):
    __tablename__ = "counts"
    __table_args__ = {"sqlite_with_rowid": False}
    day: Mapped[date] = mapped_column(sa.Date, primary_key=True)
    what: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int]


_START = Upsert(CountRow, unique=("day", "what"))


async def add_one(session: Session, *, day: date, what: str) -> None:
    """One more of `what` on this day."""
    await _START(session, {"day": day, "what": what, "number": 0})
    this = (CountRow.day == day) & (CountRow.what == what)
    await session.execute(sa.update(CountRow).where(this).values(number=CountRow.number + 1))


async def total(session: Session, what: str) -> int:
    """How many of `what` over all days."""
    return await session.scalar(sa.select(sa.func.coalesce(sa.func.sum(CountRow.number), 0)).where(CountRow.what == what)) or 0
