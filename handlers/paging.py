"""Long lists, a page at a time: which part is shown, and the buttons that turn the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from handlers import words
from handlers.views import Button


@dataclass(frozen=True, kw_only=True)
class Page:
    """`size` things of `total`, from `offset` on."""

    total: int
    offset: int
    size: int

    @classmethod
    def of(cls, total: int, offset: int, *, size: int) -> Page:
        """The page that begins at `offset`, or the last one where the list has become shorter."""
        return cls(total=total, offset=min(offset, max(0, total - 1) // size * size), size=size)

    def turns(self, action: str, args: Mapping[str, str] | None = None, *, back: str = "Back", more: str = "More") -> tuple[Button, ...]:
        """The buttons to the pages beside it; `action` gets their "offset"."""
        steps = ((back, self.offset - self.size, self.offset > 0), (more, self.offset + self.size, self.offset + self.size < self.total))
        return tuple(Button(label=label, action=action, args={**(args or {}), "offset": str(to)}) for label, to, there in steps if there)

    def said(self, one: str, many: str | None = None) -> str:
        """“9 to 16 of 33 ideas”."""
        last = min(self.offset + self.size, self.total)
        return f"{words.number(self.offset + 1)} to {words.number(last)} of {words.count(self.total, one, many)}"
