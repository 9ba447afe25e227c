"""The house stands as it was drawn, and every rule of it bites when it is broken on purpose."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import rules
from tests.rules import PACKAGES, RULES, Rule

ROOT = Path(__file__).parents[1]
CONTRACTS = [each["name"] for each in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]]


@dataclass(frozen=True)
class Sabotage:
    """What is added to a file, made where there is none, to break a contract or a rule; `says` stands in the complaint."""

    file: str
    adds: str
    says: str


CONTRACT_SABOTAGES = (
    ("1. Arrows only downwards", Sabotage("storage/ideas.py", "import handlers.words", "storage.ideas -> handlers.words")),
    ("1. Arrows only downwards", Sabotage("handlers/places.py", "import scheduler.delivery", "handlers.places -> scheduler.delivery")),
    ("1. Arrows only downwards", Sabotage("scheduler/clock.py", "import bot.settings", "scheduler.clock -> bot.settings")),
    ("2. Chat SDKs and aiohttp live in bot", Sabotage("handlers/words.py", "import aiohttp", "handlers.words -> aiohttp")),
    ("2. Chat SDKs and aiohttp live in bot", Sabotage("scheduler/delivery.py", "import slack_sdk", "scheduler.delivery -> slack_sdk")),
    ("2. Channels do not know each other", Sabotage("bot/web/__init__.py", "import bot.slack.parse", "bot.web -> bot.slack.parse")),
    ("2. Channels do not know each other", Sabotage("bot/teams/__init__.py", "import bot.web", "bot.teams -> bot.web")),
    ("3. parse and render are pure", Sabotage("bot/slack/parse.py", "import storage.people", "bot.slack.parse -> storage.people")),
    ("3. parse and render are pure", Sabotage("bot/slack/render.py", "import time", "bot.slack.render -> time")),
    ("3. parse and render are pure", Sabotage("bot/slack/fields.py", "import bot.slack.answers", "bot.slack.fields -> bot.slack.answers")),
    ("3. parse and render are pure", Sabotage("bot/teams/render.py", "import bot.dispatch", "bot.teams.render -> bot.dispatch")),
    ("4. Only storage knows SQLAlchemy", Sabotage("handlers/people.py", "import sqlalchemy", "handlers.people -> sqlalchemy")),
    ("4. Only storage knows SQLAlchemy", Sabotage("bot/dispatch.py", "import psycopg", "bot.dispatch -> psycopg")),
    (
        "4. Only scheduler.clock knows APScheduler",
        Sabotage("scheduler/planning.py", "import apscheduler", "scheduler.planning -> apscheduler"),
    ),
    ("4. botbuilder stays in two files", Sabotage("bot/teams/render.py", "import botbuilder.schema", "bot.teams.render -> botbuilder")),
    ("5. The vocabulary stands alone", Sabotage("handlers/views.py", "import handlers.errors", "handlers.views -> handlers.errors")),
    ("5. The vocabulary stands alone", Sabotage("handlers/views.py", "import storage.types", "handlers.views -> storage.types")),
)

RULE_SABOTAGES = (
    (rules.channels_are_in_the_contracts, Sabotage("bot/post/__init__.py", "", "bot/post/")),
    (rules.parse_and_render_are_pure, Sabotage("bot/slack/render.py", "from slack_sdk.web import WebClient", "slack_sdk.web.WebClient")),
    (rules.parse_and_render_are_pure, Sabotage("bot/slack/fields.py", "date.today()", "asks the clock")),
    (rules.parse_and_render_are_pure, Sabotage("bot/teams/parse.py", "datetime.now()", "asks the clock")),
    (rules.parse_and_render_are_pure, Sabotage("bot/web/render.py", "async def draw(): ...", "waits for something")),
    (rules.topics_are_strangers, Sabotage("handlers/pulse.py", "from handlers.ideas import mine", "imports the topic ideas")),
    (rules.topics_are_strangers, Sabotage("handlers/pulse/rounds.py", "from .. import people", "imports the topic people")),
    (rules.topics_are_strangers, Sabotage("handlers/forms.py", "import handlers.welcome", "imports the topic welcome")),
    (rules.transactions_are_ended_in_named_places, Sabotage("handlers/places.py", "session.commit()", ".commit outside")),
    (rules.transactions_are_ended_in_named_places, Sabotage("bot/dispatch.py", "end = session.commit", ".commit outside")),
    (rules.transactions_are_ended_in_named_places, Sabotage("scheduler/delivery.py", "session.begin()", ".begin outside")),
    (rules.transactions_are_ended_in_named_places, Sabotage("storage/ideas.py", "database.transaction()", ".transaction in a file")),
    (rules.transactions_are_ended_in_named_places, Sabotage("bot/app.py", "database.migrating()", ".migrating in a file")),
    (rules.transactions_are_ended_in_named_places, Sabotage("storage/database.py", "session.begin_nested()", "begin_nested")),
    (rules.below_bot_no_platform_is_named, Sabotage("handlers/places.py", "def to_slack(): ...", "names a platform: to_slack")),
    (rules.below_bot_no_platform_is_named, Sabotage("storage/people.py", "class TeamsAccount: ...", "names a platform: TeamsAccount")),
    (rules.below_bot_no_platform_is_named, Sabotage("scheduler/delivery.py", "x = 'slack'", "names a platform: slack")),
    (rules.below_bot_no_platform_is_named, Sabotage("storage/outbox.py", "f(teams_id=1)", "names a platform: teams_id")),
    (rules.below_bot_no_platform_is_named, Sabotage("handlers/slack.py", "", "handlers/slack.py: its own name")),
    (rules.the_registry_loads_no_sdk, Sabotage("storage/ideas.py", "import slack_sdk", "loads slack_sdk")),
    (rules.the_registry_loads_no_sdk, Sabotage("handlers/words.py", "__import__('aiohttp')", "loads aiohttp")),
    (rules.the_registry_loads_no_sdk, Sabotage("handlers/words.py", "import nothing_like_it", "nothing_like_it")),
    (rules.drawing_is_a_process_of_its_own, Sabotage("bot/pictures.py", "import matplotlib.figure", "imports matplotlib.figure")),
    (rules.drawing_is_a_process_of_its_own, Sabotage("bot/web/render.py", "from bot.drawing import draw", "imports bot.drawing.draw")),
    (rules.local_time_is_told_in_one_place, Sabotage("scheduler/digest.py", "now.astimezone(LONDON)", ".astimezone(")),
    (rules.local_time_is_told_in_one_place, Sabotage("handlers/pulse/priorities.py", "(now + USUAL).date()", ".date(")),
    (rules.no_topic_is_forgotten, Sabotage("storage/impact.py", "class NoteRow(Base): ...", "storage/tables.py does not gather")),
    (rules.no_topic_is_forgotten, Sabotage("scheduler/impact.py", "async def due(session, now): ...", "scheduler/planner.py does not ask")),
    (rules.functions_are_short, Sabotage("bot/dispatch.py", "def long():" + "\n    x = 1" * 40, "long has 41 lines")),
    (rules.modules_are_short, Sabotage("bot/dispatch.py", "x = 1\n" * 400, "bot/dispatch.py: ")),
    (rules.modules_say_what_they_are_for, Sabotage("scheduler/unsaid.py", "x = 1", "scheduler/unsaid.py: no docstring")),
    (rules.modules_are_nouns, Sabotage("handlers/idea_utils.py", "", "idea_utils says nothing")),
    (rules.modules_are_nouns, Sabotage("bot/common/__init__.py", "", "common says nothing")),
    (rules.nothing_is_left_unfinished, Sabotage("handlers/places.py", "# TO" + "DO: later", "TO" + "DO")),
    (rules.nothing_is_left_unfinished, Sabotage("bot/app.py", "raise NotImplemented" + "Error", "NotImplemented" + "Error")),
)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The whole source, to be broken."""
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__", "static", "templates"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def commit(sabotage: Sabotage, tree: Path) -> None:
    """Adds what breaks the rule."""
    path = tree / sabotage.file
    path.parent.mkdir(parents=True, exist_ok=True)
    (path.parent / "__init__.py").touch()
    with path.open("a") as file:
        file.write(f"\n{sabotage.adds}\n")


def lint_imports(tree: Path) -> tuple[int, str]:
    """(Exit code, report) of import-linter over a tree."""
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()", "--no-cache", "--no-logo"]
    environment = {**os.environ, "PYTHONPATH": str(tree), "COLUMNS": "200", "NO_COLOR": "1"}
    done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def broken_contracts(report: str) -> set[str]:
    """The contracts that the report calls broken."""
    return set(re.findall(r"^(.+) BROKEN", report, re.MULTILINE))


def test_import_contracts_hold() -> None:
    code, report = lint_imports(ROOT)
    assert (code, broken_contracts(report)) == (0, set()), report
    assert f"{len(CONTRACTS)} kept" in report


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_rules_hold(rule: Rule) -> None:
    assert rule(ROOT) == []


def test_every_contract_and_every_rule_is_broken_on_purpose_below() -> None:
    assert {name for name, _ in CONTRACT_SABOTAGES} == set(CONTRACTS)
    assert {rule for rule, _ in RULE_SABOTAGES} == set(RULES)


@pytest.mark.parametrize(("contract", "sabotage"), CONTRACT_SABOTAGES, ids=lambda value: getattr(value, "adds", None))
def test_a_contract_bites(contract: str, sabotage: Sabotage, copy: Path) -> None:
    commit(sabotage, copy)
    code, report = lint_imports(copy)
    assert code == 1
    assert contract in broken_contracts(report), report
    assert sabotage.says in report


@pytest.mark.parametrize(("rule", "sabotage"), RULE_SABOTAGES, ids=lambda value: getattr(value, "__name__", None))
def test_a_rule_bites(rule: Rule, sabotage: Sabotage, copy: Path) -> None:
    commit(sabotage, copy)
    complaints = rule(copy)
    assert any(sabotage.says in complaint for complaint in complaints), complaints


ALLOWED = (
    Sabotage("bot/teams/render.py", "'Views as cards.'\nfrom slack_sdk.models.blocks import SectionBlock", ""),
    Sabotage("handlers/welcome.py", "SAID = 'In Slack and Teams, you can also send me a message.'", ""),
    Sabotage("handlers/orchard/rows.py", "'Rows of the orchard.'\nfrom handlers.orchard import trees", ""),
    Sabotage("handlers/places.py", "CORE_TEAM = 'core_team'", ""),
    Sabotage("handlers/digest.py", "import datetime as days\nFIRST = days.date(2026, 11, 23)", ""),
    Sabotage("bot/operations.py", "def brief():" + "\n    x = 1" * 39, ""),
)


def test_what_is_allowed_stays_allowed(copy: Path) -> None:
    before = {complaint for rule in RULES for complaint in rule(copy)}
    for each in ALLOWED:
        commit(each, copy)
    for folder in ("handlers/orchard", "bot/teams"):
        (copy / folder / "__init__.py").write_text('"""A new folder."""')
    assert {complaint for rule in RULES for complaint in rule(copy)} <= before
