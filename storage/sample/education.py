"""The sample's education programme: sessions held and recorded, sessions and training days to come, and who comes to them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from storage import education
from storage.database import Session
from storage.education import Answer, Area, Details, EventKind
from storage.sample.roles import SampleHub

LONDON = ZoneInfo("Europe/London")
HOST = "NHS Dorset Centralised Research and Innovation Service"


@dataclass(frozen=True, kw_only=True)
class SampleSession:
    """A Community of Practice session so many weeks from the next one on; those before now have a recording."""

    weeks: int
    title: str
    about: str
    yes: tuple[str, ...]
    maybe: tuple[str, ...] = ()
    no: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class SampleDay:
    """A training day so many weeks from the next session on; who says yes after the places are taken waits."""

    weeks: int
    area: Area
    place: str
    places: int
    yes: tuple[str, ...]
    maybe: tuple[str, ...] = ()


SESSIONS = (
    SampleSession(
        weeks=-48, title="Implementing Sustainable Change: recognising context and individuals",
        about="Why a change that works in one place fails in another, and what to ask people before it starts.",
        yes=("core", "nurse", "physio", "social", "lecturer", "network"),
    ),
    SampleSession(
        weeks=-37, title="Demonstrating Impact – planning and measuring",
        about="Choose what to measure before you begin, so that you can show what became better.",
        yes=("core", "lecturer", "gp", "dietitian", "carehomes", "network", "partner"),
    ),
    SampleSession(
        weeks=-26, title="Prioritising the Priorities", about="How a few agreed priorities, done well, beat a long list.",
        yes=("core", "admin", "partner", "officer", "social", "founder"), no=("midwife",),
    ),
    SampleSession(
        weeks=-15, title="Visualising Innovation – maximising impact through posters",
        about="Say in one poster what you changed, for whom, and what came of it.",
        yes=("nurse", "midwife", "physio", "dietitian", "lecturer"), maybe=("gp",),
    ),
    SampleSession(
        weeks=-6, title="Getting Bid Ready", about="What funders look for, and how to have the answers before the call opens.",
        yes=("founder", "network", "core", "carehomes", "pharmacist", "partner", "nurse"), no=("officer",),
    ),
    SampleSession(
        weeks=0, title="Stakeholders: who to talk to first",
        about="Find those who decide, who do the work and who gain, and talk to them in time.",
        yes=("core", "nurse", "midwife", "network", "social", "lecturer"), maybe=("gp", "partner"), no=("officer",),
    ),
    SampleSession(
        weeks=7, title="Making Meaningful Change", about="Small tests of change that a busy team can run in a week.",
        yes=("physio", "dietitian", "core"), maybe=("carehomes",),
    ),
)  # fmt: skip

DAYS = (
    SampleDay(
        weeks=-30, area=Area.EAST, place="Health Sciences University, Bournemouth", places=16,
        yes=("nurse", "dietitian", "social", "officer", "founder", "carehomes"),
    ),
    SampleDay(
        weeks=-12, area=Area.WEST, place="Education centre, Dorchester", places=16, yes=("midwife", "gp", "physio", "pharmacist"),
    ),
    SampleDay(
        weeks=4, area=Area.EAST, place="Health Sciences University, Bournemouth", places=8,
        yes=("midwife", "physio", "gp", "pharmacist", "network", "social", "carehomes", "officer", "founder", "nurse", "dietitian"),
    ),
    SampleDay(
        weeks=16, area=Area.WEST, place="Education centre, Dorchester", places=10,
        yes=("partner", "lecturer", "dietitian", "social", "gp", "carehomes", "physio", "officer"), maybe=("nurse",),
    ),
)  # fmt: skip


def _day(now: datetime, weeks: int) -> date:
    """A Wednesday, which no bank holiday falls on but at Christmas; the first is three days ahead or more."""
    first = now.astimezone(LONDON).date() + timedelta(days=3)
    day = first + timedelta(days=(2 - first.weekday()) % 7, weeks=weeks)
    while (day.month, day.day) >= (12, 24) or (day.month, day.day) <= (1, 2):
        day += timedelta(weeks=1)
    return day


def _at(day: date, clock: time) -> datetime:
    return datetime.combine(day, clock, tzinfo=LONDON)


async def load(session: Session, hub: SampleHub, *, now: datetime) -> None:
    """Adds sessions and training days with the answers of the sample's people."""
    for each in SESSIONS:
        starts_at = _at(_day(now, each.weeks), time(12, 30))
        name = each.title.partition(":")[0].partition(" –")[0].lower().replace(" ", "-")
        details = Details(
            title=each.title, about=each.about, starts_at=starts_at, ends_at=starts_at + timedelta(hours=1), place="", area=None,
            link=f"https://example.org/join/{name}", host=HOST, places=100,
        )  # fmt: skip
        said = {Answer.YES: each.yes, Answer.MAYBE: each.maybe, Answer.NO: each.no}
        id = await _add(session, hub, EventKind.COP, details, said, now)
        if each.weeks < 0:
            await education.publish(session, id, recording=f"https://example.org/recordings/{name}", slides="")
    for day in DAYS:
        starts_at = _at(_day(now, day.weeks), time(9, 30))
        details = Details(
            title="Fundamentals of Innovation Adoption",
            about="Explore why adopting innovation is hard, and practise what helps. A follow-up online answers later questions.",
            starts_at=starts_at, ends_at=starts_at + timedelta(hours=7), place=day.place, area=day.area, link="", host=HOST,
            places=day.places,
        )  # fmt: skip
        id = await _add(session, hub, EventKind.FUNDAMENTALS, details, {Answer.YES: day.yes, Answer.MAYBE: day.maybe}, now)
        if day.weeks < 0:
            await education.publish(session, id, recording="", slides=f"https://example.org/slides/fundamentals-{day.area}")


async def _add(
    session: Session, hub: SampleHub, kind: EventKind, details: Details, said: dict[Answer, tuple[str, ...]], now: datetime
) -> int:
    """One event, planned 60 days before it or earlier, and answered in the weeks after."""
    planned_at = min(details.starts_at, now + timedelta(days=40)) - timedelta(days=60)
    id = await education.add(session, details, kind=kind, now=planned_at)
    for number, (answer, person) in enumerate((answer, person) for answer, all_of in said.items() for person in all_of):
        event = await education.hold(session, id)
        assert event is not None
        answered_at = planned_at + timedelta(days=1, hours=7 * number)
        await education.answer(session, event, hub.people[person], answer, now=answered_at)
    return id
