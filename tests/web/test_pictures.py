"""Pictures on the page: shown with their words below their table, fetched by whoever has the address, for some hours."""

from __future__ import annotations

import pytest
from aiohttp import ClientSession
from bs4 import Tag

from bot.pictures import Pictures
from handlers.routing import Request, Router
from handlers.views import Form, Message, Outcome, Reply, TextField
from scheduler.delivery import Sent, Target
from storage.database import Database
from tests.conftest import FakeClock
from tests.rounds import card, figure, picture
from tests.web.conftest import Bot
from tests.web.window import Window

ALTERNATIVE = "A radar of this round beside the last"


async def tell(bot: Bot, person_id: int) -> None:
    """A message with a picture."""
    target = Target(channel="web", tenant="", person_id=person_id)
    sent = await bot.channel.sender.send(target, Message(card=card()), ticket="the-round", handle=None)
    assert isinstance(sent, Sent)


@pytest.fixture
async def bob(bot: Bot) -> Window:
    """Bob, who was told of the round."""
    person_id = await bot.person("Bob May")
    await tell(bot, person_id)
    return await bot.signed_in(person_id)


def image(window: Window) -> Tag:
    """The only picture on the page."""
    (found,) = window.page.select("figure img")
    return found


async def fetched(bot: Bot, path: str) -> tuple[int, str, bytes]:
    """(Status, type, body) of an address for somebody without a session."""
    async with ClientSession() as stranger, stranger.get(f"{bot.window().site}{path}") as answer:
        return answer.status, answer.content_type, await answer.read()


async def test_a_picture_stands_below_its_table_with_its_words_and_size(bob: Window) -> None:
    shown = image(bob)
    assert shown["alt"] == ALTERNATIVE
    assert (shown["width"], shown["height"]) == ("1000", "900")
    before = shown.find_previous("table")
    assert isinstance(before, Tag)
    assert "Not shown" in before.get_text()
    assert "img-src 'self'" in bob.headers["Content-Security-Policy"]
    assert str(shown["src"]).startswith("/pictures/")


async def test_a_picture_is_fetched_without_a_session(bot: Bot, bob: Window) -> None:
    async with ClientSession() as stranger, stranger.get(f"{bob.site}{image(bob)['src']}") as answer:
        assert answer.status == 200
        assert answer.content_type == "image/png"
        assert answer.headers["Cache-Control"] == "private, max-age=43200"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "Set-Cookie" not in answer.headers
        png = await answer.read()
    assert png == await bot.pictures.png(figure())


async def test_an_address_is_over_after_twelve_hours_and_the_page_has_a_new_one(bot: Bot, bob: Window) -> None:
    old = str(image(bob)["src"])
    await bob.goes()
    assert image(bob)["src"] == old
    bot.clock.forward(hours=12, seconds=1)
    status, kind, words = await fetched(bot, old)
    assert (status, kind) == (404, "text/plain")
    assert b"The table in the message says the same" in words
    await bob.goes()
    assert (await fetched(bot, str(image(bob)["src"])))[0] == 200


@pytest.mark.parametrize("path", ["/pictures/x", "/pictures/gAAAAABfoo", "/pictures/%C3%A9", f"/pictures/{'x' * 5000}", "/pictures/%00"])
async def test_an_address_that_is_not_ours_shows_nothing(bot: Bot, path: str) -> None:
    assert (await fetched(bot, path))[0] == 404
    foreign = Pictures([], bot.clock).path(figure())
    assert (await fetched(bot, foreign))[0] == 404


async def test_what_cannot_be_drawn_is_said_so(bot: Bot) -> None:
    status, _, words = await fetched(bot, bot.pictures.path(figure(axes=("\ud800", "b", "c"))))
    assert status == 503
    assert b"The table in the message says the same" in words


async def test_a_new_address_is_nothing_new_for_the_page(bot: Bot, bob: Window) -> None:
    """What is asked for every few seconds does not change because the address does."""
    await bob.goes("/new")
    tag, shown = bob.headers["ETag"], str(image(bob)["src"])
    bot.clock.forward(hours=7)
    async with bob.http.get(f"{bob.site}/new", headers={"If-None-Match": tag}) as answer:
        assert answer.status == 304
    await bob.goes("/new")
    assert bob.headers["ETag"] == tag
    assert str(image(bob)["src"]) != shown


async def test_a_figure_too_large_for_a_picture_is_its_words_and_its_table(bot: Bot) -> None:
    router = Router()

    @router.command("forty", "forty and one", reads=True)
    async def forty(_request: Request) -> Outcome:
        return Reply(card=card(figure(axes=("Partner",) * 41)))

    larger = Bot(bot.database, bot.clock, extra=[router])
    await larger.start()
    try:
        window = await larger.signed_in(await larger.person("Cat Poe"))
        await window.types("forty")
        await window.sees(ALTERNATIVE, "Evidence")
        assert not window.page.find("img")
    finally:
        await larger.stop()


async def test_a_picture_above_the_fields_of_a_form(database: Database, clock: FakeClock) -> None:
    router = Router()

    @router.command("choose", "choose what to work on", reads=True)
    async def choose(_request: Request) -> Outcome:
        field = TextField(name="three", label="Which three should we work on?")
        return Form(action="choose.send", title="Choose three", fields=(field,), blocks=(picture(),))

    bot = Bot(database, clock, extra=[router])
    await bot.start()
    try:
        window = await bot.signed_in(await bot.person("Cat Poe"))
        await window.types("choose")
        assert window.form.select_one("figure img") is not None
    finally:
        await bot.stop()
