"""The monthly update: asked for when it is due, kept as a report, told to those who follow the project."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from handlers import words
from handlers.calendar import local_day
from handlers.paging import Page
from handlers.projects.looking import ALL_PROJECTS, MOVING, age, button, changes, choose, found, its_team, meant, moved, note, standing
from handlers.projects.showing import report_card
from handlers.routing import NotAllowed, Occasion, Request, Router, core_team
from handlers.views import (
    Card,
    Choice,
    DateField,
    Form,
    Line,
    Lines,
    Message,
    Option,
    Outcome,
    Reply,
    Text,
    TextField,
    Value,
    paragraphs,
    says,
)
from storage import audit, outbox, projects
from storage.outbox import Notice
from storage.people import Group
from storage.projects import PAUSED, STAGES, Highlights, Project, Rag, Stage
from storage.projects.reports import find_report

router = Router()

PAGE = 8
NEWER = "Another update was sent after you opened this. It is shown here. Check what you typed, then send again."
NEEDS_PATH = (Rag.AMBER, Rag.RED)
FIELDS = (
    Choice(
        name="rag",
        label="How sure are you that it delivers?",
        options=tuple(Option(value=rag, label=label) for rag, label in words.RATINGS.items()),
    ),
    TextField(name="why", label="Why", hint="In a sentence or two, as it is.", lines=3, least=3, most=1000),
    TextField(
        name="path",
        label="Path to green",
        hint="For Amber and Red: how it gets back on track, and by when.",
        required=False,
        lines=3,
        most=1000,
    ),
    TextField(name="done", label="Done this period", lines=3, least=3, most=1500),
    TextField(name="planned", label="Next period", required=False, lines=3, most=1500),
    TextField(name="needed", label="Decisions or help needed", required=False, lines=2, most=1000),
    TextField(name="milestone", label="Next milestone", required=False, most=200),
    DateField(name="milestone_on", label="Date of the milestone", required=False),
    TextField(name="risk", label="Top risk or issue", required=False, lines=2, most=500),
    TextField(name="risk_owner", label="Who looks after the risk", hint="A role or a team.", required=False, most=150),
    Choice(name="stage", label="Stage", options=tuple(Option(value=stage.key, label=stage.label) for stage in STAGES)),
)


# -- which project


@router.command("update", "say how a project of yours stands", usage="update, or update falls", asks=True)
async def update(request: Request) -> Outcome:
    """The form for the project that the words mean, or for the person's own; a choice where there are several."""
    if text := request.text.strip():
        hits = await meant(request, text)
        if isinstance(hits, Card):
            return Reply(card=hits)
        if len(hits) > 1:
            return Reply(card=choose(hits, "Update", "projects.ask_update"))
        return await _for_one(request, hits[0].id)
    mine = await projects.list_projects(request.session, led_by=request.person.id, limit=2)
    if len(mine) == 1:
        return await _for_one(request, mine[0].id)
    if mine or core_team.held_by(request.person):
        return Reply(card=await _mine(request, 0))
    return says("You do not lead a project", "Its lead or the Core Team updates a project.", buttons=(ALL_PROJECTS,))


async def _for_one(request: Request, id: int) -> Outcome:
    project = await projects.find(request.session, id)
    assert project is not None
    if not changes(request.person, project):
        raise NotAllowed(request.person, its_team)
    return await _form(request, project)


@router.action("projects.mine", reads=True)
async def turn_page(request: Request) -> Outcome:
    """Another page of the projects to update."""
    return Reply(card=await _mine(request, request.number("offset")), replaces=True)


async def _mine(request: Request, offset: int) -> Card:
    """The projects that somebody leads; for the Core Team, who lead none, all of them."""
    whose: int | None = request.person.id
    if not (total := await projects.count(request.session, led_by=whose)) and core_team.held_by(request.person):
        whose, total = None, await projects.count(request.session)
    page = Page.of(total, offset, size=PAGE)
    shown = await projects.list_projects(request.session, led_by=whose, offset=page.offset, limit=PAGE)
    lines = tuple(
        Line(text=f"{each.name}: {standing(each)}", note=note(each, request.now), button=button("Update", "projects.ask_update", each.id))
        for each in shown
    )
    above = Text(text=page.said("project") if lines else "There is no project to update.", kind="note")
    blocks = (above, Lines(lines=lines)) if lines else (above,)
    return Card(title="Which project do you want to update?", blocks=blocks, buttons=page.turns("projects.mine"))


# -- the report


async def _update_form(request: Request) -> Form:
    return await _form(request, await found(request))


async def _form(request: Request, project: Project) -> Form:
    """The form with the last report's words; what was planned then is offered as done now."""
    start: dict[str, Value] = {"stage": "" if project.stage.halted else project.stage.key}
    if last := project.last:
        ahead = last.milestone_on and last.milestone_on >= local_day(request.now)
        start |= {
            "rag": last.rag.value,
            "why": last.why,
            "path": last.path,
            "done": last.planned,
            "needed": last.needed,
            "milestone": last.milestone,
            "milestone_on": last.milestone_on.isoformat() if last.milestone_on and ahead else "",
            "risk": last.risk,
            "risk_owner": last.risk_owner,
        }
    above = [Text(text=f"{project.name}. {standing(project)}. {age(project, request.now)}.")]
    if last:
        above.append(
            Text(text="The words of the last update are filled in. What was planned stands under “Done this period”.", kind="note")
        )
    if project.stage.halted:
        above.append(Text(text=_HALTED.format(stage=project.stage.label)))
    args = {"project": str(project.id), "seen": project.stage.key, "last": _last(project)}
    return Form(action="projects.update", title="Project update", fields=FIELDS, args=args, blocks=tuple(above), values=start)


def _last(project: Project) -> str:
    """What a form carries of the update that it was filled with."""
    return str(project.last.id) if project.last else "0"


_HALTED = "This project takes no updates now: {stage}. To go on, choose the stage it is in."


@router.action("projects.ask_update", may=its_team, reads=True)
async def ask_update(request: Request) -> Outcome:
    """The form for one project."""
    return await _update_form(request)


def _said(request: Request) -> Highlights:
    on = request.one("milestone_on")
    texts = {name: request.one(name) for name in ("why", "path", "done", "planned", "needed", "milestone", "risk", "risk_owner")}
    milestone_on = date.fromisoformat(on) if on else None
    return Highlights(rag=Rag(request.one("rag")), stage=Stage.of(request.one("stage")), milestone_on=milestone_on, **texts)


def _wrong(said: Highlights, project: Project, request: Request) -> dict[str, str]:
    """What only this topic can judge: field name to sentence."""
    checks = (
        ("path", said.rag in NEEDS_PATH and not said.path, "Say how it gets back to green, and by when."),
        ("milestone", said.milestone_on and not said.milestone, "Say what the milestone is, or take its date away."),
        ("milestone_on", said.milestone and not said.milestone_on, "Enter a date for the milestone."),
        ("milestone_on", said.milestone_on and said.milestone_on < local_day(request.now), "Enter today or a later day."),
        ("risk", said.risk_owner and not said.risk, "Say what the risk is, or take its owner away."),
        ("risk_owner", said.risk and not said.risk_owner, "Say who looks after the risk."),
        ("rag", said.stage == PAUSED and said.rag is not Rag.GREY, f"A paused project is Grey. Choose “{words.RATINGS[Rag.GREY]}”."),
        ("stage", said.rag is Rag.GREY and said.stage != PAUSED, f"Grey means paused. Choose the stage “{PAUSED.label}”."),
        ("stage", project.stage.halted and said.stage == project.stage, _HALTED.format(stage=project.stage.label)),
        ("", moved(project, request), moved(project, request)),
    )
    return {field: sentence for field, is_wrong, sentence in checks if is_wrong}


@router.form("projects.update", _update_form, may=its_team)
async def keep(request: Request) -> Outcome:
    """Keeps the report beside the older ones and tells those who follow the project."""
    project = await found(request, held=True)
    said = _said(request)
    form, wrong = await _form(request, project), _wrong(said, project, request)
    if project.last and request.args.get("last", _last(project)) != _last(project):
        newer = report_card(project.last, f"{project.last.by} sent this update meanwhile")
        shown = (*form.blocks, Text(text=newer.title, kind="heading"), *newer.blocks)
        return replace(form, blocks=shown).refused({"": NEWER, **wrong}, request)
    if wrong:
        return form.refused(wrong, request)
    id = await projects.report(request.session, project, said, by_id=request.person.id, now=request.now)
    if id is None:
        return form.refused({"": MOVING}, request)
    await audit.add(
        request.session, now=request.now, action="projects.update", object=f"project:{project.id}", by=request.person.id,
        detail={"report": str(id), "rag": said.rag, "stage": said.stage.key},
    )  # fmt: skip
    await _tell(request, project.id, id)
    was = project.last.rag if project.last else None
    texts = (f"{words.rating(said.rag, was)}.", *_then(said), "Those who follow the project and the Core Team are told.")
    buttons = (button("Open", "projects.open", project.id), button("History", "projects.history", project.id, offset="0"))
    card = Card(title=f"{project.name} is updated", blocks=paragraphs(*texts), buttons=buttons)
    return Reply(card=card, reference=project.name)


def _then(said: Highlights) -> tuple[str, ...]:
    """What the report means for the updates to come."""
    if said.rag is Rag.BLUE:
        return ("The project is complete. I will not ask for more updates.",)
    if said.stage.halted:
        return (f"{said.stage.label}. I will not ask for updates until it goes on.",)
    return ("I will ask for the next update in a month.",) if said.stage.asked else ()


async def _tell(request: Request, project_id: int, report_id: int) -> None:
    """One message for each follower and for the Core Team's place.

    Where the Core Team has no place, the outbox tells each member under the same key, so a member who follows is told once.
    """
    key = f"project:{project_id}:report:{report_id}"
    place = Notice(key=key, kind="projects.updated", group=Group.CORE_TEAM, args={"report": str(report_id)})
    others = sorted(await projects.followers(request.session, project_id) - {request.person.id})
    await outbox.enqueue(request.session, place, *(place.for_member(id) for id in others), due_at=request.now)


@router.message("projects.updated")
async def updated(occasion: Occasion) -> Message | None:
    """What the report says, to a follower or the Core Team."""
    report = await find_report(occasion.session, int(occasion.args["report"]))
    if report is None:
        return None
    open_it = button("Open", "projects.open", report.project_id)
    title, person = f"An update on {report.project}", occasion.person
    if person is not None and person.id in await projects.followers(occasion.session, report.project_id):
        stop = button("Stop following", "projects.unfollow", report.project_id)
        return Message(card=report_card(report, title, open_it, stop, why="You are told because you follow this project."))
    if person is not None and not person.administrator and not core_team.held_by(person):
        return None
    return Message(card=report_card(report, title, open_it, why="The Core Team is told of every update."))


@router.nudge("projects.update_due")
async def update_due(occasion: Occasion) -> Line | None:
    """Asks for the monthly update, unless it came or is no longer expected from this person."""
    project = await projects.find(occasion.session, int(occasion.args["project"]))
    assert occasion.person is not None
    if project is None or project.is_complete or not project.stage.asked or not changes(occasion.person, project):
        return None
    if project.counted_from.isoformat() != occasion.args["since"]:
        return None
    text = f"{project.name}: its monthly update is due"
    return Line(text=text, note=f"{age(project, occasion.now)}.", button=button("Update", "projects.ask_update", project.id))
