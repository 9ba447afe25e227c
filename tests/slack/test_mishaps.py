"""When Slack, its network or the bot itself is not well: the person is always told, and nothing typed is lost."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from handlers.errors import Refused
from handlers.routing import Request, Router
from handlers.views import Button, Card, Form, Outcome, Reply, TextField, says
from storage.database import Database
from tests.slack.conftest import Bot, serving
from tests.slack.test_conversations import GOOD, counting, idea_form, slow, submission
from tests.slackdouble.slackdouble import Modal, SlackDouble, User


def picky() -> Router:
    """A form that is turned down, a button that asks, and modals that lie on each other."""
    router = Router()

    async def build(_request: Request) -> Form:
        again = Button(label="Check it", action="picky.check")
        return Form(action="picky.send", title="Picky", fields=(TextField(name="words", label="Words"),), buttons=(again,))

    @router.command("picky", "a form", reads=True)
    async def start(request: Request) -> Outcome:
        return await build(request)

    @router.command("picky card", "a card", reads=True)
    async def card(_request: Request) -> Outcome:
        button = Button(label="Ask", action="picky.ask", args={"about": "this"}, does="ask")
        return Reply(card=Card(title="Press it", buttons=(button,)))

    @router.command("picky here", "for all", reads=True)
    async def here(_request: Request) -> Outcome:
        return Reply(card=Card(title="For all of you"), audience="here")

    @router.action("picky.ask", reads=True)
    async def ask(request: Request) -> Outcome:
        return (await build(request)).filled({"words": request.args["about"]})

    @router.action("picky.check", reads=True)
    async def check(_request: Request) -> Outcome:
        raise Refused("That is not checked on Sundays.")

    @router.form("picky.send", build)
    async def send(_request: Request) -> Outcome:
        raise Refused("That cannot be done today.")

    return router


def words_in(modal: Modal) -> str:
    """All of a modal."""
    return json.dumps(modal.view, ensure_ascii=False)


async def test_a_form_that_is_turned_down_stays_as_typed_beneath_the_reason(slack: SlackDouble, hub: Database, ann: User) -> None:
    async with serving(slack, hub, picky()):
        await ann.command("/dih picky")
        form = await ann.modal()
        await form.fill({"Words": "Mine"}).submit()
        reason = await ann.modal()
        assert "That cannot be done today" in words_in(reason)
        assert "what you typed is still there" in words_in(reason)
        assert form.open
    slack.assert_clean()


async def test_a_button_of_a_form_that_is_turned_down_leaves_the_form_as_typed(slack: SlackDouble, hub: Database, ann: User) -> None:
    async with serving(slack, hub, picky()):
        await ann.command("/dih picky")
        form = await ann.modal()
        form.fill({"Words": "Mine"})
        await ann.click(form, "picky.check#0")
        await slack.until(lambda: "not checked on Sundays" in words_in(slack.last_view(ann)), 3, "the reason")
        assert form.open
    slack.assert_clean()


async def test_a_press_that_came_too_late_for_its_form_offers_the_same_form_again(slack: SlackDouble, hub: Database, ann: User) -> None:
    """R12."""
    async with serving(slack, hub, picky()):
        await ann.command("/dih picky card")
        slack.fault("views.open", "expired_trigger_id")
        await ann.click(await ann.ephemeral("Press it"), "picky.ask#0")
        await ann.click(await ann.ephemeral("Open the form"), "picky.ask#0")
        modal = await ann.modal()
        assert "this" in json.dumps(modal.values())


@pytest.mark.parametrize("fault", ["http_500", "reset", "garbage", "something_new"])
async def test_a_form_that_slack_did_not_open_is_offered_as_a_button(bot: Bot, slack: SlackDouble, ann: User, fault: str) -> None:
    """R12."""
    slack.fault("views.open", fault)
    delivery = await ann.command("/dih idea")
    await ann.ephemeral("Open the form")
    assert delivery.status == 200
    assert delivery.ack < 1


async def test_a_form_that_was_opened_already_is_not_offered_again(bot: Bot, slack: SlackDouble, ann: User) -> None:
    """R12."""
    slack.fault("views.open", "exchanged_trigger_id")
    await ann.command("/dih idea")
    await slack.until(lambda: slack.called("views.open"), 3, "views.open")
    assert not slack.ephemerals


async def test_an_answer_that_slack_does_not_take_leads_to_one_apology_with_a_reference(
    slack: SlackDouble, hub: Database, ann: User, caplog: pytest.LogCaptureFixture
) -> None:
    """R6."""
    router, _runs = counting()
    slack.fault("chat.postMessage", "http_500")
    async with serving(slack, hub, router):
        delivery = await ann.say("note this")
        apology = await ann.dm("I could not show you the answer")
    assert delivery.status == 200
    (record,) = [record for record in caplog.records if record.message == "an answer could not be shown"]
    assert record.reference in json.dumps(apology)  # type: ignore[attr-defined]
    assert sum("Something went wrong" in str(message) for message in slack.messages[ann.im]) == 1


async def test_a_response_url_that_is_over_leads_to_the_direct_message(slack: SlackDouble, hub: Database, ann: User) -> None:
    """A slow answer outlives what Slack gives to answer with."""
    router, go = slow()
    channel = slack.channel("general", ann)
    async with serving(slack, hub, router):
        await ann.command("/dih slow", channel)
        slack._responses.clear()
        go.set()
        await ann.dm("It took a while")


async def test_a_saving_modal_that_was_closed_leads_to_the_direct_message(slack: SlackDouble, hub: Database, ann: User) -> None:
    """DESIGN 4.2."""
    router, go = slow()
    async with serving(slack, hub, router):
        await ann.command("/dih slow form")
        await (await ann.modal()).fill({"Words": "refuse"}).submit()
        await (await ann.modal(title="Saving")).close()
        go.set()
        await ann.dm("Use other words", timeout=6)


def third(payload: dict[str, Any]) -> dict[str, Any]:
    """The same submission from the top of a full stack."""
    return {**payload, "view": {**payload["view"], "previous_view_id": "V2", "root_view_id": "V1"}}


async def test_where_no_more_modals_fit_the_person_presses_again(slack: SlackDouble, hub: Database, ann: User) -> None:
    """DESIGN 4.2."""
    router, go = slow()
    async with serving(slack, hub, router):
        await ann.command("/dih slow form")
        form = await ann.modal()
        payload = third(submission(form.fill({"Words": "save"})))
        first = await slack.interact(payload)
        assert first.json["errors"] == {form.inputs()[0]["block_id"]: "Still saving, press again in a moment."}
        go.set()
        second = await slack.interact(payload)
        assert "Already sent" in second.body or "It took a while" in second.body


async def test_where_no_more_modals_fit_a_refusal_stands_under_the_first_field(slack: SlackDouble, hub: Database, ann: User) -> None:
    async with serving(slack, hub, picky()):
        await ann.command("/dih picky")
        form = await ann.modal()
        delivery = await slack.interact(third(submission(form.fill({"Words": "Mine"}))))
        (sentence,) = delivery.json["errors"].values()
        assert "That cannot be done today." in sentence


async def test_too_much_at_once_is_refused_politely_and_nothing_is_begun(slack: SlackDouble, hub: Database, ann: User) -> None:
    router, go = slow()
    async with serving(slack, hub, router, most=2):
        await ann.command("/dih slow form")
        form = await ann.modal()
        waiting = [asyncio.create_task(ann.command("/dih slow")) for _ in range(2)]
        await asyncio.gather(*waiting)
        refused = await ann.command("/dih slow")
        assert "I am busy just now" in refused.body
        await form.fill({"Words": "save"}).submit()
        assert "I am busy just now" in json.dumps(form.errors)
        go.set()
    assert all(delivery.ack < 1 for delivery in slack.deliveries)


@pytest.mark.parametrize("fault", ["ratelimited", "http_500", "garbage", "reset"])
async def test_slack_not_saying_who_we_are_is_no_reason_to_say_that_the_bot_is_gone(
    slack: SlackDouble, hub: Database, ann: User, fault: str
) -> None:
    slack.fault("auth.test", fault, times=9)
    async with serving(slack, hub):
        said = [(await ann.command("/dih help")).body for _ in range(5)]
    assert {"I cannot reach Slack just now" in words for words in said} == {True}
    assert "reinstall" not in "".join(said)
    assert len(slack.called("auth.test")) == 1


async def test_while_slack_does_not_say_who_we_are_words_and_presses_are_answered_with_a_hint(
    slack: SlackDouble, hub: Database, ann: User
) -> None:
    slack.fault("auth.test", "ratelimited", times=9)
    channel = slack.channel("general", ann)
    button = {"type": "button", "text": {"type": "plain_text", "text": "Go"}, "action_id": "picky.ask#0", "value": "{}"}
    card = {"channel": channel, "ts": "1.1", "blocks": [{"type": "actions", "block_id": "t:actions0", "elements": [button]}]}
    async with serving(slack, hub, picky()):
        await ann.say("help")
        await ann.dm("I cannot reach Slack just now")
        await ann.click(card, "picky.ask#0")
        await ann.ephemeral("I cannot reach Slack just now")


async def test_somebody_of_a_strange_workspace_is_told_where_slack_lets_us(bot: Bot, slack: SlackDouble, ann: User) -> None:
    event = {"type": "message", "channel": ann.im, "channel_type": "im", "user": ann.id, "text": "help", "ts": "1.1"}
    channel = slack.channel("general", ann)
    press = {
        **ann._base("block_actions"),
        "team": {"id": "T0STRANGER"},
        "actions": [{"type": "button", "action_id": "ideas.open#0", "block_id": "t:1"}],
        "channel": {"id": channel},
        "response_url": slack.response_url(ann.id, channel),
    }
    await slack.event(event, {**slack.envelope(event), "team_id": "T0STRANGER", "authorizations": []})
    await slack.interact(press)
    await ann.ephemeral("not one that the hub")
    assert not slack.called("chat.postMessage")


@pytest.mark.parametrize("fault", ["http_500", "garbage", "reset", "hang", "user_not_found"])
async def test_a_person_slack_says_nothing_of_is_served_all_the_same(slack: SlackDouble, hub: Database, ann: User, fault: str) -> None:
    slack.fault("users.info", fault, times=9, seconds=5)
    async with serving(slack, hub):
        for _ in range(3):
            delivery = await ann.command("/dih help")
            assert "What you can do" in delivery.body
            assert delivery.ack < 1
    assert len(slack.called("users.info")) <= 2  # aiohttp repeats a GET whose kept connection was dropped; we do not ask again


@pytest.mark.parametrize("mark", ["is_restricted", "is_ultra_restricted", "is_stranger", "deleted"])
async def test_a_guests_address_is_vouched_for_by_nobody(
    bot: Bot, slack: SlackDouble, ann: User, mark: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = {**ann.object(), mark: True}
    monkeypatch.setattr(ann, "object", lambda: said)
    assert "None that I can rely on" in (await ann.command("/dih me")).body


async def test_the_address_of_a_member_is_relied_on(bot: Bot, ann: User) -> None:
    body = (await ann.command("/dih me")).body
    assert "ann@uhd.nhs.uk" in body
    assert "None that I can rely on" not in body


async def test_oauth_settings_in_the_environment_change_nothing(
    slack: SlackDouble, hub: Database, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLACK_CLIENT_ID", "1.2")
    monkeypatch.setenv("SLACK_CLIENT_SECRET", "secret")
    async with serving(slack, hub):
        assert "What you can do" in (await ann.command("/dih help")).body
    slack.assert_clean()


async def test_talk_of_others_edits_and_bots_is_not_answered(slack: SlackDouble, hub: Database, ann: User) -> None:
    router, runs = counting()
    channel = slack.channel("general", ann)
    event = {"type": "message", "channel": ann.im, "channel_type": "im", "user": ann.id, "text": "note", "ts": "1.1"}
    async with serving(slack, hub, router):
        await slack.event({**event, "channel": channel, "channel_type": "channel"})
        await slack.event({**event, "bot_id": slack.bot_id, "user": slack.bot.id})
        await slack.event({**event, "subtype": "message_changed"})
        await slack.event({**event, "subtype": "pinned_item"})
        await slack.event({**event, "type": "app_mention", "channel": channel, "edited": {"user": ann.id, "ts": "2.1"}})
        await slack.event({"type": "member_joined_channel", "user": ann.id, "channel": channel})
        await ann.say("note mine")
        await ann.dm("It is noted")
    assert runs == ["mine"]
    slack.assert_clean()


@pytest.mark.parametrize("subtype", ["file_share", "thread_broadcast", "me_message"])
async def test_words_with_a_file_or_sent_to_the_channel_too_are_words(slack: SlackDouble, hub: Database, ann: User, subtype: str) -> None:
    router, runs = counting()
    event = {"type": "message", "channel": ann.im, "channel_type": "im", "user": ann.id, "text": "note mine", "ts": "1.1"}
    async with serving(slack, hub, router):
        await slack.event({**event, "subtype": subtype})
        await ann.dm("It is noted")
    assert runs == ["mine"]


async def test_an_answer_for_all_is_seen_by_all(slack: SlackDouble, hub: Database, ann: User) -> None:
    channel = slack.channel("general", ann)
    async with serving(slack, hub, picky()):
        await ann.command("/dih picky here", channel)
        await ann.message(channel, "For all of you")
    slack.assert_clean()


async def test_a_mention_where_the_bot_is_no_member_is_answered_in_the_direct_message(bot: Bot, slack: SlackDouble, ann: User) -> None:
    channel = slack.channel("general", ann)
    slack.fault("chat.postEphemeral", "user_not_in_channel")
    await ann.say(f"<@{slack.bot.id}> me", channel)
    await ann.dm("Who I think you are")


async def test_very_long_words_come_along_as_far_as_they_fit(bot: Bot, slack: SlackDouble, ann: User) -> None:
    await ann.say("idea " + 'a "quoted" word\n' * 400)
    card = await ann.dm("Open the form")
    assert "copy the rest" in json.dumps(card)
    await ann.click(card, "dih.again#0")
    modal = await ann.modal()
    typed = next(iter(modal.values()[modal._find("Your idea")["block_id"]].values()))["value"]
    assert len(typed) > 1500
    slack.assert_clean()


async def test_a_closed_modal_is_acknowledged(bot: Bot, slack: SlackDouble, ann: User) -> None:
    modal = await idea_form(ann)
    payload = ann._base("view_closed") | {"view": {**modal.fill(GOOD).view, "state": {"values": {}}}, "is_cleared": False}
    assert (await slack.interact(payload)).status == 200


async def test_a_command_in_a_channel_is_answered_for_that_persons_eyes_only(slack: SlackDouble, hub: Database, ann: User) -> None:
    """An answer to a command in a channel is for the person's eyes only."""
    router = Router()

    @router.command("secret", "a private answer", reads=True)
    async def secret(_request: Request) -> Outcome:
        return says("Only you", "Nobody else reads this.")

    channel = slack.channel("general", ann)
    async with serving(slack, hub, router):
        delivery = await ann.command("/dih secret", channel)
    assert delivery.json["response_type"] == "ephemeral"
    assert not slack.messages.get(channel)


async def test_a_fault_of_our_own_is_said_with_a_reference_and_never_a_500(
    slack: SlackDouble, hub: Database, ann: User, caplog: pytest.LogCaptureFixture
) -> None:
    """R6: here the answer cannot be drawn."""
    router = Router()

    @router.command("broken", "an answer that cannot be drawn", reads=True)
    async def broken(_request: Request) -> Outcome:
        return Reply(card=Card(title="Broken", blocks=("no block",)))  # type: ignore[arg-type]

    async with serving(slack, hub, router):
        delivery = await ann.command("/dih broken")
    assert delivery.status == 200
    (record,) = [record for record in caplog.records if record.message == "a request of Slack failed"]
    assert record.reference in delivery.body  # type: ignore[attr-defined]
    slack.assert_clean()
