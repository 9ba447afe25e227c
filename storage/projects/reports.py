"""Highlight reports as they are kept: what each says, and the newest of each project."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from storage.database import Session
from storage.people import PersonRow
from storage.projects.tables import ProjectReportRow, ProjectRow, Rag, Stage


@dataclass(frozen=True, kw_only=True)
class Highlights:
    """What a report says: `path` to green, `done` this period, `planned` for the next, decisions or help `needed`."""

    rag: Rag
    why: str
    path: str = ""
    done: str
    planned: str
    needed: str = ""
    milestone: str = ""
    milestone_on: date | None = None
    risk: str = ""
    risk_owner: str = ""
    stage: Stage


@dataclass(frozen=True, kw_only=True)
class Report(Highlights):
    """A report as it is kept, with who made it and when; `was` is the rating of the report before it."""

    id: int
    project_id: int
    project: str
    by: str
    at: datetime
    was: Rag | None


last = ProjectReportRow.__table__.alias("last")
_before = ProjectReportRow.__table__.alias("before")
_reporter = PersonRow.__table__.alias("reporter")
_earlier = ProjectReportRow.__table__.alias("earlier")
_WAS = sa.select(sa.func.max(_earlier.c.id)).where(_earlier.c.project_id == last.c.project_id, _earlier.c.id < last.c.id)
SAID = (
    *(column.label(f"said_{column.name}") for column in last.c),
    _before.c.rag.label("said_was"),
    _reporter.c.name.label("said_by"),
    ProjectRow.name.label("said_project"),
)
"""The columns of a report, from `last` as `with_reporter` joins it."""


def with_reporter(tables: sa.FromClause) -> sa.FromClause:
    """The tables, `last` among them, with who made the report and the report before it."""
    was = _before.c.id == _WAS.correlate(last).scalar_subquery()
    return tables.outerjoin(_reporter, _reporter.c.id == last.c.by_id).outerjoin(_before, was)


_REPORTS = sa.select(*SAID).select_from(with_reporter(last.join(ProjectRow, ProjectRow.id == last.c.project_id)))


def read(row: sa.Row[Any]) -> Report:
    """The report in a row of SAID."""
    said = {field.name: getattr(row, f"said_{field.name}") for field in fields(Report)}
    return Report(**{**said, "stage": Stage.of(row.said_stage)})


async def find_report(session: Session, id: int) -> Report | None:
    """The report with this number."""
    row = (await session.execute(_REPORTS.where(last.c.id == id))).one_or_none()
    return None if row is None else read(row)


async def list_reports(session: Session, project_id: int, *, offset: int = 0, limit: int) -> tuple[Report, ...]:
    """A project's reports, newest first."""
    page = _REPORTS.where(last.c.project_id == project_id).order_by(last.c.id.desc()).offset(offset).limit(limit)
    return tuple(read(row) for row in await session.execute(page))


async def list_since(session: Session, since: datetime) -> tuple[Report, ...]:
    """All reports since then, newest first."""
    made = _REPORTS.where(last.c.at >= since).order_by(last.c.id.desc())
    return tuple(read(row) for row in await session.execute(made))


async def count_reports(session: Session, project_id: int) -> int:
    """How many reports a project has."""
    mine = sa.select(sa.func.count()).select_from(ProjectReportRow).where(ProjectReportRow.project_id == project_id)
    return await session.scalar(mine) or 0
