"""How much is taken on, and what becomes of work that lasts."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from cryptography.fernet import Fernet

from bot.limits import REMEMBERED, Busy, Patience, RateLimit
from bot.links import FileLinks
from handlers.routing import Interaction, Place
from storage.people import AccountKey
from tests.conftest import FakeClock


def _account(user: str) -> AccountKey:
    return AccountKey(channel="slack", tenant="T1", user=user)


def test_a_minute_slides(clock: FakeClock) -> None:
    limit = RateLimit(2)
    assert [limit.allows(_account("ANN"), clock()) for _ in range(3)] == [True, True, False]
    clock.forward(seconds=59.9)
    assert not limit.allows(_account("ANN"), clock())
    assert limit.allows(_account("BOB"), clock())
    clock.forward(seconds=0.1)
    assert [limit.allows(_account("ANN"), clock()) for _ in range(3)] == [True, True, False]


def test_those_who_went_quiet_are_forgotten_and_those_who_did_not_are_not(clock: FakeClock) -> None:
    limit = RateLimit(1)
    for number in range(REMEMBERED - 1):
        limit.allows(_account(f"U{number}"), clock())
    clock.forward(minutes=2)
    assert limit.allows(_account("ANN"), clock())
    for number in range(3):
        assert limit.allows(_account(f"V{number}"), clock())
    assert len(limit._times) < 10
    assert not limit.allows(_account("ANN"), clock())


class Later:
    """Takes what came too late."""

    def __init__(self) -> None:
        self.got: list[str] = []
        self.there = asyncio.Event()

    async def __call__(self, result: str) -> None:
        self.got.append(result)
        self.there.set()


async def _after(event: asyncio.Event, result: str = "done") -> str:
    await event.wait()
    return result


async def test_work_that_is_quick_is_answered_at_once() -> None:
    go, later = asyncio.Event(), Later()
    go.set()
    assert await Patience(seconds=5).within(_after(go), later) == "done"
    assert later.got == []


async def test_work_that_lasts_goes_on_and_its_result_follows() -> None:
    go, later = asyncio.Event(), Later()
    patience = Patience(seconds=0.01)
    assert await patience.within(_after(go), later) is None
    go.set()
    async with asyncio.timeout(10):
        await later.there.wait()
    assert later.got == ["done"]


async def test_too_much_unfinished_work_is_not_begun() -> None:
    go, later = asyncio.Event(), Later()
    patience = Patience(seconds=0.01, most=2)
    assert await patience.within(_after(go), later) is None
    with pytest.raises(Busy):
        await patience.within(_after(go), later)
    go.set()
    await patience.finish(10)
    assert later.got == ["done"]
    assert await patience.within(_after(go), later) == "done"


async def test_stopping_waits_for_what_is_under_way_and_then_ends_it() -> None:
    quick, never = asyncio.Event(), asyncio.Event()
    finished, left = Later(), Later()
    patience = Patience(seconds=0.01)
    await patience.within(_after(quick, "quick"), finished)
    await patience.within(_after(never, "never"), left)
    quick.set()
    await patience.finish(0.1)
    assert (finished.got, left.got) == (["quick"], [])


@pytest.mark.may_block("the traceback of an error is written, which reads its source")
async def test_late_work_that_fails_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def fail() -> None:
        raise RuntimeError

    patience = Patience(seconds=1)
    patience.soon(fail())
    await patience.finish(10)
    await asyncio.sleep(0)
    assert "work after the answer failed" in caplog.messages


def _press(user: str = "ANN") -> Interaction:
    return Interaction(
        id="1", ticket="t", channel="slack", tenant="T1", user=user, place=Place(id="C1", private=False), kind="action",
        name="test.list", args={"list": "7\ud800"},
    )  # fmt: skip


def test_a_link_to_a_file_says_who_asked_for_what_and_ends(clock: FakeClock) -> None:
    links = FileLinks([Fernet.generate_key().decode()])
    token = links.seal(_press(), clock())
    opened = links.open(token, clock() + links.lasts)
    assert opened is not None
    assert (opened.account, opened.kind, opened.name, opened.args) == (_account("ANN"), "file", "test.list", {"list": "7\ud800"})
    assert links.open(token, clock() + links.lasts + timedelta(seconds=1)) is None
    assert links.open(f"{token[:-4]}AAAA", clock()) is None
    assert links.open("", clock()) is None
    assert FileLinks([]).open(token, clock()) is None, "another key"


def test_two_links_to_one_file_are_spent_apart_and_old_keys_still_open(clock: FakeClock) -> None:
    old, new = (Fernet.generate_key().decode() for _ in range(2))
    token = FileLinks([old]).seal(_press(), clock())
    rotated = FileLinks([new, old])
    first, second = rotated.open(token, clock()), rotated.open(rotated.seal(_press(), clock()), clock())
    assert first is not None
    assert second is not None
    assert first.ticket != second.ticket
