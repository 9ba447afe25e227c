"""When the Core Team's digest is due: once a week, on Monday at 9am or the next working day."""

from __future__ import annotations

from datetime import datetime, time

from handlers import calendar
from handlers.digest import LATE
from scheduler.planning import Plan
from storage.database import Session
from storage.outbox import Notice
from storage.people import Group

WEEKDAY, CLOCK = 0, time(9)


async def due(_session: Session, now: datetime) -> Plan:
    """The week's digest, from its slot until it is too late."""
    day, begins = calendar.weekly_slot(now, WEEKDAY, CLOCK)
    if now - begins >= LATE:
        return Plan()
    key, args = f"digest:core_team:{day.isoformat()}", {"slot": begins.isoformat()}
    return Plan(notices=(Notice(key=key, kind="digest.weekly", group=Group.CORE_TEAM, args=args),))
