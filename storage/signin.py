"""One-time links and sessions; both are kept as digests, so the tables open nothing."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from storage.database import Session
from storage.types import Base

LINK_LASTS = timedelta(hours=24)
SESSION_IDLES = timedelta(days=7)
SESSION_LASTS = timedelta(days=30)
NOTED_EVERY = timedelta(minutes=10)


class LinkRow(Base):
    __tablename__ = "links"
    digest: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("people.id"))
    expires_at: Mapped[datetime] = mapped_column(index=True)
    spent_at: Mapped[datetime | None]


class SessionRow(Base):
    __tablename__ = "sessions"
    digest: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("people.id"), index=True)
    started_at: Mapped[datetime]
    used_at: Mapped[datetime] = mapped_column(index=True)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


async def add_link(session: Session, person_id: int, *, now: datetime) -> str:
    """A new one-time link for somebody; returns its token, which is not kept."""
    token = secrets.token_urlsafe(24)
    values = {"digest": _digest(token), "person_id": person_id, "expires_at": now + LINK_LASTS}
    await session.execute(sa.insert(LinkRow).values(**values))
    return token


def _usable(token: str, now: datetime) -> sa.ColumnElement[bool]:
    return (LinkRow.digest == _digest(token)) & LinkRow.spent_at.is_(None) & (LinkRow.expires_at > now)


async def is_usable(session: Session, token: str, *, now: datetime) -> bool:
    """Whether a link would still sign somebody in; looking does not spend it."""
    return bool(await session.scalar(sa.select(sa.func.count()).select_from(LinkRow).where(_usable(token, now))))


async def spend(session: Session, token: str, *, now: datetime) -> int | None:
    """Spends a link; returns whose it was, None for one that is spent, old or unknown."""
    spent = sa.update(LinkRow).where(_usable(token, now)).values(spent_at=now).returning(LinkRow.person_id)
    return (await session.execute(spent)).scalar_one_or_none()


async def start(session: Session, person_id: int, *, now: datetime) -> str:
    """A new session for somebody; returns its token, which is not kept."""
    token = secrets.token_urlsafe(32)
    values = {"digest": _digest(token), "person_id": person_id, "started_at": now, "used_at": now}
    await session.execute(sa.insert(SessionRow).values(**values))
    return token


async def whose(session: Session, token: str, *, now: datetime) -> tuple[int, bool] | None:
    """(Whose session this is, whether its use should be noted), None for an idle, old, ended or unknown one."""
    row = (await session.execute(sa.select(SessionRow.__table__).where(SessionRow.digest == _digest(token)))).one_or_none()
    if row is None or row.used_at + SESSION_IDLES < now or row.started_at + SESSION_LASTS < now:
        return None
    return row.person_id, row.used_at + NOTED_EVERY < now


async def note_use(session: Session, token: str, *, now: datetime) -> None:
    """The session was used now."""
    await session.execute(sa.update(SessionRow).where(SessionRow.digest == _digest(token)).values(used_at=now))


async def end(session: Session, token: str) -> None:
    """Signs out."""
    await session.execute(sa.delete(SessionRow).where(SessionRow.digest == _digest(token)))


async def end_all(session: Session, person_id: int) -> None:
    """Signs somebody out everywhere; links of theirs that are not spent open nothing any more."""
    for table in (SessionRow, LinkRow):
        await session.execute(sa.delete(table).where(table.person_id == person_id))


async def forget_old(session: Session, *, now: datetime) -> int:
    """Deletes links and sessions that no longer open anything; returns how many."""
    links = await session.execute(sa.delete(LinkRow).where(LinkRow.expires_at < now))
    idle = (SessionRow.used_at < now - SESSION_IDLES) | (SessionRow.started_at < now - SESSION_LASTS)
    return links.rowcount + (await session.execute(sa.delete(SessionRow).where(idle))).rowcount
