"""The way in: who is let in, what is no activity, and that nobody makes the bot stumble or wait."""

from __future__ import annotations

import asyncio
import logging

import pytest

from storage import addresses
from tests.teams.conftest import PARTNER, Bot
from tests.teamsdouble.teamsdouble import BAD_BODIES, BAD_TOKENS, TeamsDouble


@pytest.mark.parametrize("kind", BAD_TOKENS)
async def test_a_bad_token_is_refused_without_a_trace(bot: Bot, teams: TeamsDouble, kind: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    ann = teams.user("Ann Lee", "ann@uhd.nhs.uk")
    delivery = await teams.attack(ann, kind, "idea MARKER")
    assert delivery.status == 401
    assert not teams.sent()
    assert "MARKER" not in caplog.text
    assert not [record for record in caplog.records if record.exc_info]


@pytest.mark.parametrize("kind", [*BAD_BODIES, "channel", "no_channel", "no_service_url", "evil_service_url"])
async def test_what_is_no_activity_of_teams_is_refused(bot: Bot, teams: TeamsDouble, kind: str, caplog: pytest.LogCaptureFixture) -> None:
    ann = teams.user("Ann Lee", "ann@uhd.nhs.uk")
    delivery = await teams.attack(ann, kind, "idea MARKER")
    assert delivery.status in (400, 401, 415)
    assert not teams.sent()
    assert "MARKER" not in caplog.text
    assert not [record for record in caplog.records if record.exc_info]
    assert teams.leaks == []


@pytest.mark.parametrize("kind", ["foreign_tenant", "no_tenant"])
async def test_other_tenants_have_no_effect_and_get_no_answer(bot: Bot, teams: TeamsDouble, kind: str) -> None:
    ann = teams.user("Ann Lee", "ann@uhd.nhs.uk")
    assert (await teams.attack(ann, kind)).status == 403
    assert not teams.sent()
    assert not teams.called("member")


async def test_a_tenant_that_is_listed_is_served_and_vouches_for_nothing_that_is_not_said(bot: Bot, teams: TeamsDouble) -> None:
    paul = teams.user("Paul Rae", "paul@uhd.nhs.uk", tenant=PARTNER)
    await paul.says("me")
    shown = (await paul.card("Paul Rae")).text
    assert "nobody vouches for this address" in shown


async def test_ones_email_and_organisation_come_from_the_roster_of_a_trusted_tenant(bot: Bot, teams: TeamsDouble) -> None:
    ann = teams.user("Ann Lee", "ann@uhd.nhs.uk")
    await ann.says("me")
    shown = (await ann.card("Ann Lee")).text
    assert "University Hospitals Dorset" in shown
    assert "its owner vouches for this address" in shown
    assert "Europe/London" in shown


async def test_a_new_signing_key_works_at_once_and_unknown_ones_are_looked_for_once_a_minute(bot: Bot, teams: TeamsDouble) -> None:
    ann = teams.user("Ann Lee", "ann@uhd.nhs.uk")
    await ann.says("help")
    teams.rotate_key()
    assert (await ann.says("help")).status == 200
    asked = len(teams.called("jwks"))
    for _ in range(5):
        assert (await teams.attack(ann, "unknown_key")).status == 401
    assert len(teams.called("jwks")) == asked == 2


@pytest.mark.may_block("what Teams accepts is looked at for 20 people at once in this process; the bot's own part is in test_sending")
async def test_slow_sign_in_and_keys_hold_nobody_up_and_are_asked_once(bot: Bot, teams: TeamsDouble) -> None:
    teams.token_delay = teams.openid_delay = 1
    people = [teams.user(f"Person {number}", f"p{number}@uhd.nhs.uk") for number in range(20)]
    told = await asyncio.gather(*(person.says("help") for person in people))
    assert {delivery.status for delivery in told} == {200}
    for person in people:
        await person.card("What you can do")
    assert len(teams.token_calls) == len(teams.called("jwks")) == 1


async def test_everything_that_comes_keeps_the_newest_address(bot: Bot, teams: TeamsDouble) -> None:
    ann = teams.user("Ann Lee", "ann@uhd.nhs.uk")
    await ann.says("help")
    teams.service_url = "https://smba.trafficmanager.net/uk/"
    await teams.deliver(teams.activity(ann, ann.chat, "message", text="help", textFormat="plain"))
    async with bot.database.reading() as session:
        found = await addresses.find(session, channel="teams", tenant=ann.tenant, who=ann.aad)
    assert found is not None
    assert (found.service, found.conversation, found.contact) == ("https://smba.trafficmanager.net/uk/", ann.chat.id, ann.id)
    teams.problems.clear()  # this Teams answers in one region only
    teams.leaks.clear()


@pytest.mark.parametrize(
    "text", ["{at}&nbsp;me", "{at}\n me", "  {at}\u00a0/dih me", "ME {at}", "/dih me", "dih me", "Dih\u00a0me", "/me", "me"]
)
async def test_the_bots_name_and_blanks_and_case_do_not_matter(bot: Bot, teams: TeamsDouble, text: str) -> None:
    ann = teams.user("Ann Lee", "ann@uhd.nhs.uk")
    at = "<at>DIH</at>"
    entities = [{"type": "mention", "mentioned": dict(teams.bot), "text": at}] if "{at}" in text else []
    activity = teams.activity(ann, ann.chat, "message", text=text.format(at=at), textFormat="plain", entities=entities)
    await teams.deliver(activity)
    await ann.card("Who I think you are")


@pytest.mark.parametrize("name", ["composeExtension/query", "signin/verifyState", "fileConsent/invoke", "x"])
async def test_an_invoke_that_is_none_of_ours_is_answered_so(bot: Bot, teams: TeamsDouble, name: str) -> None:
    ann = teams.user("Ann Lee", "ann@uhd.nhs.uk")
    status, body, *_ = await teams.post(teams.activity(ann, ann.chat, "invoke", name=name, value={}), teams.authorization())
    assert (status, body) == (501, "")
