"""Events: what is no event is refused in words, places are given once however many ask at once, and calendars hear of each change."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from typing import Any

import pytest
import vobject

from handlers.views import File, Reply
from storage import audit, education
from storage.database import Database
from storage.education import Event, Standing
from storage.people import Group
from tests.dispatch.conftest import SESSION, Hub, User, form, title, words
from tests.storage.hub import number_of

LINK = SESSION["link"]
WRONG = (
    ("day", "2026-11-22", "This is in the past"),
    ("day", "0001-01-01", "This is in the past"),
    ("day", "9999-12-31", "more than 3 years ahead"),
    ("day", "2027-02-30", "Enter a real date"),
    ("start", "25:00", "Enter a time"),
    ("places", "0", "Enter 1 or more"),
    ("minutes", "0", "Enter 5 or more"),
    ("link", "http://meet.example.org", "This is no link"),
    ("link", "meet.example.org", "This is no link"),
    ("link", "javascript:alert(1)", "This is no link"),
    ("link", "https://localhost", "This is no link"),
    ("link", "https://nhs.uk@example.org", "This is no link"),
    ("link", "https://[example.org", "This is no link"),
    ("link", "https://example.org/a b", "This is no link"),
    ("link", "https://exa<mple.org", "This is no link"),
    ("link", "https://example.org:99999999/", "This is no link"),
    ("link", "https://example.org:0/", "This is no link"),
    ("link", "https://-.-", "This is no link"),
    ("link", "https://meet..example.org", "This is no link"),
    ("minutes", "1,5", "Enter a number, such as 12."),
)
TIMES = (
    ("2026-11-23", "09:59", {"day": "This is in the past"}),
    ("2027-03-28", "01:30", {"start": "On Sunday 28 March 2027 clocks go forward, and 01:30 does not exist"}),
    ("2027-10-31", "01:30", {"start": "On Sunday 31 October 2027 clocks go back, and 01:30 comes twice"}),
)


@pytest.fixture
async def kay(hub: Hub) -> User:
    """Kay, of the Core Team."""
    kay = hub.person("KAY", "Kay Fox")
    await hub.organise(kay, Group.CORE_TEAM)
    return kay


async def _event(hub: Hub) -> Event:
    async with hub.database.reading() as session:
        event = await education.find(session, 1)
    assert event is not None
    return event


async def _change(kay: User, sequence: int = 0, **also: str) -> str:
    return title(await kay.sends("education.change", {**SESSION, **also}, event="1", sequence=str(sequence)))


async def _answers(user: User, answer: str) -> str:
    return words(await user.presses("education.answer", event="1", answer=answer))


async def test_what_is_no_session_is_refused_at_its_field_and_nothing_is_kept_or_lost(hub: Hub, kay: User) -> None:
    hub = Hub(hub.database, hub.clock, per_minute=1000)
    for field, value, sentence in WRONG:
        asked = form(await kay.at(hub).plans(**{field: value}))
        assert list(asked.errors) == [field]
        assert sentence in asked.errors[field]
        assert asked.values == {**SESSION, field: value}
    for day, start, errors in TIMES:
        asked = form(await kay.at(hub).plans(day=day, start=start))
        assert list(asked.errors) == list(errors)
        assert all(sentence in asked.errors[field] for field, sentence in errors.items())
    both = form(await kay.at(hub).plans(day="2026-01-01", link="x"))
    assert list(both.errors) == ["day", "link"]
    async with hub.database.reading() as session:
        assert await number_of(session, "events") == 0


async def test_a_session_is_planned_at_the_wall_time_of_its_day(hub: Hub, kay: User) -> None:
    await kay.plans(day="2027-03-29", start="01:30")
    assert (await _event(hub)).starts_at == datetime(2027, 3, 29, 0, 30, tzinfo=UTC)
    async with hub.database.reading() as session:
        (entry,) = await audit.newest(session)
    assert (entry.action, entry.object, dict(entry.detail)) == ("education.add", "event:1", {})


async def test_places_are_never_fewer_than_those_who_come(hub: Hub, kay: User, ann: User, bob: User) -> None:
    await kay.plans(places="2")
    for user in (ann, bob):
        await _answers(user, "yes")
    asked = form(await kay.sends("education.change", {**SESSION, "places": "1"}, event="1", sequence="0"))
    assert asked.errors == {"places": "2 people are coming already. Enter 2 or more."}


async def test_more_places_are_told_to_those_who_get_one(hub: Hub, kay: User, ann: User, bob: User) -> None:
    await kay.plans(places="1")
    for user in (ann, bob):
        await _answers(user, "yes")
    changed = await kay.sends("education.change", {**SESSION, "places": "2"}, event="1", sequence="0")
    assert "1 person who waited has a place now and is told." in words(changed)
    assert "Nobody" not in words(changed)
    again = await kay.sends("education.change", {**SESSION, "places": "3"}, event="1", sequence="1")
    assert "Nobody needs to be told of this." in words(again)


async def test_what_is_under_way_cannot_be_made_to_be_over(hub: Hub, kay: User) -> None:
    await kay.plans(day="2026-11-23", start="10:30")
    hub.clock.forward(minutes=50)
    asked = form(
        await kay.sends("education.change", {**SESSION, "day": "2026-11-23", "start": "10:30", "minutes": "15"}, event="1", sequence="0")
    )
    assert asked.errors == {"minutes": "It would be over already. Enter how long it takes in all."}
    assert asked.values["minutes"] == "15"
    assert (await _change(kay, day="2026-11-23", start="10:30", minutes="30")).startswith("Saved")


async def test_two_who_change_a_session_at_once_do_not_overwrite_each_other_unseen(hub: Hub, kay: User) -> None:
    await kay.plans()
    assert (await _change(kay, title="Bids")).startswith("Saved")
    asked = form(await kay.sends("education.change", {**SESSION, "host": "The third sector"}, event="1", sequence="0"))
    assert "Somebody changed this" in asked.errors[""]
    assert (asked.values["host"], asked.args["sequence"]) == ("The third sector", "1")
    assert (await _event(hub)).title == "Bids"


async def test_of_20_who_say_yes_at_once_5_have_a_place_and_15_wait_in_order(hub: Hub, kay: User, database_url: str) -> None:
    await kay.plans(places="5")
    processes = [Hub(Database(database_url), hub.clock) for _ in range(3)]
    crowd = [hub.person(f"U{number}").at(processes[number % 3]) for number in range(20)]
    numbers = {(await user.is_known()).id: user for user in crowd}
    said = dict(zip(numbers, await asyncio.gather(*(_answers(user, "yes") for user in crowd)), strict=True))
    async with hub.database.reading() as session:
        coming = await education.list_signups(session, 1, Standing.COMING)
        waiting = await education.list_signups(session, 1, Standing.WAITING)
    assert (len(coming), len(waiting)) == (5, 15)
    assert max(each.turn for each in coming) < min(each.turn for each in waiting)
    assert all("Thank you, you are coming" in said[each.person_id] for each in coming)
    told = [re.findall(r"so you are number (\d+) on", said[each.person_id]) for each in waiting]
    assert told == [[str(number)] for number in range(1, 16)]
    await asyncio.gather(*(_answers(numbers[each.person_id], answer) for each, answer in zip(coming, ("no", "maybe", "no"), strict=False)))
    async with hub.database.reading() as session:
        now_coming = await education.list_signups(session, 1, Standing.COMING)
        keys = await session.exec_driver_sql("SELECT person_id FROM outbox WHERE kind = 'education.promoted' ORDER BY id")
        promoted = [row.person_id for row in keys]
    assert [each.person_id for each in now_coming] == [each.person_id for each in (*coming[3:], *waiting[:3])]
    assert promoted == [each.person_id for each in waiting[:3]]
    await _answers(numbers[coming[0].person_id], "yes")
    assert "number 13 on the waiting list" in words(await numbers[coming[0].person_id].presses("education.open", event="1"))
    for each in processes:
        await each.database.close()


async def test_more_places_are_given_to_those_who_wait(hub: Hub, kay: User, ann: User, bob: User, grace: User) -> None:
    await kay.plans(places="1")
    for user in (ann, bob, grace):
        await _answers(user, "yes")
    await _change(kay, places="2")
    assert "You are coming" in words(await bob.presses("education.open", event="1"))
    assert "You are number 1 on the waiting list" in words(await grace.presses("education.open", event="1"))


async def test_the_same_yes_twice_and_a_second_thought_keep_the_place_in_line_or_lose_it(hub: Hub, kay: User, ann: User, bob: User) -> None:
    carl = hub.person("CARL")
    await kay.plans(places="1")
    for user in (ann, bob, carl, bob):
        await _answers(user, "yes")
    assert "You are number 1" in words(await bob.presses("education.open", event="1"))
    await _answers(bob, "maybe")
    await _answers(bob, "yes")
    assert "You are number 2" in words(await bob.presses("education.open", event="1"))


async def test_old_cards_answer_politely(hub: Hub, kay: User, ann: User) -> None:
    await kay.plans()
    await ann.presses("education.open", event="1")
    hub.clock.now = datetime(2027, 1, 13, 13, 29, tzinfo=UTC)
    assert "you are coming" in await _answers(ann, "yes"), "somebody may come late"
    hub.clock.forward(minutes=1)
    assert "“Getting Bid Ready” is over" in await _answers(ann, "no")
    for ask in ("education.ask_change", "education.ask_cancel"):
        assert "is over" in words(await kay.presses(ask, event="1"))
    assert "I cannot find this session" in words(await ann.presses("education.open", event="2"))


async def _entry(hub: Hub, user: User) -> Any:
    link = words(await user.presses("education.calendar", event="1")).partition("/files/")[2].partition("'")[0]
    fetched = hub.links.open(link, hub.clock())
    assert fetched is not None
    outcome = (await hub.dispatcher.answer(fetched)).outcome
    assert isinstance(outcome, File)
    return vobject.readOne(outcome.content.decode())


async def test_a_calendar_keeps_one_entry_through_changes_and_learns_of_the_cancellation(hub: Hub, kay: User, ann: User, bob: User) -> None:
    await kay.plans()
    await _answers(ann, "yes")
    first = await _entry(hub, ann)
    assert first.vevent.url.value == LINK
    assert LINK not in (await _entry(hub, bob)).serialize()
    await _change(kay, 0, day="2027-03-31")
    await _change(kay, 1, day="2027-03-31", about="How bids are read.")
    moved = await _entry(hub, ann)
    await kay.sends("education.cancel", {}, event="1")
    gone = await _entry(hub, ann)
    assert [each.vevent.sequence.value for each in (first, moved, gone)] == ["0", "2", "3"]
    assert first.vevent.uid.value == moved.vevent.uid.value == gone.vevent.uid.value
    assert moved.vevent.dtstart.value.astimezone(UTC) == datetime(2027, 3, 31, 11, 30, tzinfo=UTC)
    assert [each.method.value for each in (first, moved, gone)] == ["PUBLISH", "PUBLISH", "CANCEL"]
    assert "Take it out of my calendar" in words(await ann.presses("education.open", event="1"))


async def test_a_cancelled_session_stays_so(hub: Hub, kay: User) -> None:
    await kay.plans()
    assert title(await kay.sends("education.cancel", {}, event="1")) == "Cancelled: Getting Bid Ready"
    for ask in ("education.ask_change", "education.ask_cancel", "education.ask_record"):
        answer = await kay.presses(ask, event="1")
        assert isinstance(answer.outcome, Reply)
        assert title(answer) == "I could not do that"
