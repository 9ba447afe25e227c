"""What the bot shows in Slack: always within Slack's limits, always complete in words, never markup of somebody else's."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.slack import render
from handlers.views import (
    Block,
    Button,
    Card,
    Choice,
    Fact,
    Facts,
    Field,
    Figure,
    Form,
    Line,
    Lines,
    Link,
    Option,
    Picture,
    Table,
    Text,
)
from tests.generated import HOSTILE, blocks, cards, fields, value_of, words
from tests.slackdouble.slackcheck import check_blocks, check_view

TICKET = "abcdefghijklmnop"

slow = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@slow
@given(cards)
def test_any_card_is_a_message_that_slack_takes(card: Card) -> None:
    """R13, R14."""
    message = render.message(card, TICKET)
    assert check_blocks(message["blocks"], "message") == []
    assert message["text"].strip()
    assert len(message["text"]) <= 4000
    assert len(json.dumps(message["blocks"], ensure_ascii=False)) < 13_000


@slow
@given(cards)
def test_any_card_is_a_modal_that_slack_takes(card: Card) -> None:
    """R13."""
    view = render.shown(card, TICKET)
    assert check_view(view) == []
    assert len(json.dumps(view)) < 250_000


@slow
@given(fields(), st.lists(blocks, max_size=3), st.booleans(), words)
def test_any_form_is_a_modal_that_slack_takes(made: tuple[Field, ...], above: list[Block], filled: bool, wrong: str) -> None:
    """R13."""
    values = {field.name: value_of(field) for field in made} if filled else {}
    errors = {"": wrong, **{field.name: wrong for field in made}} if filled else {}
    form = Form(action="ideas.submit", title="A form", fields=made, blocks=tuple(above), values=values, errors=errors, step="3 of 8")
    view = render.modal(form, TICKET)
    assert check_view(view) == []
    assert len(json.dumps(view)) < 250_000


def strings(value: Any, kind: str = "") -> list[tuple[str, str]]:
    """Every (kind of text object, text) in blocks."""
    if isinstance(value, dict):
        found = [(value.get("type", kind), value["text"])] if isinstance(value.get("text"), str) else []
        return [*found, *(each for inner in value.values() for each in strings(inner))]
    if isinstance(value, list):
        return [each for inner in value for each in strings(inner)]
    return []


@pytest.mark.parametrize("place", ["title", "text", "fact", "line", "table", "button", "option"])
def test_words_of_others_are_never_markup_mentions_or_links(place: str) -> None:
    """R15."""
    inside: dict[str, Block] = {
        "text": Text(text=HOSTILE),
        "fact": Facts(facts=(Fact(label=HOSTILE, value=HOSTILE),)),
        "line": Lines(lines=(Line(text=HOSTILE, note=HOSTILE),)),
        "table": Table(columns=(HOSTILE,), rows=((HOSTILE,),), caption=HOSTILE),
    }
    button = Button(label=HOSTILE if place == "button" else "Go", action="a")
    card = Card(title=HOSTILE if place == "title" else "T", blocks=(inside[place],) if place in inside else (), buttons=(button,))
    message = render.message(card, TICKET)
    assert "mrkdwn" not in {kind for kind, _ in strings(message["blocks"])}
    assert "<" not in message["text"]
    form = Form(action="a", title="T", fields=(Choice(name="c", label="L", options=(Option(value="1", label=HOSTILE),)),))
    assert "mrkdwn" not in {kind for kind, _ in strings(render.modal(form, TICKET)["blocks"])}


def test_the_words_of_a_message_hold_all_that_its_blocks_show() -> None:
    """R14."""
    table = Table(columns=("Column",), rows=(("Cell",),), caption="Caption")
    card = Card(
        title="Title",
        blocks=(
            Text(text="Plain"),
            Facts(facts=(Fact(label="Label", value="Value"),)),
            Lines(lines=(Line(text="Line", note="Note", button=Button(label="Open it", action="a")),)),
            Picture(figure=Figure(axes=(), series=(), top=1), alt="Alternative", table=table),
        ),
        buttons=(Button(label="Go on", action="b"), Link(label="Read more", url="https://dih.example.org")),
    )
    text = render.text_of(card)
    expected = (
        "Title",
        "Plain",
        "Label: Value",
        "Line",
        "Note",
        "Open it",
        "Alternative",
        "Caption",
        "Column",
        "Cell",
        "Go on",
        "Read more",
    )
    assert [word for word in expected if word not in text] == []


def test_a_long_list_says_how_much_is_left_out() -> None:
    lines = tuple(Line(text=f"Line {number} " + "x" * 100) for number in range(60))
    text = render.text_of(Card(title="List", blocks=(Lines(lines=lines),)))
    assert len(text) <= 3900
    assert text.splitlines()[-1].startswith("And ")
