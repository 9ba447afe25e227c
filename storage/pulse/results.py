"""What a closed round published, and the priorities that were agreed on it. Whether something may be published is not decided here."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from storage.database import Session
from storage.people import PersonRow
from storage.pulse.rounds import RoundRow, RoundState
from storage.types import Base
from storage.upserts import Upsert


class ResultRow(Base):
    """One dimension that is shown; one without a row is not."""

    __tablename__ = "pulse_results"
    __table_args__ = {"sqlite_with_rowid": False}
    round_id: Mapped[int] = mapped_column(sa.ForeignKey("pulse_rounds.id"), primary_key=True)
    dimension: Mapped[str] = mapped_column(primary_key=True)
    scored: Mapped[int]
    dont_know: Mapped[int]
    lower: Mapped[int]
    median: Mapped[int]
    upper: Mapped[int]


class CommentRow(Base):
    """The random id says nothing of when or by whom it was written; the table is kept in its order."""

    __tablename__ = "pulse_comments"
    __table_args__ = (sa.Index("ix_pulse_comments_round_id", "round_id"), {"sqlite_with_rowid": False})
    id: Mapped[str] = mapped_column(primary_key=True)
    round_id: Mapped[int] = mapped_column(sa.ForeignKey("pulse_rounds.id"))
    dimension: Mapped[str]
    text: Mapped[str]


class PriorityRow(Base):
    """What was agreed on a round's results: `number` from 1."""

    __tablename__ = "pulse_priorities"
    __table_args__ = {"sqlite_with_rowid": False}
    round_id: Mapped[int] = mapped_column(sa.ForeignKey("pulse_rounds.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    owner_id: Mapped[int] = mapped_column(sa.ForeignKey("people.id"), index=True)
    review_on: Mapped[date] = mapped_column(sa.Date)


@dataclass(frozen=True, kw_only=True)
class Numbers:
    """What is shown of one dimension; the middle and the middle half in quarters of a level."""

    dimension: str
    scored: int
    dont_know: int
    lower: int
    median: int
    upper: int


@dataclass(frozen=True, kw_only=True)
class Comment:
    """What somebody wrote about a dimension."""

    dimension: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Results:
    """All that is published of a round besides its comments."""

    invited: int
    took_part: int
    numbers: tuple[Numbers, ...]
    most_chosen: tuple[str, ...] | None


@dataclass(frozen=True, kw_only=True)
class Priority:
    """One of the things to work on, with whoever looks after it and the day to look at it again."""

    number: int
    title: str
    owner_id: int
    owner: str
    review_on: date


@dataclass(frozen=True, kw_only=True)
class Due(Priority):
    """A priority that is to be looked at again, with the round it was agreed on."""

    round_id: int


_AGREE = Upsert(PriorityRow, unique=("round_id", "number"))


async def keep(session: Session, round_id: int, results: Results, comments: Collection[Comment]) -> None:
    """Closes the round with what is published of it, comments in the order they are given."""
    values = {
        "state": RoundState.CLOSED, "invited": results.invited, "took_part": results.took_part,
        "most_chosen": None if results.most_chosen is None else list(results.most_chosen),
    }  # fmt: skip
    await session.execute(sa.update(RoundRow).where(RoundRow.id == round_id).values(**values))
    if results.numbers:
        await session.execute(sa.insert(ResultRow), [{"round_id": round_id, **vars(each)} for each in results.numbers])
    if comments:
        rows = [{"id": secrets.token_hex(16), "round_id": round_id, "dimension": each.dimension, "text": each.text} for each in comments]
        await session.execute(sa.insert(CommentRow), rows)


async def find(session: Session, round_id: int) -> Results | None:
    """What a round published; None while it has not."""
    counted = sa.select(RoundRow.invited, RoundRow.took_part, RoundRow.most_chosen)
    row = (await session.execute(counted.where(RoundRow.id == round_id, RoundRow.cleaned.is_(True)))).one_or_none()
    if row is None:
        return None
    rows = await session.execute(sa.select(ResultRow.__table__).where(ResultRow.round_id == round_id))
    numbers = tuple(
        Numbers(
            dimension=each.dimension,
            scored=each.scored,
            dont_know=each.dont_know,
            lower=each.lower,
            median=each.median,
            upper=each.upper,
        )
        for each in rows
    )
    chosen = None if row.most_chosen is None else tuple(row.most_chosen)
    return Results(invited=row.invited, took_part=row.took_part, numbers=numbers, most_chosen=chosen)


async def comments(session: Session, round_id: int) -> tuple[Comment, ...]:
    """All comments on a round, in the order of their random ids."""
    about = sa.select(CommentRow.dimension, CommentRow.text).where(CommentRow.round_id == round_id).order_by(CommentRow.id)
    return tuple(Comment(dimension=row.dimension, text=row.text) for row in await session.execute(about))


async def any_comment(session: Session, round_id: int) -> bool:
    """Whether there is a comment on a round."""
    return await session.scalar(sa.select(CommentRow.id).where(CommentRow.round_id == round_id).limit(1)) is not None


async def add_priority(session: Session, round_id: int, *, most: int, title: str, owner_id: int, review_on: date) -> int | None:
    """Agrees one more priority; returns its number, None where `most` are agreed."""
    for number in range(1, most + 1):
        values = {"round_id": round_id, "number": number, "title": title, "owner_id": owner_id, "review_on": review_on}
        if await _AGREE(session, values):
            return number
    return None


async def hold_priority(session: Session, round_id: int, number: int) -> None:
    """Keeps a priority, where there is one of this number, as it is until the transaction ends."""
    await session.execute(sa.select(PriorityRow.number).where(_is(round_id, number)).with_for_update(key_share=True))


async def change_priority(session: Session, round_id: int, number: int, *, title: str, owner_id: int, review_on: date) -> bool:
    """Changes a priority; False where there is none of this number."""
    changed = sa.update(PriorityRow).where(_is(round_id, number)).values(title=title, owner_id=owner_id, review_on=review_on)
    return (await session.execute(changed)).rowcount == 1


async def drop_priority(session: Session, round_id: int, number: int) -> bool:
    """Takes a priority back; False where there is none."""
    return (await session.execute(sa.delete(PriorityRow).where(_is(round_id, number)))).rowcount == 1


def _is(round_id: int, number: int) -> sa.ColumnElement[bool]:
    return (PriorityRow.round_id == round_id) & (PriorityRow.number == number)


def _due(until: date) -> sa.ColumnElement[bool]:
    return PriorityRow.review_on <= until


async def list_due(session: Session, until: date, *, limit: int) -> tuple[Due, ...]:
    """The priorities of all rounds that are to be looked at again by a day, the first of them first."""
    agreed = sa.select(PriorityRow.__table__, PersonRow.name.label("owner")).join(PersonRow, PersonRow.id == PriorityRow.owner_id)
    first = agreed.where(_due(until)).order_by(PriorityRow.review_on, PriorityRow.round_id, PriorityRow.number).limit(limit)
    return tuple(Due(**row._asdict()) for row in await session.execute(first))


async def count_due(session: Session, until: date) -> int:
    """How many there are."""
    return await session.scalar(sa.select(sa.func.count()).select_from(PriorityRow).where(_due(until))) or 0


async def priorities(session: Session, round_id: int) -> tuple[Priority, ...]:
    """What was agreed on a round's results."""
    agreed = sa.select(PriorityRow.__table__, PersonRow.name).join(PersonRow, PersonRow.id == PriorityRow.owner_id)
    rows = await session.execute(agreed.where(PriorityRow.round_id == round_id).order_by(PriorityRow.number))
    return tuple(
        Priority(number=row.number, title=row.title, owner_id=row.owner_id, owner=row.name, review_on=row.review_on) for row in rows
    )
