"""The cards of the education programme: one event, what comes, and what is over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time

from handlers import calendar, words
from handlers.calendar import local_day
from handlers.education import phrases
from handlers.errors import GONE, Refused
from handlers.paging import Page
from handlers.routing import Request, core_team
from handlers.views import Block, Button, Card, Fact, Facts, Line, Lines, Link, Text
from storage import education
from storage.education import Answer, Event, EventKind, EventState, Signup, Standing

PAGE = 8
MOST_NAMES = 40


def kind_in(request: Request) -> EventKind:
    """The part of the programme that a button or form names."""
    try:
        return EventKind(request.args.get("kind", ""))
    except ValueError:
        raise Refused(GONE) from None


async def event_in(request: Request, *, held: bool = False) -> Event:
    """The event that a button or form names; `held`: nobody else changes it meanwhile."""
    found = await (education.hold if held else education.find)(request.session, request.number("event"))
    if found is None:
        raise Refused("I cannot find this session. Type “cop” or “training” to see what is planned.")
    return found


# -- one event


async def event_card(request: Request, event: Event, *, lead: str = "") -> Card:
    """An event as this person may see it; `lead` answers what they just did."""
    mine = await education.find_signup(request.session, event.id, request.person.id)
    over = event.ends_at <= request.now
    blocks: list[Block] = [Text(text=text) for text in (lead, _news(event, over=over)) if text]
    blocks += [Facts(facts=(*_facts(event), *await _answer(request, event, mine, over=over))), Text(text=event.about)]
    if core_team.held_by(request.person):
        blocks += await _for_the_core_team(request, event)
    return Card(title=event.title, blocks=tuple(blocks), buttons=_buttons(request, event, mine, over=over))


def _news(event: Event, *, over: bool) -> str:
    if event.state is EventState.CANCELLED:
        return f"This does not take place: it is cancelled. {phrases.next_ones(event)}"
    if over:
        return "This is over." if phrases.published(event) else "This is over. There is no recording yet."
    return ""


def _facts(event: Event) -> tuple[Fact, ...]:
    said = (
        ("When", words.moment(event.starts_at)),
        ("How long", phrases.length(event)),
        ("Where", phrases.where(event)),
        ("Host", event.host),
        ("Places", phrases.taken(event)),
    )
    return tuple(Fact(label=label, value=value) for label, value in said)


async def _answer(request: Request, event: Event, mine: Signup | None, *, over: bool) -> tuple[Fact, ...]:
    if over or event.state is EventState.CANCELLED:
        return ()
    said = "You have not said yet" if mine is None else phrases.STANDINGS[mine.standing]
    if mine is not None and mine.standing is Standing.WAITING:
        said = f"You are number {words.number(await education.place_in_line(request.session, event.id, mine))} on the waiting list"
    return (Fact(label="Your answer", value=said),)


async def _for_the_core_team(request: Request, event: Event) -> list[Block]:
    """Names, which nobody else is shown, and what is still to be done."""
    signups = await education.list_signups(request.session, event.id, Standing.COMING, Standing.WAITING, Standing.MAYBE)
    labels = {Standing.COMING: "Coming", Standing.WAITING: "Waiting, in this order", Standing.MAYBE: "Maybe"}
    facts = [
        Fact(label=label, value=_named([each.name for each in signups if each.standing is standing]))
        for standing, label in labels.items()
        if any(each.standing is standing for each in signups)
    ]
    blocks: list[Block] = [Text(text="For the Core Team only", kind="heading")]
    if facts:
        blocks.append(Facts(facts=tuple(facts)))
    else:
        blocks.append(Text(text="Nobody has said yes or maybe."))
    if not (event.place or event.link) and event.ends_at > request.now:
        blocks.append(Text(text="There is no join link yet. Add it with Change before people need it."))
    return blocks


def _named(names: Sequence[str]) -> str:
    """All names, or as many as can be read and how many there are besides."""
    rest = len(names) - MOST_NAMES
    return "; ".join([*names[:MOST_NAMES], *([f"and {words.number(rest)} more"] if rest > 0 else [])])


def _buttons(request: Request, event: Event, mine: Signup | None, *, over: bool) -> tuple[Button | Link, ...]:
    runs = core_team.held_by(request.person)
    if event.state is EventState.CANCELLED:
        return (phrases.calendar_button(event, "Take it out of my calendar"),) if mine and not over else ()
    if over:
        label = "Change the recording" if phrases.published(event) else "Add the recording"
        record = Button(label=label, action="education.ask_record", args=phrases.args(event), does="ask")
        return (*phrases.published(event), *((record,) if runs else ()))
    coming = mine is not None and mine.standing is Standing.COMING
    join = (Link(label="Join", url=event.link),) if coming and event.link else ()
    look_after = (
        Button(label="Change", action="education.ask_change", args=phrases.args(event), does="ask"),
        Button(label="Cancel it", action="education.ask_cancel", args=phrases.args(event), style="danger", does="ask"),
    )
    return (*join, *_answers(event, mine), phrases.calendar_button(event), *(look_after if runs else ()))


def _answers(event: Event, mine: Signup | None) -> tuple[Button, ...]:
    """Yes, Maybe and No, the person's own marked."""
    said = mine and mine.standing.answer
    return tuple(
        Button(
            label=f"{label} (your answer)" if answer is said else label,
            action="education.answer",
            args={**phrases.args(event), "answer": answer.value},
            style="primary" if answer is Answer.YES and mine is None else "plain",
        )
        for answer, label in phrases.ANSWERS.items()
    )


# -- lists


async def coming_card(request: Request, kind: EventKind, offset: int) -> Card:
    """What comes next."""
    programme = phrases.PROGRAMMES[kind]
    total = await education.count_coming(request.session, kind, now=request.now)
    page = Page.of(total, offset, size=PAGE)
    shown = await education.list_coming(request.session, kind, now=request.now, offset=page.offset, limit=PAGE)
    mine = await education.standings_of(request.session, request.person.id, [event.id for event in shown])
    lines = tuple(
        _line(event, f"{phrases.left(event)}.", *([f"{phrases.STANDINGS[mine[event.id]]}."] if event.id in mine else [])) for event in shown
    )
    heading = f"{page.said(programme.one)}, the next first." if lines else f"No {programme.one} is planned yet. Look again soon."
    blocks: list[Block] = [Text(text=programme.intro), Text(text=heading, kind="note"), *([Lines(lines=lines)] if lines else [])]
    buttons = [*page.turns("education.page", {"kind": kind.value}, back="Earlier", more="Later")]
    if core_team.held_by(request.person):
        blocks.append(Text(text=await _target(request, kind)))
        args = {"kind": kind.value}
        buttons.append(Button(label=f"Add a {programme.one}", action="education.ask_add", args=args, style="primary", does="ask"))
    if await education.count_over(request.session, kind, now=request.now, published=not core_team.held_by(request.person)):
        buttons.append(_recordings_button(kind))
    return Card(title=programme.name, blocks=tuple(blocks), buttons=tuple(buttons))


def _line(event: Event, *notes: str) -> Line:
    button = Button(label="Open", action="education.open", args=phrases.args(event))
    return Line(text=event.title, note=" ".join([f"{words.moment(event.starts_at)}.", *notes]), button=button)


def _recordings_button(kind: EventKind) -> Button:
    return Button(label="Recordings", action="education.recordings", args={"kind": kind.value, "offset": "0"})


async def _target(request: Request, kind: EventKind) -> str:
    """The hub's year, planned against its target."""
    first, next_first = calendar.financial_year(local_day(request.now))
    since, until = (calendar.at_wall_time(day, time(0)) for day in (first, next_first))
    return phrases.target(kind, await education.areas_between(request.session, kind, since, until), next_first)


async def recordings_card(request: Request, kind: EventKind, offset: int) -> Card:
    """What is over and can be looked at again; to the Core Team also what waits for its recording."""
    programme = phrases.PROGRAMMES[kind]
    published = not core_team.held_by(request.person)
    total = await education.count_over(request.session, kind, now=request.now, published=published)
    page = Page.of(total, offset, size=PAGE)
    shown = await education.list_over(request.session, kind, now=request.now, published=published, offset=page.offset, limit=PAGE)
    lines = tuple(_line(event, *([] if phrases.published(event) else ["No recording yet."])) for event in shown)
    heading = f"{page.said(programme.one)}, newest first." if lines else "There is no recording yet."
    back = Button(label="What comes next", action="education.page", args={"kind": kind.value, "offset": "0"})
    buttons = (*page.turns("education.recordings", {"kind": kind.value}, back="Newer", more="Older"), back)
    blocks = (Text(text=heading, kind="note"), *((Lines(lines=lines),) if lines else ()))
    return Card(title=f"Recordings: {programme.name}", blocks=blocks, buttons=buttons)
