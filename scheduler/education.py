"""Reminders of events: a week, a day and a quarter of an hour before, at the wall time that those who come live by."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from handlers import calendar
from handlers.education.messages import reminder_notice
from handlers.education.reminders import Reminder, is_late
from scheduler.planning import Plan
from storage import education
from storage.database import Session
from storage.education import Expected

EARLIEST = timedelta(days=7, hours=1)
"""How long before the start a reminder can be due; the hour is for a clock change in between."""


def moment(reminder: Reminder, starts_at: datetime) -> datetime:
    """When a reminder is due: days before at the same wall time, minutes before exactly."""
    if reminder is Reminder.SOON:
        return starts_at - timedelta(minutes=15)
    before = timedelta(days=7 if reminder is Reminder.WEEK else 1)
    return calendar.at_wall_time(calendar.local_day(starts_at) - before, calendar.local_time(starts_at).time())


def is_due(reminder: Reminder, expected: Expected, now: datetime) -> bool:
    """Whether somebody is to be reminded now; not of a moment from before they said yes, or before it was put at that time."""
    at = moment(reminder, expected.starts_at)
    return max(expected.since, expected.timed_at) <= at <= now and not is_late(reminder, expected.starts_at, now)


def plan(expected: Iterable[Expected], now: datetime) -> Plan:
    """The reminders that are due."""
    notices = (
        reminder_notice(each.event_id, each.person_id, reminder, each.starts_at)
        for each in expected
        for reminder in Reminder
        if is_due(reminder, each, now)
    )
    return Plan(notices=tuple(notices))


async def due(session: Session, now: datetime) -> Plan:
    """What is due now, of the events of the next week."""
    return plan(await education.expected(session, since=now, until=now + EARLIEST), now)
