"""Delivery of what waits: claim, commit, build the message now, send outside any transaction, settle each by itself."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import random
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, TypeAlias, assert_never

from handlers.routing import Occasion, Routes, TooLate
from handlers.views import Message
from storage import outbox, people, places
from storage.database import Database, Session
from storage.outbox import Claimed, Notice, State
from storage.people import Group

log = logging.getLogger(__name__)

AT_ONCE = 8
ATTEMPTS = 10
FIRST_WAIT = timedelta(seconds=5)
LONGEST_WAIT = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class Target:
    """Where a message goes: somebody's account, or a group's place."""

    channel: str
    tenant: str
    user: str | None = None
    place: str | None = None
    person_id: int | None = None

    @property
    def key(self) -> str:
        """What a live message's handle is remembered under."""
        return f"{self.channel}/{self.tenant}/{self.user or self.place}"


@dataclass(frozen=True, kw_only=True)
class Sent:
    """It arrived; `handle` is how the channel finds it again."""

    handle: str | None = None


@dataclass(frozen=True, kw_only=True)
class RetryLater:
    """It did not arrive; try again, after `seconds` if the channel said so."""

    reason: str
    seconds: float | None = None


@dataclass(frozen=True, kw_only=True)
class Ambiguous:
    """It may have arrived or not."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class TargetDead:
    """This account or place takes nothing any more."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class CredentialsDead:
    """The channel no longer lets us in."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class Missed:
    """It was held up for so long that it would help nobody any more."""

    reason: str = outbox.MISSED


@dataclass(frozen=True, kw_only=True)
class BadContent:
    """The channel refuses what we made: a bug of ours."""

    reason: str


Result: TypeAlias = Sent | RetryLater | Ambiguous | TargetDead | CredentialsDead | BadContent


@dataclass(frozen=True, kw_only=True)
class _Letter:
    """A message with those who may get it, the best first."""

    message: Message
    targets: tuple[Target, ...]


class Sender(Protocol):
    """A channel's way out."""

    async def send(self, target: Target, message: Message, *, ticket: str, handle: str | None) -> Result:
        """Sends once, without trying again by itself; with a handle, changes what stands there."""


def ticket_of(notice: Notice) -> str:
    """The ticket on a delivered message's buttons: the same whenever the notice is sent again."""
    return hashlib.blake2b(notice.key.encode(), digest_size=12).hexdigest()


class Delivery:
    """Empties the outbox; any number of replicas may do so at once."""

    def __init__(
        self,
        database: Database,
        routes: Routes,
        senders: Mapping[str, Sender],
        *,
        clock: Callable[[], datetime],
        lease_seconds: float,
        chance: random.Random | None = None,
    ) -> None:
        self._database, self._routes, self._senders, self._clock = database, routes, senders, clock
        self._lease_seconds = lease_seconds
        self._chance = chance or random.Random()  # noqa: S311 - jitter, not a secret
        self._due = asyncio.Event()
        self._stopping = False

    def wake(self) -> None:
        """Something may be due now."""
        self._due.set()

    async def keep_running(self) -> None:
        """Sends whenever woken, until stopped; a fault is logged and the next wake-up tries again."""
        while not self._stopping:
            await self._due.wait()
            self._due.clear()
            try:
                await self.run()
            except Exception as error:
                log.error("the outbox could not be read", exc_info=error)

    def stop(self) -> None:
        """What is being sent is finished; nothing more is begun."""
        self._stopping = True
        self._due.set()

    async def run(self) -> int:
        """Sends all that is due, and settles for senders that went silent; returns how many notices were handled."""
        handled = await self._expire()
        while not self._stopping and (claimed := await self._claim()):
            ended = await asyncio.gather(*(self._deliver(each) for each in claimed), return_exceptions=True)
            for fault in ended:  # only now: the others of the batch are sent and settled by themselves
                if fault is not None:
                    raise fault
            handled += len(claimed)
        return handled

    async def _claim(self) -> tuple[Claimed, ...]:
        """No more than are sent at the same moment: a claimed notice never waits behind another."""
        async with self._database.reading() as session:
            if not await outbox.any_due(session, now=self._clock()):
                return ()
        async with self._database.transaction() as session:
            lease = secrets.token_hex(8)
            return await outbox.claim(session, lease=lease, now=self._clock(), seconds=self._lease_seconds, limit=AT_ONCE)

    async def _expire(self) -> int:
        async with self._database.reading() as session:
            if not await outbox.any_expired(session, now=self._clock()):
                return 0
        async with self._database.transaction() as session:
            silent = await outbox.expired(session, now=self._clock(), limit=100)
            for claimed in silent:
                await self._settle(session, claimed, Ambiguous(reason="the sender went silent"))
            return len(silent)

    async def _deliver(self, claimed: Claimed) -> None:
        try:
            built = await self._build(claimed)
        except Exception as error:
            log.error("a message could not be built", exc_info=error, extra=_facts(claimed))
            built = RetryLater(reason="the message could not be built")
        if isinstance(built, _Letter):
            built = await self._send(claimed, built)
            if isinstance(built, TargetDead) and claimed.notice.group is not None:
                log.warning("a place takes no messages: its members are told instead", extra={**_facts(claimed), "reason": built.reason})
                await self._spread(claimed, claimed.notice.group)
                return
        if built is not None:
            async with self._database.transaction() as session:
                await self._settle(session, claimed, built)

    # -- building

    async def _build(self, claimed: Claimed) -> _Letter | Result | Missed | None:
        """The message as it is true now with those who may get it, or a result, or None when it was settled here."""
        notice = claimed.notice
        route = self._routes.messages.get(notice.kind)
        if route is None:
            return BadContent(reason=f"no such kind of message: {notice.kind}")
        async with self._database.reading() as session:
            targets = await self._targets(session, notice)
            person = None if notice.person_id is None else await people.find(session, notice.person_id)
            occasion = Occasion(session=session, now=self._clock(), args=notice.args, person=person)
            try:
                message = await route.build(occasion) if targets else None
            except TooLate:
                return Missed()
        if notice.group is not None and not targets:
            await self._spread(claimed, notice.group)
            return None
        if targets and message is None:
            async with self._database.transaction() as session:
                await outbox.settle(session, claimed, State.DROPPED, now=self._clock(), reason=outbox.UNTRUE)
            return None
        if message is None:
            return TargetDead(reason="the person has no account")
        return _Letter(message=message, targets=targets)

    async def _targets(self, session: Session, notice: Notice) -> tuple[Target, ...]:
        """The group's place, or the person's accounts: the one that the notice names first, then the last used."""
        if notice.group is not None:
            place = await places.find(session, notice.group)
            return (Target(channel=place.channel, tenant=place.tenant, place=place.place),) if place else ()
        assert notice.person_id is not None
        person = await people.find(session, notice.person_id)
        theirs = await people.accounts_of(session, notice.person_id)
        last, named = person.last_account_id if person else None, notice.args.get("account")
        ordered = sorted(theirs, key=lambda account: (str(account.id) != named, account.id != last, -account.id))
        return tuple(
            Target(channel=each.key.channel, tenant=each.key.tenant, user=each.key.user, person_id=notice.person_id) for each in ordered
        )

    async def _spread(self, claimed: Claimed, group: Group) -> None:
        """A group without a place that works: one notice for each member instead, for administrators where it has none yet."""
        notice, now = claimed.notice, self._clock()
        async with self._database.transaction() as session:
            told = await people.members(session, group) or await people.administrators(session)
            if not told:
                later = now + LONGEST_WAIT
                await outbox.put_back(session, claimed, now=now, due_at=later, reason="nobody is in the group yet", attempts=0)
                return
            if await outbox.settle(session, claimed, State.SPREAD, now=now):
                await outbox.enqueue(session, *(notice.for_member(person.id) for person in told), due_at=now)

    # -- sending

    async def _send(self, claimed: Claimed, letter: _Letter) -> Result:
        """Sends to the first target that still takes messages."""
        result: Result = TargetDead(reason="nowhere to send it")
        for target in letter.targets:
            try:
                async with asyncio.timeout(self._lease_seconds):
                    result = await self._send_to(claimed, letter.message, target)
            except TimeoutError:
                return Ambiguous(reason="the channel gave no answer within the lease")
            except Exception as error:
                log.error("a message could not be sent", exc_info=error, extra=_facts(claimed))
                return Ambiguous(reason="a fault on our side while sending")
            if not isinstance(result, TargetDead):
                break
        return result

    async def _send_to(self, claimed: Claimed, message: Message, target: Target) -> Result:
        sender = self._senders.get(target.channel)
        if sender is None:
            return TargetDead(reason=f"the channel {target.channel} is off")
        handle = None
        if message.live:
            async with self._database.reading() as session:
                handle = await outbox.live_handle(session, key=message.live, place=target.key)
        result = await sender.send(target, message, ticket=ticket_of(claimed.notice), handle=handle)
        if message.live and isinstance(result, Sent) and result.handle:
            async with self._database.transaction() as session:
                await outbox.place_live(session, key=message.live, place=target.key, handle=result.handle)
        return result

    # -- settling

    async def _settle(self, session: Session, claimed: Claimed, result: Result | Missed) -> None:
        """What becomes of a notice; the result of another who holds the lease by now is left alone."""
        now = self._clock()
        match result:
            case Sent():
                await outbox.settle(session, claimed, State.SENT, now=now)
            case RetryLater() | CredentialsDead():
                if claimed.attempts >= ATTEMPTS:
                    await outbox.settle(session, claimed, State.DEAD, now=now, reason=result.reason)
                else:
                    seconds = result.seconds if isinstance(result, RetryLater) else None
                    due_at = now + self._wait(claimed.attempts, seconds)
                    await outbox.put_back(session, claimed, now=now, due_at=due_at, reason=result.reason)
            case Ambiguous():
                await self._settle_ambiguous(session, claimed, result, now)
            case TargetDead() | BadContent() | Missed():
                log.warning("a message did not arrive", extra={**_facts(claimed), "reason": result.reason})
                await outbox.settle(session, claimed, State.DEAD, now=now, reason=result.reason)
            case _:
                assert_never(result)

    async def _settle_ambiguous(self, session: Session, claimed: Claimed, result: Ambiguous, now: datetime) -> None:
        """What somebody waits for is sent once more, anything else never; then it stands as unknown."""
        route = self._routes.messages.get(claimed.notice.kind)
        if route is not None and route.awaited and claimed.repeats == 0:
            due_at = now + self._wait(1, None)
            await outbox.put_back(session, claimed, now=now, due_at=due_at, reason=result.reason, repeated=True)
        else:
            await outbox.settle(session, claimed, State.UNKNOWN, now=now, reason=result.reason)

    def _wait(self, attempts: int, seconds: float | None) -> timedelta:
        """Capped exponential back-off with jitter, never shorter than the channel asked for."""
        longest = min(LONGEST_WAIT, FIRST_WAIT * float(2 ** min(attempts - 1, 20)))
        return max(longest * self._chance.uniform(0.5, 1.0), timedelta(seconds=seconds or 0))


def _facts(claimed: Claimed) -> dict[str, object]:
    return {"notice": claimed.id, "message_kind": claimed.notice.kind, "attempt": claimed.attempts}
