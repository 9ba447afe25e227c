"""Words that several cards of the pulse share."""

from __future__ import annotations

from collections.abc import Collection

from handlers import words
from handlers.pulse.wheel import Wheel
from handlers.views import Text
from storage.people import Group

ILLUSTRATIVE = "This wheel is illustrative. It was written for this bot and is not the Innovation Unit’s own wording."


def groups(asked: Collection[Group]) -> str:
    """“the Core Team and the Programme Group”."""
    return words.listed([f"the {words.GROUPS[group]}" for group in sorted(asked)])


def origin(wheel: Wheel) -> tuple[Text, ...]:
    """What must be said wherever an illustrative wheel is shown."""
    return (Text(text=ILLUSTRATIVE, kind="note"),) if wheel.illustrative else ()
