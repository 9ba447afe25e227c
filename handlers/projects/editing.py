"""Adding a project, changing what it is, and how far each provider is with a national product."""

from __future__ import annotations

from dataclasses import dataclass

from handlers import forms
from handlers.errors import Refused
from handlers.projects.looking import found, its_team
from handlers.projects.showing import ADOPTIONS, TYPES, card
from handlers.routing import Request, Router, core_team
from handlers.views import Choice, Form, Option, Outcome, PersonField, Reply, Text, TextField, Value
from storage import audit, people, projects
from storage.projects import STAGES, Adoption, NameTaken, Project, ProjectType, Stage

router = Router()

NOBODY = "none"
NAME_TAKEN = "There is a project with this name. Use another name."
NAME = TextField(name="name", label="Name", least=3, most=150)
TYPE = Choice(name="type", label="Type", options=tuple(Option(value=type, label=label) for type, label in TYPES.items()))
NEED = TextField(
    name="need",
    label="What need does it meet, and for whom?",
    hint="The actual need of a group of people. Never name a person.",
    required=False,
    lines=4,
    most=2000,
)
SRO = TextField(name="sro", label="Senior responsible officer (SRO)", hint="Who answers for it, and where.", required=False, most=150)
STAGE = Choice(name="stage", label="Stage", options=tuple(Option(value=stage.key, label=stage.label) for stage in STAGES))


@dataclass(frozen=True, kw_only=True)
class _Outline:
    """What the form says a project is."""

    name: str
    type: ProjectType
    need: str
    sro: str
    lead_id: int | None
    organisation_ids: frozenset[int]
    stage: Stage


def _outline(request: Request) -> _Outline:
    lead = request.one("lead")
    return _Outline(
        name=request.one("name"),
        type=ProjectType(request.one("type")),
        need=request.one("need"),
        sro=request.one("sro"),
        lead_id=None if lead == NOBODY else int(lead),
        organisation_ids=frozenset(int(id) for id in request.many("partners") if id),
        stage=Stage.of(request.one("stage")),
    )


async def _form(request: Request, action: str, title: str) -> Form:
    """The fields of a project, for a new one."""
    everybody = await people.list_people(request.session)
    organisations = await people.list_organisations(request.session)
    nobody = Option(value=NOBODY, label="Nobody yet")
    lead = PersonField(
        name="lead",
        label="Lead",
        hint="Makes the monthly updates.",
        options=(nobody, *(Option(value=str(each.id), label=each.name) for each in everybody)),
    )
    partners = Choice(
        name="partners",
        label="Partners",
        hint="For a national product: the providers.",
        options=tuple(Option(value=str(each.id), label=each.name) for each in organisations),
        required=False,
        many=True,
    )
    fields = (NAME, TYPE, NEED, SRO, lead, *((partners,) if organisations else ()), STAGE)
    return Form(action=action, title=title, fields=fields, submit="Save", values={"lead": NOBODY, "stage": STAGES[0].key})


# -- adding


async def _add_form(request: Request) -> Form:
    return await _form(request, "projects.add", "Add a project")


@router.command("projects add", "add a project", may=core_team, asks=True)
async def start(request: Request) -> Outcome:
    """The form for a new project, with the name that was typed."""
    form = await _add_form(request)
    return form.filled({"name": request.text.strip()}) if request.text.strip() else form


@router.action("projects.ask_add", may=core_team, reads=True)
async def ask_add(request: Request) -> Outcome:
    """The form for a new project."""
    return await _add_form(request)


@router.form("projects.add", _add_form, may=core_team)
async def add(request: Request) -> Outcome:
    """Adds the project; its lead follows it."""
    try:
        id = await projects.add(request.session, **vars(_outline(request)), now=request.now)
    except NameTaken:
        return (await _add_form(request)).refused({"name": NAME_TAKEN}, request)
    await audit.add(request.session, now=request.now, action="projects.add", object=f"project:{id}", by=request.person.id)
    return await _saved(request, id, "The project is added.")


async def _saved(request: Request, id: int, said: str) -> Reply:
    project = await projects.find(request.session, id)
    assert project is not None
    return Reply(card=await card(request, project, said), reference=project.name)


# -- editing


async def _edit_form(request: Request) -> Form:
    return await _edit_form_of(request, await found(request))


async def _edit_form_of(request: Request, project: Project) -> Form:
    form = await _form(request, "projects.edit", "Edit the project")
    args = {"project": str(project.id)}
    values: dict[str, Value] = {
        "name": project.name,
        "type": project.type.value,
        "need": project.need,
        "sro": project.sro,
        "lead": str(project.lead_id) if project.lead_id else NOBODY,
        "partners": tuple(str(each.organisation_id) for each in await projects.partners_of(request.session, project.id)),
        "stage": project.stage.key,
    }
    return forms.marked(Form(action=form.action, title=form.title, fields=form.fields, submit=form.submit, args=args, values=values))


@router.action("projects.ask_edit", may=its_team, reads=True)
async def ask_edit(request: Request) -> Outcome:
    """The form with what the project is now."""
    return await _edit_form(request)


@router.form("projects.edit", _edit_form, may=its_team, drafts=False)
async def edit(request: Request) -> Outcome:
    """Changes the project; what changed is audited by name."""
    project, outline = await found(request, held=True), _outline(request)
    form = await _edit_form_of(request, project)
    if wrong := forms.overtaken(form, request.args, request.values):
        return form.refused(wrong, request)
    changed = await _changed(request, project, outline)
    try:
        await projects.edit(request.session, project, **vars(outline), now=request.now)
    except NameTaken:
        return form.refused({"name": NAME_TAKEN}, request)
    if not changed:
        return await _saved(request, project.id, "Nothing was changed.")
    detail = {"changed": ", ".join(changed), "lead": str(outline.lead_id or ""), "stage": outline.stage.key}
    await audit.add(
        request.session, now=request.now, action="projects.edit", object=f"project:{project.id}", by=request.person.id, detail=detail
    )
    return await _saved(request, project.id, "Your changes are saved.")


async def _changed(request: Request, project: Project, outline: _Outline) -> list[str]:
    """The names of what the form changes."""
    partners = frozenset(each.organisation_id for each in await projects.partners_of(request.session, project.id))
    was = {name: partners if name == "organisation_ids" else getattr(project, name) for name in vars(outline)}
    return [name for name, value in vars(outline).items() if value != was[name]]


# -- adoption, provider by provider


async def _adoption_form(request: Request) -> Form:
    project = await found(request)
    partners = await projects.partners_of(request.session, project.id)
    if project.type is not ProjectType.NATIONAL or not partners:
        raise Refused("Adoption is for a national project with providers. Press “Edit” to set its type and its partners.")
    options = tuple(Option(value=adoption, label=label) for adoption, label in ADOPTIONS.items())
    fields = tuple(Choice(name=f"organisation_{each.organisation_id}", label=each.name, options=options) for each in partners)
    values = {f"organisation_{each.organisation_id}": each.adoption.value for each in partners}
    about = Text(text=f"{project.name}: how far is each provider?")
    args = {"project": str(project.id)}
    form = Form(action="projects.adopt", title="Adoption", fields=fields, submit="Save", args=args, blocks=(about,), values=values)
    return forms.marked(form)


@router.action("projects.ask_adoption", may=its_team, reads=True)
async def ask_adoption(request: Request) -> Outcome:
    """The form with how far each provider is now."""
    return await _adoption_form(request)


@router.form("projects.adopt", _adoption_form, may=its_team, drafts=False)
async def adopt(request: Request) -> Outcome:
    """Notes how far each provider is; what changed is audited."""
    project = await found(request, held=True)
    form = await _adoption_form(request)
    if wrong := forms.overtaken(form, request.args, request.values):
        return form.refused(wrong, request)
    partners = await projects.partners_of(request.session, project.id)
    chosen = {each.organisation_id: Adoption(request.one(f"organisation_{each.organisation_id}")) for each in partners}
    changed = {each.organisation_id: chosen[each.organisation_id] for each in partners if chosen[each.organisation_id] is not each.adoption}
    await projects.adopt(request.session, project.id, changed)
    detail = {f"organisation:{id}": adoption.value for id, adoption in changed.items()}
    if changed:
        await audit.add(
            request.session, now=request.now, action="projects.adopt", object=f"project:{project.id}", by=request.person.id, detail=detail
        )
    return await _saved(request, project.id, "Your changes are saved." if changed else "Nothing was changed.")
