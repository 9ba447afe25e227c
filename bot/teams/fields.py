"""Form fields in Teams, with what stands in them and what is wrong with it; pure.

No input is marked as required and none has a length: the server checks, says it in its own words at the field, and lets Back send
what is half done. Teams would cut off what is pasted without a word.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, assert_never

from bot.plain import is_optional
from bot.teams.texts import BOLD, NOTE, WRONG, Json, could_be_markdown, escaped, rich, run, safe, size
from handlers import words
from handlers.views import Choice, DateField, Field, NumberField, Option, PersonField, TextField, TimeField, Toggle, Value

NOTHING = " "
"""What an input sends for nothing chosen and for no: Microsoft's renderer has no empty value, and blanks are tidied away."""
CHOOSE = "Choose from the list"
RESERVED = ("dih", "msteams")
OPTION = 100
"""Characters of an option's label, and of its detail."""


@dataclass(frozen=True, kw_only=True)
class Room:
    """How much of a form's fields is shown: characters of a value and of a sentence, options of a choice."""

    values: int = 20_000
    sentences: int = 300
    options: int = 400

    def tighter(self, drawn: Sequence[Json]) -> Room | None:
        """Less of what takes most of these elements; None where nothing more can be spared."""
        taken = {
            "values": sum(size(each.get("value", "")) for each in drawn if each["type"] == "Input.Text") if self.values else 0,
            "sentences": sum(size([each.get("label"), each.get("inlines")]) for each in drawn) if self.sentences > 20 else 0,
            "options": sum(size(each.get("choices", "")) for each in drawn) if self.options > 1 else 0,
        }
        most = max(taken, key=lambda name: taken[name])
        return replace(self, **{most: getattr(self, most) * 3 // 4}) if taken[most] else None


def field_elements(field: Field, value: Value | None, error: str, room: Room) -> list[Json]:
    """What is wrong, the input with its label, and its hint."""
    assert field.name not in RESERVED, field.name
    typed = value if isinstance(value, str) else "".join(value or ())
    label = safe(words.short(field.label.strip() or field.name, room.sentences)) + (" (optional)" if is_optional(field) else "")
    input = {"id": field.name, "label": label, **_input(field, value, typed, room)}
    above = [rich(run(words.short(error, room.sentences), **WRONG))] if error else []
    above += _typed(field, typed, room)
    if above:
        input["spacing"] = "Small"
    below = [words.short(field.hint, room.sentences)] if field.hint else []
    offered = sum(choice["value"] != NOTHING for choice in input.get("choices", ()))
    if more := len(_options(field)) - offered:
        below.append(f"And {words.number(more)} more.")
    return [*above, input, *(rich(run(each, **NOTE), spacing="Small") for each in below)]


def _input(field: Field, value: Value | None, typed: str, room: Room) -> Json:
    match field:
        case TextField():
            several = field.lines > 1 or len(typed.splitlines()) > 1
            return {"type": "Input.Text", **_filled(safe(typed[: room.values])), **({"isMultiline": True} if several else {})}
        case NumberField():
            return {"type": "Input.Number", **_filled(_number(typed))}
        case Choice(many=True):
            return _many(field, value if isinstance(value, tuple) else (value,) if value else (), room)
        case Choice() | PersonField():
            return _one(field, typed, room)
        case Toggle():
            value_now = "yes" if typed == "yes" else NOTHING
            return {"type": "Input.Toggle", "title": "Yes", "valueOn": "yes", "valueOff": NOTHING, "value": value_now}
        case DateField():
            return {"type": "Input.Date", **_filled(typed if _is_date(typed) else None)}
        case TimeField():
            return {"type": "Input.Time", **_filled(typed if _is_time(typed) else None)}
        case _:
            assert_never(field)


def _filled(value: Any) -> Json:
    return {} if value in (None, "") else {"value": value}


def _number(text: str) -> float | int | None:
    if not re.fullmatch(r"-?[0-9]{1,15}(\.[0-9]{1,15})?", text):
        return None
    return float(text) if "." in text else int(text)


def _is_date(text: str) -> bool:
    with suppress(ValueError):
        return date.fromisoformat(text).isoformat() == text
    return False


def _is_time(text: str) -> bool:
    return bool(re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", text))


def _typed(field: Field, typed: str, room: Room) -> list[Json]:
    """What was typed and cannot stand in the input."""
    match field:
        case TextField() if len(typed) > room.values:
            cut = f"Only the first {words.number(room.values)} of {words.number(len(typed))} characters fit here."
            return [rich(run(cut, **WRONG))]
        case NumberField():
            held = _number(typed) is not None
        case DateField():
            held = _is_date(typed)
        case TimeField():
            held = _is_time(typed)
        case _:
            held = True
    if held or not typed:
        return []
    return [rich(run("You typed: "), run(words.short(" ".join(typed.split()), room.sentences), **BOLD), spacing="Small")]


# -- choices


def _options(field: Field) -> tuple[Option, ...]:
    return field.options if isinstance(field, Choice | PersonField) else ()


def _shown(field: Choice | PersonField, values: Iterable[str], room: Room) -> tuple[Option, ...]:
    """As many options as there is room for, the chosen ones among them."""
    first, rest = field.options[: room.options], field.options[room.options :]
    return (*first, *(option for option in rest if option.value in values))


def _title(option: Option, room: Room) -> str:
    """An option in one line, with its detail."""
    most = min(OPTION, room.sentences)
    parts = (words.short(" ".join(part[: 4 * OPTION].split()), most) for part in (option.label, option.detail) if part)
    return safe(": ".join(parts)) or option.value


def _one(field: Choice | PersonField, value: str, room: Room) -> Json:
    """Radio buttons where all are to be seen at once and show their words as they stand; a list otherwise."""
    options = _shown(field, (value,), room)
    titles = [_title(option, room) for option in options]
    choices = [{"title": title, "value": option.value} for title, option in zip(titles, options, strict=True)]
    chosen = _filled(next((option.value for option in options if option.value == value), None))
    input: Json = {"type": "Input.ChoiceSet", "choices": [*([{"title": "None", "value": NOTHING}] if is_optional(field) else []), *choices]}
    explained = any(option.detail for option in options)
    seen_at_once = isinstance(field, Choice) and (len(options) <= 5 or (len(options) <= 10 and explained))
    if seen_at_once and not any(map(could_be_markdown, titles)):
        return {**input, "style": "expanded", "wrap": True, **chosen}
    if isinstance(field, PersonField) and len(options) > 10 and not chosen and len(set(titles)) == len(titles):
        # Microsoft's renderer looks for what was typed among the titles, and puts a value in as it is
        return {**input, "style": "filtered", "placeholder": "Type a name", "errorMessage": "Choose one from the list."}
    return {**input, "placeholder": CHOOSE, **chosen}


def _many(field: Choice, values: Sequence[str], room: Room) -> Json:
    """Boxes to tick; their labels read markdown in every style."""
    assert not any("," in option.value for option in field.options), field.name
    options = _shown(field, values, room)
    choices = [{"title": escaped(_title(option, room)), "value": option.value} for option in options]
    chosen = ",".join(option.value for option in options if option.value in values)
    return {"type": "Input.ChoiceSet", "choices": choices, "isMultiSelect": True, "wrap": True, **_filled(chosen)}
