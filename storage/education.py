"""Education as it is kept: Community of Practice sessions and training days, who comes to them and who waits for a place."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from storage import outbox
from storage.database import Session
from storage.outbox import Notice
from storage.people import PersonRow
from storage.types import Base, one_of
from storage.upserts import Upsert


class EventKind(StrEnum):
    """What the education programme offers."""

    COP = "cop"
    FUNDAMENTALS = "fundamentals"


class Area(StrEnum):
    """The part of Dorset that a training day is held in."""

    EAST = "east"
    WEST = "west"


class EventState(StrEnum):
    """Whether an event takes place."""

    PLANNED = "planned"
    CANCELLED = "cancelled"


class Answer(StrEnum):
    """What somebody says when asked to come."""

    YES = "yes"
    MAYBE = "maybe"
    NO = "no"


class Standing(StrEnum):
    """Where an answer puts somebody: a yes keeps a place, or waits for one where all are taken."""

    COMING = "coming"
    WAITING = "waiting"
    MAYBE = "maybe"
    NOT_COMING = "not_coming"

    @property
    def answer(self) -> Answer:
        """What the person said."""
        return {Standing.MAYBE: Answer.MAYBE, Standing.NOT_COMING: Answer.NO}.get(self, Answer.YES)


class EventRow(Base):
    """`sequence` counts the changes; `timed_at` is when the present start was set; an empty place means online."""

    __tablename__ = "events"
    __table_args__ = (
        sa.CheckConstraint("starts_at < ends_at", name="starts_before_it_ends"),
        sa.CheckConstraint("places > 0", name="has_places"),
        sa.Index("ix_events_kind_ends_at", "kind", "ends_at"),
        sa.Index("ix_events_starts_at", "starts_at"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[EventKind] = mapped_column(one_of(EventKind, "kind"))
    title: Mapped[str]
    about: Mapped[str]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    place: Mapped[str]
    area: Mapped[Area | None] = mapped_column(one_of(Area, "area"))
    link: Mapped[str]
    host: Mapped[str]
    places: Mapped[int]
    state: Mapped[EventState] = mapped_column(one_of(EventState, "state"))
    sequence: Mapped[int]
    uid: Mapped[str] = mapped_column(unique=True)
    timed_at: Mapped[datetime]
    recording: Mapped[str]
    slides: Mapped[str]


class AppointmentRow(Base):
    """What an event was before a change, for those who were told no later one."""

    __tablename__ = "event_appointments"
    __table_args__ = {"sqlite_with_rowid": False}
    event_id: Mapped[int] = mapped_column(sa.ForeignKey("events.id"), primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    place: Mapped[str]
    area: Mapped[Area | None] = mapped_column(one_of(Area, "area"))
    link: Mapped[str]


class SignupRow(Base):
    """Somebody's answer: `turn` is its order among all of the event, `since` when it last changed, `sequence` what they knew of it."""

    __tablename__ = "signups"
    __table_args__ = (sa.Index("ix_signups_event_id_standing_turn", "event_id", "standing", "turn"), {"sqlite_with_rowid": False})
    event_id: Mapped[int] = mapped_column(sa.ForeignKey("events.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("people.id"), primary_key=True)
    standing: Mapped[Standing] = mapped_column(one_of(Standing, "standing"))
    turn: Mapped[int]
    since: Mapped[datetime]
    sequence: Mapped[int]


@dataclass(frozen=True, kw_only=True)
class Appointment:
    """What somebody must know in order to come; an empty place means online, and only those who come are shown the link."""

    title: str
    starts_at: datetime
    ends_at: datetime
    place: str
    area: Area | None
    link: str


@dataclass(frozen=True, kw_only=True)
class Details(Appointment):
    """All that the Core Team says of an event."""

    about: str
    host: str
    places: int


@dataclass(frozen=True, kw_only=True)
class Event(Details):
    """An event with how many come and wait; `uid` and `sequence` are those of its entry in people's calendars."""

    id: int
    kind: EventKind
    state: EventState
    sequence: int
    uid: str
    recording: str
    slides: str
    coming: int
    waiting: int


@dataclass(frozen=True, kw_only=True)
class Signup:
    """Somebody's answer; `sequence`: the event as it was when they last answered."""

    person_id: int
    name: str
    standing: Standing
    turn: int
    sequence: int


@dataclass(frozen=True, kw_only=True)
class Expected:
    """Somebody who comes to an event: since when, and since when it starts at that time."""

    event_id: int
    person_id: int
    starts_at: datetime
    timed_at: datetime
    since: datetime


def _number(standing: Standing) -> sa.Label[int]:
    there = (SignupRow.event_id == EventRow.id) & (SignupRow.standing == standing)
    return sa.select(sa.func.count()).select_from(SignupRow).where(there).scalar_subquery().label(standing.value)


_COUNTED = ("coming", "waiting")
_EVENTS = sa.select(
    *(EventRow.__table__.c[field.name] for field in fields(Event) if field.name not in _COUNTED),
    _number(Standing.COMING), _number(Standing.WAITING),
)  # fmt: skip
_APPOINTMENT = tuple(AppointmentRow.__table__.c[field.name] for field in fields(Appointment))
_SIGNUPS = sa.select(
    SignupRow.person_id, PersonRow.name, SignupRow.standing, SignupRow.turn, SignupRow.sequence
).join(PersonRow, PersonRow.id == SignupRow.person_id)  # fmt: skip
_SIGN_UP = Upsert(SignupRow, unique=("event_id", "person_id"), replacing=("standing", "turn", "since", "sequence"))


# -- events


async def add(session: Session, details: Details, *, kind: EventKind, now: datetime) -> int:
    """A new event; returns its number."""
    values = asdict(details) | {
        "kind": kind, "state": EventState.PLANNED, "sequence": 0, "uid": str(uuid.uuid4()), "timed_at": now, "recording": "", "slides": "",
    }  # fmt: skip
    return (await session.execute(sa.insert(EventRow).values(**values).returning(EventRow.id))).scalar_one()


async def find(session: Session, id: int) -> Event | None:
    """The event with this number."""
    row = (await session.execute(_EVENTS.where(EventRow.id == id))).one_or_none()
    return None if row is None else Event(**row._asdict())


async def hold(session: Session, id: int) -> Event | None:
    """The event, which nobody else can change, answer or leave until the transaction ends."""
    await session.execute(sa.select(EventRow.id).where(EventRow.id == id).with_for_update(key_share=True))
    return await find(session, id)


def _planned(kind: EventKind) -> sa.ColumnElement[bool]:
    return (EventRow.kind == kind) & (EventRow.state == EventState.PLANNED)


def _over(kind: EventKind, now: datetime, *, published: bool) -> sa.ColumnElement[bool]:
    over = _planned(kind) & (EventRow.ends_at <= now)
    return over & ((EventRow.recording != "") | (EventRow.slides != "")) if published else over


def _coming(kind: EventKind, now: datetime, until: datetime | None) -> sa.ColumnElement[bool]:
    ahead = _planned(kind) & (EventRow.ends_at > now)
    return ahead if until is None else ahead & (EventRow.starts_at <= until)


async def _count(session: Session, which: sa.ColumnElement[bool]) -> int:
    return await session.scalar(sa.select(sa.func.count()).select_from(EventRow).where(which)) or 0


async def _list(
    session: Session, which: sa.ColumnElement[bool], order: sa.ColumnElement[datetime], offset: int, limit: int
) -> tuple[Event, ...]:
    rows = await session.execute(_EVENTS.where(which).order_by(order, EventRow.id).offset(offset).limit(limit))
    return tuple(Event(**row._asdict()) for row in rows)


async def count_coming(session: Session, kind: EventKind, *, now: datetime, until: datetime | None = None) -> int:
    """How many are planned and not over; `until`: only those that start by then."""
    return await _count(session, _coming(kind, now, until))


async def list_coming(
    session: Session, kind: EventKind, *, now: datetime, until: datetime | None = None, offset: int = 0, limit: int
) -> tuple[Event, ...]:
    """Those planned and not over, the next first; `until`: only those that start by then."""
    return await _list(session, _coming(kind, now, until), EventRow.starts_at.asc(), offset, limit)


async def count_over(session: Session, kind: EventKind, *, now: datetime, published: bool) -> int:
    """How many are over; `published`: only those with a recording or slides."""
    return await _count(session, _over(kind, now, published=published))


async def list_over(session: Session, kind: EventKind, *, now: datetime, published: bool, offset: int = 0, limit: int) -> tuple[Event, ...]:
    """Those that are over, newest first; `published`: only those with a recording or slides."""
    return await _list(session, _over(kind, now, published=published), EventRow.starts_at.desc(), offset, limit)


async def areas_between(session: Session, kind: EventKind, since: datetime, until: datetime) -> tuple[Area | None, ...]:
    """Where the planned and held events that start in a span of time take place, in their order."""
    there = _planned(kind) & (EventRow.starts_at >= since) & (EventRow.starts_at < until)
    return tuple((await session.scalars(sa.select(EventRow.area).where(there).order_by(EventRow.starts_at))).all())


async def change(session: Session, event: Event, details: Details, *, now: datetime) -> None:
    """Changes an event that is held; what it was is kept for those who have not heard of it."""
    was = {field.name: getattr(event, field.name) for field in fields(Appointment)}
    await session.execute(sa.insert(AppointmentRow).values(event_id=event.id, sequence=event.sequence, **was))
    values = asdict(details) | {"sequence": event.sequence + 1} | ({} if details.starts_at == event.starts_at else {"timed_at": now})
    await session.execute(sa.update(EventRow).where(EventRow.id == event.id).values(**values))


async def appointment(session: Session, event: Event, sequence: int) -> Appointment:
    """What the event was at a change of its past, or is now."""
    then = (AppointmentRow.event_id == event.id) & (AppointmentRow.sequence == sequence)
    row = (await session.execute(sa.select(*_APPOINTMENT).where(then))).one_or_none()
    return event if row is None else Appointment(**row._asdict())


async def cancel(session: Session, id: int) -> None:
    """Cancels an event, for good."""
    cancelled = {"state": EventState.CANCELLED, "sequence": EventRow.sequence + 1}
    await session.execute(sa.update(EventRow).where(EventRow.id == id).values(**cancelled))


async def publish(session: Session, id: int, *, recording: str, slides: str) -> None:
    """Notes where the recording and the slides of an event are."""
    await session.execute(sa.update(EventRow).where(EventRow.id == id).values(recording=recording, slides=slides))


# -- who comes


async def find_signup(session: Session, event_id: int, person_id: int) -> Signup | None:
    """Somebody's answer."""
    row = (await session.execute(_SIGNUPS.where(SignupRow.event_id == event_id, SignupRow.person_id == person_id))).one_or_none()
    return None if row is None else Signup(**row._asdict())


async def list_signups(session: Session, event_id: int, *standings: Standing) -> tuple[Signup, ...]:
    """The people of these standings, in the order of their answers."""
    there = _SIGNUPS.where(SignupRow.event_id == event_id, SignupRow.standing.in_(standings)).order_by(SignupRow.turn)
    return tuple(Signup(**row._asdict()) for row in await session.execute(there))


async def standings_of(session: Session, person_id: int, event_ids: Collection[int]) -> Mapping[int, Standing]:
    """Somebody's standing at those of the events that they answered."""
    theirs = sa.select(SignupRow.event_id, SignupRow.standing)
    rows = await session.execute(theirs.where(SignupRow.event_id.in_(event_ids), SignupRow.person_id == person_id))
    return {row.event_id: row.standing for row in rows}


async def place_in_line(session: Session, event_id: int, signup: Signup) -> int:
    """Which number somebody has on the waiting list, from 1 on."""
    before = (SignupRow.event_id == event_id) & (SignupRow.standing == Standing.WAITING) & (SignupRow.turn < signup.turn)
    return 1 + (await session.scalar(sa.select(sa.func.count()).select_from(SignupRow).where(before)) or 0)


async def answer(session: Session, event: Event, person_id: int, said: Answer, *, now: datetime) -> Standing:
    """Notes an answer to an event that is held; returns where it puts the person. The same answer again moves nobody."""
    mine = await find_signup(session, event.id, person_id)
    if mine is not None and mine.standing.answer is said:
        known = (SignupRow.event_id == event.id) & (SignupRow.person_id == person_id)
        await session.execute(sa.update(SignupRow).where(known).values(sequence=event.sequence))
        return mine.standing
    full = event.coming >= event.places or event.waiting > 0
    yes = Standing.WAITING if full else Standing.COMING
    standing = {Answer.YES: yes, Answer.MAYBE: Standing.MAYBE, Answer.NO: Standing.NOT_COMING}[said]
    last = await session.scalar(sa.select(sa.func.max(SignupRow.turn)).where(SignupRow.event_id == event.id)) or 0
    values = {
        "event_id": event.id, "person_id": person_id, "standing": standing, "turn": last + 1, "since": now, "sequence": event.sequence,
    }  # fmt: skip
    await _SIGN_UP(session, values)
    return standing


async def promote(session: Session, event_id: int, *, now: datetime) -> tuple[Signup, ...]:
    """Gives the free places of an event that is held to those who wait, in their order; returns who got one."""
    event = await find(session, event_id)
    if event is None or not event.waiting or event.coming >= event.places:
        return ()
    next_ones = (await list_signups(session, event_id, Standing.WAITING))[: event.places - event.coming]
    theirs = (SignupRow.event_id == event_id) & SignupRow.person_id.in_([each.person_id for each in next_ones])
    await session.execute(sa.update(SignupRow).where(theirs).values(standing=Standing.COMING, since=now))
    return next_ones


async def expected(session: Session, *, since: datetime, until: datetime) -> tuple[Expected, ...]:
    """Who comes to the planned events that start in a span of time."""
    start = (EventRow.starts_at >= since) & (EventRow.starts_at <= until) & (EventRow.state == EventState.PLANNED)
    rows = await session.execute(
        sa.select(SignupRow.event_id, SignupRow.person_id, EventRow.starts_at, EventRow.timed_at, SignupRow.since)
        .join(EventRow, EventRow.id == SignupRow.event_id)
        .where(start, SignupRow.standing == Standing.COMING)
        .order_by(EventRow.starts_at, SignupRow.event_id, SignupRow.turn)
    )
    return tuple(Expected(**row._asdict()) for row in rows)


def promoted_notice(event_id: int, signup: Signup) -> Notice:
    """Somebody who waited has a place; each time they waited is one of its own."""
    key = f"event:{event_id}:promoted:{signup.turn}:{signup.person_id}"
    return Notice(key=key, kind="education.promoted", person_id=signup.person_id, args={"event": str(event_id)})


# -- two people become one


def _standing(mine: Signup, theirs: Signup) -> Signup:
    """Of two answers the newer counts; of the same answer given twice, the better place."""
    if mine.standing.answer is not theirs.standing.answer:
        return max(mine, theirs, key=lambda each: each.turn)
    return min(mine, theirs, key=lambda each: (each.standing is not Standing.COMING, each.turn))


async def merge(session: Session, *, keep: int, gone: int, now: datetime) -> None:
    """One answer to each event that both answered; a place this frees goes to whoever waits longest, and they are told."""
    both = sa.select(SignupRow.event_id).where(SignupRow.person_id.in_((keep, gone))).group_by(SignupRow.event_id)
    for event_id in (await session.scalars(both.having(sa.func.count() == 2).order_by(SignupRow.event_id))).all():
        event = await hold(session, event_id)
        mine, theirs = await find_signup(session, event_id, keep), await find_signup(session, event_id, gone)
        assert event is not None
        assert mine is not None
        assert theirs is not None
        other = gone if _standing(mine, theirs) is mine else keep
        of_event = SignupRow.event_id == event_id
        await session.execute(sa.delete(SignupRow).where(of_event, SignupRow.person_id == other))
        await session.execute(sa.update(SignupRow).where(of_event, SignupRow.person_id == gone).values(person_id=keep))
        if event.state is EventState.PLANNED and now < event.ends_at:
            promoted = await promote(session, event_id, now=now)
            await outbox.enqueue(session, *(promoted_notice(event_id, each) for each in promoted), due_at=now)
