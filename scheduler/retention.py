"""What is kept only for a while: receipts, drafts, links, codes and sessions."""

from __future__ import annotations

from datetime import datetime, timedelta

from handlers.calendar import local_day
from storage import drafts, linking, nudges, receipts, signin
from storage.database import Database

RECEIPTS_LAST = timedelta(days=90)
DRAFTS_LAST = timedelta(days=30)
NUDGES_LAST = timedelta(days=800)


async def forget_old(database: Database, now: datetime) -> int:
    """Deletes what is past its time; returns how many rows."""
    async with database.transaction() as session:
        gone = await receipts.forget_before(session, now - RECEIPTS_LAST)
        gone += await drafts.forget_before(session, now - DRAFTS_LAST)
        gone += await nudges.forget_before(session, local_day(now - NUDGES_LAST))
        gone += await linking.forget_old(session, now=now)
        return gone + await signin.forget_old(session, now=now)
