"""Projects that two people change at once, told without a channel."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from bot.dispatch import Answer
from handlers.forms import OVERTAKEN
from handlers.views import Form, Values
from storage import ideas, people, projects
from storage.ideas import IdeaState
from storage.projects import Adoption, Project, ProjectType, Rag
from tests.dispatch.conftest import Hub, User, form, title
from tests.storage.hub import number_of

NEW = {"type": "local", "lead": "none", "stage": "scoping"}
ACCEPTED = {"type": "local", "reason": "Two partners need it.", "next": "We meet.", "by": "Kay", "on": "2026-12-01"}
TAKEN = {"name": "There is a project with this name. Use another name."}


async def _begin(hub: Hub, name: str = "Falls Prevention", *organisation_ids: int) -> int:
    async with hub.database.transaction() as session:
        return await projects.add(
            session, name=name, type=ProjectType.NATIONAL, need="", organisation_ids=organisation_ids, now=hub.clock()
        )


async def _found(hub: Hub, id: int) -> Project:
    async with hub.database.reading() as session:
        project = await projects.find(session, id)
    assert project is not None
    return project


async def _names(hub: Hub) -> list[str]:
    async with hub.database.reading() as session:
        return sorted(each.name for each in await projects.list_names(session))


async def _opens(user: User, action: str, id: int) -> Form:
    return form(await user.presses(action, project=str(id)))


async def _sends(user: User, opened: Form, values: Values) -> Answer:
    return await user.sends(opened.action, {**opened.values, **values}, **opened.args)


@pytest.mark.parametrize("name", ["Falls", "fALLS"])
async def test_two_who_add_a_project_at_once_add_it_once(hub: Hub, kay: User, lee: User, name: str) -> None:
    answers = await asyncio.gather(kay.sends("projects.add", {**NEW, "name": "Falls"}), lee.sends("projects.add", {**NEW, "name": name}))
    (again,) = [answer.outcome for answer in answers if isinstance(answer.outcome, Form)]
    assert again.errors == TAKEN
    async with hub.database.reading() as session:
        assert await number_of(session, "projects") == 1


async def test_two_who_rename_projects_at_once_give_one_the_name(hub: Hub, kay: User, lee: User) -> None:
    for name in ("One", "Two"):
        await _begin(hub, name)
    opened = [await _opens(user, "projects.ask_edit", id) for user, id in ((kay, 1), (lee, 2))]
    answers = await asyncio.gather(_sends(kay, opened[0], {"name": "Falls"}), _sends(lee, opened[1], {"name": "falls"}))
    (again,) = [answer.outcome for answer in answers if isinstance(answer.outcome, Form)]
    assert again.errors == TAKEN
    assert "falls" in [name.casefold() for name in await _names(hub)]


async def test_an_idea_does_not_become_a_project_of_a_name_that_is_taken(hub: Hub, ann: User, kay: User, lee: User) -> None:
    await ann.shares()
    await ann.shares()
    offered = form(await kay.presses("ideas.ask_decide", idea="1", outcome="accepted"))
    assert offered.values["name"] == "Sensors that notice a fall"
    decided = (
        user.sends("ideas.decide", {**ACCEPTED, "name": name}, idea=str(id), outcome="accepted")
        for user, id, name in ((kay, 1, "Sensors"), (lee, 2, "SENSORS"))
    )
    answers = await asyncio.gather(*decided)
    (again,) = [answer.outcome for answer in answers if isinstance(answer.outcome, Form)]
    assert (again.errors, again.values["reason"]) == (TAKEN, ACCEPTED["reason"])
    async with hub.database.reading() as session:
        states = {idea.state for id in (1, 2) if (idea := await ideas.find(session, id))}
    assert states == {IdeaState.ACCEPTED, IdeaState.SUBMITTED}
    assert title(await lee.sends(again.action, {**again.values, "name": "Bells"}, **again.args)).endswith("is decided")


async def test_a_change_that_was_made_meanwhile_is_shown_and_not_undone(hub: Hub, kay: User, lee: User) -> None:
    id = await _begin(hub)
    early, late = await _opens(kay, "projects.ask_edit", id), await _opens(lee, "projects.ask_edit", id)
    await _sends(kay, early, {"sro": "Chief nurse", "lead": "1"})
    again = form(await _sends(lee, late, {"need": "Fewer falls"}))
    assert again.errors == {
        "": OVERTAKEN, "need": "It is now empty.", "sro": "It is now “Chief nurse”.", "lead": "It is now “Kay Fox”.",
    }  # fmt: skip
    assert again.values["need"] == "Fewer falls"
    assert (await _found(hub, id)).sro == "Chief nurse"
    assert await _opens(lee, "projects.ask_edit", id) != again, "what was not sent is not laid over what holds now"
    await _sends(lee, again, {"sro": "Chief nurse", "lead": "1"})
    project = await _found(hub, id)
    assert (project.sro, project.lead, project.need) == ("Chief nurse", "Kay Fox", "Fewer falls")


UPDATE = {"rag": "red", "why": "The money ran out", "path": "Ask the board", "done": "The pilot", "needed": "A decision on money"}


async def test_an_update_that_was_sent_meanwhile_is_shown_before_another_counts(hub: Hub, kay: User, lee: User) -> None:
    id = await _begin(hub)
    opened = [await _opens(user, "projects.ask_update", id) for user in (kay, lee)]
    await _sends(kay, opened[0], UPDATE)
    mine = {"rag": "green", "why": "All is fine", "done": "Things"}
    again = form(await _sends(lee, opened[1], mine))
    assert "Another update was sent after you opened this" in again.errors[""]
    for words_ in ("Kay Fox sent this update meanwhile", "Red: needs help now", "The money ran out", "A decision on money"):
        assert words_ in str(again.blocks)
    assert {**again.values, **mine} == again.values, "what was typed is kept"
    async with hub.database.reading() as session:
        assert await number_of(session, "project_reports") == 1
    assert title(await _sends(lee, again, {})) == "Falls Prevention is updated"
    last = (await _found(hub, id)).last
    assert last is not None
    assert (last.why, last.was, last.by) == ("All is fine", Rag.RED, "Lee Ash")


async def test_of_two_updates_at_once_the_second_is_asked_again(hub: Hub, kay: User, lee: User) -> None:
    id = await _begin(hub)
    opened = [await _opens(user, "projects.ask_update", id) for user in (kay, lee)]
    answers = await asyncio.gather(*(_sends(user, asked, UPDATE) for user, asked in zip((kay, lee), opened, strict=True)))
    assert len([answer for answer in answers if isinstance(answer.outcome, Form)]) == 1


@pytest.mark.parametrize(("action", "fields"), [("projects.ask_edit", ({"sro": "A"}, {"need": "B"})), ("projects.ask_adoption", None)])
async def test_of_two_changes_at_once_one_holds_and_the_other_is_asked_again(
    hub: Hub, kay: User, lee: User, action: str, fields: tuple[Mapping[str, str], Mapping[str, str]] | None
) -> None:
    async with hub.database.transaction() as session:
        uhd, bcp = [await people.add_organisation(session, name=name) for name in ("UHD", "BCP Council")]
    id = await _begin(hub, "PLGF testing", uhd, bcp)
    first, second = fields or ({f"organisation_{uhd}": "using"}, {f"organisation_{bcp}": "routine"})
    opened = [await _opens(user, action, id) for user in (kay, lee)]
    answers = await asyncio.gather(_sends(kay, opened[0], first), _sends(lee, opened[1], second))
    (again,) = [answer.outcome for answer in answers if isinstance(answer.outcome, Form)]
    assert again.errors[""] == OVERTAKEN
    project = await _found(hub, id)
    async with hub.database.reading() as session:
        adoptions = {each.adoption for each in await projects.partners_of(session, id)}
    assert (project.sro, project.need) in (("A", ""), ("", "B")) if fields else len(adoptions - {Adoption.NOT_STARTED}) == 1
