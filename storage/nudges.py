"""Nudges: what somebody was reminded of on which day, so that each is said once and all of a day in one message."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from storage.database import Session
from storage.types import Base
from storage.upserts import Upsert


class NudgeRow(Base):
    __tablename__ = "nudges"
    __table_args__ = (sa.Index("ix_nudges_person_id_day", "person_id", "day"), {"sqlite_with_rowid": False})
    key: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("people.id"))
    kind: Mapped[str]
    about: Mapped[str]
    args: Mapped[dict[str, str]]
    day: Mapped[date] = mapped_column(sa.Date)


@dataclass(frozen=True, kw_only=True)
class Nudge:
    """One thing to remind somebody of: `key` makes it one of a kind, `about` names the thing, such as "project:7"."""

    key: str
    kind: str
    person_id: int
    about: str
    args: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A nudge that stands in the message of a day."""

    key: str
    person_id: int
    day: date


_PUT = Upsert(NudgeRow, unique=("key",), replacing=("args", "day"))


def message_key(person_id: int, day: date) -> str:
    """The key of the one message that holds somebody's nudges of a day."""
    return f"nudges:{person_id}:{day.isoformat()}"


async def add(session: Session, nudges: Collection[Nudge], *, day: date) -> None:
    """Puts these into the messages of this day, of which nothing was sent yet; also those that stood in one that was not sent."""
    rows = [
        {"key": each.key, "person_id": each.person_id, "kind": each.kind, "about": each.about, "args": dict(each.args), "day": day}
        for each in nudges
    ]
    if rows:
        await _PUT(session, *rows)


async def planned(session: Session, keys: Collection[str]) -> tuple[Planned, ...]:
    """Where those of these stand that were planned before."""
    there = sa.select(NudgeRow.key, NudgeRow.person_id, NudgeRow.day).where(NudgeRow.key.in_(keys))
    return tuple(Planned(key=row.key, person_id=row.person_id, day=row.day) for row in await session.execute(there))


async def told_on(session: Session, day: date) -> frozenset[int]:
    """Who was reminded of something on a day."""
    return frozenset((await session.scalars(sa.select(NudgeRow.person_id).where(NudgeRow.day == day).distinct())).all())


async def times(session: Session, person_ids: Collection[int], *, without: Collection[str] = ()) -> Mapping[tuple[int, str, str], int]:
    """How often each of these people was reminded, by (person, kind, about); `without` names nudges that were not sent."""
    grouped = (NudgeRow.person_id, NudgeRow.kind, NudgeRow.about)
    told = NudgeRow.person_id.in_(person_ids) & NudgeRow.key.not_in(without)
    counted = sa.select(*grouped, sa.func.count().label("number")).where(told).group_by(*grouped)
    return {(row.person_id, row.kind, row.about): row.number for row in await session.execute(counted)}


async def of_day(session: Session, person_id: int, day: date) -> tuple[Nudge, ...]:
    """What somebody is reminded of on a day."""
    mine = sa.select(NudgeRow.__table__).where(NudgeRow.person_id == person_id, NudgeRow.day == day).order_by(NudgeRow.key)
    return tuple(
        Nudge(key=row.key, kind=row.kind, person_id=row.person_id, about=row.about, args=row.args) for row in await session.execute(mine)
    )


async def forget_before(session: Session, day: date) -> int:
    """Deletes what was said before a day; returns how many."""
    return (await session.execute(sa.delete(NudgeRow).where(NudgeRow.day < day))).rowcount
