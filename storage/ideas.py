"""Ideas as they are kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from storage.database import Session
from storage.people import OrganisationRow, PersonRow
from storage.types import Base, one_of


class Visibility(StrEnum):
    """Who may see an idea."""

    HUB = "hub"
    CORE_TEAM = "core_team"


class IdeaState(StrEnum):
    """Where an idea stands."""

    SUBMITTED = "submitted"
    WITHDRAWN = "withdrawn"


class IdeaRow(Base):
    __tablename__ = "ideas"
    __table_args__ = (sa.Index("ix_ideas_author_id_id", "author_id", "id"), {"sqlite_autoincrement": True})
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    need: Mapped[str]
    proposal: Mapped[str]
    organisation_id: Mapped[int | None] = mapped_column(sa.ForeignKey("organisations.id"))
    visibility: Mapped[Visibility] = mapped_column(one_of(Visibility, "visibility"))
    state: Mapped[IdeaState] = mapped_column(one_of(IdeaState, "state"))
    author_id: Mapped[int] = mapped_column(sa.ForeignKey("people.id"))
    submitted_at: Mapped[datetime]


@dataclass(frozen=True, kw_only=True)
class Idea:
    """One idea with the names it is shown by; an empty proposal is a problem with no idea yet."""

    id: int
    title: str
    need: str
    proposal: str
    organisation: str | None
    visibility: Visibility
    state: IdeaState
    author_id: int
    author: str
    submitted_at: datetime

    @property
    def reference(self) -> str:
        """What people call it, such as IDEA-42."""
        return f"IDEA-{self.id}"


_IDEAS = (
    sa.select(IdeaRow.__table__, PersonRow.name.label("author"), OrganisationRow.name.label("organisation"))
    .join(PersonRow, PersonRow.id == IdeaRow.author_id)
    .outerjoin(OrganisationRow, OrganisationRow.id == IdeaRow.organisation_id)
)
_ADD = sa.insert(IdeaRow).returning(IdeaRow.id)


def _idea(row: sa.Row[tuple[object, ...]]) -> Idea:
    return Idea(
        id=row.id,
        title=row.title,
        need=row.need,
        proposal=row.proposal,
        organisation=row.organisation,
        visibility=row.visibility,
        state=row.state,
        author_id=row.author_id,
        author=row.author,
        submitted_at=row.submitted_at,
    )


async def add(
    session: Session,
    *,
    title: str,
    need: str,
    proposal: str,
    organisation_id: int | None,
    visibility: Visibility,
    author_id: int,
    now: datetime,
) -> int:
    """A new idea; returns its number."""
    values = {
        "title": title, "need": need, "proposal": proposal, "organisation_id": organisation_id, "visibility": visibility,
        "state": IdeaState.SUBMITTED, "author_id": author_id, "submitted_at": now,
    }  # fmt: skip
    return (await session.execute(_ADD, values)).scalar_one()


async def find(session: Session, id: int) -> Idea | None:
    """The idea with this number."""
    row = (await session.execute(_IDEAS.where(IdeaRow.id == id))).one_or_none()
    return None if row is None else _idea(row)


async def list_by_author(session: Session, author_id: int, *, offset: int = 0, limit: int) -> tuple[Idea, ...]:
    """Somebody's own ideas, newest first."""
    mine = _IDEAS.where(IdeaRow.author_id == author_id).order_by(IdeaRow.id.desc()).offset(offset).limit(limit)
    return tuple(_idea(row) for row in await session.execute(mine))


async def count_by_author(session: Session, author_id: int) -> int:
    """How many ideas somebody has shared."""
    return await session.scalar(sa.select(sa.func.count()).select_from(IdeaRow).where(IdeaRow.author_id == author_id)) or 0


async def withdraw(session: Session, id: int) -> bool:
    """Takes an idea back; False when it was taken back before."""
    submitted = (IdeaRow.id == id) & (IdeaRow.state == IdeaState.SUBMITTED)
    return (await session.execute(sa.update(IdeaRow).where(submitted).values(state=IdeaState.WITHDRAWN))).rowcount == 1
