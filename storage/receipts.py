"""Receipts: "have I had this interaction?", answered once over all replicas and restarts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from storage.database import Session
from storage.types import Base
from storage.upserts import Upsert

LONGEST_TICKET = 200


class ReceiptRow(Base):
    __tablename__ = "receipts"
    __table_args__ = {"sqlite_with_rowid": False}
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("people.id"), primary_key=True)
    action: Mapped[str] = mapped_column(primary_key=True)
    ticket: Mapped[str] = mapped_column(primary_key=True)
    args: Mapped[str] = mapped_column(primary_key=True)
    reference: Mapped[str | None]
    at: Mapped[datetime] = mapped_column(index=True)


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def args_digest(args: Mapping[str, str]) -> str:
    """What stands for arguments in a key; "" for none."""
    return _digest(json.dumps(dict(args), sort_keys=True)) if args else ""


@dataclass(frozen=True, kw_only=True)
class ReceiptKey:
    """One person's one press or submission: other people and other buttons of the same card are other keys."""

    person_id: int
    action: str
    ticket: str
    args: str

    @classmethod
    def of(cls, person_id: int, action: str, ticket: str, args: Mapping[str, str]) -> ReceiptKey:
        """The key of an interaction; `args` are kept as a digest, and so is a ticket that we never made or that is too long."""
        plain = len(ticket) <= LONGEST_TICKET and ticket.isascii() and ticket.isprintable()
        return cls(person_id=person_id, action=action, ticket=ticket if plain else _digest(ticket), args=args_digest(args))


_CLAIM = Upsert(ReceiptRow, unique=("person_id", "action", "ticket", "args"))
_IS = (
    (ReceiptRow.person_id == sa.bindparam("p_person")) & (ReceiptRow.action == sa.bindparam("p_action"))
    & (ReceiptRow.ticket == sa.bindparam("p_ticket")) & (ReceiptRow.args == sa.bindparam("p_args"))
)  # fmt: skip
_REFERENCE = sa.select(ReceiptRow.reference).where(_IS)
_REFER = sa.update(ReceiptRow).where(_IS).values(reference=sa.bindparam("p_reference"))


def _where(key: ReceiptKey) -> dict[str, object]:
    return {"p_person": key.person_id, "p_action": key.action, "p_ticket": key.ticket, "p_args": key.args}


async def claim(session: Session, key: ReceiptKey, *, now: datetime) -> bool:
    """True for the first who asks; on PostgreSQL a second one waits until the first has ended."""
    values = {"person_id": key.person_id, "action": key.action, "ticket": key.ticket, "args": key.args, "reference": None, "at": now}
    return await _CLAIM(session, values) == 1


async def refer(session: Session, key: ReceiptKey, reference: str) -> None:
    """Keeps what the interaction made, for those who send it again."""
    await session.execute(_REFER, {**_where(key), "p_reference": reference})


async def reference_of(session: Session, key: ReceiptKey) -> str | None:
    """What the interaction made, None if nothing with a name."""
    return await session.scalar(_REFERENCE, _where(key))


async def forget_before(session: Session, before: datetime) -> int:
    """Deletes receipts older than any retry could be; returns how many."""
    return (await session.execute(sa.delete(ReceiptRow).where(ReceiptRow.at < before))).rowcount
