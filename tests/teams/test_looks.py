"""What the bot shows in Teams: cards that Teams takes, complete in words, with nothing of somebody else's read as markdown."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.plain import card_in_words, form_in_words
from bot.teams import render
from bot.teams.texts import could_be_markdown, escaped, safe
from handlers import forms, views
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
from storage.database import Database
from tests.conftest import FakeClock
from tests.generated import MARKDOWN, blocks, cards, fields, value_of, words
from tests.storage.hub import only_sqlite
from tests.teams.walk import Walk
from tests.teamsdouble import teamscheck, teamsdouble

TICKET = "abcdefghijklmnop"
MOST = 25 * 1024
FIGURE = Figure(axes=("a",), series=(Series(label="now", numbers=(1.0, None)),), top=5)
JOINER = "\u2060"
NONE_TO_CHOOSE = (Option(value="1", label="One"), Option(value="2", label="Two"))
slow = settings(max_examples=40, deadline=None, print_blob=False, suppress_health_check=list(HealthCheck))


def is_taken(card: dict[str, Any], where: str) -> None:
    """Teams takes the card, and it is small enough."""
    found = teamscheck.check_card(card, where)
    assert (found.errors, found.warnings) == ([], [])
    assert teamscheck.size(card) < MOST
    assert card["version"] == "1.5"


def elements(card: Any, kind: str) -> list[dict[str, Any]]:
    """All elements of a kind on a card, "Input." being all inputs."""
    return [each for _, each in teamscheck.walk(card) if str(each.get("type")).startswith(kind)]


def said(card: Any) -> list[str]:
    """The words of all text runs."""
    return [each["text"] for each in elements(card, "TextRun")]


def strings(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """(Where it stands: kinds and names, text) of all strings of a card."""
    if isinstance(value, dict):
        here = (*path, str(value["type"])) if isinstance(value.get("type"), str) else path
        for key, inner in value.items():
            yield from strings(inner, (*here, key))
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner, path)
    elif isinstance(value, str):
        yield path, value


def shape(value: Any, key: str = "") -> str:
    """What the schema has to judge: two cards of one shape differ in words and in how often something stands there."""
    if isinstance(value, dict):
        return repr([(name, shape(inner, name)) for name, inner in value.items()])
    if isinstance(value, list):
        return repr(sorted({shape(inner) for inner in value}))
    return repr(value) if key in ("type", "style", "size", "weight", "color") else ""


class Filled(teamsdouble.Form):  # type: ignore[misc]
    """A card in front of a person whose client obeys the rules of Teams' own."""

    def __init__(self, card: dict[str, Any], platform: str = "Web") -> None:
        super().__init__(None, SimpleNamespace(platform=platform))
        self.content = card


# -- any view


@slow
@given(cards)
def test_any_card_is_one_that_teams_takes(card: Card) -> None:
    """R39."""
    message = render.message(card, TICKET, {FIGURE: "https://dih.example.org/pictures/1"})
    assert teamscheck.check_activity(message).errors == []
    assert len(message["summary"]) <= 3900
    drawn = message["attachments"][0]["content"]
    is_taken(drawn, "message")
    is_taken(drawn, "invoke")
    dialog = render.card(card, TICKET, dialog=True)
    is_taken(dialog, "dialog")
    assert teamscheck.check_invoke("task/fetch", render.task("A title", dialog)).errors == []
    written = [button for button in card.buttons if isinstance(button, Button)]
    for each in (drawn, dialog):
        own = [action for element in each["body"] if element["type"] == "ActionSet" for action in element["actions"]]
        assert len([action for action in own if action["type"] != "Action.OpenUrl"]) == len(written)


@slow
@given(fields(), st.lists(blocks, max_size=3), st.booleans(), words)
def test_any_form_is_one_that_teams_takes_with_all_its_fields_and_buttons(
    made: tuple[Field, ...], above: list[Block], filled: bool, wrong: str
) -> None:
    """R35, R39."""
    values = {field.name: value_of(field) for field in made} if filled else {}
    errors = {"": wrong, **{field.name: wrong for field in made}} if filled else {}
    back = Button(label="Back", action="ideas.back")
    form = Form(
        action="ideas.submit",
        title="A form",
        fields=made,
        blocks=tuple(above),
        values=values,
        errors=errors,
        step="3 of 8",
        buttons=(back,),
    )
    message = render.form_message(form, TICKET)
    assert teamscheck.check_activity(message).errors == []
    assert len(message["summary"]) <= 3900
    dialog = render.form(form, TICKET, dialog=True)
    for card, where in ((message["attachments"][0]["content"], "message"), (dialog, "dialog")):
        is_taken(card, where)
        assert [each["id"] for each in elements(card, "Input.")] == [field.name for field in made]
        assert all(each["label"].strip() for each in elements(card, "Input."))
        sets = [element for element in card["body"] if element["type"] == "ActionSet"]
        assert [action["title"] for each in sets for action in each["actions"]][-2:] == ["Send", "Back"]
    assert teamscheck.check_invoke("task/submit", render.task("A form", dialog)).errors == []


@only_sqlite
@pytest.mark.may_block("it draws some hundred cards")
async def test_all_that_the_bot_shows_fits(database: Database, clock: FakeClock) -> None:
    """R39: nothing is left out of any card of the demonstration, and each is one that Teams takes."""
    walk = Walk(database, clock)
    await walk.goes()
    assert len(walk.seen) > 100
    shapes = set()
    for name, view in walk.seen.items():
        for dialog in (False, True):
            card = render.form(view, TICKET, dialog=dialog) if isinstance(view, Form) else render.card(view, TICKET, dialog=dialog)
            assert teamscheck.size(card) < MOST
            assert render.CUT not in said(card), name
            if shape(card) not in shapes:
                is_taken(card, "dialog" if dialog else "message")
                shapes.add(shape(card))
    assert len(shapes) > 40


# -- words of others


HOSTILE_CARD = Card(
    title=MARKDOWN,
    blocks=(
        Text(text=MARKDOWN),
        Text(text=MARKDOWN, kind="heading"),
        Text(text=MARKDOWN, kind="note"),
        Facts(facts=(Fact(label=MARKDOWN, value=MARKDOWN),)),
        Table(columns=("A", MARKDOWN), rows=(("b", MARKDOWN),), caption=MARKDOWN),
        Table(columns=("A", "B"), rows=(("[x](a)", "{{DATE(2)}}"),)),
        Lines(lines=(Line(text=MARKDOWN, note=MARKDOWN, button=Button(label=MARKDOWN, action="a")), Line(text=MARKDOWN))),
        Picture(figure=FIGURE, alt=MARKDOWN, table=Table(columns=("A",), rows=())),
    ),
    buttons=(
        Button(label=MARKDOWN, action="a"),
        Link(label=MARKDOWN, url="javascript:alert(1)"),
        Link(label="Go", url="https://e.example"),
    ),
)
HOSTILE_OPTIONS = (Option(value="1", label=MARKDOWN, detail=MARKDOWN), Option(value="2", label="Two"))
HOSTILE_FORM = Form(
    action="a",
    title="A form",
    step=MARKDOWN,
    fields=(
        TextField(name="text", label=MARKDOWN, hint=MARKDOWN),
        Choice(name="one", label=MARKDOWN, options=HOSTILE_OPTIONS),
        Choice(name="many", label=MARKDOWN, options=HOSTILE_OPTIONS, many=True),
        PersonField(name="person", label=MARKDOWN, options=HOSTILE_OPTIONS),
        Toggle(name="toggle", label=MARKDOWN),
        DateField(name="day", label=MARKDOWN),
    ),
    values={"text": MARKDOWN, "day": MARKDOWN},
    errors={"": MARKDOWN, "text": MARKDOWN},
    buttons=(Button(label=MARKDOWN, action="b"),),
)
AS_THEY_STAND = {
    ("TextRun", "text"), ("label",), ("Action.Execute", "title"), ("Action.Submit", "title"), ("Action.OpenUrl", "title"),
    ("Input.Text", "value"), ("Image", "altText"),
}  # fmt: skip
"""Where Microsoft's renderer reads no markdown."""


@pytest.mark.parametrize("card", [render.card(HOSTILE_CARD, TICKET), render.form(HOSTILE_FORM, TICKET)], ids=["card", "form"])
def test_words_of_others_stand_only_where_no_markdown_is_read(card: dict[str, Any]) -> None:
    """R39."""
    found = [(path, text) for path, text in strings(card) if "x](" in text or "Kim" in text or "**" in text]
    assert len(found) >= 8
    for path, text in found:
        if path[-2:] != ("choices", "title"):
            assert path[-2:] in AS_THEY_STAND or path[-1:] in AS_THEY_STAND, (path, text)
    for each in elements(card, "Input.ChoiceSet"):
        titles = [choice["title"] for choice in each["choices"]]
        assert each.get("style") != "expanded"
        assert ("\\[x\\](http:/" + JOINER + "/e)" in titles[0]) if each.get("isMultiSelect") else ("[x](http://e)" in titles[0])
    assert not elements(card, "TextBlock")
    assert not elements(card, "FactSet")
    assert [path for path, text in strings(card) if "{{" in text or "<at" in text] == []


@pytest.mark.parametrize(
    "text",
    [
        "**b**", "_it_", "`code`", "[x](y)", "1. one", "2) two", "- one", "+ one", "# Title", "a < b", "http://e", "see e.example",
        "ann@e.example", "&amp;", "a\\b", "~~no~~", "* one", "12. twelve",
    ],
)  # fmt: skip
def test_what_markdown_would_change_is_known(text: str) -> None:
    assert could_be_markdown(text)
    assert escaped(text) != text
    assert escaped(text).replace("\\", "").replace(JOINER, "") == text.replace("\\", "")


@pytest.mark.parametrize("text", ["1 Not yet: We have not agreed.", "Grey: paused", "12.5 hours", "Health & care (Dorset)", "A-B", "don’t"])
def test_plain_words_stay_as_they_are(text: str) -> None:
    assert not could_be_markdown(text)
    assert escaped(text) == text


@given(st.lists(st.sampled_from(["{", "}", "<", "/", "at", "AT", ">", "a", JOINER]), max_size=12).map("".join))
def test_no_date_is_ever_written_out_and_nobody_is_mentioned(text: str) -> None:
    """What comes back from an input is tidied, and then it is what was typed."""
    assert "{{" not in safe(text)
    assert not re.search("</?at>", safe(text), re.IGNORECASE)
    assert forms.tidy(safe(text)) == forms.tidy(text)


def test_lines_of_a_text_are_paragraphs_of_their_own() -> None:
    card = render.card(Card(title="T", blocks=(Text(text="one\ntwo\n\nthree"),)), TICKET)
    spacing = {run["text"]: each.get("spacing") for each in card["body"] for run in each["inlines"]}
    assert spacing == {"T": None, "one": None, "two": "None", "three": None}


# -- complete in words


def test_the_summary_holds_all_that_a_card_shows() -> None:
    table = Table(columns=("Column", "Second"), rows=(("Cell", "Other"),), caption="Caption")
    card = Card(
        title="Title",
        blocks=(
            Text(text="Plain"),
            Facts(facts=(Fact(label="Label", value="Value"),)),
            Lines(lines=(Line(text="Line", note="Note", button=Button(label="Open it", action="a")),)),
            Picture(figure=FIGURE, alt="Alternative", table=table),
        ),
        buttons=(Button(label="Go on", action="b"), Link(label="Read more", url="https://dih.example.org")),
    )
    message = render.message(card, TICKET)
    shown = [text.strip().rstrip(":") for text in said(message["attachments"][0]["content"])]
    assert {"Title", "Plain", "Label", "Value", "Line", "Note", "Alternative", "Caption", "Column", "Cell", "Other"} <= set(shown)
    assert [word for word in (*shown, "Open it", "Go on", "Read more") if word not in message["summary"]] == []


def test_the_summary_holds_all_that_a_form_asks() -> None:
    form = Form(
        action="a",
        title="A form",
        step="3 of 8",
        submit="Save",
        blocks=(Text(text="Above"),),
        fields=(
            TextField(name="title", label="Title", hint="In a few words."),
            Choice(name="level", label="Level", options=(Option(value="1", label="Not yet", detail="We have none."),), required=False),
            Toggle(name="hub", label="For all"),
        ),
        values={"title": "Bins", "level": "1"},
        errors={"": "Not saved.", "title": "Use 5 characters or more."},
        buttons=(Button(label="Back", action="b"),),
    )
    summary = render.form_message(form, TICKET)["summary"]
    assert summary == "\n".join(
        (
            "A form", "3 of 8", "Not saved.", "Above", "Use 5 characters or more.", "Title: Bins", "In a few words.",
            "Level (optional): Not yet", "Not yet: We have none.", "For all: no", "You can choose: Save and Back.",
        )
    )  # fmt: skip


def test_long_words_are_capped_and_what_is_left_out_is_counted() -> None:
    lines = tuple(Line(text=f"Line {number} " + "x" * 100) for number in range(60))
    text = card_in_words(Card(title="List", blocks=(Lines(lines=lines),)))
    last = text.splitlines()[-1]
    assert len(text) <= 3900
    assert last == f"And {61 - (len(text.splitlines()) - 1)} more."
    cut = card_in_words(Card(title="List", blocks=(Text(text="word " * 900), Text(text="left"), Text(text=""), Text(text="out"))))
    assert (cut.splitlines()[1].endswith("word…"), cut.splitlines()[-1]) == (True, "And 2 more.")
    assert len(form_in_words(Form(action="a", title="A form", fields=(), blocks=(Text(text="x" * 9000),)))) <= 3900


# -- fields


ONE_OF_EACH: tuple[Field, ...] = (
    TextField(name="title", label="Title"),
    TextField(name="need", label="Need", lines=4),
    NumberField(name="places", label="Places"),
    Choice(name="who", label="Who", options=NONE_TO_CHOOSE),
    Choice(name="groups", label="Groups", options=NONE_TO_CHOOSE, many=True),
    Toggle(name="admin", label="Administrator"),
    DateField(name="day", label="Date"),
    TimeField(name="start", label="Start"),
    PersonField(name="lead", label="Lead", options=NONE_TO_CHOOSE),
)
GOOD: views.Values = {
    "title": "Bins", "need": "one\ntwo", "places": "12", "who": "2", "groups": ("1", "2"), "admin": "yes", "day": "2027-03-28",
    "start": "09:30", "lead": "1",
}  # fmt: skip


@pytest.mark.parametrize("platform", ["Web", "iOS"])
@pytest.mark.parametrize("dialog", [False, True])
def test_what_stands_in_a_form_comes_back_as_it_was(platform: str, dialog: bool) -> None:
    """R35."""
    form = Form(action="a", title="A form", fields=ONE_OF_EACH, values=GOOD)
    sent = Filled(render.form(form, TICKET, dialog=dialog), platform).values()
    assert sent == {**GOOD, "groups": "1,2"}


@pytest.mark.parametrize("platform", ["Web", "iOS"])
def test_an_empty_form_comes_back_empty(platform: str) -> None:
    form = Form(action="a", title="A form", fields=ONE_OF_EACH)
    sent = forms.tidy_values(Filled(render.form(form, TICKET), platform).values())
    assert set(sent.values()) == {""}


def test_the_client_fills_a_form_by_its_labels() -> None:
    form = Form(action="a", title="A form", fields=ONE_OF_EACH)
    filled = Filled(render.form(form, TICKET)).fill(
        {"Title": "Bins", "Need": "one\ntwo", "Places": 12, "Who": "Two", "Groups": ["One", "Two"], "Administrator": True}
    )
    filled.fill({"Date": "2027-03-28", "Start": "09:30", "Lead": "One"})
    assert filled.values() == {**GOOD, "groups": "1,2"}


def test_every_error_stands_at_its_field_and_what_was_typed_is_kept() -> None:
    """R35: a date that is none cannot stand in its input, so it is said."""
    wrong = {"title": "Bi", "need": "x" * 9000, "places": "twelve", "who": "gone", "day": "31 Feb", "start": "noonish", "lead": "gone"}
    errors = {"": "Nothing was saved.", **{name: f"{name} is wrong." for name in wrong}}
    card = render.form(Form(action="a", title="A form", fields=ONE_OF_EACH, values=wrong, errors=errors), TICKET)
    is_taken(card, "message")
    assert Filled(card).errors() == list(errors.values())
    inputs = {each["id"]: each for each in elements(card, "Input.")}
    assert inputs["title"]["value"] == "Bi"
    assert inputs["need"]["value"] == "x" * 9000
    assert not any("value" in inputs[name] for name in ("places", "who", "day", "start", "lead"))
    assert {"twelve", "31 Feb", "noonish"} <= set(said(card))
    assert "gone" not in said(card)
    body = [each.get("id") or "".join(run["text"] for run in each.get("inlines", ())) for each in card["body"]]
    assert body.index("title is wrong.") == body.index("title") - 1
    assert body[1] == "Nothing was saved."


def test_nothing_is_checked_by_the_client() -> None:
    """Back and Skip send what is half done, and nothing that is pasted is cut off."""
    card = render.form(Form(action="a", title="A form", fields=ONE_OF_EACH), TICKET)
    for each in elements(card, "Input."):
        assert not {"isRequired", "maxLength", "regex", "min", "max"} & set(each), each


def test_optional_fields_say_so() -> None:
    fields = (TextField(name="a", label="A", required=False), TextField(name="b", label="B"), Toggle(name="c", label="C"))
    assert [each["label"] for each in elements(render.form(Form(action="a", title="A form", fields=fields), TICKET), "Input.")] == [
        "A (optional)",
        "B",
        "C",
    ]


def choice_set(field: Field, value: views.Value = "") -> dict[str, Any]:
    """The input of a choice."""
    (found,) = elements(
        render.form(Form(action="a", title="A form", fields=(field,), values={field.name: value}), TICKET), "Input.ChoiceSet"
    )
    return found


def people(number: int) -> tuple[Option, ...]:
    """As many people."""
    return tuple(Option(value=str(each), label=f"Person {each}") for each in range(number))


def test_few_options_are_seen_at_once_and_many_are_a_list() -> None:
    explained = tuple(Option(value=str(each), label=f"Level {each}", detail="So it is.") for each in range(8))
    assert choice_set(Choice(name="n", label="L", options=people(5)))["style"] == "expanded"
    assert "style" not in choice_set(Choice(name="n", label="L", options=people(6)))
    levels = choice_set(Choice(name="n", label="L", options=explained))
    assert (levels["style"], levels["wrap"], levels["choices"][1]["title"]) == ("expanded", True, "Level 1: So it is.")
    marked = (*people(2), Option(value="x", label="**Bold**"))
    assert "style" not in choice_set(Choice(name="n", label="L", options=marked))


def test_people_are_found_by_typing_unless_that_would_hide_who_is_chosen_or_confuse_two() -> None:
    field = PersonField(name="n", label="L", options=people(11))
    assert choice_set(field)["style"] == "filtered"
    assert choice_set(field)["errorMessage"]
    assert choice_set(field, "3")["value"] == "3"
    assert "style" not in choice_set(field, "3")
    assert "style" not in choice_set(PersonField(name="n", label="L", options=people(10)))
    twins = (*people(10), Option(value="x", label="Person 1"))
    assert "style" not in choice_set(PersonField(name="n", label="L", options=twins))


def test_an_optional_choice_can_be_taken_back() -> None:
    for number in (3, 9):
        field = Choice(name="n", label="L", options=people(number), required=False)
        none = choice_set(field, "1")["choices"][0]
        assert none["title"] == "None"
        assert forms.check(Form(action="a", title="A", fields=(field,)), forms.tidy_values({"n": none["value"]})) == ({"n": ""}, {})


def test_a_value_with_a_comma_is_refused_before_anybody_sees_it() -> None:
    with pytest.raises(AssertionError):
        choice_set(Choice(name="n", label="L", options=(Option(value="a,b", label="A"),), many=True))


def test_values_that_are_too_long_for_a_card_are_cut_and_that_is_said() -> None:
    fields = tuple(TextField(name=f"f{number}", label=f"Field {number}", lines=4) for number in range(4))
    form = Form(action="a", title="A form", fields=fields, values={"f0": "short", **{f"f{each}": "x" * 9000 for each in (1, 2, 3)}})
    card = render.form(form, TICKET)
    is_taken(card, "message")
    kept = [len(each["value"]) for each in elements(card, "Input.Text")]
    assert kept[0] == 5
    assert all(3000 < each < 9000 for each in kept[1:])
    assert len([text for text in said(card) if text == f"Only the first {kept[1]:,} of 9,000 characters fit here."]) == 3


def test_of_too_many_people_the_chosen_one_stays() -> None:
    card = render.form(
        Form(action="a", title="A form", fields=(PersonField(name="n", label="Lead", options=people(900)),), values={"n": "899"}), TICKET
    )
    is_taken(card, "message")
    (field,) = elements(card, "Input.ChoiceSet")
    offered = [choice["value"] for choice in field["choices"]]
    assert (offered[-1], field["value"]) == ("899", "899")
    assert len(offered) > 150
    assert f"And {900 - len(offered)} more." in said(card)


def test_the_step_and_the_blocks_stand_above_the_fields() -> None:
    form = Form(action="a", title="A form", step="3 of 8", blocks=(Text(text="Read this."),), fields=ONE_OF_EACH)
    assert said(render.form(form, TICKET))[:3] == ["3 of 8", "A form", "Read this."]
    assert said(render.form(form, TICKET, dialog=True))[:2] == ["3 of 8", "Read this."]


# -- buttons


def test_a_button_carries_what_it_does_and_its_fallback_the_same() -> None:
    go = Button(label="Go", action="ideas.open", args={"idea": "42"}, style="primary")
    end = Button(label="End", action="ideas.end", style="danger", does="get")
    (actions,) = elements(render.card(Card(title="T", buttons=(go, end)), TICKET), "ActionSet")
    data = {"dih": {"do": "action", "name": "ideas.open", "ticket": TICKET, "args": {"idea": "42"}}}
    assert actions["actions"][0] == {
        "type": "Action.Execute",
        "title": "Go",
        "verb": "ideas.open",
        "data": data,
        "style": "positive",
        "fallback": {"type": "Action.Submit", "title": "Go", "data": data},
    }
    assert actions["actions"][1]["style"] == "destructive"
    assert actions["actions"][1]["data"] == {"dih": {"do": "action", "name": "ideas.end", "ticket": TICKET}}


def test_a_button_that_asks_opens_a_dialog_and_in_a_dialog_goes_on() -> None:
    card = Card(title="T", buttons=(Button(label="Ask", action="ideas.ask", does="ask"),))
    data = {"dih": {"do": "action", "name": "ideas.ask", "ticket": TICKET}}
    (outside,) = elements(render.card(card, TICKET), "ActionSet")
    (inside,) = elements(render.card(card, TICKET, dialog=True), "ActionSet")
    assert outside["actions"] == [{"type": "Action.Submit", "title": "Ask", "data": {**data, "msteams": {"type": "task/fetch"}}}]
    assert inside["actions"] == [{"type": "Action.Submit", "title": "Ask", "data": data}]


def test_a_form_is_sent_as_a_form_and_its_other_buttons_as_actions() -> None:
    form = Form(
        action="ideas.submit", title="A form", fields=(), submit="Share", args={"idea": "1"}, buttons=(Button(label="Back", action="b"),)
    )
    for dialog, kind in ((False, "Action.Execute"), (True, "Action.Submit")):
        (row,) = elements(render.form(form, TICKET, dialog=dialog), "ActionSet")
        share, back = row["actions"]
        assert (share["type"], share["title"], share["style"]) == (kind, "Share", "positive")
        assert share["data"] == {"dih": {"do": "form", "name": "ideas.submit", "ticket": TICKET, "args": {"idea": "1"}}}
        assert back["data"] == {"dih": {"do": "step", "name": "b", "ticket": TICKET}}


def test_only_safe_addresses_are_links() -> None:
    urls = ("https://dih.example.org/x", "http://dih.example.org", "javascript:alert(1)", "https://", "https://[", "mailto:a@example.org")
    card = render.card(Card(title="T", buttons=tuple(Link(label=f"L{n}", url=url) for n, url in enumerate(urls))), TICKET)
    assert [each["url"] for each in elements(card, "Action.OpenUrl")] == [urls[0]]
    assert said(card)[1:] == [f"L{number}: {url}" for number, url in enumerate(urls) if number]


def test_many_buttons_stand_in_rows() -> None:
    card = render.card(Card(title="T", buttons=tuple(Button(label=f"B{each}", action="a") for each in range(14))), TICKET)
    rows = [[action["title"] for action in each["actions"]] for each in elements(card, "ActionSet")]
    assert max(map(len, rows)) <= 6
    assert [title for row in rows for title in row] == [f"B{each}" for each in range(14)]


# -- blocks


def test_a_short_button_stands_beside_its_line_and_a_long_one_below() -> None:
    short, long = (Line(text=label, note="Note", button=Button(label=label, action="a")) for label in ("Open", "Look at it again"))
    body = render.card(Card(title="T", blocks=(Lines(lines=(short, long, Line(text="Bare"))),)), TICKET)["body"]
    assert [each["type"] for each in body] == ["RichTextBlock", "ColumnSet", "Container", "RichTextBlock"]
    words_column, button_column = body[1]["columns"]
    assert (words_column["width"], button_column["width"]) == ("stretch", "auto")
    assert said(words_column) == ["Open", "Note"]
    assert [each["type"] for each in body[2]["items"]] == ["RichTextBlock", "RichTextBlock", "ActionSet"]


def test_a_divider_parts_what_follows_from_what_was() -> None:
    card = render.card(Card(title="T", blocks=(Text(text="a"), Divider(), Text(text="b"), Divider())), TICKET)
    assert [each.get("separator", False) for each in card["body"]] == [False, False, True]


def test_a_table_has_a_header_and_says_how_many_rows_are_left_out() -> None:
    rows = tuple((f"Row {each}", "some words " * 4) for each in range(100))
    card = render.card(Card(title="T", blocks=(Table(columns=("Name", "Value"), rows=rows, caption="All"),)), TICKET)
    wide = tuple((f"Row {each}", *("word" for _ in range(9))) for each in range(200))
    told = render.card(Card(title="T", blocks=(Table(columns=tuple(f"Column{each}" for each in range(10)), rows=wide),)), TICKET)
    is_taken(card, "message")
    is_taken(told, "message")
    (table,) = (each for each in card["body"] if each["type"] == "Table")
    table_rows = table["rows"]
    assert table["firstRowAsHeader"] is True
    assert said(table_rows[0]) == ["Name", "Value"]
    assert (len(table_rows) > 10, said(card)[1]) == (True, "All")
    assert said(card)[-1] == f"And {101 - len(table_rows)} more."
    assert card["msteams"] == {"width": "Full"}
    assert elements(told, "Table") == []
    assert said(told)[1:3] == ["Row 0", ". ".join(f"Column{each}: word" for each in range(1, 10)) + "."]
    assert said(told)[-1] == f"And {200 - (len(said(told)) - 2) // 2} more."


def test_a_picture_always_comes_with_its_table() -> None:
    picture = Picture(figure=FIGURE, alt="Five of six are green.", table=Table(columns=("A", "B"), rows=(("1", "2"),)))
    card = Card(title="T", blocks=(picture,))
    with_address = render.card(card, TICKET, {FIGURE: "https://dih.example.org/pictures/1"})
    without, unsafe = render.card(card, TICKET), render.card(card, TICKET, {FIGURE: "http://dih.example.org/1"})
    (image,) = elements(with_address, "Image")
    assert (image["url"], image["altText"]) == ("https://dih.example.org/pictures/1", "Five of six are green.")
    for each in (with_address, without, unsafe):
        assert [element["type"] for element in each["body"]].count("Table") == 1
    assert unsafe == without
    assert "Five of six are green." in said(without)


def test_what_does_not_fit_is_left_out_from_the_end_and_never_the_buttons() -> None:
    lines = tuple(Line(text=f"Line {each}", button=Button(label="Open", action="a", args={"id": str(each)})) for each in range(200))
    card = render.card(Card(title="T", blocks=(Lines(lines=lines),), buttons=(Button(label="More", action="b"),)), TICKET)
    is_taken(card, "message")
    shown = said(card)
    assert shown[:3] == ["T", "Line 0", "Line 1"]
    assert (shown[-1], len(shown) > 15) == ("There is more than fits here.", True)
    assert elements(card["body"][-1], "Action.")[0]["title"] == "More"
    assert json.dumps(card).count('"title": "More"') == 2


def test_a_dialog_is_as_high_as_what_it_asks() -> None:
    small = render.task("Ask", render.form(Form(action="a", title="A", fields=ONE_OF_EACH[:1]), TICKET, dialog=True))
    large = render.task("x" * 100, render.form(Form(action="a", title="A", fields=ONE_OF_EACH), TICKET, dialog=True))
    assert [each["task"]["value"]["height"] for each in (small, large)] == ["medium", "large"]
    assert small["task"]["value"]["title"] == "Ask"
    assert len(large["task"]["value"]["title"]) <= 60
