"""Pictures: drawn by a process of its own, kept for a while, and behind sealed addresses that end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator

import psutil
import pytest
from cryptography.fernet import Fernet

from bot import figures
from bot import pictures as module
from bot.limits import Busy
from bot.links import FileLinks
from bot.pictures import NotDrawn, Pictures
from handlers.routing import Interaction, Place
from handlers.views import Figure
from tests.conftest import FakeClock
from tests.rounds import DIMENSIONS, LONG, figure, series

OTHER = figure(series("This round", 1, 2, 3), axes=DIMENSIONS[:3])
IMPOSSIBLE = figure(axes=("Secret \ud800", "b", "c"))
"""Half a letter, which no font can draw."""


@pytest.fixture
async def pictures(clock: FakeClock) -> AsyncIterator[Pictures]:
    """Pictures of one server."""
    pictures = Pictures([], clock)
    yield pictures
    await pictures.close()


def drawing() -> list[psutil.Process]:
    """The processes that draw for this one."""
    return [each for each in psutil.Process().children() if "bot.drawing" in " ".join(each.cmdline())]


def token(pictures: Pictures, of: Figure) -> str:
    """What the address of a figure ends in."""
    path = pictures.path(of)
    assert path.startswith("/pictures/")
    return path.removeprefix("/pictures/")


async def test_a_figure_is_drawn_once_for_all_who_ask_and_each_gets_their_own(pictures: Pictures) -> None:
    asked = [figure(), OTHER, figure(), OTHER]
    first, other, again, others = await asyncio.gather(*map(pictures.png, asked))
    assert first is again is await pictures.png(figure())
    assert other is others
    assert first != other
    assert all(each.startswith(b"\x89PNG") for each in (first, other))
    assert len(drawing()) == 1


async def test_what_cannot_be_drawn_harms_no_other_picture_and_its_words_are_not_logged(
    pictures: Pictures, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.INFO):
        broken, whole = await asyncio.gather(pictures.png(IMPOSSIBLE), pictures.png(OTHER), return_exceptions=True)
    assert isinstance(broken, NotDrawn)
    assert isinstance(whole, bytes)
    assert "a picture was not drawn" in caplog.text
    assert "Secret" not in caplog.text + capfd.readouterr().err


async def test_whoever_stops_waiting_leaves_the_picture_to_the_others(pictures: Pictures) -> None:
    impatient, patient = (asyncio.create_task(pictures.png(OTHER)) for _ in range(2))
    await asyncio.sleep(0)
    impatient.cancel()
    assert (await patient).startswith(b"\x89PNG")


async def test_too_many_different_pictures_at_once_are_refused(pictures: Pictures) -> None:
    waiting = [asyncio.create_task(pictures.png(figure(series("Round", number)))) for number in range(module.WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(Busy):
        await pictures.png(OTHER)
    await pictures.close()
    assert all(isinstance(each, asyncio.CancelledError) for each in await asyncio.gather(*waiting, return_exceptions=True))


async def test_the_process_that_draws_is_let_go_when_nothing_was_asked_for_in_a_while(clock: FakeClock) -> None:
    pictures = Pictures([], clock, rest=0.01)
    first = await pictures.png(OTHER)
    async with asyncio.timeout(10):
        while drawing():
            await asyncio.sleep(0.05)
    assert await pictures.png(OTHER) is first
    assert (await pictures.png(figure())).startswith(b"\x89PNG")
    await pictures.close()
    assert not drawing()


def test_an_address_says_nothing_stays_the_same_for_hours_and_then_changes(clock: FakeClock) -> None:
    pictures = Pictures([], clock)
    first = pictures.path(figure())
    assert "Shared" not in first
    clock.forward(hours=5)
    assert pictures.path(figure()) == first
    clock.forward(hours=2)
    assert pictures.path(figure()) != first


def test_an_address_is_good_for_hours_on_every_server_with_the_key_and_then_for_none(clock: FakeClock) -> None:
    key = Fernet.generate_key().decode()
    sealed = token(Pictures([key], clock), figure())
    another = Pictures([Fernet.generate_key().decode(), key], clock)
    assert another.figure(sealed) == figure()
    clock.forward(hours=12, seconds=1)
    assert another.figure(sealed) is None


def test_foreign_and_garbled_addresses_and_those_of_files_show_nothing(clock: FakeClock) -> None:
    key = Fernet.generate_key().decode()
    pictures, links = Pictures([key], clock), FileLinks([key])
    press = Interaction(
        id="1", ticket="1", channel="web", tenant="", user="u", place=Place(id="", private=True), kind="action", name="a.b"
    )  # fmt: skip
    sealed = token(pictures, figure())
    for wrong in (token(Pictures([], clock), figure()), sealed[:-3], sealed.swapcase(), "", "x", "é\ud800", links.seal(press, clock())):
        assert pictures.figure(wrong) is None
    assert links.open(sealed, clock()) is None


def test_what_is_too_much_for_a_picture_or_an_address_has_none(clock: FakeClock) -> None:
    pictures = Pictures([], clock)
    assert pictures.path(figure(axes=("a",) * 41)) == ""
    assert len(pictures.path(figure(axes=(LONG,) * 12))) < 1000
    varied = tuple("".join(chr(0x4E00 + (axis * 997 + place * 7919) % 20_000) for place in range(1000)) for axis in range(12))
    assert figures.is_drawn(figure(axes=varied))
    assert pictures.path(figure(axes=varied)) == ""
