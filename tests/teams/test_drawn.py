"""Every kind of card and form, drawn, filled and sent in Microsoft's own renderer of Adaptive Cards."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from bot.teams import render
from handlers import forms
from handlers.views import (
    Button,
    Card,
    Choice,
    DateField,
    Divider,
    Fact,
    Facts,
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
    Values,
)
from tests.generated import MARKDOWN

if TYPE_CHECKING:
    from tests.teams.drawing import Board

pytestmark = pytest.mark.asyncio(loop_scope="module")

TICKET = "abcdefghijklmnop"
JOINER = "\u2060"
FIGURE = Figure(axes=("a",), series=(Series(label="now", numbers=(1.0,)),), top=5)
PICTURES = {FIGURE: "https://dih.example.org/pictures/1"}
MARKED_UP = "a, strong, em, b, i, code, pre, h1, h2, h3, ul, ol, img:not([alt='Five of six.']), blockquote, del, s"
"""Elements that only markdown makes."""
WHO = (Option(value="hub", label="Everyone in the hub"), Option(value="core", label="The Core Team only"))
LEVELS = tuple(Option(value=str(each), label=f"{each} Level", detail=f"We have {each}.") for each in range(1, 6))
PEOPLE = tuple(Option(value=str(each), label=f"Person {each}") for each in range(12))
OPEN = Button(label="Open", action="i.open", args={"id": "7"})
CARD = Card(
    title="IDEA-42: Better bins",
    blocks=(
        Text(text="One.\nTwo.\n\nThree."),
        Text(text="A heading", kind="heading"),
        Text(text="A note", kind="note"),
        Facts(facts=(Fact(label="State", value="Submitted"), Fact(label="From", value="Ann Lee"))),
        Divider(),
        Table(columns=("Area", "Rated"), rows=(("Falls", "Green"), ("Bins", "")), caption="Projects"),
        Table(columns=tuple(f"Quarter {each} of 2026" for each in range(7)), rows=(tuple("abcdefg"),)),
        Picture(figure=FIGURE, alt="Five of six.", table=Table(columns=("A", "B"), rows=(("1", "2"),))),
        Lines(
            lines=(
                Line(
                    text="A line of some length, as titles are",
                    note="With a note",
                    button=Button(label="Open", action="i.open", args={"id": "7"}),
                ),
                Line(text="Another", button=Button(label="Look at it again", action="i.again")),
                Line(text="A bare one"),
            )
        ),
    ),
    buttons=(
        Button(label="Support", action="i.support", args={"idea": "42"}, style="primary"),
        Button(label="Withdraw", action="i.withdraw", style="danger"),
        Button(label="More detail", action="i.detail", does="ask"),
        Button(label="My ideas", action="i.mine"),
        Button(label="Share another idea", action="i.share"),
        Button(label="Read", action="i.read", does="get"),
        Link(label="Open the web chat", url="https://dih.example.org/x"),
    ),
)
FORM = Form(
    action="ideas.submit",
    title="Share an idea",
    submit="Share",
    args={"idea": "42"},
    step="3 of 8",
    blocks=(Text(text="Read this first."),),
    fields=(
        TextField(name="title", label="Title", hint="In a few words."),
        TextField(name="need", label="Need", lines=4),
        NumberField(name="places", label="Places", decimals=True),
        Choice(name="who", label="Who may see it", options=WHO),
        Choice(name="level", label="Level", options=LEVELS, required=False),
        Choice(name="stage", label="Stage", options=PEOPLE[:8], required=False),
        Choice(name="groups", label="Groups", options=WHO, many=True),
        Toggle(name="admin", label="Administrator"),
        DateField(name="day", label="Date"),
        TimeField(name="start", label="Start"),
        PersonField(name="lead", label="Lead", options=PEOPLE),
    ),
    buttons=(Button(label="Back", action="ideas.back"),),
)
FILLED = {
    "title": "Bins", "need": "one\ntwo", "places": "12.5", "who": "core", "level": "3", "stage": "5", "groups": "hub,core", "admin": "yes",
    "day": "2027-03-28", "start": "09:30", "lead": "7",
}  # fmt: skip
VALUES: Values = {**FILLED, "groups": ("hub", "core")}


def dih(do: str, name: str, **args: str) -> dict[str, Any]:
    """What each button of ours carries; those of the form also which of its fields take several choices."""
    several = {"many": ["groups"]} if do in ("form", "step") else {}
    return {"dih": {"do": do, "name": name, "ticket": TICKET, **({"args": args} if args else {}), **several}}


async def fill(board: Board) -> None:
    """Fills the form as a person does."""
    await board.field("Title").fill("Bins")
    await board.field("Need").fill("one\ntwo")
    await board.field("Places").fill("12.5")
    for label in ("The Core Team only", "3 Level: We have 3."):
        await board.page.get_by_role("radio", name=label).check()
    await board.field("Stage (optional)").select_option("Person 5")
    for label in ("Everyone in the hub", "The Core Team only", "Yes"):
        await board.page.get_by_role("checkbox", name=label).check()
    await board.field("Date").fill("2027-03-28")
    await board.field("Start").fill("09:30")
    await board.page.get_by_placeholder("Type a name").fill("Person 7")  # the renderer gives this input's label to a <div>


@pytest.mark.parametrize("dialog", [False, True])
async def test_a_form_is_filled_and_sent(board: Board, dialog: bool) -> None:
    assert await board.draw(render.form(FORM, TICKET, dialog=dialog)) == []
    await fill(board)
    sent = await board.press("Share")
    assert sent["type"] == ("Action.Submit" if dialog else "Action.Execute")
    assert sent["verb"] == (None if dialog else "ideas.submit")
    assert sent["data"] == {**dih("form", "ideas.submit", idea="42"), **FILLED}


async def test_what_was_typed_stands_in_the_form_that_comes_back(board: Board) -> None:
    """R35."""
    await board.draw(render.form(replace(FORM, values=VALUES, errors={"": "Not saved.", "title": "Use 5 characters or more."}), TICKET))
    shown = await board.words()
    assert (shown.count("Not saved."), shown.count("Use 5 characters or more.")) == (1, 1)
    sent = await board.press("Share")
    assert sent["data"] == {**dih("form", "ideas.submit", idea="42"), **FILLED}


async def test_back_sends_what_is_half_done(board: Board) -> None:
    await board.draw(render.form(FORM, TICKET))
    await board.field("Title").fill("Bi")
    sent = await board.press("Back")
    values = {name: value for name, value in sent["data"].items() if name != "dih"}
    assert forms.tidy_values(values) == {"title": "Bi", "admin": ""}
    assert sent["data"]["dih"] == dih("step", "ideas.back")["dih"]


async def test_a_choice_can_be_taken_back(board: Board) -> None:
    await board.draw(render.form(replace(FORM, values=VALUES), TICKET))
    await board.page.get_by_role("radio", name="None").check()
    await board.field("Stage (optional)").select_option("None")
    await board.page.get_by_role("checkbox", name="Yes").uncheck()
    sent = await board.press("Share")
    assert {name: forms.tidy(sent["data"][name]) for name in ("level", "stage", "admin")} == {"level": "", "stage": "", "admin": ""}


async def test_every_block_is_drawn_and_every_button_carries_what_it_does(board: Board) -> None:
    assert await board.draw(render.card(CARD, TICKET, PICTURES)) == []
    shown = await board.words()
    expected = (
        "One.",
        "Three.",
        "A heading",
        "A note",
        "State: Submitted",
        "Projects",
        "Rated",
        "Falls",
        "Quarter 6 of 2026: g.",
        "With a note",
    )
    assert [words for words in expected if words not in shown] == []
    assert await board.card.locator("img").get_attribute("alt") == "Five of six."
    assert await board.card.get_by_role("columnheader").count() == 4
    assert (await board.press("Support"))["data"] == dih("action", "i.support", idea="42")
    assert (await board.press("Open"))["data"] == dih("action", "i.open", id="7")
    assert (await board.press("Open the web chat"))["url"] == "https://dih.example.org/x"
    asks = await board.press("More detail")
    assert (asks["type"], asks["data"]) == ("Action.Submit", {**dih("action", "i.detail"), "msteams": {"type": "task/fetch"}})


CUT_OFF = """
() => [...document.querySelectorAll("#card button, #card button *, #card .ac-textRun")].filter(each =>
  each.closest("button") && each.scrollWidth > each.clientWidth + 1 || each.getBoundingClientRect().right > innerWidth - 8
).map(each => each.textContent)
"""


async def test_a_narrow_phone_shows_it_all(board: Board) -> None:
    await board.wide(320)
    for name, card in (("card", render.card(CARD, TICKET, PICTURES)), ("form", render.form(replace(FORM, values=VALUES), TICKET))):
        await board.draw(card)
        assert await board.page.evaluate(CUT_OFF) == []
        assert await board.page.evaluate("document.documentElement.scrollWidth") == 320
        await board.photograph(f"{name}-320")
    await board.draw(render.card(CARD, TICKET, PICTURES))
    box = await board.card.get_by_text("A line of some length").bounding_box()
    assert box is not None
    assert box["width"] > 150
    await board.wide(700)
    await board.photograph("card-700")


# -- words of others


async def test_the_markdown_of_this_page_bites(board: Board) -> None:
    """Or the tests below could not fail."""
    text = {"type": "TextBlock", "text": MARKDOWN}
    labels = {"type": "Input.ChoiceSet", "id": "a", "style": "expanded", "choices": [{"title": MARKDOWN, "value": "1"}]}
    for element in (text, labels):
        await board.draw({"type": "AdaptiveCard", "version": "1.5", "body": [element]})
        assert await board.card.locator(MARKED_UP).count() > 1
    dated = {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": MARKDOWN}]}
    await board.draw({"type": "AdaptiveCard", "version": "1.5", "body": [dated]})
    assert "DATE" not in await board.words()


HOSTILE_CARD = Card(
    title=MARKDOWN,
    blocks=(
        Text(text=MARKDOWN),
        Text(text=MARKDOWN, kind="heading"),
        Facts(facts=(Fact(label=MARKDOWN, value=MARKDOWN),)),
        Table(columns=("A",), rows=((MARKDOWN[:30],),), caption=MARKDOWN),
        Lines(lines=(Line(text=MARKDOWN, note=MARKDOWN),)),
    ),
    buttons=(Link(label=MARKDOWN, url="javascript:alert(1)"),),
)
MARKED = (Option(value="1", label=MARKDOWN[:70], detail="- **d**"), Option(value="2", label="1. Two"))
HOSTILE_FORM = Form(
    action="a",
    title="A form",
    step=MARKDOWN,
    fields=(
        TextField(name="text", label=MARKDOWN, hint=MARKDOWN),
        Choice(name="one", label=MARKDOWN, options=MARKED),
        Choice(name="many", label=MARKDOWN, options=MARKED, many=True),
        Toggle(name="toggle", label=MARKDOWN),
        DateField(name="day", label=MARKDOWN),
    ),
    values={"text": MARKDOWN, "day": MARKDOWN},
    errors={"": MARKDOWN, "text": MARKDOWN},
    buttons=(Button(label=MARKDOWN, action="b"),),
)


@pytest.mark.parametrize("card", [render.card(HOSTILE_CARD, TICKET), render.form(HOSTILE_FORM, TICKET)], ids=["card", "form"])
async def test_words_of_others_are_drawn_as_they_stand(board: Board, card: dict[str, Any]) -> None:
    """R39."""
    await board.draw(card)
    shown = (await board.card.text_content() or "").replace(JOINER, "")
    assert await board.card.locator(MARKED_UP).count() == 0
    assert shown.count(MARKDOWN) >= 5


async def test_labels_of_choices_are_drawn_as_they_stand(board: Board) -> None:
    await board.draw(render.form(HOSTILE_FORM, TICKET))
    boxes = board.card.locator(".ac-choiceSetInput-multiSelect label")
    listed = board.card.locator("select option:not([hidden])")
    for labels in (boxes, listed):
        assert [label.replace(JOINER, "").strip() for label in await labels.all_text_contents()] == [f"{MARKDOWN[:70]}: - **d**", "1. Two"]
