"""Who takes part in the round under way: only that, without times, and only until it closes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from storage import people
from storage.database import Session
from storage.people import Group
from storage.types import Base, one_of
from storage.upserts import Upsert


class Participation(StrEnum):
    """declined: wants no reminders and has not begun. quiet: has begun and wants no reminders."""

    DECLINED = "declined"
    BEGUN = "begun"
    QUIET = "quiet"
    FINISHED = "finished"


BEGAN = frozenset({Participation.BEGUN, Participation.QUIET, Participation.FINISHED})


class ParticipationRow(Base):
    """No foreign key: PostgreSQL would mark the row of each person who takes part, and the mark would outlive the round."""

    __tablename__ = "pulse_participation"
    __table_args__ = {"sqlite_with_rowid": False}
    round_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    person_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    state: Mapped[Participation] = mapped_column(one_of(Participation, "state"))


_ADD = Upsert(ParticipationRow, unique=("round_id", "person_id"))
_PUT = Upsert(ParticipationRow, unique=("round_id", "person_id"), replacing=("state",))


async def start(session: Session, round_id: int, person_id: int) -> None:
    """They take part."""
    await _ADD(session, {"round_id": round_id, "person_id": person_id, "state": Participation.BEGUN})
    await _move(session, round_id, person_id, Participation.DECLINED, Participation.QUIET)


async def finish(session: Session, round_id: int, person_id: int) -> None:
    """They came to the end."""
    await _put(session, round_id, person_id, Participation.FINISHED)


async def decline(session: Session, round_id: int, person_id: int) -> None:
    """No more reminders in this round; answers are as welcome as before."""
    await _ADD(session, {"round_id": round_id, "person_id": person_id, "state": Participation.DECLINED})
    await _move(session, round_id, person_id, Participation.BEGUN, Participation.QUIET)


async def of_round(session: Session, round_id: int) -> Mapping[int, Participation]:
    """Where each person stands who has begun or declined, by their number."""
    rows = await session.execute(sa.select(ParticipationRow.__table__).where(ParticipationRow.round_id == round_id))
    return {row.person_id: row.state for row in rows}


async def find(session: Session, round_id: int, person_id: int) -> Participation | None:
    """Where somebody stands; None where they have neither begun nor declined."""
    return await session.scalar(sa.select(ParticipationRow.state).where(_is(round_id, person_id)))


async def progress(session: Session, round_id: int, groups: Collection[Group]) -> tuple[int, int]:
    """(How many have finished, how many were asked: those in the groups now, and those who finished and have left)."""
    finished = {id for id, state in (await of_round(session, round_id)).items() if state is Participation.FINISHED}
    asked = {person.id for person in await people.members(session, *groups)}
    return len(finished), len(asked | finished)


async def merge(session: Session, round_id: int, *, keep: int, gone: int) -> None:
    """Two people become one, who has come as far as either and wants as few reminders."""
    states = {state for id in (keep, gone) if (state := await find(session, round_id, id))}
    await session.execute(sa.delete(ParticipationRow).where(_is(round_id, gone)))
    if states:
        await _put(session, round_id, keep, _joined(states))


def _joined(states: set[Participation]) -> Participation:
    if Participation.FINISHED in states:
        return Participation.FINISHED
    return states.pop() if len(states) == 1 else Participation.QUIET  # of two, one has begun and one wants no reminders


async def _put(session: Session, round_id: int, person_id: int, state: Participation) -> None:
    await _PUT(session, {"round_id": round_id, "person_id": person_id, "state": state})


async def _move(session: Session, round_id: int, person_id: int, was: Participation, state: Participation) -> None:
    there = _is(round_id, person_id) & (ParticipationRow.state == was)
    await session.execute(sa.update(ParticipationRow).where(there).values(state=state))


def _is(round_id: int, person_id: int) -> sa.ColumnElement[bool]:
    return (ParticipationRow.round_id == round_id) & (ParticipationRow.person_id == person_id)
