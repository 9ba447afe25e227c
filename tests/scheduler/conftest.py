"""A channel of which only the far side is played, and delivery to it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

import pytest

from handlers.registry import ROUTES
from handlers.routing import Occasion, Router, Routes
from handlers.views import Card, Message
from scheduler.delivery import Delivery, Result, Sender, Sent, Target
from storage import accounts, outbox, rights
from storage.database import Database
from storage.outbox import Notice, Stuck
from storage.people import Group, Person
from storage.rights import Rights
from tests.conftest import FakeClock
from tests.storage.hub import NOW, meet


@dataclass(frozen=True)
class Sending:
    """One message that left."""

    target: Target
    message: Message
    ticket: str
    handle: str | None

    @property
    def title(self) -> str:
        """What it says first."""
        return self.message.card.title


class Channel(Sender):
    """A sender whose far side answers as it is told, else that all arrived."""

    def __init__(self, results: Iterable[Result | Exception] = ()) -> None:
        self.sendings: list[Sending] = []
        self.results = list(results)
        self.before: Callable[[], Awaitable[None]] | None = None

    async def send(self, target: Target, message: Message, *, ticket: str, handle: str | None) -> Result:
        """Notes it, and answers with the next result."""
        self.sendings.append(Sending(target=target, message=message, ticket=ticket, handle=handle))
        if self.before:
            await self.before()
        result = self.results.pop(0) if self.results else Sent(handle=handle or f"message-{len(self.sendings)}")
        if isinstance(result, Exception):
            raise result
        return result

    @property
    def users(self) -> list[str | None]:
        """To whom, in order."""
        return [each.target.user or each.target.place for each in self.sendings]


class Unbuildable(Exception):
    """A message that cannot be built."""


def routes() -> Routes:
    """The bot's own kinds of message, and some for these stories."""
    router = Router()

    @router.message("test.awaited")
    async def awaited(occasion: Occasion) -> Message | None:
        return Message(card=Card(title=f"To {occasion.person.name if occasion.person else 'all'}"), live=occasion.args.get("live"))

    @router.message("test.nudge", awaited=False)
    async def nudge(_occasion: Occasion) -> Message | None:
        return Message(card=Card(title="A nudge"))

    @router.message("test.untrue")
    async def untrue(_occasion: Occasion) -> Message | None:
        return None

    @router.message("test.unbuildable")
    async def unbuildable(_occasion: Occasion) -> Message | None:
        raise Unbuildable

    return Routes((ROUTES, router))


@dataclass
class Post:
    """The outbox, a worker that empties it, and the channel it sends through."""

    database: Database
    clock: FakeClock
    slack: Channel = field(default_factory=Channel)
    senders: dict[str, Sender] = field(default_factory=dict)
    lease_seconds: float = 60

    def __post_init__(self) -> None:
        self.senders = self.senders or {"slack": self.slack}
        self.worker = self.another_worker()

    def another_worker(self, database: Database | None = None) -> Delivery:
        """One more process that delivers."""
        return Delivery(
            database or self.database, routes(), self.senders, clock=self.clock, lease_seconds=self.lease_seconds, chance=random.Random(7)
        )

    async def put(self, *notices: Notice) -> None:
        """Puts notices in, due now."""
        async with self.database.transaction() as session:
            await outbox.enqueue(session, *notices, due_at=self.clock.now)

    async def tell(self, person: Person, kind: str = "test.awaited", **args: str) -> None:
        """Puts one notice in for somebody."""
        await self.put(Notice(key=f"{kind}:{person.id}:{args}", kind=kind, person_id=person.id, args=args, live=args.get("live")))

    async def states(self) -> list[str]:
        """The states of all notices, in the order they came."""
        async with self.database.reading() as session:
            rows = await session.exec_driver_sql("SELECT state FROM outbox ORDER BY id")
            return [row.state for row in rows]

    async def stuck(self) -> tuple[Stuck, ...]:
        """What administrators are shown."""
        async with self.database.reading() as session:
            return await outbox.list_stuck(session)

    async def waits(self) -> float:
        """Seconds until the only notice is due."""
        async with self.database.reading() as session:
            (row,) = (await session.execute(outbox.sa.select(outbox.OutboxRow.due_at))).all()  # type: ignore[attr-defined]
        return float((row.due_at - self.clock.now).total_seconds())

    async def person(self, user: str, *groups: Group, administrator: bool = False) -> Person:
        """Somebody with a Slack account."""
        person = await meet(self.database, user, name=user)
        async with self.database.transaction() as session:
            await rights.change(session, person, Rights(organisation_id=None, groups=frozenset(groups), administrator=administrator))
        return person

    async def nobody(self) -> Person:
        """Somebody without any account."""
        async with self.database.transaction() as session:
            id = await accounts.add_person(session, name="Nobody", email=None, now=NOW)
        return Person(
            id=id, name="Nobody", email=None, organisation=None, organisation_by=None, administrator=False, groups=frozenset(),
            last_account_id=None,
        )  # fmt: skip


@pytest.fixture
def post(database: Database, clock: FakeClock) -> Post:
    """An empty outbox."""
    return Post(database, clock)


async def soon(event: asyncio.Event) -> None:
    """Waits for something that must happen."""
    async with asyncio.timeout(10):
        await event.wait()
