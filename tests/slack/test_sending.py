"""The way out: one try a message, and what each failure of Slack means for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.pictures import Pictures
from bot.slack.send import SlackSender, client, slack_report
from bot.slack.upload import Uploads
from handlers.views import Button, Card, Message, Text
from scheduler.delivery import Ambiguous, BadContent, CredentialsDead, RetryLater, Sent, Target, TargetDead
from tests.processes.serving import free_port
from tests.slackdouble.slackdouble import SlackDouble

MESSAGE = Message(card=Card(title="Hello", blocks=(Text(text="There you are."),), buttons=(Button(label="Go", action="a.b"),)))


@pytest.fixture
async def sender(slack: SlackDouble, pictures: Pictures) -> AsyncIterator[SlackSender]:
    """A sender whose calls end after half a second."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=0.5)) as session:
        yield sending(client(slack.bot_token, slack.api_url, session), pictures)


def sending(api: AsyncWebClient, pictures: Pictures) -> SlackSender:
    """A sender that calls through this client."""
    return SlackSender(api, Uploads(api, pictures))


def to(slack: SlackDouble, **where: str) -> Target:
    """A target in the double's workspace."""
    return Target(channel="slack", tenant=slack.team["id"], **where)  # type: ignore[arg-type]


async def send(sender: SlackSender, target: Target, handle: str | None = None) -> Any:
    """Sends the message once."""
    return await sender.send(target, MESSAGE, ticket="ticket", handle=handle)


async def test_a_person_is_told_in_their_direct_message_and_its_channel_is_asked_for_once(sender: SlackSender, slack: SlackDouble) -> None:
    ann = slack.user("Ann Lee")
    first, second = await send(sender, to(slack, user=ann.id)), await send(sender, to(slack, user=ann.id))
    message = await ann.dm("There you are")
    assert isinstance(first, Sent)
    assert second == Sent(handle=f"{ann.im}:{message['ts']}")
    assert len(slack.called("conversations.open")) == 1
    assert all(call.args["unfurl_links"] is call.args["unfurl_media"] is False for call in slack.called("chat.postMessage"))
    slack.assert_clean()


async def test_a_live_message_is_changed_where_it_stands(sender: SlackSender, slack: SlackDouble) -> None:
    place = slack.channel("core-team")
    sent = await send(sender, to(slack, place=place))
    again = await send(sender, to(slack, place=place), sent.handle)
    assert again == sent
    assert len(slack.called("chat.update")) == 1
    assert len(slack.messages[place]) == 1
    slack.assert_clean()


async def test_a_live_message_that_was_deleted_is_posted_anew(sender: SlackSender, slack: SlackDouble) -> None:
    place = slack.channel("core-team")
    sent = await send(sender, to(slack, place=place))
    slack.messages[place].clear()
    again = await send(sender, to(slack, place=place), sent.handle)
    assert again.handle != sent.handle
    assert len(slack.messages[place]) == 1


@pytest.mark.parametrize(
    ("fault", "result"),
    [
        ("ratelimited", RetryLater),
        ("http_500", Ambiguous),
        ("hang", Ambiguous),
        ("reset", Ambiguous),
        ("garbage", Ambiguous),
        ("account_inactive", CredentialsDead),
        ("token_revoked", CredentialsDead),
        ("invalid_auth", CredentialsDead),
        ("missing_scope", CredentialsDead),
        ("channel_not_found", TargetDead),
        ("is_archived", TargetDead),
        ("not_in_channel", TargetDead),
        ("restricted_action_read_only_channel", TargetDead),
        ("user_disabled", TargetDead),
        ("messages_tab_disabled", TargetDead),
        ("invalid_blocks", BadContent),
        ("msg_too_long", BadContent),
        ("something_new", RetryLater),
    ],
)
async def test_each_failure_is_one_of_a_closed_set_after_one_post(
    sender: SlackSender, slack: SlackDouble, fault: str, result: type[object]
) -> None:
    """R16."""
    slack.fault("chat.postMessage", fault, retry_after=7, seconds=1)
    answer = await send(sender, to(slack, place=slack.channel("core-team")))
    assert isinstance(answer, result)
    assert len(slack.called("chat.postMessage")) == 1
    assert fault != "ratelimited" or answer == RetryLater(reason="Slack asked us to slow down", seconds=7)


@pytest.mark.parametrize(("fault", "result"), [("http_500", RetryLater), ("reset", RetryLater), ("garbage", RetryLater)])
async def test_what_fails_before_the_message_left_is_tried_again(
    sender: SlackSender, slack: SlackDouble, fault: str, result: type[object]
) -> None:
    """Opening the conversation sends nothing."""
    ann = slack.user("Ann Lee")
    slack.fault("conversations.open", fault)
    assert isinstance(await send(sender, to(slack, user=ann.id)), result)
    assert not slack.called("chat.postMessage")


async def test_nobody_listening_is_no_doubt_about_the_message(pictures: Pictures) -> None:
    sender = sending(client("xoxb-1", f"http://127.0.0.1:{free_port()}/api/"), pictures)
    answer = await sender.send(Target(channel="slack", tenant="T", place="C1"), MESSAGE, ticket="t", handle=None)
    assert isinstance(answer, RetryLater)


async def test_a_proxy_that_refuses_is_no_doubt_about_the_message(pictures: Pictures) -> None:
    async def refuse(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as proxy:
        api = client("xoxb-1", "https://slack.example.org/api/")
        api.proxy = f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}"
        answer = await sending(api, pictures).send(Target(channel="slack", tenant="T", place="C1"), MESSAGE, ticket="t", handle=None)
    assert isinstance(answer, RetryLater)


async def test_the_check_says_what_is_right_and_what_is_missing(slack: SlackDouble) -> None:
    well, lines = await slack_report(slack.bot_token, slack.api_url)
    assert not well
    assert lines[0] == "Slack accepts the bot token, for the workspace Double Team (T0TEAM0001)."
    assert any("app_mentions:read, so the bot cannot hear its name" in line for line in lines)
    slack.scopes |= {"app_mentions:read", "im:history"}
    assert (await slack_report(slack.bot_token, slack.api_url))[0]


async def test_the_check_tells_a_wrong_token_from_a_wrong_address(slack: SlackDouble) -> None:
    well, (refused,) = await slack_report("xoxb-wrong", slack.api_url)
    assert not well
    assert "invalid_auth" in refused
    assert "xoxb-wrong" not in refused
    well, (nobody,) = await slack_report(slack.bot_token, f"http://127.0.0.1:{free_port()}/api/")
    assert not well
    assert "does not answer" in nobody


def test_the_proxy_of_the_environment_is_used_but_not_for_addresses_it_excludes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.example.org:3128")
    monkeypatch.setenv("no_proxy", "127.0.0.1,slack.internal")
    assert client("xoxb-1", "https://slack.com/api/").proxy == "http://proxy.example.org:3128"
    assert client("xoxb-1", "https://slack.internal/api/").proxy is None
    assert client("xoxb-1", "http://127.0.0.1:1/api/").proxy is None
