"""Asks every topic what is due and enqueues it: each thing once, however often and wherever it is asked."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import TypeAlias

from handlers import calendar
from handlers.calendar import local_day
from scheduler import digest, education, ideas, planning, projects, pulse
from scheduler.planning import Plan
from scheduler.said import said
from storage import nudges, outbox
from storage.database import Database, Session
from storage.nudges import Nudge

log = logging.getLogger(__name__)

Rules: TypeAlias = Callable[[Session, datetime], Awaitable[Plan]]
"""A topic's rules of time: reads its facts and says what is due at this instant."""

TOPICS: Sequence[Rules] = (digest.due, education.due, ideas.due, projects.due, pulse.due)
"""The rules of all topics."""


class Planner:
    """Plans for all topics; any number of replicas may do so at once."""

    def __init__(self, database: Database, *, clock: Callable[[], datetime], topics: Sequence[Rules] = TOPICS) -> None:
        self._database, self._clock, self._topics = database, clock, topics

    async def run(self) -> int:
        """Enqueues what is due and was not enqueued before; returns how many things."""
        now = self._clock()
        await asyncio.to_thread(calendar.is_working_day, local_day(now))  # the first question of all loads the bank holidays
        plan = planning.joined([await self._ask(rules, now) for rules in self._topics])
        async with self._database.reading() as session:
            due = await self._new(session, plan, now)
        if not due.notices and not due.nudges:
            return 0
        async with self._database.transaction() as session:
            fresh = await self._new(session, due, now)
            await outbox.enqueue(session, *fresh.notices, due_at=now)
            return len(fresh.notices) + await self._remind(session, fresh.nudges, now)

    async def _remind(self, session: Session, due: Sequence[Nudge], now: datetime) -> int:
        """Adds each person's message with what it is to say; returns of how many things people are reminded.

        Where another planner was first, its message may be on its way: what it does not say waits for another day.
        """
        first = {notice.person_id for notice in planning.messages(due, now) if await outbox.enqueue_first(session, notice, due_at=now)}
        added = [nudge for nudge in due if nudge.person_id in first]
        await nudges.add(session, added, day=local_day(now))
        return len(added)

    async def _ask(self, rules: Rules, now: datetime) -> Plan:
        """A topic's plan; a fault in one topic holds no other up."""
        try:
            async with self._database.reading() as session:
                return await rules(session, now)
        except Exception as error:
            log.error("a topic could not say what is due", exc_info=error, extra={"topic": rules.__module__})
            return Plan()

    async def _new(self, session: Session, plan: Plan, now: datetime) -> Plan:
        """What of a plan was not said before and may be said now."""
        there = await outbox.known(session, [notice.key for notice in plan.notices])
        before = await said(session, [nudge.key for nudge in plan.nudges], now)
        unsaid = {nudge.key: nudge for nudge in plan.nudges if nudge.key not in before}
        told = await nudges.told_on(session, local_day(now)) if unsaid else frozenset()
        times = await nudges.times(session, {nudge.person_id for nudge in unsaid.values()}, without=unsaid) if unsaid else {}
        return Plan(
            notices=tuple(notice for notice in plan.notices if notice.key not in there),
            nudges=planning.sayable(unsaid.values(), told_today=told, times=times, now=now),
        )
