"""How events are spoken of: what they are called, when and where they are, how many places there are, what changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from handlers import words
from handlers.calendar import local_day
from handlers.views import Button, Fact, Link
from storage.education import Answer, Appointment, Area, Event, EventKind, Standing


@dataclass(frozen=True, kw_only=True)
class Programme:
    """One part of the education programme, with the word that people type for it."""

    word: str
    name: str
    one: str
    intro: str
    target: str


PROGRAMMES = {
    EventKind.COP: Programme(
        word="cop",
        name="Community of Practice",
        one="session",
        intro="One hour online, for everybody who adopts innovation. Sessions are recorded.",
        target="at least 4",
    ),
    EventKind.FUNDAMENTALS: Programme(
        word="training",
        name="Fundamentals of Innovation Adoption",
        one="training day",
        intro="One day in person, with skills and knowledge to adopt innovation well.",
        target="3",
    ),
}
AREAS = {Area.EAST: "East Dorset", Area.WEST: "West Dorset"}
ANSWERS = {Answer.YES: "Yes", Answer.MAYBE: "Maybe", Answer.NO: "No"}
STANDINGS = {
    Standing.COMING: "You are coming",
    Standing.WAITING: "You are on the waiting list",
    Standing.MAYBE: "You said maybe",
    Standing.NOT_COMING: "You said no",
}


def next_ones(event: Event) -> str:
    """What to type to see the next ones."""
    return f"Type “{PROGRAMMES[event.kind].word}” to see the next ones."


def length(event: Appointment) -> str:
    """“1 hour 30 minutes”."""
    return words.length(int((event.ends_at - event.starts_at).total_seconds()) // 60)


def where(event: Appointment) -> str:
    """“Online”, or “Education Centre, West Dorset”."""
    return ", ".join(part for part in (event.place or "Online", AREAS[event.area] if event.area else "") if part)


def taken(event: Event) -> str:
    """“20 of 20 places taken. 3 people are waiting.”"""
    waiting = f" {words.count(event.waiting, 'person is', 'people are')} waiting." if event.waiting else ""
    return f"{words.number(event.coming)} of {words.count(event.places, 'place')} taken.{waiting}"


def left(event: Event) -> str:
    """“8 places left”."""
    return words.count(max(0, event.places - event.coming), "place").capitalize() + " left"


def days_to(starts_at: datetime, now: datetime) -> str:
    """“Today”, “Tomorrow”, “In 6 days”."""
    days = (local_day(starts_at) - local_day(now)).days
    return {0: "Today", 1: "Tomorrow"}.get(days, f"In {words.count(days, 'day')}")


def differences(was: Appointment, now: Appointment, *, link: bool) -> tuple[Fact, ...]:
    """What somebody who knew it as it was must be told; `link`: also whether they join by another one."""
    said = [
        ("Title", was.title, now.title),
        ("Date", words.day(was.starts_at), words.day(now.starts_at)),
        ("Start", words.clock(was.starts_at), words.clock(now.starts_at)),
        ("Length", length(was), length(now)),
        ("Place", where(was), where(now)),
    ]
    facts = tuple(Fact(label=label, value=f"{new}. It was: {old}.") for label, old, new in said if old != new)
    if link and was.link != now.link:
        facts += (Fact(label="Join link", value="There is a new one. Open the session to see it."),)
    return facts


def target(kind: EventKind, areas: Sequence[Area | None], until: date) -> str:
    """How many are planned or held in the hub's year, against how many it wants; for training also in which part of Dorset."""
    programme = PROGRAMMES[kind]
    said = f"Year to the end of March {until.year}: {words.count(len(areas), programme.one)} planned or held. Target: {programme.target}."
    if kind is EventKind.COP:
        return said
    each = words.listed([f"{areas.count(area)} in {name}" for area, name in AREAS.items()])
    last = areas[-1] if areas else None
    ahead = f" The next should be in {AREAS[Area.WEST if last is Area.EAST else Area.EAST]}." if last else ""
    return f"{said} {each}.{ahead}"


def published(event: Event) -> tuple[Link, ...]:
    """The links to what was kept of it."""
    there = (("Watch the recording", event.recording), ("See the slides", event.slides))
    return tuple(Link(label=label, url=url) for label, url in there if url)


def open_button(event: Event, style: Literal["plain", "primary"] = "plain") -> Button:
    """Opens the card of an event."""
    return Button(label=f"Open the {PROGRAMMES[event.kind].one}", action="education.open", args=args(event), style=style)


def calendar_button(event: Event, label: str = "Add to calendar") -> Button:
    """Leads to the entry for one's own calendar."""
    return Button(label=label, action="education.calendar", args=args(event), does="get")


def args(event: Event) -> dict[str, str]:
    """What names an event."""
    return {"event": str(event.id)}
