"""An answer lands where the words or the button were: in that channel, thread or direct message, for all or for one person."""

from __future__ import annotations

import pytest

from bot.slack import render
from handlers.routing import Request, Router
from handlers.views import Button, Card, Outcome, Reply, says
from storage.database import Database
from tests.processes.serving import free_port
from tests.slack.conftest import serving
from tests.slackdouble.slackdouble import SlackDouble, User


def voices() -> Router:
    """A card, for one person or for all, whose buttons answer one person or all."""
    router = Router()
    card = Card(title="Press one", buttons=(Button(label="Tell me", action="voices.me"), Button(label="Tell all", action="voices.all")))

    @router.command("card", "a card", reads=True)
    async def one(_request: Request) -> Outcome:
        return Reply(card=card)

    @router.command("card for all", "a card for all", reads=True)
    async def many(_request: Request) -> Outcome:
        return Reply(card=card, audience="here")

    @router.action("voices.me", reads=True)
    async def me(_request: Request) -> Outcome:
        return says("Only you", "Nobody else reads this.")

    @router.action("voices.all", reads=True)
    async def all_of_us(_request: Request) -> Outcome:
        return Reply(card=Card(title="For all of you"), audience="here")

    return router


ME, ALL = "voices.me#0", "voices.all#1"


def said(slack: SlackDouble, channel: str) -> list[str]:
    """What the bot said in a channel for all to read: the words that screen readers get."""
    return [str(message["text"]).partition("\n")[0] for message in slack.messages.get(channel, []) if message["user"] == slack.bot.id]


async def test_an_answer_for_all_to_a_button_on_ones_own_card_is_seen_by_all(slack: SlackDouble, hub: Database, ann: User) -> None:
    channel = slack.channel("general", ann)
    async with serving(slack, hub, voices()):
        await ann.command("/dih card", channel)
        await ann.click(await ann.ephemeral("Press one"), ALL)
        await ann.message(channel, "For all of you")
    assert said(slack, channel) == ["For all of you"]
    slack.assert_clean()


async def test_an_answer_for_all_to_a_button_of_all_leaves_the_card_as_it_is(slack: SlackDouble, hub: Database, ann: User) -> None:
    bob, channel = slack.user("Bob May"), slack.channel("general", ann)
    async with serving(slack, hub, voices()):
        await ann.command("/dih card for all", channel)
        await bob.click(await ann.message(channel, "Press one"), ALL)
        await bob.message(channel, "For all of you")
        await bob.click(await ann.message(channel, "Press one"), ME)
        await bob.ephemeral("Nobody else reads this")
    assert said(slack, channel) == ["Press one", "For all of you"]
    slack.assert_clean()


async def test_an_answer_for_all_whose_response_url_is_over_is_posted(slack: SlackDouble, hub: Database, ann: User) -> None:
    channel = slack.channel("general", ann)
    async with serving(slack, hub, voices()):
        await ann.command("/dih card", channel)
        slack.fault("response_url", "expired_url")
        await ann.click(await ann.ephemeral("Press one"), ALL)
        await ann.message(channel, "For all of you")
    assert said(slack, channel) == ["For all of you"]


async def test_an_answer_whose_response_url_is_out_of_reach_goes_another_way(slack: SlackDouble, hub: Database, ann: User) -> None:
    channel = slack.channel("general", ann)
    card = Card(title="Press one", buttons=(Button(label="Tell me", action="voices.me"),))
    pressed = {**render.message(card, "ticket"), "ts": "1.000001", "channel": channel}
    async with serving(slack, hub, voices()):
        here, slack.url = slack.url, f"http://127.0.0.1:{free_port()}"
        delivery = await ann.click(pressed, ME)
        slack.url = here
        await ann.dm("Nobody else reads this")
    assert delivery.status == 200


async def test_where_the_bot_may_not_speak_an_answer_for_all_goes_to_the_person(slack: SlackDouble, hub: Database, ann: User) -> None:
    channel = slack.channel("news", ann)
    async with serving(slack, hub, voices()):
        slack.fault("chat.postMessage", "restricted_action")
        await ann.say(f"<@{slack.bot.id}> card for all", channel)
        await ann.ephemeral("Press one")
    assert said(slack, channel) == []


async def test_a_mention_in_a_thread_and_its_buttons_are_answered_in_the_thread(slack: SlackDouble, hub: Database, ann: User) -> None:
    channel = slack.channel("general", ann)
    async with serving(slack, hub, voices()):
        await ann.say(f"<@{slack.bot.id}> card", channel, thread_ts="1.000001")
        card = await ann.ephemeral("Press one")
        await ann.click(card, ME)
        private = await ann.ephemeral("Nobody else reads this")
        await ann.click(card, ALL)
        public = await ann.message(channel, "For all of you")
    assert [card["thread_ts"], private["thread_ts"], public["thread_ts"]] == ["1.000001"] * 3
    slack.assert_clean()


async def test_a_button_in_a_thread_where_the_bot_may_not_whisper_is_answered_all_the_same(
    slack: SlackDouble, hub: Database, ann: User
) -> None:
    channel = slack.channel("general", ann)
    async with serving(slack, hub, voices()):
        await ann.say(f"<@{slack.bot.id}> card", channel, thread_ts="1.000001")
        card = await ann.ephemeral("Press one")
        slack.fault("chat.postEphemeral", "not_in_channel")
        await ann.click(card, ME)
        await ann.ephemeral("Nobody else reads this")


@pytest.mark.parametrize("thread", ["1.000001", None])
async def test_words_and_buttons_in_a_direct_message_are_answered_in_their_thread(
    slack: SlackDouble, hub: Database, ann: User, thread: str | None
) -> None:
    async with serving(slack, hub, voices()):
        await ann.say("card", thread_ts=thread)
        card = await ann.dm("Press one")
        await ann.click(card, ME)
        answer = await ann.dm("Nobody else reads this")
    assert [card.get("thread_ts"), answer.get("thread_ts")] == [thread, thread]
    assert not slack.ephemerals
    slack.assert_clean()


async def test_a_private_answer_in_the_direct_message_of_two_people_is_for_one_of_them(
    slack: SlackDouble, hub: Database, ann: User
) -> None:
    bob = slack.user("Bob May")
    channel = slack._id("D")
    slack.channels[channel] = {**slack.channels[ann.im], "id": channel, "members": [ann.id, bob.id]}
    async with serving(slack, hub, voices()):
        await ann.command("/dih card for all", channel)
        slack.fault("chat.postMessage", "channel_not_found")
        await bob.click(await ann.message(channel, "Press one"), ME)
        await bob.ephemeral("Nobody else reads this")
    assert said(slack, channel) == ["Press one"]
    slack.assert_clean()


async def test_a_button_on_the_message_that_a_thread_hangs_on_is_answered_beside_it(slack: SlackDouble, hub: Database, ann: User) -> None:
    channel = slack.channel("general", ann)
    async with serving(slack, hub, voices()):
        await ann.command("/dih card for all", channel)
        card = await ann.message(channel, "Press one")
        slack.find(channel, card["ts"])["thread_ts"] = card["ts"]
        await ann.click({**card, "thread_ts": card["ts"]}, ALL)
        answer = await ann.message(channel, "For all of you")
        await ann.click({**card, "thread_ts": card["ts"]}, ME)
        await ann.ephemeral("Nobody else reads this")
    assert "thread_ts" not in answer
    assert not slack.called("chat.postEphemeral")


async def test_a_mention_whose_answer_slack_does_not_take_is_apologised_for_in_its_thread(
    slack: SlackDouble, hub: Database, ann: User
) -> None:
    channel = slack.channel("general", ann)
    async with serving(slack, hub, voices()):
        slack.fault("chat.postEphemeral", "http_500")
        await ann.say(f"<@{slack.bot.id}> card", channel, thread_ts="1.000001")
        apology = await ann.ephemeral("I could not show you the answer")
    assert apology["thread_ts"] == "1.000001"
