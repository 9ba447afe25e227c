"""The way out: a message is one more row of a person's page, or takes the place of the one it keeps true."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from bot.web import items
from handlers.views import Message
from scheduler.delivery import Ambiguous, Result, Sent, Target, TargetDead
from storage import history, people
from storage.database import Database, UncertainCommit
from storage.history import Speaker

LOOKED_BACK = 50


class WebSender:
    """Writes messages into histories; the page shows them when it looks next."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database, self._clock = database, clock

    async def send(self, target: Target, message: Message, *, ticket: str, handle: str | None) -> Result:
        """Writes once: one that may have been written before, by its ticket, is found and left alone."""
        if target.person_id is None:
            return TargetDead(reason="the web has no places")
        try:
            return await self._write(target.person_id, message, ticket, handle)
        except UncertainCommit:
            return Ambiguous(reason="the database gave no clear answer")

    async def _write(self, person_id: int, message: Message, ticket: str, handle: str | None) -> Result:
        content = items.pack(items.without_secrets(message.card), told=True)
        async with self._database.transaction() as session:
            if handle and handle.isdecimal():
                here = int(handle)
                if await history.replace(session, id=here, person_id=person_id, content=content, ticket=ticket):
                    return Sent(handle=handle)
            if await people.find(session, person_id) is None:
                return TargetDead(reason="the person is not there any more")
            for item in await history.newest(session, person_id, limit=LOOKED_BACK):
                if item.ticket == ticket and item.content.get("told") is True:
                    return Sent(handle=str(item.id))
            id = await history.add(session, person_id=person_id, speaker=Speaker.BOT, content=content, ticket=ticket, now=self._clock())
            return Sent(handle=str(id))
