"""Routes: found by their names, offered to whom they are for, and never two of one name."""

from __future__ import annotations

import pytest

from handlers.errors import GONE, Refused
from handlers.registry import ROUTES
from handlers.routing import Clash, Occasion, Place, Request, Router, Routes, administrator
from handlers.views import Form, Message, Outcome, Quiet
from storage.people import Person
from tests.storage.hub import NOW

ANN = Person(
    id=1, name="Ann", email=None, organisation=None, organisation_by=None, administrator=False, groups=frozenset(), last_account_id=None
)  # fmt: skip


async def handle(_request: Request) -> Outcome:
    """Does nothing."""
    return Quiet()


async def form(_request: Request) -> Form:
    """Asks nothing."""
    return Form(action="x", title="X", fields=())


async def message(_occasion: Occasion) -> Message | None:
    """Says nothing."""
    return None


def _one_of_each() -> Router:
    router = Router()
    router.command("x", "do x")(handle)
    router.action("x")(handle)
    router.form("x", form)(handle)
    router.file("x")(handle)
    router.message("x")(message)
    return router


def test_the_same_name_may_be_a_command_an_action_a_form_a_file_and_a_message() -> None:
    routes = Routes((_one_of_each(),))
    assert [set(each) for each in (routes.commands, routes.actions, routes.forms, routes.files, routes.messages)] == [{"x"}] * 5


@pytest.mark.parametrize("kind", ["command", "action", "form", "file", "message"])
def test_two_topics_with_one_name_do_not_start(kind: str) -> None:
    other, whole = Router(), _one_of_each()
    taken = {"command": "commands", "action": "actions", "form": "forms", "file": "files", "message": "messages"}[kind]
    getattr(other, taken).update(getattr(whole, taken))
    with pytest.raises(Clash, match="'x' is routed twice"):
        Routes((whole, other))


def test_one_topic_cannot_name_two_the_same() -> None:
    router = _one_of_each()
    with pytest.raises(Clash):
        router.command("x", "do x again")(handle)


def _routes() -> Routes:
    router = Router()
    for name in ("idea", "idea later", "ideas", "admin people"):
        router.command(name, f"see {name}", may=administrator if name.startswith("admin") else ROUTES.commands["help"].may)(handle)
    return Routes((router,))


@pytest.mark.parametrize(
    ("text", "name", "rest"),
    [
        ("idea", "idea", ""), ("IDEA  two  words ", "idea", "two  words "), ("  idea\nlater   that", "idea later", "that"),
        ("idea lateral thinking", "idea", "lateral thinking"), ("ideas", "ideas", ""), ("Admin  PEOPLE ann", "admin people", "ann"),
        ("admin", None, "admin"), ("", None, ""), ("   ", None, ""), ("İdea", None, "İdea"), ("idea\u00a0x", "idea", "x"),
        ("ideaslater", None, "ideaslater"), ("idea payload={}", "idea", "payload={}"),
    ],
)  # fmt: skip
def test_the_longest_name_that_the_words_begin_with_is_meant(text: str, name: str | None, rest: str) -> None:
    route, left = _routes().resolve(text)
    assert (route.name if route else None, left) == (name, rest)


def test_a_long_text_is_resolved_quickly() -> None:
    assert _routes().resolve("idea " + "x " * 100_000)[1].startswith("x x")
    assert _routes().resolve(" " * 100_000)[0] is None


def test_the_nearest_word_is_one_that_the_person_may_use() -> None:
    routes = _routes()
    near = {text: (route.name if (route := routes.nearest(text, ANN)) else None) for text in ("idae", "ideass", "admn people", "zzz", "")}
    assert near == {"idae": "idea", "ideass": "ideas", "admn people": None, "zzz": None, "": None}
    assert [route.name for route in routes.offered_to(ANN)] == ["idea", "idea later", "ideas"]


@pytest.mark.parametrize("text", ["", "-1", "x", "1.5", "1234567890", "²", "١", " 1", "1\n"])
def test_a_number_that_is_none_of_ours_is_refused_politely(text: str) -> None:
    args = {"idea": text} if text else {}
    request = Request(person=ANN, now=NOW, session=None, place=Place(id="", private=True), args=args)  # type: ignore[arg-type]
    with pytest.raises(Refused, match=GONE):
        request.number("idea")


def test_a_request_gives_one_value_or_many() -> None:
    request = Request(
        person=ANN, now=NOW, session=None, place=Place(id="", private=True), args={"idea": "42"}, values={"a": "x", "b": ("y", "z")}  # type: ignore[arg-type]
    )  # fmt: skip
    assert request.number("idea") == 42
    assert [request.one(name) for name in "abc"] == ["x", "y, z", ""]
    assert [request.many(name) for name in "abc"] == [("x",), ("y", "z"), ()]


def test_every_command_says_what_it_does_in_a_few_words() -> None:
    for route in ROUTES.commands.values():
        assert route.summary == route.summary.strip().rstrip(".")
        assert 5 < len(route.summary) <= 75
        assert route.usage.startswith(route.name)
        assert route.name == " ".join(route.name.casefold().split())
