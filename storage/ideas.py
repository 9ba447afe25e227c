"""Ideas as they are kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from storage.database import Session
from storage.people import Group, MembershipRow, OrganisationRow, Person, PersonRow
from storage.types import Base, one_of


class Visibility(StrEnum):
    """Who may see an idea."""

    HUB = "hub"
    CORE_TEAM = "core_team"


class IdeaState(StrEnum):
    """submitted -> in assessment -> accepted | signposted | already exists | not now (and assessed again later) | not suitable;
    withdrawn by its author until it is decided."""

    SUBMITTED = "submitted"
    IN_ASSESSMENT = "in_assessment"
    ACCEPTED = "accepted"
    SIGNPOSTED = "signposted"
    ALREADY_EXISTS = "already_exists"
    NOT_NOW = "not_now"
    NOT_SUITABLE = "not_suitable"
    WITHDRAWN = "withdrawn"


class Signpost(StrEnum):
    """Who can take an idea further where the hub does not."""

    QUALITY_IMPROVEMENT = "quality_improvement"
    RESEARCH = "research"
    CLINICAL_AUDIT = "clinical_audit"
    PARTNER = "partner"
    INNOVATION_SERVICE = "innovation_service"
    MTFM = "mtfm"


OPEN = (IdeaState.SUBMITTED, IdeaState.IN_ASSESSMENT)
"""The states in which an idea waits for its decision."""
WITHDRAWABLE = (*OPEN, IdeaState.NOT_NOW)
"""The states in which nothing has come of an idea yet, so that its author can take it back."""


class IdeaRow(Base):
    __tablename__ = "ideas"
    __table_args__ = (
        sa.CheckConstraint("(state = 'not_now') = (review_on IS NOT NULL)", name="review_of_not_now"),
        sa.Index("ix_ideas_author_id_id", "author_id", "id"),
        sa.Index("ix_ideas_state_submitted_at", "state", "submitted_at"),
        sa.Index("ix_ideas_review_on", "review_on"),
        {"sqlite_autoincrement": True},
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    need: Mapped[str]
    proposal: Mapped[str]
    organisation_id: Mapped[int | None] = mapped_column(sa.ForeignKey("organisations.id"))
    visibility: Mapped[Visibility] = mapped_column(one_of(Visibility, "visibility"))
    state: Mapped[IdeaState] = mapped_column(one_of(IdeaState, "state"))
    author_id: Mapped[int] = mapped_column(sa.ForeignKey("people.id"))
    submitted_at: Mapped[datetime]
    assessor_id: Mapped[int | None] = mapped_column(sa.ForeignKey("people.id"))
    taken_on_at: Mapped[datetime | None]
    due_on: Mapped[date | None] = mapped_column(sa.Date)
    decided_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("people.id"))
    decided_at: Mapped[datetime | None]
    reason: Mapped[str | None]
    next_step: Mapped[str | None]
    next_by: Mapped[str | None]
    next_on: Mapped[date | None] = mapped_column(sa.Date)
    review_on: Mapped[date | None] = mapped_column(sa.Date)
    signpost: Mapped[Signpost | None] = mapped_column(one_of(Signpost, "signpost"))
    existing_id: Mapped[int | None] = mapped_column(sa.ForeignKey("ideas.id"))
    project_id: Mapped[int | None]
    """No foreign key: the project has one to its idea, and neither table could be made first."""


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What becomes of an idea: why, and what happens next, by whom and by when.

    `review_on` belongs to not now, `signpost` to signposted, `existing_id` to already exists.
    """

    state: IdeaState
    reason: str
    next_step: str
    next_by: str
    next_on: date | None = None
    review_on: date | None = None
    signpost: Signpost | None = None
    existing_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class Idea:
    """One idea with the names it is shown by; an empty proposal is a problem with no idea yet.

    `assessor` has had it since `taken_on_at` and is to decide by `due_on`; `assessor_left`: they are no longer of the Core Team.
    `decision` is None while nothing is decided.
    """

    id: int
    title: str
    need: str
    proposal: str
    organisation_id: int | None
    organisation: str | None
    visibility: Visibility
    state: IdeaState
    author_id: int
    author: str
    submitted_at: datetime
    assessor_id: int | None
    assessor: str | None
    assessor_left: bool = False
    taken_on_at: datetime | None
    due_on: date | None
    decision: Decision | None
    decided_by: str | None
    decided_at: datetime | None
    project_id: int | None

    @property
    def reference(self) -> str:
        """What people call it, such as IDEA-42."""
        return f"IDEA-{self.id}"

    @property
    def needs_assessor(self) -> bool:
        """Whether somebody of the Core Team can take it on: it is new, or whoever had it has left."""
        return self.state is IdeaState.SUBMITTED or (self.state is IdeaState.IN_ASSESSMENT and self.assessor_left)

    def is_seen_by(self, person: Person) -> bool:
        """Whether somebody may see it."""
        return self.visibility is Visibility.HUB or self.author_id == person.id or Group.CORE_TEAM in person.groups


_assessor, _decider = PersonRow.__table__.alias("assessor"), PersonRow.__table__.alias("decider")
_serves = sa.exists().where(MembershipRow.person_id == IdeaRow.assessor_id, MembershipRow.group == Group.CORE_TEAM)
_left = IdeaRow.assessor_id.is_not(None) & ~_serves
_IDEAS = (
    sa.select(
        IdeaRow.__table__, PersonRow.name.label("author"), OrganisationRow.name.label("organisation"),
        _assessor.c.name.label("assessor"), _left.label("assessor_left"), _decider.c.name.label("decided_by"),
    )
    .join(PersonRow, PersonRow.id == IdeaRow.author_id)
    .outerjoin(OrganisationRow, OrganisationRow.id == IdeaRow.organisation_id)
    .outerjoin(_assessor, _assessor.c.id == IdeaRow.assessor_id)
    .outerjoin(_decider, _decider.c.id == IdeaRow.decided_by_id)
)  # fmt: skip
_ADD = sa.insert(IdeaRow).returning(IdeaRow.id)


def _decision(row: sa.Row[tuple[object, ...]]) -> Decision | None:
    if row.state in (*OPEN, IdeaState.WITHDRAWN):
        return None
    return Decision(
        state=row.state,
        reason=row.reason,
        next_step=row.next_step,
        next_by=row.next_by,
        next_on=row.next_on,
        review_on=row.review_on,
        signpost=row.signpost,
        existing_id=row.existing_id,
    )


def _idea(row: sa.Row[tuple[object, ...]]) -> Idea:
    return Idea(
        id=row.id,
        title=row.title,
        need=row.need,
        proposal=row.proposal,
        organisation_id=row.organisation_id,
        organisation=row.organisation,
        visibility=row.visibility,
        state=row.state,
        author_id=row.author_id,
        author=row.author,
        submitted_at=row.submitted_at,
        assessor_id=row.assessor_id,
        assessor=row.assessor,
        assessor_left=bool(row.assessor_left),
        taken_on_at=row.taken_on_at,
        due_on=row.due_on,
        decision=_decision(row),
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        project_id=row.project_id,
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


async def _becomes(
    session: Session, id: int, was: Collection[IdeaState], values: Mapping[str, object], *more: sa.ColumnElement[bool]
) -> bool:
    """Changes an idea that is in one of these states; False when another was quicker."""
    changed = sa.update(IdeaRow).where(IdeaRow.id == id, IdeaRow.state.in_(was), *more).values(**values)
    return (await session.execute(changed)).rowcount == 1


async def withdraw(session: Session, id: int) -> bool:
    """Takes an idea back; False when it was taken back before, or something has come of it."""
    return await _becomes(session, id, WITHDRAWABLE, {"state": IdeaState.WITHDRAWN, "review_on": None})


async def take_on(
    session: Session, id: int, *, was: IdeaState, assessor_id: int, due_on: date, now: datetime, instead_of: int | None = None
) -> bool:
    """Gives an idea that is new or was put off an assessor, or another one; False when it no longer is what it `was`, or theirs."""
    values = {"state": IdeaState.IN_ASSESSMENT, "assessor_id": assessor_id, "taken_on_at": now, "due_on": due_on, "review_on": None}
    return await _becomes(session, id, (was,), values, sa.true() if instead_of is None else IdeaRow.assessor_id == instead_of)


async def decide(session: Session, id: int, decision: Decision, *, by_id: int, now: datetime) -> bool:
    """Decides an idea; whoever decides one without an assessor becomes it. False when it no longer waits for a decision."""
    made = {field.name: getattr(decision, field.name) for field in fields(decision)}
    values = {**made, "decided_by_id": by_id, "decided_at": now, "assessor_id": sa.func.coalesce(IdeaRow.assessor_id, by_id)}
    return await _becomes(session, id, OPEN, values)


async def link_project(session: Session, id: int, project_id: int) -> None:
    """Keeps what an accepted idea became."""
    await session.execute(sa.update(IdeaRow).where(IdeaRow.id == id).values(project_id=project_id))


async def hold(session: Session, *ids: int) -> None:
    """Keeps these ideas as they are until the transaction ends."""
    rows = sa.select(IdeaRow.id).where(IdeaRow.id.in_(ids)).order_by(IdeaRow.id)
    await session.execute(rows.with_for_update(key_share=True))


def _to_decide(today: date) -> sa.ColumnElement[bool]:
    return IdeaRow.state.in_(OPEN) | (IdeaRow.review_on <= today)


async def list_to_decide(session: Session, today: date, *, offset: int = 0, limit: int) -> tuple[Idea, ...]:
    """What waits for the Core Team, the longest first: new, in assessment, or put off until today."""
    waiting = _IDEAS.where(_to_decide(today)).order_by(IdeaRow.submitted_at, IdeaRow.id).offset(offset).limit(limit)
    return tuple(_idea(row) for row in await session.execute(waiting))


async def count_to_decide(session: Session, today: date) -> int:
    """How many ideas wait for the Core Team."""
    return await session.scalar(sa.select(sa.func.count()).select_from(IdeaRow).where(_to_decide(today))) or 0


async def list_open(
    session: Session, *, states: Collection[IdeaState] = OPEN, since: datetime | None = None, until: datetime
) -> tuple[Idea, ...]:
    """The ideas that wait, in these states, and were shared before `until`, and not before `since`."""
    waiting = IdeaRow.state.in_(states) & _shared(since, until)
    return tuple(_idea(row) for row in await session.execute(_IDEAS.where(waiting).order_by(IdeaRow.id)))


async def count_shared(session: Session, *, since: datetime, until: datetime) -> tuple[int, int]:
    """(How many were shared from `since` to `until` and not withdrawn, how many of these are problems with no idea yet)."""
    problems = sa.func.count().filter(IdeaRow.proposal == "")
    there = _shared(since, until) & (IdeaRow.state != IdeaState.WITHDRAWN)
    counted = (await session.execute(sa.select(sa.func.count(), problems).select_from(IdeaRow).where(there))).one()
    return counted[0], counted[1]


def _shared(since: datetime | None, until: datetime) -> sa.ColumnElement[bool]:
    return (IdeaRow.submitted_at <= until) & (sa.true() if since is None else IdeaRow.submitted_at >= since)


async def list_to_review(session: Session, *, first: date, last: date) -> tuple[Idea, ...]:
    """The ideas that were put off until a day from `first` to `last`."""
    return tuple(_idea(row) for row in await session.execute(_IDEAS.where(IdeaRow.review_on.between(first, last)).order_by(IdeaRow.id)))
