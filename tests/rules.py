"""The rules of the house that imports alone cannot tell: each a function from a source tree to what breaks it."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeAlias

PACKAGES = ("bot", "scheduler", "handlers", "storage", "manifests")
BELOW = ("scheduler", "handlers", "storage")
SDKS = ("slack_bolt", "slack_sdk", "aiohttp", "botbuilder", "botframework")
PLATFORMS = {"slack", "teams", "msteams", "bolt", "botbuilder", "botframework", "aiohttp"}
NOT_TOPICS = {"__init__", "views", "words", "routing", "calendar", "errors", "registry", "forms", "screening", "paging", "deadlines"}
NO_NAMES = {"util", "utils", "helper", "helpers", "manager", "managers", "base", "common"}
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|NotImplemented(Error)?)\b")
LONGEST_FUNCTION, LONGEST_MODULE = 40, 400

ENDS_TRANSACTIONS = {"storage/database.py"}
"""Who may begin and commit on a connection."""
OPENS_TRANSACTIONS = {
    "storage/schema.py": "migrations",
    "scheduler/delivery.py": "a job",
    "scheduler/planner.py": "a job",
    "scheduler/pulse.py": "a job",
    "scheduler/retention.py": "a job",
    "bot/dispatch.py": "interactions",
    "bot/__main__.py": "the command line",
    "bot/operations.py": "the command line",
    "bot/teams/book.py": "where people and places are reached",
    "bot/web/receive.py": "an account for who has none here",
    "bot/web/signin.py": "web sign-in",
    "bot/web/conversation.py": "the page's own history",
    "bot/web/send.py": "a message is a row of the page's history",
}
"""Who may open a transaction for writing, and for what; a new name here is a decision to write down."""

TELLS_LOCAL_TIME = ("handlers/calendar.py", "handlers/words.py", "storage/types.py", "storage/sample/")
"""Who may: the two that speak of local time, what keeps instants as UTC, and the made-up past, which stands below them."""

Rule: TypeAlias = "Callable[[Path], list[str]]"


@cache
def _parsed(text: str) -> ast.Module:
    """Remembered: many trees share most of their files."""
    return ast.parse(text)


@dataclass(frozen=True, kw_only=True)
class Module:
    """One source file, by its path in the tree."""

    path: str
    text: str

    @property
    def tree(self) -> ast.Module:
        """Its syntax."""
        return _parsed(self.text)

    @property
    def floor(self) -> str:
        """The package it stands in."""
        return self.path.partition("/")[0]

    @property
    def name(self) -> str:
        """The file's own name."""
        return Path(self.path).stem

    def at(self, node: ast.AST, what: str) -> str:
        """A complaint, with its place."""
        return f"{self.path}:{getattr(node, 'lineno', 1)}: {what}"

    def imports(self) -> Iterator[tuple[ast.AST, str]]:
        """(Where, what) for each imported name, in full: `from a import b` is "a.b"."""
        package = self.path.rpartition("/")[0].split("/")
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ((node, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                above = package[: len(package) - node.level + 1] if node.level else []
                start = ".".join([*above, *([node.module] if node.module else [])])
                yield from ((node, f"{start}.{alias.name}") for alias in node.names)


def modules(root: Path) -> tuple[Module, ...]:
    """All source files of the floors."""
    found = (path for package in PACKAGES for path in sorted((root / package).rglob("*.py")))
    return tuple(Module(path=path.relative_to(root).as_posix(), text=path.read_text()) for path in found)


def _is_migration(module: Module) -> bool:
    return module.path.startswith("storage/migrations/versions/")


def channels_are_in_the_contracts(root: Path) -> list[str]:
    """2. Every package in bot is a channel, and the contract of channels names it."""
    contracts = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (layers,) = next(each["layers"] for each in contracts if each["name"] == "2. Channels do not know each other")
    named = set(re.findall(r"bot\.(\w+)", layers))
    there = {path.parent.name for path in (root / "bot").glob("*/__init__.py")}
    return [f"bot/{name}/: the contract “2. Channels do not know each other” does not name it" for name in sorted(there - named)]


def parse_and_render_are_pure(root: Path) -> list[str]:
    """3. parse and render, and its fields, use no SDK client, no clock and no chance; typed builders of an SDK are fine."""
    complaints = []
    for module in modules(root):
        if module.floor != "bot" or module.name not in ("parse", "render", "fields"):
            continue
        for node, name in module.imports():
            if name.startswith("slack_sdk") and not name.startswith("slack_sdk.models"):
                complaints.append(module.at(node, f"imports {name}, more than a typed builder"))
            if name.partition(".")[0] in ("random", "secrets", "socket", "urllib3", "requests", "subprocess"):
                complaints.append(module.at(node, f"imports {name}"))
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Attribute) and node.attr in ("now", "utcnow", "today"):
                complaints.append(module.at(node, f"asks the clock: .{node.attr}"))
            if isinstance(node, ast.AsyncFunctionDef | ast.Await):
                complaints.append(module.at(node, "waits for something"))
    return complaints


def topics_are_strangers(root: Path) -> list[str]:
    """5. A topic is imported by handlers/registry.py alone; a file or folder in handlers is a topic unless it is known not to be."""
    inside = [module for module in modules(root) if module.floor == "handlers"]
    part = {module.path: module.path.split("/")[1].removesuffix(".py") for module in inside}
    topics = set(part.values()) - NOT_TOPICS
    complaints = []
    for module in inside:
        if module.path == "handlers/registry.py":
            continue
        for node, name in module.imports():
            topic = name.split(".")[1] if name.startswith("handlers.") else ""
            if topic in topics and topic != part[module.path]:
                complaints.append(module.at(node, f"imports the topic {topic}"))
    return complaints


def transactions_are_ended_in_named_places(root: Path) -> list[str]:
    """6. begin and commit only in the database's own file, transactions opened only by those named, savepoints nowhere."""
    complaints = []
    for module in modules(root):
        for node in ast.walk(module.tree):
            word = node.attr if isinstance(node, ast.Attribute) else node.value if isinstance(node, ast.Constant) else None
            if word == "begin_nested":
                complaints.append(module.at(node, "begin_nested: nothing here needs a savepoint"))
            if not isinstance(node, ast.Attribute):
                continue
            if word in ("begin", "commit") and module.path not in ENDS_TRANSACTIONS:
                complaints.append(module.at(node, f".{word} outside storage/database.py"))
            if word in ("transaction", "migrating") and module.path not in OPENS_TRANSACTIONS:
                complaints.append(module.at(node, f".{word} in a file that is not named for it"))
    return complaints


def _words_of(name: str) -> set[str]:
    """“SlackUserId” and “slack_user_id” as slack, user, id."""
    return {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)}


def _names_in(node: ast.AST) -> Iterator[str]:
    """Identifiers, and strings that could be keys: of one word, without a space."""
    for attribute in ("id", "attr", "arg", "name", "asname", "module"):
        name = getattr(node, attribute, None)
        if isinstance(name, str):
            yield name
    if isinstance(node, ast.Global | ast.Nonlocal):
        yield from node.names
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and not re.search(r"\s", node.value.strip()):
        yield node.value


def below_bot_no_platform_is_named(root: Path) -> list[str]:
    """7. No identifier, import or key below bot names a chat platform or an SDK; prose for people may."""
    complaints = []
    for module in modules(root):
        if module.floor not in BELOW:
            continue
        complaints += [f"{module.path}: its own name" for part in Path(module.path).parts if _words_of(part) & PLATFORMS]
        for node in ast.walk(module.tree):
            complaints += [module.at(node, f"names a platform: {name}") for name in _names_in(node) if _words_of(name) & PLATFORMS]
    return complaints


def the_registry_loads_no_sdk(root: Path) -> list[str]:
    """8. `import handlers.registry` in a fresh interpreter loads no chat SDK."""
    code = f"import sys, handlers.registry; print(*[name for name in {SDKS} if name in sys.modules])"
    environment = {**os.environ, "PYTHONPATH": str(root)}
    done = subprocess.run([sys.executable, "-c", code], cwd=root, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        return [f"handlers/registry.py: cannot be imported: {done.stderr.strip().splitlines()[-1]}"]
    return [f"handlers/registry.py: importing it loads {name}" for name in done.stdout.split()]


def drawing_is_a_process_of_its_own(root: Path) -> list[str]:
    """9. Only bot/drawing.py imports what draws, and nothing imports it: a server that loads it stands still meanwhile."""
    return [
        module.at(node, f"imports {name}")
        for module in modules(root)
        if module.path != "bot/drawing.py"
        for node, name in module.imports()
        if name.partition(".")[0] in ("matplotlib", "numpy", "PIL") or f"{name}.".startswith("bot.drawing.")
    ]


def local_time_is_told_in_one_place(root: Path) -> list[str]:
    """10. An instant is put into local time, and its day taken, only in the files that are named for it."""
    complaints = []
    for module in modules(root):
        if module.path.startswith(TELLS_LOCAL_TIME):
            continue
        for node in ast.walk(module.tree):
            word = node.func.attr if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else ""
            if word == "astimezone" or (word == "date" and isinstance(node, ast.Call) and not node.args):
                complaints.append(module.at(node, f".{word}(: ask handlers/calendar.py or words.py"))
    return complaints


def no_topic_is_forgotten(root: Path) -> list[str]:
    """11. A file of tables is gathered in storage/tables.py, and what a topic says is due is asked for by scheduler/planner.py."""
    there = {module.path: module for module in modules(root)}
    gathered = {name for _, name in there["storage/tables.py"].imports()}
    asked = {ast.unparse(node) for node in ast.walk(there["scheduler/planner.py"].tree) if isinstance(node, ast.Attribute)}
    complaints = []
    for module in there.values():
        dotted = module.path.removesuffix(".py").replace("/", ".")
        for node in module.tree.body:
            is_table = module.floor == "storage" and isinstance(node, ast.ClassDef) and "Base" in map(ast.unparse, node.bases)
            if is_table and not {dotted, dotted.removesuffix(".tables")} & gathered:
                complaints.append(module.at(node, "storage/tables.py does not gather this table"))
            is_due = module.floor == "scheduler" and isinstance(node, ast.AsyncFunctionDef) and node.name == "due"
            if is_due and f"{module.name}.due" not in asked:
                complaints.append(module.at(node, "scheduler/planner.py does not ask what is due here"))
    return complaints


def functions_are_short(root: Path) -> list[str]:
    """No function is longer than 40 lines; migrations may be."""
    return [
        module.at(node, f"{node.name} has {length} lines")
        for module in modules(root)
        if not _is_migration(module)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or node.lineno) - node.lineno + 1) > LONGEST_FUNCTION
    ]


def modules_are_short(root: Path) -> list[str]:
    """No module is longer than 400 lines; migrations may be."""
    return [
        f"{module.path}: {length} lines"
        for module in modules(root)
        if not _is_migration(module) and (length := len(module.text.splitlines())) > LONGEST_MODULE
    ]


def modules_say_what_they_are_for(root: Path) -> list[str]:
    """Every module has a docstring."""
    return [f"{module.path}: no docstring" for module in modules(root) if not ast.get_docstring(module.tree)]


def modules_are_nouns(root: Path) -> list[str]:
    """No utils, helpers, manager, base or common."""
    return [
        f"{module.path}: {part} says nothing of what is in it"
        for module in modules(root)
        for part in Path(module.path).with_suffix("").parts
        if set(part.lower().split("_")) & NO_NAMES
    ]


def nothing_is_left_unfinished(root: Path) -> list[str]:
    """No word of something unfinished."""
    return [
        f"{module.path}:{number}: {found.group()}"
        for module in modules(root)
        for number, line in enumerate(module.text.splitlines(), start=1)
        if (found := UNFINISHED.search(line))
    ]


RULES: tuple[Rule, ...] = (
    channels_are_in_the_contracts,
    parse_and_render_are_pure,
    topics_are_strangers,
    transactions_are_ended_in_named_places,
    below_bot_no_platform_is_named,
    the_registry_loads_no_sdk,
    drawing_is_a_process_of_its_own,
    local_time_is_told_in_one_place,
    no_topic_is_forgotten,
    functions_are_short,
    modules_are_short,
    modules_say_what_they_are_for,
    modules_are_nouns,
    nothing_is_left_unfinished,
)
