"""Addresses: where a channel last heard from an account or a place, for channels that must be told where to send."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from storage.database import Session
from storage.people import AccountRow
from storage.types import Base
from storage.upserts import Upsert


class AddressRow(Base):
    __tablename__ = "addresses"
    channel: Mapped[str] = mapped_column(primary_key=True)
    tenant: Mapped[str] = mapped_column(primary_key=True)
    who: Mapped[str] = mapped_column(primary_key=True)
    service: Mapped[str]
    contact: Mapped[str]
    conversation: Mapped[str]
    gone: Mapped[bool]
    noted_at: Mapped[datetime]


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where to send to an account's user or to a place, `who`.

    `service` is the web address to call. `contact` is the user's name there, "" for a place. `conversation` is the place itself, or the
    user's conversation with the bot, "" until it is known. `gone`: it takes nothing any more until it is heard from again.
    """

    channel: str
    tenant: str
    who: str
    service: str
    contact: str = ""
    conversation: str = ""
    gone: bool = False


_NOTE = Upsert(AddressRow, unique=("channel", "tenant", "who"), replacing=("service", "contact", "conversation", "gone", "noted_at"))


def _is(channel: str, tenant: str, who: str) -> sa.ColumnElement[bool]:
    return (AddressRow.channel == channel) & (AddressRow.tenant == tenant) & (AddressRow.who == who)


async def find(session: Session, *, channel: str, tenant: str, who: str) -> Address | None:
    """The address of a user or a place; None when it was never heard from."""
    row = (await session.execute(sa.select(AddressRow.__table__).where(_is(channel, tenant, who)))).one_or_none()
    if row is None:
        return None
    return Address(
        channel=channel, tenant=tenant, who=who, service=row.service, contact=row.contact, conversation=row.conversation, gone=row.gone
    )


async def note(session: Session, address: Address, *, now: datetime) -> None:
    """Keeps the address as it is now; whatever was known before is replaced."""
    await _NOTE(
        session,
        {
            "channel": address.channel, "tenant": address.tenant, "who": address.who, "service": address.service,
            "contact": address.contact, "conversation": address.conversation, "gone": address.gone, "noted_at": now,
        },
    )  # fmt: skip


async def mark_gone(session: Session, address: Address) -> None:
    """It takes nothing any more."""
    await session.execute(sa.update(AddressRow).where(_is(address.channel, address.tenant, address.who)).values(gone=True))


async def reach(session: Session, person_id: int) -> bool:
    """Whether one of somebody's accounts still takes messages, as far as is known."""
    same = (AddressRow.channel == AccountRow.channel) & (AddressRow.tenant == AccountRow.tenant) & (AddressRow.who == AccountRow.user)
    gone = sa.exists().where(same, AddressRow.gone)
    return bool(await session.scalar(sa.select(sa.exists().where(AccountRow.person_id == person_id, ~gone))))
