"""What falls due, pure: a topic's rules make a Plan of facts and the time; here all plans become what is said today."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from handlers import calendar
from handlers.calendar import local_day
from storage.nudges import Nudge, message_key
from storage.outbox import Notice

MOST_NUDGES = 5
"""How often somebody is reminded in one way of one thing; then it is left to the digest."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a topic finds due now: messages of their own, and reminders that share one message a day."""

    notices: tuple[Notice, ...] = ()
    nudges: tuple[Nudge, ...] = ()


def joined(plans: Iterable[Plan]) -> Plan:
    """All plans as one."""
    there = tuple(plans)
    return Plan(
        notices=tuple(notice for plan in there for notice in plan.notices), nudges=tuple(nudge for plan in there for nudge in plan.nudges)
    )


def sayable(
    nudges: Collection[Nudge], *, told_today: Collection[int], times: Mapping[tuple[int, str, str], int], now: datetime
) -> tuple[Nudge, ...]:
    """The nudges that may be said now: in working hours, to whom nothing was said today, and not more than five times."""
    if calendar.is_quiet(now):
        return ()
    return tuple(
        each for each in nudges if each.person_id not in told_today and times.get((each.person_id, each.kind, each.about), 0) < MOST_NUDGES
    )


def messages(nudges: Collection[Nudge], now: datetime) -> tuple[Notice, ...]:
    """One message for each person who is reminded of something today."""
    day = local_day(now)
    return tuple(
        Notice(key=message_key(person_id, day), kind="nudges.today", person_id=person_id, args={"day": day.isoformat()})
        for person_id in sorted({each.person_id for each in nudges})
    )
