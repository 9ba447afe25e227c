"""People and partners, as administrators look after them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from handlers import words
from handlers.errors import Refused
from handlers.paging import Page
from handlers.routing import Request, Router, administrator
from handlers.views import Button, Card, Choice, Form, Line, Lines, Option, Outcome, Reply, Text, TextField, Toggle, Value
from storage import audit, linking, people, rights
from storage.people import Account, Group, Person

router = Router()

PAGE = 8
NONE = "none"
NAME = TextField(name="name", label="Name of the partner", least=2, most=70)
DOMAINS = TextField(
    name="domains",
    label="E-mail domains",
    hint="What stands after the @, with spaces between them. Leave out domains that several partners share, such as nhs.net.",
    required=False,
    most=500,
)


def _what(person: Person) -> str:
    """Where somebody stands, in a few words."""
    organisation = person.organisation.name if person.organisation else "Organisation not known"
    groups = [words.GROUPS[group] for group in sorted(person.groups)]
    return ". ".join([organisation, *groups, *(["Administrator"] if person.administrator else [])]) + "."


@router.command("admin people", "change somebody’s groups, organisation or rights", may=administrator, reads=True)
async def show(request: Request) -> Outcome:
    """Everybody the hub knows; words after the command look for a name."""
    return Reply(card=await _page(request, 0, request.text.strip()))


@router.action("people.page", may=administrator, reads=True)
async def turn_page(request: Request) -> Outcome:
    """Another page, in place of the one before."""
    return Reply(card=await _page(request, request.number("offset"), request.args.get("find", "")), replaces=True)


async def _page(request: Request, offset: int, find: str) -> Card:
    everybody = await people.list_people(request.session)
    found = [each for each in everybody if find.casefold() in f"{each.name} {each.email or ''}".casefold()]
    page = Page.of(len(found), offset, size=PAGE)
    shown = found[page.offset : page.offset + PAGE]
    lines = tuple(
        Line(
            text=each.name,
            note=_what(each),
            button=Button(label="Change", action="people.ask_change", args={"person": str(each.id)}, does="ask"),
        )
        for each in shown
    )
    pages = page.turns("people.page", {"find": words.short(find, 100)})
    heading = Text(
        text=f"{words.count(len(found), 'person', 'people')}. To find somebody, type “admin people” and their name.", kind="note"
    )
    return Card(title="People", blocks=(heading, Lines(lines=lines)) if lines else (heading,), buttons=pages)


async def _person_in(request: Request) -> Person:
    person = await people.find(request.session, request.number("person"))
    if person is None:
        raise Refused("I no longer know this person. Type “admin people” to see who is there.")
    return person


def _part_field(accounts: Sequence[Account]) -> Choice:
    options = tuple(
        Option(value=str(each.id), label=words.short(f"{words.channel(each.key.channel).capitalize()}: {each.name}", 70))
        for each in accounts
    )
    hint = "It becomes a person of its own, without groups. What was shared stays here."
    return Choice(name="part", label="Part an account", hint=hint, options=(Option(value=NONE, label="None"), *options))


async def _change_form(request: Request) -> Form:
    person = await _person_in(request)
    organisations = await people.list_organisations(request.session)
    options = (Option(value=NONE, label="Not known"), *(Option(value=str(each.id), label=each.name) for each in organisations))
    theirs = linking.can_be_parted(await people.accounts_of(request.session, person.id))
    fields = (
        Choice(name="organisation", label="Organisation", options=options),
        Choice(
            name="groups",
            label="Groups",
            hint="For that organisation.",
            options=tuple(Option(value=group.value, label=name) for group, name in words.GROUPS.items()),
            required=False,
            many=True,
        ),
        Toggle(name="administrator", label="Administrator", hint="May change people, partners and places."),
        *((_part_field(theirs),) if theirs else ()),
    )
    values: dict[str, Value] = {
        "organisation": str(person.organisation.id) if person.organisation else NONE,
        "groups": tuple(sorted(group.value for group in person.groups)),
        "administrator": "yes" if person.administrator else "",
        "part": NONE,
    }
    who = Text(text=f"{person.name}. {_what(person)}")
    args = {"person": str(person.id)}
    return Form(action="people.change", title="Change a person", fields=fields, submit="Save", args=args, blocks=(who,), values=values)


@router.action("people.ask_change", may=administrator, reads=True)
async def ask_change(request: Request) -> Outcome:
    """The form with what somebody has now."""
    return await _change_form(request)


@router.form("people.change", _change_form, may=administrator, drafts=False)
async def change(request: Request) -> Outcome:
    """Gives and takes groups, organisation and the administrator flag; each change is audited."""
    person = await _person_in(request)
    chosen = request.one("organisation")
    wanted = rights.Rights(
        organisation_id=None if chosen == NONE else int(chosen),
        groups=frozenset(Group(value) for value in request.many("groups")),
        administrator=request.one("administrator") == "yes",
    )
    if person.administrator and not wanted.administrator and not await rights.other_administrators(request.session, person.id):
        raise Refused(f"{person.name} is the last administrator. Make somebody else an administrator first.")
    changed = await rights.change(request.session, person, wanted)
    for what, detail in changed.items():
        await audit.add(
            request.session, now=request.now, action=f"people.{what}", object=f"person:{person.id}", by=request.person.id, detail=detail
        )
    parted = await _part(request, person)
    now = await _person_in(request)
    said = (Text(text=_what(now)), *((Text(text=parted),) if parted else ()))
    return Reply(card=Card(title=f"{person.name} is saved", blocks=said), reference=person.name)


async def _part(request: Request, person: Person) -> str:
    """Makes the account that was chosen a person of its own; returns what became of it, "" where none was chosen."""
    theirs = linking.can_be_parted(await people.accounts_of(request.session, person.id))
    chosen = next((each for each in theirs if str(each.id) == request.one("part")), None)
    if chosen is None:
        return ""
    await linking.part(request.session, person, chosen, now=request.now, by=request.person.id)
    return f"Their account on {words.channel(chosen.key.channel)} is a person of its own now."


@router.command("admin partners", "see and add partner organisations", may=administrator, reads=True)
async def show_partners(request: Request) -> Outcome:
    """The partner organisations of the hub."""
    partners = await people.list_organisations(request.session)
    domains = await people.domains_by_organisation(request.session)
    lines = tuple(Line(text=each.name, note=words.listed(domains.get(each.id, ())) or "No e-mail domain.") for each in partners)
    add = Button(label="Add a partner", action="people.ask_partner", does="ask", style="primary")
    heading = Text(text=f"{words.count(len(partners), 'partner')}.", kind="note")
    return Reply(card=Card(title="Partner organisations", blocks=(heading, Lines(lines=lines)) if lines else (heading,), buttons=(add,)))


async def _partner_form(_request: Request) -> Form:
    return Form(action="people.add_partner", title="Add a partner", fields=(NAME, DOMAINS), submit="Add")


@router.action("people.ask_partner", may=administrator, reads=True)
async def ask_partner(request: Request) -> Outcome:
    """The form for a new partner."""
    return await _partner_form(request)


@router.form("people.add_partner", _partner_form, may=administrator)
async def add_partner(request: Request) -> Outcome:
    """A new partner organisation with its e-mail domains."""
    form = await _partner_form(request)
    domains = tuple(dict.fromkeys(part.lower().lstrip("@") for part in re.split(r"[\s,;]+", request.one("domains")) if part))
    wrong = [part for part in domains if not re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", part)]
    if wrong:
        return form.refused({"domains": f"This is not an e-mail domain: {wrong[0]}. Write it like nhsdorset.nhs.uk."}, request)
    name = request.one("name")
    try:
        id = await people.add_organisation(request.session, name=name, domains=domains)
    except people.NameTaken:
        return form.refused({"name": "There is a partner with this name. Use another name."}, request)
    await audit.add(request.session, now=request.now, action="people.add_partner", object=f"organisation:{id}", by=request.person.id)
    return Reply(
        card=Card(title=f"{name} is added", blocks=(Text(text="People can now choose it as the place of an idea."),)), reference=name
    )
