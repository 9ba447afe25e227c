"""Sample data for the demonstration: 12 partners, people named by their roles, a year of their work. Never loaded in production."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from storage import people
from storage.database import Session
from storage.pulse.rounds import WheelWords
from storage.sample import education, ideas, projects, pulse, roles

__all__ = ["SamplePersona", "load"]


@dataclass(frozen=True, kw_only=True)
class SamplePersona:
    """Somebody one can be in the demonstration."""

    slug: str
    label: str
    person_id: int


PERSONAS = (
    ("staff", "Ward nurse, University Hospitals Dorset", "nurse"),
    ("partner", "Partner representative, Third sector partner", "partner"),
    ("core-team", "Core Team member", "core"),
    ("administrator", "Administrator", "admin"),
)


async def load(session: Session, *, wheel: WheelWords, now: datetime) -> Sequence[SamplePersona]:
    """Loads the sample into a database without organisations; returns the personas, loaded now or before.

    `wheel` is the illustrative one, which the sample's rounds ask.
    """
    if not await people.list_organisations(session):
        await _load(session, wheel, now)
    ids = {person.name: person.id for person in await people.list_people(session)}
    names = {role.key: role.name for role in roles.ROLES}
    return tuple(SamplePersona(slug=slug, label=label, person_id=ids[names[key]]) for slug, label, key in PERSONAS if names[key] in ids)


async def _load(session: Session, wheel: WheelWords, now: datetime) -> None:
    hub = await roles.load(session, now=now - timedelta(days=365))
    shared = await ideas.load(session, hub, now=now)
    await projects.load(session, hub, shared, now=now)
    await education.load(session, hub, now=now)
    await pulse.load(session, hub, wheel=wheel, now=now)
