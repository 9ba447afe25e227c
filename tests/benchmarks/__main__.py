"""`make bench`: the goals G1 to G5 and G8 to G10, each beside a bare bot in the same run, on SQLite and PostgreSQL."""

from __future__ import annotations

import asyncio
import itertools
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import Any

import psycopg

from bot.slack import render
from handlers.ideas import share
from handlers.routing import Place, Request
from storage import people
from storage.database import Database
from storage.people import Person
from storage.schema import migrate
from tests.benchmarks import SECRET, load, pairs, pictures, teams
from tests.benchmarks.pairs import Side
from tests.benchmarks.processes import LOAD_CORE, Process

POSTGRES = os.environ.get("DIH_TEST_POSTGRES_URL", "")
STARTS = 7
BARE = "a bare bot of bolt, aiohttp, SQLAlchemy and APScheduler (CloudAdapter joins it with the Teams channel)"
_ports = itertools.count(18_200)
_products = 0


@dataclass(frozen=True, kw_only=True)
class Start:
    """How long a server took until it served, the CPU seconds of that, and its memory in MB when idle."""

    seconds: float
    work: float
    memory: float

    @staticmethod
    def median(starts: Sequence[Start]) -> Start:
        """Of each measure."""
        return Start(**{each.name: statistics.median(getattr(start, each.name) for start in starts) for each in fields(Start)})


@contextmanager
def serving(args: list[str], **options: Any) -> Iterator[Process]:
    """A server for a while."""
    process = Process(args, int(args[args.index("--port") + 1]) if "--port" in args else options.pop("port"), **options)
    try:
        yield process
    finally:
        process.stop()


def _product_env(url: str, api: str, port: int) -> dict[str, str]:
    return {
        "DIH_DATABASE_URL": url,
        "DIH_PORT": str(port),
        "DIH_RATE_PER_MINUTE": "1000000",
        "DIH_DELIVERY_SECONDS": "3600",
        "SLACK_API_URL": api,
        "SLACK_BOT_TOKEN": "xoxb-dih",
        "SLACK_SIGNING_SECRET": SECRET,
    }


@contextmanager
def product(url: str, api: str) -> Iterator[Process]:
    """The bot as it ships, with delivery held back: the floors do not deliver either."""
    global _products
    _products += 1
    port = next(_ports)
    with serving(["-m", "bot", "run"], port=port, env=_product_env(url, api, port)) as process:
        yield process


@contextmanager
def floor(kind: str, url: str, api: str) -> Iterator[Process]:
    """A bare bolt bot."""
    driver = url.replace("sqlite:", "sqlite+aiosqlite:").replace("postgresql:", "postgresql+psycopg:")
    args = ["-m", "tests.benchmarks.floor", "--kind", kind, "--db", driver, "--api", api, "--port", str(next(_ports))]
    with serving(args) as process:
        yield process


def _form_view(organisation: str) -> dict[str, Any]:
    """The modal of the first form as Slack would hand it back, filled in, but for its ticket."""

    async def build() -> Any:
        who = Person(
            id=1,
            name="Kim",
            email=None,
            organisation=None,
            organisation_by=None,
            administrator=False,
            groups=frozenset(),
            last_account_id=None,
        )
        database = Database(organisation)
        async with database.reading() as session:
            from datetime import UTC, datetime

            request = Request(person=who, now=datetime.now(UTC), session=session, place=Place(id="C", private=True))
            form = await share.start_again(request)
        await database.close()
        return form

    return render.modal(asyncio.run(build()), "TICKET")


def submission(view: dict[str, Any]) -> load.Maker:
    """Makes view_submission bodies: one of 300 people, a new ticket each."""
    import json

    text = json.dumps({**view, "id": "VIEW", "state": {"values": _typed(view)}})
    run = f"{os.getpid()}x{next(_ports)}"

    numbers = itertools.count(1)  # over all slices: a ticket is sent once

    def make(_number: int) -> bytes:
        number = next(numbers)
        filled = json.loads(text.replace("TICKET", f"t{run}n{number}").replace("VIEW", f"V{run}n{number}"))
        return load.payload(
            {
                "type": "view_submission",
                "team": {"id": "T0001", "domain": "example"},
                "user": {"id": load.user(number), "username": "kim", "name": "kim", "team_id": "T0001"},
                "api_app_id": "A1",
                "token": "t",
                "trigger_id": f"1.{number}",
                "view": filled,
                "response_urls": [],
                "is_enterprise_install": False,
                "enterprise": None,
            }
        )

    return make


def _typed(view: dict[str, Any]) -> dict[str, Any]:
    values = {}
    for block in view["blocks"]:
        if block["type"] != "input":
            continue
        element = block["element"]
        if element["type"] == "plain_text_input":
            state = {"type": element["type"], "value": "Sensors that notice a fall at night"}
        else:
            state = {"type": element["type"], "selected_option": element.get("initial_option") or element["options"][0]}
        values[block["block_id"]] = {element["action_id"]: state}
    return values


@contextmanager
def databases() -> Iterator[dict[str, tuple[str, str]]]:
    """(The product's, the floor's) database of each kind, migrated, with twelve partners."""
    folder = tempfile.TemporaryDirectory()
    found = {"SQLite": (f"sqlite:///{folder.name}/product.db", f"sqlite:///{folder.name}/floor.db")}
    names = [f"dih_bench_{os.getpid()}_{which}" for which in ("product", "floor")]
    if POSTGRES:
        with psycopg.connect(POSTGRES, autocommit=True) as connection:
            for name in names:
                connection.execute(f"CREATE DATABASE {name}".encode())
        base = POSTGRES.rpartition("/")[0]
        found["PostgreSQL"] = (f"{base}/{names[0]}", f"{base}/{names[1]}")
    for url, _ in found.values():
        asyncio.run(_prepare(url))
    try:
        yield found
    finally:
        folder.cleanup()
        if POSTGRES:
            with psycopg.connect(POSTGRES, autocommit=True) as connection:
                for name in names:
                    connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


async def _prepare(url: str) -> None:
    database = Database(url)
    await migrate(database)
    async with database.transaction() as session:
        for number in range(12):
            await people.add_organisation(session, name=f"Partner {number}")
    await database.close()


def _warm(*sides: Side) -> None:
    for side in sides:
        load.run(side.make, side.process.port, connections=4, seconds=20, expect=side.expect, most=700)
        side.process.settle()


def requests(name: str, urls: tuple[str, str], api: str) -> None:
    """G1 and G2 on one database."""
    ours, theirs = urls
    view = _form_view(ours)
    with product(ours, api) as bot, floor("rows", theirs, api) as rows, floor("select", theirs, api) as select:
        say_help = lambda number: load.command("help", number)  # noqa: E731
        make = submission(view)
        for goal, a, b in (
            (
                "G1 share an idea",
                Side(name=f"bare bolt, 4 ORM rows, {name}", process=rows, make=make, expect=b"IDEA-"),
                Side(name=f"DIH, {name}", process=bot, make=make, expect=b"is with the Core Team"),
            ),
            (
                "G2 help",
                Side(name=f"bare bolt, 1 SELECT, {name}", process=select, make=say_help, expect=b"What you can do"),
                Side(name=f"DIH, {name}", process=bot, make=say_help, expect=b"What you can do"),
            ),
        ):
            _warm(a, b)
            for connections in (1, 16):
                pairs.compare(goal, a, b, connections=connections)


def start_up(api: str) -> None:
    """G8: from start to serving, and idle memory, beside a bare bot; the first start of each is not counted."""
    starts: dict[str, list[Start]] = {"bare": [], "DIH": []}
    with databases() as found:
        ours_url, bare_url = found["SQLite"]
        for _ in range(1 + STARTS):
            for name, server in (("bare", floor("bolt", bare_url, api)), ("DIH", product(ours_url, api))):
                with server as process:
                    process.settle()
                    starts[name].append(Start(seconds=process.seconds_to_serve, work=process.work_to_serve, memory=process.rss_mb))
    bare, ours = (Start.median(found[1:]) for found in starts.values())
    ratio, of_work = ours.seconds / bare.seconds, ours.work / bare.work
    print(f"\nG8 beside {BARE}")
    print(f"G8 start to serving: bare {bare.seconds:.2f} s, DIH {ours.seconds:.2f} s, ratio {ratio:.2f} (goal 1.8)")
    print(f"G8 of it CPU: bare {bare.work:.2f} s, DIH {ours.work:.2f} s, ratio {of_work:.2f}")
    print(f"G8 idle memory: bare {bare.memory:.0f} MB, DIH {ours.memory:.0f} MB (goal 110)")


def burst(urls: tuple[str, str], api: str) -> None:
    """G10: 2,000 submissions against a locked table are held within bounds, and gone soon after it is free."""
    url = urls[0]
    make = submission(_form_view(url))
    with product(url, api) as bot:
        load.run(make, bot.port, connections=4, seconds=20, most=700)
        bot.settle()
        before = bot.rss_mb
        with psycopg.connect(url) as connection:
            connection.execute("LOCK TABLE receipts IN ACCESS EXCLUSIVE MODE")
            taken = load.run(make, bot.port, connections=64, seconds=8, most=2000)
            held = bot.rss_mb
        drained = bot.settle(30)
        answered = len(taken.latencies)
        worst = taken.latencies[-1] if taken.latencies else float("nan")
        print(
            f"\nG10 burst against a locked table: {answered} answered, slowest after {worst:.2f} s, {taken.errors} errors; "
            f"memory +{held - before:.1f} MB at its height, +{bot.rss_mb - before:.1f} MB after; "
            f"drained {drained:.1f} s after the lock was gone"
        )


def counts(api_port: int) -> None:
    """G3: how often auth.test was called."""
    import json
    import urllib.request

    with urllib.request.urlopen(f"http://127.0.0.1:{api_port}/api/__count") as answer:
        asked = {name: times for name, times in json.load(answer).items() if name.endswith(("auth.test", "users.info"))}
        print(f"\nG3 questions to Slack over all servers of this run: {asked}; the DIH bot was started {_products} times")


def main() -> None:
    """Runs all, or the goals named on the command line (pictures, requests, teams, start, burst)."""
    wanted = set(sys.argv[1:]) or {"pictures", "requests", "teams", "start", "burst"}
    if "pictures" in wanted:
        pictures.compare()
    os.sched_setaffinity(0, {LOAD_CORE})
    api_port = next(_ports)
    api = f"http://127.0.0.1:{api_port}/api/"
    far = ["-m", "tests.benchmarks.far", "--port", str(api_port)]
    with serving(far, core=LOAD_CORE):
        if "requests" in wanted:
            print(pairs.HEAD + "\n" + "|---" * 12 + "|")
            with databases() as found:
                for kind, urls in found.items():
                    requests(kind, urls, api)
        if "teams" in wanted:
            with databases() as found:
                teams.compare(found["SQLite"][0], _ports)
        if "start" in wanted:
            start_up(api)
        if "burst" in wanted and POSTGRES:
            with databases() as found:  # of its own: the messages that others left would be delivered meanwhile
                burst(found["PostgreSQL"], api)
        counts(api_port)


if __name__ == "__main__":
    main()
