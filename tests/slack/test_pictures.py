"""Pictures in Slack: uploaded once, shown when Slack has them ready, and never at the cost of a message."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from functools import partial
from typing import Any

import aiohttp
import pytest

from bot.pictures import Pictures
from bot.slack.send import SlackSender, client
from bot.slack.upload import FOLLOWING, Uploads
from handlers.routing import Request, Router
from handlers.views import Button, Card, Form, Message, Outcome, Reply, TextField
from scheduler.delivery import BadContent, Sent, Target
from storage.database import Database
from tests.rounds import card, figure, picture
from tests.slack.conftest import Bot, serving
from tests.slackdouble.slackdouble import SlackDouble, User

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
ROUND = card()
ALTERNATIVE = "A radar of this round beside the last"


class Post:
    """What delivers messages with pictures, and does not wait long for Slack."""

    def __init__(
        self, slack: SlackDouble, pictures: Pictures, session: aiohttp.ClientSession, *, waits: Sequence[float] = (0.01,) * 5
    ) -> None:
        self.slack, self.pictures, self.session = slack, pictures, session
        api = client(slack.bot_token, slack.api_url, session)
        self.uploads = Uploads(api, pictures, waits=waits)
        self.sender = SlackSender(api, self.uploads)

    async def sends(self, place: str, view: Card = ROUND, *, live: str | None = None, handle: str | None = None) -> Any:
        """Delivers a card to a place."""
        target = Target(channel="slack", tenant=self.slack.team["id"], place=place)
        return await self.sender.send(target, Message(card=view, live=live), ticket="ticket", handle=handle)

    async def is_done(self) -> None:
        """All is uploaded, or is not, and all is shown that will be."""
        await self.uploads.wait(ROUND, 30)
        for _ in range(20):
            await asyncio.sleep(0.01)


@pytest.fixture
async def post(database_url: str, slack: SlackDouble, pictures: Pictures) -> AsyncIterator[Post]:
    """A way out to Slack; the picture of the round is drawn already."""
    await pictures.png(figure())
    async with aiohttp.ClientSession() as session:
        post = Post(slack, pictures, session)
        yield post
        await post.uploads.close()


@pytest.fixture
def ann(slack: SlackDouble) -> User:
    """Somebody of a partner."""
    person: User = slack.user("Ann Lee", "ann@uhd.nhs.uk")
    return person


def kinds(shown: Mapping[str, Any]) -> list[str]:
    """The kinds of block of a message or modal."""
    return [block["type"] for block in shown["blocks"]]


def newest(slack: SlackDouble, channel: str) -> Mapping[str, Any] | None:
    """The newest message of a channel."""
    there: list[Mapping[str, Any]] = slack.messages.get(channel, [])
    return there[-1] if there and "blocks" in there[-1] else None


async def shown(slack: SlackDouble, look: Callable[[], Any]) -> Mapping[str, Any]:
    """The message or modal, once it has a picture."""
    found: Mapping[str, Any] = await slack.until(lambda: (there := look()) and "image" in kinds(there) and there, 10, "picture")
    (image,) = [block for block in found["blocks"] if block["type"] == "image"]
    assert image["alt_text"] == ALTERNATIVE
    assert slack.files[image["slack_file"]["id"]]["content"].startswith(b"\x89PNG")
    assert slack.files[image["slack_file"]["id"]]["channels"] == []
    return found


# -- delivered messages


@pytest.mark.parametrize("after", [1, 4])
async def test_a_message_goes_out_with_its_table_and_the_picture_follows(post: Post, slack: SlackDouble, after: int) -> None:
    slack.ready_after = after
    place = slack.channel("core-team")
    sent = await post.sends(place)
    (message,) = slack.messages[place]
    assert isinstance(sent, Sent)
    assert "image" not in kinds(message)
    assert "Not shown" in json.dumps(message["blocks"])
    words = message["text"]
    changed = await shown(slack, partial(newest, slack, place))
    assert kinds(changed).index("table") < kinds(changed).index("image")
    assert changed["text"] == words
    assert len(slack.called("files.info")) == after
    slack.assert_clean()


async def test_a_picture_that_is_never_ready_leaves_the_table(post: Post, slack: SlackDouble) -> None:
    """R20."""
    slack.ready_after = math.inf
    place = slack.channel("core-team")
    assert isinstance(await post.sends(place), Sent)
    before = json.dumps(slack.messages[place])
    await post.is_done()
    assert json.dumps(slack.messages[place]) == before
    assert not slack.called("chat.update")
    assert len(slack.called("files.info")) == 5
    slack.assert_clean()


FAULTS = (
    ("files.getUploadURLExternal", "missing_scope"),
    ("files.getUploadURLExternal", "ratelimited"),
    ("files.getUploadURLExternal", "garbage"),
    ("upload", "http_500"),
    ("upload", "reset"),
    ("files.completeUploadExternal", "file_not_found"),
    ("files.info", "http_500"),
    ("chat.update", "ratelimited"),
)


async def test_an_upload_that_fails_costs_nobody_the_message_and_is_not_tried_again_at_once(post: Post, slack: SlackDouble) -> None:
    place = slack.channel("core-team")
    for step, fault in FAULTS:
        slack.calls.clear()
        slack.fault(step, fault)
        another = Post(slack, post.pictures, post.session)
        assert isinstance(await another.sends(place), Sent)
        await another.is_done()
        assert "image" not in kinds(slack.messages[place][-1])
        assert [call.method for call in slack.calls].count(step) == 1
        assert isinstance(await another.sends(place), Sent)
        assert len(slack.called("files.getUploadURLExternal")) == 1


async def test_many_people_are_shown_one_file_and_the_later_ones_at_once(post: Post, slack: SlackDouble) -> None:
    """Sent eight at a time, as delivery does; Slack takes only so many changes a minute."""
    slack.ready_after = math.inf
    patient = Post(slack, post.pictures, post.session, waits=(0.05,) * 60)
    places = [slack.channel(f"place-{number}") for number in range(48)]

    async def delivers() -> None:
        for start in range(0, len(places), 8):
            await asyncio.gather(*map(patient.sends, places[start : start + 8]))

    delivering = asyncio.create_task(delivers())
    await slack.until(lambda: len(slack.called("chat.postMessage")) >= FOLLOWING, 10, "messages")
    asked = len(slack.called("files.info"))
    await slack.until(lambda: len(slack.called("files.info")) > asked + 5, 10, "questions about the file")
    slack.ready_after = 1
    await delivering
    for place in places:
        await shown(slack, partial(newest, slack, place))
    assert len(slack.files) == len(slack.called("upload")) == 1
    assert len(slack.called("chat.update")) == 24


async def test_a_picture_that_is_ready_goes_out_with_the_message(post: Post, slack: SlackDouble) -> None:
    first, second = slack.channel("first"), slack.channel("second")
    await post.sends(first)
    await shown(slack, partial(newest, slack, first))
    await post.sends(second)
    assert "image" in kinds(slack.messages[second][0])
    assert len(slack.called("chat.update")) == 1
    slack.assert_clean()


async def test_a_live_message_waits_for_its_picture_and_is_changed_by_nobody_later(post: Post, slack: SlackDouble) -> None:
    """Another server may change it meanwhile."""
    place = slack.channel("core-team")
    sent = await post.sends(place, live="round:1")
    assert "image" in kinds(slack.messages[place][0])
    await post.sends(place, card(title="The round is open again"), live="round:1", handle=sent.handle)
    await post.is_done()
    (message,) = slack.messages[place]
    assert "open again" in message["text"]
    assert len(slack.called("chat.update")) == 1
    slack.assert_clean()


async def test_a_message_that_is_gone_by_then_stays_gone(post: Post, slack: SlackDouble) -> None:
    slack.ready_after = 3
    place = slack.channel("core-team")
    await post.sends(place)
    slack.messages[place].clear()
    await post.is_done()
    assert slack.messages[place] == []


async def test_a_picture_that_slack_refuses_is_left_out(post: Post, slack: SlackDouble) -> None:
    place = slack.channel("core-team")
    await post.sends(place)
    await shown(slack, partial(newest, slack, place))
    slack.files.clear()
    assert isinstance(await post.sends(place), Sent)
    assert isinstance(await post.sends(place), Sent)
    assert [kinds(message).count("image") for message in slack.messages[place]] == [1, 0, 0]
    assert len(slack.called("chat.postMessage")) == 4


async def test_what_else_slack_refuses_is_refused_once(post: Post, slack: SlackDouble) -> None:
    slack.fault("chat.postMessage", "invalid_blocks", times=2)
    assert isinstance(await post.sends(slack.channel("core-team")), BadContent)
    assert len(slack.called("chat.postMessage")) == 1


async def test_what_is_not_drawn_is_not_uploaded(post: Post, slack: SlackDouble) -> None:
    place = slack.channel("core-team")
    await post.sends(place, card(figure(axes=("Partner",) * 41)))
    assert not post.uploads.are_missing(card(figure(axes=("Partner",) * 41)))
    assert "image" not in kinds(slack.messages[place][0])


async def test_waiting_ends_in_time_and_the_upload_goes_on(post: Post, slack: SlackDouble) -> None:
    slack.ready_after = 3
    assert await post.uploads.wait(ROUND, 0.001) == {}
    assert await post.uploads.wait(ROUND, 10) != {}


# -- answers


def charts() -> Router:
    """Answers with pictures, everywhere."""
    router = Router()
    buttons = (Button(label="Me", action="charts.me"), Button(label="Instead", action="charts.instead"))
    whole = Card(title="The round", blocks=(picture(),), buttons=buttons)
    without = Card(title="Nothing to see", buttons=buttons)

    @router.command("chart", "see the round", reads=True)
    async def chart(_request: Request) -> Outcome:
        return Reply(card=whole)

    @router.command("chart for all", "show the round", reads=True)
    async def for_all(_request: Request) -> Outcome:
        return Reply(card=whole, audience="here")

    @router.command("plain", "a card", reads=True)
    async def plain(_request: Request) -> Outcome:
        return Reply(card=without)

    async def form(_request: Request) -> Form:
        fields = (TextField(name="why", label="Why", required=False),)
        return Form(action="charts.chosen", title="Choose", fields=fields, blocks=(picture(),), buttons=(buttons[0],))

    @router.command("choose", "choose what to work on", reads=True)
    async def choose(request: Request) -> Outcome:
        return await form(request)

    @router.form("charts.chosen", form)
    async def chosen(_request: Request) -> Outcome:
        return Reply(card=whole)

    @router.action("charts.me", reads=True)
    async def me(_request: Request) -> Outcome:
        return Reply(card=whole)

    @router.action("charts.instead", reads=True)
    async def instead(_request: Request) -> Outcome:
        return Reply(card=without, replaces=True)

    return router


@pytest.fixture
async def charting(slack: SlackDouble, hub: Database) -> AsyncIterator[Bot]:
    """A bot with such answers, whose picture is drawn already."""
    async with serving(slack, hub, charts()) as bot:
        await bot.pictures.png(figure())
        yield bot


def whispered(slack: SlackDouble, words: str) -> Mapping[str, Any] | None:
    """The newest ephemeral message with these words."""
    return next((each for each in reversed(slack.ephemerals) if words in json.dumps(each)), None)


async def test_a_command_answers_once_with_its_picture_and_the_next_time_at_once(charting: Bot, slack: SlackDouble, ann: User) -> None:
    await ann.command("/dih chart")
    await ann.ephemeral("Working on it")
    await shown(slack, lambda: whispered(slack, "The round"))
    again = await ann.command("/dih chart")
    assert "image" in kinds(again.json)
    assert len(slack.called("response_url")) == len(slack.files) == 1
    assert all(delivery.ack < 1 for delivery in slack.deliveries)
    slack.assert_clean()


async def test_a_command_without_a_picture_answers_with_its_table(charting: Bot, slack: SlackDouble, ann: User) -> None:
    slack.fault("upload", "http_500")
    await ann.command("/dih chart")
    message = await ann.ephemeral(ALTERNATIVE)
    assert "image" not in kinds(message)
    assert "table" in kinds(message)


async def test_a_command_for_all_shows_the_picture_to_all(charting: Bot, slack: SlackDouble, ann: User) -> None:
    channel = slack.channel("general", ann)
    await ann.command("/dih chart for all", channel)
    await shown(slack, partial(newest, slack, channel))
    slack.assert_clean()


async def test_words_in_a_direct_message_are_answered_at_once_and_the_picture_follows(charting: Bot, slack: SlackDouble, ann: User) -> None:
    slack.ready_after = 3
    await ann.say("chart", thread_ts="1.000001")
    message = await ann.dm("The round")
    changed = await shown(slack, lambda: slack.find(ann.im, message["ts"]))
    assert changed["thread_ts"] == "1.000001"
    slack.assert_clean()


async def test_a_mention_is_answered_with_the_picture(charting: Bot, slack: SlackDouble, ann: User) -> None:
    channel = slack.channel("general", ann)
    await ann.say(f"<@{slack.bot.id}> chart", channel)
    await shown(slack, lambda: whispered(slack, "The round"))
    await ann.say(f"<@{slack.bot.id}> chart for all", channel)
    await shown(slack, partial(newest, slack, channel))
    slack.assert_clean()


async def is_ready(slack: SlackDouble) -> None:
    """From now on the picture is ready, and the bot has heard of it."""
    slack.ready_after = 1
    await slack.until(lambda: any(call.response["file"]["mimetype"] for call in slack.called("files.info")), 10, "a file that is ready")


async def test_what_took_the_place_of_a_message_stays_when_its_picture_comes(charting: Bot, slack: SlackDouble, ann: User) -> None:
    slack.ready_after = math.inf
    await ann.say("chart")
    message = await ann.dm("The round")
    replacing = asyncio.create_task(ann.click(message, "charts.instead#1"))
    await slack.until(lambda: "Nothing to see" in json.dumps(slack.find(ann.im, message["ts"])), 10, "the other card")
    await replacing
    await is_ready(slack)
    await ann.say("plain")
    await ann.dm("Nothing to see", after=message["ts"])
    assert "Nothing to see" in json.dumps(slack.find(ann.im, message["ts"]))
    assert not slack.called("chat.update")
    slack.assert_clean()


async def test_a_confirmation_gets_its_picture_while_it_is_open(charting: Bot, slack: SlackDouble, ann: User) -> None:
    slack.ready_after = 3
    await ann.command("/dih choose")
    modal = await ann.modal()
    assert "image" not in kinds(modal.view)
    assert ALTERNATIVE in json.dumps(modal.view)
    await modal.submit()
    assert "The round" in json.dumps(modal.view)
    await shown(slack, lambda: modal.view)
    slack.assert_clean()


async def test_a_form_shows_a_picture_that_is_ready(charting: Bot, slack: SlackDouble, ann: User) -> None:
    await ann.say("chart")
    await shown(slack, partial(newest, slack, ann.im))
    await ann.command("/dih choose")
    assert "image" in kinds((await ann.modal()).view)
    slack.assert_clean()


async def test_a_press_in_a_modal_shows_the_picture_unless_the_modal_has_changed(charting: Bot, slack: SlackDouble, ann: User) -> None:
    slack.ready_after = math.inf
    await ann.command("/dih choose")
    modal = await ann.modal()
    await ann.click(modal, "charts.me#0")
    await slack.until(lambda: "Instead" in json.dumps(modal.view), 10, "the round")
    await ann.click(modal, "charts.instead#1")
    await slack.until(lambda: "Nothing to see" in json.dumps(modal.view), 10, "the other card")
    await is_ready(slack)
    await slack.until(lambda: [call for call in slack.called("views.update") if call.args.get("hash")], 10, "a try to add the picture")
    assert "Nothing to see" in json.dumps(modal.view)
    await ann.click(modal, "charts.me#0")
    await shown(slack, lambda: modal.view)


async def test_a_picture_that_slack_refuses_costs_nobody_the_answer(charting: Bot, slack: SlackDouble, ann: User) -> None:
    await ann.say("chart")
    first = await ann.dm("The round")
    await shown(slack, lambda: slack.find(ann.im, first["ts"]))
    slack.files.clear()
    await ann.say("chart")
    second = await ann.dm("The round", after=first["ts"])
    assert "image" not in kinds(second)
    assert "table" in kinds(second)
