"""The Core Team's digest, told once and lived on every channel."""

from __future__ import annotations

from storage.people import Group
from tests.conversations.conftest import Hub

NEED = "What need or problem does it answer, and for whom?"


async def test_the_core_team_sees_what_waits_and_nobody_else_does(hub: Hub) -> None:
    kay = await hub.somebody("Kay Fox", Group.CORE_TEAM)
    nurse = await hub.somebody("Ward nurse")
    await nurse.types("digest")
    await nurse.sees("This is for the Core Team")
    await kay.types("digest")
    await kay.sees("Nothing to tell")
    await nurse.types("idea Quieter nights")
    await nurse.opens_form()
    await nurse.fills({NEED: "People on wards"})
    await nurse.sees("IDEA-1 is with the Core Team")
    await kay.types("digest")
    await kay.sees("Needs a decision", "IDEA-1: Quieter nights", "Nobody has it yet", "1 new idea this week, 1 of them a problem")
    await kay.presses("Open")
    await kay.sees("People on wards")
