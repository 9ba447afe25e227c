"""One person on two chats, told once from either side."""

from __future__ import annotations

import re

from tests.conversations.conftest import Hub
from tests.storage.hub import everything_kept


async def test_a_code_makes_two_accounts_one_person(hub: Hub) -> None:
    here, there = await hub.somebody("Ward nurse"), await hub.across.somebody("Ward nurse again")
    await here.types("idea")
    await here.opens_form()
    await here.fills({"Title": "Sensors that notice a fall", "What need or problem does it answer, and for whom?": "People who fall"})
    await here.sees("IDEA-1")
    await there.types("ideas")
    assert "IDEA-1" not in await there.sees("ideas")

    await here.types("link")
    code = re.search(r"link ([A-Z0-9]{4}-[A-Z0-9]{4})", await here.sees("On the other chat, type"))
    assert code is not None
    await there.types(f"link {code[1].lower()}")
    await there.opens_form()
    await there.fills({})
    await there.sees("Your accounts are joined", "as one person: Ward nurse again")
    kept = (await everything_kept(hub.database)).upper()
    assert code[1] not in kept, "neither page nor anything else keeps it"
    assert code[1].replace("-", "") not in kept
    await here.is_told("If that was not you, tell an administrator")

    await there.types("ideas")
    await there.sees("IDEA-1")
    await here.types("me")
    shown = await here.sees("Account on Web")
    assert "Account on Slack" in shown or "Account on Teams" in shown


async def test_a_wrong_code_joins_nobody(hub: Hub) -> None:
    nurse = await hub.somebody("Ward nurse")
    await nurse.types("link cccc-cccc")
    await nurse.sees("That code does not work", "I will give you a new one there")
