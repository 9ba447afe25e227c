"""Ideas in time: an assessor soon, a second look when it was promised, and news for authors who wait."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, datetime, timedelta

from handlers import calendar
from handlers.calendar import local_day
from handlers.deadlines import ASSESSOR_WITHIN, assessor_by
from scheduler.planning import Plan
from storage import ideas, people
from storage.database import Session
from storage.ideas import Idea, IdeaState
from storage.nudges import Nudge
from storage.outbox import Notice
from storage.people import Group

NEWS_EVERY = timedelta(days=30)
"""The longest that an author hears nothing while their idea is open."""
NUDGES_UNTIL = timedelta(days=30)
"""A reminder that could not be given for so long is left to the list of what waits."""
NEWS_UNTIL = timedelta(days=5)
"""News that could not be given for so long wait for the next time."""


async def due(session: Session, now: datetime) -> Plan:
    """What is due of ideas in these working hours; nothing outside them."""
    if calendar.is_quiet(now):
        return Plan()
    today = local_day(now)
    team = frozenset(person.id for person in await people.members(session, Group.CORE_TEAM))
    new = await ideas.list_open(
        session, states=(IdeaState.SUBMITTED,), since=now - NUDGES_UNTIL, until=now - timedelta(days=ASSESSOR_WITHIN - 1)
    )
    put_off = await ideas.list_to_review(session, first=today - NUDGES_UNTIL, last=today)
    waiting = await ideas.list_open(session, until=now - NEWS_EVERY + NEWS_UNTIL)
    return Plan(notices=news(waiting, today), nudges=(*without_assessor(new, team, today), *to_review(put_off, team)))


def without_assessor(new: Iterable[Idea], team: Collection[int], today: date) -> tuple[Nudge, ...]:
    """One reminder to each of the Core Team, but not to its author, of an idea that nobody has taken on in time."""
    return tuple(
        _nudge(idea, person, "ideas.needs_assessor", "needs_assessor")
        for idea in new
        if assessor_by(idea.submitted_at) <= today
        for person in sorted(set(team) - {idea.author_id})
    )


def to_review(put_off: Iterable[Idea], team: Collection[int]) -> tuple[Nudge, ...]:
    """A reminder of an idea that was put off until now, to whoever had it; to all others who decide, where that is nobody any more."""
    return tuple(
        _nudge(idea, person, "ideas.review_due", f"review:{idea.decision and idea.decision.review_on}")
        for idea in put_off
        for person in sorted({each for each in team if each == idea.assessor_id} or set(team) - {idea.author_id})
    )


def _nudge(idea: Idea, person_id: int, kind: str, what: str) -> Nudge:
    about = f"idea:{idea.id}"
    return Nudge(key=f"{about}:{what}:{person_id}", kind=kind, person_id=person_id, about=about, args={"idea": str(idea.id)})


def news(waiting: Iterable[Idea], today: date) -> tuple[Notice, ...]:
    """A word to each author who would otherwise have heard nothing of an open idea for 30 days."""
    return tuple(
        Notice(
            key=f"idea:{idea.id}:still_open:{day.isoformat()}",
            kind="ideas.still_open",
            person_id=idea.author_id,
            args={"idea": str(idea.id)},
        )
        for idea in waiting
        if (day := news_day(idea, today)) and today - day < NEWS_UNTIL
    )


def news_day(idea: Idea, today: date) -> date | None:
    """The newest day, until today, on which the author is due to hear something: a working day, at most 30 days after the one before."""
    heard, found = local_day(idea.taken_on_at or idea.submitted_at), None
    while (heard := _working_day_until(heard + NEWS_EVERY)) <= today:
        found = heard
    return found


def _working_day_until(day: date) -> date:
    while not calendar.is_working_day(day):
        day -= timedelta(days=1)
    return day
