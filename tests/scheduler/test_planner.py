"""What falls due is planned once, by however many planners, and a day's reminders come in one message."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from handlers import nudges
from handlers.calendar import local_day
from handlers.routing import Occasion, Router, Routes
from handlers.views import Line, Lines
from scheduler.delivery import Delivery, RetryLater
from scheduler.planner import Planner, Rules
from scheduler.planning import MOST_NUDGES, Plan
from storage.database import Database, Session
from storage.nudges import Nudge, message_key
from storage.outbox import Notice
from tests.conftest import FakeClock
from tests.scheduler.conftest import Post

SATURDAY = datetime(2026, 11, 21, 10, tzinfo=UTC)


def _routes() -> Routes:
    router = Router()

    @router.nudge("test.due")
    async def due(occasion: Occasion) -> Line | None:
        return Line(text=occasion.args["text"]) if occasion.args["text"] else None

    routes = Routes((nudges.router_for(lambda: routes), router))
    return routes


def _always(plan: Plan) -> Rules:
    async def rules(_session: Session, _now: datetime) -> Plan:
        return plan

    return rules


def _nudge(person_id: int, text: str, number: int = 1) -> Nudge:
    return Nudge(key=f"{text}:{number}:{person_id}", kind="test.due", person_id=person_id, about=text, args={"text": text})


def _delivery(post: Post) -> Delivery:
    return Delivery(post.database, _routes(), post.senders, clock=post.clock, lease_seconds=60)


def _lines(post: Post, number: int = -1) -> list[str]:
    (lines, _footer) = post.slack.sendings[number].message.card.blocks
    assert isinstance(lines, Lines)
    return [line.text for line in lines.lines]


async def test_all_that_is_due_on_a_day_comes_in_one_message(post: Post) -> None:
    ann = await post.person("ANN")
    plan = Plan(nudges=(_nudge(ann.id, "One"), _nudge(ann.id, "Two"), _nudge(ann.id, "")))
    planner = Planner(post.database, clock=post.clock, topics=(_always(plan), _always(Plan())))
    assert await planner.run() == 3
    assert await planner.run() == 0
    await _delivery(post).run()
    assert _lines(post) == ["One", "Two"], "what is no longer true is left out"
    assert len(post.slack.sendings) == 1


async def test_a_fault_in_one_topic_holds_no_other_up(post: Post, caplog: pytest.LogCaptureFixture) -> None:
    async def faulty(session: Session, _now: datetime) -> Plan:
        await session.exec_driver_sql("SELECT * FROM nowhere")
        return Plan()

    ann = await post.person("ANN")
    plan = Plan(nudges=(_nudge(ann.id, "One"),))
    assert await Planner(post.database, clock=post.clock, topics=(faulty, _always(plan))).run() == 1
    assert [record.getMessage() for record in caplog.records] == ["a topic could not say what is due"]


async def test_what_comes_up_later_in_the_day_waits_for_the_next_working_day(post: Post, clock: FakeClock) -> None:
    ann = await post.person("ANN")
    await Planner(post.database, clock=clock, topics=(_always(Plan(nudges=(_nudge(ann.id, "One"),))),)).run()
    later = Planner(post.database, clock=clock, topics=(_always(Plan(nudges=(_nudge(ann.id, "One"), _nudge(ann.id, "Two")))),))
    assert await later.run() == 0
    await _delivery(post).run()
    clock.forward(hours=8)
    assert await later.run() == 0, "6pm is no time for a reminder"
    clock.forward(hours=15)
    assert await later.run() == 1
    await _delivery(post).run()
    assert [_lines(post, number) for number in (0, 1)] == [["One"], ["Two"]]


FRIDAY, MONDAY = datetime(2026, 11, 27, 16, 59, 30, tzinfo=UTC), datetime(2026, 11, 30, 9, 1, tzinfo=UTC)


@pytest.mark.parametrize("tried", [datetime(2026, 11, 27, 17, tzinfo=UTC), datetime(2026, 11, 28, 3, tzinfo=UTC), MONDAY, None])
async def test_what_is_held_up_until_its_day_is_over_is_said_on_the_next_working_day(
    post: Post, clock: FakeClock, tried: datetime | None
) -> None:
    ann = await post.person("ANN")
    one = _nudge(ann.id, "One")
    clock.now = FRIDAY
    assert await Planner(post.database, clock=clock, topics=(_always(Plan(nudges=(one,))),)).run() == 1
    post.slack.results = [RetryLater(reason="busy")]
    await _delivery(post).run()
    del post.slack.sendings[:]
    if tried is not None:
        clock.now = tried
        await _delivery(post).run()
    assert post.slack.sendings == [], "not at night, and not on another day"
    clock.now = MONDAY
    planner = Planner(post.database, clock=clock, topics=(_always(Plan(nudges=(one, _nudge(ann.id, "Two")))),))
    assert await planner.run() == 2
    await _delivery(post).run()
    assert [_lines(post, number) for number in range(len(post.slack.sendings))] == [["One", "Two"]], "in one message"
    clock.forward(days=1)
    assert await planner.run() == 0


async def test_what_was_no_longer_true_in_time_is_not_planned_again(post: Post, clock: FakeClock) -> None:
    ann = await post.person("ANN")
    planner = Planner(post.database, clock=clock, topics=(_always(Plan(nudges=(_nudge(ann.id, ""),))),))
    assert await planner.run() == 1
    await _delivery(post).run()
    clock.forward(days=1)
    assert (await planner.run(), await post.states()) == (0, ["dropped"])


async def test_what_was_held_up_does_not_count_as_one_of_five_times(post: Post, clock: FakeClock) -> None:
    ann = await post.person("ANN")
    for number in range(MOST_NUDGES):
        planner = Planner(post.database, clock=clock, topics=(_always(Plan(nudges=(_nudge(ann.id, "One", number),))),))
        assert await planner.run() == 1
        if number < MOST_NUDGES - 1:
            await _delivery(post).run()
        clock.forward(days=14)
    assert await planner.run() == 1, "the fifth was planned and not sent"


async def test_what_another_planners_message_of_the_day_does_not_say_waits_for_another_day(post: Post, clock: FakeClock) -> None:
    ann = await post.person("ANN")
    day = local_day(clock.now)
    await post.put(Notice(key=message_key(ann.id, day), kind="nudges.today", person_id=ann.id, args={"day": day.isoformat()}))
    planner = Planner(post.database, clock=clock, topics=(_always(Plan(nudges=(_nudge(ann.id, "Two"),))),))
    assert await planner.run() == 0, "that message may be on its way already"
    await _delivery(post).run()
    clock.forward(days=1)
    assert await planner.run() == 1
    await _delivery(post).run()
    assert [_lines(post, number) for number in range(len(post.slack.sendings))] == [["Two"]]


async def test_nobody_is_reminded_at_a_weekend(post: Post, clock: FakeClock) -> None:
    clock.now = SATURDAY
    ann = await post.person("ANN")
    planner = Planner(post.database, clock=clock, topics=(_always(Plan(nudges=(_nudge(ann.id, "One"),))),))
    assert await planner.run() == 0
    clock.forward(days=2)
    assert await planner.run() == 1


async def test_nobody_is_reminded_of_one_thing_more_than_five_times(post: Post, clock: FakeClock) -> None:
    ann = await post.person("ANN")
    told = 0
    for number in range(MOST_NUDGES + 2):
        told += await Planner(post.database, clock=clock, topics=(_always(Plan(nudges=(_nudge(ann.id, "One", number),))),)).run()
        clock.forward(days=7)
    assert told == MOST_NUDGES


async def test_many_planners_at_once_make_each_thing_once(post: Post, database_url: str) -> None:
    people = [await post.person(f"U{number}") for number in range(5)]
    notices = tuple(Notice(key=f"slot:{person.id}", kind="test.nudge", person_id=person.id) for person in people)
    plan = Plan(notices=notices, nudges=tuple(_nudge(person.id, "One") for person in people))
    others = [Database(database_url) for _ in range(3)]
    await asyncio.gather(*(Planner(each, clock=post.clock, topics=(_always(plan),)).run() for each in (post.database, *others)))
    assert await post.states() == ["waiting"] * 10
    for each in others:
        await each.close()


async def test_a_reminder_whose_kind_is_gone_is_dropped(post: Post) -> None:
    ann = await post.person("ANN")
    old = replace(_nudge(ann.id, "One"), kind="old.kind")
    await Planner(post.database, clock=post.clock, topics=(_always(Plan(nudges=(old,))),)).run()
    await _delivery(post).run()
    assert await post.states() == ["dropped"]
