"""The address book: where people and places are reached, kept from whatever they send."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from bot.teams.parse import CHANNEL
from storage import addresses, outbox, people
from storage.addresses import Address
from storage.database import Database
from storage.people import AccountKey


class AddressBook:
    """Addresses by tenant and user or place; written only when they changed, so that speaking costs one read."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database, self._clock = database, clock

    async def find(self, tenant: str, who: str) -> Address | None:
        """The address as it is known; None when it was never heard from."""
        async with self._database.reading() as session:
            return await addresses.find(session, channel=CHANNEL, tenant=tenant, who=who)

    async def heard(self, *said: Address) -> tuple[Address, ...]:
        """Notes who was heard from where; what is not said now, such as one's own conversation, stays as it was known."""
        async with self._database.reading() as session:
            found = [await addresses.find(session, channel=CHANNEL, tenant=each.tenant, who=each.who) for each in said]
        merged = tuple(
            replace(each, conversation=each.conversation or (known.conversation if known else ""))
            for each, known in zip(said, found, strict=True)
        )
        news = [each for each, known in zip(merged, found, strict=True) if each != known]
        if news:
            async with self._database.transaction() as session:
                for each in news:
                    await addresses.note(session, each, now=self._clock())
        return merged

    async def note(self, address: Address) -> None:
        """Keeps an address as it is now."""
        async with self._database.transaction() as session:
            await addresses.note(session, address, now=self._clock())

    async def leave(self, tenant: str, user: str) -> None:
        """Somebody took the app away. What waits for a person whom no other account reaches is dropped."""
        async with self._database.transaction() as session:
            known = await addresses.find(session, channel=CHANNEL, tenant=tenant, who=user)
            person = await people.find_by_account(session, AccountKey(channel=CHANNEL, tenant=tenant, user=user))
            if known is not None:
                await addresses.mark_gone(session, known)
            if person is not None and not await addresses.reach(session, person.id):
                await outbox.cancel_all(session, person.id, now=self._clock())

    async def mark_gone(self, address: Address) -> None:
        """It takes nothing any more until it is heard from."""
        async with self._database.transaction() as session:
            await addresses.mark_gone(session, address)
