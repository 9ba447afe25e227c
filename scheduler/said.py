"""What people were reminded of: a day's message that came too late to be sent has said nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime

from handlers.calendar import local_day
from handlers.nudges import is_too_late
from storage import nudges, outbox
from storage.database import Session
from storage.outbox import Unsent


async def said(session: Session, keys: Collection[str], now: datetime) -> Mapping[str, date]:
    """On which day each of these nudges was said; those that were not are left out."""
    planned = await nudges.planned(session, keys)
    messages = {each.key: nudges.message_key(each.person_id, each.day) for each in planned}
    unsent = await outbox.unsent(session, set(messages.values()))
    return {each.key: each.day for each in planned if not is_held_up(each.day, unsent.get(messages[each.key]), now)}


def is_held_up(day: date, unsent: Unsent | None, now: datetime) -> bool:
    """Whether the message of a day can no longer be sent, or was dropped for that: what it would have said is still to be said."""
    if unsent is None:
        return False
    return day < local_day(now) if unsent.dropped_at is None else is_too_late(day, unsent.dropped_at)
