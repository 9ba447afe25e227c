"""What everybody sees of a round when it is over: numbers with a picture, what was chosen, comments, and what was agreed."""

from __future__ import annotations

from dataclasses import dataclass

from handlers import words
from handlers.calendar import local_day
from handlers.errors import Refused
from handlers.paging import Page
from handlers.pulse import kept, phrases
from handlers.pulse.collation import Collation
from handlers.pulse.disclosure import NOT_SHOWN, PublishedRound
from handlers.pulse.wheel import LEVELS, Wheel
from handlers.routing import Occasion, Request, Router, core_team
from handlers.views import (
    Button,
    Card,
    Figure,
    Line,
    Lines,
    Message,
    Outcome,
    Picture,
    Reply,
    Series,
    Table,
    Text,
    paragraphs,
)
from storage.pulse import results, rounds
from storage.pulse.results import Priority
from storage.pulse.rounds import Round

router = Router()

PAGE = 8
MOST_PRIORITIES = 3
NONE_YET = "No round has closed yet. When one has, everybody sees its results here."


@dataclass(frozen=True, kw_only=True)
class Over:
    """A round that is over, with its wheel, what it published, and what the round before it did."""

    round: Round
    wheel: Wheel
    published: PublishedRound
    last: PublishedRound | None


@router.command("pulse results", "see the results of the maturity pulse", reads=True)
async def show(request: Request) -> Outcome:
    """The newest results."""
    newest = await rounds.list_over(request.session, limit=1)
    if not newest:
        return Reply(card=Card(title="Results of the maturity pulse", blocks=(Text(text=NONE_YET),)))
    return Reply(card=await card(request, await over(request, newest[0])))


@router.action("pulse.results", reads=True)
async def show_round(request: Request) -> Outcome:
    """The results of one round."""
    return Reply(card=await card(request, await find(request)))


async def find(request: Request) -> Over:
    """The round that the arguments name; raises Refused where it is not over."""
    round = await rounds.find(request.session, request.number("round"))
    if round is None or not round.cleaned:
        raise Refused("This round has no results yet. Type “pulse results” to see the newest there are.")
    return await over(request, round)


async def over(request: Request, round: Round) -> Over:
    """A round that is over with all that belongs to it."""
    before = await rounds.list_over(request.session, limit=1, before=round.id)
    published = await _published(request, round)
    assert published is not None
    last = await _published(request, before[0]) if before else None
    return Over(round=round, wheel=kept.wheel_of(round), published=published, last=last)


async def _published(request: Request, round: Round) -> PublishedRound | None:
    found = await results.find(request.session, round.id)
    return kept.published_of(round, found) if found else None


# -- the card


def title(round: Round) -> str:
    """What a round is called: by the month in which it closed."""
    return f"Maturity pulse of {local_day(round.closes_at):%B %Y}"


async def card(request: Request, over: Over) -> Card:
    """All of it but the comments."""
    published = over.published
    part = f"{words.number(published.took_part)} of {words.number(published.invited)} took part ({published.response_rate:.0%})."
    how = (
        f"A question is shown where at least {published.minimum} people scored it. "
        "It is not shown where it could make somebody sure of another person’s answer."
    )
    blocks = (
        Text(text=part),
        *phrases.origin(over.wheel),
        _picture(over),
        Text(text=how, kind="note"),
        Text(text="Chosen most often to work on", kind="heading"),
        Text(text=_chosen(over)),
        *_agreed(await results.priorities(request.session, over.round.id), core=core_team.held_by(request.person), round=over.round),
    )
    return Card(title=title(over.round), blocks=blocks, buttons=await _buttons(request, over))


def _picture(over: Over) -> Picture:
    """The table, and the same numbers to draw and to hear."""
    axes = tuple(dimension.title for dimension in over.wheel.dimensions)
    keys = tuple(dimension.key for dimension in over.wheel.dimensions)
    now = Series(label="Now", numbers=tuple(_median(over.published.collation(key)) for key in keys))
    last = Series(label="Last time", numbers=tuple(_median(over.published.before(over.last, key)) for key in keys))
    series = (now, last) if any(number is not None for number in last.numbers) else (now,)
    figure = Figure(axes=axes, series=series, top=float(LEVELS[-1]))
    return Picture(figure=figure, alt=_alt(figure), table=_table(over))


def _median(collation: Collation | None) -> float | None:
    return collation.median if collation else None


def _alt(figure: Figure) -> str:
    """The picture in words."""
    said = (
        f"{series.label}: " + "; ".join(f"{axis} {_number(number)}" for axis, number in zip(figure.axes, series.numbers, strict=True)) + "."
        for series in figure.series
    )
    return " ".join((f"A picture of the middle answers, from 1 to {words.number(figure.top)}.", *said))


def _number(number: float | None) -> str:
    return NOT_SHOWN.lower() if number is None else words.number(number)


def _table(over: Over) -> Table:
    columns = ("Dimension", "Middle", "Middle half", "Scored", "Don’t know", "Last time", "Views")
    rows = tuple(_row(over, dimension.key, dimension.title) for dimension in over.wheel.dimensions)
    return Table(columns=columns, rows=rows, caption="Levels from 1 to 5: the middle answer, and between which the middle half lies")


def _row(over: Over, key: str, title: str) -> tuple[str, ...]:
    now = over.published.collation(key)
    if now is None:
        return (title, NOT_SHOWN, "", "", "", "", "")
    before = over.published.before(over.last, key)
    half = f"{words.number(now.lower)} to {words.number(now.upper)}"
    differ = "Views differ" if now.views_differ else ""
    last = words.number(before.median) if before else ""
    return (title, words.number(now.median), half, words.number(now.scored), words.number(now.dont_know), last, differ)


def _chosen(over: Over) -> str:
    chosen = over.published.most_chosen
    if chosen is None:
        return f"{NOT_SHOWN}."
    titles = [dimension.title for dimension in over.wheel.dimensions if dimension.key in chosen]
    return f"{words.listed([f'“{each}”' for each in titles])}, in no order."


def _agreed(priorities: tuple[Priority, ...], *, core: bool, round: Round) -> tuple[Text | Lines, ...]:
    """What was agreed, where something was."""
    if not priorities:
        return ()
    lines = tuple(
        Line(
            text=f"{each.number}. {each.title}",
            note=f"{each.owner} looks after it. To be looked at again on {words.day(each.review_on)}.",
            button=_change(round, each) if core else None,
        )
        for each in priorities
    )
    return (Text(text="Agreed priorities", kind="heading"), Lines(lines=lines))


def _change(round: Round, priority: Priority) -> Button:
    args = {"round": str(round.id), "number": str(priority.number)}
    return Button(label="Change", action="pulse.ask_priority", args=args, does="ask")


async def _buttons(request: Request, over: Over) -> tuple[Button, ...]:
    id = str(over.round.id)
    buttons = []
    if await results.any_comment(request.session, over.round.id):
        buttons.append(Button(label="Read the comments", action="pulse.comments", args={"round": id, "offset": "0"}))
    agreed = await results.priorities(request.session, over.round.id)
    if core_team.held_by(request.person) and len(agreed) < MOST_PRIORITIES:
        buttons.append(Button(label="Agree a priority", action="pulse.ask_priority", args={"round": id, "number": "0"}, does="ask"))
    before = await rounds.list_over(request.session, limit=1, before=over.round.id)
    return (*buttons, *(Button(label="The round before", action="pulse.results", args={"round": str(each.id)}) for each in before))


# -- comments


@router.action("pulse.comments", reads=True)
async def show_comments(request: Request) -> Outcome:
    """Comments under their dimensions, a page at a time, in an order that says nothing."""
    found = await find(request)
    order = found.round.wheel.items.index
    everything = sorted(await results.comments(request.session, found.round.id), key=lambda comment: order(comment.dimension))
    page = Page.of(len(everything), request.number("offset"), size=PAGE)
    shown = everything[page.offset : page.offset + PAGE]
    blocks: list[Text] = []
    for dimension in found.wheel.dimensions:
        about = [each.text for each in shown if each.dimension == dimension.key]
        blocks += [Text(text=dimension.title, kind="heading")] if about else []
        blocks += [Text(text=f"“{text}”") for text in about]
    said = f"{page.said('comment')}, in no order. " if everything else ""
    note = Text(text=f"{said}Comments on a question that is not shown are not kept.", kind="note")
    back = Button(label="Results", action="pulse.results", args={"round": str(found.round.id)})
    buttons = (*page.turns("pulse.comments", {"round": str(found.round.id)}), back)
    return Reply(card=Card(title=f"Comments: {title(found.round)}", blocks=(note, *blocks), buttons=buttons), replaces=True)


# -- what the bot says by itself


@router.message("pulse.closed")
async def closed(occasion: Occasion) -> Message | None:
    """Says that the results are there."""
    round = await rounds.find(occasion.session, int(occasion.args["round"]))
    found = await results.find(occasion.session, int(occasion.args["round"]))
    if round is None or found is None:
        return None
    texts = (
        f"{words.number(found.took_part)} of {words.number(found.invited)} took part. Thank you.",
        "The sealed answers and their key are destroyed. Only what you see in the results is left.",
    )
    asked = occasion.person is not None and bool(occasion.person.groups & round.groups)
    why = "You are told because you were asked to take part." if asked else "The Core Team is told of every round."
    see = Button(label="See the results", action="pulse.results", args={"round": str(round.id)}, style="primary")
    blocks = (*paragraphs(*texts), Text(text=why, kind="note"))
    return Message(card=Card(title=f"Results: {title(round)}", blocks=blocks, buttons=(see,)))
