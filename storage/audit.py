"""The audit: who changed what, and who was refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from storage.database import Session
from storage.types import Base


class AuditRow(Base):
    __tablename__ = "audit"
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    person_id: Mapped[int | None] = mapped_column(sa.ForeignKey("people.id"))
    action: Mapped[str]
    object: Mapped[str]
    detail: Mapped[dict[str, str]]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line of the audit; `by` is None for what the server did itself."""

    at: datetime
    by: int | None
    action: str
    object: str
    detail: Mapping[str, str]


async def add(
    session: Session, *, now: datetime, action: str, object: str, by: int | None, detail: Mapping[str, str] | None = None
) -> None:
    """Writes one line; `detail` holds references and names of rights, never what people wrote."""
    values = {"at": now, "person_id": by, "action": action, "object": object, "detail": dict(detail or {})}
    await session.execute(sa.insert(AuditRow).values(**values))


async def newest(session: Session, *, limit: int = 100) -> tuple[Entry, ...]:
    """The latest lines, newest first."""
    rows = await session.execute(sa.select(AuditRow.__table__).order_by(AuditRow.id.desc()).limit(limit))
    return tuple(Entry(at=row.at, by=row.person_id, action=row.action, object=row.object, detail=row.detail) for row in rows)
