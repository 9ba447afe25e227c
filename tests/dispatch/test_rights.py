"""Who may do what: every route by every role, against a table that a new route must be entered in."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from bot.dispatch import Answer
from handlers.errors import GONE
from handlers.registry import ROUTES
from handlers.routing import Kind, Request, Router, Routes, administrator
from handlers.views import Form, Outcome, Reply, Values, says
from storage import audit, people, projects
from storage.database import Database
from storage.people import Group
from storage.projects import Highlights, ProjectType, Rag, Stage
from tests.dispatch.conftest import SESSION, Hub, User, title, words
from tests.storage.hub import number_of

STAFF, PARTNER, CORE_TEAM, ADMINISTRATOR, AUTHOR, LEAD = "staff", "partner representative", "core team", "administrator", "author", "lead"
ROLES = (STAFF, PARTNER, CORE_TEAM, ADMINISTRATOR, AUTHOR, LEAD)
EVERYBODY, ADMINISTRATORS, THE_AUTHOR = set(ROLES), {ADMINISTRATOR}, {AUTHOR}
THE_CORE_TEAM, ALL_OTHERS, THE_PROJECTS_TEAM = {CORE_TEAM}, EVERYBODY - THE_AUTHOR, {CORE_TEAM, LEAD}
MEMBERS = {CORE_TEAM, PARTNER}

TABLE: Mapping[tuple[Kind, str], set[str]] = {
    ("command", "help"): EVERYBODY,
    ("command", "me"): EVERYBODY,
    ("command", "web"): EVERYBODY,
    ("action", "welcome.arrive"): EVERYBODY,
    ("command", "link"): EVERYBODY,
    ("form", "linking.join"): EVERYBODY,
    ("command", "idea"): EVERYBODY,
    ("command", "ideas"): EVERYBODY,
    ("action", "ideas.start"): EVERYBODY,
    ("form", "ideas.submit"): EVERYBODY,
    ("action", "ideas.open"): EVERYBODY,
    ("action", "ideas.page"): EVERYBODY,
    ("action", "ideas.ask_withdraw"): THE_AUTHOR,
    ("form", "ideas.withdraw"): THE_AUTHOR,
    ("action", "ideas.support"): ALL_OTHERS,
    ("action", "ideas.unsupport"): ALL_OTHERS,
    ("command", "triage"): THE_CORE_TEAM,
    ("action", "ideas.triage_page"): THE_CORE_TEAM,
    ("action", "ideas.take_on"): THE_CORE_TEAM,
    ("action", "ideas.take_again"): THE_CORE_TEAM,
    ("action", "ideas.choose_outcome"): THE_CORE_TEAM,
    ("action", "ideas.ask_decide"): THE_CORE_TEAM,
    ("form", "ideas.decide"): THE_CORE_TEAM,
    ("command", "status"): EVERYBODY,
    ("action", "projects.page"): EVERYBODY,
    ("action", "projects.open"): EVERYBODY,
    ("action", "projects.follow"): EVERYBODY,
    ("action", "projects.unfollow"): EVERYBODY,
    ("action", "projects.history"): EVERYBODY,
    ("action", "projects.report"): EVERYBODY,
    ("command", "update"): EVERYBODY,
    ("action", "projects.mine"): EVERYBODY,
    ("action", "projects.ask_update"): THE_PROJECTS_TEAM,
    ("form", "projects.update"): THE_PROJECTS_TEAM,
    ("command", "projects add"): THE_CORE_TEAM,
    ("action", "projects.ask_add"): THE_CORE_TEAM,
    ("form", "projects.add"): THE_CORE_TEAM,
    ("action", "projects.ask_edit"): THE_PROJECTS_TEAM,
    ("form", "projects.edit"): THE_PROJECTS_TEAM,
    ("action", "projects.ask_adoption"): THE_PROJECTS_TEAM,
    ("form", "projects.adopt"): THE_PROJECTS_TEAM,
    ("command", "cop"): EVERYBODY,
    ("command", "training"): EVERYBODY,
    ("action", "education.page"): EVERYBODY,
    ("action", "education.recordings"): EVERYBODY,
    ("action", "education.open"): EVERYBODY,
    ("action", "education.answer"): EVERYBODY,
    ("file", "education.calendar"): EVERYBODY,
    ("command", "cop add"): THE_CORE_TEAM,
    ("command", "training add"): THE_CORE_TEAM,
    ("action", "education.ask_add"): THE_CORE_TEAM,
    ("form", "education.add"): THE_CORE_TEAM,
    ("action", "education.ask_change"): THE_CORE_TEAM,
    ("form", "education.change"): THE_CORE_TEAM,
    ("action", "education.ask_cancel"): THE_CORE_TEAM,
    ("form", "education.cancel"): THE_CORE_TEAM,
    ("action", "education.ask_record"): THE_CORE_TEAM,
    ("form", "education.record"): THE_CORE_TEAM,
    ("command", "digest"): THE_CORE_TEAM,
    ("command", "setup here"): ADMINISTRATORS,
    ("form", "places.set"): ADMINISTRATORS,
    ("command", "admin people"): ADMINISTRATORS,
    ("action", "people.page"): ADMINISTRATORS,
    ("action", "people.ask_change"): ADMINISTRATORS,
    ("form", "people.change"): ADMINISTRATORS,
    ("command", "admin partners"): ADMINISTRATORS,
    ("action", "people.ask_partner"): ADMINISTRATORS,
    ("form", "people.add_partner"): ADMINISTRATORS,
    ("command", "pulse"): EVERYBODY,
    ("action", "pulse.show"): EVERYBODY,
    ("action", "pulse.start"): MEMBERS,
    ("form", "pulse.answer"): MEMBERS,
    ("action", "pulse.skip"): MEMBERS,
    ("action", "pulse.take_away"): MEMBERS,
    ("action", "pulse.back"): MEMBERS,
    ("action", "pulse.decline"): MEMBERS,
    ("command", "pulse results"): EVERYBODY,
    ("action", "pulse.results"): EVERYBODY,
    ("action", "pulse.comments"): EVERYBODY,
    ("command", "pulse open"): THE_CORE_TEAM,
    ("action", "pulse.ask_open"): THE_CORE_TEAM,
    ("form", "pulse.preview"): THE_CORE_TEAM,
    ("action", "pulse.look"): THE_CORE_TEAM,
    ("action", "pulse.open"): THE_CORE_TEAM,
    ("command", "pulse progress"): THE_CORE_TEAM,
    ("action", "pulse.progress"): THE_CORE_TEAM,
    ("command", "pulse close"): THE_CORE_TEAM,
    ("action", "pulse.ask_close"): THE_CORE_TEAM,
    ("form", "pulse.close"): THE_CORE_TEAM,
    ("action", "pulse.ask_priority"): THE_CORE_TEAM,
    ("form", "pulse.agree"): THE_CORE_TEAM,
    ("action", "pulse.drop_priority"): THE_CORE_TEAM,
}
ARGS = {
    "idea": "1", "outcome": "accepted", "offset": "0", "person": "1", "place": "C1", "project": "1", "report": "1", "event": "1",
    "kind": "cop", "answer": "yes", "round": "1", "item": "purpose", "number": "1", "last_day": "2026-12-04",
    "code": "CDFG-HJK3",
}  # fmt: skip


def _routes() -> set[tuple[Kind, str]]:
    kinds: tuple[tuple[Kind, Mapping[str, object]], ...] = (
        ("command", ROUTES.commands),
        ("action", ROUTES.actions),
        ("form", ROUTES.forms),
        ("file", ROUTES.files),
    )
    return {(kind, name) for kind, routes in kinds for name in routes}


def test_every_route_has_its_line_in_the_table() -> None:
    assert _routes() == set(TABLE)


@pytest.fixture
async def crowd(hub: Hub) -> dict[str, User]:
    """One person of each role; the author has shared IDEA-1, the lead has a national project with a report, a session is planned,
    a round of the pulse is open.
    """
    crowd = {role: hub.person(role.replace(" ", "").upper(), role) for role in ROLES}
    await crowd[AUTHOR].shares()
    await hub.organise(crowd[PARTNER], Group.PROGRAMME_GROUP)
    await hub.organise(crowd[CORE_TEAM], Group.CORE_TEAM)
    await crowd[CORE_TEAM].plans()
    await crowd[CORE_TEAM].presses("pulse.open", wheel="illustrative:1", last_day="2026-12-04", groups="core_team.programme_group")
    await hub.organise(crowd[ADMINISTRATOR], administrator=True)
    await _give_project(hub, (await crowd[LEAD].is_known()).id)
    return crowd


async def _give_project(hub: Hub, lead: int) -> None:
    said = Highlights(rag=Rag.GREEN, why="On time", done="All of it", planned="", stage=Stage.of("adopt"))
    async with hub.database.transaction() as session:
        provider = await people.add_organisation(session, name="University Hospitals Dorset")
        id = await projects.add(
            session, name="PLGF testing", type=ProjectType.NATIONAL, need="", lead_id=lead, organisation_ids=(provider,), now=hub.clock()
        )
        project = await projects.find(session, id)
        assert project is not None
        await projects.report(session, project, said, by_id=lead, now=hub.clock())


def _is_a_fault(answer: Answer) -> bool:
    return isinstance(answer.outcome, Reply) and title(answer) == "Sorry"


def _is_refused(answer: Answer) -> bool:
    return isinstance(answer.outcome, Reply) and "This is for " in words(answer)


@pytest.mark.parametrize(("kind", "name"), sorted(_routes()))
async def test_each_route_lets_in_whom_it_names_and_audits_the_others(hub: Hub, crowd: dict[str, User], kind: Kind, name: str) -> None:
    may = TABLE.get((kind, name), set())
    for role in ROLES:
        text = name if kind == "command" else ""
        answer = await crowd[role].does(kind, "" if text else name, text=text, args=ARGS, private=False)
        assert _is_refused(answer) is (role not in may), role
        assert not _is_a_fault(answer), role
    async with hub.database.reading() as session:
        refused = [entry for entry in await audit.newest(session) if entry.action == "refused"]
    assert [entry.object for entry in refused] == [f"route:{name}"] * (len(ROLES) - len(may))


async def test_what_help_offers_is_what_one_may_do(crowd: dict[str, User]) -> None:
    assert "admin people" in words(await crowd[ADMINISTRATOR].types("help"))
    for role in (STAFF, PARTNER, CORE_TEAM, AUTHOR, LEAD):
        assert "admin" not in words(await crowd[role].types(""))


async def test_a_file_is_fetched_only_by_whom_it_is_for(hub: Hub, crowd: dict[str, User]) -> None:
    router = Router()

    @router.file("test.export", may=administrator)
    async def export(_request: Request) -> Outcome:
        return says("Names")

    other = hub.also(Routes((router,)))
    for role in ROLES:
        link = words(await crowd[role].at(other).presses("test.export")).partition("/files/")[2].partition("'")[0]
        fetched = other.links.open(link, hub.clock())
        assert fetched is not None
        assert _is_refused(await other.dispatcher.answer(fetched)) is (role != ADMINISTRATOR)


async def _change(by: User, whom: int, **values: str | tuple[str, ...]) -> Answer:
    return await by.sends("people.change", {"organisation": "none", "groups": (), "administrator": "", **values}, person=str(whom))


async def test_an_administrator_gives_and_takes_rights_and_each_change_is_audited(hub: Hub, grace: User, ann: User) -> None:
    await grace.sends("people.add_partner", {"name": "University Hospitals Dorset", "domains": "@uhd.example, DCHFT.example"})
    id = (await ann.is_known()).id
    assert title(await _change(grace, id, organisation="1", groups=("core_team",), administrator="yes")) == "Ann Lee is saved"
    person = await ann.is_known()
    assert person.administrator
    assert person.groups == {Group.CORE_TEAM}
    assert person.organisation is not None
    await _change(grace, id, groups=("programme_group",))
    person = await ann.is_known()
    assert not person.administrator
    assert person.groups == {Group.PROGRAMME_GROUP}
    assert person.organisation is None
    async with hub.database.reading() as session:
        entries = [(entry.action, dict(entry.detail)) for entry in await audit.newest(session) if entry.object == f"person:{id}"]
        domains = await people.domains_by_organisation(session)
    assert entries[:3][::-1] == [
        ("people.organisation", {"from": "1", "to": ""}),
        ("people.administrator", {"to": "no"}),
        ("people.groups", {"given": "programme_group", "taken": "core_team"}),
    ]
    assert domains == {1: ["dchft.example", "uhd.example"]}


async def test_the_last_administrator_stays(hub: Hub, grace: User, ann: User) -> None:
    me = (await grace.is_known()).id
    assert "is the last administrator" in words(await _change(grace, me))
    assert (await grace.is_known()).administrator
    await hub.organise(ann, administrator=True)
    assert title(await _change(grace, me)).endswith("is saved")


@pytest.mark.parametrize("attempt", range(3))
async def test_two_administrators_who_take_each_others_flag_at_once_leave_one(
    hub: Hub, grace: User, ann: User, database_url: str, attempt: int
) -> None:
    await hub.organise(ann, administrator=True)
    first, second = (await grace.is_known()).id, (await ann.is_known()).id
    other = Hub(Database(database_url), hub.clock, admins=())
    ann = ann.at(other)
    await ann.types("me")
    answers = await asyncio.gather(_change(grace, second), _change(ann, first))
    async with hub.database.reading() as session:
        assert len(await people.administrators(session)) == 1
    assert sorted(title(answer).endswith("is saved") for answer in answers) == [False, True]
    assert {"I could not do that"} < {title(answer) for answer in answers}
    await other.database.close()


@pytest.mark.parametrize(("domains", "error"), [("uhd", "uhd"), ("uhd.nhs.uk; http://x", "http://x"), ("a.b ann@x.uk", "ann@x.uk")])
async def test_what_is_no_domain_is_not_taken_for_one(hub: Hub, grace: User, domains: str, error: str) -> None:
    answer = await grace.sends("people.add_partner", {"name": "UHD", "domains": domains})
    assert isinstance(answer.outcome, Form)
    assert error in answer.outcome.errors["domains"]
    assert answer.outcome.values["domains"] == domains


async def test_a_partner_is_added_once(hub: Hub, grace: User) -> None:
    await grace.sends("people.add_partner", {"name": "NHS Dorset", "domains": ""})
    answer = await grace.sends("people.add_partner", {"name": "nhs dorset", "domains": ""})
    assert isinstance(answer.outcome, Form)
    assert list(answer.outcome.errors) == ["name"]
    async with hub.database.reading() as session:
        assert await number_of(session, "organisations") == 1


@pytest.mark.parametrize("name", ["NHS Dorset", "nhs DORSET"])
async def test_two_administrators_who_add_one_partner_at_once_add_it_once(
    hub: Hub, grace: User, ann: User, database_url: str, name: str
) -> None:
    await hub.organise(ann, administrator=True)
    other = Hub(Database(database_url), hub.clock, admins=())
    ann = ann.at(other)
    await ann.types("me")
    partners = [grace.sends("people.add_partner", {"name": "NHS Dorset"}), ann.sends("people.add_partner", {"name": name})]
    outcomes = [answer.outcome for answer in await asyncio.gather(*partners)]
    (again,) = [outcome for outcome in outcomes if isinstance(outcome, Form)]
    assert again.errors == {"name": "There is a partner with this name. Use another name."}
    (added,) = [outcome for outcome in outcomes if isinstance(outcome, Reply)]
    assert added.card.title.endswith("is added")
    async with hub.database.reading() as session:
        assert len(await people.list_organisations(session)) == 1
    await other.database.close()


async def test_a_place_is_set_in_a_channel_only(hub: Hub, grace: User) -> None:
    assert "Type “setup here” in the channel" in words(await grace.types("setup here"))
    answer = await grace.types("setup here", private=False)
    assert isinstance(answer.outcome, Form)
    assert answer.outcome.args == {"place": "C1"}
    set_up = await grace.sends("places.set", {"group": "core_team"}, place="C1")
    assert title(set_up) == "The Core Team is told there"


@pytest.mark.parametrize(("here", "private"), [("C2", False), ("D1", True), ("C1", True)])
async def test_a_place_can_only_be_the_channel_that_the_form_was_sent_in(hub: Hub, grace: User, here: str, private: bool) -> None:
    answer = await grace.does("form", "places.set", values={"group": "core_team"}, args={"place": "C1"}, private=private, place=here)
    assert title(answer) == "I could not do that"
    assert "“setup here”" in words(answer)
    async with hub.database.reading() as session:
        assert await number_of(session, "places") == 0
        assert await number_of(session, "outbox") == 0
    there = await grace.does("form", "places.set", values={"group": "core_team"}, args={"place": "C1"}, private=False, place="C1")
    assert title(there) == "The Core Team is told there"


# -- what people did not mean, and what nobody meant


async def test_an_unknown_word_is_answered_with_the_nearest(ann: User, grace: User) -> None:
    assert title(await ann.types("idae")) == "Did you mean “idea”?"
    assert title(await ann.types("HELLP me")) == "Did you mean “help”?"
    assert title(await ann.types("admin peeple")) == "I do not know that word.", "what one may not do is not offered"
    assert title(await grace.types("admin peeple")) == "Did you mean “admin people”?"
    assert title(await ann.types("xyzzy " * 2000)) == "I do not know that word."


async def test_old_buttons_and_forms_answer_politely(ann: User) -> None:
    for answer in (await ann.presses("old.open"), await ann.sends("old.update", {}), await ann.does("file", "old.file")):
        assert GONE in words(answer)


GARBAGE = (
    "",
    "0",
    "-1",
    "abc",
    "1e3",
    "1.5",
    " 1 ",
    "9" * 8,
    "9" * 10,
    "9" * 30,
    "9" * 5000,
    "\x00",
    "1\x00",
    "\ud800",
    "١",
    "²",
    "None",
    "1; --",
)


WORST = ("", "9" * 9, "9" * 10, "\ud800\x00")
"""Tried in each argument by itself."""


@pytest.mark.parametrize(("kind", "name"), sorted(route for route in TABLE if route[0] != "command"))
async def test_garbage_in_arguments_is_never_a_fault_of_ours(hub: Hub, grace: User, kind: Kind, name: str) -> None:
    hub = Hub(hub.database, hub.clock, per_minute=1000)
    grace = grace.at(hub)
    await hub.organise(grace, Group.CORE_TEAM, administrator=True)
    await grace.shares()
    await grace.plans()
    tries: list[dict[str, str]] = [{}, {"\x00": "\ud800"}]
    tries += [dict.fromkeys(ARGS, value) for value in GARBAGE]
    tries += [{**ARGS, known: value} for known in ARGS for value in WORST]
    filled: tuple[Values, ...] = (
        {},
        {**SESSION, "group": "core_team", "organisation": "none", "name": "A partner"},
        {"\ud800": "\x00", "name": ("a", "")},
    )
    for args in tries:
        for values in filled:
            answer = await grace.does(kind, name, args=args, values=values, ticket=next(iter(args.values()), ""))
            assert not _is_a_fault(answer), (args, values)


@pytest.mark.parametrize("text", [*GARBAGE, *(f"idea {value}" for value in GARBAGE), *(f"admin people {value}" for value in GARBAGE)])
async def test_garbage_in_words_is_never_a_fault_of_ours(grace: User, text: str) -> None:
    kinds: tuple[Kind, ...] = ("command", "event")
    for kind in kinds:
        answer = await grace.does(kind, text=text)
        assert not _is_a_fault(answer)
