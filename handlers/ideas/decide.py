"""What becomes of an idea: the outcome is chosen first, and each has a short form of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from handlers import words
from handlers.calendar import local_day
from handlers.errors import GONE, Refused
from handlers.ideas import news
from handlers.ideas.card import SIGNPOSTS, STATES, WAITING, about, deciders, find, number_in, open_button, overtaken, project_button
from handlers.routing import Request, Router
from handlers.views import Button, Card, Choice, DateField, Errors, Field, Form, Line, Lines, Option, Outcome, Reply, Text, TextField
from storage import audit, ideas, projects, support
from storage.ideas import OPEN, Decision, Idea, IdeaState, Signpost, Visibility
from storage.projects import NameTaken, ProjectType

router = Router()

YEARS_AHEAD = 5
"""A date further away is a slip of the hand."""
TYPES = {
    ProjectType.LOCAL: "A local priority",
    ProjectType.NATIONAL: "A national priority (MedTech Funding Mandate)",
    ProjectType.PARTNER: "A project of one or more partners",
}
TYPE = Choice(
    name="type",
    label="What kind of project is it?",
    options=tuple(Option(value=type.value, label=label) for type, label in TYPES.items()),
)
PROJECT_NAME = TextField(name="name", label="Name of the project", least=3, most=150)
SRO = TextField(
    name="sro",
    label="Senior responsible officer (SRO)",
    hint="Leave this empty if it is not known yet.",
    required=False,
    most=150,
)
WHERE_TO = Choice(
    name="signpost",
    label="Where to?",
    options=tuple(Option(value=signpost.value, label=label) for signpost, label in SIGNPOSTS.items()),
)
REVIEW = DateField(name="review", label="When do we look at it again?")
EXISTING = TextField(name="existing", label="Which idea says the same?", hint="Its number, such as IDEA-7.", most=20)
REASON = TextField(
    name="reason",
    label="Why?",
    hint="Plain, kind words: the author and all who have this need read them.",
    lines=3,
    least=10,
    most=1000,
)
NEXT = TextField(name="next", label="What happens next?", lines=2, least=5, most=500)
BY = TextField(name="by", label="Who does it?", least=2, most=150)
ON = DateField(name="on", label="By when?")
ON_IF_ANY = DateField(name="on", label="By when?", hint="Leave this empty if nothing is due.", required=False)


@dataclass(frozen=True, kw_only=True)
class Way:
    """One outcome: how it is offered, what its form asks besides the reason and the next step, and how that step begins."""

    label: str
    note: str
    title: str
    asks: tuple[Field, ...] = ()
    next_step: str
    dates: tuple[Field, ...]

    @property
    def fields(self) -> tuple[Field, ...]:
        """All fields of its form."""
        return (*self.asks, REASON, NEXT, BY, *self.dates)


WAYS: Mapping[IdeaState, Way] = {
    IdeaState.ACCEPTED: Way(
        label="Accept",
        note="It becomes a project of the hub.",
        title="Accept the idea",
        asks=(PROJECT_NAME, TYPE, SRO),
        next_step="We ask the people concerned what they need.",
        dates=(ON,),
    ),
    IdeaState.SIGNPOSTED: Way(
        label="Signpost",
        note="Somebody else can take it further.",
        title="Signpost the idea",
        asks=(WHERE_TO,),
        next_step="We put you in touch with them.",
        dates=(ON,),
    ),
    IdeaState.ALREADY_EXISTS: Way(
        label="Already exists",
        note="Another idea says the same. All who have this need are counted there.",
        title="It exists already",
        asks=(EXISTING,),
        next_step="You hear from us what becomes of that idea.",
        dates=(ON_IF_ANY,),
    ),
    IdeaState.NOT_NOW: Way(
        label="Not now",
        note="It is looked at again on a day that you choose.",
        title="Not now",
        next_step="We look at the idea again, and tell you.",
        dates=(REVIEW,),
    ),
    IdeaState.NOT_SUITABLE: Way(
        label="Not suitable",
        note="The hub does not take it further.",
        title="Not suitable",
        next_step="Nothing more for now. You can ask us about it at any time.",
        dates=(ON_IF_ANY,),
    ),
}


async def _undecided(request: Request) -> Idea:
    """The idea that waits for its decision; raises Refused, saying what became of it, where it does not."""
    idea = await find(request, request.number("idea"))
    if idea.state not in OPEN:
        raise await overtaken(request, idea.id)
    return idea


def _chosen(request: Request) -> IdeaState:
    """The outcome that a button or form names; raises Refused where it names none of ours."""
    chosen = next((state for state in WAYS if state.value == request.args.get("outcome")), None)
    if chosen is None:
        raise Refused(GONE)
    return chosen


@router.action("ideas.choose_outcome", may=deciders, reads=True)
async def choose(request: Request) -> Outcome:
    """All outcomes, each with the button that opens its form."""
    idea = await _undecided(request)
    lines = tuple(
        Line(
            text=way.label,
            note=way.note,
            button=Button(label=way.label, action="ideas.ask_decide", args={**about(idea.id), "outcome": state.value}, does="ask"),
        )
        for state, way in WAYS.items()
    )
    what = Text(text=f"“{idea.title}”, from {idea.author}.")
    return Reply(card=Card(title=f"What becomes of {idea.reference}?", blocks=(what, Lines(lines=lines)), buttons=(open_button(idea.id),)))


async def _decide_form(request: Request) -> Form:
    idea, state = await _undecided(request), _chosen(request)
    way = WAYS[state]
    blocks = [Text(text=f"{idea.reference}: {idea.title}")]
    if state is IdeaState.ACCEPTED and idea.visibility is Visibility.CORE_TEAM:
        blocks.append(
            Text(text="This idea is for the Core Team only. Its title and need become a project that everyone in the hub can see.")
        )
    name = {"name": idea.title} if PROJECT_NAME in way.fields else {}
    return Form(
        action="ideas.decide",
        title=way.title,
        fields=way.fields,
        submit="Send",
        args={**about(idea.id), "outcome": state.value},
        blocks=tuple(blocks),
        values={**name, "next": way.next_step, "by": request.person.name},
    )


@router.action("ideas.ask_decide", may=deciders, reads=True)
async def ask_decide(request: Request) -> Outcome:
    """The form of one outcome."""
    return await _decide_form(request)


def _day(request: Request, name: str) -> date | None:
    text = request.one(name)
    return date.fromisoformat(text) if text else None


def _wrong_dates(request: Request) -> Errors:
    """What is wrong with the days: one of them is past, or so far away that it must be a slip."""
    today = local_day(request.now)
    errors = {}
    for name, first in (("on", 0), ("review", 1)):
        day = _day(request, name)
        if day and (day - today).days < first:
            errors[name] = "Choose a day after today." if first else "Choose today or a later day."
        elif day and day.year > today.year + YEARS_AHEAD:
            errors[name] = f"Choose a day in the next {words.count(YEARS_AHEAD, 'year')}."
    return errors


async def _existing(request: Request, idea: Idea) -> Idea | str:
    """The idea that says the same, held as it is; or what is wrong with the number."""
    id = number_in(request.one("existing"))
    if id is None:
        return "Write its number, such as IDEA-7."
    if id == idea.id:
        return "This is the idea itself. Write the number of the other one."
    await ideas.hold(request.session, idea.id, id)
    existing = await ideas.find(request.session, id)
    if existing is None:
        return f"I cannot find IDEA-{id}. Check the number."
    if existing.state is IdeaState.WITHDRAWN:
        return f"{existing.reference} was withdrawn by its author. Choose another idea or another outcome."
    if existing.state is IdeaState.NOT_SUITABLE:
        return f"{existing.reference} is not taken further. Choose another idea or another outcome."
    if existing.decision and existing.decision.existing_id:
        return f"{existing.reference} itself says the same as IDEA-{existing.decision.existing_id}. Write that number."
    alone = idea.visibility is Visibility.CORE_TEAM and idea.author_id == existing.author_id
    if existing.visibility is Visibility.CORE_TEAM and not alone:
        return (
            f"{existing.reference} is for the Core Team only, so the people of {idea.reference} could not see it. Choose another outcome."
        )
    return existing


@router.form("ideas.decide", _decide_form, may=deciders)
async def decide(request: Request) -> Outcome:
    """Decides the idea, does what that brings, and tells all concerned."""
    form, idea, state = await _decide_form(request), await _undecided(request), _chosen(request)
    errors = dict(_wrong_dates(request))
    existing = await _existing(request, idea) if state is IdeaState.ALREADY_EXISTS else None
    if isinstance(existing, str):
        errors["existing"] = existing
    if errors or isinstance(existing, str):
        return form.refused(errors, request)
    decision = _decision(request, state, existing)
    if not await ideas.decide(request.session, idea.id, decision, by_id=request.person.id, now=request.now):
        raise await overtaken(request, idea.id)
    try:
        brought = await _carry_out(request, idea, state, existing)
    except NameTaken:
        return form.refused({"name": "There is a project with this name. Use another name."}, request)
    detail = {"outcome": state.value, **brought}
    await audit.add(request.session, now=request.now, action="ideas.decided", object=f"idea:{idea.id}", by=request.person.id, detail=detail)
    await news.tell_core_team(request, idea.id, "decided")
    number = await news.tell_outcome(request, idea, state)
    return Reply(card=_done(idea, state, number, brought.get("project")), reference=idea.reference)


def _decision(request: Request, state: IdeaState, existing: Idea | None) -> Decision:
    signpost = request.one("signpost")
    return Decision(
        state=state,
        reason=request.one("reason"),
        next_step=request.one("next"),
        next_by=request.one("by"),
        next_on=_day(request, "on"),
        review_on=_day(request, "review"),
        signpost=Signpost(signpost) if signpost else None,
        existing_id=existing.id if existing else None,
    )


async def _carry_out(request: Request, idea: Idea, state: IdeaState, existing: Idea | None) -> Mapping[str, str]:
    """The project of an accepted idea, or the supporters of one that was there already; returns references for the audit."""
    if state is IdeaState.ACCEPTED:
        project_id = await projects.add(
            request.session,
            name=request.one("name"),
            type=ProjectType(request.one("type")),
            need=idea.need,
            sro=request.one("sro"),
            organisation_ids=(idea.organisation_id,) if idea.organisation_id else (),
            idea_id=idea.id,
            now=request.now,
        )
        await ideas.link_project(request.session, idea.id, project_id)
        return {"project": str(project_id)}
    if existing is not None:
        await support.carry_over(request.session, idea, existing, now=request.now)
        await news.tell_core_team(request, existing.id, "joined")
        return {"existing": str(existing.id)}
    return {}


def _done(idea: Idea, state: IdeaState, supporters: int, project: str | None) -> Card:
    """What the decider sees."""
    others = f" and {words.count(supporters, 'person', 'people')} with the same need" if supporters else ""
    blocks = (Text(text=f"{STATES[state]}."), Text(text=f"Its author{others} will be told, with your reason and what happens next."))
    opens = (project_button(int(project)),) if project else ()
    return Card(title=f"{idea.reference} is decided", blocks=blocks, buttons=(*opens, open_button(idea.id), WAITING))
