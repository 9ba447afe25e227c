"""Rounds: which wheel is asked, of whom and until when; open, then closing, then closed, and never open again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from storage.database import Session
from storage.people import Group
from storage.types import Base, one_of
from storage.upserts import Upsert


class RoundState(StrEnum):
    """open -> closing (no more answers, to be counted) -> closed."""

    OPEN = "open"
    CLOSING = "closing"
    CLOSED = "closed"


_UNCLEAN = sa.text("NOT cleaned")
_WAITED_TOO_LONG = ("55P03", "40P01")
"""PostgreSQL's lock_not_available and deadlock_detected."""


class WheelRow(Base):
    """The words of a wheel that was asked: they stay as they were."""

    __tablename__ = "pulse_wheels"
    key: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    items: Mapped[list[str]] = mapped_column(sa.JSON)
    words: Mapped[str]


class RoundRow(Base):
    """`cleaned`: nothing of the answers is left anywhere. Of rounds that are not, there is one at most."""

    __tablename__ = "pulse_rounds"
    __table_args__ = (
        sa.ForeignKeyConstraint(["wheel", "version"], ["pulse_wheels.key", "pulse_wheels.version"]),
        sa.CheckConstraint("state = 'closed' OR NOT cleaned", name="cleaned_when_closed"),
        sa.CheckConstraint("(state = 'closed') = (took_part IS NOT NULL)", name="counted_when_closed"),
        sa.CheckConstraint("took_part <= invited", name="invited"),
        sa.Index("uq_pulse_rounds_uncleaned", "cleaned", unique=True, sqlite_where=_UNCLEAN, postgresql_where=_UNCLEAN),
        {"sqlite_autoincrement": True},
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    wheel: Mapped[str]
    version: Mapped[int]
    opens_at: Mapped[datetime]
    closes_at: Mapped[datetime]
    groups: Mapped[list[str]] = mapped_column(sa.JSON)
    minimum: Mapped[int]
    state: Mapped[RoundState] = mapped_column(one_of(RoundState, "state"))
    cleaned: Mapped[bool]
    invited: Mapped[int | None]
    took_part: Mapped[int | None]
    most_chosen: Mapped[list[str] | None] = mapped_column(sa.JSON(none_as_null=True))


@dataclass(frozen=True, kw_only=True)
class WheelWords:
    """A wheel as it is kept: the keys of its dimensions in order, and all its words in a form that the handlers read."""

    key: str
    version: int
    items: tuple[str, ...]
    words: str


@dataclass(frozen=True, kw_only=True)
class Round:
    """One round; `minimum`: the fewest scored answers of a dimension that is shown, promised when it opened."""

    id: int
    wheel: WheelWords
    opens_at: datetime
    closes_at: datetime
    groups: frozenset[Group]
    minimum: int
    state: RoundState
    cleaned: bool

    def takes_answers(self, now: datetime) -> bool:
        """Whether it is still open, its window included."""
        return self.state is RoundState.OPEN and now < self.closes_at


class OtherWords(Exception):
    """This wheel and version was asked before, with other words."""


class AlreadyOpen(Exception):
    """There is a round that is not over yet."""


class InUse(Exception):
    """Somebody else is at it: to be tried again."""


_KEEP_WHEEL = Upsert(WheelRow, unique=("key", "version"))
_OPEN = Upsert(RoundRow)
_ROUNDS = sa.select(RoundRow.__table__, WheelRow.items, WheelRow.words).join(
    WheelRow, (WheelRow.key == RoundRow.wheel) & (WheelRow.version == RoundRow.version)
)


def _round(row: sa.Row[tuple[object, ...]]) -> Round:
    return Round(
        id=row.id,
        wheel=WheelWords(key=row.wheel, version=row.version, items=tuple(row.items), words=row.words),
        opens_at=row.opens_at,
        closes_at=row.closes_at,
        groups=frozenset(map(Group, row.groups)),
        minimum=row.minimum,
        state=row.state,
        cleaned=row.cleaned,
    )


async def keep_wheel(session: Session, wheel: WheelWords) -> None:
    """Keeps the words of a wheel; raises OtherWords where this version had others."""
    await _KEEP_WHEEL(session, {"key": wheel.key, "version": wheel.version, "items": list(wheel.items), "words": wheel.words})
    if await kept_words(session, wheel.key, wheel.version) != wheel.words:
        raise OtherWords


async def kept_words(session: Session, key: str, version: int) -> str | None:
    """The words of a wheel that was asked before."""
    return await session.scalar(sa.select(WheelRow.words).where(WheelRow.key == key, WheelRow.version == version))


async def add(
    session: Session, *, wheel: WheelWords, opens_at: datetime, closes_at: datetime, groups: Collection[Group], minimum: int
) -> Round:
    """A round that takes answers from now on; raises OtherWords and AlreadyOpen."""
    await keep_wheel(session, wheel)
    values: dict[str, Any] = {
        "wheel": wheel.key, "version": wheel.version, "opens_at": opens_at, "closes_at": closes_at,
        "groups": sorted(group.value for group in groups), "minimum": minimum, "state": RoundState.OPEN, "cleaned": False,
    }  # fmt: skip
    if not await _OPEN(session, values):
        raise AlreadyOpen
    added = await under_way(session)
    assert added is not None
    return added


async def find(session: Session, id: int) -> Round | None:
    """The round with this number."""
    row = (await session.execute(_ROUNDS.where(RoundRow.id == id))).one_or_none()
    return None if row is None else _round(row)


async def under_way(session: Session) -> Round | None:
    """The round that is open, closing, or closed with traces still to be removed."""
    row = (await session.execute(_ROUNDS.where(RoundRow.cleaned.is_(False)))).one_or_none()
    return None if row is None else _round(row)


async def list_over(session: Session, *, limit: int, before: int | None = None) -> tuple[Round, ...]:
    """Rounds that are over and leave nothing but what was published, newest first; only those before the one with this number."""
    over = _ROUNDS.where(RoundRow.cleaned.is_(True)).order_by(RoundRow.id.desc()).limit(limit)
    return tuple(map(_round, await session.execute(over if before is None else over.where(RoundRow.id < before))))


async def hold(session: Session, id: int, *states: RoundState, alone: bool = False) -> bool:
    """Whether the round is in one of these states, and then stays so until the transaction ends; `alone`: nobody else may hold it.

    Whoever writes or deletes answers does this first of all, so that nobody waits for somebody who waits for them.
    """
    held = sa.select(RoundRow.id).where(RoundRow.id == id, RoundRow.state.in_(states)).with_for_update(read=not alone)
    return await session.scalar(held) is not None


async def mark_closing(session: Session, id: int, *, at: datetime) -> bool:
    """From this instant on it takes no answers; False when that was so before."""
    there = (RoundRow.id == id) & (RoundRow.state == RoundState.OPEN)
    return (await session.execute(sa.update(RoundRow).where(there).values(state=RoundState.CLOSING, closes_at=at))).rowcount == 1


async def mark_cleaned(session: Session, id: int) -> bool:
    """Nothing of the answers is left; False when that was known before."""
    closed = (RoundRow.id == id) & (RoundRow.state == RoundState.CLOSED) & RoundRow.cleaned.is_(False)
    return (await session.execute(sa.update(RoundRow).where(closed).values(cleaned=True))).rowcount == 1


@asynccontextmanager
async def impatient(session: Session) -> AsyncIterator[None]:
    """Waits half a second at most for what others hold, so that nobody waits long behind it; then raises InUse."""
    try:
        if session.dialect.name == "postgresql":
            await session.execute(sa.text("SET LOCAL lock_timeout = '500ms'"))
        yield
    except sa.exc.DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) in _WAITED_TOO_LONG:
            raise InUse from error
        raise
