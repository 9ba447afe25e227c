"""What the guides say is true: their examples run, their tables are complete, their links lead somewhere."""

from __future__ import annotations

import re
import types
from pathlib import Path

import pytest
from typer.main import get_command

from bot.__main__ import app
from bot.settings import Settings
from handlers.registry import FEATURES
from handlers.routing import Router, Routes
from handlers.views import Form, Reply
from storage import counts
from storage.database import Database
from tests.conftest import FakeClock
from tests.dispatch.conftest import ADMIN, Hub

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
GUIDE = (ROOT / "docs/adding-a-command.md").read_text()
GUIDES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def example(file: str) -> str:
    """The code that the guide puts into a file."""
    (code,) = re.findall(rf'^```python title="{re.escape(file)}"\n(.*?)^```$', GUIDE, re.MULTILINE | re.DOTALL)
    return str(code)


def topic(name: str, code: str) -> Router:
    """The router of a topic whose file holds this code."""
    module = types.ModuleType(name)
    exec(compile(code, f"{name}.py", "exec"), vars(module))
    router: Router = module.router
    return router


async def test_a_text_command_is_one_file_and_about_three_lines(database: Database, clock: FakeClock) -> None:
    added = example("handlers/people.py")
    assert len(added.strip().splitlines()) == 4
    there = (ROOT / "handlers/people.py").read_text()
    people = topic("people_with_the_example", f"{there}\n\n{added}")
    hub = Hub(database, clock, Routes([*(each for each in FEATURES if "admin people" not in each.commands), people]))
    grace = hub.person("GRACE", "Grace Hope", ADMIN)
    answer = await grace.types("admin count")
    assert isinstance(answer.outcome, Reply)
    assert answer.outcome.card.title == "The hub knows 1 person"
    person = await grace.is_known()
    assert "admin count" in [route.usage for route in hub.routes.offered_to(person)]


async def test_a_topic_with_a_form_is_one_file_and_one_line_in_the_registry(database: Database, clock: FakeClock) -> None:
    hub = Hub(database, clock, Routes([*FEATURES, topic("feedback", example("handlers/feedback.py"))]))
    ann = hub.person("ANN")
    asked = await ann.types("feedback")
    assert isinstance(asked.outcome, Form)
    refused = await ann.does("form", "feedback.send", ticket=asked.ticket)
    assert isinstance(refused.outcome, Form)
    assert refused.outcome.errors == {"how": "Choose one from the list."}
    await ann.does("form", "feedback.send", values={"how": "useful"}, ticket=asked.ticket)
    await ann.does("form", "feedback.send", values={"how": "useful"}, ticket=asked.ticket)
    async with database.reading() as session:
        assert await counts.total(session, "session useful") == 1


def test_the_readme_names_every_setting_with_its_default() -> None:
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \| ([^|]+?) \|", README, re.MULTILINE))
    assert set(rows) == {name.upper() for name in Settings.model_fields}
    for name, field in Settings.model_fields.items():
        if isinstance(field.default, str | int | float) and field.default != "":
            assert rows[name.upper()] == f"`{field.default:g}`" if isinstance(field.default, float) else f"`{field.default}`", name


def test_the_guide_to_teams_names_every_setting_that_it_needs() -> None:
    guide = (ROOT / "docs/teams.md").read_text()
    needed = {name.upper() for name in Settings.model_fields if name.startswith("teams_")}
    assert needed <= set(re.findall(r"\b[A-Z][A-Z_]+\b", guide))


def test_the_readme_names_every_command_of_the_command_line() -> None:
    named = set(re.findall(r"^\| `dih ([a-z ]+)", README, re.MULTILINE))
    commands = get_command(app).commands  # type: ignore[attr-defined]
    there = {f"{name} {sub}" for name, group in commands.items() for sub in getattr(group, "commands", {})}
    there |= {name for name, command in commands.items() if not hasattr(command, "commands")}
    assert {name.strip() for name in named} == there


def test_the_readme_names_every_command_of_the_bot() -> None:
    (table,) = re.findall(r"## What you can type\n(.*?)\n## ", README, re.DOTALL)
    named = set(re.findall(r"`([a-z ]+)`", table))
    assert {name for feature in FEATURES for name in feature.commands} <= named


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_guides_lead_somewhere(guide: Path) -> None:
    links = re.findall(r"\]\((?!https?://)([^)#]+)", guide.read_text())
    assert [link for link in links if not (guide.parent / link).exists()] == []


def test_decision_records_are_short_and_say_why() -> None:
    records = sorted((ROOT / "docs/adr").glob("*.md"))
    assert [int(path.name[:4]) for path in records] == list(range(1, len(records) + 1))
    for path in records:
        text = path.read_text()
        assert len(text.splitlines()) <= 30, path.name
        assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences"], path.name
