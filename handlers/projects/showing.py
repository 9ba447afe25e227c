"""The portfolio, one project's card, its past reports, and following it."""

from __future__ import annotations

from collections.abc import Iterable

from handlers import words
from handlers.errors import Refused
from handlers.paging import Page
from handlers.projects.looking import ALL_PROJECTS, age, button, changes, choose, found, meant, missing, note, standing
from handlers.routing import Request, Router, core_team
from handlers.views import Button, Card, Fact, Facts, Line, Lines, Outcome, Reply, Table, Text
from storage import ideas, projects
from storage.people import Person
from storage.projects import Adoption, Partner, Project, ProjectType, Report
from storage.projects.reports import count_reports, find_report, list_reports

router = Router()

PAGE, REPORTS = 8, 6
TYPES = {
    ProjectType.LOCAL: "Local priority",
    ProjectType.NATIONAL: "National priority: MedTech Funding Mandate (MTFM)",
    ProjectType.PARTNER: "Partner project",
}
ADOPTIONS = {
    Adoption.NOT_STARTED: "Not started",
    Adoption.PREPARING: "Preparing",
    Adoption.USING: "In use at some sites",
    Adoption.ROUTINE: "Part of routine care",
    Adoption.NOT_ADOPTING: "Not adopting",
}


# -- the portfolio


@router.command("status", "see how the hub’s projects stand", usage="status, or status falls", reads=True)
async def status(request: Request) -> Outcome:
    """All projects, or the one that the words mean."""
    if not (text := request.text.strip()):
        return Reply(card=await _portfolio(request, 0))
    hits = await meant(request, text)
    if isinstance(hits, Card):
        return Reply(card=hits)
    if len(hits) > 1:
        return Reply(card=choose(hits, "Open", "projects.open"))
    project = await projects.find(request.session, hits[0].id)
    assert project is not None
    return Reply(card=await card(request, project))


@router.action("projects.page", reads=True)
async def turn_page(request: Request) -> Outcome:
    """Another page of the portfolio, in place of the one before."""
    return Reply(card=await _portfolio(request, request.number("offset")), replaces=True)


async def _portfolio(request: Request, offset: int) -> Card:
    total = await projects.count(request.session)
    adds = core_team.held_by(request.person)
    add = (Button(label="Add a project", action="projects.ask_add", does="ask"),) if adds else ()
    if not total:
        return Card(title="The hub’s projects", blocks=(Text(text="The hub has no projects yet."),), buttons=add)
    page = Page.of(total, offset, size=PAGE)
    shown = await projects.list_projects(request.session, offset=page.offset, limit=PAGE)
    lines = tuple(
        Line(
            text=f"{each.name}: {standing(each)}",
            note=note(each, request.now),
            button=button("Open", "projects.open", each.id),
        )
        for each in shown
    )
    above = Text(text=f"{page.said('project')}. What needs help comes first.", kind="note")
    return Card(title="The hub’s projects", blocks=(above, Lines(lines=lines)), buttons=(*page.turns("projects.page"), *add))


# -- one project


@router.action("projects.open", reads=True)
async def open_project(request: Request) -> Outcome:
    """The card of one project."""
    return Reply(card=await card(request, await found(request)))


async def card(request: Request, project: Project, *above: str) -> Card:
    """All of a project on one card; `above` says what was just done."""
    last = project.last
    heard = f"{age(project, request.now)} by {last.by}." if last else f"{age(project, request.now)}."
    partners = await projects.partners_of(request.session, project.id)
    followers = await projects.followers(request.session, project.id)
    adopted = (_adoption(partners),) if project.type is ProjectType.NATIONAL and partners else ()
    idea, idea_buttons = await _idea(request, project)
    said = (
        *(_told(last) if last else ()),
        ("The need", project.need or "Not stated yet"),
        ("Stage", project.stage.label),
        ("Type", TYPES[project.type]),
        ("Senior responsible officer (SRO)", project.sro or "Nobody yet"),
        ("Lead", project.lead or "Nobody yet"),
        ("Partners", "" if adopted else words.listed([each.name for each in partners]) or "None yet"),
        *idea,
        ("Followed by", words.count(len(followers), "person", "people")),
    )
    lines = [*above, f"{standing(project)}.", heard, *([missing(project)] if missing(project) else [])]
    blocks = (*(Text(text=line) for line in lines), _facts(said), *adopted)
    buttons = (*_buttons(request.person, project, follows=request.person.id in followers), *idea_buttons, ALL_PROJECTS)
    return Card(title=project.name, blocks=blocks, buttons=buttons)


def _facts(said: Iterable[tuple[str, str]]) -> Facts:
    return Facts(facts=tuple(Fact(label=label, value=value) for label, value in said if value))


def _told(report: Report) -> tuple[tuple[str, str], ...]:
    """What a report says that matters to everybody; what it leaves out is empty."""
    milestone = f"{report.milestone} ({words.day(report.milestone_on)})" if report.milestone_on else report.milestone
    return (
        ("Why", report.why),
        ("Path to green", report.path),
        ("Decisions or help needed", report.needed),
        ("Next milestone", milestone),
        ("Top risk or issue", report.risk),
        ("Who looks after the risk", report.risk_owner),
    )


def _adoption(partners: Iterable[Partner]) -> Table:
    rows = tuple((each.name, ADOPTIONS[each.adoption]) for each in partners)
    return Table(columns=("Provider", "How far"), rows=rows, caption="Adoption, provider by provider")


async def _idea(request: Request, project: Project) -> tuple[tuple[tuple[str, str], ...], tuple[Button, ...]]:
    """The idea that a project came from, and the way to it for those who may see it."""
    idea = await ideas.find(request.session, project.idea_id) if project.idea_id else None
    if idea is None:
        return (), ()
    if not idea.is_seen_by(request.person):
        return (("Came from", idea.reference),), ()
    opens = Button(label="Open the idea", action="ideas.open", args={"idea": str(idea.id)})
    return (("Came from", f"{idea.reference}: {idea.title}"),), (opens,)


def _buttons(person: Person, project: Project, *, follows: bool) -> tuple[Button, ...]:
    follow = button("Stop following", "projects.unfollow", project.id) if follows else button("Follow", "projects.follow", project.id)
    history = (button("History", "projects.history", project.id, offset="0"),) if project.last else ()
    if not changes(person, project):
        return (follow, *history)
    update = Button(label="Update", action="projects.ask_update", args={"project": str(project.id)}, style="primary", does="ask")
    adoption = (button("Adoption", "projects.ask_adoption", project.id),) if project.type is ProjectType.NATIONAL else ()
    return (update, follow, *history, button("Edit", "projects.ask_edit", project.id), *adoption)


@router.action("projects.follow")
async def follow(request: Request) -> Outcome:
    """The person hears of every update from now on."""
    project = await found(request)
    await projects.follow(request.session, project.id, request.person.id)
    return Reply(card=await card(request, project, "You follow this project. I will tell you of each update."), replaces=True)


@router.action("projects.unfollow")
async def unfollow(request: Request) -> Outcome:
    """The person hears no more of it."""
    project = await found(request)
    await projects.unfollow(request.session, project.id, request.person.id)
    return Reply(card=await card(request, project, "You no longer follow this project."), replaces=True)


# -- what was reported


@router.action("projects.history", reads=True)
async def history(request: Request) -> Outcome:
    """Past reports, newest first; a page after the first takes the place of the one before."""
    project = await found(request)
    page = Page.of(await count_reports(request.session, project.id), request.number("offset"), size=REPORTS)
    shown = await list_reports(request.session, project.id, offset=page.offset, limit=REPORTS)
    lines = tuple(
        Line(
            text=f"{words.day(each.at)}: {words.rating(each.rag, each.was)}",
            note=words.short(each.why, 200),
            button=Button(label="Read", action="projects.report", args={"report": str(each.id)}),
        )
        for each in shown
    )
    above = Text(text=f"{page.said('report')}, newest first." if lines else "No update yet.", kind="note")
    pages = page.turns("projects.history", {"project": str(project.id)}, back="Newer", more="Older")
    back = button("Back to the project", "projects.open", project.id)
    title = f"History of {project.name}"
    return Reply(card=Card(title=title, blocks=(above, Lines(lines=lines)) if lines else (above,), buttons=(*pages, back)), replaces=True)


@router.action("projects.report", reads=True)
async def read(request: Request) -> Outcome:
    """One report, as it was."""
    report = await find_report(request.session, request.number("report"))
    if report is None:
        raise Refused("I cannot find this report. Type “status” to see all projects.")
    buttons = (button("History", "projects.history", report.project_id, offset="0"), button("Open", "projects.open", report.project_id))
    return Reply(card=report_card(report, f"{report.project}, {words.day(report.at)}", *buttons))


def report_card(report: Report, title: str, *buttons: Button, why: str = "") -> Card:
    """All that a report says; `why`: the reason that it is told."""
    said = (
        *_told(report),
        ("Done this period", report.done),
        ("Next period", report.planned),
        ("Stage", report.stage.label),
        ("Reported by", report.by),
    )
    footer = (Text(text=why, kind="note"),) if why else ()
    return Card(title=title, blocks=(Text(text=f"{words.rating(report.rag, report.was)}."), _facts(said), *footer), buttons=buttons)
