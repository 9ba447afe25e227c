"""Ideas, told once and lived on every channel."""

from __future__ import annotations

from storage.people import Group
from tests.conversations.conftest import Hub

NEED = "What need or problem does it answer, and for whom?"
GOOD = {"Title": "Sensors that notice a fall", NEED: "People who have fallen at home"}


async def test_an_idea_is_shared_and_the_core_team_is_told(hub: Hub) -> None:
    nurse = await hub.somebody("Ward nurse")
    kay = await hub.somebody("Core Team member", Group.CORE_TEAM)
    await nurse.types("idea")
    await nurse.fills(GOOD)
    await nurse.sees("IDEA-1 is with the Core Team", "Sensors that notice a fall")
    told = await nurse.is_told("Thank you for IDEA-1")
    assert "Sensors that notice a fall" in told
    assert "You are told because you shared it." in told
    told = await kay.is_told("A new idea: IDEA-1")
    assert "People who have fallen at home" in told
    assert "University Hospitals Dorset" in told
    assert await nurse.was_told("Thank you for IDEA-1") == 1
    assert await kay.was_told("A new idea: IDEA-1") == 1


async def test_the_words_after_idea_are_its_title(hub: Hub) -> None:
    nurse = await hub.somebody("Ward nurse")
    await nurse.types("idea Sensors that notice a fall")
    await nurse.opens_form()
    assert await nurse.typed("Title") == "Sensors that notice a fall"
    assert await nurse.typed("Where") == "University Hospitals Dorset"
    assert await nurse.typed("Who may see it") == "Everyone in the hub"


async def test_a_refused_form_says_why_and_keeps_what_was_typed(hub: Hub) -> None:
    nurse = await hub.somebody("Ward nurse")
    await nurse.types("idea")
    await nurse.fills({"Title": "Hm", NEED: "x" * 2001})
    errors = await nurse.errors()
    assert set(errors) == {"Title", NEED}
    assert "5 characters or more" in errors["Title"]
    assert "You used 2,001" in errors[NEED]
    assert await nurse.typed("Title") == "Hm"
    assert await nurse.typed(NEED) == "x" * 2001
    await nurse.fills(GOOD)
    await nurse.sees("IDEA-1 is with the Core Team")


async def test_patient_data_is_refused_and_taken_out(hub: Hub) -> None:
    nurse = await hub.somebody("Ward nurse")
    await nurse.types("idea")
    await nurse.fills({**GOOD, NEED: "The patient with NHS number 999 123 4567"})
    assert "could name a patient" in (await nurse.errors())[NEED]
    await nurse.fills({NEED: "Ring us on 01202 123456"})
    await nurse.sees("IDEA-1 is with the Core Team")


async def test_a_form_sent_twice_stores_one_idea(hub: Hub) -> None:
    nurse = await hub.somebody("Ward nurse")
    await nurse.types("idea")
    await nurse.fills(GOOD)
    await nurse.sees("IDEA-1 is with the Core Team")
    await nurse.sends_again()
    await nurse.sees("Already sent: IDEA-1")
    await nurse.types("ideas")
    assert "1 to 1 of 1 idea" in await nurse.sees("Your ideas")


async def test_an_idea_for_the_core_team_only_is_not_found_by_others(hub: Hub) -> None:
    nurse = await hub.somebody("Ward nurse")
    other = await hub.somebody("Another nurse")
    kay = await hub.somebody("Core Team member", Group.CORE_TEAM)
    await nurse.types("idea")
    await nurse.fills({**GOOD, "Who may see it": "The Core Team only"})
    await nurse.sees("IDEA-1 is with the Core Team")
    for chat in (nurse, kay):
        await chat.types("idea IDEA-1")
        await chat.sees("IDEA-1: Sensors that notice a fall")
    await other.types("idea IDEA-1")
    await other.sees("I cannot find IDEA-1")
    await other.types("idea IDEA-7")
    await other.sees("I cannot find IDEA-7")


async def test_my_ideas_are_paged_newest_first(hub: Hub) -> None:
    nurse = await hub.somebody("Ward nurse")
    for number in range(1, 11):
        await nurse.types("idea")
        await nurse.fills({**GOOD, "Title": f"Idea number {number}"})
        await nurse.sees(f"IDEA-{number} is with the Core Team")
    await nurse.types("ideas")
    shown = await nurse.sees("1 to 8 of 10 ideas")
    assert shown.index("Idea number 10") < shown.index("Idea number 3")
    assert "Idea number 2" not in shown.replace("Idea number 20", "")
    await nurse.presses("Older")
    assert "Idea number 1" in await nurse.sees("9 to 10 of 10 ideas")
    await nurse.presses("Newer")
    await nurse.sees("1 to 8 of 10 ideas")


async def test_an_author_withdraws_and_the_core_team_sees_it(hub: Hub) -> None:
    nurse = await hub.somebody("Ward nurse")
    kay = await hub.somebody("Core Team member", Group.CORE_TEAM)
    await nurse.types("idea")
    await nurse.fills(GOOD)
    await kay.is_told("A new idea: IDEA-1")
    await nurse.types("idea IDEA-1")
    await nurse.sees("Withdraw")
    await nurse.presses("Withdraw")
    await nurse.opens_form()
    await nurse.fills({})
    await nurse.sees("IDEA-1 is withdrawn")
    assert "Withdrawn by its author" in await kay.is_told("An idea was withdrawn: IDEA-1")
    assert await kay.was_told("IDEA-1") == 1


async def test_without_a_core_team_an_administrator_learns_only_that_an_idea_waits(hub: Hub) -> None:
    head = await hub.somebody("Administrator", administrator=True)
    nurse = await hub.somebody("Ward nurse")
    await nurse.types("idea")
    await nurse.fills({**GOOD, "Who may see it": "The Core Team only"})
    await nurse.sees("IDEA-1 is with the Core Team")
    assert "Sensors" not in await head.is_told("IDEA-1 waits for the Core Team")
