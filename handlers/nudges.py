"""Reminders: all that somebody is reminded of on one day, in one message."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

from handlers.routing import Occasion, Router, Routes
from handlers.views import Card, Lines, Message, Text
from storage import nudges

FOOTER = "I send at most one message like this a day, on working days."


def router_for(routes: Callable[[], Routes]) -> Router:
    """This topic's routes; `routes` gives those of all topics, which say what each reminder is."""
    router = Router()

    @router.message("nudges.today", awaited=False)
    async def today(occasion: Occasion) -> Message | None:
        """What is still true of the day's reminders."""
        assert occasion.person is not None
        lines = []
        for nudge in await nudges.of_day(occasion.session, occasion.person.id, date.fromisoformat(occasion.args["day"])):
            build = routes().nudges.get(nudge.kind)
            line = await build(replace(occasion, args=nudge.args)) if build else None
            lines += [line] if line else []
        if not lines:
            return None
        return Message(card=Card(title="A reminder from the hub", blocks=(Lines(lines=tuple(lines)), Text(text=FOOTER, kind="note"))))

    return router
