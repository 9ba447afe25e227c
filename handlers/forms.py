"""What is declared on a field, checked in one place: tidied text, required, length, number, choice, date, time."""

from __future__ import annotations

import hashlib
import json
import math
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, time
from typing import assert_never

from handlers.views import (
    Args,
    Choice,
    DateField,
    Errors,
    Field,
    Form,
    NumberField,
    PersonField,
    TextField,
    TimeField,
    Toggle,
    Value,
    Values,
)
from handlers.words import count, day, listed, number, short

# Control characters and halves of characters; what would turn the words around it or is nothing at all: overrides, isolates, zero width.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u200b\u202a-\u202e\u2060\u2066-\u2069\ufeff]+")
_BLANK = ("Cf", "Zs", "Zl", "Zp", "Cc")
_EMPTY = "\u034f\u115f\u1160\u2800\u3164\uffa0\ufe0e\ufe0f"  # shown as nothing, though Unicode calls them letters and marks

_NUMBER = re.compile(r"[+-]?(?:\d{1,3}(?:,\d{3})+|\d{1,300})(?:\.\d*)?")
"""Commas stand between thousands only: “1,5” may mean something else."""

LONGEST = 20_000
"""Characters of one value, or of a command, that are kept: far more than any field takes."""
OVERTAKEN = "Somebody changed this after you opened it. Check what you typed, then save again."
MOST_MARKS = 20
"""Accents upon one letter; putting an endless pile of them in order takes time that grows with its square."""
_PILE = re.compile(rb"[^\0]{%d,}" % (MOST_MARKS + 1))


def _unstacked(text: str) -> str:
    """The text without the marks that pile up beyond what any language writes."""
    kept, begun = [], 0
    for pile in _PILE.finditer(bytes(map(unicodedata.combining, text))):
        kept.append(text[begun : pile.start() + MOST_MARKS])
        begun = pile.end()
    return "".join((*kept, text[begun:]))


def tidy(text: str) -> str:
    """The text without what no reader could see: control characters, direction overrides, zero widths, spaces at the ends.

    Text of blanks and joiners only becomes "". Takes time in proportion to the text's length.
    """
    if text.isascii() and text.isprintable():
        return text.strip()
    seen = _UNSEEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    if not seen.isascii():
        seen = _unstacked(unicodedata.normalize("NFC", _unstacked(seen)))
    kept = seen.strip()
    return "" if all(c in _EMPTY or unicodedata.category(c) in _BLANK for c in kept) else kept


def tidy_values(values: Values) -> Values:
    """All values tidied."""
    return {name: tidy(value) if isinstance(value, str) else tuple(map(tidy, value)) for name, value in values.items()}


def check(form: Form, values: Values) -> tuple[Values, Errors]:
    """(The values of the form's fields in their canonical form, what is wrong with them by field)."""
    canonical: dict[str, Value] = {}
    errors: dict[str, str] = {}
    for field in form.fields:
        value = values.get(field.name, "")
        try:
            canonical[field.name] = _read(field, value)
        except ValueError as error:
            canonical[field.name] = value
            errors[field.name] = str(error)
    return bounded(canonical, errors) if errors else (canonical, errors)


def bounded(values: Values, errors: Errors) -> tuple[Values, Errors]:
    """What a refused form gives back: values that are far too long are cut, and their errors say so."""
    kept, said = dict(values), dict(errors)
    for name, value in values.items():
        if isinstance(value, str) and len(value) > LONGEST:
            kept[name] = value[:LONGEST]
            said[name] = f"{said.get(name, '')} I kept the first {number(LONGEST)} of {number(len(value))} characters.".lstrip()
        elif sum(map(len, _tuple(value))) > LONGEST:
            kept[name] = ()  # no choice of ours is as long
    return kept, said


def marked(form: Form) -> Form:
    """The form with a mark of what it is filled with, by which `overtaken` knows later whether that was changed."""
    said = json.dumps(form.values, sort_keys=True)
    return replace(form, args={**form.args, "seen": hashlib.sha256(said.encode()).hexdigest()[:16]})


def overtaken(form: Form, args: Args, values: Values) -> Errors:
    """What to say where what the person's form was filled with was changed meanwhile; `form` is the one of now, marked as theirs was."""
    if args.get("seen") == form.args["seen"]:
        return {}
    differing = (field for field in form.fields if _set(values, field) != _set(form.values, field))
    return {"": OVERTAKEN, **{field.name: f"It is now {_label(field, form.values.get(field.name, ''))}." for field in differing}}


def _set(values: Values, field: Field) -> set[str]:
    return {text for text in _tuple(values.get(field.name, "")) if text}


def _label(field: Field, value: Value) -> str:
    """What a value says to people, shortened."""
    texts = [text for text in _tuple(value) if text]
    if isinstance(field, Choice | PersonField):
        texts = [option.label for option in field.options if option.value in texts]
    elif isinstance(field, DateField):
        texts = [day(date.fromisoformat(text)) for text in texts]
    return f"“{short(listed(texts), 150)}”" if texts else "empty"


def prefilled(form: Form) -> Form:
    """The form without values that its fields could not hold, such as a choice that is no longer offered."""
    held = {}
    for field in form.fields:
        value = form.values.get(field.name)
        if value and not (isinstance(field, Choice | PersonField) and not _offered(field, _tuple(value))):
            held[field.name] = value
    return replace(form, values=held)


def _tuple(value: Value) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else (value,)


def _offered(field: Choice | PersonField, values: Iterable[str]) -> bool:
    return set(values) <= {option.value for option in field.options}


def _read(field: Field, value: Value) -> Value:
    """The value in canonical form; raises ValueError with the sentence for the person."""
    if isinstance(field, Choice) and field.many:
        return _read_many(field, value)
    text = value if isinstance(value, str) else "".join(value[:1])
    if isinstance(field, Toggle):
        return "yes" if text == "yes" else ""
    if not text:
        if field.required:
            raise ValueError(_missing(field))
        return ""
    match field:
        case TextField():
            return _read_text(field, text)
        case NumberField():
            return _read_number(field, text)
        case Choice() | PersonField():
            if not _offered(field, (text,)):
                raise ValueError("Choose one from the list.")
            return text
        case DateField():
            return _read_date(text)
        case TimeField():
            return _read_time(text)
        case _:
            assert_never(field)


def _missing(field: Field) -> str:
    match field:
        case TextField() | NumberField():
            return f"Fill in “{field.label}”."
        case Choice(many=True):
            return "Choose at least 1."
        case Choice() | PersonField() | Toggle():
            return "Choose one from the list."
        case DateField():
            return "Enter a date."
        case TimeField():
            return "Enter a time."
        case _:
            assert_never(field)


def _read_text(field: TextField, text: str) -> str:
    if field.lines == 1:
        text = re.sub(r"\s+", " ", text)
    if len(text) < field.least:
        raise ValueError(f"Use {count(field.least, 'character')} or more.")
    if len(text) > field.most:
        raise ValueError(f"Use {count(field.most, 'character')} or fewer. You used {number(len(text))}.")
    return text


def _read_number(field: NumberField, text: str) -> str:
    if not _NUMBER.fullmatch(text):
        raise ValueError("Enter a number, such as 12.")
    value = float(text.replace(",", ""))
    if not math.isfinite(value):
        raise ValueError("Enter a number, such as 12.")
    if not field.decimals and value != int(value):
        raise ValueError("Enter a whole number, such as 12.")
    if field.least is not None and value < field.least:
        raise ValueError(f"Enter {number(field.least)} or more.")
    if field.most is not None and value > field.most:
        raise ValueError(f"Enter {number(field.most)} or less.")
    return str(value if field.decimals else int(value))


def _read_many(field: Choice, value: Value) -> tuple[str, ...]:
    chosen = tuple(dict.fromkeys(item for item in _tuple(value) if item))
    if not chosen and field.required:
        raise ValueError(_missing(field))
    if not _offered(field, chosen):
        raise ValueError("Choose from the list.")
    if field.most is not None and len(chosen) > field.most:
        raise ValueError(f"Choose {number(field.most)} or fewer.")
    return chosen


def _read_date(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise ValueError("Enter a real date, such as 2027-03-31.") from None


def _read_time(text: str) -> str:
    try:
        return time.fromisoformat(text).replace(second=0, microsecond=0, tzinfo=None).isoformat("minutes")
    except ValueError:
        raise ValueError("Enter a time from 00:00 to 23:59.") from None
