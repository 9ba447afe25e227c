"""What the Core Team does: plans events, changes and cancels them, and publishes their recordings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from urllib.parse import urlsplit

from handlers import calendar, words
from handlers.calendar import local_day
from handlers.education import cards, messages, phrases
from handlers.errors import Refused
from handlers.routing import Request, Router, core_team
from handlers.views import Card, Choice, DateField, Field, Form, NumberField, Option, Outcome, Reply, Text, TextField, TimeField
from storage import audit, education, outbox
from storage.education import Area, Details, Event, EventKind, EventState, Standing

router = Router()

FURTHEST = timedelta(days=3 * 366)
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.?", re.IGNORECASE)
NO_LINK = "This is no link. Write it like https://example.org/join."
INTERESTED = (Standing.COMING, Standing.WAITING, Standing.MAYBE)

TITLE = TextField(name="title", label="Title", least=3, most=150)
ABOUT = TextField(name="about", label="What is it about?", lines=4, least=5, most=1000)
DAY = DateField(name="day", label="Date")
START = TimeField(name="start", label="Start time")
MINUTES = NumberField(name="minutes", label="Length in minutes", least=5, most=720)
PLACE = TextField(name="place", label="Place", hint="Leave this empty if it is online.", required=False, most=200)
AREA = Choice(name="area", label="Part of Dorset", options=tuple(Option(value=area, label=name) for area, name in phrases.AREAS.items()))
LINK = TextField(name="link", label="Join link", hint="Starts with https://. I show it only to those who come.", required=False, most=500)
HOST = TextField(name="host", label="Host", hint="Who leads it.", least=2, most=150)
PLACES = NumberField(name="places", label="Places", least=1, most=1000)
RECORDING = TextField(name="recording", label="Link to the recording", required=False, most=500)
SLIDES = TextField(name="slides", label="Link to the slides", required=False, most=500)


def _fields(kind: EventKind) -> tuple[Field, ...]:
    area = (AREA,) if kind is EventKind.FUNDAMENTALS else ()
    return (TITLE, ABOUT, DAY, START, MINUTES, PLACE, *area, LINK, HOST, PLACES)


# -- what was typed


def _is_link(text: str) -> bool:
    """Whether it leads to a web page over a safe connection."""
    try:
        parts = urlsplit(text)
        host = (parts.hostname or "").encode("idna").decode()  # of letters that are not ASCII, what browsers ask for
        port = parts.port
    except ValueError:  # UnicodeError is one
        return False
    named = _HOST.fullmatch(host) and port != 0 and "@" not in parts.netloc
    return bool(parts.scheme == "https" and named and text.isprintable() and " " not in text)


def _wrong_links(request: Request, *names: str) -> dict[str, str]:
    return {name: NO_LINK for name in names if request.one(name) and not _is_link(request.one(name))}


def _start(request: Request, was: datetime | None) -> tuple[datetime | None, dict[str, str]]:
    """(The start, what is wrong with it); an event that has begun may keep the start it had."""
    day, clock = date.fromisoformat(request.one("day")), time.fromisoformat(request.one("start"))
    today = local_day(request.now)
    if day > today + FURTHEST:
        return None, {"day": "This is more than 3 years ahead. Check the year."}
    starts = calendar.wall_times(day, clock) if day > date.min else ()
    if was is not None and was in starts:
        return was, {}
    if day < today or (starts and starts[-1] <= request.now):
        return None, {"day": "This is in the past. Enter a date and time to come."}
    if not starts:
        return None, {"start": f"On {words.day(day)} clocks go forward, and {clock:%H:%M} does not exist. Enter another time."}
    if len(starts) > 1:
        return None, {"start": f"On {words.day(day)} clocks go back, and {clock:%H:%M} comes twice. Enter another time."}
    return starts[0], {}


def _details(request: Request, kind: EventKind, was: Event | None) -> tuple[Details | None, Mapping[str, str]]:
    """(What the form says, what is wrong with it)."""
    starts_at, errors = _start(request, was.starts_at if was else None)
    errors |= _wrong_links(request, "link")
    places = int(request.one("places"))
    if was is not None and places < was.coming:
        coming = words.count(was.coming, "person is", "people are")
        errors["places"] = f"{coming} coming already. Enter {words.number(was.coming)} or more."
    ends_at = (starts_at or request.now) + timedelta(minutes=int(request.one("minutes")))
    if starts_at and ends_at <= request.now:
        errors["minutes"] = "It would be over already. Enter how long it takes in all."
    if errors or starts_at is None:
        return None, errors
    return Details(
        title=request.one("title"),
        about=request.one("about"),
        starts_at=starts_at,
        ends_at=ends_at,
        place=request.one("place"),
        area=Area(request.one("area")) if kind is EventKind.FUNDAMENTALS else None,
        link=request.one("link"),
        host=request.one("host"),
        places=places,
    ), {}


# -- adding


async def _add_form(request: Request) -> Form:
    kind = cards.kind_in(request)
    mine = request.person.organisation
    start = {
        EventKind.COP: {"start": "12:30", "minutes": "60", "places": "100"},
        EventKind.FUNDAMENTALS: {"title": phrases.PROGRAMMES[kind].name, "start": "09:30", "minutes": "420", "places": "20"},
    }[kind]
    values = {"host": mine.name if mine else "", **start}
    title = f"Add a {phrases.PROGRAMMES[kind].one}"
    return Form(action="education.add", title=title, fields=_fields(kind), submit="Add", args={"kind": kind.value}, values=values)


@router.command("cop add", "plan a Community of Practice session", may=core_team, reads=True, asks=True)
async def ask_cop(request: Request) -> Outcome:
    """The form for a session."""
    return await _add_form(_of(request, EventKind.COP))


@router.command("training add", "plan a Fundamentals of Innovation Adoption day", may=core_team, reads=True, asks=True)
async def ask_training(request: Request) -> Outcome:
    """The form for a training day."""
    return await _add_form(_of(request, EventKind.FUNDAMENTALS))


@router.action("education.ask_add", may=core_team, reads=True)
async def ask_add(request: Request) -> Outcome:
    """The form for what the list shows."""
    return await _add_form(request)


@router.form("education.add", _add_form, may=core_team)
async def add(request: Request) -> Outcome:
    """Plans an event."""
    kind = cards.kind_in(request)
    details, errors = _details(request, kind, None)
    if details is None:
        return (await _add_form(request)).refused(errors, request)
    id = await education.add(request.session, details, kind=kind, now=request.now)
    await _note(request, "education.add", id)
    event = await education.find(request.session, id)
    assert event is not None
    seen = f"{words.moment(event.starts_at)}. People see it when they type “{phrases.PROGRAMMES[kind].word}”."
    return _done(event, f"Planned: {event.title}", seen)


def _of(request: Request, kind: EventKind) -> Request:
    return replace(request, args={"kind": kind.value})


async def _note(request: Request, action: str, id: int) -> None:
    await audit.add(request.session, now=request.now, action=action, object=f"event:{id}", by=request.person.id)


def _done(event: Event, title: str, text: str) -> Reply:
    card = Card(title=title, blocks=(Text(text=text),), buttons=(phrases.open_button(event),))
    return Reply(card=card, reference=event.title)


# -- changing


async def _ahead(request: Request, *, held: bool = False) -> Event:
    """The event, where it can still be changed."""
    event = await cards.event_in(request, held=held)
    if event.state is EventState.CANCELLED:
        raise Refused(f"“{event.title}” is cancelled, and stays so. Add a new one instead.")
    if event.ends_at <= request.now:
        raise Refused(f"“{event.title}” is over. You can only add its recording now.")
    return event


async def _change_form(request: Request) -> Form:
    event = await _ahead(request)
    starts = calendar.local_time(event.starts_at)
    values = {
        "title": event.title, "about": event.about, "day": local_day(event.starts_at).isoformat(), "start": f"{starts:%H:%M}",
        "minutes": str(int((event.ends_at - event.starts_at).total_seconds()) // 60), "place": event.place,
        "area": event.area or "", "link": event.link, "host": event.host, "places": str(event.places),
    }  # fmt: skip
    args = {**phrases.args(event), "sequence": str(event.sequence)}
    title = f"Change a {phrases.PROGRAMMES[event.kind].one}"
    return Form(action="education.change", title=title, fields=_fields(event.kind), submit="Save", args=args, values=values)


@router.action("education.ask_change", may=core_team, reads=True)
async def ask_change(request: Request) -> Outcome:
    """The form with what is planned now."""
    return await _change_form(request)


@router.form("education.change", _change_form, may=core_team, drafts=False)
async def change(request: Request) -> Outcome:
    """Changes an event; those who come, wait or think of it are told what changed for them."""
    event = await _ahead(request, held=True)
    details, errors = _details(request, event.kind, event)
    if request.args.get("sequence") != str(event.sequence):
        errors = {**errors, "": "Somebody changed this after you opened it. Check what you typed, then save again."}
    if details is None or errors:
        return (await _change_form(request)).refused(errors, request)
    await education.change(request.session, event, details, now=request.now)
    await _note(request, "education.change", event.id)
    changed = await cards.event_in(request)
    interested = await education.list_signups(request.session, event.id, *INTERESTED)
    promoted = await education.promote(request.session, event.id, now=request.now)
    places = (education.promoted_notice(changed.id, each) for each in promoted)
    await outbox.enqueue(request.session, *messages.changed_notices(changed, interested), *places, due_at=request.now)
    told = bool(interested) and bool(phrases.differences(event, changed, link=True))
    return _done(changed, f"Saved: {changed.title}", _told(changed=told, promoted=len(promoted)))


def _told(*, changed: bool, promoted: int) -> str:
    """Who hears of a change, of the place they now have, or of both."""
    of_change = "Those who said yes or maybe, or who wait, are told what changed." if changed else ""
    have = words.count(promoted, "person who waited has a place now and is told", "people who waited have a place now and are told")
    return f"{of_change} {f'{have}.' if promoted else ''}".strip() or "Nobody needs to be told of this."


# -- cancelling


async def _cancel_form(request: Request) -> Form:
    event = await _ahead(request)
    what = Text(text=f"{event.title}, {words.moment(event.starts_at)}.")
    then = Text(text="Everybody who said yes or maybe, or who waits, is told. You cannot undo this.")
    args = phrases.args(event)
    return Form(action="education.cancel", title="Cancel this?", fields=(), submit="Cancel it", args=args, blocks=(what, then))


@router.action("education.ask_cancel", may=core_team, reads=True)
async def ask_cancel(request: Request) -> Outcome:
    """Asks whether they are sure."""
    return await _cancel_form(request)


@router.form("education.cancel", _cancel_form, may=core_team)
async def cancel(request: Request) -> Outcome:
    """Cancels an event and tells those who thought of coming."""
    event = await _ahead(request, held=True)
    await education.cancel(request.session, event.id)
    await _note(request, "education.cancel", event.id)
    interested = await education.list_signups(request.session, event.id, *INTERESTED)
    await outbox.enqueue(request.session, *messages.cancelled_notices(event, interested), due_at=request.now)
    told = f"{words.count(len(interested), 'person is', 'people are').capitalize()} told." if interested else "Nobody had to be told."
    return _done(event, f"Cancelled: {event.title}", told)


# -- publishing


async def _record_form(request: Request) -> Form:
    event = await cards.event_in(request)
    if event.state is EventState.CANCELLED or event.ends_at > request.now:
        raise Refused(f"“{event.title}” has not been held, so it has no recording.")
    what = Text(text=f"{event.title}, {words.moment(event.starts_at)}. Everybody in the hub can open these links.")
    values = {"recording": event.recording, "slides": event.slides}
    fields = (RECORDING, SLIDES)
    args = phrases.args(event)
    return Form(
        action="education.record", title="Add the recording", fields=fields, submit="Save", args=args, blocks=(what,), values=values
    )


@router.action("education.ask_record", may=core_team, reads=True)
async def ask_record(request: Request) -> Outcome:
    """The form for the recording and the slides."""
    return await _record_form(request)


@router.form("education.record", _record_form, may=core_team, drafts=False)
async def record(request: Request) -> Outcome:
    """Publishes the recording and the slides; those who said they would come are told once."""
    form = await _record_form(request)
    errors = _wrong_links(request, "recording", "slides")
    if not (request.one("recording") or request.one("slides")):
        errors["recording"] = "Add a link to the recording, to the slides or to both."
    if errors:
        return form.refused(errors, request)
    event = await cards.event_in(request, held=True)
    await education.publish(request.session, event.id, recording=request.one("recording"), slides=request.one("slides"))
    await _note(request, "education.record", event.id)
    said_yes = await education.list_signups(request.session, event.id, Standing.COMING)
    await outbox.enqueue(request.session, *messages.recorded_notices(event, said_yes), due_at=request.now)
    return _done(event, f"Saved: {event.title}", "Those who said yes are told once. Everybody finds it under Recordings.")
