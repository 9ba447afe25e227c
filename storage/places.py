"""Places: the channels in which the hub's groups are told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from storage.database import Session
from storage.people import Group
from storage.types import Base, one_of
from storage.upserts import Upsert


class PlaceRow(Base):
    __tablename__ = "places"
    group: Mapped[Group] = mapped_column(one_of(Group, "group"), primary_key=True)
    channel: Mapped[str]
    tenant: Mapped[str]
    place: Mapped[str]
    set_at: Mapped[datetime]


@dataclass(frozen=True, kw_only=True)
class GroupPlace:
    """Where a group is told: (channel, tenant, place)."""

    group: Group
    channel: str
    tenant: str
    place: str


_SET = Upsert(PlaceRow, unique=("group",), replacing=("channel", "tenant", "place", "set_at"))


async def set_place(session: Session, place: GroupPlace, *, now: datetime) -> None:
    """From now on the group is told there; the place it had before is left."""
    values = {"group": place.group, "channel": place.channel, "tenant": place.tenant, "place": place.place, "set_at": now}
    await _SET(session, values)


async def find(session: Session, group: Group) -> GroupPlace | None:
    """Where a group is told; None means each member privately."""
    row = (await session.execute(sa.select(PlaceRow.__table__).where(PlaceRow.group == group))).one_or_none()
    return None if row is None else GroupPlace(group=row.group, channel=row.channel, tenant=row.tenant, place=row.place)
