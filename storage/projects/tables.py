"""The tables of projects and the words that stand in them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from storage.types import Base, one_of


class ProjectType(StrEnum):
    """Whose priority a project is."""

    LOCAL = "local"
    NATIONAL = "national"
    PARTNER = "partner"


class Rag(StrEnum):
    """How sure we are that a project delivers."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"
    BLUE = "blue"
    GREY = "grey"


class Adoption(StrEnum):
    """How far a provider is with a national product."""

    NOT_STARTED = "not_started"
    PREPARING = "preparing"
    USING = "using"
    ROUTINE = "routine"
    NOT_ADOPTING = "not_adopting"


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A step on a project's way; `asked`: a monthly update is expected, `halted`: none is taken before it goes on."""

    key: str
    label: str
    asked: bool = True
    halted: bool = False

    @classmethod
    def of(cls, key: str) -> Stage:
        """The stage with this key; one that is no longer in STAGES is known by its key."""
        return next((stage for stage in STAGES if stage.key == key), cls(key=key, label=key.capitalize()))


STAGES = (
    Stage(key="scoping", label="Scoping need"),
    Stage(key="scan", label="Horizon scan"),
    Stage(key="evaluate", label="Evaluate"),
    Stage(key="plan", label="Plan to adopt"),
    Stage(key="adopt", label="Adapt and adopt"),
    Stage(key="embed", label="Embed"),
    Stage(key="spread", label="Spread"),
    Stage(key="sustain", label="Sustain", asked=False),
    Stage(key="paused", label="Paused", asked=False, halted=True),
    Stage(key="stopped", label="Stopped with learning", asked=False, halted=True),
)
"""The hub's stages, in order. This is the one place to change them; only their keys are kept."""
SCOPING, PAUSED = STAGES[0], Stage.of("paused")


class ProjectRow(Base):
    """`counted_from`: when the last report came, else the start, or when updates were asked for again after a stage without."""

    __tablename__ = "projects"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    type: Mapped[ProjectType] = mapped_column(one_of(ProjectType, "type"))
    need: Mapped[str]
    sro: Mapped[str]
    lead_id: Mapped[int | None] = mapped_column(sa.ForeignKey("people.id"), index=True)
    stage: Mapped[str]
    idea_id: Mapped[int | None] = mapped_column(sa.ForeignKey("ideas.id"))
    started_at: Mapped[datetime]
    counted_from: Mapped[datetime] = mapped_column(index=True)


class ProjectPartnerRow(Base):
    """A partner in a project; `adoption` says how far it is with a national product."""

    __tablename__ = "project_partners"
    project_id: Mapped[int] = mapped_column(sa.ForeignKey("projects.id"), primary_key=True)
    organisation_id: Mapped[int] = mapped_column(sa.ForeignKey("organisations.id"), primary_key=True)
    adoption: Mapped[Adoption] = mapped_column(one_of(Adoption, "adoption"), default=Adoption.NOT_STARTED)


class ProjectFollowerRow(Base):
    __tablename__ = "project_followers"
    project_id: Mapped[int] = mapped_column(sa.ForeignKey("projects.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("people.id"), primary_key=True)


class ProjectReportRow(Base):
    """A highlight report: once written, never changed."""

    __tablename__ = "project_reports"
    __table_args__ = (
        sa.CheckConstraint("rag NOT IN ('amber', 'red') OR path <> ''", name="path_to_green"),
        sa.Index("ix_project_reports_project_id_id", "project_id", "id"),
        sa.Index("ix_project_reports_at", "at"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(sa.ForeignKey("projects.id"))
    by_id: Mapped[int] = mapped_column(sa.ForeignKey("people.id"))
    at: Mapped[datetime]
    rag: Mapped[Rag] = mapped_column(one_of(Rag, "rag"))
    why: Mapped[str]
    path: Mapped[str]
    done: Mapped[str]
    planned: Mapped[str]
    needed: Mapped[str]
    milestone: Mapped[str]
    milestone_on: Mapped[date | None] = mapped_column(sa.Date)
    risk: Mapped[str]
    risk_owner: Mapped[str]
    stage: Mapped[str]
