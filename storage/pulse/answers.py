"""The sealed answers of the round under way, and the key that opens them: both are gone when it closes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from storage import people
from storage.database import Session, secret_keys
from storage.pulse import participation, rounds
from storage.pulse.rounds import Round, RoundState
from storage.pulse.sealing import RoundKey, Said, new_secret
from storage.types import Base
from storage.upserts import Upsert

CHOICE = "what-to-work-on"
"""The item that is no dimension: no key of a dimension has a dash."""


class KeyRow(Base):
    """Added and deleted, never changed. No foreign key: on SQLite, a table that has one is not cleared as a whole."""

    __tablename__ = "pulse_keys"
    round_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    wrapped: Mapped[str]


class OpenRow(Base):
    """Two columns and no more: any other could say whose an answer is, or when it came."""

    __tablename__ = "pulse_open"
    __table_args__ = {"sqlite_with_rowid": False}
    tag: Mapped[str] = mapped_column(primary_key=True)
    sealed: Mapped[str]


class Joined(Exception):
    """The person has become another one a moment ago."""


class NotOpen(Exception):
    """The round takes no answers: it has closed."""


_ADD_KEY = Upsert(KeyRow, unique=("round_id",))
_PUT = Upsert(OpenRow, unique=("tag",), replacing=("sealed",))
_PUT_FIRST = Upsert(OpenRow, unique=("tag",))


async def add_key(session: Session, round_id: int) -> None:
    """The key of a new round; raises Unreadable where the hub has no secret keys.

    A round without one was restored from a backup, which leaves answers and key out: whatever else there was of it is void.
    """
    if await _ADD_KEY(session, {"round_id": round_id, "wrapped": secret_keys(session).wrap(new_secret())}):
        await session.execute(sa.delete(OpenRow))
        await session.execute(sa.delete(participation.ParticipationRow))


async def _key(session: Session, round_id: int) -> RoundKey | None:
    """Read each time and never remembered, so that all servers have the same; raises Unreadable."""
    wrapped = await session.scalar(sa.select(KeyRow.wrapped).where(KeyRow.round_id == round_id))
    return None if wrapped is None else RoundKey(round_id, secret_keys(session).unwrap(wrapped))


async def _key_to_write(session: Session, round: Round, now: datetime) -> RoundKey:
    """The key, while the round is held; raises NotOpen and Unreadable."""
    if not (await rounds.hold(session, round.id, RoundState.OPEN) and round.takes_answers(now)):
        raise NotOpen
    key = await _key(session, round.id)
    if key is None:
        await add_key(session, round.id)
        key = await _key(session, round.id)
    assert key is not None
    return key


async def save(session: Session, round: Round, person_id: int, said: Said, *, now: datetime, first: bool = False) -> None:
    """Keeps what somebody says to an item, in place of what they said before, `first`: only if they had said nothing.

    Raises NotOpen, Joined, Unreadable and TooLong.
    """
    key = await _key_to_write(session, round, now)
    if await people.find(session, person_id) is None:  # whoever joins two people holds the round alone
        raise Joined
    await participation.start(session, round.id, person_id)
    tag = key.tag(person_id, said.item)
    await (_PUT_FIRST if first else _PUT)(session, {"tag": tag, "sealed": key.seal(tag, said)})


async def of_person(session: Session, round: Round, person_id: int) -> Mapping[str, Said]:
    """What somebody said, by item; raises Unreadable."""
    key = await _key(session, round.id)
    return {} if key is None else await _of_person(session, key, round, person_id)


async def _of_person(session: Session, key: RoundKey, round: Round, person_id: int) -> dict[str, Said]:
    tags = [key.tag(person_id, item) for item in (*round.wheel.items, CHOICE)]
    rows = await session.execute(sa.select(OpenRow.tag, OpenRow.sealed).where(OpenRow.tag.in_(tags)))
    return {said.item: said for said in (key.open(row.tag, row.sealed) for row in rows)}


async def of_all(session: Session, round_id: int) -> tuple[Said, ...]:
    """What everybody said, in the order of tags, which is none; raises Unreadable."""
    key = await _key(session, round_id)
    rows = await session.execute(sa.select(OpenRow.tag, OpenRow.sealed)) if key else ()
    return tuple(key.open(row.tag, row.sealed) for row in rows) if key else ()


async def destroy(session: Session) -> None:
    """Removes the key, the answers and who took part, for good.

    PostgreSQL puts new files in the place of the old ones. SQLite overwrites pages, which its write-ahead log still holds:
    `Database.empty_log` is to follow the commit. Tables are taken in the order in which they are read.
    """
    tables = (KeyRow, OpenRow, participation.ParticipationRow)
    if session.dialect.name == "postgresql":
        await session.execute(sa.text(f"TRUNCATE {', '.join(table.__tablename__ for table in tables)}"))
        return
    for table in tables:
        await session.execute(sa.delete(table))


async def hold(session: Session) -> Round | None:
    """The round under way, which nobody else answers or counts until the transaction ends. To be called before it holds anything else."""
    round = await rounds.under_way(session)
    held = round is not None and await rounds.hold(session, round.id, RoundState.OPEN, RoundState.CLOSING, alone=True)
    return round if held else None


async def merge(session: Session, *, keep: int, gone: int) -> None:
    """Gives the answers of one person to another, whose own stand; raises Unreadable. The round is held first, as `hold` says."""
    round = await hold(session)
    if round is None:
        return
    await participation.merge(session, round.id, keep=keep, gone=gone)
    key = await _key(session, round.id)
    if key is None:
        return
    theirs = await _of_person(session, key, round, gone)
    own = await _of_person(session, key, round, keep)
    await _delete(session, [key.tag(gone, item) for item in theirs])
    for item, said in theirs.items():
        if item not in own or own[item].is_empty:
            tag = key.tag(keep, item)
            await _PUT(session, {"tag": tag, "sealed": key.seal(tag, said)})


async def _delete(session: Session, tags: Collection[str]) -> None:
    await session.execute(sa.delete(OpenRow).where(OpenRow.tag.in_(tags)))
