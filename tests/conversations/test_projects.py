"""Projects, told once and lived on every channel."""

from __future__ import annotations

from datetime import timedelta

from storage import audit, ideas, people, projects
from storage.ideas import Visibility
from storage.people import Group
from storage.projects import Highlights, ProjectType, Rag, Stage
from tests.conversations.conftest import Hub

SURE = "How sure are you that it delivers?"
AMBER = {SURE: "Amber: at risk, recoverable", "Why": "One instructor left", "Done this period": "Ran 6 classes"}


async def _begin(hub: Hub, name: str = "Falls Prevention", *, lead: str = "", **more: object) -> int:
    """A project that began 30 days ago, led by the person with this name."""
    async with hub.database.transaction() as session:
        ids = {person.name: person.id for person in await people.list_people(session)}
        began = hub.server.clock() - timedelta(days=30)
        need = str(more.pop("need", "People who have fallen at home"))
        return await projects.add(session, name=name, type=ProjectType.LOCAL, need=need, lead_id=ids.get(lead), now=began, **more)  # type: ignore[arg-type]


async def _report(hub: Hub, id: int, by: str, *, days: int, rag: Rag = Rag.GREEN, stage: str = "adopt") -> None:
    async with hub.database.transaction() as session:
        (by_id,) = (person.id for person in await people.list_people(session) if person.name == by)
        project = await projects.find(session, id)
        assert project is not None
        said = Highlights(rag=rag, why=f"As {days} days ago", path="Ask", done="Some", planned="Find an instructor", stage=Stage.of(stage))
        await projects.report(session, project, said, by_id=by_id, now=hub.server.clock() - timedelta(days=days))


async def test_a_project_is_added_updated_and_followed(hub: Hub) -> None:
    kay = await hub.somebody("Core Team member", Group.CORE_TEAM)
    lead = await hub.somebody("Physiotherapist")
    nurse = await hub.somebody("Ward nurse")
    await nurse.types("status")
    await nurse.sees("The hub has no projects yet")
    await kay.types("projects add Falls Prevention")
    await kay.opens_form()
    assert await kay.typed("Name") == "Falls Prevention"
    await kay.fills({"Type": "Local priority", "Lead": "Physiotherapist", "Partners": "University Hospitals Dorset"})
    shown = await kay.sees("The project is added", "No update yet")
    assert "Incomplete: no senior responsible officer (SRO) and no stated need." in shown
    assert "University Hospitals Dorset" in shown
    assert "1 person" in shown, "its lead follows it"
    await nurse.types("status falls")
    assert "Scoping need" in await nurse.sees("Falls Prevention", "Not rated yet", "Nobody yet")
    await nurse.presses("Follow")
    await nurse.sees("You follow this project", "2 people", "Stop following")
    await kay.types("status falls")
    await kay.presses("Follow")
    await kay.sees("You follow this project", "3 people")
    await lead.types("update")
    await lead.fills(AMBER | {"Next milestone": "100 people", "Top risk or issue": "No transport", "Date of the milestone": "2001-02-03"})
    errors = await lead.errors()
    assert set(errors) == {"Path to green", "Date of the milestone", "Who looks after the risk"}
    assert "how it gets back to green" in errors["Path to green"]
    assert "today or a later day" in errors["Date of the milestone"]
    assert await lead.typed("Why") == "One instructor left"
    when = (hub.server.clock() + timedelta(days=30)).date()
    await lead.fills({"Path to green": "Borrow one", "Date of the milestone": when.isoformat(), "Who looks after the risk": "Coordinator"})
    await lead.sees("Falls Prevention is updated", "Amber: at risk, recoverable.", "next update in a month")
    await lead.sends_again()
    await lead.sees("Already sent: Falls Prevention")
    for chat in (nurse, kay):
        told = await chat.is_told("An update on Falls Prevention")
        said = ("Amber: at risk, recoverable", "Borrow one", "Ran 6 classes", f"{when.year})", "because you follow this project")
        assert all(words in told for words in said)
    assert await kay.was_told("An update on Falls Prevention") == await nurse.was_told("An update on Falls Prevention") == 1
    assert await lead.was_told("An update on") == 0, "who made it is not told"
    await nurse.presses("Stop following")
    await nurse.sees("You no longer follow this project", "2 people", "Updated today by Physiotherapist", "Coordinator")


async def test_a_later_report_stands_beside_the_one_before(hub: Hub) -> None:
    lead = await hub.somebody("Physiotherapist")
    nurse = await hub.somebody("Ward nurse")
    id = await _begin(hub, lead="Physiotherapist", sro="Chief nurse")
    for days in range(35, 6, -4):
        await _report(hub, id, "Physiotherapist", days=days)
    await lead.types("update falls")
    await lead.opens_form()
    assert await lead.typed("Why") == "As 7 days ago"
    assert await lead.typed("Done this period") == "Find an instructor", "what was planned is offered as done"
    assert await lead.typed("Stage") == "Adapt and adopt"
    await lead.fills({**AMBER, "Path to green": "Borrow one"})
    await lead.sees("Amber: at risk, recoverable (was Green)")
    await nurse.types("status")
    assert "Updated today" in await nurse.sees("Falls Prevention: Amber: at risk, recoverable (was Green)", "Adapt and adopt")
    await nurse.presses("Open")
    shown = await nurse.sees("One instructor left", "Borrow one", "Chief nurse")
    assert "Incomplete" not in shown
    await nurse.presses("History")
    shown = await nurse.sees("1 to 6 of 9 reports", "Amber: at risk, recoverable (was Green)")
    assert shown.index("One instructor left") < shown.index("As 7 days ago") < shown.index("As 11 days ago")
    await nurse.presses("Older")
    await nurse.sees("7 to 9 of 9 reports", "As 35 days ago")
    await nurse.presses("Read")
    await nurse.sees("Some", "Find an instructor", "Physiotherapist")


async def test_only_its_lead_and_the_core_team_change_a_project(hub: Hub) -> None:
    kay = await hub.somebody("Core Team member", Group.CORE_TEAM)
    nurse = await hub.somebody("Ward nurse")
    await hub.somebody("Physiotherapist")
    await _begin(hub, lead="Physiotherapist")
    await _begin(hub, "Nutrition in Ageing People")
    await nurse.types("update")
    await nurse.sees("You do not lead a project")
    await nurse.types("update falls")
    await nurse.sees("This is for the project’s lead and the Core Team. Nothing was changed.")
    await nurse.types("projects add")
    await nurse.sees("This is for the Core Team")
    await nurse.types("status fals")
    shown = await nurse.sees("Falls Prevention", "Follow")
    assert "Edit" not in shown
    assert "Update " not in shown.replace("Updated", "")
    await kay.types("update")
    await kay.sees("Which project do you want to update?", "Falls Prevention", "Nutrition in Ageing People")
    await kay.types("status falls")
    await kay.presses("Edit")
    await kay.fills({"Name": "nutrition in ageing people"})
    assert "There is a project with this name" in (await kay.errors())["Name"]
    await kay.fills({"Name": "Fewer falls", "Lead": "Nobody yet", "Stage": "Embed", "Senior responsible officer (SRO)": "Chief nurse"})
    await kay.sees("Your changes are saved", "Fewer falls", "Embed", "Chief nurse", "Nobody yet")
    async with hub.database.reading() as session:
        entries = await audit.newest(session)
    refused = [(entry.object, entry.detail["needs"]) for entry in entries if entry.action == "refused"]
    assert ("route:update", "the project’s lead and the Core Team") in refused
    (entry,) = [entry for entry in entries if entry.action.startswith("projects.")]
    assert (entry.action, dict(entry.detail)) == ("projects.edit", {"changed": "name, sro, lead_id, stage", "lead": "", "stage": "embed"})


async def test_words_that_fit_several_or_none_are_answered_with_a_choice(hub: Hub) -> None:
    nurse = await hub.somebody("Ward nurse")
    await nurse.types("status falls")
    await nurse.sees("I found no project like “falls”", "The hub has no projects yet")
    for name in ("Falls Prevention", "Falls huddles"):
        await _begin(hub, name)
    await nurse.types("status falls")
    await nurse.sees("Which project do you mean?", "Falls Prevention", "Falls huddles")
    await nurse.types("status hudles")
    await nurse.sees("Falls huddles", "Not rated yet")
    await nurse.types("status gammaCore")
    await nurse.sees("I found no project like “gammaCore”", "The nearest is this one")


async def test_a_paused_project_takes_an_update_only_when_it_goes_on(hub: Hub) -> None:
    lead = await hub.somebody("Physiotherapist")
    kay = await hub.somebody("Core Team member", Group.CORE_TEAM)
    id = await _begin(hub, lead="Physiotherapist")
    await _report(hub, id, "Physiotherapist", days=9)
    await lead.types("update")
    await lead.fills({SURE: "Grey: paused", "Why": "The hall is closed", "Done this period": "Told everybody"})
    assert "Grey means paused. Choose the stage “Paused”." in (await lead.errors())["Stage"]
    await lead.fills({"Stage": "Paused"})
    await lead.sees("Grey: paused (was Green)", "I will not ask for updates until it goes on")
    await lead.types("status falls")
    await lead.sees("Paused. Last rated Grey: paused (was Green)")
    await lead.types("update falls")
    await lead.fills(
        {SURE: "Green: on track", "Why": "The hall is open", "Done this period": "Cleaned it", "Stage": "Stopped with learning"}
    )
    await lead.sees("Green: on track (was Grey)", "Stopped with learning")
    await lead.types("update falls")
    await lead.fills({"Stage": "Stopped with learning", "Done this period": "Nothing"})
    assert "takes no updates now: Stopped with learning" in (await lead.errors())["Stage"]
    await kay.types("status falls")
    await kay.presses("Edit")
    await kay.fills({"Stage": "Adapt and adopt"})
    await kay.sees("Your changes are saved")
    await lead.fills({"Stage": "Spread"})
    await lead.sees("The stage became “Adapt and adopt” meanwhile")
    await lead.fills({SURE: "Blue: complete", "Stage": "Sustain"})
    await lead.sees("Blue: complete (was Green)", "The project is complete. I will not ask for more updates.")


async def test_a_project_shows_the_idea_it_came_from_to_those_who_may_see_it(hub: Hub) -> None:
    nurse = await hub.somebody("Ward nurse")
    kay = await hub.somebody("Core Team member", Group.CORE_TEAM)
    async with hub.database.transaction() as session:
        (author,) = (person.id for person in await people.list_people(session) if person.name == "Core Team member")
        for visibility in (Visibility.HUB, Visibility.CORE_TEAM):
            await ideas.add(
                session, title=f"Sensors for {visibility}", need="Falls at home", proposal="", organisation_id=None,
                visibility=visibility, author_id=author, now=hub.server.clock(),
            )  # fmt: skip
    await _begin(hub, "Open sensors", idea_id=1)
    await _begin(hub, "Hidden sensors", idea_id=2)
    await nurse.types("status hidden")
    shown = await nurse.sees("Hidden sensors", "IDEA-2")
    assert "Sensors for" not in shown
    assert "Open the idea" not in shown
    await kay.types("status hidden")
    await kay.sees("IDEA-2: Sensors for core_team", "Open the idea")
    await nurse.types("status open")
    await nurse.presses("Open the idea")
    await nurse.sees("IDEA-1: Sensors for hub", "Falls at home")


async def test_a_national_product_is_adopted_provider_by_provider(hub: Hub) -> None:
    kay = await hub.somebody("Core Team member", Group.CORE_TEAM)
    await kay.types("projects add PLGF testing")
    await kay.fills({"Type": "National priority: MedTech Funding Mandate (MTFM)"})
    await kay.sees("The project is added")
    await kay.presses("Adoption")
    await kay.sees("Press “Edit” to set its type and its partners")
    await kay.types("status plgf")
    await kay.presses("Edit")
    await kay.fills({"Partners": "University Hospitals Dorset"})
    await kay.sees("Your changes are saved", "Adoption, provider by provider", "Not started")
    await kay.types("status plgf")
    await kay.presses("Adoption")
    await kay.fills({"University Hospitals Dorset": "Part of routine care"})
    await kay.sees("Your changes are saved", "Part of routine care")


async def test_the_portfolio_is_paged_with_what_needs_help_first(hub: Hub) -> None:
    lead = await hub.somebody("Physiotherapist")
    for number in range(1, 10):
        await _begin(hub, f"Project {number}", lead="Physiotherapist")
    await _report(hub, 9, "Physiotherapist", days=1, rag=Rag.RED)
    await lead.types("status")
    shown = await lead.sees("1 to 8 of 9 projects", "Project 9: Red: needs help now", "Updated yesterday")
    assert shown.index("Project 9") < shown.index("Project 1")
    await lead.presses("More")
    await lead.sees("9 to 9 of 9 projects", "Project 8")
    await lead.types("update")
    await lead.sees("Which project do you want to update?", "1 to 8 of 9 projects")
    await lead.presses("More")
    await lead.sees("Which project do you want to update?", "9 to 9 of 9 projects")
    await lead.presses("Update")
    await lead.fills({SURE: "Green: on track", "Why": "All agreed", "Done this period": "All of it"})
    await lead.sees("Project 8 is updated")
