"""A person's page in the database: what stands on it, and where the answer to what they did goes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never

from bot.dispatch import Answer
from bot.web import items
from bot.web.items import PageItem, Words
from handlers import words
from handlers.routing import Interaction
from handlers.views import Card, File, Form, Outcome, Quiet, Reply
from storage import history
from storage.database import Database, Session
from storage.history import Speaker

LONGEST_WORDS = 3000
HELD = 120
"""Seconds that a late answer which must not be kept is there for its page."""


@dataclass(frozen=True, kw_only=True)
class Doing:
    """What somebody did on their page: on which item (0 for none)."""

    person_id: int
    interaction: Interaction
    item: int


class Held:
    """Late answers that must not be kept: this process remembers them for two minutes, for the page that looks for them."""

    def __init__(self) -> None:
        self._answers: dict[str, tuple[Doing, Answer]] = {}

    def put(self, doing: Doing, answer: Answer) -> None:
        """Remembers it."""
        self._answers[doing.interaction.id] = doing, answer
        asyncio.get_running_loop().call_later(HELD, self._answers.pop, doing.interaction.id, None)

    def find(self, interaction: str, person_id: int) -> tuple[Doing, Answer] | None:
        """What this person did and what came of it; None where that is not known here."""
        found = self._answers.get(interaction)
        return found if found and found[0].person_id == person_id else None


class Conversation:
    """Writes what was said into people's histories."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database, self._clock = database, clock

    async def keep(self, doing: Doing, answer: Answer) -> int:
        """Stores an answer where it belongs; returns the number of the item that holds it, 0 when nothing is shown."""
        interaction = doing.interaction
        async with self._database.transaction() as session:
            if interaction.kind == "command" and interaction.text:
                said = Words(text=words.short(interaction.text, LONGEST_WORDS))
                await history.add(
                    session, person_id=doing.person_id, speaker=Speaker.PERSON, content=items.pack(said), ticket="", now=self._clock()
                )
            used = await self._used(session, doing)
            content = _content(answer.outcome)
            if content is None:
                if used is not None and isinstance(used.shown, Form):
                    await history.remove(session, id=used.id, person_id=doing.person_id)
                return 0
            instead = used.id if used is not None and answer.done and _takes_place(answer.outcome, used) else 0
            return await self._put(session, doing, content, answer.ticket, instead)

    async def keep_late(self, doing: Doing, answer: Answer) -> None:
        """Stores why a form was turned away: by now there is no page to draw it on."""
        content = _content(answer.outcome)
        if content is not None:
            async with self._database.transaction() as session:
                await self._put(session, doing, content, answer.ticket, 0)

    async def _put(self, session: Session, doing: Doing, content: Card | Form, ticket: str, instead: int) -> int:
        packed = items.pack(content, answers=doing.interaction.id)
        mine, was = doing.person_id, doing.interaction.ticket
        # A second click may have put its answer there since; then this one stands below it.
        if instead and await history.replace(session, id=instead, person_id=mine, content=packed, ticket=ticket, instead_of=was):
            return instead
        return await history.add(session, person_id=mine, speaker=Speaker.BOT, content=packed, ticket=ticket, now=self._clock())

    async def _used(self, session: Session, doing: Doing) -> PageItem | None:
        """The item that was used, as long as it still is what the person saw."""
        found = await history.find(session, id=doing.item, person_id=doing.person_id) if doing.item else None
        return items.unpack(found) if found and found.ticket == doing.interaction.ticket else None

    async def close(self, person_id: int, item: int) -> None:
        """Takes a form off the page."""
        async with self._database.transaction() as session:
            found = await history.find(session, id=item, person_id=person_id)
            if found is not None and isinstance(items.unpack(found).shown, Form):
                await history.remove(session, id=item, person_id=person_id)

    def drawn(self, there: Sequence[PageItem], doing: Doing, answer: Answer) -> tuple[PageItem, ...]:
        """The page with an answer that is not kept: a form keeps what was typed, on this one page only."""
        outcome = answer.outcome
        drawn = [_filled(item, doing) if item.id == doing.item else item for item in there]
        if isinstance(outcome, Reply):
            card = PageItem(id=0, shown=outcome.card, ticket=answer.ticket, at=self._clock())
            kept = [index for index, item in enumerate(drawn) if item.answers == doing.interaction.id]
            return (*drawn[: kept[0]], replace(card, id=drawn[kept[0]].id), *drawn[kept[0] + 1 :]) if kept else (*drawn, card)
        if isinstance(outcome, Form):
            used = next((item for item in drawn if item.id == doing.item and isinstance(item.shown, Form)), None)
            if used is None:
                return (*drawn, PageItem(id=0, shown=outcome, ticket=answer.ticket, at=self._clock()))
            return tuple(replace(item, shown=outcome, ticket=answer.ticket) if item is used else item for item in drawn)
        return tuple(drawn)


def _filled(item: PageItem, doing: Doing) -> PageItem:
    """The form with what was typed into it; anything else as it is."""
    if not isinstance(item.shown, Form):
        return item
    names = {field.name for field in item.shown.fields}
    return replace(item, shown=item.shown.filled({name: value for name, value in doing.interaction.values.items() if name in names}))


def _content(outcome: Outcome) -> Card | Form | None:
    """What an outcome leaves on the page."""
    match outcome:
        case Reply():
            return items.without_secrets(outcome.card)
        case Form():
            return outcome
        case Quiet() | File():
            return None
        case _:
            assert_never(outcome)


def _takes_place(outcome: Outcome, used: PageItem) -> bool:
    """A form makes room for what follows it; a card for a reply that says so."""
    return isinstance(used.shown, Form) or (isinstance(outcome, Reply) and outcome.replaces)
