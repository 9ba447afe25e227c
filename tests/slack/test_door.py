"""The door: what is let in, what is refused, and what the log says of it."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from storage import ideas
from storage.database import Database
from tests.slack.conftest import Bot
from tests.slackdouble.slackdouble import SlackDouble

FORM = "application/x-www-form-urlencoded"


def command_body(text: str = "help") -> str:
    """The body of a slash command."""
    fields = {"command": "/dih", "text": text, "team_id": "T0TEAM0001", "user_id": "U1", "channel_id": "D1", "trigger_id": "1.2.3"}
    return urlencode({**fields, "response_url": "http://127.0.0.1:9/none"})


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("{bad json", "application/json"),
        ('["a list"]', "application/json"),
        ("payload=%7Bbad", FORM),
        ("payload=[]", FORM),
        ("payload=" + "[" * 5000, FORM),
        ("", FORM),
        ("\xff\xfe", FORM),
        ('{"type": "event_callback"}', "application/json"),
        ('{"type": "event_callback", "event": 7, "team_id": 3}', "application/json"),
        (urlencode({"payload": json.dumps({"type": "block_actions"})}), FORM),
        (urlencode({"payload": json.dumps({"type": "view_submission", "view": "x", "user": 7})}), FORM),
        (urlencode({"payload": json.dumps({"type": "block_actions", "actions": "x", "team": {"id": "T0TEAM0001"}})}), FORM),
    ],
)
async def test_rubbish_is_refused_without_a_fault(
    bot: Bot, slack: SlackDouble, body: str, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    """R2."""
    status, *_ = await slack.post(body, kind)
    assert status is not None
    assert status < 500
    assert not any(record.exc_info for record in caplog.records)


def misshapen(payload: Any) -> Iterator[Any]:
    """The payload with one part of it, at any depth, not what it should be."""
    for key in payload if isinstance(payload, dict) else range(len(payload)):
        others = payload.copy()
        for wrong in (None, 7, "x", ["x"]):
            others[key] = wrong
            yield others.copy()
        if isinstance(payload[key], dict | list):
            for inner in misshapen(payload[key]):
                others[key] = inner
                yield others.copy()


@pytest.mark.parametrize("kind", ["message", "press", "submission"])
async def test_a_payload_of_another_shape_is_no_fault_of_ours(
    bot: Bot, slack: SlackDouble, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    """R2."""
    ann = slack.user("Ann Lee", "ann@uhd.nhs.uk")
    button = {"type": "button", "action_id": "ideas.none#0", "block_id": "ticket:actions0", "value": "{}"}
    where = {
        "channel": {"id": ann.im},
        "container": {"type": "message", "channel_id": ann.im},
        "message": {"ts": "2.1", "thread_ts": "1.1"},
    }
    values = {"ticket:title": {"title": {"type": "plain_text_input", "value": "A title"}}}
    view = {"id": "V1", "callback_id": "ideas.none", "blocks": [{"type": "input", "block_id": "b"}], "state": {"values": values}}
    payload: dict[str, Any] = {
        "message": slack.envelope({"type": "message", "channel_type": "im", "channel": ann.im, "user": ann.id, "text": "help"}),
        "press": {**ann._base("block_actions"), "actions": [button], **where},
        "submission": {**ann._base("view_submission"), "view": view},
    }[kind]
    for each in misshapen(payload):
        body = json.dumps(each) if kind == "message" else urlencode({"payload": json.dumps(each)})
        status, *_ = await slack.post(body, "application/json" if kind == "message" else FORM)
        assert status in (200, 400, 404), each
    assert not [
        record for record in caplog.records if record.exc_info and record.name in ("bot.slack.receive", "bot.dispatch", "bot.http.server")
    ]


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Slack-Signature": "v0=é"},
        {"X-Slack-Signature": ""},
        {"X-Slack-Signature": "v0=" + "0" * 64},
        {"X-Slack-Request-Timestamp": "abc"},
        {"X-Slack-Request-Timestamp": "９"},
        {"X-Slack-Request-Timestamp": "9" * 400},
        {"X-Slack-Request-Timestamp": "-1"},
    ],
)
async def test_a_forged_request_is_refused_and_never_logged(
    bot: Bot, slack: SlackDouble, headers: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    """R2, R4."""
    caplog.set_level(logging.DEBUG)
    status, *_ = await slack.post(command_body("marker-of-a-forger"), FORM, headers)
    assert status == 401
    assert "marker-of-a-forger" not in caplog.text


@pytest.mark.parametrize(("age", "status"), [(297, 200), (-297, 200), (303, 401), (-303, 401)])
async def test_a_signature_is_good_for_five_minutes_either_way(bot: Bot, slack: SlackDouble, age: int, status: int) -> None:
    """R3."""
    body = command_body()
    got, *_ = await slack.post(body, FORM, slack.sign(body, time.time() - age))
    assert got == status


async def test_an_unsigned_ssl_check_is_refused(bot: Bot, slack: SlackDouble) -> None:
    """R3."""
    status, *_ = await slack.post("ssl_check=1", FORM, {"X-Slack-Signature": "none"})
    assert status == 401


async def test_the_address_is_verified(bot: Bot, slack: SlackDouble) -> None:
    assert await slack.verify_url()


async def test_bolt_headers_from_outside_change_nothing(bot: Bot, slack: SlackDouble) -> None:
    """R10."""
    headers = {"x-slack-bolt-lazy-only": "1", "x-slack-bolt-lazy-function-name": "anything"}
    status, text, *_ = await slack.post(command_body(), FORM, headers)
    assert status == 200
    assert "What you can do" in text


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "GZIP, gzip", "nonsense"])
async def test_a_body_in_an_encoding_is_refused_without_a_fault(
    bot: Bot, slack: SlackDouble, encoding: str, caplog: pytest.LogCaptureFixture
) -> None:
    """R2: the encoding is false, as none is ever true."""
    status, text, *_ = await slack.post(command_body(), FORM, {"Content-Encoding": encoding})
    assert (status, text) == (400, "Send the body without a Content-Encoding.")
    assert not caplog.records


async def test_a_body_as_it_is_may_say_so(bot: Bot, slack: SlackDouble) -> None:
    status, *_ = await slack.post(command_body(), FORM, {"Content-Encoding": "identity"})
    assert status == 200


@pytest.mark.parametrize("rest", ["Transfer-Encoding: chunked\r\n\r\nzz\r\n", "Content-Length: some\r\n\r\n", "Nonsense\r\n\r\n"])
async def test_what_is_no_http_is_noted_in_one_line(bot: Bot, slack: SlackDouble, rest: str, caplog: pytest.LogCaptureFixture) -> None:
    """R2, R4."""
    reader, writer = await bot.line()
    writer.write(f"POST /slack/events HTTP/1.1\r\nHost: dih\r\n{rest}".encode())
    answer = await reader.read()
    writer.close()
    assert answer.startswith(b"HTTP/1.0 400")
    (record,) = caplog.records
    assert record.getMessage() == "a request was no HTTP"
    assert not record.exc_info


async def test_a_body_that_breaks_off_is_no_fault_of_ours(bot: Bot, slack: SlackDouble, caplog: pytest.LogCaptureFixture) -> None:
    """R2."""
    reader, writer = await bot.line()
    writer.write(b"POST /slack/events HTTP/1.1\r\nHost: dih\r\nExpect: 100-continue\r\nContent-Length: 10\r\n\r\n")
    assert await reader.readline() == b"HTTP/1.1 100 Continue\r\n"
    writer.write(b"abc")
    writer.close()
    while bot.lines:
        await asyncio.sleep(0)
    assert (await slack.post(command_body(), FORM))[0] == 200
    assert not caplog.records


async def test_a_body_over_the_cap_is_refused(bot: Bot, slack: SlackDouble) -> None:
    """R60."""
    status, *_ = await slack.post(command_body("x" * 300_000), FORM)
    assert status == 413


async def test_words_with_payload_in_them_reach_the_form_and_are_stored(bot: Bot, slack: SlackDouble, hub: Database) -> None:
    """R1."""
    ann = slack.user("Ann Lee", "ann@uhd.nhs.uk")
    assert (await ann.command("/dih idea a payload=better payload")).status == 200
    modal = await ann.modal()
    await modal.fill({"What need or problem does it answer, and for whom?": "People who fall"}).submit()
    async with hub.reading() as session:
        idea = await ideas.find(session, 1)
    assert idea is not None
    assert idea.title == "a payload=better payload"
    slack.assert_clean()


async def test_a_workspace_that_is_not_allowed_gets_nothing(bot: Bot, slack: SlackDouble, hub: Database) -> None:
    body = command_body().replace("T0TEAM0001", "T0STRANGER")
    status, text, *_ = await slack.post(body, FORM)
    assert status == 200
    assert "not one that the hub" in text
    assert "What you can do" not in text


async def test_who_we_are_is_asked_once(bot: Bot, slack: SlackDouble) -> None:
    ann = slack.user("Ann Lee", "ann@uhd.nhs.uk")
    for _ in range(5):
        await ann.command("/dih help")
    assert len(slack.called("auth.test")) == 1
    assert len(slack.called("users.info")) == 1
