"""The bot's voice: dates, times, numbers, counts and lists in the style of the NHS service manual."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from storage.people import Group
from storage.projects import Rag

LONDON = ZoneInfo("Europe/London")
GROUPS = {Group.CORE_TEAM: "Core Team", Group.PROGRAMME_GROUP: "Programme Group"}
RATINGS = {
    Rag.GREEN: "Green: on track",
    Rag.AMBER: "Amber: at risk, recoverable",
    Rag.RED: "Red: needs help now",
    Rag.BLUE: "Blue: complete",
    Rag.GREY: "Grey: paused",
}


def number(value: float) -> str:
    """1,234 or 0.5: numerals always, a comma over 999."""
    return f"{int(value):,}" if value == int(value) else f"{value:,}"


def count(value: int, one: str, many: str | None = None) -> str:
    """“1 idea”, “3 ideas”, “no ideas”."""
    thing = one if value == 1 else (many or f"{one}s")
    return f"{number(value) if value else 'no'} {thing}"


def listed(items: Sequence[str], joiner: str = "and") -> str:
    """“a”, “a and b”, “a, b and c”."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {joiner} {items[-1]}"


def day(value: date | datetime, zone: ZoneInfo = LONDON) -> str:
    """“Wednesday 6 August 2025”; an instant is put into the zone first."""
    if isinstance(value, datetime):
        value = value.astimezone(zone).date()
    return f"{value:%A} {value.day} {value:%B %Y}"


def clock(value: datetime, zone: ZoneInfo = LONDON) -> str:
    """“5:30pm”, “10am”, “midday”, “midnight”."""
    local = value.astimezone(zone)
    if local.minute == 0 and local.hour in (0, 12):
        return "midday" if local.hour == 12 else "midnight"
    minutes = f":{local:%M}" if local.minute else ""
    return f"{(local.hour - 1) % 12 + 1}{minutes}{'am' if local.hour < 12 else 'pm'}"


def moment(value: datetime, zone: ZoneInfo = LONDON) -> str:
    """“Wednesday 6 August 2025 at 5:30pm”."""
    return f"{day(value, zone)} at {clock(value, zone)}"


def length(minutes: int) -> str:
    """“45 minutes”, “1 hour”, “1 hour 30 minutes”."""
    hours, rest = divmod(minutes, 60)
    return " ".join(count(value, unit) for value, unit in ((hours, "hour"), (rest, "minute")) if value)


def short(text: str, most: int) -> str:
    """The text, cut at a word where it is longer than `most` characters, with an ellipsis inside the limit."""
    if len(text) <= most:
        return text
    cut = text[: most - 1]
    head, space, _ = cut.rpartition(" ")
    return (head if space and len(head) > most // 2 else cut).rstrip() + "…"


def ago(then: datetime, now: datetime, zone: ZoneInfo = LONDON) -> str:
    """“today”, “yesterday”, “6 days ago”: by the days of the calendar, not by hours."""
    days = (now.astimezone(zone).date() - then.astimezone(zone).date()).days
    return ("today", "yesterday")[max(days, 0)] if days < 2 else f"{number(days)} days ago"


def channel(name: str) -> str:
    """What people call a channel; the page is no product with a name of its own."""
    return "the web chat" if name == "web" else name.capitalize()


def rating(rag: Rag, was: Rag | None) -> str:
    """“Amber: at risk, recoverable (was Green)”: never a colour alone, and the last period’s beside it."""
    return f"{RATINGS[rag]} (was {RATINGS[was].partition(':')[0]})" if was else RATINGS[rag]
