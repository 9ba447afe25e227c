"""An event as an entry for people's own calendars (RFC 5545): wall time in Dorset, with the clock changes around it written out."""

from __future__ import annotations

from datetime import datetime, timedelta

import icalendar

from handlers import calendar
from handlers.calendar import local_day
from handlers.education import phrases
from handlers.views import File
from handlers.words import LONDON
from storage.education import Event, EventState

MAKER = "-//Dorset Innovation Hub//Education//EN"
NOBODY = "invalid:nomail"
"""An organiser must be named (RFC 5546), and the hub has no address that answers could go to."""
AROUND = timedelta(days=366)


def _zone(event: Event) -> icalendar.Timezone:
    """The clock changes of the year before and after, as the law has them now; icalendar's own come an hour late in spring."""
    since = event.starts_at - AROUND
    zone = icalendar.Timezone()
    zone.add("tzid", LONDON.key)
    for instant in (since, *calendar.clock_changes(since, event.ends_at + AROUND)):
        before, after = (calendar.local_time(each) for each in (instant - timedelta(hours=1), instant))
        offset = before.utcoffset() if instant != since else after.utcoffset()
        assert offset is not None
        part = icalendar.TimezoneDaylight() if after.dst() else icalendar.TimezoneStandard()
        part.add("dtstart", (instant + offset).replace(tzinfo=None))
        part.add("tzoffsetfrom", offset)
        part.add("tzoffsetto", after.utcoffset())
        part.add("tzname", after.tzname())
        zone.add_component(part)
    return zone


def _entry(event: Event, *, link: str, now: datetime) -> icalendar.Event:
    entry = icalendar.Event()
    entry.add("uid", event.uid)
    entry.add("sequence", event.sequence)
    entry.add("dtstamp", now)
    entry.add("dtstart", calendar.local_time(event.starts_at))
    entry.add("duration", event.ends_at - event.starts_at)  # exact, where the wall time of the end may come twice
    entry.add("summary", event.title)
    entry.add("description", "\n\n".join([event.about, *([f"Join: {link}"] if link else [])]))
    entry.add("location", phrases.where(event))
    entry.add("status", "CANCELLED" if event.state is EventState.CANCELLED else "CONFIRMED")
    organiser = icalendar.vCalAddress(NOBODY)
    organiser.params["CN"] = event.host
    entry.add("organizer", organiser)
    if link:
        entry.add("url", link)
    return entry


def file(event: Event, *, link: str, now: datetime) -> File:
    """The entry to import, or the one that takes it out again when the event is cancelled; `link` "" for those who do not come."""
    whole = icalendar.Calendar()
    whole.add("prodid", MAKER)
    whole.add("version", "2.0")
    whole.add("method", "CANCEL" if event.state is EventState.CANCELLED else "PUBLISH")
    whole.add_component(_zone(event))
    whole.add_component(_entry(event, link=link, now=now))
    day = local_day(event.starts_at).isoformat()
    name = f"{phrases.PROGRAMMES[event.kind].name.lower().replace(' ', '-')}-{day}.ics"
    return File(name=name, media_type="text/calendar", content=whole.to_ical())
