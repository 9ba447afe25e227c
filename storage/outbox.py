"""The outbox: what is to be told to whom. Rows hold references; the words are built when they are sent."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from storage.database import Session
from storage.people import Group, PersonRow
from storage.types import Base, one_of
from storage.upserts import Upsert


class State(StrEnum):
    """waiting -> sending -> sent | spread (one row for each member instead) | dropped (no longer true) | unknown | dead."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    SPREAD = "spread"
    DROPPED = "dropped"
    UNKNOWN = "unknown"
    DEAD = "dead"


_WAITING, _SENDING = sa.text("state = 'waiting'"), sa.text("state = 'sending'")
_STUCK = sa.text("state IN ('dead', 'unknown')")
SUPERSEDED = "a newer one waits"
UNTRUE = "no longer true"
MISSED = "it was too late to be of use"


class OutboxRow(Base):
    __tablename__ = "outbox"
    __table_args__ = (
        sa.CheckConstraint("(person_id IS NULL) <> (\"group\" IS NULL)", name="one_target"),
        sa.CheckConstraint("(state = 'sending') = (lease IS NOT NULL)", name="lease_while_sending"),
        sa.Index("ix_outbox_waiting", "due_at", sqlite_where=_WAITING, postgresql_where=_WAITING),
        sa.Index("ix_outbox_sending", "lease_until", sqlite_where=_SENDING, postgresql_where=_SENDING),
        sa.Index("ix_outbox_stuck", "settled_at", sqlite_where=_STUCK, postgresql_where=_STUCK),
        sa.Index("uq_outbox_live_waiting", "live", unique=True, sqlite_where=_WAITING, postgresql_where=_WAITING),
        sa.Index("ix_outbox_live_sending", "live", sqlite_where=_SENDING, postgresql_where=_SENDING),
    )  # fmt: skip
    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    person_id: Mapped[int | None] = mapped_column(sa.ForeignKey("people.id"))
    group: Mapped[Group | None] = mapped_column(one_of(Group, "group"))
    args: Mapped[dict[str, str]]
    live: Mapped[str | None]
    state: Mapped[State] = mapped_column(one_of(State, "state"))
    due_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    repeats: Mapped[int] = mapped_column(default=0)
    lease: Mapped[str | None]
    lease_until: Mapped[datetime | None]
    reason: Mapped[str | None]
    settled_at: Mapped[datetime | None]


class LiveRow(Base):
    """Where a message that is kept true stands, by its key and the place it was sent to."""

    __tablename__ = "live_messages"
    __table_args__ = {"sqlite_with_rowid": False}
    key: Mapped[str] = mapped_column(primary_key=True)
    place: Mapped[str] = mapped_column(primary_key=True)
    handle: Mapped[str]


@dataclass(frozen=True, kw_only=True)
class Notice:
    """One thing to tell: `key` makes it one of a kind; to a person, or to a group's place.

    `live` is that of the message it brings up to date: of each there is one that waits, and one at a time is sent.
    `account` in `args` is the number of the person's account that is told first; otherwise it is the last used.
    """

    key: str
    kind: str
    person_id: int | None = None
    group: Group | None = None
    args: Mapping[str, str] = field(default_factory=dict)
    live: str | None = None

    def for_member(self, person_id: int) -> Notice:
        """A group's notice for one person, under a key of their own: however they come by it, they are told once."""
        return replace(self, key=f"{self.key}:person:{person_id}", person_id=person_id, group=None)


@dataclass(frozen=True, kw_only=True)
class Claimed:
    """A notice that this worker may send until `lease_until`; `attempts` counts this one."""

    id: int
    notice: Notice
    lease: str
    attempts: int
    repeats: int


@dataclass(frozen=True, kw_only=True)
class Stuck:
    """A notice that did not arrive, for administrators."""

    id: int
    kind: str
    state: State
    person_id: int | None
    group: Group | None
    attempts: int
    reason: str | None


@dataclass(frozen=True, kw_only=True)
class Unsent:
    """A notice that waits, or since when it is dropped as no longer true."""

    dropped_at: datetime | None


_ENQUEUE = Upsert(OutboxRow)
_LIVE = Upsert(LiveRow, unique=("key", "place"), replacing=("handle",))


async def enqueue(session: Session, *notices: Notice, due_at: datetime) -> None:
    """Puts notices into the outbox; where the key is there already, or one about the same live message waits, nothing is added."""
    rows = [_row(notice, due_at) for notice in notices]
    if plain := [row for row in rows if not row["live"]]:
        await _ENQUEUE(session, *plain)
    for row in rows:
        if row["live"]:
            await _enqueue_live(session, row)


async def enqueue_first(session: Session, notice: Notice, *, due_at: datetime) -> bool:
    """Puts a notice in that is about no live message; False where its key is there already."""
    return await _ENQUEUE(session, _row(notice, due_at)) == 1


def _row(notice: Notice, due_at: datetime) -> dict[str, Any]:
    return {
        "key": notice.key, "kind": notice.kind, "person_id": notice.person_id, "group": notice.group,
        "args": dict(notice.args), "live": _lane(notice), "state": State.WAITING, "due_at": due_at, "attempts": 0, "repeats": 0,
    }  # fmt: skip


async def _enqueue_live(session: Session, row: dict[str, Any]) -> None:
    """Adds a notice about a live message, or holds the one that waits until the change is committed: sent before, it would not tell it."""
    waiting = sa.select(OutboxRow.id).where(OutboxRow.live == row["live"], OutboxRow.state == State.WAITING).with_for_update()
    same = sa.select(OutboxRow.id).where(OutboxRow.key == row["key"])
    while not await _ENQUEUE(session, row):
        if await session.scalar(same) is not None or await session.scalar(waiting) is not None:
            return


async def known(session: Session, keys: Collection[str]) -> frozenset[str]:
    """Which of these were enqueued before."""
    return frozenset((await session.scalars(sa.select(OutboxRow.key).where(OutboxRow.key.in_(keys)))).all())


async def sent(session: Session, keys: Collection[str]) -> frozenset[str]:
    """Which of these arrived."""
    there = sa.select(OutboxRow.key).where(OutboxRow.key.in_(keys), OutboxRow.state == State.SENT)
    return frozenset((await session.scalars(there)).all())


async def unsent(session: Session, keys: Collection[str]) -> Mapping[str, Unsent]:
    """Which of these still wait, or were no longer true when they were to be sent."""
    untrue = (OutboxRow.state == State.DROPPED) & (OutboxRow.reason == UNTRUE)
    there = sa.select(OutboxRow.key, OutboxRow.settled_at).where(OutboxRow.key.in_(keys), (OutboxRow.state == State.WAITING) | untrue)
    return {row.key: Unsent(dropped_at=row.settled_at) for row in await session.execute(there)}


def _lane(notice: Notice) -> str | None:
    """A live message stands once for each person or group."""
    return notice.live and f"{notice.live}@{notice.group or notice.person_id}"


def _claimed(row: sa.Row[tuple[object, ...]], lease: str) -> Claimed:
    live = row.live and row.live.rpartition("@")[0]
    notice = Notice(key=row.key, kind=row.kind, person_id=row.person_id, group=row.group, args=row.args, live=live)
    return Claimed(id=row.id, notice=notice, lease=lease, attempts=row.attempts + 1, repeats=row.repeats)


def _lane_is(state: State) -> sa.ColumnElement[bool]:
    """Whether another notice about the same live message is in this state."""
    other = sa.alias(OutboxRow.__table__)
    return sa.exists().where(other.c.live == OutboxRow.live, other.c.state == state, other.c.id != OutboxRow.id)


async def any_due(session: Session, *, now: datetime) -> bool:
    """Whether something waits to be sent now."""
    due = sa.select(OutboxRow.id).where(OutboxRow.state == State.WAITING, OutboxRow.due_at <= now).limit(1)
    return await session.scalar(due) is not None


async def any_expired(session: Session, *, now: datetime) -> bool:
    """Whether a sender went silent."""
    silent = sa.select(OutboxRow.id).where(OutboxRow.state == State.SENDING, OutboxRow.lease_until < now).limit(1)
    return await session.scalar(silent) is not None


async def claim(session: Session, *, lease: str, now: datetime, seconds: float, limit: int) -> tuple[Claimed, ...]:
    """Takes up to `limit` due notices, oldest first, for `seconds`; replicas never take the same one.

    One whose live message is being sent is left until that has ended.
    """
    due = (OutboxRow.state == State.WAITING) & (OutboxRow.due_at <= now) & ~_lane_is(State.SENDING)
    free = sa.select(OutboxRow.__table__).where(due).order_by(OutboxRow.due_at, OutboxRow.id).limit(limit)
    rows = (await session.execute(free.with_for_update(skip_locked=True))).all()
    if rows:
        taken = sa.update(OutboxRow).where(OutboxRow.id.in_([row.id for row in rows]))
        until = now + timedelta(seconds=seconds)
        await session.execute(taken.values(state=State.SENDING, lease=lease, lease_until=until, attempts=OutboxRow.attempts + 1))
    return tuple(_claimed(row, lease) for row in rows)


async def expired(session: Session, *, now: datetime, limit: int) -> tuple[Claimed, ...]:
    """Notices whose sender went silent; they may or may not have arrived."""
    silent = (OutboxRow.state == State.SENDING) & (OutboxRow.lease_until < now)
    rows = await session.execute(
        sa.select(OutboxRow.__table__).where(silent).order_by(OutboxRow.id).limit(limit).with_for_update(skip_locked=True)
    )
    return tuple(
        Claimed(id=row.id, notice=_claimed(row, "").notice, lease=row.lease, attempts=row.attempts, repeats=row.repeats) for row in rows
    )


async def settle(session: Session, claimed: Claimed, state: State, *, now: datetime, reason: str | None = None) -> bool:
    """Ends a notice; False when the lease has passed to another, whose result then stands."""
    values = {"state": state, "settled_at": now, "reason": reason, "lease": None, "lease_until": None}
    return await _still_mine(session, claimed, values)


async def put_back(
    session: Session, claimed: Claimed, *, now: datetime, due_at: datetime, reason: str, repeated: bool = False, attempts: int | None = None
) -> bool:
    """To be tried again at `due_at`; `repeated` counts a second sending of what may have arrived. False as in settle.

    `attempts` sets their count, for what was not even tried. Where a newer one about the same live message waits, that one does it.
    """
    if claimed.notice.live and await session.scalar(sa.select(OutboxRow.id).where(OutboxRow.id == claimed.id, _lane_is(State.WAITING))):
        return await settle(session, claimed, State.DROPPED, now=now, reason=SUPERSEDED)
    values = {
        "state": State.WAITING, "due_at": due_at, "reason": reason, "lease": None, "lease_until": None,
        "repeats": claimed.repeats + (1 if repeated else 0), "attempts": claimed.attempts if attempts is None else attempts,
    }  # fmt: skip
    return await _still_mine(session, claimed, values)


async def _still_mine(session: Session, claimed: Claimed, values: Mapping[str, object]) -> bool:
    mine = (OutboxRow.id == claimed.id) & (OutboxRow.lease == claimed.lease)
    return (await session.execute(sa.update(OutboxRow).where(mine).values(**values))).rowcount == 1


async def place_live(session: Session, *, key: str, place: str, handle: str) -> None:
    """Remembers where a live message stands."""
    await _LIVE(session, {"key": key, "place": place, "handle": handle})


async def live_handle(session: Session, *, key: str, place: str) -> str | None:
    """Where a live message stands in a place; None where it was never sent."""
    return await session.scalar(sa.select(LiveRow.handle).where(LiveRow.key == key, LiveRow.place == place))


async def list_stuck(session: Session, *, limit: int = 100) -> tuple[Stuck, ...]:
    """What did not arrive or may not have, newest first."""
    bad = sa.select(OutboxRow.__table__).where(OutboxRow.state.in_([State.DEAD, State.UNKNOWN]))
    rows = await session.execute(bad.order_by(OutboxRow.id.desc()).limit(limit))
    return tuple(
        Stuck(
            id=row.id, kind=row.kind, state=row.state, person_id=row.person_id, group=row.group,
            attempts=row.attempts, reason=row.reason,
        )
        for row in rows
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Lost:
    """So many messages did not reach somebody (None: a group's place), or may not have, for one reason."""

    name: str | None
    reason: str
    number: int


async def list_lost(session: Session, *, since: datetime) -> tuple[Lost, ...]:
    """Who was not reached since then and why, the most messages first."""
    number = sa.func.count().label("number")
    bad = OutboxRow.state.in_([State.DEAD, State.UNKNOWN]) & (OutboxRow.settled_at >= since)
    by = (OutboxRow.person_id, PersonRow.name, OutboxRow.reason)
    lost = sa.select(*by, number).select_from(OutboxRow).outerjoin(PersonRow, PersonRow.id == OutboxRow.person_id).where(bad)
    rows = await session.execute(lost.group_by(*by).order_by(number.desc(), PersonRow.name, OutboxRow.reason))
    return tuple(Lost(name=row.name, reason=row.reason or "", number=row.number) for row in rows)


async def requeue(session: Session, id: int, *, now: datetime) -> bool:
    """Gives a dead or unknown notice a new start, or leaves it to a newer one that waits; False when it is neither."""
    bad = (OutboxRow.id == id) & OutboxRow.state.in_([State.DEAD, State.UNKNOWN])
    superseded = {"state": State.DROPPED, "settled_at": now, "reason": SUPERSEDED}
    if (await session.execute(sa.update(OutboxRow).where(bad, _lane_is(State.WAITING)).values(**superseded))).rowcount:
        return True
    values = {"state": State.WAITING, "due_at": now, "attempts": 0, "repeats": 0, "settled_at": None}
    return (await session.execute(sa.update(OutboxRow).where(bad).values(**values))).rowcount == 1


async def cancel(session: Session, key: str, *, now: datetime) -> bool:
    """Drops a notice that is still waiting; False when it is not."""
    return await _cancel(session, OutboxRow.key == key, now) == 1


async def cancel_all(session: Session, person_id: int, *, now: datetime) -> int:
    """Drops all that waits for somebody who cannot be reached any more; returns how many."""
    return await _cancel(session, OutboxRow.person_id == person_id, now)


async def _cancel(session: Session, which: sa.ColumnElement[bool], now: datetime) -> int:
    values = {"state": State.DROPPED, "settled_at": now, "reason": "cancelled"}
    return (await session.execute(sa.update(OutboxRow).where(which, OutboxRow.state == State.WAITING).values(**values))).rowcount


async def merge(session: Session, *, keep: int, gone: int, now: datetime) -> None:
    """Two people become one: what waits for both is told once, and what is on its way to either stands in one line."""
    theirs = sa.select(OutboxRow.__table__).where(OutboxRow.person_id.in_((keep, gone)))
    on_its_way = OutboxRow.state.in_((State.WAITING, State.SENDING))
    rows = (await session.execute(theirs.where(on_its_way).order_by(OutboxRow.id).with_for_update())).all()
    heard = {_subject(row) for row in rows if row.person_id == keep and row.state is State.WAITING}
    dropped = {"state": State.DROPPED, "settled_at": now, "reason": "told to another account of the same person"}
    for row in (row for row in rows if row.person_id == gone):
        doubled = row.state is State.WAITING and _subject(row) in heard
        lane = row.live and f"{row.live.rpartition('@')[0]}@{keep}"
        change = dropped if doubled else {"live": lane}
        await session.execute(sa.update(OutboxRow).where(OutboxRow.id == row.id).values(person_id=keep, **change))


def _subject(row: sa.Row[tuple[object, ...]]) -> tuple[object, ...]:
    """What a notice is about, whoever it is to: of a live message there is one at a time."""
    live = row.live and row.live.rpartition("@")[0]
    return (live,) if live else (row.kind, *sorted(row.args.items()))
