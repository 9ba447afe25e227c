"""Help, who one is, and administration, told once and lived on every channel."""

from __future__ import annotations

from storage.people import Group
from tests.conversations.conftest import Hub


async def test_help_lists_what_this_person_may_do(hub: Hub) -> None:
    nurse = await hub.somebody("Ward nurse")
    head = await hub.somebody("Administrator", administrator=True)
    await nurse.types("help")
    assert "admin people" not in await nurse.sees("What you can do", "ideas", "me")
    await head.types("help")
    await head.sees("What you can do", "admin people", "setup here")


async def test_an_unknown_word_is_answered_with_the_nearest(hub: Hub) -> None:
    nurse = await hub.somebody("Ward nurse")
    await nurse.types("ideaz")
    await nurse.sees("Did you mean “idea")
    await nurse.types("xyzzy")
    await nurse.sees("I do not know that word")


async def test_me_says_who_i_am_and_how_that_is_known(hub: Hub) -> None:
    kay = await hub.somebody("Kay Fox", Group.CORE_TEAM, Group.PROGRAMME_GROUP)
    await kay.types("me")
    await kay.sees("Kay Fox", "University Hospitals Dorset (an administrator set it)", "Core Team and Programme Group")


async def test_an_administrator_gives_a_role_and_it_counts_at_once(hub: Hub) -> None:
    head = await hub.somebody("Administrator", administrator=True)
    nurse = await hub.somebody("Ward nurse")
    await nurse.types("admin people")
    await nurse.sees("This is for administrators")
    await head.types("admin people Ward")
    await head.sees("Ward nurse")
    await head.presses("Change")
    await head.opens_form()
    await head.fills({"Administrator": "yes"})
    await head.sees("Ward nurse is saved")
    await nurse.types("admin people")
    await nurse.sees("People", "Ward nurse")


async def test_the_last_administrator_stays(hub: Hub) -> None:
    head = await hub.somebody("Administrator", administrator=True)
    await head.types("admin people Administrator")
    await head.presses("Change")
    await head.opens_form()
    await head.fills({"Administrator": ""})
    await head.sees("is the last administrator")


async def test_a_partner_is_added_and_its_wrong_domain_is_named(hub: Hub) -> None:
    head = await hub.somebody("Administrator", administrator=True)
    await head.types("admin partners")
    await head.presses("Add a partner")
    await head.opens_form()
    await head.fills({"Name of the partner": "NHS Dorset", "E-mail domains": "nhsdorset"})
    assert "nhsdorset" in (await head.errors())["E-mail domains"]
    await head.fills({"E-mail domains": "nhsdorset.nhs.uk"})
    await head.sees("NHS Dorset is added")


async def test_one_gets_ones_own_link_to_the_web_chat(hub: Hub) -> None:
    nurse = await hub.somebody("Ward nurse")
    await nurse.types("web")
    await nurse.sees("Your link to the web chat", "It works once")
