"""The address book: where people and places are reached, kept from whatever they send."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from bot.limits import Recent
from bot.teams.parse import CHANNEL
from storage import addresses, outbox, people
from storage.addresses import Address
from storage.database import Database
from storage.people import AccountKey

SEEN_FOR = 60  # seconds that what was heard is not looked up again: so long another process may think that it is gone
SEEN = 20_000


class AddressBook:
    """Addresses by tenant and user or place; looked up once a minute of those who speak, and written only when they changed."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database, self._clock = database, clock
        self._seen: Recent[Address, tuple[Address, float]] = Recent(SEEN)

    async def find(self, tenant: str, who: str) -> Address | None:
        """The address as it is known; None when it was never heard from."""
        async with self._database.reading() as session:
            return await addresses.find(session, channel=CHANNEL, tenant=tenant, who=who)

    async def heard(self, *said: Address, anew: bool = False) -> tuple[Address, ...]:
        """Notes who was heard from where; what is not said now, such as one's own conversation, stays as it was known.

        `anew`: they may have been gone.
        """
        seen = [None if anew else self._seen.get(each) for each in said]
        if all(each is not None and time.monotonic() < each[1] for each in seen):
            return tuple(each[0] for each in seen if each is not None)
        async with self._database.reading() as session:
            found = [await addresses.find(session, channel=CHANNEL, tenant=each.tenant, who=each.who) for each in said]
        merged = tuple(_merged(each, known) for each, known in zip(said, found, strict=True))
        news = [each for each, known in zip(merged, found, strict=True) if each != known]
        if news:
            async with self._database.transaction() as session:
                for each in news:
                    await addresses.note(session, each, now=self._clock())
        for each, there in zip(said, merged, strict=True):
            self._seen.keep(each, (there, time.monotonic() + SEEN_FOR))
        return merged

    def _forget(self, tenant: str, who: str) -> None:
        self._seen.forget(lambda said: said.tenant == tenant and said.who == who)

    async def note(self, address: Address) -> None:
        """Keeps an address as it is now."""
        self._forget(address.tenant, address.who)
        async with self._database.transaction() as session:
            await addresses.note(session, address, now=self._clock())

    async def leave(self, tenant: str, user: str) -> None:
        """Somebody took the app away. What waits for a person whom no other account reaches is dropped."""
        self._forget(tenant, user)
        async with self._database.transaction() as session:
            known = await addresses.find(session, channel=CHANNEL, tenant=tenant, who=user)
            person = await people.find_by_account(session, AccountKey(channel=CHANNEL, tenant=tenant, user=user))
            if known is not None:
                await addresses.mark_gone(session, known)
            if person is not None and not await addresses.reach(session, person.id):
                await outbox.cancel_all(session, person.id, now=self._clock())

    async def mark_gone(self, address: Address) -> None:
        """It takes nothing any more until it is heard from."""
        self._forget(address.tenant, address.who)
        async with self._database.transaction() as session:
            await addresses.mark_gone(session, address)


def _merged(said: Address, known: Address | None) -> Address:
    return said if known is None or said.conversation else replace(said, conversation=known.conversation)
