"""An event in people's own calendars, as a second library reads it: the right wall time over both clock changes, one entry for ever."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import vobject

from handlers.education import invitation
from storage.education import Area, Event, EventKind, EventState

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
EVENT = Event(
    id=7, kind=EventKind.COP, state=EventState.PLANNED, sequence=0, uid="3f2b7c1e-0000-4000-8000-000000000001", recording="", slides="",
    coming=3, waiting=0, title="Bids; ready, steady\\go “now”", about="What funders look for.\nBring a bid.", place="", area=None,
    starts_at=datetime(2027, 3, 24, 12, 30, tzinfo=UTC), ends_at=datetime(2027, 3, 24, 13, 30, tzinfo=UTC),
    link="https://meet.example.org/bids", host="Innovation, NHS Dorset", places=20,
)  # fmt: skip


def _at(instant: str) -> Event:
    starts_at = datetime.fromisoformat(instant).replace(tzinfo=UTC)
    return replace(EVENT, starts_at=starts_at, ends_at=starts_at + timedelta(hours=1))


def _read(event: Event, link: str = EVENT.link) -> Any:
    whole = vobject.readOne(invitation.file(event, link=link, now=NOW).content.decode())
    assert whole.validate(raiseException=True)
    return whole


def _by_its_own_rules(whole: Any, wall: datetime) -> datetime:
    """What a calendar that knows no time zone but the file's makes of a wall time."""
    at: datetime = wall.replace(tzinfo=whole.vtimezone.tzinfo).astimezone(UTC)
    return at


@pytest.mark.parametrize(
    ("instant", "wall"),
    [
        ("2027-01-13T12:30", "2027-01-13T12:30"), ("2027-03-26T12:30", "2027-03-26T12:30"), ("2027-03-27T23:30", "2027-03-27T23:30"),
        ("2027-03-28T00:30", "2027-03-28T00:30"), ("2027-03-28T01:00", "2027-03-28T02:00"), ("2027-03-28T01:30", "2027-03-28T02:30"),
        ("2027-03-29T11:30", "2027-03-29T12:30"), ("2027-07-14T11:30", "2027-07-14T12:30"), ("2027-10-29T11:30", "2027-10-29T12:30"),
        ("2027-10-30T23:30", "2027-10-31T00:30"), ("2027-10-31T02:00", "2027-10-31T02:00"), ("2027-11-01T12:30", "2027-11-01T12:30"),
    ],
)  # fmt: skip
def test_the_entry_starts_at_the_wall_time_of_dorset_whatever_clocks_do(instant: str, wall: str) -> None:
    event = _at(instant)
    whole = _read(event)
    entry = whole.vevent
    assert "DTSTART;TZID=Europe/London:" + wall.replace("-", "").replace(":", "") + "00" in whole.serialize()
    assert entry.dtstart.value.astimezone(UTC) == event.starts_at
    assert entry.duration.value == timedelta(hours=1)
    assert _by_its_own_rules(whole, datetime.fromisoformat(wall)) == event.starts_at


def test_a_session_through_the_night_of_a_clock_change_is_as_long_as_it_is() -> None:
    for instant in ("2027-03-28T00:30", "2027-10-30T23:30"):
        event = _at(instant)
        assert _read(replace(event, ends_at=event.starts_at + timedelta(hours=4))).vevent.duration.value == timedelta(hours=4)


def test_the_entry_says_what_the_card_says() -> None:
    whole = _read(EVENT)
    entry = whole.vevent
    assert whole.method.value == "PUBLISH"
    assert entry.summary.value == EVENT.title
    assert entry.description.value == f"{EVENT.about}\n\nJoin: {EVENT.link}"
    assert entry.location.value == "Online"
    assert entry.url.value == EVENT.link
    assert entry.status.value == "CONFIRMED"
    assert entry.organizer.params["CN"] == [EVENT.host]
    there = _read(replace(EVENT, kind=EventKind.FUNDAMENTALS, place="Education Centre", area=Area.WEST, link=""), "").vevent
    assert there.location.value == "Education Centre, West Dorset"
    assert not hasattr(there, "url")
    assert all(len(line.encode()) <= 75 for line in invitation.file(EVENT, link="", now=NOW).content.decode().split("\r\n"))


def test_who_does_not_come_finds_no_link_in_it() -> None:
    assert b"https" not in invitation.file(EVENT, link="", now=NOW).content


def test_a_change_and_a_cancellation_are_of_the_same_entry() -> None:
    moved = _read(replace(_at("2027-03-31T11:30"), sequence=3)).vevent
    whole = _read(replace(EVENT, sequence=4, state=EventState.CANCELLED))
    assert {_read(EVENT).vevent.uid.value, moved.uid.value, whole.vevent.uid.value} == {EVENT.uid}
    assert [each.sequence.value for each in (_read(EVENT).vevent, moved, whole.vevent)] == ["0", "3", "4"]
    assert (whole.method.value, whole.vevent.status.value) == ("CANCEL", "CANCELLED")


def test_the_file_is_called_by_what_it_is_and_its_day() -> None:
    file = invitation.file(_at("2027-07-14T23:30"), link="", now=NOW)
    assert (file.name, file.media_type) == ("community-of-practice-2027-07-15.ics", "text/calendar")
