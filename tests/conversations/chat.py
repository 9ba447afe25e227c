"""What a person can do in a chat and what they see of it, the same on every channel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

Answers = Mapping[str, str]


class Chat(Protocol):
    """One person in front of one channel."""

    async def types(self, words: str) -> None:
        """Sends words to the bot."""

    async def opens_form(self) -> None:
        """Waits until a form is on the screen."""

    async def fills(self, answers: Answers) -> None:
        """Fills the open form's fields, by label, and sends it."""

    async def sends_again(self) -> None:
        """The form that was just sent is sent once more, as a double click or a proxy does."""

    async def errors(self) -> Mapping[str, str]:
        """What is wrong with the open form, by label; the whole form's under ""."""

    async def typed(self, label: str) -> str:
        """What stands in a field of the open form."""

    async def presses(self, label: str) -> None:
        """Presses the newest button of that name."""

    async def sees(self, *words: str) -> str:
        """Waits until the newest answer shows all of these; returns its words."""

    async def is_told(self, words: str) -> str:
        """Waits for a message that the bot sent by itself; returns its words."""

    async def was_told(self, words: str) -> int:
        """How many messages with these words the bot sent by itself."""
