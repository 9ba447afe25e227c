"""Every kind of view on the page, hostile text, late answers, and what the script asks for."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup, Tag
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.limits import Patience
from bot.web import items, parse, render
from bot.web.items import Faded, PageItem
from bot.web.parse import Garbled, Sender
from handlers.errors import Refused
from handlers.routing import Request, Router
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
    Outcome,
    PersonField,
    Picture,
    Reply,
    Series,
    Table,
    Text,
    TextField,
    TimeField,
    Toggle,
    Value,
    says,
)
from storage.database import Database
from storage.history import Item, Speaker
from tests.conftest import FakeClock
from tests.storage.hub import everything_kept
from tests.web.conftest import Bot
from tests.web.window import Window

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</textarea><script>alert(1)</script>",
    "' onfocus='alert(1)' autofocus='",
    "**bold** [link](javascript:alert(1)) `code` <@U123> @channel",
    "{{ 7 * 7 }} {% raw %} %(x)s",
    "\u202eevil\u202c abc \u2066x\u2069",
    "z\u200be\u200dr\ufeffo",
    "שלום עולם and مرحبا",
    "😀" * 500,
    "x" * 10_000,
    "line\n\n\nbreaks\tand tabs",
    "&lt;b&gt; &amp;amp;",
)
OPTIONS = (Option(value="a", label="A", detail="Why one would choose A"), Option(value="b", label="B"))
PEOPLE = tuple(Option(value=str(number), label=f"Person {number}") for number in range(12))
TABLE = Table(columns=("Dimension", "This round"), rows=(("Culture", "4"), ("Evidence", "Not shown")), caption="The two rounds")
EVERY_BLOCK = (
    Text(text="Plain"),
    Text(text="Small", kind="note"),
    Text(text="Above", kind="heading"),
    Facts(facts=(Fact(label="Where", value="Dorset"),)),
    TABLE,
    Divider(),
    Lines(
        lines=(Line(text="One thing", note="Its note", button=Button(label="Open", action="x.open", args={"id": "1"})), Line(text="Two"))
    ),
    Picture(figure=Figure(axes=("a",), series=(Series(label="s", numbers=(1.0, None)),), top=5), alt="A radar of two rounds", table=TABLE),
)
CARD = Card(
    title="All of it",
    blocks=EVERY_BLOCK,
    buttons=(
        Button(label="Go", action="x.go", style="primary"),
        Button(label="Stop", action="x.stop", style="danger"),
        Button(label="Ask", action="x.ask", does="ask"),
        Button(label="Get", action="x.get", does="get"),
        Link(label="Read more", url="https://example.org/a?b=c&d=e"),
        Link(label="Trap", url="javascript:alert(1)"),
    ),
)
FORM = Form(
    action="all.send",
    title="Everything",
    step="3 of 8",
    submit="Next",
    args={"round": "7"},
    blocks=(Text(text="Above the fields"),),
    fields=(
        TextField(name="title", label="Title", hint="A few words"),
        TextField(name="story", label="Story", lines=4, required=False),
        NumberField(name="many", label="How many", least=1, most=5),
        Choice(name="one", label="Which one", options=OPTIONS),
        Choice(name="listed", label="Which of the list", options=PEOPLE),
        Choice(name="some", label="Which ones", options=OPTIONS, many=True, most=1),
        Toggle(name="sure", label="I am sure"),
        DateField(name="day", label="Which day"),
        TimeField(name="time", label="What time"),
        PersonField(name="who", label="Who leads it", options=PEOPLE),
    ),
    buttons=(Button(label="Back", action="all.back", args={"step": "2"}), Button(label="Skip", action="all.skip")),
)
VALUES: Mapping[str, Value] = {
    "title": "T", "story": "S\nS", "many": "12", "one": "b", "listed": "3", "some": ("a", "b"), "sure": "yes", "day": "2026-12-01",
    "time": "09:30", "who": "4",
}  # fmt: skip


def drawn(shown: items.Shown) -> BeautifulSoup:
    """The page with one item."""
    item = PageItem(id=7, shown=shown, ticket="the-ticket", at=NOW)
    page = render.Page(base="/", who="Ann Lee", proof="the-proof", ticket="t", items=[item], picture=lambda _figure: "")
    return BeautifulSoup(render.page(page), "html.parser")


def names_and_ids_are_sound(page: BeautifulSoup) -> None:
    """Ids are unique, labels and descriptions lead somewhere, nothing runs in the page."""
    ids = [str(tag["id"]) for tag in page.select("[id]")]
    assert len(ids) == len(set(ids))
    for label in page.find_all("label"):
        assert page.find(id=str(label["for"])), label
    for tag in page.select("[aria-describedby]"):
        assert all(page.find(id=each) for each in str(tag["aria-describedby"]).split())
    for control in page.select("input:not([type=hidden]), textarea, select"):
        assert page.find("label", attrs={"for": control["id"]}), control
    for tag in page.find_all(lambda _tag: True):
        assert not [name for name in tag.attrs if name.startswith("on") or name == "style"], tag
    assert [str(script["src"]).partition("?")[0] for script in page.find_all("script")] == ["/static/dih.js"]
    assert not page.find_all("style")


def test_every_kind_of_block_and_button_is_drawn() -> None:
    page = drawn(CARD)
    names_and_ids_are_sound(page)
    card = page.select_one("article .card")
    assert card is not None
    table = card.find("table")
    assert isinstance(table, Tag)
    assert [str(th["scope"]) for th in table.find_all("th")] == ["col", "col", "row", "row"]
    assert table.caption is not None
    assert table.caption.get_text() == "The two rounds"
    figure = card.find("figure")
    assert isinstance(figure, Tag)
    assert figure.find("table")
    assert "A radar of two rounds" in figure.get_text()
    assert card.find("dl")
    assert card.find("hr")
    assert card.find("h3", string="Above")
    assert card.find("p", class_="note", string="Small")
    buttons = {next(button.stripped_strings): button for button in card.find_all("button")}
    assert list(buttons) == ["Open", "Go", "Stop", "Ask", "Get"]
    assert json.loads(str(buttons["Open"]["value"])) == {"action": "x.open", "args": {"id": "1"}}
    assert buttons["Open"].get_text() == "Open: One thing"
    assert "danger" in (buttons["Stop"].get("class") or [])
    for button in buttons.values():
        form = button.find_parent("form")
        assert isinstance(form, Tag)
        sent = {str(each["name"]): each["value"] for each in form.find_all("input")}
        assert sent == {"proof": "the-proof", "item": "7", "ticket": "the-ticket"}
    assert [str(link["href"]) for link in card.find_all("a")] == ["https://example.org/a?b=c&d=e"]


@pytest.mark.parametrize("form", [FORM, FORM.filled(VALUES)], ids=["empty", "filled"])
def test_every_kind_of_field_is_drawn_and_labelled(form: Form) -> None:
    page = drawn(form)
    names_and_ids_are_sound(page)
    assert "3 of 8" in page.get_text()
    assert "Story (optional)" in page.get_text()
    assert "Why one would choose A" in page.get_text()


def test_every_error_stands_at_its_field_and_in_the_summary() -> None:
    errors = {field.name: f"Mend {field.name}." for field in FORM.fields} | {"": "Nothing fits.", "gone": "An old field."}
    page = drawn(FORM.filled({**VALUES, "day": "31/12/2026", "time": "half past"}).refused(errors, Typed({})))
    names_and_ids_are_sound(page)
    links = page.select(".summary a")
    assert [link.get_text() for link in links] == [f"Mend {field.name}." for field in FORM.fields]
    for field, link in zip(FORM.fields, links, strict=True):
        control = page.find(id=str(link["href"])[1:])
        assert isinstance(control, Tag)
        around = control.find_parent(class_="wrong")
        assert isinstance(around, Tag)
        assert f"Mend {field.name}." in around.get_text()
    assert {"Nothing fits.", "An old field."} <= {line.get_text() for line in page.select(".summary li")}
    for value in ("31/12/2026", "half past"):
        control = page.find("input", attrs={"value": value})
        assert isinstance(control, Tag)
        assert control["type"] == "text"


class Typed:
    """Whatever was typed."""

    def __init__(self, values: Mapping[str, Value]) -> None:
        self.values = values


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_drawn_as_the_words_it_is(text: str) -> None:
    card = Card(
        title=text,
        blocks=(
            Text(text=text),
            Facts(facts=(Fact(label=text, value=text),)),
            Table(columns=(text,), rows=((text,),), caption=text),
            Lines(lines=(Line(text=text, note=text, button=Button(label=text, action="x.y", args={"a": text})),)),
        ),
        buttons=(Link(label=text, url=f"https://example.org/{text}"), Link(label=text, url=text)),
    )
    form = Form(
        action="x.y",
        title="F",
        fields=(
            TextField(name="t", label=text, hint=text),
            TextField(name="u", label="U", lines=3),
            Choice(name="c", label="C", options=(Option(value=text, label=text, detail=text),), many=True),
        ),
        values={"t": text, "u": text, "c": (text,)},
        errors={"t": text, "": text},
    )
    for shown in (card, form, items.Words(text=text)):
        page = drawn(shown)
        names_and_ids_are_sound(page)
        assert not page.find_all(["img", "b", "iframe"])
        assert text.replace("\r", "") in page.find("article").get_text()  # type: ignore[union-attr]
    area = drawn(form).find("textarea")
    assert isinstance(area, Tag)
    assert area.get_text().removeprefix("\n") == text


@pytest.mark.parametrize("shown", [CARD, FORM.filled(VALUES), items.Words(text="idea"), says("A", "b").card])
def test_what_is_kept_is_what_was_shown(shown: items.Content) -> None:
    written = json.loads(json.dumps(items.pack(shown, answers="i1", told=True)))
    read = items.unpack(Item(id=1, speaker=Speaker.BOT, content=written, ticket="t", at=NOW))
    assert read.shown == shown
    assert (read.answers, read.told) == ("i1", True)


@pytest.mark.parametrize("written", [{}, {"shown": None}, {"shown": {"_type": "Scroll"}}, {"shown": {"_type": "Form", "title": "x" * 99}}])
def test_what_an_older_program_wrote_is_shown_politely(written: dict[str, object]) -> None:
    read = items.unpack(Item(id=1, speaker=Speaker.BOT, content=written, ticket="t", at=NOW))
    assert isinstance(read.shown, Faded)
    assert "can no longer be read" in drawn(read.shown).get_text()


@given(st.binary(max_size=400))
@settings(deadline=None)
def test_no_body_makes_parsing_fail_otherwise_than_garbled(body: bytes) -> None:
    for read in (parse.command, parse.press, parse.submission):
        try:
            read(parse.posted(b"ticket=t&" + body), Sender(user="1", id="i"))
        except Garbled:
            continue


def everything() -> tuple[Router, list[Mapping[str, Value]]]:
    """A word, a form of every field, its buttons, and what arrived."""
    router = Router()
    got: list[Mapping[str, Value]] = []

    async def build(_request: Request) -> Form:
        return FORM

    @router.command("all", "everything", reads=True)
    async def ask(request: Request) -> Outcome:
        return await build(request)

    @router.form("all.send", build)
    async def send(request: Request) -> Outcome:
        got.append({**request.values, **request.args})
        return says("Got it")

    @router.action("all.back")
    async def back(request: Request) -> Outcome:
        got.append({**request.values, **request.args})
        return Form(action="all.send", title="Before", fields=FORM.fields, values=request.values)

    @router.action("all.skip", reads=True)
    async def skip(_request: Request) -> Outcome:
        raise Refused("This question cannot be skipped.")

    return router, got


@asynccontextmanager
async def serving(database: Database, clock: FakeClock, router: Router, patience: Patience | None = None) -> AsyncIterator[Bot]:
    """A bot for a while, with a topic of the test's."""
    bot = Bot(database, clock, extra=[router], patience=patience)
    await bot.start()
    try:
        yield bot
    finally:
        await bot.stop()


ANSWERS = {
    "Title": "T", "Story": "S\nS", "How many": "3", "Which one": "B", "Which of the list": "Person 3", "Which ones": "A",
    "I am sure": "yes", "Which day": "2026-12-01", "What time": "09:30", "Who leads it": "Person 4",
}  # fmt: skip


async def test_every_kind_of_field_arrives_as_it_was_filled(database: Database, clock: FakeClock) -> None:
    router, got = everything()
    async with serving(database, clock, router) as bot:
        ann = await bot.signed_in(await bot.person("Ann Lee"))
        await ann.types("all")
        await ann.fills({**ANSWERS, "How many": "12", "Which ones": "A; B", "I am sure": ""})
        assert dict(await ann.errors()) == {"How many": "Enter 5 or less.", "Which ones": "Choose 1 or fewer."}
        for label, answer in {**ANSWERS, "How many": "12", "Which ones": "A; B", "I am sure": ""}.items():
            assert await ann.typed(label) == answer
        await ann.fills(ANSWERS)
        await ann.sees("Got it")
    assert got == [{**VALUES, "many": "3", "some": ("a",), "round": "7"}]


async def test_a_forms_own_buttons_send_what_is_typed_without_checking(database: Database, clock: FakeClock) -> None:
    router, got = everything()
    async with serving(database, clock, router) as bot:
        ann = await bot.signed_in(await bot.person("Ann Lee"))
        await ann.types("all")
        ann.fill({"Title": "Half a thought", "Which ones": "B"})
        await ann.presses("Skip")
        await ann.sees("This question cannot be skipped")
        assert ann.items("asks")
        ann.fill({"Title": "Half a thought", "Which ones": "B"})
        await ann.presses("Back")
        assert "Before" in ann.form.get_text()
        assert await ann.typed("Title") == "Half a thought"
        assert len(ann.items("asks")) == 1
    assert got[0]["title"] == "Half a thought"
    assert got[0]["some"] == ("b",)
    assert got[0]["step"] == "2"


def slow(*, confidential: bool = False) -> tuple[Router, asyncio.Event]:
    """A word and a form that wait until they are let go."""
    router, go = Router(), asyncio.Event()

    async def build(_request: Request) -> Form:
        return Form(action="slow.send", title="Slow", fields=(TextField(name="words", label="Words"),))

    @router.command("slow", "wait", reads=True)
    async def wait(_request: Request) -> Outcome:
        await go.wait()
        return says("Done", "It took a while.")

    @router.command("slow form", "wait with a form")
    async def ask(request: Request) -> Outcome:
        return await build(request)

    @router.form("slow.send", build, confidential=confidential)
    async def send(request: Request) -> Outcome:
        await go.wait()
        if request.one("words") == "again":
            return (await build(request)).refused({"words": "Other words."}, request)
        if request.one("words") == "never":
            raise Refused("That cannot be done.")
        return Reply(card=Card(title="Saved", blocks=(Text(text="It took a while."),)))

    return router, go


async def is_late(window: Window, doing: Awaitable[None], database: Database) -> str:
    """What the person did is not answered yet; returns where the page looks for it."""
    window.follows = False
    await doing
    window.follows = True
    ((status, where),) = window.landed
    assert status == 303
    assert "?working=" in where
    if not database.is_sqlite:  # there the slow work has the one connection, and the page waits for it too
        await window.goes(where)
        assert "Working on it" in window.words
        assert window.page.find(id="text") is None
    return where


async def until_done(window: Window, where: str) -> None:
    """Follows the refreshing page until the answer is there."""
    await window.goes(where)
    for _ in range(200):
        refresh = window.page.find("meta", attrs={"http-equiv": "refresh"})
        if not isinstance(refresh, Tag):
            return
        await window.goes(str(refresh["content"]).partition("url=")[2])
    raise AssertionError(window.words)


@pytest.mark.parametrize(("words", "answer"), [("save", "It took a while"), ("never", "That cannot be done")])
async def test_late_answers_come_to_the_page_by_themselves(database: Database, clock: FakeClock, words: str, answer: str) -> None:
    router, go = slow()
    async with serving(database, clock, router, Patience(seconds=0.5)) as bot:
        ann = await bot.signed_in(await bot.person("Ann Lee"))
        where = await is_late(ann, ann.types("slow"), database)
        go.set()
        await until_done(ann, where)
        await ann.sees("It took a while")
        go.clear()
        await ann.types("slow form")
        where = await is_late(ann, ann.fills({"Words": words}), database)
        go.set()
        await until_done(ann, where)
        await ann.sees(answer)
        assert len(ann.items("asks")) == (words == "never")


@pytest.mark.parametrize(("words", "answer"), [("save", "It took a while"), ("never", "That cannot be done"), ("again", "Other words.")])
async def test_a_late_answer_that_must_not_be_kept_is_shown_and_leaves_nothing(
    database: Database, clock: FakeClock, words: str, answer: str
) -> None:
    router, go = slow(confidential=True)
    async with serving(database, clock, router, Patience(seconds=0.5)) as bot:
        ann, eve = await bot.signed_in(await bot.person("Ann Lee")), await bot.signed_in(await bot.person("Eve Day"))
        await ann.types("slow form")
        there = await everything_kept(database)
        where = await is_late(ann, ann.fills({"Words": words}), database)
        go.set()
        await until_done(ann, where)
        await ann.sees(answer)
        if words == "again":
            assert await ann.typed("Words") == words
        await eve.goes(where)
        assert answer not in eve.words, "it is nobody else’s"
        assert await everything_kept(database) == there
        await ann.goes()
        assert answer not in ann.words


async def test_an_answer_that_does_not_come_is_not_looked_for_for_ever(ann: Window) -> None:
    await ann.goes("/?working=nothing&look=60")
    assert "This takes much longer than usual" in ann.words
    assert ann.page.find("meta", attrs={"http-equiv": "refresh"}) is None
    assert ann.page.find(id="text")


async def test_too_much_work_is_refused_politely(database: Database, clock: FakeClock) -> None:
    async with serving(database, clock, Router(), Patience(seconds=1, most=0)) as bot:
        ann = await bot.signed_in(await bot.person("Ann Lee"))
        await ann.types("me")
        assert ann.status == 503
        assert "Busy" in ann.words


async def test_the_script_gets_what_is_new_and_nothing_when_nothing_is(bot: Bot, ann: Window) -> None:
    await ann.goes("/new")
    assert ann.status == 200
    empty = ann.headers["ETag"]
    await ann.types("help")
    await ann.goes("/new")
    assert "What you can do" in ann.words
    assert ann.headers["ETag"] != empty
    assert not ann.page.find("html")
    tag = ann.headers["ETag"]
    async with ann.http.get(f"{ann.site}/new", headers={"If-None-Match": tag}) as answer:
        assert answer.status == 304
        assert answer.headers["Cache-Control"] == "no-store"
        assert not await answer.read()
    bot.clock.forward(minutes=1)
    async with bot.database.transaction() as session:
        await session.execute(sa.text("UPDATE history SET ticket = 'another' WHERE speaker = 'bot'"))
    await ann.goes("/new")
    assert ann.headers["ETag"] != tag


@pytest.mark.parametrize("text", HOSTILE)
async def test_hostile_words_go_all_the_way_round(bot: Bot, ann: Window, text: str) -> None:
    title = f"{text} and more"[:150]
    await ann.types("idea")
    await ann.fills(
        {"Title": title, "What need or problem does it answer, and for whom?": text[:1900], "Where": "University Hospitals Dorset"}
    )
    await ann.sees("is with the Core Team")
    await ann.types(text)
    assert ann.status == 200
    await ann.types("idea 1")
    names_and_ids_are_sound(ann.page)
    assert not ann.page.find_all(["img", "b"])
