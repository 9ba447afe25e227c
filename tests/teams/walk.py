"""All that the bot shows: the demonstration's people type every command and press every button once."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from bot.dispatch import Dispatcher, Vouching
from bot.limits import RateLimit
from bot.links import FileLinks
from bot.web.signin import web_account
from handlers.pulse.kept import words_of
from handlers.pulse.wheel import illustrative
from handlers.registry import ROUTES
from handlers.routing import Interaction, Kind, Place
from handlers.views import Args, Button, Card, Form, Lines, Outcome, Reply
from storage import people, sample
from storage.database import Database
from tests.conftest import FakeClock

_numbers = itertools.count(1)


@dataclass
class Walk:
    """The bot without channels, and whatever it showed, each under a name of its own."""

    database: Database
    clock: FakeClock
    seen: dict[str, Card | Form] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._dispatcher = Dispatcher(
            self.database,
            ROUTES,
            clock=self.clock,
            limit=RateLimit(1_000_000),
            links=FileLinks(()),
            vouching=Vouching(),
            site="https://dih.example.org",
            wake=lambda: None,
        )

    async def ask(self, user: str, kind: Kind, name: str = "", *, text: str = "", args: Args | None = None) -> Outcome:
        """One interaction of a person with the web chat."""
        number = next(_numbers)
        place = Place(id="web", private=True)
        told = Interaction(
            id=f"i{number}",
            ticket=f"t{number}",
            channel="web",
            tenant="",
            user=user,
            place=place,
            kind=kind,
            name=name,
            text=text,
            args=args or {},
        )
        return (await self._dispatcher.answer(told)).outcome

    def keep(self, name: str, outcome: Outcome) -> None:
        """Notes what was shown."""
        shown = outcome.card if isinstance(outcome, Reply) else outcome
        if isinstance(shown, Card | Form):
            self.seen.setdefault(name, shown)

    async def goes(self) -> None:
        """Loads the sample; everybody does everything that is offered to them."""
        async with self.database.transaction() as session:
            personas = await sample.load(session, wheel=words_of(illustrative()), now=self.clock())
        for persona in personas:
            async with self.database.transaction() as session:
                person = await people.find(session, persona.person_id)
                assert person is not None
                user = await web_account(session, person, now=self.clock())
            for route in ROUTES.offered_to(person):
                await self._follows(persona.slug, user, route.name)

    async def _follows(self, who: str, user: str, command: str) -> None:
        """A command, then each button that appears, once; each form is also sent empty."""
        first = await self.ask(user, "command", text=command)
        waiting = deque([(f"{who} {command}", first)])
        pressed: set[tuple[str, str]] = set()
        while waiting:
            name, outcome = waiting.popleft()
            self.keep(name, outcome)
            shown = outcome.card if isinstance(outcome, Reply) else outcome
            if isinstance(shown, Form):
                self.keep(f"{name} (refused)", await self.ask(user, "form", shown.action, args=shown.args))
            for button in _buttons(shown):
                if (button.action, button.label) not in pressed and button.does != "get":
                    pressed.add((button.action, button.label))
                    waiting.append((f"{name} > {button.label}", await self.ask(user, "action", button.action, args=button.args)))


def _buttons(shown: object) -> Iterator[Button]:
    if isinstance(shown, Card | Form):
        yield from (line.button for block in shown.blocks if isinstance(block, Lines) for line in block.lines if line.button)
        yield from (button for button in shown.buttons if isinstance(button, Button))
