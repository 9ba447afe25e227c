"""Support: who has the same need as an idea, by person and organisation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from storage.database import Session
from storage.ideas import Idea, IdeaRow
from storage.people import OrganisationRow, Person, PersonRow
from storage.types import Base
from storage.upserts import Upsert


class SupportRow(Base):
    """One person who has the need of an idea, with the organisation they had it for."""

    __tablename__ = "idea_supports"
    __table_args__ = {"sqlite_with_rowid": False}
    idea_id: Mapped[int] = mapped_column(sa.ForeignKey("ideas.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("people.id"), primary_key=True)
    organisation_id: Mapped[int | None] = mapped_column(sa.ForeignKey("organisations.id"))
    given_at: Mapped[datetime]


@dataclass(frozen=True, kw_only=True)
class Supporter:
    """Somebody who has the need of an idea too."""

    person_id: int
    name: str
    organisation: str | None


_ADD = Upsert(SupportRow, unique=("idea_id", "person_id"))


async def add(session: Session, idea_id: int, person: Person, *, now: datetime) -> bool:
    """Notes that somebody has the need too; False when it was noted before."""
    organisation_id = person.organisation.id if person.organisation else None
    return await _ADD(session, {"idea_id": idea_id, "person_id": person.id, "organisation_id": organisation_id, "given_at": now}) == 1


async def remove(session: Session, idea_id: int, person_id: int) -> bool:
    """Takes somebody's support back; False when there was none."""
    mine = (SupportRow.idea_id == idea_id) & (SupportRow.person_id == person_id)
    return (await session.execute(sa.delete(SupportRow).where(mine))).rowcount == 1


async def list_supporters(session: Session, idea_id: int) -> tuple[Supporter, ...]:
    """Who has the need of an idea too, the first first; never its author."""
    rows = await session.execute(
        sa.select(SupportRow.person_id, PersonRow.name, OrganisationRow.name.label("organisation"))
        .join(PersonRow, PersonRow.id == SupportRow.person_id)
        .join(IdeaRow, IdeaRow.id == SupportRow.idea_id)
        .outerjoin(OrganisationRow, OrganisationRow.id == SupportRow.organisation_id)
        .where(SupportRow.idea_id == idea_id, SupportRow.person_id != IdeaRow.author_id)
        .order_by(SupportRow.given_at, SupportRow.person_id)
    )
    return tuple(Supporter(person_id=row.person_id, name=row.name, organisation=row.organisation) for row in rows)


async def carry_over(session: Session, idea: Idea, existing: Idea, *, now: datetime) -> None:
    """Makes the author and the supporters of an idea supporters of the one that was there before."""
    theirs = sa.select(SupportRow.person_id, SupportRow.organisation_id).where(SupportRow.idea_id == idea.id)
    author = sa.select(PersonRow.id, PersonRow.organisation_id).where(PersonRow.id == idea.author_id)
    rows = [
        {"idea_id": existing.id, "person_id": person_id, "organisation_id": organisation_id, "given_at": now}
        for person_id, organisation_id in (*await session.execute(author), *await session.execute(theirs))
        if person_id != existing.author_id
    ]
    if rows:
        await _ADD(session, *rows)
