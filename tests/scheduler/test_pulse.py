"""The pulse in time: who is invited and reminded, when, and when no more."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers import calendar
from handlers.registry import ROUTES
from handlers.views import Lines
from scheduler.delivery import Delivery
from scheduler.planner import Planner
from scheduler.pulse import due, reminder_days
from storage.database import Database
from storage.people import Group
from tests.conftest import FakeClock
from tests.pulse.circle import KEYS, Circle, Sheet, answers_all, says
from tests.scheduler.conftest import Channel


def _at(day: int, hour: int = 10, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


@pytest.mark.parametrize(
    ("closes_at", "days"),
    [
        (_at(4, 17, 12), [27, 2, 4]),  # two weeks
        (_at(25, 17), [24, 25]),
        (_at(24, 17), [24]),
        (_at(24, 8), []),
        (_at(23, 17), []),
        (_at(28, 17), [25, 26, 27]),  # a Saturday: the Friday before it
    ],
)
def test_reminder_days_are_spread_over_the_window(closes_at: datetime, days: list[int]) -> None:
    assert [day.day for day in reminder_days(_at(23), closes_at)] == days


def test_nobody_is_reminded_on_a_bank_holiday() -> None:
    days = reminder_days(datetime(2026, 12, 24, 9, tzinfo=UTC), datetime(2026, 12, 29, 17, tzinfo=UTC))
    assert days == (date(2026, 12, 29),), "25 and 28 December are bank holidays"


@given(st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)), st.integers(1, 180))  # noqa: DTZ001
def test_there_are_three_at_most_within_the_window(opened: datetime, days: int) -> None:
    opens_at = opened.replace(tzinfo=UTC)
    closes_at = opens_at + timedelta(days=days)
    found = reminder_days(opens_at, closes_at)
    assert len(found) <= 3
    assert list(found) == sorted(set(found))
    assert all(calendar.is_working_day(day) and opens_at.date() <= day <= (closes_at + timedelta(hours=1)).date() for day in found)


class Post:
    """Planning and delivery, as the server's ticks do them."""

    def __init__(self, circle: Circle) -> None:
        hub = circle.hub
        self.clock, self.channel = hub.clock, Channel()
        self.planner = Planner(hub.database, clock=hub.clock, topics=(due,))
        self._delivery = Delivery(hub.database, ROUTES, {"slack": self.channel}, clock=hub.clock, lease_seconds=60)

    async def at(self, now: datetime) -> dict[str, str]:
        """What people are told at this instant, by account."""
        self.clock.now = now
        await self.planner.run()
        sent = len(self.channel.sendings)
        await self._delivery.run()
        return {str(each.target.user): _text(each.message.card.blocks[0]) for each in self.channel.sendings[sent:]}


def _text(block: object) -> str:
    return " ".join(f"{line.text} {line.note}" for line in block.lines) if isinstance(block, Lines) else ""


async def test_those_who_have_not_finished_are_reminded_three_times_and_no_more(database: Database, clock: FakeClock) -> None:
    circle = await Circle.of(database, clock, members=4)
    post = Post(circle)
    round_id = await circle.opens()
    invited = await post.at(_at(23, 10))
    assert set(invited) == {"KAY", *(f"MEMBER{number}" for number in range(4))}
    assert all("Your answers are confidential" in text for text in invited.values())
    assert await post.at(_at(24)) == {}, "said once"
    finished, declined, begun, late = circle.members
    await answers_all(finished, round_id, Sheet(levels=[3] * 8))
    await declined.presses("pulse.decline", round=str(round_id))
    await says(declined, round_id, KEYS[0], 3)
    await says(begun, round_id, KEYS[0], 3)
    assert await post.at(_at(27, 8)) == {}, "8am is too early"
    reminded = await post.at(_at(27))
    assert set(reminded) == {"KAY", "MEMBER2", "MEMBER3"}
    assert all("You have not finished" in text and "Friday 4 December 2026 at 5pm" in text for text in reminded.values())
    assert await post.at(_at(27, 15)) == {}
    assert set(await post.at(_at(1, month=12))) == set(), "the next is due on the second"
    await answers_all(late, round_id, Sheet(levels=[3] * 8))
    assert set(await post.at(_at(2, month=12))) == {"KAY", "MEMBER2"}
    assert set(await post.at(_at(4, month=12))) == {"KAY", "MEMBER2"}
    assert await post.at(_at(4, 16, 12)) == {}
    assert await post.at(_at(7, month=12)) == {}, "it is over"


async def test_the_first_that_anybody_hears_is_the_invitation(database: Database, clock: FakeClock) -> None:
    circle = await Circle.of(database, clock, members=1)
    post, late = Post(circle), circle.hub.person("LATE")
    await late.is_known()
    await circle.opens()
    await post.at(_at(23))
    assert set(await post.at(_at(27))) == {"KAY", "MEMBER0"}
    clock.now = _at(1, month=12)
    await circle.hub.organise(late, Group.PROGRAMME_GROUP)
    told = await post.at(_at(1, month=12))
    assert set(told) == {"LATE"}
    assert "asks how the hub is doing" in told["LATE"], "they cannot have begun"
    told = await post.at(_at(2, month=12))
    assert set(told) == {"KAY", "MEMBER0", "LATE"}
    assert all("You have not finished" in text for text in told.values())


async def test_a_round_that_opens_in_the_evening_before_its_reminder_day_invites_first(database: Database, clock: FakeClock) -> None:
    clock.now = _at(27, 18)
    circle = await Circle.of(database, clock, members=1)
    post = Post(circle)
    args = {"wheel": "illustrative:1", "last_day": "2026-12-01", "groups": "core_team.programme_group"}
    await circle.kay.presses("pulse.open", **args)
    assert all("asks how the hub is doing" in text for text in (await post.at(_at(30))).values())
    assert all("You have not finished" in text for text in (await post.at(_at(1, month=12))).values())


async def test_an_invitation_that_was_held_up_is_still_the_first(database: Database, clock: FakeClock) -> None:
    circle = await Circle.of(database, clock, members=1)
    post = Post(circle)
    await circle.opens()
    await post.planner.run()
    told = await post.at(_at(27))
    assert set(told) == {"KAY", "MEMBER0"}
    assert all("asks how the hub is doing" in text for text in told.values())


async def test_a_reminder_that_waits_is_not_sent_to_who_finished_meanwhile(database: Database, clock: FakeClock) -> None:
    circle = await Circle.of(database, clock, members=2)
    post = Post(circle)
    round_id = await circle.opens()
    await post.planner.run()
    await answers_all(circle.members[0], round_id, Sheet(levels=[3] * 8))
    await circle.members[1].presses("pulse.decline", round=str(round_id))
    assert set(await post.at(clock.now)) == {"KAY"}


async def test_everybody_who_was_asked_hears_of_the_results_once(database: Database, clock: FakeClock) -> None:
    circle = await Circle.of(database, clock, members=2)
    post = Post(circle)
    await circle.opens()
    await circle.closes()
    assert not await circle.job().run()
    told = await post.at(clock.now)
    assert set(told) == {"KAY", "MEMBER0", "MEMBER1"}, "the Core Team has no place, so its member is told"
    assert {each.title for each in post.channel.sendings} == {"Results: Maturity pulse of November 2026"}
    assert await post.at(clock.now) == {}
