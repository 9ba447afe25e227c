"""Reminders: all that somebody is reminded of on one day, in one message."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime

from handlers import calendar
from handlers.calendar import local_day
from handlers.routing import Occasion, Router, Routes
from handlers.views import Card, Lines, Message, Text
from storage import nudges

FOOTER = "I send at most one message like this a day, on working days."


def is_too_late(day: date, now: datetime) -> bool:
    """Whether a day's message is not to be sent any more: the day or its working hours are over."""
    return local_day(now) != day or calendar.is_quiet(now)


def router_for(routes: Callable[[], Routes]) -> Router:
    """This topic's routes; `routes` gives those of all topics, which say what each reminder is."""
    router = Router()

    @router.message("nudges.today", awaited=False)
    async def today(occasion: Occasion) -> Message | None:
        """What is still true of the day's reminders; what was held up until its day was over is planned again."""
        assert occasion.person is not None
        day, lines = date.fromisoformat(occasion.args["day"]), []
        if is_too_late(day, occasion.now):
            return None
        for nudge in await nudges.of_day(occasion.session, occasion.person.id, day):
            build = routes().nudges.get(nudge.kind)
            line = await build(replace(occasion, args=nudge.args)) if build else None
            lines += [line] if line else []
        if not lines:
            return None
        return Message(card=Card(title="A reminder from the hub", blocks=(Lines(lines=tuple(lines)), Text(text=FOOTER, kind="note"))))

    return router
