"""Cards and forms in plain words: for notifications, for screen readers and for whoever sees nothing else. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias, assert_never

from handlers import words
from handlers.views import (
    Block,
    Card,
    Choice,
    Divider,
    Facts,
    Field,
    Form,
    Lines,
    PersonField,
    Picture,
    Table,
    Text,
    Toggle,
    Value,
)

MOST = 3900
"""Characters of the words, those about what is left out included."""

Escape: TypeAlias = Callable[[str], str]
"""Makes words that can be no markup where they are shown; each character becomes five at most."""


def card_in_words(card: Card, escape: Escape = str) -> str:
    """All of a card in words, capped; what is left out is counted."""
    lines = [line for block in card.blocks for line in _said(block)]
    return _capped([card.title, *lines, *_offered([button.label for button in card.buttons])], escape)


def form_in_words(form: Form, escape: Escape = str) -> str:
    """All of a form in words, with what stands in it and what is wrong with it; capped as a card is."""
    lines = [line for block in form.blocks for line in _said(block)]
    asked = [line for field in form.fields for line in _asked(field, form.values.get(field.name, ""), form.errors.get(field.name, ""))]
    labels = [form.submit, *(button.label for button in form.buttons)]
    return _capped([form.title, form.step, form.errors.get("", ""), *lines, *asked, *_offered(labels)], escape)


def is_optional(field: Field) -> bool:
    """Whether the field may stay empty and its label says so; a toggle's no needs no word."""
    return not isinstance(field, Toggle) and not field.required


def _offered(labels: list[str]) -> list[str]:
    return [f"You can choose: {words.listed(labels)}."] if labels else []


def _said(block: Block) -> list[str]:
    match block:
        case Text():
            return [block.text]
        case Facts():
            return [f"{fact.label}: {fact.value}" for fact in block.facts]
        case Table():
            return [block.caption, *(" | ".join(row) for row in (block.columns, *block.rows))]
        case Divider():
            return []
        case Lines():
            return [
                " ".join(part for part in (line.text, line.note, f"({line.button.label})" if line.button else "") if part)
                for line in block.lines
            ]
        case Picture():
            return [block.alt, *_said(block.table)]
        case _:
            assert_never(block)


def _asked(field: Field, value: Value, wrong: str) -> list[str]:
    """A field: what is wrong, its label with what stands in it, its hint and its options."""
    label = f"{field.label} (optional)" if is_optional(field) else field.label
    stands = _stands(field, value)
    options = field.options if isinstance(field, Choice | PersonField) else ()
    offered = [f"{option.label}: {option.detail}" if option.detail else option.label for option in options]
    return [wrong, f"{label}: {stands}" if stands else label, field.hint, *offered]


def _stands(field: Field, value: Value) -> str:
    values = value if isinstance(value, tuple) else (value,)
    if isinstance(field, Choice | PersonField):
        return words.listed([option.label for option in field.options if option.value in values])
    if isinstance(field, Toggle):
        return "yes" if "yes" in values else "no"
    return "".join(values)


def _capped(lines: list[str], escape: Escape) -> str:
    """The lines, escaped, up to the longest text; what is left out is counted."""
    kept: list[str] = []
    left = MOST - 30
    widest = 1 if escape is str else 5
    said = [line for line in lines if line]
    for number, line in enumerate(said):
        if len(safe := escape(line)) >= left:
            if left > 400:
                kept.append(escape(words.short(line, left // widest)))
            more = len(said) - number - (left > 400)
            return "\n".join([*kept, f"And {more} more."] if more else kept)
        kept.append(safe)
        left -= len(safe) + 1
    return "\n".join(kept)
