"""How long an idea may wait, in working days."""

from __future__ import annotations

from datetime import date, datetime

from handlers import calendar
from handlers.words import LONDON

ASSESSOR_WITHIN = 4
DECIDED_WITHIN = 6


def local_day(moment: datetime) -> date:
    """The day on the calendar here."""
    return moment.astimezone(LONDON).date()


def assessor_by(submitted_at: datetime) -> date:
    """The day on which somebody should have it."""
    return calendar.add_working_days(local_day(submitted_at), ASSESSOR_WITHIN)


def decision_by(counted_from: datetime) -> date:
    """The day on which it should be decided."""
    return calendar.add_working_days(local_day(counted_from), DECIDED_WITHIN)
