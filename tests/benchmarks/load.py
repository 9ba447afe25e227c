"""A closed-loop load of signed requests over kept connections, counted in microseconds."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import uvloop

from tests.benchmarks import PATH, SECRET

Maker = Callable[[int], bytes]


_teams_token = ""


@contextmanager
def as_teams(token: str) -> Iterator[None]:
    """Meanwhile requests are those of Teams, with this token."""
    global _teams_token
    _teams_token = token
    try:
        yield
    finally:
        _teams_token = ""


def signed(body: bytes, port: int) -> bytes:
    """The HTTP request that Slack would make, or Teams."""
    if _teams_token:
        head = (
            f"POST /api/messages HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {_teams_token}\r\n"
            f"Content-Type: application/json; charset=utf-8\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body
    stamp = str(int(time.time()))
    signature = "v0=" + hmac.digest(SECRET.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hex()
    head = (
        f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: application/json,*/*\r\n"
        "User-Agent: Slackbot 1.0 (+https://api.slack.com/robots)\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        f"X-Slack-Request-Timestamp: {stamp}\r\nX-Slack-Signature: {signature}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def user(number: int) -> str:
    """One of 300 people."""
    return f"U{number % 300:09d}"


def command(text: str, number: int) -> bytes:
    """The body of a slash command."""
    fields = {
        "token": "t", "team_id": "T0001", "team_domain": "example", "channel_id": "C0001", "channel_name": "ideas", "user_id": user(number),
        "user_name": "kim", "command": "/dih", "text": text, "api_app_id": "A1", "is_enterprise_install": "false",
        "response_url": "http://127.0.0.1:9/none", "trigger_id": f"13345224609.{number}.{time.time_ns():x}",
    }  # fmt: skip
    return urllib.parse.urlencode(fields).encode()


def payload(content: dict[str, object]) -> bytes:
    """The body of an interaction."""
    return urllib.parse.urlencode({"payload": json.dumps(content)}).encode()


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What one slice of load took."""

    latencies: list[float]
    errors: int
    seconds: float


class _Load:
    def __init__(self, make: Maker, port: int, connections: int, seconds: float, expect: bytes, most: int) -> None:
        self.make, self.port, self.expect, self.most = make, port, expect, most
        self.latencies: list[float] = []
        self.errors = self.sent = 0
        self.left = connections
        self.end = time.perf_counter() + seconds
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_ended(self) -> None:
        self.left -= 1
        if not self.left and not self.done.done():
            self.done.set_result(None)


class _Connection(asyncio.Protocol):
    def __init__(self, load: _Load) -> None:
        self.load, self.buffer, self.closing = load, b"", False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self._send()

    def _send(self) -> None:
        load = self.load
        if time.perf_counter() >= load.end or load.sent >= load.most:
            self.closing = True
            self.transport.close()
            return
        load.sent += 1
        request = signed(load.make(load.sent), load.port)
        self.started = time.perf_counter()
        self.transport.write(request)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, blank, rest = self.buffer.partition(b"\r\n\r\n")
        if not blank:
            return
        low = head.lower()
        at = low.find(b"content-length:")
        length = int(low[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(rest) < length:
            return
        if head[9:12] == b"200" and self.load.expect in rest:
            self.load.latencies.append(time.perf_counter() - self.started)
        else:
            self.load.errors += 1
            if self.load.errors == 1:
                print("unexpected answer:", self.buffer[:600])
        self.buffer = rest[length:]
        self._send()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.closing:
            self.load.errors += 1
        self.load.connection_ended()


async def _run(make: Maker, port: int, connections: int, seconds: float, expect: bytes, most: int) -> Taken:
    load = _Load(make, port, connections, seconds, expect, most)
    started = time.perf_counter()
    loop = asyncio.get_running_loop()
    for _ in range(connections):
        await loop.create_connection(lambda: _Connection(load), "127.0.0.1", port)
    await asyncio.wait_for(load.done, seconds + 60)
    return Taken(latencies=sorted(load.latencies), errors=load.errors, seconds=time.perf_counter() - started)


def run(make: Maker, port: int, *, connections: int, seconds: float, expect: bytes = b"", most: int = 10**6) -> Taken:
    """Sends what `make` makes until the time or the number is over; answers that are not 200 or lack `expect` are errors."""
    return uvloop.run(_run(make, port, connections, seconds, expect, most))
