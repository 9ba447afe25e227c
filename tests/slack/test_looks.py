"""What the bot shows in Slack: always within Slack's limits, always complete in words, never markup of somebody else's."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.slack import render
from handlers import views
from handlers.views import (
    Block,
    Button,
    Card,
    Choice,
    DateField,
    Divider,
    Fact,
    Facts,
    Field,
    Figure,
    Form,
    Line,
    Lines,
    Link,
    NumberField,
    Option,
    PersonField,
    Picture,
    Series,
    Table,
    Text,
    TextField,
    TimeField,
    Toggle,
)
from tests.slackdouble.slackcheck import check_blocks, check_view

TICKET = "abcdefghijklmnop"
HOSTILE = "<!channel> <@U1> <https://x|y> &lt;!here&gt; *bold* _it_ `code` https://evil.example"

words = st.one_of(
    st.text(min_size=1, max_size=60),
    st.sampled_from([HOSTILE, "x" * 10_000, "é" * 10_000, "🙂" * 5_000, "&" * 10_000, "a b " * 2_500, "\u202e\u200bx", "<" * 3_001]),
)
buttons = st.builds(
    Button, label=words, action=st.just("ideas.open"), args=st.just({"idea": "1"}), style=st.sampled_from(["plain", "primary"])
)
tables = st.integers(1, 12).flatmap(
    lambda width: st.builds(
        Table,
        columns=st.lists(words, min_size=width, max_size=width).map(tuple),
        rows=st.lists(st.lists(words, min_size=width, max_size=width).map(tuple), max_size=40).map(tuple),
        caption=words,
    )
)
figures = st.just(Figure(axes=("a",), series=(Series(label="now", numbers=(1.0, None)),), top=5))
blocks: st.SearchStrategy[Block] = st.one_of(
    st.builds(Text, text=words, kind=st.sampled_from(["plain", "note", "heading"])),
    st.builds(Facts, facts=st.lists(st.builds(Fact, label=words, value=words), max_size=12).map(tuple)),
    tables,
    st.just(Divider()),
    st.builds(Lines, lines=st.lists(st.builds(Line, text=words, note=words, button=st.none() | buttons), max_size=60).map(tuple)),
    st.builds(Picture, figure=figures, alt=words, table=tables),
)
links = st.builds(Link, label=words, url=st.just("https://dih.example.org/x"))
cards = st.builds(
    Card,
    title=words,
    blocks=st.lists(blocks, max_size=8).map(tuple),
    buttons=st.lists(buttons | links, max_size=12).map(tuple),
)
options = st.lists(words, min_size=1, max_size=120).map(
    lambda labels: tuple(Option(value=str(number), label=label, detail=label) for number, label in enumerate(labels))
)


def fields() -> st.SearchStrategy[tuple[Field, ...]]:
    """Up to seven fields of any kind, with names of their own."""
    kinds: st.SearchStrategy[Field] = st.one_of(
        st.builds(TextField, name=st.just("n"), label=words, hint=words, lines=st.integers(1, 4)),
        st.builds(NumberField, name=st.just("n"), label=words, hint=words),
        st.builds(Choice, name=st.just("n"), label=words, options=options, many=st.booleans(), most=st.none() | st.integers(1, 5)),
        st.builds(Toggle, name=st.just("n"), label=words, hint=words),
        st.builds(DateField, name=st.just("n"), label=words),
        st.builds(TimeField, name=st.just("n"), label=words),
        st.builds(PersonField, name=st.just("n"), label=words, options=options),
    )
    return st.lists(kinds, max_size=7).map(
        lambda made: tuple(type(each)(**{**vars(each), "name": f"f{number}"}) for number, each in enumerate(made))
    )


def value_of(field: Field) -> views.Value:
    """Something that may stand in a field."""
    match field:
        case TextField():
            return "x" * 10_000
        case NumberField():
            return "twelve"
        case Choice(many=True):
            return ("0", "gone")
        case DateField():
            return "2027-03-28"
        case TimeField():
            return "09:30"
        case _:
            return "0"


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
