"""An idea as it is shown: to whom, in which words, with which buttons."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from handlers import words
from handlers.errors import Refused
from handlers.routing import Request, Right, Router, core_team
from handlers.views import Args, Block, Button, Card, Fact, Facts, Outcome, Reply, Text
from storage import ideas, support
from storage.ideas import OPEN, WITHDRAWABLE, Decision, Idea, IdeaState, Signpost, Visibility
from storage.people import Person
from storage.support import Supporter

router = Router()

NAMED = 10
"""How many supporters the Core Team sees by name."""
SUPPORTABLE = (*OPEN, IdeaState.NOT_NOW, IdeaState.ACCEPTED)
STATES = {
    IdeaState.SUBMITTED: "Submitted: the Core Team will look at it",
    IdeaState.IN_ASSESSMENT: "In assessment: the Core Team is looking at it",
    IdeaState.ACCEPTED: "Accepted: it became a project",
    IdeaState.SIGNPOSTED: "Passed on to those who can take it further",
    IdeaState.ALREADY_EXISTS: "There already: another idea says the same",
    IdeaState.NOT_NOW: "Not now: the Core Team will look at it again",
    IdeaState.NOT_SUITABLE: "Not taken further",
    IdeaState.WITHDRAWN: "Withdrawn by its author",
}
SIGNPOSTS = {
    Signpost.QUALITY_IMPROVEMENT: "Quality improvement",
    Signpost.RESEARCH: "Research",
    Signpost.CLINICAL_AUDIT: "Clinical audit",
    Signpost.PARTNER: "A partner organisation",
    Signpost.INNOVATION_SERVICE: "The NHS Innovation Service",
    Signpost.MTFM: "The MedTech Funding Mandate (MTFM)",
}
VISIBLE_TO = {Visibility.HUB: "Everyone in the hub", Visibility.CORE_TEAM: "The Core Team and its author"}


def number_in(text: str) -> int | None:
    """42 in “IDEA-42”, “idea 42”, “#42” or “42”."""
    named = re.fullmatch(r"(?:idea)?[-\s#]*([0-9]{1,9})", text.strip(), re.IGNORECASE)
    return int(named[1]) if named else None


async def find(request: Request, id: int) -> Idea:
    """The idea, to those who may see it; raises Refused without telling whether it exists."""
    idea = await ideas.find(request.session, id)
    if idea is None or not idea.is_seen_by(request.person):
        raise Refused(f"I cannot find IDEA-{id}, or it is not shared with you. Check the number, or type “ideas” to see yours.")
    return idea


async def _is_author(request: Request) -> bool:
    idea = await ideas.find(request.session, request.number("idea"))
    return idea is not None and idea.author_id == request.person.id


async def _is_not_author(request: Request) -> bool:
    return not await _is_author(request)


author = Right(phrase="the idea’s author", over=_is_author)
others = Right(phrase="everybody but the idea’s author", over=_is_not_author)
deciders = Right(phrase="a Core Team member who is not the idea’s author", held_by=core_team.held_by, over=_is_not_author)


def about(id: int) -> Args:
    """What a button, form or message about an idea refers to."""
    return {"idea": str(id)}


def open_button(id: int, label: str = "Open") -> Button:
    """Shows the idea."""
    return Button(label=label, action="ideas.open", args=about(id))


def take_on_button(id: int) -> Button:
    """Makes whoever presses it the assessor."""
    return Button(label="Take it on", action="ideas.take_on", args=about(id), style="primary")


def project_button(id: int) -> Button:
    """Shows what an idea became."""
    return Button(label="Open the project", action="projects.open", args={"project": str(id)})


WAITING = Button(label="All that waits", action="ideas.triage_page", args={"offset": "0"})
MINE = Button(label="My ideas", action="ideas.page", args={"offset": "0"})


def decided(decision: Decision) -> tuple[Fact, ...]:
    """Why, and what happens next, by whom and by when."""
    said = (
        ("Passed on to", decision.signpost and SIGNPOSTS[decision.signpost]),
        ("The same as", decision.existing_id and f"IDEA-{decision.existing_id}"),
        ("Why", decision.reason),
        ("What happens next", decision.next_step),
        ("Who does it", decision.next_by),
        ("By when", decision.next_on and words.day(decision.next_on)),
        ("Looked at again on", decision.review_on and words.day(decision.review_on)),
    )
    return tuple(Fact(label=label, value=value) for label, value in said if value)


def _shared_need(supporters: Sequence[Supporter], person: Person | None) -> str:
    """“3 people of 2 organisations, and you are one of them”."""
    organisations = {each.organisation for each in supporters} - {None}
    people = words.count(len(supporters), "person", "people")
    of = f" of {words.count(len(organisations), 'organisation')}" if organisations else ""
    mine = person is not None and any(each.person_id == person.id for each in supporters)
    return f"{people}{of}{', and you are one of them' if mine else ''}"


def _name(supporter: Supporter) -> str:
    organisation = supporter.organisation or ""
    return supporter.name if organisation in supporter.name else f"{supporter.name} ({organisation})"


def _names(supporters: Sequence[Supporter]) -> str:
    more = len(supporters) - NAMED
    return "; ".join([*map(_name, supporters[:NAMED]), *([f"and {words.number(more)} more"] if more > 0 else [])])


def facts(idea: Idea, supporters: Sequence[Supporter], person: Person | None = None) -> Facts:
    """What is known of an idea, where it stands first; who supports it is told to a person of the Core Team only."""
    assessed = idea.state is IdeaState.IN_ASSESSMENT
    said = (
        ("State", STATES[idea.state]),
        ("Who has it", _holder(idea) if assessed else None),
        ("To be decided by", words.day(idea.due_on) if assessed and idea.due_on else None),
        *((fact.label, fact.value) for fact in (decided(idea.decision) if idea.decision else ())),
        ("Decided by", f"{idea.decided_by}, on {words.day(idea.decided_at)}" if idea.decision and idea.decided_at else None),
        ("The need", idea.need),
        ("The idea", idea.proposal or "A problem with no idea yet"),
        ("Who has this need too", _shared_need(supporters, person) if supporters else None),
        ("Their names", _names(supporters) if supporters and person is not None and core_team.held_by(person) else None),
        ("Where", idea.organisation or "Not said"),
        ("From", idea.author),
        ("Shared", words.day(idea.submitted_at)),
        ("Who may see it", VISIBLE_TO[idea.visibility]),
    )
    return Facts(facts=tuple(Fact(label=label, value=value) for label, value in said if value))


def _holder(idea: Idea) -> str | None:
    return f"Nobody now: {idea.assessor} has left the Core Team" if idea.assessor_left else idea.assessor


def _deciding(idea: Idea) -> tuple[Button, ...]:
    """What a Core Team member can do with somebody else's idea."""
    match idea.state:
        case IdeaState.IN_ASSESSMENT if not idea.assessor_left:
            return (Button(label="Decide", action="ideas.choose_outcome", args=about(idea.id), style="primary"),)
        case IdeaState.SUBMITTED | IdeaState.IN_ASSESSMENT:
            return (take_on_button(idea.id), Button(label="Decide", action="ideas.choose_outcome", args=about(idea.id)))
        case IdeaState.NOT_NOW:
            return (Button(label="Look at it again", action="ideas.take_again", args=about(idea.id)),)
        case _:
            return ()


def _supporting(idea: Idea, supporters: Sequence[Supporter], person: Person) -> tuple[Button, ...]:
    if any(each.person_id == person.id for each in supporters):
        return (Button(label="Take my support back", action="ideas.unsupport", args=about(idea.id)),)
    if idea.state not in SUPPORTABLE:
        return ()
    style: Literal["plain", "primary"] = "plain" if core_team.held_by(person) else "primary"
    return (Button(label="We have this need too", action="ideas.support", args=about(idea.id), style=style),)


def _buttons(idea: Idea, supporters: Sequence[Supporter], person: Person) -> tuple[Button, ...]:
    mine = idea.author_id == person.id
    existing = idea.decision.existing_id if idea.decision else None
    withdraw = Button(label="Withdraw", action="ideas.ask_withdraw", args=about(idea.id), style="danger", does="ask")
    return (
        *(_deciding(idea) if core_team.held_by(person) and not mine else ()),
        *((withdraw,) if mine and idea.state in WITHDRAWABLE else ()),
        *((project_button(idea.project_id),) if idea.project_id else ()),
        *((open_button(existing, f"Open IDEA-{existing}"),) if existing else ()),
        *(() if mine else _supporting(idea, supporters, person)),
        WAITING if core_team.held_by(person) else MINE,
    )


async def card(request: Request, idea: Idea, *said: str) -> Card:
    """The card of an idea that the person may see, under what is to be said first."""
    supporters = await support.list_supporters(request.session, idea.id)
    blocks: tuple[Block, ...] = (*(Text(text=each) for each in said), facts(idea, supporters, request.person))
    return Card(title=f"{idea.reference}: {idea.title}", blocks=blocks, buttons=_buttons(idea, supporters, request.person))


async def overtaken(request: Request, id: int) -> Refused:
    """Who was quicker, and what became of the idea."""
    idea = await find(request, id)
    match idea.state:
        case IdeaState.IN_ASSESSMENT if idea.assessor_id == request.person.id:
            said = f"You have {idea.reference} already."
        case IdeaState.IN_ASSESSMENT:
            said = f"{idea.assessor} has already taken {idea.reference} on."
        case IdeaState.WITHDRAWN:
            said = f"{idea.reference} was already withdrawn by its author."
        case IdeaState.SUBMITTED:
            said = f"{idea.reference} is new: nobody has decided it yet."
        case _:
            said = f"{idea.decided_by} has already decided {idea.reference}. {STATES[idea.state]}."
    return Refused(f"{said} To see it, type “idea {idea.reference}”.")


@router.action("ideas.open", reads=True)
async def open_idea(request: Request) -> Outcome:
    """The card of one idea."""
    return Reply(card=await card(request, await find(request, request.number("idea"))))
