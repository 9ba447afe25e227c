"""When a project's monthly update is asked for: once each month, of its lead, else of the Core Team."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from handlers import calendar
from handlers.calendar import local_day
from scheduler.planning import Plan
from storage import people, projects
from storage.database import Session
from storage.nudges import Nudge
from storage.people import Group
from storage.projects import Awaited

SHORTEST_MONTH = timedelta(days=28)
CUT_OFF = timedelta(days=62)
"""An update that is a month late is no longer asked for: the portfolio shows how old the last one is."""


async def due(session: Session, now: datetime) -> Plan:
    """The updates that are due now."""
    awaited = await projects.list_awaited(session, since=now - CUT_OFF, until=now - SHORTEST_MONTH)
    leaderless = any(each.lead_id is None for each in awaited)
    core_team = [person.id for person in await people.members(session, Group.CORE_TEAM)] if leaderless else []
    return Plan(nudges=nudges(awaited, core_team, now))


def nudges(awaited: Collection[Awaited], core_team: Collection[int], now: datetime) -> tuple[Nudge, ...]:
    """One for each project whose calendar month is over, and for each person who may be asked.

    Each month's update is a thing of its own, so that the limit on reminders about one thing never ends them.
    """
    found = []
    for each in awaited:
        day = calendar.add_months(local_day(each.counted_from), 1)
        if day > local_day(now):
            continue
        about = f"project:{each.id}:update:{day.isoformat()}"
        args = {"project": str(each.id), "since": each.counted_from.isoformat()}
        found += [
            Nudge(
                key=f"{about}:{person_id}",
                kind="projects.update_due",
                person_id=person_id,
                about=about,
                args=args,
            )
            for person_id in ((each.lead_id,) if each.lead_id is not None else core_team)
        ]
    return tuple(found)
