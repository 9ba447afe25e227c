"""What is declared on a field is checked in one place, and text is tidied without taking anything that can be read."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.forms import check, prefilled, tidy, tidy_values
from handlers.views import Choice, DateField, Field, Form, NumberField, Option, PersonField, TextField, TimeField, Toggle, Value
from tests.hostile import HOSTILE, long

OPTIONS = tuple(Option(value=value, label=value.upper()) for value in ("a", "b", "c"))
FIELDS: dict[str, Field] = {
    "text": TextField(name="f", label="Title", least=3, most=10),
    "long text": TextField(name="f", label="Need", lines=4, most=10),
    "optional": TextField(name="f", label="Idea", required=False, least=3),
    "whole": NumberField(name="f", label="Seats", least=1, most=1000),
    "decimal": NumberField(name="f", label="Cost", decimals=True),
    "choice": Choice(name="f", label="Where", options=OPTIONS),
    "optional choice": Choice(name="f", label="Where", options=OPTIONS, required=False),
    "many": Choice(name="f", label="Benefits", options=OPTIONS, many=True, most=2),
    "toggle": Toggle(name="f", label="Open"),
    "date": DateField(name="f", label="When"),
    "time": TimeField(name="f", label="At"),
    "optional time": TimeField(name="f", label="At", required=False),
    "person": PersonField(name="f", label="Who", options=OPTIONS),
}
GOOD: tuple[tuple[str, Value, Value], ...] = (
    ("text", "three", "three"), ("text", "a  b\nc", "a b c"), ("text", "ﷺﷺﷺ", "ﷺﷺﷺ"), ("text", ("several", "x"), "several"),
    ("long text", "a\nb", "a\nb"), ("optional", "", ""), ("whole", "12", "12"), ("whole", "1,000", "1000"), ("whole", "12.0", "12"),
    ("whole", "١٢", "12"), ("decimal", "0.5", "0.5"), ("decimal", "-3", "-3.0"), ("choice", "a", "a"), ("choice", ("b",), "b"),
    ("optional choice", "", ""), ("many", ("a", "b"), ("a", "b")), ("many", ("a", "a", "", "b"), ("a", "b")), ("many", "c", ("c",)),
    ("toggle", "yes", "yes"), ("toggle", "", ""), ("toggle", "no", ""), ("toggle", "on", ""), ("date", "2027-02-28", "2027-02-28"),
    ("date", "2028-02-29", "2028-02-29"), ("time", "09:30", "09:30"), ("time", "09:30:59", "09:30"), ("optional time", "", ""),
    ("person", "c", "c"),
)  # fmt: skip
BAD: tuple[tuple[str, Value, str], ...] = (
    ("text", "", "Fill in “Title”."), ("text", (), "Fill in “Title”."), ("text", "ab", "Use 3 characters or more."),
    ("text", "x" * 1234, "Use 10 characters or fewer. You used 1,234."),
    ("long text", "x" * 11, "Use 10 characters or fewer. You used 11."),
    ("optional", "ab", "Use 3 characters or more."), ("whole", "", "Fill in “Seats”."), ("whole", "ten", "Enter a number, such as 12."),
    ("whole", "1.5", "Enter a whole number, such as 12."), ("whole", "nan", "Enter a number, such as 12."),
    ("whole", "1e999", "Enter a number, such as 12."), ("whole", "0", "Enter 1 or more."), ("whole", "1001", "Enter 1,000 or less."),
    ("whole", "1,5", "Enter a number, such as 12."), ("whole", "1,00", "Enter a number, such as 12."),
    ("whole", "1_5", "Enter a number, such as 12."), ("whole", "10,00,0", "Enter a number, such as 12."),
    ("decimal", "1,5", "Enter a number, such as 12."), ("decimal", "inf", "Enter a number, such as 12."),
    ("decimal", "nan", "Enter a number, such as 12."),
    ("choice", "", "Choose one from the list."), ("choice", "d", "Choose one from the list."), ("choice", "A", "Choose one from the list."),
    ("many", (), "Choose at least 1."), ("many", ("", ""), "Choose at least 1."), ("many", ("a", "d"), "Choose from the list."),
    ("many", ("a", "b", "c"), "Choose 2 or fewer."), ("date", "", "Enter a date."),
    ("date", "2027-02-29", "Enter a real date, such as 2027-03-31."), ("date", "soon", "Enter a real date, such as 2027-03-31."),
    ("time", "", "Enter a time."), ("time", "24:00", "Enter a time from 00:00 to 23:59."),
    ("time", "9 o'clock", "Enter a time from 00:00 to 23:59."),
    ("person", "d", "Choose one from the list."), ("person", "", "Choose one from the list."),
)  # fmt: skip


def _form(kind: str) -> Form:
    return Form(action="test", title="A test", fields=(FIELDS[kind],))


@pytest.mark.parametrize(("kind", "value", "canonical"), GOOD)
def test_what_is_right_is_put_into_one_shape(kind: str, value: Value, canonical: Value) -> None:
    assert check(_form(kind), {"f": value}) == ({"f": canonical}, {})


@pytest.mark.parametrize(("kind", "value", "sentence"), BAD)
def test_what_is_wrong_is_said_and_left_as_it_was_typed(kind: str, value: Value, sentence: str) -> None:
    assert check(_form(kind), {"f": value}) == ({"f": value}, {"f": sentence})


def test_every_kind_of_field_is_tried() -> None:
    assert {type(FIELDS[kind]) for kind, *_ in GOOD} == {type(FIELDS[kind]) for kind in FIELDS}
    assert {kind for kind, *_ in GOOD} == set(FIELDS)


def test_a_field_that_did_not_come_and_one_that_nobody_asked_for() -> None:
    form = Form(action="test", title="A test", fields=(FIELDS["text"],))
    assert check(form, {"other": "x"}) == ({"f": ""}, {"f": "Fill in “Title”."})


values = st.one_of(st.text(max_size=50), st.lists(st.text(max_size=5), max_size=4).map(tuple), st.from_regex(r"[0-9:.,eE+-]{1,20}"))


@pytest.mark.parametrize("kind", FIELDS)
@given(value=values)
@settings(max_examples=100, deadline=None)
def test_nothing_that_is_typed_makes_a_check_fail(kind: str, value: Value) -> None:
    canonical, errors = check(_form(kind), {"f": value})
    assert set(canonical) == {"f"}
    if not errors:
        assert check(_form(kind), canonical) == (canonical, {}), "what passed passes again, unchanged"


def test_a_form_is_prefilled_only_with_what_it_can_hold() -> None:
    fields = (
        FIELDS["text"],
        Choice(name="gone", label="Gone", options=OPTIONS),
        Choice(name="many", label="M", options=OPTIONS, many=True),
    )
    form = Form(action="test", title="A test", fields=fields).filled({"f": "typed", "gone": "d", "many": ("a", "b"), "unknown": "x"})
    assert prefilled(form).values == {"f": "typed", "many": ("a", "b")}


def test_a_refused_form_keeps_what_was_typed() -> None:
    class Typed:
        values = {"f": "ab"}

    again = _form("text").filled({"f": "before", "other": "kept"}).refused({"f": "Use more."}, Typed())
    assert (again.values, again.errors) == ({"f": "ab", "other": "kept"}, {"f": "Use more."})


@pytest.mark.parametrize("title", ["", "x" * 25])
def test_a_forms_title_fits_on_every_channel(title: str) -> None:
    with pytest.raises(ValueError, match="1 to 24"):
        Form(action="test", title=title, fields=())


UNSEEN = {*map(chr, range(0x202A, 0x202F)), *map(chr, range(0x2066, 0x206A)), "\u200b", "\u2060", "\ufeff"}


@given(st.text(st.characters(exclude_categories=[])))
@settings(max_examples=500, deadline=None)
def test_tidied_text_holds_nothing_that_cannot_be_seen_or_stored(text: str) -> None:
    tidied = tidy(text)
    assert not UNSEEN & set(tidied)
    assert {character for character in tidied if unicodedata.category(character) in ("Cc", "Cs")} <= {"\n", "\t"}
    assert tidied == tidied.strip()
    assert tidied == unicodedata.normalize("NFC", tidied)
    assert tidy(tidied) == tidied
    tidied.encode()


@pytest.mark.parametrize(
    ("text", "tidied"),
    [
        ("  plain ", "plain"), ("a\r\nb\rc\n", "a\nb\nc"), ("e\u200b\u0301", "é"), ("\u202eevil\u202c", "evil"), ("\x00a\x07", "a"),
        ("\u200d\u200d \u3164\u2800", ""), ("\u00ad", ""), ("👩🏽\u200d⚕️", "👩🏽\u200d⚕️"), ("می\u200cخواهم", "می\u200cخواهم"),
        ("\ud800x", "x"), ("مرحبا", "مرحبا"),
    ],
)  # fmt: skip
def test_what_can_be_read_stays(text: str, tidied: str) -> None:
    assert tidy(text) == tidied


def test_all_values_are_tidied() -> None:
    assert tidy_values({"one": " a\x00", "many": (" b", "\u200b")}) == {"one": "a", "many": ("b", "")}


def test_a_pile_of_marks_costs_no_more_than_other_words() -> None:
    begun = time.process_time()
    assert len(tidy("a" + "\u0300\u0316" * 60_000)) <= 21
    assert time.process_time() - begun < 2


@pytest.mark.parametrize("seed", HOSTILE)
async def test_the_longest_text_does_not_hold_others_up(seed: str) -> None:
    """A step of the loop that takes over 100 ms fails the test."""
    text = long(seed)
    tidied = tidy(text)
    assert len(tidied) <= 3 * len(text)
    assert tidy(tidied[:1000]) == tidied[:1000].strip()
