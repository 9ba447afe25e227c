"""Drafts: what somebody typed into a form that was refused, offered again when they come back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from storage.database import Session
from storage.receipts import ReceiptRow, args_digest
from storage.types import Base
from storage.upserts import Upsert


class DraftRow(Base):
    __tablename__ = "drafts"
    __table_args__ = {"sqlite_with_rowid": False}
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("people.id"), primary_key=True)
    action: Mapped[str] = mapped_column(primary_key=True)
    args: Mapped[str] = mapped_column(primary_key=True)
    values: Mapped[dict[str, str | list[str]]] = mapped_column(sa.JSON)
    at: Mapped[datetime]


@dataclass(frozen=True, kw_only=True)
class DraftKey:
    """Whose draft of which form: its action, and the arguments that say what it is about."""

    person_id: int
    action: str
    args: Mapping[str, str] = field(default_factory=dict)


_KEEP = Upsert(DraftRow, unique=("person_id", "action", "args"), replacing=("values", "at"))


async def keep(session: Session, key: DraftKey, values: Mapping[str, str | tuple[str, ...]], *, now: datetime) -> None:
    """Keeps the newest draft of this form; an older one is replaced."""
    where = {"person_id": key.person_id, "action": key.action, "args": args_digest(key.args)}
    await _KEEP(session, {**where, "values": dict(values), "at": now})


async def find(session: Session, key: DraftKey) -> Mapping[str, str | tuple[str, ...]] | None:
    """What was typed and not sent since; None when the form was sent after the draft was kept."""
    sent_since = sa.exists().where(
        ReceiptRow.person_id == DraftRow.person_id,
        ReceiptRow.action == DraftRow.action,
        ReceiptRow.args == DraftRow.args,
        ReceiptRow.at >= DraftRow.at,
    )
    mine = (DraftRow.person_id == key.person_id) & (DraftRow.action == key.action) & (DraftRow.args == args_digest(key.args))
    found = await session.scalar(sa.select(DraftRow.values).where(mine, ~sent_since))
    if found is None:
        return None
    return {name: value if isinstance(value, str) else tuple(value) for name, value in found.items()}


async def forget_before(session: Session, before: datetime) -> int:
    """Deletes drafts nobody came back to; returns how many."""
    return (await session.execute(sa.delete(DraftRow).where(DraftRow.at < before))).rowcount
