"""Working days and quiet hours, England's bank holidays, wall time in any zone; pure."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from handlers.words import LONDON

OPENS = time(9)
CLOSES = time(17)


def local_day(instant: datetime, zone: ZoneInfo = LONDON) -> date:
    """The day that calendars in the zone show at an instant."""
    return instant.astimezone(zone).date()


def local_time(instant: datetime, zone: ZoneInfo = LONDON) -> datetime:
    """An instant with the day and time that clocks in the zone show then."""
    return instant.astimezone(zone)


@cache
def _bank_holidays(year: int) -> frozenset[date]:
    import holidays  # here, for it takes a good part of a start

    return frozenset(holidays.country_holidays("GB", subdiv="ENG", years=year))


def is_working_day(day: date) -> bool:
    """Monday to Friday, but not England's bank holidays."""
    return day.weekday() < 5 and day not in _bank_holidays(day.year)


def add_working_days(day: date, days: int) -> date:
    """The working day that comes `days` working days after `day`."""
    while days:
        day += timedelta(days=1)
        days -= is_working_day(day)
    return day


def add_months(day: date, months: int) -> date:
    """The same day of a later month, or that month's last where it is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def at_wall_time(day: date, clock: time, zone: ZoneInfo = LONDON) -> datetime:
    """The instant at which clocks in the zone show this time, in UTC.

    A time that the spring change skips is moved on by the hour; of a time that the autumn change repeats, the first.
    """
    return datetime.combine(day, clock.replace(fold=0), tzinfo=zone).astimezone(UTC)


def wall_times(day: date, clock: time, zone: ZoneInfo = LONDON) -> tuple[datetime, ...]:
    """The instants at which clocks in the zone show this time, in UTC: none where spring skips it, two where autumn repeats it."""
    shown = datetime.combine(day, clock.replace(tzinfo=None, fold=0))
    instants = (shown.replace(fold=fold, tzinfo=zone).astimezone(UTC) for fold in (0, 1))
    return tuple(sorted({each for each in instants if each.astimezone(zone).replace(tzinfo=None, fold=0) == shown}))


def clock_changes(since: datetime, until: datetime, zone: ZoneInfo = LONDON) -> tuple[datetime, ...]:
    """The instants in a span of time at which clocks in the zone are changed, in UTC; looked for at full hours."""
    first = since.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    days = (first + timedelta(days=day) for day in range((until - first).days + 1))
    hours = (day + timedelta(hours=hour) for day in days if _moves(day, zone, hours=24) for hour in range(24))
    changes = (hour + timedelta(hours=1) for hour in hours if _moves(hour, zone, hours=1))
    return tuple(each for each in changes if each <= until)


def _moves(instant: datetime, zone: ZoneInfo, *, hours: int) -> bool:
    """Whether clocks are changed within so many hours after an instant."""
    return instant.astimezone(zone).utcoffset() != (instant + timedelta(hours=hours)).astimezone(zone).utcoffset()


def financial_year(day: date) -> tuple[date, date]:
    """The 1 April on or before a day, and the next one."""
    began = day.year if day >= date(day.year, 4, 1) else day.year - 1
    return date(began, 4, 1), date(began + 1, 4, 1)


def is_quiet(now: datetime, zone: ZoneInfo = LONDON, opens: time = OPENS, closes: time = CLOSES) -> bool:
    """Whether nudges must wait at this instant."""
    local = now.astimezone(zone)
    return not (is_working_day(local.date()) and opens <= local.time() < closes)


def working_day_from(day: date) -> date:
    """`day` itself, or the next working day."""
    return day if is_working_day(day) else add_working_days(day, 1)


def weekly_slot(now: datetime, weekday: int, clock: time, zone: ZoneInfo = LONDON) -> tuple[date, datetime]:
    """The latest weekly slot that has begun: (the weekday it stands for, Monday being 0, and the instant it began).

    On a bank holiday or at a weekend it begins on the next working day. Wall time decides, so it begins once when clocks change, too.
    """
    today = local_day(now, zone)
    day = today - timedelta(days=(today.weekday() - weekday) % 7)
    while (begins := at_wall_time(working_day_from(day), clock, zone)) > now:
        day -= timedelta(days=7)
    return day, begins
