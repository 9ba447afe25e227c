"""Ideas, decided: the Core Team's Monday morning, told once and lived on every channel."""

from __future__ import annotations

from datetime import timedelta

from storage import audit, ideas, people, projects
from storage.ideas import IdeaState
from storage.people import Group
from storage.projects import ProjectType
from tests.conversations.chat import Chat
from tests.conversations.conftest import Hub

NEED = "What need or problem does it answer, and for whom?"
WHY = "It helps people who fall, and two partners want it."


async def _shares(chat: Chat, title: str, **answers: str) -> None:
    await chat.types("idea")
    await chat.fills({"Title": title, NEED: "People who have fallen at home", **answers})
    await chat.sees("is with the Core Team")


async def _opens(chat: Chat, id: int) -> str:
    await chat.types(f"idea IDEA-{id}")
    return await chat.sees(f"IDEA-{id}: ")


async def _asked(chat: Chat, id: int, outcome: str) -> None:
    """The form of an outcome stands open."""
    await _opens(chat, id)
    await chat.presses("Decide")
    await chat.sees(f"What becomes of IDEA-{id}?")
    await chat.presses(outcome)
    await chat.opens_form()


def _day(hub: Hub, days: int) -> str:
    return (hub.server.clock() + timedelta(days=days)).date().isoformat()


async def test_an_idea_is_supported_taken_on_and_accepted_as_a_project(hub: Hub) -> None:
    nurse, physio = await hub.somebody("Ward nurse"), await hub.somebody("Physiotherapist")
    kay, bob = await hub.somebody("Kay Fox", Group.CORE_TEAM), await hub.somebody("Bob Hay", Group.CORE_TEAM)
    await _shares(nurse, "Sensors that notice a fall")
    assert "Take it on" in await kay.is_told("A new idea: IDEA-1")

    await _opens(physio, 1)
    await physio.presses("We have this need too")
    shown = await physio.sees("you are counted", "1 person of 1 organisation, and you are one of them")
    assert "Their names" not in shown
    assert "A new idea: IDEA-1" in await kay.is_told("1 person of 1 organisation")
    assert "Physiotherapist (University Hospitals Dorset)" in await _opens(kay, 1)

    await kay.types("triage")
    await kay.sees("Ideas to decide", "1 to 1 of 1 idea, waiting longest first", "Shared today. Nobody has it yet. To be decided by")
    await kay.presses("Open")
    await kay.presses("Take it on")
    await kay.sees("You have it now, and its author and 1 person with the same need are told.", "Who has it", "Kay Fox")
    for chat, why in ((nurse, "You are told because you shared it."), (physio, "You said that you have this need too.")):
        told = await chat.is_told("IDEA-1 is in assessment")
        assert "Kay Fox of the Core Team is looking at" in told
        assert why in told
    assert "Kay Fox" in await bob.is_told("An idea in assessment: IDEA-1")
    await bob.types("triage")
    await bob.sees("Kay Fox has it")

    await _asked(kay, 1, "Accept")
    assert await kay.typed("Who does it?") == "Kay Fox"
    await kay.fills({"What kind of project is it?": "A local priority", "Why?": WHY, "By when?": _day(hub, 14)})
    await kay.sees("IDEA-1 is decided", "Its author and 1 person with the same need will be told")
    for chat in (nurse, physio):
        assert await chat.was_told("IDEA-1 is in assessment") == 1
        told = await chat.is_told("IDEA-1 is accepted")
        assert all(words in told for words in ("becomes a project", WHY, "Kay Fox", "Open the project"))
    assert "An idea was accepted" in await bob.is_told("An idea was accepted: IDEA-1")
    assert "Kay Fox, on " in await _opens(nurse, 1)
    await nurse.types("ideas")
    await nurse.sees("Accepted: it became a project")
    await kay.types("triage")
    await kay.sees("No idea waits for the Core Team.")
    async with hub.database.reading() as session:
        project = await projects.find(session, 1)
        entries = [(entry.action, dict(entry.detail)) for entry in await audit.newest(session) if entry.object == "idea:1"]
    assert project is not None
    assert (project.name, project.type, project.sro, project.idea_id) == ("Sensors that notice a fall", ProjectType.LOCAL, "", 1)
    assert entries == [("ideas.decided", {"outcome": "accepted", "project": "1"}), ("ideas.taken_on", {})]


async def test_days_that_are_past_or_too_far_are_refused_and_nothing_is_lost(hub: Hub) -> None:
    nurse, kay = await hub.somebody("Ward nurse"), await hub.somebody("Kay Fox", Group.CORE_TEAM)
    await _shares(nurse, "Sensors that notice a fall")
    await _asked(kay, 1, "Not now")
    await kay.fills({"Why?": WHY, "When do we look at it again?": _day(hub, 0)})
    assert await kay.errors() == {"When do we look at it again?": "Choose a day after today."}
    assert await kay.typed("Why?") == WHY
    await kay.fills({"When do we look at it again?": _day(hub, 4000)})
    assert await kay.errors() == {"When do we look at it again?": "Choose a day in the next 5 years."}
    await kay.fills({"When do we look at it again?": _day(hub, 90)})
    await kay.sees("IDEA-1 is decided")
    assert "It is not forgotten" in await nurse.is_told("IDEA-1 has to wait")
    await _opens(kay, 1)
    await kay.presses("Look at it again")
    await kay.sees("You have it now")
    assert "Kay Fox" in await nurse.is_told("IDEA-1 is in assessment")
    await _asked(kay, 1, "Signpost")
    await kay.fills({"Where to?": "Clinical audit", "Why?": WHY, "By when?": _day(hub, -1)})
    assert await kay.errors() == {"By when?": "Choose today or a later day."}
    await kay.fills({"By when?": _day(hub, 0)})
    await kay.sees("IDEA-1 is decided")
    assert "has a better home than the hub: Clinical audit." in await nurse.is_told("IDEA-1 is passed on")


async def test_an_idea_that_is_there_already_is_named_by_its_number(hub: Hub) -> None:
    nurse, kay = await hub.somebody("Ward nurse"), await hub.somebody("Kay Fox", Group.CORE_TEAM)
    for number in range(1, 4):
        await _shares(nurse, f"Idea number {number}")
    await _shares(nurse, "Idea number 4", **{"Who may see it": "The Core Team only"})
    await _asked(kay, 2, "Already exists")
    for wrong, said in (
        ("the other", "such as IDEA-7"),
        ("2", "the idea itself"),
        ("99", "cannot find IDEA-99"),
        ("idea 4", "Core Team only"),
    ):
        await kay.fills({"Which idea says the same?": wrong, "Why?": WHY})
        assert said in (await kay.errors())["Which idea says the same?"]
    await kay.fills({"Which idea says the same?": "IDEA-1"})
    await kay.sees("IDEA-2 is decided")
    assert "Open IDEA-1" in await nurse.is_told("IDEA-2 was there already")
    await _asked(kay, 3, "Already exists")
    await kay.fills({"Which idea says the same?": "2", "Why?": WHY})
    assert "itself says the same as IDEA-1" in (await kay.errors())["Which idea says the same?"]
    await _asked(kay, 3, "Not suitable")
    await kay.fills({"Why?": "Unkind"})
    assert await kay.errors() == {"Why?": "Use 10 characters or more."}
    await kay.fills({"Why?": WHY})
    await kay.sees("IDEA-3 is decided")
    assert "please share the next one too" in await nurse.is_told("IDEA-3 is not taken further")


async def test_what_is_there_already_passes_its_supporters_on(hub: Hub) -> None:
    nurse, physio, gp = await hub.somebody("Ward nurse"), await hub.somebody("Physiotherapist"), await hub.somebody("Practice manager")
    kay = await hub.somebody("Kay Fox", Group.CORE_TEAM)
    await _shares(nurse, "Sensors that notice a fall")
    await _shares(physio, "A bell for those who fall")
    for chat, id in ((gp, 2), (nurse, 2), (gp, 1)):
        await _opens(chat, id)
        await chat.presses("We have this need too")
        await chat.sees("you are counted")
    await _asked(kay, 2, "Already exists")
    await kay.fills({"Which idea says the same?": "1", "Why?": WHY})
    await kay.sees("IDEA-2 is decided", "2 people with the same need")
    for chat in (physio, gp, nurse):
        await chat.is_told("IDEA-2 was there already")
    shown = await _opens(kay, 1)
    assert "2 people of 1 organisation" in shown, "the author of the second joins; the author of the first is no supporter"
    assert "Practice manager (University Hospitals Dorset); Physiotherapist" in shown
    await _opens(gp, 1)
    await gp.presses("Take my support back")
    await gp.sees("You are no longer counted.", "1 person of 1 organisation")
    await _opens(gp, 2)
    await gp.presses("Take my support back")
    await gp.sees("You are no longer counted.")
    assert "We have this need too" not in await _opens(gp, 2), "it is decided"


async def test_one_decides_and_the_other_is_told_who_did(hub: Hub) -> None:
    nurse = await hub.somebody("Ward nurse")
    kay, bob = await hub.somebody("Kay Fox", Group.CORE_TEAM), await hub.somebody("Bob Hay", Group.CORE_TEAM)
    await _shares(nurse, "Sensors that notice a fall")
    for chat in (kay, bob):
        await _opens(chat, 1)
    await bob.presses("Take it on")
    await bob.sees("You have it now")
    await kay.presses("Take it on")
    await kay.sees("Bob Hay has already taken IDEA-1 on.")
    await _asked(kay, 1, "Not suitable")
    await _asked(bob, 1, "Not suitable")
    await kay.fills({"Why?": WHY})
    await kay.sees("IDEA-1 is decided")
    await bob.fills({"Why?": WHY})
    await bob.sees("Kay Fox has already decided IDEA-1. Not taken further.")
    assert await nurse.was_told("IDEA-1 is in assessment") + await nurse.was_told("IDEA-1 is not taken further") <= 2

    await _shares(bob, "An idea of one’s own")
    shown = await _opens(bob, 2)
    assert "Decide" not in shown
    assert "Take it on" not in shown
    assert "Take it on" not in await bob.is_told("A new idea: IDEA-2")
    await bob.types("idea IDEA-2")
    await bob.presses("Withdraw")
    await bob.opens_form()
    await _asked(kay, 2, "Not now")
    await bob.fills({})
    await bob.sees("IDEA-2 is withdrawn")
    await kay.fills({"Why?": WHY, "When do we look at it again?": _day(hub, 30)})
    await kay.sees("IDEA-2 was already withdrawn by its author.")
    async with hub.database.reading() as session:
        withdrawn = await ideas.find(session, 2)
        assert len(await people.members(session, Group.CORE_TEAM)) == 2
    assert withdrawn is not None
    assert withdrawn.state is IdeaState.WITHDRAWN
