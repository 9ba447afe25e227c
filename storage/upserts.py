"""INSERT ... ON CONFLICT in the dialect of the database at hand; both write it alike."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase

from storage.database import Session


class Upsert:
    """A prepared statement for each database: `replacing` names the columns that a second row overwrites, none means it is ignored."""

    def __init__(self, table: type[DeclarativeBase], *, unique: Collection[str] = (), replacing: Collection[str] = ()) -> None:
        self._statements: dict[str, Any] = {}
        for name, dialect in (("sqlite", sqlite), ("postgresql", postgresql)):
            insert = dialect.insert(table)
            insert = insert.execution_options(preserve_rowcount=True)
            if replacing:
                new = {column: insert.excluded[column] for column in replacing}
                self._statements[name] = insert.on_conflict_do_update(index_elements=list(unique), set_=new)
            else:
                self._statements[name] = insert.on_conflict_do_nothing(index_elements=list(unique) or None)

    async def __call__(self, session: Session, *rows: dict[str, Any]) -> int:
        """Writes the rows; returns how many were written, for a single row exactly."""
        result = await session.execute(self._statements[session.dialect.name], rows if len(rows) > 1 else rows[0])
        return int(result.rowcount)
