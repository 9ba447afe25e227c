"""What the Core Team does with a round: look at what it will ask, open it, see how far it is, close it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from handlers import calendar, words
from handlers.calendar import local_day
from handlers.errors import GONE, Refused
from handlers.paging import Page
from handlers.pulse import kept, phrases, wheel
from handlers.pulse.wheel import Wheel, WheelFault
from handlers.routing import Request, Router, core_team
from handlers.views import Block, Button, Card, Choice, DateField, Fact, Facts, Form, Option, Outcome, Reply, Text, paragraphs, says
from storage import audit, people
from storage.database import secret_keys
from storage.people import Group
from storage.pulse import answers, participation, rounds
from storage.pulse.rounds import AlreadyOpen, OtherWords, Round, RoundState

router = Router()

CLOSES = time(17)
LONGEST = timedelta(days=180)
USUAL = timedelta(days=14)
PAGE_CHARACTERS = 6000
NO_KEYS = "An administrator must set DIH_SECRET_KEYS first. Without it, I cannot keep answers sealed."
THERE_IS_ONE = "A round is not over yet. Only one can be open at a time: type “pulse” to see it."
NONE_OPEN = "No round is open. To open one, type “pulse open”."


@dataclass(frozen=True, kw_only=True)
class _Planned:
    """A round as it would be opened."""

    wheel: Wheel
    closes_at: datetime
    groups: frozenset[Group]


def _name(wheel_: Wheel) -> str:
    return f"{wheel_.key}:{wheel_.version}"


async def _wheels() -> tuple[Mapping[str, Wheel], tuple[WheelFault, ...]]:
    """(The wheels that can be asked by name, what is wrong with the others)."""
    found = await asyncio.to_thread(wheel.available)
    return {_name(each): each for each in found if isinstance(each, Wheel)}, tuple(each for each in found if isinstance(each, WheelFault))


# -- opening


@router.command("pulse open", "open a round of the maturity pulse", may=core_team, reads=True, asks=True)
async def ask_open(request: Request) -> Outcome:
    """Asks what, of whom and until when."""
    await _refuse_second(request)
    usual = local_day(request.now + USUAL)
    wheels, faults = await _wheels()
    if not wheels:
        return says("No wheel can be read", *_told(faults), "Whoever runs the server can put this right.")
    first = next(iter(wheels))
    groups = tuple(sorted(group.value for group in words.GROUPS))
    return (await _open_form(request)).filled({"wheel": first, "last_day": usual.isoformat(), "groups": groups})


router.action("pulse.ask_open", may=core_team, reads=True)(ask_open)


async def _refuse_second(request: Request) -> None:
    if not secret_keys(request.session):
        raise Refused(NO_KEYS)
    if await rounds.under_way(request.session):
        raise Refused(THERE_IS_ONE)


def _told(faults: Iterable[WheelFault]) -> tuple[str, ...]:
    return tuple(f"I cannot read {fault}." for fault in faults)


async def _open_form(_request: Request) -> Form:
    wheels, faults = await _wheels()
    if not wheels:
        raise Refused("No wheel can be read. Type “pulse open” to see why.")
    options = tuple(Option(value=name, label=words.short(f"{each.title}, version {each.version}", 75)) for name, each in wheels.items())
    fields = (
        Choice(name="wheel", label="Wheel", options=options),
        DateField(name="last_day", label="Last day", hint="The round closes at 5pm on this day."),
        Choice(
            name="groups",
            label="Who is asked",
            options=tuple(Option(value=group.value, label=f"The {name}") for group, name in words.GROUPS.items()),
            many=True,
        ),
    )
    broken = tuple(Text(text=each, kind="note") for each in _told(faults))
    return Form(action="pulse.preview", title="Open a round", fields=fields, submit="See what it asks", blocks=broken)


@router.form("pulse.preview", _open_form, may=core_team)
async def preview(request: Request) -> Outcome:
    """What will be asked, before anybody is; nothing is open yet."""
    await _refuse_second(request)
    last_day, groups = request.one("last_day"), request.many("groups")
    if wrong := _wrong_day(date.fromisoformat(last_day), request.now):
        return (await _open_form(request)).refused({"last_day": wrong}, request)
    args = {"wheel": request.one("wheel"), "last_day": last_day, "groups": ".".join(sorted(groups))}
    return Reply(card=await _preview(request, args, 0))


@router.action("pulse.look", may=core_team, reads=True)
async def look(request: Request) -> Outcome:
    """Another page of what will be asked."""
    args = {name: request.args.get(name, "") for name in ("wheel", "last_day", "groups")}
    return Reply(card=await _preview(request, args, request.number("offset")), replaces=True)


async def _preview(request: Request, args: Mapping[str, str], offset: int) -> Card:
    planned = await _planned(args, request.now)
    number = await _count_asked(request, planned)
    open_ = Button(label="Open the round", action="pulse.open", args=args, style="primary")
    change = Button(label="Change it", action="pulse.ask_open", does="ask")
    asked = (
        f"It asks {words.count(number, 'person', 'people')} in {phrases.groups(planned.groups)}, until {words.moment(planned.closes_at)}."
    )
    shown = f"A question is shown where at least {request.pulse_minimum} people score it."
    few = () if number >= request.pulse_minimum else ("That is more than are asked, so no question could be shown.",)
    texts = ("Nothing is open yet. Look through what will be asked.", asked, shown, *few)
    pages = _pages(planned.wheel)
    page = Page.of(len(pages), offset, size=1)
    blocks: tuple[Block, ...] = (*paragraphs(*texts), *phrases.origin(planned.wheel), Facts(facts=pages[page.offset]))
    if len(pages) > 1:
        blocks = (*blocks, Text(text=f"{page.said('page')} of what is asked.", kind="note"))
    buttons = (*page.turns("pulse.look", args), open_, change)
    return Card(title=f"Before you open it: {planned.wheel.title}", blocks=blocks, buttons=buttons)


def _wrong_day(last_day: date, now: datetime) -> str:
    today = local_day(now)
    if last_day <= today:
        return "Choose a day after today."
    return f"Choose a day within {LONGEST.days} days." if last_day > today + LONGEST else ""


def _pages(asked: Wheel) -> tuple[tuple[Fact, ...], ...]:
    """Every dimension with every descriptor, in parts that each channel shows whole."""
    pages: list[list[Fact]] = [[]]
    for dimension in asked.dimensions:
        levels = zip(asked.levels, dimension.descriptors, strict=True)
        fact = Fact(label=dimension.title, value="\n".join(f"{level.value} {level.label}: {words_}" for level, words_ in levels))
        if pages[-1] and sum(len(each.label) + len(each.value) for each in (*pages[-1], fact)) > PAGE_CHARACTERS:
            pages.append([])
        pages[-1].append(fact)
    return tuple(map(tuple, pages))


async def _planned(args: Mapping[str, str], now: datetime) -> _Planned:
    """What a button says, looked at again; raises Refused."""
    found = (await _wheels())[0].get(args.get("wheel", ""))
    day = args.get("last_day", "")
    groups = args.get("groups", "").split(".")
    if found is None or not re.fullmatch(r"\d{4}-\d\d-\d\d", day, re.ASCII) or not set(groups) <= {group.value for group in words.GROUPS}:
        raise Refused(GONE)
    try:
        last_day = date.fromisoformat(day)
    except ValueError:
        raise Refused(GONE) from None
    if wrong := _wrong_day(last_day, now):
        raise Refused(f"The last day no longer fits. {wrong}")
    return _Planned(wheel=found, closes_at=calendar.at_wall_time(last_day, CLOSES), groups=frozenset(map(Group, groups)))


async def _count_asked(request: Request, planned: _Planned) -> int:
    """How many would be asked; raises Refused where that is nobody."""
    asked = len(await people.members(request.session, *planned.groups))
    if not asked:
        raise Refused(f"There is nobody in {phrases.groups(planned.groups)} yet. An administrator can add people: “admin people”.")
    return asked


@router.action("pulse.open", may=core_team)
async def open_round(request: Request) -> Outcome:
    """Opens the round. Those who are asked hear of it in working hours."""
    await _refuse_second(request)
    planned = await _planned(request.args, request.now)
    number = await _count_asked(request, planned)
    try:
        round = await rounds.add(
            request.session,
            wheel=kept.words_of(planned.wheel),
            opens_at=request.now,
            closes_at=planned.closes_at,
            groups=planned.groups,
            minimum=request.pulse_minimum,
        )
    except OtherWords:
        name = f"“{planned.wheel.title}”, version {planned.wheel.version},"
        raise Refused(f"{name} was asked before with other words. Give the new words a new version number in their file.") from None
    except AlreadyOpen:
        raise Refused(THERE_IS_ONE) from None
    await answers.add_key(request.session, round.id)
    await _audit(request, "pulse.open", round)
    card = Card(
        title="The round is open",
        blocks=(
            Text(text=f"It asks {words.count(number, 'person', 'people')} until {words.moment(round.closes_at)}."),
            Text(text="I tell them in working hours, and remind those who have not finished three times at most."),
        ),
        buttons=(Button(label="See what they see", action="pulse.show"), Button(label="Round progress", action="pulse.progress")),
    )
    return Reply(card=card, reference="the round is open")


async def _audit(request: Request, action: str, round: Round) -> None:
    await audit.add(request.session, now=request.now, action=action, object=f"pulse:{round.id}", by=request.person.id)


# -- progress


@router.command("pulse progress", "see how many have finished the maturity pulse", may=core_team, reads=True)
async def progress(request: Request) -> Outcome:
    """A number, and nobody's name."""
    round = await _open_round(request)
    until = f"It is open until {words.moment(round.closes_at)}."
    return says("Round progress", await _finished(request, round), until)


router.action("pulse.progress", may=core_team, reads=True)(progress)


async def _finished(request: Request, round: Round) -> str:
    finished, asked = await participation.progress(request.session, round.id, round.groups)
    return f"Finished: {words.number(finished)} of {words.number(asked)}."


async def _open_round(request: Request) -> Round:
    round = await rounds.under_way(request.session)
    if round is None or round.state is not RoundState.OPEN:
        raise Refused(NONE_OPEN)
    return round


# -- closing


@router.command("pulse close", "close the open round of the maturity pulse", may=core_team, reads=True, asks=True)
async def ask_close(request: Request) -> Outcome:
    """Asks whether they are sure."""
    return await _close_form(request)


router.action("pulse.ask_close", may=core_team, reads=True)(ask_close)


async def _close_form(request: Request) -> Form:
    round = await _open_round(request)
    texts = (
        await _finished(request, round),
        f"It would close by itself on {words.moment(round.closes_at)}.",
        "Nobody can answer any more, all answers are counted and destroyed, and it never opens again.",
    )
    blocks = paragraphs(*texts)
    args = {"round": str(round.id)}
    return Form(action="pulse.close", title="Close the round?", fields=(), submit="Close the round", args=args, blocks=blocks)


@router.form("pulse.close", _close_form, may=core_team)
async def close(request: Request) -> Outcome:
    """Marks the round as closing; it is counted a moment later."""
    round = await _open_round(request)
    if round.id != request.number("round") or not await rounds.mark_closing(request.session, round.id, at=request.now):
        raise Refused("The round was closed before. There is nothing more to do.")
    await _audit(request, "pulse.close", round)
    text = "The answers are counted now and then destroyed. Everybody who was asked is told when the results are there."
    return Reply(card=Card(title="The round is closed", blocks=(Text(text=text),)), reference="the round is closed")
