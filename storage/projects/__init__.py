"""Projects as they are kept: what each is for, its partners and followers, and its monthly reports."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from storage.database import Session
from storage.people import OrganisationRow, PersonRow
from storage.projects.reports import SAID, Highlights, Report, last, read, with_reporter
from storage.projects.tables import (
    PAUSED,
    SCOPING,
    STAGES,
    Adoption,
    ProjectFollowerRow,
    ProjectPartnerRow,
    ProjectReportRow,
    ProjectRow,
    ProjectType,
    Rag,
    Stage,
)
from storage.upserts import Upsert

__all__ = [
    "PAUSED", "STAGES", "Adoption", "Awaited", "Highlights", "NameTaken", "Named", "Partner", "Project", "ProjectType", "Rag", "Report",
    "Stage",
]  # fmt: skip

NAMES_LOCK = 7_201_946  # any number, the same in all replicas, and not that of the migrations


class NameTaken(Exception):
    """There is a project of this name."""


@dataclass(frozen=True, kw_only=True)
class Project:
    """One project with its last report."""

    id: int
    name: str
    type: ProjectType
    need: str
    sro: str
    lead_id: int | None
    lead: str | None
    stage: Stage
    idea_id: int | None
    counted_from: datetime
    last: Report | None

    @property
    def is_complete(self) -> bool:
        """Whether its last report said so."""
        return self.last is not None and self.last.rag is Rag.BLUE


@dataclass(frozen=True, kw_only=True)
class Partner:
    """An organisation that takes part."""

    organisation_id: int
    name: str
    adoption: Adoption


@dataclass(frozen=True, kw_only=True)
class Named:
    """What a project is found by."""

    id: int
    name: str
    need: str


@dataclass(frozen=True, kw_only=True)
class Awaited:
    """A project whose next update is counted from this moment."""

    id: int
    lead_id: int | None
    counted_from: datetime


_leader = PersonRow.__table__.alias("leader")
_every = ProjectReportRow.__table__.alias("every")
_NEWEST = sa.select(sa.func.max(_every.c.id)).where(_every.c.project_id == ProjectRow.id).correlate(ProjectRow).scalar_subquery()
_PROJECTS = sa.select(ProjectRow.__table__, _leader.c.name.label("lead"), *SAID).select_from(
    with_reporter(sa.outerjoin(ProjectRow, _leader, _leader.c.id == ProjectRow.lead_id).outerjoin(last, last.c.id == _NEWEST))
)
_HALTED = [stage.key for stage in STAGES if stage.halted]
_ASKED = [stage.key for stage in STAGES if stage.asked]
_MOST_URGENT_FIRST = (
    ProjectRow.stage.in_(_HALTED),
    sa.case({Rag.RED: 0, Rag.AMBER: 1, Rag.GREEN: 3, Rag.GREY: 4, Rag.BLUE: 5}, value=last.c.rag, else_=2),
    ProjectRow.name,
    ProjectRow.id,
)
_FOLLOW = Upsert(ProjectFollowerRow, unique=("project_id", "person_id"))
_PARTNER = Upsert(ProjectPartnerRow, unique=("project_id", "organisation_id"))


def _project(row: sa.Row[Any]) -> Project:
    return Project(
        id=row.id,
        name=row.name,
        type=row.type,
        need=row.need,
        sro=row.sro,
        lead_id=row.lead_id,
        lead=row.lead,
        stage=Stage.of(row.stage),
        idea_id=row.idea_id,
        counted_from=row.counted_from,
        last=None if row.said_id is None else read(row),
    )


async def add(
    session: Session,
    *,
    name: str,
    type: ProjectType,
    need: str,
    sro: str = "",
    lead_id: int | None = None,
    organisation_ids: Collection[int] = (),
    idea_id: int | None = None,
    stage: Stage = SCOPING,
    now: datetime,
) -> int:
    """A new project, which its lead follows; returns its number. Raises NameTaken."""
    await _claim_name(session, name)
    values = {
        "name": name, "type": type, "need": need, "sro": sro, "lead_id": lead_id, "stage": stage.key, "idea_id": idea_id,
        "started_at": now, "counted_from": now,
    }  # fmt: skip
    id: int = (await session.execute(sa.insert(ProjectRow).returning(ProjectRow.id), values)).scalar_one()
    await _choose_partners(session, id, organisation_ids)
    if lead_id is not None:
        await follow(session, id, lead_id)
    return id


async def edit(
    session: Session,
    project: Project,
    *,
    name: str,
    type: ProjectType,
    need: str,
    sro: str,
    lead_id: int | None,
    organisation_ids: Collection[int],
    stage: Stage,
    now: datetime,
) -> None:
    """Changes what a project that is held is; a new lead follows it, and where updates are asked for again its month begins anew.

    Raises NameTaken.
    """
    if name != project.name:
        await _claim_name(session, name, but=project.id)
    values = {"name": name, "type": type, "need": need, "sro": sro, "lead_id": lead_id, "stage": stage.key}
    anew = {"counted_from": now} if stage.asked and not project.stage.asked else {}
    await session.execute(sa.update(ProjectRow).where(ProjectRow.id == project.id).values(**values, **anew))
    await _choose_partners(session, project.id, organisation_ids)
    if lead_id is not None and lead_id != project.lead_id:
        await follow(session, project.id, lead_id)


async def _claim_name(session: Session, name: str, *, but: int | None = None) -> None:
    """Raises NameTaken where another project has the name, in capitals or small letters.

    Whoever else claims a name waits until this transaction ends; on SQLite there is one writer at a time anyway. A lock of the whole
    table would wait for a report on a project that this transaction holds, which itself waits for that project.
    """
    if session.dialect.name == "postgresql":
        await session.execute(sa.select(sa.func.pg_advisory_xact_lock(NAMES_LOCK)))
    if any(each.name.casefold() == name.casefold() and each.id != but for each in await list_names(session)):
        raise NameTaken


async def _choose_partners(session: Session, id: int, organisation_ids: Collection[int]) -> None:
    """These and no others take part; how far those who stay are is kept."""
    gone = (ProjectPartnerRow.project_id == id) & ProjectPartnerRow.organisation_id.not_in(organisation_ids)
    await session.execute(sa.delete(ProjectPartnerRow).where(gone))
    rows = [{"project_id": id, "organisation_id": each, "adoption": Adoption.NOT_STARTED} for each in organisation_ids]
    if rows:
        await _PARTNER(session, *rows)


async def find(session: Session, id: int) -> Project | None:
    """The project with this number."""
    row = (await session.execute(_PROJECTS.where(ProjectRow.id == id))).one_or_none()
    return None if row is None else _project(row)


async def hold(session: Session, id: int) -> None:
    """Keeps the project as it is until the transaction ends."""
    await session.execute(sa.select(ProjectRow.id).where(ProjectRow.id == id).with_for_update(key_share=True))


def _led_by(person_id: int | None) -> sa.ColumnElement[bool]:
    return sa.true() if person_id is None else ProjectRow.lead_id == person_id


async def list_projects(session: Session, *, led_by: int | None = None, offset: int = 0, limit: int) -> tuple[Project, ...]:
    """All projects, or those that somebody leads: what needs help first, what is halted last."""
    page = _PROJECTS.where(_led_by(led_by)).order_by(*_MOST_URGENT_FIRST).offset(offset).limit(limit)
    return tuple(_project(row) for row in await session.execute(page))


async def count(session: Session, *, led_by: int | None = None) -> int:
    """How many projects there are, or how many somebody leads."""
    return await session.scalar(sa.select(sa.func.count()).select_from(ProjectRow).where(_led_by(led_by))) or 0


async def list_names(session: Session) -> tuple[Named, ...]:
    """What every project is found by, newest first."""
    rows = await session.execute(sa.select(ProjectRow.id, ProjectRow.name, ProjectRow.need).order_by(ProjectRow.id.desc()))
    return tuple(Named(id=row.id, name=row.name, need=row.need) for row in rows)


async def partners_of(session: Session, id: int) -> tuple[Partner, ...]:
    """Who takes part, by name."""
    there = (
        sa.select(ProjectPartnerRow.organisation_id, OrganisationRow.name, ProjectPartnerRow.adoption)
        .join(OrganisationRow, OrganisationRow.id == ProjectPartnerRow.organisation_id)
        .where(ProjectPartnerRow.project_id == id)
        .order_by(OrganisationRow.name)
    )
    return tuple(Partner(organisation_id=row.organisation_id, name=row.name, adoption=row.adoption) for row in await session.execute(there))


async def adopt(session: Session, id: int, adoptions: Mapping[int, Adoption]) -> None:
    """Says how far the providers of a project that is held are, by organisation."""
    for organisation_id, adoption in adoptions.items():
        one = (ProjectPartnerRow.project_id == id) & (ProjectPartnerRow.organisation_id == organisation_id)
        await session.execute(sa.update(ProjectPartnerRow).where(one).values(adoption=adoption))


async def report(session: Session, project: Project, said: Highlights, *, by_id: int, now: datetime) -> int | None:
    """Keeps a report and moves the project to its stage; None when another moved it since `project` was read."""
    seen = (ProjectRow.id == project.id) & (ProjectRow.stage == project.stage.key)
    moved = sa.update(ProjectRow).where(seen).values(stage=said.stage.key, counted_from=now)
    if (await session.execute(moved)).rowcount == 0:
        return None
    words = {field.name: getattr(said, field.name) for field in fields(Highlights)}
    values = {**words, "stage": said.stage.key, "project_id": project.id, "by_id": by_id, "at": now}
    return (await session.execute(sa.insert(ProjectReportRow).returning(ProjectReportRow.id), values)).scalar_one()


async def follow(session: Session, project_id: int, person_id: int) -> None:
    """Somebody wants to hear of a project's updates."""
    await _FOLLOW(session, {"project_id": project_id, "person_id": person_id})


async def unfollow(session: Session, project_id: int, person_id: int) -> None:
    """Somebody no longer wants to."""
    mine = (ProjectFollowerRow.project_id == project_id) & (ProjectFollowerRow.person_id == person_id)
    await session.execute(sa.delete(ProjectFollowerRow).where(mine))


async def followers(session: Session, project_id: int) -> frozenset[int]:
    """The people who hear of a project's updates."""
    theirs = sa.select(ProjectFollowerRow.person_id).where(ProjectFollowerRow.project_id == project_id)
    return frozenset((await session.scalars(theirs)).all())


async def list_awaited(session: Session, *, since: datetime, until: datetime) -> tuple[Awaited, ...]:
    """The projects whose month began after `since` and not after `until`, and of which updates are expected."""
    began = (ProjectRow.counted_from > since) & (ProjectRow.counted_from <= until)
    complete = sa.exists().where(last.c.id == _NEWEST, last.c.rag == Rag.BLUE)
    columns = sa.select(ProjectRow.id, ProjectRow.lead_id, ProjectRow.counted_from)
    rows = await session.execute(columns.where(began, ProjectRow.stage.in_(_ASKED), ~complete).order_by(ProjectRow.id))
    return tuple(Awaited(id=row.id, lead_id=row.lead_id, counted_from=row.counted_from) for row in rows)
