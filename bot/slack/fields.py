"""Form fields in Slack, with what stands in them; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import date
from typing import Any, assert_never

from handlers import words
from handlers.views import (
    Choice,
    DateField,
    Field,
    NumberField,
    Option,
    PersonField,
    TextField,
    TimeField,
    Toggle,
    Value,
)

Json = dict[str, Any]

MOST_OPTIONS = 1000


def plain(text: str, most: int) -> Json:
    """Words that Slack shows as they stand."""
    return {"type": "plain_text", "text": words.short(text, most) or " ", "emoji": False}


def input_block(field: Field, value: Value | None, ticket: str) -> Json:
    """A field with what stands in it; Slack keeps what was typed where the block's id stays the same."""
    block = {
        "type": "input",
        "block_id": f"{ticket}:{field.name}",
        "label": plain(field.label, 300),
        "element": {**_element(field, value), "action_id": field.name},
        "optional": isinstance(field, Toggle) or not field.required,
    }
    return {**block, "hint": plain(field.hint, 500)} if field.hint else block


def _element(field: Field, value: Value | None) -> Json:
    typed = value if isinstance(value, str) else "".join(value or ())
    match field:
        case TextField():
            element: Json = {"type": "plain_text_input", "multiline": field.lines > 1, "max_length": 3000}
            return {**element, "initial_value": typed[:3000]} if typed else element
        case NumberField():
            element = {"type": "number_input", "is_decimal_allowed": field.decimals}
            return {**element, "initial_value": typed} if _is_number(typed, field.decimals) else element
        case Choice(many=True):
            return _many(field, value if isinstance(value, tuple) else (value,) if value else ())
        case Choice() | PersonField():
            return _one(field.options, typed, radio=isinstance(field, Choice))
        case Toggle():
            options = (Option(value="yes", label="Yes"),)
            return _chosen({"type": "checkboxes", "options": [_option(options[0])]}, "initial_options", options, (typed,))
        case DateField():
            return {"type": "datepicker", "initial_date": typed} if _is_date(typed) else {"type": "datepicker"}
        case TimeField():
            is_time = re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", typed)
            return {"type": "timepicker", "initial_time": typed} if is_time else {"type": "timepicker"}
        case _:
            assert_never(field)


def _is_number(text: str, decimals: bool) -> bool:
    return bool(re.fullmatch(r"-?[0-9]{1,15}(\.[0-9]{1,15})?" if decimals else r"-?[0-9]{1,15}", text))


def _is_date(text: str) -> bool:
    with suppress(ValueError):
        return date.fromisoformat(text).isoformat() == text
    return False


def _option(option: Option) -> Json:
    shown = {"text": plain(option.label, 75), "value": option.value}
    return {**shown, "description": plain(option.detail, 75)} if option.detail else shown


def _chosen(element: Json, key: str, options: Sequence[Option], values: Iterable[str]) -> Json:
    """The element with what is chosen in it."""
    wanted = set(values)
    chosen = [_option(option) for option in options if option.value in wanted]
    return {**element, key: chosen if key == "initial_options" else chosen[0]} if chosen else element


def _one(options: Sequence[Option], value: str, *, radio: bool) -> Json:
    """Radio buttons where all are to be seen at once, a list otherwise."""
    seen_at_once = radio and (len(options) <= 5 or (len(options) <= 10 and any(option.detail for option in options)))
    element = {"type": "radio_buttons" if seen_at_once else "static_select", **_offered(options)}
    return _chosen(element, "initial_option", options[:MOST_OPTIONS], (value,))


def _offered(options: Sequence[Option]) -> Json:
    """The options; a list of more than 100 takes groups."""
    if len(options) <= 100:
        return {"options": [_option(option) for option in options]}
    groups = [options[start : start + 100] for start in range(0, min(len(options), MOST_OPTIONS), 100)]
    return {
        "option_groups": [
            {
                "label": plain(f"{words.short(each[0].label, 35)} to {words.short(each[-1].label, 35)}", 75),
                "options": list(map(_option, each)),
            }
            for each in groups
        ]
    }


def _many(field: Choice, values: Sequence[str]) -> Json:
    if len(field.options) <= 10 and field.most is None:
        return _chosen({"type": "checkboxes", **_offered(field.options)}, "initial_options", field.options, values)
    element: Json = {"type": "multi_static_select", **_offered(field.options)}
    limited = {**element, "max_selected_items": field.most} if field.most else element
    return _chosen(limited, "initial_options", field.options[:MOST_OPTIONS], values)
