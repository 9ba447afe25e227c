"""How long an idea may wait, in working days, and the words for how long it has."""

from __future__ import annotations

from datetime import date, datetime

from handlers import calendar, words
from handlers.calendar import local_day
from storage.ideas import Idea

ASSESSOR_WITHIN = 4
DECIDED_WITHIN = 6


def assessor_by(submitted_at: datetime) -> date:
    """The day on which somebody should have it."""
    return calendar.add_working_days(local_day(submitted_at), ASSESSOR_WITHIN)


def decision_by(counted_from: datetime) -> date:
    """The day on which it should be decided."""
    return calendar.add_working_days(local_day(counted_from), DECIDED_WITHIN)


def waits(idea: Idea, now: datetime) -> str:
    """How long an idea has waited, and for whom."""
    today = local_day(now)
    if idea.decision and idea.decision.review_on:
        return f"Put off until {words.day(idea.decision.review_on)} by {idea.assessor}. It is time to look at it again."
    days = (today - local_day(idea.submitted_at)).days
    waits = f"Waiting {words.count(days, 'day')}" if days else "Shared today"
    who = f"{idea.assessor} has it" if idea.assessor else "Nobody has it yet"
    who = f"{idea.assessor}, who had it, has left the Core Team" if idea.assessor_left else who
    due_on = idea.due_on or decision_by(idea.submitted_at)
    late = f" Overdue since {words.day(due_on)}." if due_on < today else f" To be decided by {words.day(due_on)}."
    return f"{waits}. {who}.{late}"
