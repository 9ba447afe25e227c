"""What the rooms of this topic share: who may change a project, which one is meant, how it stands."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from handlers import words
from handlers.errors import Refused
from handlers.projects import finding
from handlers.routing import Request, Right, core_team
from handlers.views import Button, Card, Line, Lines, Text
from storage import projects
from storage.people import Person
from storage.projects import Named, Project

MOST_FOUND = 8
MOVING = "Somebody changed the stage at this moment. Send again."
ALL_PROJECTS = Button(label="All projects", action="projects.page", args={"offset": "0"})


def changes(person: Person, project: Project) -> bool:
    """Whether somebody may report on a project and edit it."""
    return project.lead_id == person.id or core_team.held_by(person)


async def found(request: Request, *, held: bool = False) -> Project:
    """The project that the arguments name, kept as it is where it is `held`; raises Refused where there is none."""
    id = request.number("project")
    if held:
        await projects.hold(request.session, id)
    project = await projects.find(request.session, id)
    if project is None:
        raise Refused("I cannot find this project. Type “status” to see all projects.")
    return project


async def _changes(request: Request) -> bool:
    return changes(request.person, await found(request))


its_team = Right(phrase="the project’s lead and the Core Team", over=_changes)


def moved(project: Project, request: Request) -> str:
    """What to say where the project is in another stage than when the form was opened; "" where it is not."""
    if request.args.get("seen", project.stage.key) == project.stage.key:
        return ""
    return f"The stage became “{project.stage.label}” meanwhile. Check it, then send again."


def button(label: str, action: str, id: int, **more: str) -> Button:
    """A button about one project."""
    asks = action.rpartition(".")[2].startswith("ask_")
    return Button(label=label, action=action, args={"project": str(id), **more}, does="ask" if asks else "act")


def standing(project: Project) -> str:
    """How a project stands, in words."""
    if project.last is None:
        return project.stage.label if project.stage.halted else "Not rated yet"
    rating = words.rating(project.last.rag, project.last.was)
    return f"{project.stage.label}. Last rated {rating}" if project.stage.halted else rating


def age(project: Project, now: datetime) -> str:
    """How old a project's last update is."""
    return f"Updated {words.ago(project.last.at, now)}" if project.last else "No update yet"


def missing(project: Project) -> str:
    """What makes a project incomplete, as a sentence; "" where nothing does."""
    lacks = [*(() if project.sro else ("senior responsible officer (SRO)",)), *(() if project.need else ("stated need",))]
    return f"Incomplete: no {words.listed(lacks, 'and no')}." if lacks else ""


def note(project: Project, now: datetime) -> str:
    """What stands under a project's name in a list."""
    stage = "" if project.stage.halted else f"{project.stage.label}. "
    return f"{stage}{age(project, now)}. {missing(project)}".rstrip()


async def meant(request: Request, text: str) -> tuple[Named, ...] | Card:
    """The projects that the words may mean, or what to say where there is none."""
    known = await projects.list_names(request.session)
    if hits := finding.best(text, known):
        return hits
    near = finding.nearest(text, known)
    title = f"I found no project like “{words.short(text, 60)}”"
    if near is None:
        return Card(title=title, blocks=(Text(text="The hub has no projects yet."),))
    line = Line(text=near.name, button=button("Open", "projects.open", near.id))
    return Card(title=title, blocks=(Text(text="The nearest is this one."), Lines(lines=(line,))), buttons=(ALL_PROJECTS,))


def choose(named: Collection[Named], label: str, action: str) -> Card:
    """Asks which of several projects is meant."""
    lines = tuple(Line(text=each.name, button=button(label, action, each.id)) for each in tuple(named)[:MOST_FOUND])
    more = len(named) - len(lines)
    rest = (Text(text=f"And {words.number(more)} more. Type more of the name to find them.", kind="note"),) if more else ()
    return Card(title="Which project do you mean?", blocks=(Lines(lines=lines), *rest), buttons=(ALL_PROJECTS,))
