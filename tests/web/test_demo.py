"""The demonstration: sample data, and windows that are different people."""

from __future__ import annotations

import itertools
from datetime import datetime, time, timedelta

import pytest
import sqlalchemy as sa

from handlers import calendar
from handlers.pulse.kept import words_of
from handlers.pulse.wheel import illustrative
from handlers.screening import screen
from handlers.words import LONDON
from storage import education, ideas, people, projects, sample
from storage.database import Database
from storage.education import EventKind
from storage.ideas import IdeaState, Visibility
from storage.people import Group
from storage.projects import ProjectType, Rag
from storage.projects.reports import list_reports
from storage.tables import METADATA
from tests.conftest import FakeClock
from tests.web.conftest import Bot

NEED = "What need or problem does it answer, and for whom?"


async def everything(database: Database) -> dict[str, list[str]]:
    """All rows of all tables."""
    async with database.reading() as session:
        return {
            table.name: sorted(str(row) for row in await session.execute(sa.text(f"SELECT * FROM {table.name}")))
            for table in METADATA.sorted_tables
        }


async def load(database: Database, clock: FakeClock) -> list[sample.SamplePersona]:
    """The sample, in a transaction of its own."""
    async with database.transaction() as session:
        return list(await sample.load(session, wheel=words_of(illustrative()), now=clock()))


async def test_the_sample_is_the_same_each_time_and_loaded_once(database: Database, clock: FakeClock) -> None:
    first = await load(database, clock)
    stored = await everything(database)
    clock.forward(days=3)
    assert await load(database, clock) == first
    assert await everything(database) == stored
    assert [persona.slug for persona in first] == ["staff", "partner", "core-team", "administrator"]
    assert not stored["outbox"]
    assert not stored["audit"]


async def test_a_database_that_is_in_use_is_left_alone(database: Database, clock: FakeClock) -> None:
    async with database.transaction() as session:
        await people.add_organisation(session, name="A real partner")
    assert await load(database, clock) == []
    assert not (await everything(database))["people"]


async def test_the_sample_is_a_year_of_a_hub_with_12_partners(database: Database, clock: FakeClock) -> None:
    await load(database, clock)
    async with database.reading() as session:
        organisations = await people.list_organisations(session)
        everybody = await people.list_people(session)
        shared = [idea for number in range(1, 60) if (idea := await ideas.find(session, number))]
        became = {idea.id: await projects.find(session, idea.project_id) for idea in shared if idea.project_id}
    assert len(organisations) == 12
    assert {"NHS Dorset", "University Hospitals Dorset", "Health Innovation Wessex", "BCP Council"} <= {each.name for each in organisations}
    assert all(each.sector for each in organisations)
    assert any(Group.CORE_TEAM in person.groups for person in everybody)
    assert any(Group.PROGRAMME_GROUP in person.groups for person in everybody)
    assert sum(person.administrator for person in everybody) == 1
    assert 28 <= len(shared) <= 36
    ages = [(clock() - idea.submitted_at).days for idea in shared]
    assert max(ages) > 330
    assert min(ages) >= 1
    assert len({idea.organisation for idea in shared}) >= 10
    assert {idea.visibility for idea in shared} == set(Visibility)
    assert {idea.state for idea in shared} == set(IdeaState)
    assert {id for id, project in became.items() if project and project.idea_id == id} == {
        idea.id for idea in shared if idea.state is IdeaState.ACCEPTED
    }
    waiting = [idea for idea in shared if idea.state is IdeaState.SUBMITTED]
    assert 2 <= len(waiting) <= 4
    assert max((clock() - idea.submitted_at).days for idea in waiting) > 8, "one has waited longer than 6 working days"
    assert all(idea.decision.reason and idea.decision.next_step for idea in shared if idea.decision)
    assert not [idea for idea in shared if idea.assessor_id == idea.author_id], "nobody decides their own idea"
    assert not [idea for idea in shared if idea.decided_at and idea.decided_at < idea.submitted_at]
    assert not [idea for idea in shared if idea.decision and screen(f"{idea.decision.reason} {idea.decision.next_step}")]
    assert not [idea for idea in shared if screen(f"{idea.title} {idea.need} {idea.proposal}")]
    assert all(5 <= len(idea.title) <= 150 for idea in shared)


@pytest.mark.parametrize("day", ["2026-11-23", "2026-12-19", "2027-03-27"])
async def test_the_sample_has_sessions_held_and_to_come_at_midday_of_working_days(database: Database, clock: FakeClock, day: str) -> None:
    clock.now = datetime.fromisoformat(f"{day}T10:00:00+00:00")
    await load(database, clock)
    async with database.reading() as session:
        held = await education.list_over(session, EventKind.COP, now=clock(), published=True, limit=20)
        ahead = await education.list_coming(session, EventKind.COP, now=clock(), limit=20)
        days = await education.list_coming(session, EventKind.FUNDAMENTALS, now=clock(), limit=20)
    assert [event.title for event in held][::4] == [
        "Getting Bid Ready",
        "Implementing Sustainable Change: recognising context and individuals",
    ]
    assert all(event.recording for event in held)
    assert len(ahead) == 2
    assert all(event.starts_at.astimezone(LONDON).time() == time(12, 30) for event in (*held, *ahead))
    assert all(calendar.is_working_day(event.starts_at.date()) for event in (*held, *ahead, *days))
    assert [(event.places - event.coming, event.waiting) for event in days] == [(0, 3), (2, 0)]
    assert not [event for event in (*held, *ahead, *days) if screen(f"{event.title} {event.about} {event.place} {event.link}")]


async def test_the_samples_projects_stand_in_every_way(database: Database, clock: FakeClock) -> None:
    await load(database, clock)
    async with database.reading() as session:
        everything = await projects.list_projects(session, limit=50)
        histories = {each.name: await list_reports(session, each.id, limit=50) for each in everything if each.last}
        late = await projects.list_awaited(session, since=clock() - timedelta(days=62), until=clock() - timedelta(days=31))
    assert {"Nutrition in Ageing People", "Falls Prevention", "Improving Use of FeNO Devices"} <= histories.keys()
    assert {each.type for each in everything} == set(ProjectType)
    assert {each.last.rag for each in everything if each.last} == set(Rag)
    assert any(not each.sro for each in everything)
    assert "Settled at home: volunteers after discharge" in {each.name for each in everything if each.id in {one.id for one in late}}
    assert all(2 <= len(reports) <= 6 for reports in histories.values())
    for name, reports in histories.items():
        said = (str(value) for each in reports for value in vars(each).values())
        assert not screen(" ".join(said)), name
        assert all((older.at < newer.at, newer.was) == (True, older.rag) for newer, older in itertools.pairwise(reports)), name


async def test_two_windows_are_two_people(demo: Bot) -> None:
    staff, core = demo.window("/as/staff/"), demo.window("/as/core-team/")
    for window in (staff, core):
        await window.goes()
        assert "Demonstration with sample data" in window.words
    await staff.types("idea A bell for the drinks round")
    await staff.fills({NEED: "People on wards who drink too little"})
    await staff.sees("is with the Core Team")
    assert "A bell for the drinks round" in await core.is_told("A new idea: IDEA-")
    await core.presses("Open")
    await core.sees("People on wards who drink too little")
    await staff.goes("/as/administrator/")
    assert "A new idea" in staff.words


async def test_one_chooses_whom_to_be(demo: Bot) -> None:
    window = demo.window("/")
    await window.goes()
    links = [str(link["href"]) for link in window.page.select(".personas a")]
    assert links == ["/as/staff/", "/as/partner/", "/as/core-team/", "/as/administrator/"]
    await window.goes("/as/staff")
    assert window.landed[0] == (303, "/as/staff/")


@pytest.mark.parametrize("path", ["/as/nobody/", "/as/nobody", "/as/%00/"])
async def test_an_unknown_persona_is_nobody(demo: Bot, path: str) -> None:
    window = demo.window(path)
    await window.goes()
    assert window.status == 404
    await window.posts("/as/nobody/say", [("text", "idea")])
    assert window.status == 404


async def test_one_personas_proof_is_not_anothers(demo: Bot) -> None:
    staff = demo.window("/as/staff/")
    await staff.goes()
    form = staff.page.select_one("form.box")
    assert form is not None
    await staff.posts("/as/administrator/say", [*staff.fields(form), ("text", "admin people")])
    assert staff.status == 403


async def test_in_a_demonstration_there_is_no_way_to_sign_in(demo: Bot) -> None:
    window = demo.window("/")
    link = await demo.link(1)
    await window.goes(link)
    assert "Who would you like to be?" in window.words
    await window.posts(link, [])
    assert window.status == 405
