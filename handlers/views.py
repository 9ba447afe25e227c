"""What a handler may answer: cards, forms and their parts. Frozen values; each channel draws them in its own way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol, TypeAlias

Args: TypeAlias = Mapping[str, str]
Value: TypeAlias = str | tuple[str, ...]
"""What stands in a field: text as typed; ISO dates and times; "yes" or "" for a toggle; a tuple where many may be chosen."""
Values: TypeAlias = Mapping[str, Value]
Errors: TypeAlias = Mapping[str, str]
"""Field name to sentence; the name "" belongs to the whole form."""

LONGEST_TEXT = 3000
"""Characters in one text field: the least that every channel's text input takes."""
LONGEST_DETAIL = 75
"""Characters of an option's detail: the most that every channel shows whole."""


@dataclass(frozen=True, kw_only=True)
class Button:
    """Runs `action` with `args`; does="ask": a form follows, "get": a file follows."""

    label: str
    action: str
    args: Args = field(default_factory=dict)
    style: Literal["plain", "primary", "danger"] = "plain"
    does: Literal["act", "ask", "get"] = "act"


@dataclass(frozen=True, kw_only=True)
class Link:
    """Leads to an address outside the chat."""

    label: str
    url: str


@dataclass(frozen=True, kw_only=True)
class Text:
    """One paragraph; a note is shown smaller, a heading stands above what follows."""

    text: str
    kind: Literal["plain", "note", "heading"] = "plain"


@dataclass(frozen=True, kw_only=True)
class Fact:
    """A label and what it says."""

    label: str
    value: str


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Labels and values, one under the other."""

    facts: tuple[Fact, ...]


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows of as many cells as there are columns."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""


@dataclass(frozen=True, kw_only=True)
class Divider:
    """A line between two parts."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One thing of a list, with the button that opens it."""

    text: str
    note: str = ""
    button: Button | None = None


@dataclass(frozen=True, kw_only=True)
class Lines:
    """A list of things."""

    lines: tuple[Line, ...]


@dataclass(frozen=True, kw_only=True)
class Series:
    """One row of numbers of a figure; None where a number is not known or not shown."""

    label: str
    numbers: tuple[float | None, ...]


@dataclass(frozen=True, kw_only=True)
class Figure:
    """Numbers to draw: each series has one number an axis, from 0 to `top`; the newest series comes first."""

    axes: tuple[str, ...]
    series: tuple[Series, ...]
    top: float


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A figure, the words for those who cannot see it, and the table that always goes with it."""

    figure: Figure
    alt: str
    table: Table


Block: TypeAlias = Text | Facts | Table | Divider | Lines | Picture


@dataclass(frozen=True, kw_only=True)
class Option:
    """One choice; `detail` is shown at the choice."""

    value: str
    label: str
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class TextField:
    """Free text of `least` to `most` characters, after spaces at its ends are taken off."""

    name: str
    label: str
    hint: str = ""
    required: bool = True
    lines: int = 1
    least: int = 0
    most: int = LONGEST_TEXT


@dataclass(frozen=True, kw_only=True)
class NumberField:
    """A whole number, or one with decimals."""

    name: str
    label: str
    hint: str = ""
    required: bool = True
    least: float | None = None
    most: float | None = None
    decimals: bool = False


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One of the options, or up to `most` of them when `many`."""

    name: str
    label: str
    options: tuple[Option, ...]
    hint: str = ""
    required: bool = True
    many: bool = False
    most: int | None = None


@dataclass(frozen=True, kw_only=True)
class Toggle:
    """Yes or no; no is the empty text."""

    name: str
    label: str
    hint: str = ""


@dataclass(frozen=True, kw_only=True)
class DateField:
    """A day, as YYYY-MM-DD."""

    name: str
    label: str
    hint: str = ""
    required: bool = True


@dataclass(frozen=True, kw_only=True)
class TimeField:
    """A time of day, as HH:MM."""

    name: str
    label: str
    hint: str = ""
    required: bool = True


@dataclass(frozen=True, kw_only=True)
class PersonField:
    """Somebody the hub knows, by the number in `options`."""

    name: str
    label: str
    options: tuple[Option, ...]
    hint: str = ""
    required: bool = True


Field: TypeAlias = TextField | NumberField | Choice | Toggle | DateField | TimeField | PersonField


class Typed(Protocol):
    """Whatever knows what the person typed: a Request."""

    @property
    def values(self) -> Values: ...


@dataclass(frozen=True, kw_only=True)
class Card:
    """Something to read, with buttons under it."""

    title: str
    blocks: tuple[Block, ...] = ()
    buttons: tuple[Button | Link, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Form:
    """A question to the person; `submit` is the word on its button, `args` come back with the answer.

    `buttons` of a form with steps (Back, Skip) send what is typed without checking it.
    """

    action: str
    title: str
    fields: tuple[Field, ...]
    submit: str = "Send"
    args: Args = field(default_factory=dict)
    blocks: tuple[Block, ...] = ()
    buttons: tuple[Button, ...] = ()
    step: str = ""
    values: Values = field(default_factory=dict)
    errors: Errors = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 1 <= len(self.title) <= 24:
            raise ValueError(f"A form's title has 1 to 24 characters: {self.title!r}")

    def filled(self, values: Values) -> Form:
        """The same form with these values in its fields."""
        return replace(self, values={**self.values, **values})

    def refused(self, errors: Errors, typed: Typed) -> Form:
        """The same form again, with what was typed and what is wrong with it."""
        return replace(self, values={**self.values, **typed.values}, errors=dict(errors))


@dataclass(frozen=True, kw_only=True)
class File:
    """A file to keep."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, kw_only=True)
class Message:
    """What the outbox delivers; `live` names a message that is kept true where it already stands."""

    card: Card
    live: str | None = None


@dataclass(frozen=True, kw_only=True)
class Reply:
    """A card in answer: to the person alone ("me") or to all in that place ("here").

    `replaces`: the card takes the place of the one whose button was pressed.
    `reference`: what a repeated submission is told was already sent, such as "IDEA-42".
    """

    card: Card
    audience: Literal["me", "here"] = "me"
    replaces: bool = False
    reference: str | None = None


@dataclass(frozen=True, kw_only=True)
class Quiet:
    """Nothing to show."""


Outcome: TypeAlias = Reply | Form | File | Quiet


def paragraphs(*texts: str) -> tuple[Text, ...]:
    """Plain paragraphs."""
    return tuple(Text(text=text) for text in texts)


def says(title: str, *texts: str, buttons: tuple[Button | Link, ...] = ()) -> Reply:
    """A private answer of plain paragraphs."""
    return Reply(card=Card(title=title, blocks=paragraphs(*texts), buttons=buttons))
