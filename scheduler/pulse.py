"""The maturity pulse in time: when people are reminded, when a round closes, and that it closes however often it is interrupted."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import date, datetime, timedelta
from random import Random, SystemRandom

from handlers import calendar
from handlers.calendar import local_day
from handlers.pulse import closing
from scheduler.planning import Plan
from scheduler.said import said
from storage import people
from storage.database import Database, Session
from storage.keys import Unreadable
from storage.nudges import Nudge
from storage.pulse import participation, rounds
from storage.pulse.participation import Participation
from storage.pulse.rounds import Round, RoundState

log = logging.getLogger(__name__)


async def due(session: Session, now: datetime) -> Plan:
    """An invitation and the reminders of those who have not finished and still want them."""
    round = await rounds.under_way(session)
    if round is None or not round.takes_answers(now):
        return Plan()
    states = await participation.of_round(session, round.id)
    asked = [person.id for person in await people.members(session, *round.groups) if states.get(person.id) in (None, Participation.BEGUN)]
    invited = await said(session, [_key(round, "invitation", id) for id in asked], now)
    found = (_next(round, id, invited.get(_key(round, "invitation", id)), now) for id in asked)
    return Plan(nudges=tuple(nudge for nudge in found if nudge))


def reminder_days(opens_at: datetime, closes_at: datetime) -> tuple[date, ...]:
    """Three working days at most, spread over the window, the last of them being its last."""
    first, last = (local_day(instant) for instant in (opens_at, closes_at))
    after = (first + timedelta(days=days) for days in range(1, (last - first).days + 1))
    days = [day for day in after if calendar.is_working_day(day) and calendar.at_wall_time(day, calendar.OPENS) < closes_at]
    return tuple(sorted({days[len(days) // 3], days[len(days) * 2 // 3], days[-1]})) if days else ()


def _next(round: Round, person_id: int, invited_on: date | None, now: datetime) -> Nudge | None:
    """The invitation first, whenever it comes; then the newest reminder since. One that was missed is made up for until the next."""
    if invited_on is None:
        return _nudge(round, person_id, "pulse.invitation", "invitation")
    days = reminder_days(round.opens_at, round.closes_at)
    come = [number for number, day in enumerate(days, start=1) if invited_on < day <= local_day(now)]
    return _nudge(round, person_id, "pulse.reminder", f"reminder:{come[-1]}") if come else None


def _key(round: Round, what: str, person_id: int) -> str:
    return f"pulse:{round.id}:{what}:{person_id}"


def _nudge(round: Round, person_id: int, kind: str, what: str) -> Nudge:
    args = {"round": str(round.id)}
    return Nudge(key=_key(round, what, person_id), kind=kind, person_id=person_id, about=f"pulse:{round.id}", args=args)


class Closing:
    """Closes the round whose time has come, in small steps that each leave off where the next process can go on."""

    def __init__(self, database: Database, *, clock: Callable[[], datetime], chance: Random | None = None) -> None:
        self._database, self._clock, self._chance = database, clock, chance or SystemRandom()

    async def run(self) -> bool:
        """Goes as far as it can; whether a round is now over. To be called again and again."""
        async with self._database.reading() as session:
            round = await rounds.under_way(session)
        if round is None or round.takes_answers(self._clock()):
            return False
        if round.state is RoundState.OPEN:
            async with self._database.transaction() as session:
                await rounds.mark_closing(session, round.id, at=round.closes_at)
        if round.state is not RoundState.CLOSED and not await self._count(round):
            return False
        if not await self._database.empty_log():
            log.warning("a reader holds back what a closed round leaves behind", extra={"round": round.id})
            return False
        return await self._tell(round)

    async def _count(self, round: Round) -> bool:
        """Whether the answers are counted and gone."""
        try:
            async with self._database.transaction() as session, rounds.impatient(session):
                if await rounds.hold(session, round.id, RoundState.CLOSING, alone=True):
                    await closing.count(session, round, self._chance)
        except rounds.InUse:
            log.info("a round cannot close yet: its tables are in use", extra={"round": round.id})
            return False
        except Unreadable:
            log.error("a round cannot close: no key in DIH_SECRET_KEYS opens it", extra={"round": round.id})
            return False
        return True

    async def _tell(self, round: Round) -> bool:
        async with self._database.transaction() as session:
            first = await rounds.mark_cleaned(session, round.id)
            if first:
                await closing.tell(session, round, self._clock())
        return first
