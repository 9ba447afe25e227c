"""What the members of the invited groups see: what is kept, one question after the other, and an end."""

from __future__ import annotations

from dataclasses import replace

from handlers import forms, words
from handlers.errors import GONE, Refused
from handlers.pulse import kept, phrases
from handlers.pulse.collation import DONT_KNOW
from handlers.pulse.disclosure import MOST_CHOSEN
from handlers.pulse.wheel import Dimension, Wheel
from handlers.routing import Occasion, Request, Right, Router, core_team
from handlers.views import (
    LONGEST_DETAIL,
    Block,
    Button,
    Card,
    Choice,
    Fact,
    Facts,
    Form,
    Line,
    Option,
    Outcome,
    Reply,
    Text,
    TextField,
    Values,
    paragraphs,
    says,
)
from storage import people
from storage.keys import Unreadable
from storage.pulse import answers, participation, rounds
from storage.pulse.answers import CHOICE, Joined, NotOpen
from storage.pulse.participation import Participation
from storage.pulse.rounds import Round, RoundState
from storage.pulse.sealing import Said, TooLong

router = Router()

TITLE = "Maturity pulse"
CLOSED = "The round has closed. I did not keep this. What you saved before it closed counts."
ANOTHER = "This belongs to a round that has closed, so I kept nothing of it. Another round is open now: type “pulse”."
JOINED = "Your accounts have just been joined, so I did not keep this. Send it again."
LOCKED = "I cannot open the round’s key, so I did not keep this. Tell an administrator that DIH_SECRET_KEYS has changed."
TOO_LONG = "This is a little too long, as some of its characters take more room. Make it shorter."
COMMENT = TextField(
    name="comment",
    label="Comment",
    hint="It may be shown when the round has closed, without your name. Never name a patient.",
    required=False,
    lines=3,
    most=300,
)


async def _is_invited(request: Request) -> bool:
    """Where no round is open, there is nothing to keep anybody from."""
    round = await rounds.under_way(request.session)
    return round is None or await _is_asked(request, round)


async def _is_asked(request: Request, round: Round) -> bool:
    """Who is in the groups now, and who has begun: what they said is counted, so it stays theirs to change until the close."""
    if request.person.groups & round.groups:
        return True
    return await participation.find(request.session, round.id, request.person.id) in participation.BEGAN


invited = Right(phrase="members of the groups that the round asks", over=_is_invited)


# -- the card


@router.command("pulse", "answer the maturity pulse, and see how it is kept confidential", reads=True)
async def show(request: Request) -> Outcome:
    """What is kept and who can see it comes first. It is the same before and after one has answered."""
    return Reply(card=await _card(request))


@router.action("pulse.show", reads=True)
async def show_again(request: Request) -> Outcome:
    """The same card."""
    return Reply(card=await _card(request))


async def _card(request: Request) -> Card:
    round = await rounds.under_way(request.session)
    beside = await _beside_card(request, round)
    if round is None or not round.takes_answers(request.now):
        text = "No round is open." if round is None else "The round has closed. Its results come in a few minutes."
        return Card(title="The maturity pulse", blocks=(Text(text=text),), buttons=beside)
    wheel = kept.wheel_of(round)
    asked = len(wheel.dimensions)
    facts = (
        Fact(label="Takes", value=f"About {asked + 2} minutes: {words.count(asked, 'question')}, and which 3 we should work on"),
        Fact(label="Open until", value=words.moment(round.closes_at)),
        Fact(label="Asks", value=f"Members of {phrases.groups(round.groups)}"),
    )
    blocks: tuple[Block, ...] = (*paragraphs(*_promise(round)), Facts(facts=facts), *phrases.origin(wheel))
    if not await _is_asked(request, round):
        none = Text(text="You are in none of these groups, so it does not ask you.")
        return Card(title="The maturity pulse", blocks=(*blocks, none), buttons=beside)
    args = {"round": str(round.id)}
    start = Button(label="Start or go on", action="pulse.start", args=args, style="primary", does="ask")
    enough = Button(label="No more reminders for this round", action="pulse.decline", args=args)
    return Card(title="The maturity pulse", blocks=blocks, buttons=(start, enough, *beside))


async def _beside_card(request: Request, round: Round | None) -> tuple[Button, ...]:
    """What else there is: results for everybody, and what the Core Team looks after."""
    (*over,) = await rounds.list_over(request.session, limit=1)
    results = [Button(label="Results of the last round", action="pulse.results", args={"round": str(each.id)}) for each in over]
    if not core_team.held_by(request.person):
        return tuple(results)
    if round is None:
        return (Button(label="Open a round", action="pulse.ask_open", does="ask"), *results)
    if round.state is not RoundState.OPEN:
        return tuple(results)
    progress = Button(label="Round progress", action="pulse.progress")
    return (progress, Button(label="Close the round", action="pulse.ask_close", style="danger", does="ask"), *results)


def _promise(round: Round) -> tuple[str, ...]:
    """What is kept and who can see it, with its limits."""
    people = words.count(round.minimum, "person", "people")
    return (
        "Your answers are confidential, with these limits.",
        "Until the round closes the people who run the server could technically look. After it closes nobody can.",
        "Until then each answer is kept sealed, without your name and without the time. You can change it.",
        f"When the round closes, only numbers for the whole group are kept. A question that fewer than {people} scored is not shown.",
        "Comments are kept as they are written, without names and in random order. Your own words may still give you away.",
        "Somebody who knows all answers but one can work out that one.",
        "The chat you write in carries your answers to me, and has its own rules.",
    )


# -- the questions


async def _open_round(request: Request) -> Round:
    """The round that the button or form is about; raises Refused where it takes no answers any more."""
    round = await rounds.under_way(request.session)
    if round is None or not round.takes_answers(request.now):
        raise Refused(CLOSED)
    if round.id != request.number("round"):
        raise Refused(ANOTHER)
    return round


def _number(round: Round, item: str) -> int:
    """The place of an item, the choice being after the last dimension; raises Refused for one that the round does not ask."""
    items = (*round.wheel.items, CHOICE)
    if item not in items:
        raise Refused(GONE)
    return items.index(item)


def _question(round: Round, number: int, *, answered: bool = False) -> Form:
    """The form of one item, empty."""
    wheel = kept.wheel_of(round)
    if number == len(wheel.dimensions):
        return _choice_form(round, wheel, answered=answered)
    dimension = wheel.dimensions[number]
    options = _options(wheel, dimension)
    fits = all(len(option.detail) <= LONGEST_DETAIL for option in options)
    shown = options if fits else tuple(Option(value=option.value, label=option.label) for option in options)
    explained = tuple(Fact(label=option.label, value=option.detail) for option in options if option.detail)
    return Form(
        action="pulse.answer",
        title=TITLE,
        step=f"{number + 1} of {len(wheel.dimensions)}",
        blocks=() if fits else (Facts(facts=explained),),
        fields=(Choice(name="level", label=dimension.title, options=shown), COMMENT),
        submit="Save and go on",
        args=_args(round, dimension.key),
        buttons=_beside(round, number, answered=answered),
    )


def _options(wheel: Wheel, dimension: Dimension) -> tuple[Option, ...]:
    levels = zip(wheel.levels, dimension.descriptors, strict=True)
    scored = (Option(value=str(level.value), label=f"{level.value} {level.label}", detail=words_) for level, words_ in levels)
    return (*scored, Option(value=str(DONT_KNOW), label="Don’t know"))


def _choice_form(round: Round, wheel: Wheel, *, answered: bool) -> Form:
    chosen = Choice(
        name="chosen",
        label="Which three should we work on?",
        hint=f"Choose up to {MOST_CHOSEN}.",
        options=tuple(Option(value=dimension.key, label=dimension.title) for dimension in wheel.dimensions),
        many=True,
        most=MOST_CHOSEN,
    )
    buttons = _beside(round, len(wheel.dimensions), answered=answered)
    return Form(
        action="pulse.answer", title=TITLE, step="Last step", fields=(chosen,), submit="Finish", args=_args(round, CHOICE), buttons=buttons
    )


def _args(round: Round, item: str) -> dict[str, str]:
    return {"round": str(round.id), "item": item}


def _beside(round: Round, number: int, *, answered: bool) -> tuple[Button, ...]:
    """Back, and a way on without an answer: Skip, or where there is one, a button that takes it away."""
    args = _args(round, (*round.wheel.items, CHOICE)[number])
    skip = Button(label="Skip", action="pulse.skip", args=args)
    take = Button(label="Take my answer away", action="pulse.take_away", args=args)
    on = take if answered else skip
    return (Button(label="Back", action="pulse.back", args=args), on) if number else (on,)


async def _asked(request: Request) -> Form:
    """The form that an answer is checked against."""
    round = await _open_round(request)
    return _question(round, _number(round, request.args.get("item", "")))


async def _ask(request: Request, round: Round, number: int) -> Form:
    """The form of an item, with what the person said before."""
    said = await _said(request, round)
    return _filled(round, number, said.get((*round.wheel.items, CHOICE)[number]))


def _filled(round: Round, number: int, said: Said | None) -> Form:
    if said is None or said.is_empty:
        return _question(round, number)
    values: Values = {"chosen": said.chosen}
    if said.item != CHOICE:
        values = {"level": "" if said.level is None else str(said.level), "comment": said.comment}
    return _question(round, number, answered=True).filled(values)


async def _said(request: Request, round: Round) -> dict[str, Said]:
    try:
        return dict(await answers.of_person(request.session, round, request.person.id))
    except Unreadable:
        raise Refused(LOCKED) from None


async def _save(request: Request, round: Round, said: Said, *, first: bool = False) -> None:
    """Keeps an answer, `first`: unless there is one; raises Refused where that is too late, and TooLong."""
    try:
        await answers.save(request.session, round, request.person.id, said, now=request.now, first=first)
    except NotOpen:
        raise Refused(CLOSED) from None
    except Joined:
        raise Refused(JOINED) from None
    except Unreadable:
        raise Refused(LOCKED) from None


@router.action("pulse.start", may=invited, reads=True, confidential=True)
async def start(request: Request) -> Outcome:
    """The first question that has no answer yet; the first of all where none is left."""
    round = await _open_round(request)
    said = await _said(request, round)
    open_ = [number for number, item in enumerate((*round.wheel.items, CHOICE)) if item not in said]
    return await _ask(request, round, open_[0] if open_ else 0)


@router.form("pulse.answer", _asked, may=invited, confidential=True)
async def answer(request: Request) -> Outcome:
    """Keeps the answer and asks the next question."""
    round = await _open_round(request)
    try:
        await _save(request, round, _spoken(request))
    except TooLong:
        return (await _asked(request)).refused({"comment": TOO_LONG}, request)
    return await _next(request, round)


async def _next(request: Request, round: Round) -> Outcome:
    """The question after this one, or the end."""
    item = request.args["item"]
    return await _thanks(request, round) if item == CHOICE else await _ask(request, round, _number(round, item) + 1)


def _spoken(request: Request) -> Said:
    """What stands in the fields, which were checked."""
    level = request.one("level")
    return Said(
        item=request.args["item"],
        level=int(level) if level else None,
        comment=request.one("comment"),
        chosen=tuple(filter(None, request.many("chosen"))),
    )


@router.action("pulse.skip", may=invited, confidential=True)
async def skip(request: Request) -> Outcome:
    """Passes an item over; an answer that was given meanwhile, in another window, stands."""
    round = await _open_round(request)
    item = request.args.get("item", "")
    _number(round, item)
    await _save(request, round, Said(item=item), first=True)
    return await _next(request, round)


@router.action("pulse.take_away", may=invited, confidential=True)
async def take_away(request: Request) -> Outcome:
    """Takes an answer away: the item counts as passed over."""
    round = await _open_round(request)
    item = request.args.get("item", "")
    _number(round, item)
    await _save(request, round, Said(item=item))
    return await _next(request, round)


@router.action("pulse.back", may=invited, confidential=True)
async def back(request: Request) -> Outcome:
    """The question before; what stands in the fields is kept. What cannot be kept is shown again, with what is wrong."""
    round = await _open_round(request)
    number = _number(round, request.args.get("item", ""))
    here = _question(round, number)
    values, errors = forms.check(here, request.values)
    typed = replace(request, values=values)
    if errors and any(values.values()):
        return here.refused(errors, typed)
    try:
        if not errors:
            await _save(request, round, _spoken(typed))
    except TooLong:
        return here.refused({"comment": TOO_LONG}, typed)
    return await _ask(request, round, max(number - 1, 0))


async def _thanks(request: Request, round: Round) -> Reply:
    await participation.finish(request.session, round.id, request.person.id)
    again = Button(label="Look at my answers", action="pulse.start", args={"round": str(round.id)}, does="ask")
    until = f"You can change them until {words.moment(round.closes_at)}."
    return says("Thank you", "Your answers are saved.", until, "I tell you when the results are there.", buttons=(again,))


@router.action("pulse.decline", may=invited, confidential=True)
async def decline(request: Request) -> Outcome:
    """No more reminders in this round."""
    round = await _open_round(request)
    if not await rounds.hold(request.session, round.id, RoundState.OPEN):
        raise Refused(CLOSED)
    if await people.find(request.session, request.person.id) is None:
        raise Refused(JOINED)
    await participation.decline(request.session, round.id, request.person.id)
    return says("No more reminders for this round", "You can still answer until it closes: type “pulse”.")


# -- what the bot says by itself


async def _still_asked(occasion: Occasion) -> Round | None:
    """The round, while somebody has not finished and wants to be reminded."""
    round = await rounds.find(occasion.session, int(occasion.args["round"]))
    assert occasion.person is not None
    if round is None or not round.takes_answers(occasion.now) or not occasion.person.groups & round.groups:
        return None
    state = await participation.find(occasion.session, round.id, occasion.person.id)
    return round if state in (None, Participation.BEGUN) else None


def _line(round: Round, text: str) -> Line:
    note = f"It is open until {words.moment(round.closes_at)}. To stop reminders for this round, open it."
    return Line(text=text, note=note, button=Button(label="Open", action="pulse.show"))


@router.nudge("pulse.invitation")
async def invitation(occasion: Occasion) -> Line | None:
    """Says that a round is open."""
    round = await _still_asked(occasion)
    return _line(round, "The maturity pulse asks how the hub is doing. Your answers are confidential.") if round else None


@router.nudge("pulse.reminder")
async def reminder(occasion: Occasion) -> Line | None:
    """Reminds somebody who has not finished."""
    round = await _still_asked(occasion)
    return _line(round, "You have not finished the maturity pulse.") if round else None
