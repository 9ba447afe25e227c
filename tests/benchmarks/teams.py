"""G4 and G5: Teams messages and invokes beside a bare CloudAdapter, and replies through a Connector that is far away."""

from __future__ import annotations

import json
import os
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks import load, pairs
from tests.benchmarks.pairs import Side
from tests.benchmarks.processes import LOAD_CORE, Process
from tests.teamsdouble.teamsdouble import APP_ID, TENANT

PROXY = 18_400
PEOPLE = 300


def _activity(number: int, kind: str, **fields: object) -> dict[str, object]:
    """What one of 300 people sends in their own chat."""
    who = number % PEOPLE
    return {
        "type": kind, "id": uuid.uuid4().hex, "timestamp": "2026-11-25T09:00:00.000Z", "channelId": "msteams",
        "serviceUrl": "https://smba.trafficmanager.net/emea/",
        "from": {"id": f"29:{who}", "name": "Kim Lee", "aadObjectId": str(uuid.UUID(int=who + 1))},
        "conversation": {"conversationType": "personal", "tenantId": TENANT, "id": f"a:{who}"},
        "recipient": {"id": f"28:{APP_ID}", "name": "DIH"}, "channelData": {"tenant": {"id": TENANT}}, **fields,
    }  # fmt: skip


def _message(number: int) -> bytes:
    return json.dumps(_activity(number, "message", text="help", textFormat="plain")).encode()


def _dialog(number: int) -> bytes:
    """ "Share an idea" is pressed: its form is asked for."""
    data = {"dih": {"do": "action", "name": "ideas.start", "ticket": uuid.uuid4().hex}, "msteams": {"type": "task/fetch"}}
    return json.dumps(_activity(number, "invoke", name="task/fetch", replyToId="1", value={"data": data})).encode()


def _page(number: int) -> bytes:
    """A list is turned, which also changes the message."""
    data = {"dih": {"do": "action", "name": "ideas.page", "ticket": uuid.uuid4().hex, "args": {"offset": "0"}}}
    value = {"action": {"type": "Action.Execute", "verb": "ideas.page", "data": data}, "trigger": "manual"}
    return json.dumps(_activity(number, "invoke", name="adaptiveCard/action", replyToId="1", value=value)).encode()


@contextmanager
def _far(folder: Path, *, delay: float = 0) -> Iterator[dict[str, str]]:
    """A Teams, and the environment in which a bot finds it."""
    args = ["-m", "tests.benchmarks.far_teams", "--port", str(PROXY), "--folder", str(folder), "--delay", str(delay)]
    process = Process(args, PROXY, core=LOAD_CORE)
    proxy, ca = f"http://127.0.0.1:{PROXY}", str(folder / "ca.pem")
    try:
        yield {
            "TEAMS_APP_ID": APP_ID, "TEAMS_APP_PASSWORD": "app-secret", "TEAMS_APP_TENANT_ID": TENANT, "HTTPS_PROXY": proxy,
            "https_proxy": proxy, "REQUESTS_CA_BUNDLE": ca, "SSL_CERT_FILE": ca, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1",
        }  # fmt: skip
    finally:
        process.stop()


@contextmanager
def _bot(args: list[str], port: int, env: dict[str, str]) -> Iterator[Process]:
    process = Process(args, port, env=env)
    try:
        yield process
    finally:
        process.stop()


def compare(url: str, ports: Iterator[int]) -> None:
    """Prints G4 and G5."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with _far(folder) as env:
            token = (folder / "token").read_text()
            bare_port, port = next(ports), next(ports)
            own = {**env, **product_env(url, port)}
            bare = _bot(["-m", "tests.benchmarks.floor_teams", "--port", str(bare_port)], bare_port, env)
            with bare as documented, _bot(["-m", "bot", "run"], port, own) as bot, load.as_teams(token):
                for goal, make in (("G4 message", _message), ("G4 invoke", _dialog), ("G4 invoke that changes its message", _page)):
                    a = Side(name="CloudAdapter as documented", process=documented, make=make, expect=b"")
                    b = Side(name="DIH, SQLite", process=bot, make=make, expect=b"")
                    for side in (a, b):
                        load.run(make, side.process.port, connections=4, seconds=30, most=700)
                    for connections in (1, 16):
                        pairs.compare(goal, a, b, connections=connections)
        with _far(folder, delay=0.1) as env:
            port = next(ports)
            with _bot(["-m", "bot", "run"], port, {**env, **product_env(url, port)}) as bot, load.as_teams((folder / "token").read_text()):
                load.run(_message, port, connections=4, seconds=30, most=700)
                taken = load.run(_message, port, connections=64, seconds=10)
                bot.settle()
            rate = len(taken.latencies) / taken.seconds
            print(f"\nG5 replies a second through a Connector 100 ms away, 64 connections: {rate:.0f} (goal 300), {taken.errors} errors")


def product_env(url: str, port: int) -> dict[str, str]:
    """The bot as it ships; nothing but Teams is on, and delivery is held back."""
    inherited = dict.fromkeys(("SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET"), "")
    own = {"DIH_DATABASE_URL": url, "DIH_PORT": str(port), "DIH_RATE_PER_MINUTE": "1000000", "DIH_DELIVERY_SECONDS": "3600"}
    return {**inherited, **own, "DIH_SECRET_KEYS": os.environ.get("DIH_SECRET_KEYS", "")}
