"""What happens once and what happens at all: submissions, presses, repeats, slow databases, faults."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from handlers.errors import Refused
from handlers.routing import Request, Router
from handlers.views import Button, Card, Form, Outcome, Reply, TextField, says
from storage import ideas, outbox, people, rights
from storage.database import Database
from storage.outbox import Notice
from storage.people import AccountKey, Group
from tests.slack.conftest import Bot, serving
from tests.slackdouble.slackdouble import Modal, SlackDouble, User

NEED = "What need or problem does it answer, and for whom?"
GOOD = {"Title": "Sensors that notice a fall", NEED: "People who have fallen"}


async def idea_form(ann: User) -> Modal:
    """Ann has the first form open."""
    await ann.command("/dih idea")
    return await ann.modal()


def submission(modal: Modal) -> dict[str, Any]:
    """The payload of sending a modal as it is filled."""
    view = {**modal.view, "state": {"values": modal.values()}}
    common: dict[str, Any] = modal.user._base("view_submission")
    return {**common, "trigger_id": "1.1.1", "response_urls": [], "view": view}


async def count_ideas(database: Database) -> int:
    """How many ideas there are."""
    async with database.reading() as session:
        return sum([1 for number in range(1, 60) if await ideas.find(session, number)])


async def test_an_idea_shared_in_slack_is_stored_confirmed_and_thanked(bot: Bot, slack: SlackDouble, hub: Database) -> None:
    ann = slack.user("Ann Lee", "ann@uhd.nhs.uk")
    modal = await idea_form(ann)
    assert modal.view["title"]["text"] == "Share an idea"
    await modal.fill(GOOD).submit()
    assert "IDEA-1 is with the Core Team" in json.dumps(modal.view)
    await ann.dm("Thank you for IDEA-1")
    assert await count_ideas(hub) == 1
    assert all(delivery.ack < 1 for delivery in slack.deliveries)
    slack.assert_clean()


@pytest.mark.parametrize(
    ("answers", "wrong", "sentence"),
    [
        ({"Title": "Hm"}, "Title", "5 characters"),
        ({"Title": "x" * 151}, "Title", "150 characters"),
        ({"Title": "  \u200b  \n"}, "Title", "Fill in"),
        ({NEED: "y" * 2001}, NEED, "2,000 characters"),
        ({"Your idea": "z" * 2001}, "Your idea", "2,000 characters"),
        ({NEED: "For 999 000 0018"}, NEED, "name a patient"),
    ],
)
async def test_a_wrong_field_is_marked_and_nothing_typed_is_lost(
    bot: Bot, slack: SlackDouble, hub: Database, answers: dict[str, str], wrong: str, sentence: str
) -> None:
    """R11."""
    ann = slack.user("Ann Lee", "ann@uhd.nhs.uk")
    modal = await idea_form(ann)
    await modal.fill({**GOOD, **answers}).submit()
    (block,) = modal.errors
    assert block == modal._find(wrong)["block_id"]
    assert sentence in modal.errors[block]
    assert await count_ideas(hub) == 0
    modal.fill(GOOD)
    if "Your idea" in answers:
        modal.fill({"Your idea": "Shorter"})
    await modal.submit()
    assert await count_ideas(hub) == 1
    slack.assert_clean()


async def test_the_same_submission_ten_times_at_once_stores_one_idea(bot: Bot, slack: SlackDouble, hub: Database) -> None:
    """R8."""
    ann = slack.user("Ann Lee", "ann@uhd.nhs.uk")
    modal = await idea_form(ann)
    payload = submission(modal.fill(GOOD))
    deliveries = await asyncio.gather(*(slack.interact(payload) for _ in range(10)))
    said = [delivery.body for delivery in deliveries]
    assert sum("Already sent: IDEA-1" in words for words in said) == 9
    assert sum("is with the Core Team" in words for words in said) == 1
    assert await count_ideas(hub) == 1


async def test_a_replayed_command_opens_nothing_twice(bot: Bot, slack: SlackDouble) -> None:
    """R8."""
    ann = slack.user("Ann Lee", "ann@uhd.nhs.uk")
    first = await ann.command("/dih idea")
    await ann.modal()
    second = await slack.interact(first.payload, first.payload)
    assert "Already sent" in second.body
    assert len(slack.called("views.open")) == 1
    slack.assert_clean()


def counting() -> tuple[Router, list[str]]:
    """A word that leaves a notice, and fails the first time when it is told to."""
    router, runs = Router(), []

    @router.command("note", "leave a note")
    async def note(request: Request) -> Outcome:
        runs.append(request.text)
        await outbox.enqueue(request.session, Notice(key=f"note:{len(runs)}", kind="none", person_id=request.person.id), due_at=request.now)
        if request.text == "fails" and len(runs) == 1:
            raise RuntimeError("the first time fails")
        return says("Noted", "It is noted.")

    return router, runs


async def test_an_event_that_comes_ten_times_at_once_is_done_once(slack: SlackDouble, hub: Database) -> None:
    """R7."""
    router, runs = counting()
    ann = slack.user("Ann Lee", "ann@uhd.nhs.uk")
    async with serving(slack, hub, router):
        envelope = slack.envelope(
            {"type": "message", "channel_type": "im", "channel": ann.im, "user": ann.id, "text": "note once", "ts": slack.ts()}
        )
        await asyncio.gather(*(slack.event(envelope["event"], envelope) for _ in range(10)))
        await ann.dm("It is noted")
    assert runs == ["once"]
    assert sum("It is noted" in str(message) for message in slack.messages[ann.im]) == 1


async def test_an_event_whose_first_try_failed_succeeds_when_it_comes_again(
    slack: SlackDouble, hub: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """R6, R9."""
    router, runs = counting()
    ann = slack.user("Ann Lee", "ann@uhd.nhs.uk")
    async with serving(slack, hub, router):
        delivery = await ann.say("note fails")
        assert delivery.status == 200
        apology = await ann.dm("Something went wrong on our side. Nothing was changed. Reference")
        assert "the first time fails" not in json.dumps(apology)
        await slack.retry(delivery)
        await ann.dm("It is noted")
    assert len(runs) == 2
    assert [record.message for record in caplog.records if record.exc_info] == ["an interaction failed"]


def slow() -> tuple[Router, asyncio.Event]:
    """A word, a button and a form that wait until they are let go."""
    router, go = Router(), asyncio.Event()

    async def build(_request: Request) -> Form:
        return Form(action="slow.send", title="Slow", fields=(TextField(name="words", label="Words"),))

    @router.command("slow", "wait", reads=True)
    async def wait(_request: Request) -> Outcome:
        await go.wait()
        return says("Done", "It took a while.")

    @router.command("slow form", "wait with a form")
    async def ask(request: Request) -> Outcome:
        return await build(request)

    @router.command("slow button", "wait with a button", reads=True)
    async def button(_request: Request) -> Outcome:
        return Reply(card=Card(title="Press it", buttons=(Button(label="Press", action="slow.press"),)))

    @router.action("slow.press")
    async def press(_request: Request) -> Outcome:
        await go.wait()
        return says("Pressed", "It took a while.")

    @router.form("slow.send", build)
    async def send(request: Request) -> Outcome:
        await go.wait()
        if request.one("words") == "refuse":
            return (await build(request)).refused({"words": "Use other words."}, request)
        if request.one("words") == "never":
            raise Refused("That cannot be done.")
        return says("Saved", "It took a while.")

    return router, go


async def test_a_slow_command_is_acknowledged_and_answered_later(slack: SlackDouble, hub: Database) -> None:
    """R5."""
    router, go = slow()
    ann = slack.user("Ann Lee", "ann@uhd.nhs.uk")
    async with serving(slack, hub, router):
        delivery = await ann.command("/dih slow")
        assert delivery.ack < 1
        assert "Working on it" in delivery.body
        go.set()
        await ann.ephemeral("It took a while")
    slack.assert_clean()


async def test_a_slow_button_is_acknowledged_and_answered_later(slack: SlackDouble, hub: Database) -> None:
    """R5."""
    router, go = slow()
    ann = slack.user("Ann Lee", "ann@uhd.nhs.uk")
    async with serving(slack, hub, router):
        await ann.command("/dih slow button")
        delivery = await ann.click(await ann.ephemeral("Press it"), "slow.press#0")
        assert delivery.ack < 1
        go.set()
        await ann.ephemeral("It took a while")
    slack.assert_clean()


@pytest.mark.parametrize(
    ("words", "answer"), [("save", "It took a while"), ("refuse", "Use other words"), ("never", "That cannot be done")]
)
async def test_a_slow_form_says_saving_and_stays_as_typed_beneath(slack: SlackDouble, hub: Database, words: str, answer: str) -> None:
    """R5, and DESIGN 4.2."""
    router, go = slow()
    ann = slack.user("Ann Lee", "ann@uhd.nhs.uk")
    async with serving(slack, hub, router):
        await ann.command("/dih slow form")
        form = await ann.modal()
        delivery = await form.fill({"Words": words}).submit()
        assert delivery.ack < 1
        saving = await ann.modal()
        assert saving.view["title"]["text"] == "Saving"
        assert form.open
        go.set()
        await slack.until(lambda: answer in json.dumps(saving.view), 3, "the outcome")
    slack.assert_clean()


async def test_a_trigger_that_is_too_old_leads_to_a_button(bot: Bot, slack: SlackDouble) -> None:
    """R12."""
    ann = slack.user("Ann Lee", "ann@uhd.nhs.uk")
    slack.fault("views.open", "expired_trigger_id")
    await ann.command("/dih idea Sensors that notice a fall")
    hint = await ann.ephemeral("Open the form")
    await ann.click(hint, "dih.again#0")
    modal = await ann.modal()
    assert next(iter(modal.values()[modal._find("Title")["block_id"]].values()))["value"] == "Sensors that notice a fall"


async def test_words_in_a_direct_message_lead_to_the_same_form(bot: Bot, slack: SlackDouble, hub: Database) -> None:
    ann = slack.user("Ann Lee", "ann@uhd.nhs.uk")
    await ann.say("idea Sensors &amp; <https://example.org|lamps>")
    await ann.click(await ann.dm("Open the form"), "dih.again#0")
    modal = await ann.modal()
    await modal.fill({NEED: "People who have fallen"}).submit()
    async with hub.reading() as session:
        idea = await ideas.find(session, 1)
    assert idea is not None
    assert idea.title == "Sensors & lamps"
    slack.assert_clean()


async def test_a_mention_is_answered_for_that_persons_eyes_only(bot: Bot, slack: SlackDouble) -> None:
    ann = slack.user("Ann Lee", "ann@uhd.nhs.uk")
    channel = slack.channel("general", ann)
    await ann.say(f"<@{slack.bot.id}> me", channel)
    await ann.ephemeral("Who I think you are")
    assert not [message for message in slack.messages[channel] if message["user"] == slack.bot.id]
    slack.assert_clean()


async def test_patient_data_in_a_message_is_refused_and_its_deletion_asked_for(bot: Bot, slack: SlackDouble) -> None:
    ann = slack.user("Ann Lee", "ann@uhd.nhs.uk")
    await ann.say("idea for 999 000 0018")
    await ann.dm("Please delete your message")


async def person_of(database: Database, slack: SlackDouble, user: User) -> people.Person:
    """Whom the hub knows as this account."""
    async with database.reading() as session:
        found = await people.find_by_account(session, AccountKey(channel="slack", tenant=slack.team["id"], user=user.id))
    assert found is not None
    return found


async def test_another_persons_button_is_refused(bot: Bot, slack: SlackDouble, hub: Database) -> None:
    """R57."""
    ann, bob = slack.user("Ann Lee", "ann@uhd.nhs.uk"), slack.user("Bob May", "bob@uhd.nhs.uk")
    await (await idea_form(ann)).fill(GOOD).submit()
    await ann.command("/dih idea IDEA-1")
    card = await ann.ephemeral("Withdraw")
    await bob.click(card, "ideas.ask_withdraw#0")
    await bob.ephemeral("This is for the idea’s author")
    async with hub.reading() as session:
        idea = await ideas.find(session, 1)
    assert idea is not None
    assert idea.state is ideas.IdeaState.SUBMITTED


async def test_the_core_teams_card_changes_when_the_author_withdraws(bot: Bot, slack: SlackDouble, hub: Database) -> None:
    head, ann = slack.user("Head", "head@uhd.nhs.uk"), slack.user("Ann Lee", "ann@uhd.nhs.uk")
    place = slack.channel("core-team", head)
    await head.command("/dih setup here", place)
    await (await head.modal()).fill({"Which group is told here?": "The Core Team"}).submit()
    await (await idea_form(ann)).fill(GOOD).submit()
    told = await ann.message(place, "A new idea: IDEA-1")
    await ann.command("/dih idea 1")
    await ann.click(await ann.ephemeral("Withdraw"), "ideas.ask_withdraw#0")
    await slack.until(lambda: slack.last_view(ann).view["title"]["text"] == "Withdraw this idea?", 3, "the question")
    await (await ann.modal()).submit()
    changed = await ann.message(place, "An idea was withdrawn: IDEA-1")
    assert changed["ts"] == told["ts"]
    slack.assert_clean()


async def test_the_same_user_id_in_two_workspaces_is_two_people(bot: Bot, slack: SlackDouble, hub: Database) -> None:
    """R24."""
    ann = slack.user("Ann Lee", "ann@uhd.nhs.uk")
    await ann.command("/dih me")
    event = {"type": "message", "channel_type": "im", "channel": ann.im, "user": ann.id, "text": "me", "ts": slack.ts()}
    await slack.event({**event, "user_team": "T0OTHER"})
    await ann.dm("None that I can rely on")
    async with hub.reading() as session:
        assert len(await people.list_people(session)) == 2


async def test_more_than_the_limit_is_refused_politely(slack: SlackDouble, hub: Database) -> None:
    """R60."""
    ann = slack.user("Ann Lee", "ann@uhd.nhs.uk")
    async with serving(slack, hub, per_minute=3):
        said = [(await ann.command("/dih help")).body for _ in range(4)]
    assert ["What you can do" in words for words in said] == [True, True, True, False]
    assert "Slow down" in said[3]


async def test_a_dropped_connection_leads_to_one_post_and_one_more(bot: Bot, slack: SlackDouble, hub: Database) -> None:
    """R16: the SDK never tries again by itself; the outbox does, once, for what somebody waits for."""
    ann = slack.user("Ann Lee", "ann@uhd.nhs.uk")
    modal = await idea_form(ann)
    slack.fault("chat.postMessage", "reset")
    await modal.fill(GOOD).submit()
    await slack.until(lambda: slack.called("chat.postMessage"), 3, "a post")
    await bot.delivery.run()
    assert len(slack.called("chat.postMessage")) == 1


async def test_a_core_team_member_is_told_privately_while_there_is_no_place(bot: Bot, slack: SlackDouble, hub: Database) -> None:
    kay, ann = slack.user("Kay Fox", "kay@uhd.nhs.uk"), slack.user("Ann Lee", "ann@uhd.nhs.uk")
    await kay.command("/dih me")
    kay_person = await person_of(hub, slack, kay)
    async with hub.transaction() as session:
        wanted = rights.Rights(organisation_id=None, groups=frozenset({Group.CORE_TEAM}), administrator=False)
        await rights.change(session, kay_person, wanted)
    await (await idea_form(ann)).fill(GOOD).submit()
    await kay.dm("A new idea: IDEA-1")
    slack.assert_clean()
