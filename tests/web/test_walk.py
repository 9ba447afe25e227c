"""A newcomer in the demonstration presses every button once: each leads somewhere that makes sense."""

from __future__ import annotations

import json
from collections import deque

import pytest
from bs4 import Tag

from handlers.errors import GONE
from handlers.registry import ROUTES
from storage import people, sample
from tests.storage.hub import only_sqlite
from tests.web.conftest import Bot
from tests.web.window import Window

Step = tuple[str, str]
"""An action and the label of its button."""


def _buttons(window: Window) -> dict[Step, Tag]:
    """The buttons of the newest answer that run an action, one of each."""
    found: dict[Step, Tag] = {}
    for button in window.items("theirs")[-1].find_all("button", attrs={"name": "do"}):
        found.setdefault((json.loads(str(button["value"]))["action"], next(button.stripped_strings)), button)
    return found


async def _goes_along(window: Window, command: str, steps: tuple[Step, ...]) -> bool:
    """Types and presses; False where a button is not there any more, because it was pressed before on another way."""
    await window.types(command)
    for step in steps:
        button = _buttons(window).get(step)
        if button is None:
            return False
        await window._press(button)
    return True


@only_sqlite
@pytest.mark.may_block("it reads long pages itself")
@pytest.mark.parametrize("persona", [slug for slug, _, _ in sample.PERSONAS])
async def test_every_button_leads_somewhere(demo: Bot, persona: str) -> None:
    window = demo.window(f"/as/{persona}/")
    await window.goes()
    async with demo.database.reading() as session:
        name = next(name for slug, name, _ in sample.PERSONAS if slug == persona)
        person = next(each for each in await people.list_people(session) if each.name.startswith(name))
    seen: set[Step] = set()
    for route in ROUTES.offered_to(person):
        ways: deque[tuple[Step, ...]] = deque([()])
        while ways:
            way = ways.popleft()
            if not await _goes_along(window, route.name, way):
                continue
            shown = window.newest("theirs")
            where = (route.name, *way)
            assert window.status == 200, (where, shown)
            assert not any(words in shown for words in ("Sorry", GONE, *(("I could not do that",) if way else ()))), (where, shown)
            for step in _buttons(window):
                if step not in seen:
                    seen.add(step)
                    ways.append((*way, step))
    assert len(seen) > 10
