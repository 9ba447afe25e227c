"""The three reminders of an event that people come to, and when each is too late to be of use."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum


class Reminder(StrEnum):
    """A week, a day and a quarter of an hour before."""

    WEEK = "week"
    DAY = "day"
    SOON = "soon"


LEAST_LEFT = {Reminder.WEEK: timedelta(days=2), Reminder.DAY: timedelta(hours=2), Reminder.SOON: timedelta(0)}


def is_late(reminder: Reminder, starts_at: datetime, now: datetime) -> bool:
    """Whether it would help nobody any more."""
    return starts_at - now < LEAST_LEFT[reminder]
