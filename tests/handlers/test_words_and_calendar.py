"""The bot's voice, and when it may speak."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from handlers import calendar, words
from storage.projects import Rag


@pytest.mark.parametrize(
    ("instant", "said"),
    [
        ("2025-08-06T16:30:00", "Wednesday 6 August 2025 at 5:30pm"), ("2026-01-05T10:00:00", "Monday 5 January 2026 at 10am"),
        ("2026-01-05T12:00:00", "Monday 5 January 2026 at midday"), ("2026-01-05T00:00:00", "Monday 5 January 2026 at midnight"),
        ("2026-06-30T23:30:00", "Wednesday 1 July 2026 at 12:30am"), ("2026-01-05T12:05:00", "Monday 5 January 2026 at 12:05pm"),
        ("2027-03-28T00:59:00", "Sunday 28 March 2027 at 12:59am"), ("2027-03-28T01:00:00", "Sunday 28 March 2027 at 2am"),
        ("2027-10-31T00:30:00", "Sunday 31 October 2027 at 1:30am"), ("2027-10-31T01:30:00", "Sunday 31 October 2027 at 1:30am"),
    ],
)  # fmt: skip
def test_an_instant_is_said_as_people_in_dorset_live_it(instant: str, said: str) -> None:
    assert words.moment(datetime.fromisoformat(instant).replace(tzinfo=UTC)) == said


def test_a_day_is_said_without_a_zone() -> None:
    assert words.day(date(2026, 2, 1)) == "Sunday 1 February 2026"


def test_a_length_of_time() -> None:
    assert [words.length(minutes) for minutes in (1, 45, 60, 90, 420)] == [
        "1 minute",
        "45 minutes",
        "1 hour",
        "1 hour 30 minutes",
        "7 hours",
    ]


def test_numbers_counts_and_lists() -> None:
    assert [words.number(value) for value in (0, 999, 1000, 1234567, 0.5, 1234.5, -3)] == [
        "0",
        "999",
        "1,000",
        "1,234,567",
        "0.5",
        "1,234.5",
        "-3",
    ]
    assert [words.count(value, "idea") for value in (0, 1, 2, 1200)] == ["no ideas", "1 idea", "2 ideas", "1,200 ideas"]
    assert words.count(2, "person", "people") == "2 people"
    assert [words.listed(items) for items in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == ["", "a", "a and b", "a, b and c"]
    assert words.listed(["a", "b"], "or") == "a or b"


@pytest.mark.parametrize("most", range(1, 40))
def test_a_shortened_text_is_never_longer_than_it_may_be(most: int) -> None:
    for text in ("", "short", "a few words that say what it is", "x" * 100, "one " + "x" * 100):
        short = words.short(text, most)
        assert len(short) <= most
        assert short == text or short.endswith("…")


def test_a_text_is_cut_at_a_word() -> None:
    assert words.short("a few words that say what it is", 20) == "a few words that…"


HOLIDAYS_2027 = (
    date(2027, 1, 1), date(2027, 3, 26), date(2027, 3, 29), date(2027, 5, 3), date(2027, 5, 31), date(2027, 8, 30), date(2027, 12, 27),
    date(2027, 12, 28),
)  # fmt: skip


def test_the_working_days_of_2027_are_those_without_weekends_and_englands_bank_holidays() -> None:
    days = [date.fromordinal(number) for number in range(date(2027, 1, 1).toordinal(), date(2028, 1, 1).toordinal())]
    off = tuple(day for day in days if day.weekday() < 5 and not calendar.is_working_day(day))
    assert off == HOLIDAYS_2027, "Christmas 2027 falls on a weekend: Monday and Tuesday are free instead"
    assert not any(calendar.is_working_day(day) for day in days if day.weekday() > 4)


def test_working_days_are_counted_over_easter() -> None:
    maundy_thursday = date(2027, 3, 25)
    assert calendar.add_working_days(maundy_thursday, 1) == date(2027, 3, 30)
    assert calendar.add_working_days(maundy_thursday, 4) == date(2027, 4, 2)
    assert calendar.add_working_days(maundy_thursday, 0) == maundy_thursday


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "clock", "instant"),
    [
        (date(2027, 3, 27), "09:00", "2027-03-27T09:00"), (date(2027, 3, 28), "00:30", "2027-03-28T00:30"),
        (date(2027, 3, 28), "01:30", "2027-03-28T01:30"), (date(2027, 3, 28), "02:00", "2027-03-28T01:00"),
        (date(2027, 3, 28), "09:00", "2027-03-28T08:00"), (date(2027, 10, 31), "00:30", "2027-10-30T23:30"),
        (date(2027, 10, 31), "01:30", "2027-10-31T00:30"), (date(2027, 10, 31), "02:00", "2027-10-31T02:00"),
        (date(2027, 10, 31), "09:00", "2027-10-31T09:00"),
    ],
)  # fmt: skip
def test_wall_time_is_kept_on_the_days_when_clocks_change(day: date, clock: str, instant: str) -> None:
    at = calendar.at_wall_time(day, time.fromisoformat(clock))
    assert at == _utc(instant)
    assert at.tzinfo is UTC
    assert calendar.at_wall_time(day, time.fromisoformat(clock).replace(fold=1)) == at, "a slot fires once"


@pytest.mark.parametrize(
    ("now", "allowed"),
    [
        ("2027-01-04T09:00", "2027-01-04T09:00"), ("2027-01-04T08:59", "2027-01-04T09:00"), ("2027-01-04T16:59", "2027-01-04T16:59"),
        ("2027-01-04T17:00", "2027-01-05T09:00"), ("2027-01-01T10:00", "2027-01-04T09:00"), ("2027-03-25T17:30", "2027-03-30T08:00"),
        ("2027-03-28T12:00", "2027-03-30T08:00"), ("2027-10-29T16:30", "2027-11-01T09:00"), ("2027-07-01T08:00", "2027-07-01T08:00"),
        ("2027-12-24T18:00", "2027-12-29T09:00"), ("2027-12-31T23:59", "2028-01-04T09:00"),
    ],
)  # fmt: skip
def test_a_nudge_waits_for_the_next_working_hour(now: str, allowed: str) -> None:
    assert calendar.is_quiet(_utc(now)) is (now != allowed)
    assert not calendar.is_quiet(_utc(allowed))
    assert now == allowed or calendar.is_quiet(_utc(allowed) - timedelta(minutes=1)), "it is the first"


def test_a_persons_own_hours_and_zone_count() -> None:
    now, zone = _utc("2027-01-04T14:30"), ZoneInfo("America/New_York")
    assert calendar.is_quiet(now, zone, time(10), time(15))
    assert not calendar.is_quiet(_utc("2027-01-04T15:00"), zone, time(10), time(15))


@pytest.mark.parametrize(
    ("now", "stands_for", "begins"),
    [
        ("2026-11-23T09:00+00:00", "2026-11-23", "2026-11-23T09:00+00:00"),
        ("2026-11-23T08:59+00:00", "2026-11-16", "2026-11-16T09:00+00:00"),
        ("2026-11-29T23:00+00:00", "2026-11-23", "2026-11-23T09:00+00:00"),
        ("2026-12-28T12:00+00:00", "2026-12-21", "2026-12-21T09:00+00:00"),  # 28 December stands in for Boxing Day
        ("2026-12-29T12:00+00:00", "2026-12-28", "2026-12-29T09:00+00:00"),
        ("2027-03-29T12:00+00:00", "2027-03-22", "2027-03-22T09:00+00:00"),  # Easter Monday, the day after clocks change
        ("2027-03-30T08:00+00:00", "2027-03-29", "2027-03-30T08:00+00:00"),
        ("2027-11-01T09:00+00:00", "2027-11-01", "2027-11-01T09:00+00:00"),
    ],
)
def test_a_weekly_slot_begins_once_at_wall_time_on_a_working_day(now: str, stands_for: str, begins: str) -> None:
    found = calendar.weekly_slot(datetime.fromisoformat(now), 0, time(9))
    assert found == (date.fromisoformat(stands_for), datetime.fromisoformat(begins))


@pytest.mark.parametrize(
    ("wall", "instants"),
    [
        ("2027-03-28T00:59", ["2027-03-28T00:59"]), ("2027-03-28T01:00", []), ("2027-03-28T01:30", []), ("2027-03-28T01:59", []),
        ("2027-03-28T02:00", ["2027-03-28T01:00"]), ("2027-03-29T01:30", ["2027-03-29T00:30"]),
        ("2027-10-31T00:59", ["2027-10-30T23:59"]), ("2027-10-31T01:00", ["2027-10-31T00:00", "2027-10-31T01:00"]),
        ("2027-10-31T01:30", ["2027-10-31T00:30", "2027-10-31T01:30"]), ("2027-10-31T02:00", ["2027-10-31T02:00"]),
    ],
)  # fmt: skip
def test_a_wall_time_is_skipped_in_spring_and_repeated_in_autumn(wall: str, instants: list[str]) -> None:
    local = datetime.fromisoformat(wall)
    found = calendar.wall_times(local.date(), local.time())
    assert [f"{each:%Y-%m-%dT%H:%M}" for each in found] == instants
    assert all(each.tzinfo is UTC for each in found)


def test_clocks_change_twice_a_year_at_1am_of_greenwich() -> None:
    changes = (datetime(2027, 3, 28, 1, tzinfo=UTC), datetime(2027, 10, 31, 1, tzinfo=UTC))
    assert calendar.clock_changes(datetime(2027, 1, 1, 7, 20, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)) == changes
    assert calendar.clock_changes(changes[0], changes[1] - timedelta(minutes=1)) == ()
    assert calendar.clock_changes(changes[0] - timedelta(minutes=1), changes[1]) == changes
    assert calendar.clock_changes(*changes, ZoneInfo("UTC")) == ()


def test_the_financial_year_begins_on_1_april() -> None:
    assert calendar.financial_year(date(2027, 3, 31)) == (date(2026, 4, 1), date(2027, 4, 1))
    assert calendar.financial_year(date(2027, 4, 1)) == (date(2027, 4, 1), date(2028, 4, 1))


@pytest.mark.parametrize(
    ("then", "said"),
    [
        ("2026-11-23T09:00", "today"),
        ("2026-11-23T11:00", "today"),
        ("2026-11-22T23:59", "yesterday"),
        ("2026-11-22T00:01", "yesterday"),
        ("2026-11-17T10:00", "6 days ago"),
        ("2026-10-24T22:59", "30 days ago"),
        ("2026-10-24T23:01", "29 days ago"),
        ("2020-11-23T10:00", "2,191 days ago"),
    ],
)
def test_how_old_something_is_goes_by_the_days_in_london(then: str, said: str) -> None:
    assert words.ago(datetime.fromisoformat(then).replace(tzinfo=UTC), datetime(2026, 11, 23, 10, tzinfo=UTC)) == said


def test_a_rating_is_said_in_words_with_the_one_before() -> None:
    assert words.rating(Rag.AMBER, Rag.GREEN) == "Amber: at risk, recoverable (was Green)"
    assert words.rating(Rag.BLUE, None) == "Blue: complete"


@pytest.mark.parametrize(
    ("day", "months", "then"),
    [("2026-01-31", 1, "2026-02-28"), ("2028-01-31", 1, "2028-02-29"), ("2026-12-15", 1, "2027-01-15"), ("2026-11-30", 15, "2028-02-29")],
)
def test_months_are_the_calendars(day: str, months: int, then: str) -> None:
    assert calendar.add_months(date.fromisoformat(day), months) == date.fromisoformat(then)
