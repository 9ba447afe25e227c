"""The way out: one try a message, what each failure means, and where nothing may be sent."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from handlers.views import Button, Card, Message, Text
from scheduler.delivery import Ambiguous, BadContent, CredentialsDead, Result, RetryLater, Sent, Target, TargetDead
from storage import addresses, outbox
from storage.outbox import Notice
from tests.teams.conftest import Bot, now
from tests.teamsdouble.teamsdouble import TeamsDouble, User

CARD = Card(title="News of your idea", blocks=(Text(text="It was accepted."),), buttons=(Button(label="Help", action="help.x"),))


async def _sends(bot: Bot, who: User, card: Card = CARD, *, handle: str | None = None, live: str | None = None) -> Result:
    target = Target(channel="teams", tenant=who.tenant, user=who.aad)
    return await bot.channel.sender.send(target, Message(card=card, live=live), ticket="T", handle=handle)


async def _met(bot: Bot, teams: TeamsDouble) -> User:
    """Somebody who has spoken to the bot."""
    ann: User = teams.user("Ann Lee", "ann@uhd.nhs.uk")
    await ann.says("help")
    await ann.card("What you can do")
    teams.calls.clear()
    return ann


async def test_a_message_reaches_whoever_was_heard_from(bot: Bot, teams: TeamsDouble) -> None:
    ann = await _met(bot, teams)
    result = await _sends(bot, ann)
    assert isinstance(result, Sent)
    assert "It was accepted." in (await ann.card("News of your idea")).text
    assert not teams.called("create"), "their own conversation was known"
    kim = teams.user("Kim")
    assert await _sends(bot, kim) == TargetDead(reason="Teams: nothing was heard from there")


async def test_a_message_in_its_place_is_changed_and_a_deleted_one_is_said_again(bot: Bot, teams: TeamsDouble) -> None:
    ann = await _met(bot, teams)
    first = await _sends(bot, ann, live="idea:1")
    assert isinstance(first, Sent)
    second = await _sends(bot, ann, replace(CARD, title="It is decided"), handle=first.handle, live="idea:1")
    assert second == first
    message = await ann.message("It is decided")
    assert len(message.edits) == 1
    message.deleted = True
    third = await _sends(bot, ann, handle=first.handle, live="idea:1")
    assert isinstance(third, Sent)
    assert third.handle != first.handle


async def test_the_conversation_of_somebody_heard_in_a_channel_is_begun_once(bot: Bot, teams: TeamsDouble) -> None:
    ann = teams.user("Ann Lee", "ann@uhd.nhs.uk")
    team = teams.team("Innovation", ann)
    await ann.says("help", team["General"])
    await ann.card("What you can do", where=ann.chat)
    assert len(teams.called("create")) == 1
    assert isinstance(await _sends(bot, ann), Sent)
    assert len(teams.called("create")) == 1


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (429, RetryLater), (412, RetryLater), (403, TargetDead), (404, TargetDead), ("blocked", TargetDead), ("disabled", TargetDead),
        (413, BadContent), (500, Ambiguous), (502, Ambiguous), (503, Ambiguous), (504, Ambiguous), ("reset", Ambiguous),
        ("garbage", Ambiguous),
    ],
)  # fmt: skip
async def test_what_a_failure_means(bot: Bot, teams: TeamsDouble, kind: object, expected: type[Result]) -> None:
    ann = await _met(bot, teams)
    teams.fault("send", kind, retry_after=7)
    result = await _sends(bot, ann)
    assert isinstance(result, expected)
    assert len(teams.called("send")) == 1, "nothing is tried again by itself"
    if isinstance(result, RetryLater) and kind == 429:
        assert result.seconds == 7


async def test_a_hanging_teams_is_given_up(bot: Bot, teams: TeamsDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    ann = await _met(bot, teams)
    monkeypatch.setattr(bot.channel._network, "seconds", 0.2)
    teams.fault("send", "hang", seconds=1)
    assert isinstance(await _sends(bot, ann), Ambiguous)


async def test_a_dead_target_is_left_alone_until_it_speaks_again(bot: Bot, teams: TeamsDouble) -> None:
    ann = await _met(bot, teams)
    ann.blocks()
    assert isinstance(await _sends(bot, ann), TargetDead)
    ann.blocks(False)
    assert isinstance(await _sends(bot, ann), TargetDead)
    assert len(teams.called("send")) == 1
    await ann.says("help")
    assert isinstance(await _sends(bot, ann), Sent)


async def test_fifty_messages_cost_one_token_and_a_revoked_one_is_fetched_anew(bot: Bot, teams: TeamsDouble) -> None:
    teams.throttle = False
    ann = await _met(bot, teams)
    results = await asyncio.gather(*(_sends(bot, ann) for _ in range(50)))
    assert all(isinstance(each, Sent) for each in results)
    assert len(teams.token_calls) == 1
    teams.revoke_tokens()
    assert isinstance(await _sends(bot, ann), Sent)
    assert len(teams.token_calls) == 2


async def test_a_wrong_password_is_told_from_a_sign_in_that_is_away(bot: Bot, teams: TeamsDouble) -> None:
    ann = await _met(bot, teams)
    teams.revoke_tokens()
    teams.fault("token", 500)
    assert isinstance(await _sends(bot, ann), RetryLater)
    assert isinstance(await _sends(bot, ann), Sent), "the fault is not repeated from memory"
    teams.revoke_tokens()
    teams.app_password = "another"
    assert isinstance(await _sends(bot, ann), CredentialsDead)
    teams.problems.clear()


@pytest.mark.parametrize(
    "service",
    [
        "http://smba.trafficmanager.net/emea/", "https://smba.trafficmanager.net.evil.tld/", "https://evil.tld/smba.trafficmanager.net",
        "https://smba.trafficmanager.net@evil.tld/", "https://smba.trafficmanager.net:8443/emea/",
        "https://evil.tld/#smba.trafficmanager.net", "",
    ],
)  # fmt: skip
async def test_our_token_goes_to_no_other_address(bot: Bot, teams: TeamsDouble, service: str) -> None:
    ann = await _met(bot, teams)
    async with bot.database.transaction() as session:
        known = await addresses.find(session, channel="teams", tenant=ann.tenant, who=ann.aad)
        assert known is not None
        await addresses.note(session, replace(known, service=service), now=now())
    assert isinstance(await _sends(bot, ann), TargetDead)
    assert teams.leaks == []
    activity = {**teams.activity(ann, ann.chat, "message", text="help"), "serviceUrl": service}
    assert (await teams.post(activity, teams.authorization("good", service)))[0] == 400


async def test_redirects_are_not_followed(bot: Bot, teams: TeamsDouble) -> None:
    ann = await _met(bot, teams)
    teams.fault("send", "redirect")
    assert isinstance(await _sends(bot, ann), Ambiguous)
    assert teams.leaks == []


async def test_who_takes_the_app_away_is_not_written_to_and_who_adds_it_is_greeted_once(bot: Bot, teams: TeamsDouble) -> None:
    ann = teams.user("Ann Lee", "ann@uhd.nhs.uk")
    await teams.install(ann)
    await bot.delivery.run()
    await ann.card("Hello")
    async with bot.database.transaction() as session:
        await outbox.enqueue(session, Notice(key="k", kind="welcome.hello", person_id=1), due_at=now())
    await teams.uninstall(ann)
    teams.calls.clear()
    await bot.delivery.run()
    assert teams.called("write") == []
    async with bot.database.reading() as session:
        assert await outbox.list_stuck(session) == (), "it was cancelled, not lost"
    await teams.install(ann)
    await bot.delivery.run()
    assert teams.called("write") == [], "a second greeting would be one too many"
    assert isinstance(await _sends(bot, ann), Sent)
