"""What is told of an idea: to its author, to those who have the need too, and to the Core Team."""

from __future__ import annotations

from handlers import words
from handlers.calendar import local_day
from handlers.ideas.card import SIGNPOSTS, about, decided, facts, open_button, project_button, take_on_button
from handlers.routing import Occasion, Request, Router, core_team
from handlers.views import Block, Button, Card, Facts, Line, Message, Text
from storage import ideas, outbox, support
from storage.ideas import OPEN, Idea, IdeaState
from storage.outbox import Notice
from storage.people import Group

router = Router()

HEADINGS = {
    IdeaState.SUBMITTED: "A new idea",
    IdeaState.IN_ASSESSMENT: "An idea in assessment",
    IdeaState.ACCEPTED: "An idea was accepted",
    IdeaState.SIGNPOSTED: "An idea was passed on",
    IdeaState.ALREADY_EXISTS: "An idea was there already",
    IdeaState.NOT_NOW: "An idea was put off",
    IdeaState.NOT_SUITABLE: "An idea is not taken further",
    IdeaState.WITHDRAWN: "An idea was withdrawn",
}
OUTCOMES = {
    IdeaState.ACCEPTED: "is accepted",
    IdeaState.SIGNPOSTED: "is passed on",
    IdeaState.ALREADY_EXISTS: "was there already",
    IdeaState.NOT_NOW: "has to wait",
    IdeaState.NOT_SUITABLE: "is not taken further",
    IdeaState.WITHDRAWN: "is withdrawn",
}
FOR_AUTHOR = "You are told because you shared it."
FOR_SUPPORTERS = "You said that you have this need too. If you no longer have it, open the idea and take your support back."


# -- into the outbox


async def tell_core_team(request: Request, id: int, what: str) -> None:
    """Lets the Core Team's card say what is true after this change."""
    key = f"idea:{id}:{what}:{request.person.id}:{request.now.isoformat()}"
    told = Notice(key=key, kind="ideas.received", group=Group.CORE_TEAM, args=about(id), live=_live(id))
    await outbox.enqueue(request.session, told, due_at=request.now)


async def tell(request: Request, id: int, *people: int, kind: str, **args: str) -> None:
    """One message to each of these people."""
    key = f"idea:{id}:{kind}:{request.now.isoformat()}"
    notices = [Notice(key=f"{key}:{each}", kind=kind, person_id=each, args={**about(id), **args}) for each in people]
    await outbox.enqueue(request.session, *notices, due_at=request.now)


async def tell_outcome(request: Request, idea: Idea, state: IdeaState) -> int:
    """The outcome to all who have the need, and to the author unless it was their own doing; returns how many have the need too."""
    supporters = [each.person_id for each in await support.list_supporters(request.session, idea.id)]
    author = () if idea.author_id == request.person.id else (idea.author_id,)
    await tell(request, idea.id, *author, *supporters, kind="ideas.decided", state=state.value)
    return len(supporters)


async def tell_taken_on(request: Request, idea: Idea) -> int:
    """The new assessor to the author and to all others who have the need; returns how many these others are."""
    me = request.person.id
    others = [each.person_id for each in await support.list_supporters(request.session, idea.id) if each.person_id != me]
    await tell(request, idea.id, idea.author_id, *others, kind="ideas.taken_on", assessor=str(me))
    return len(others)


def _live(id: int) -> str:
    """The Core Team's message about an idea, which is kept true."""
    return f"idea:{id}"


# -- out of it


def _is_author(idea: Idea, occasion: Occasion) -> bool:
    return occasion.person is not None and occasion.person.id == idea.author_id


def _why(idea: Idea, occasion: Occasion) -> Text:
    """Why somebody is told of an idea."""
    return Text(text=FOR_AUTHOR if _is_author(idea, occasion) else FOR_SUPPORTERS, kind="note")


def _see(idea: Idea, occasion: Occasion) -> Button:
    return open_button(idea.id, "See your idea" if _is_author(idea, occasion) else "Open the idea")


async def _idea(occasion: Occasion) -> Idea | None:
    """The idea, where the person may still see it."""
    idea = await ideas.find(occasion.session, int(occasion.args["idea"]))
    return idea if idea and (occasion.person is None or idea.is_seen_by(occasion.person)) else None


def _waiting(idea: Idea) -> Message:
    """For an administrator who may not see the idea: only that somebody must be made a member."""
    text = Text(text="The Core Team has no members to tell. Type “admin people” to give somebody the group.")
    return Message(card=Card(title=f"{idea.reference} waits for the Core Team", blocks=(text,)))


@router.message("ideas.received")
async def received(occasion: Occasion) -> Message | None:
    """Tells the Core Team of an idea; kept true while it changes."""
    idea = await ideas.find(occasion.session, int(occasion.args["idea"]))
    if idea is None:
        return None
    person = occasion.person
    if person is not None and not idea.is_seen_by(person):
        return _waiting(idea) if person.administrator else None
    supporters = await support.list_supporters(occasion.session, idea.id)
    mine = person is not None and (idea.author_id == person.id or not core_team.held_by(person))
    take_on = (take_on_button(idea.id),) if idea.needs_assessor and not mine else ()
    blocks = (Text(text=idea.title), facts(idea, supporters))
    card = Card(title=f"{HEADINGS[idea.state]}: {idea.reference}", blocks=blocks, buttons=(*take_on, open_button(idea.id)))
    return Message(card=card, live=_live(idea.id))


@router.message("ideas.thanks")
async def thanks(occasion: Occasion) -> Message | None:
    """Thanks the author, with the number to ask by."""
    idea = await _idea(occasion)
    if idea is None or idea.state is IdeaState.WITHDRAWN:
        return None
    card = Card(
        title=f"Thank you for {idea.reference}",
        blocks=(
            Text(text=f"“{idea.title}” is with the Core Team."),
            Text(text=f"{FOR_AUTHOR} To see it at any time, type “idea {idea.reference}”.", kind="note"),
        ),
        buttons=(open_button(idea.id, "See your idea"),),
    )
    return Message(card=card)


def _when(idea: Idea, occasion: Occasion) -> str:
    """When the author and those with the same need hear what is decided."""
    if idea.due_on is None or idea.due_on < local_day(occasion.now):
        return "You will hear what happens next as soon as it is decided."
    return f"You will hear what happens next by {words.day(idea.due_on)}."


@router.message("ideas.taken_on")
async def taken_on(occasion: Occasion) -> Message | None:
    """Tells the author, and those who have the need too, who has the idea."""
    idea = await _idea(occasion)
    if idea is None or idea.state is not IdeaState.IN_ASSESSMENT or str(idea.assessor_id) != occasion.args["assessor"]:
        return None
    who = Text(text=f"{idea.assessor} of the Core Team is looking at “{idea.title}”.")
    blocks = (who, Text(text=_when(idea, occasion)), _why(idea, occasion))
    return Message(card=Card(title=f"{idea.reference} is in assessment", blocks=blocks, buttons=(_see(idea, occasion),)))


def _what_it_means(idea: Idea) -> str:
    """The outcome in a kind sentence or two."""
    decision = idea.decision
    match idea.state:
        case IdeaState.ACCEPTED:
            return f"“{idea.title}” becomes a project of the hub. Thank you for it."
        case IdeaState.SIGNPOSTED if decision and decision.signpost:
            return f"“{idea.title}” has a better home than the hub: {SIGNPOSTS[decision.signpost]}."
        case IdeaState.ALREADY_EXISTS if decision:
            return f"IDEA-{decision.existing_id} says the same as “{idea.title}”. All who have this need now count there."
        case IdeaState.NOT_NOW:
            return f"“{idea.title}” is a good thought at the wrong time. It is not forgotten."
        case IdeaState.NOT_SUITABLE:
            return f"The hub does not take “{idea.title}” further. Thank you for sharing it: please share the next one too."
        case _:
            return f"The author of “{idea.title}” took it back. If you still need it, share an idea of your own."


@router.message("ideas.decided")
async def outcome(occasion: Occasion) -> Message | None:
    """Tells the author, and those who have the need too, what became of an idea, why, and what happens next."""
    idea = await _idea(occasion)
    if idea is None or idea.state.value != occasion.args["state"]:
        return None
    blocks: list[Block] = [Text(text=_what_it_means(idea))]
    blocks += [Facts(facts=decided(idea.decision))] if idea.decision else []
    blocks.append(_why(idea, occasion))
    buttons: list[Button] = [project_button(idea.project_id)] if idea.project_id else []
    if idea.decision and idea.decision.existing_id:
        buttons.append(open_button(idea.decision.existing_id, f"Open IDEA-{idea.decision.existing_id}"))
    buttons.append(_see(idea, occasion))
    return Message(card=Card(title=f"{idea.reference} {OUTCOMES[idea.state]}", blocks=tuple(blocks), buttons=tuple(buttons)))


@router.message("ideas.still_open", awaited=False)
async def still_open(occasion: Occasion) -> Message | None:
    """Tells an author who has not heard anything for long how their idea stands."""
    idea = await _idea(occasion)
    if idea is None or idea.state not in OPEN:
        return None
    kind, who = "still with the Core Team", "Nobody of the Core Team has taken it on yet."
    if idea.assessor:
        kind, who = "still in assessment", f"{idea.assessor} of the Core Team has it."
    if idea.assessor_left:
        who = f"{idea.assessor}, who had it, has left the Core Team. Somebody else will take it on."
    blocks = (
        Text(text=f"“{idea.title}” is not forgotten. {who}"),
        Text(text="I write at least every 30 days while your idea is open. To stop this, open it and withdraw it.", kind="note"),
    )
    return Message(card=Card(title=f"{idea.reference} is {kind}", blocks=blocks, buttons=(open_button(idea.id, "See your idea"),)))


# -- reminders of the Core Team


async def _for_decider(occasion: Occasion) -> Idea | None:
    """The idea, for somebody who may decide it."""
    idea, person = await _idea(occasion), occasion.person
    return idea if idea and person and core_team.held_by(person) and person.id != idea.author_id else None


@router.nudge("ideas.needs_assessor")
async def needs_assessor(occasion: Occasion) -> Line | None:
    """An idea that nobody has taken on in time."""
    idea = await _for_decider(occasion)
    if idea is None or idea.state is not IdeaState.SUBMITTED:
        return None
    note = f"Shared on {words.day(idea.submitted_at)}. Nobody has taken it on yet."
    return Line(text=f"{idea.reference} needs an assessor: {idea.title}", note=note, button=open_button(idea.id))


@router.nudge("ideas.review_due")
async def review_due(occasion: Occasion) -> Line | None:
    """An idea that was put off until now."""
    idea = await _for_decider(occasion)
    if idea is None or idea.decision is None or idea.decision.review_on is None:
        return None
    note = f"It was put off until {words.day(idea.decision.review_on)}."
    return Line(text=f"Look at {idea.reference} again: {idea.title}", note=note, button=open_button(idea.id))
