"""The wheel: dimensions, levels and a descriptor for each level, read from YAML with the line of every fault. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib import resources

import yaml

LEVELS = (1, 2, 3, 4, 5)
"""The levels that are scored; “Don’t know” is an answer to every dimension and is not in the file."""
LONGEST_DESCRIPTOR = 150
LONGEST_TITLE = 100
LONGEST_LABEL = 40
MOST_DIMENSIONS = 20
LARGEST = 100_000
"""Bytes of a file."""

_KEY = re.compile(r"[a-z_]{1,30}")
_COUNT = re.compile(r"[1-9][0-9]{0,5}")
_DEEPEST = 20
_TAG = "tag:yaml.org,2002:"


@dataclass(frozen=True, kw_only=True)
class Level:
    """One of the five levels."""

    value: int
    label: str


@dataclass(frozen=True, kw_only=True)
class Dimension:
    """What one question is about; the descriptors are in the order of the levels."""

    key: str
    title: str
    descriptors: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Wheel:
    """A definition that never changes: other words are another version. `illustrative` must be said wherever it is shown."""

    key: str
    version: int
    title: str
    illustrative: bool
    levels: tuple[Level, ...]
    dimensions: tuple[Dimension, ...]


class WheelFault(Exception):
    """What is wrong with a wheel's file, said to the person who wrote it: “wheel.yaml, line 12: ...”."""

    def __init__(self, file: str, line: int, reason: str) -> None:
        super().__init__(f"{file}, line {line}: {reason}")
        self.file, self.line, self.reason = file, line, reason


def load(text: str, name: str) -> Wheel:
    """The wheel in the text of the file called `name`; raises WheelFault for the first thing that is wrong."""
    return _Reader(name).wheel(text)


def written(wheel: Wheel) -> str:
    """The wheel as text: the same for the same words, however their file was laid out."""
    return json.dumps(asdict(wheel), ensure_ascii=False)


def read(text: str) -> Wheel:
    """The wheel that was written so."""
    parts = json.loads(text)
    levels = tuple(Level(**each) for each in parts.pop("levels"))
    dimensions = tuple(
        Dimension(key=each["key"], title=each["title"], descriptors=tuple(each["descriptors"])) for each in parts.pop("dimensions")
    )
    return Wheel(**parts, levels=levels, dimensions=dimensions)


def illustrative() -> Wheel:
    """The wheel that comes with this project."""
    return next(found for found in available() if isinstance(found, Wheel) and found.key == "illustrative")


@cache
def available() -> tuple[Wheel | WheelFault, ...]:
    """The wheels in the folder `wheels`, and what is wrong with those that cannot be read, by file name.

    They are read once, which takes a moment: YAML is slow.
    """
    files = (file for file in (resources.files("handlers.pulse") / "wheels").iterdir() if file.name.endswith(".yaml"))
    return wheels_in({file.name: file.read_bytes() for file in files})


def wheels_in(files: Mapping[str, bytes]) -> tuple[Wheel | WheelFault, ...]:
    """The wheels in these files, by file name; of two with the same key and version, the second is a fault."""
    found: list[Wheel | WheelFault] = []
    named: dict[tuple[str, int], str] = {}
    for name, content in sorted(files.items()):
        each = _read(content, name)
        if isinstance(each, Wheel) and (first := named.setdefault((each.key, each.version), name)) != name:
            lines = enumerate(content.splitlines(), start=1)
            line = next((number for number, text in lines if text.startswith(b"version")), 1)
            each = WheelFault(
                name, line, f"version {each.version} of “{each.key}” stands in {first} already; give these words another number"
            )
        found.append(each)
    return tuple(found)


def _read(content: bytes, name: str) -> Wheel | WheelFault:
    try:
        return load(content.decode(), name)
    except UnicodeDecodeError:
        return WheelFault(name, 1, "the file is not in UTF-8")
    except WheelFault as fault:
        return fault


@dataclass(frozen=True)
class _Reader:
    """Reads nodes, which know their lines."""

    file: str

    def fault(self, where: yaml.Node, reason: str) -> WheelFault:
        return WheelFault(self.file, where.start_mark.line + 1, reason)

    def wheel(self, text: str) -> Wheel:
        root = self.root(text)
        parts = self.parts(root, "the wheel", ("key", "version", "title", "illustrative", "levels", "dimensions"))
        levels = tuple(self.level(node, value) for node, value in zip(self.five(parts["levels"], "“levels”"), LEVELS, strict=True))
        nodes = self.items(parts["dimensions"], "“dimensions”")
        if not 1 <= len(nodes) <= MOST_DIMENSIONS:
            raise self.fault(parts["dimensions"], f"there are {len(nodes)} dimensions; write 1 to {MOST_DIMENSIONS}")
        dimensions = tuple(map(self.dimension, nodes))
        self.once(parts["levels"], "the label of a level", (level.label for level in levels))
        self.once(parts["dimensions"], "the key of a dimension", (each.key for each in dimensions))
        self.once(parts["dimensions"], "the title of a dimension", (each.title for each in dimensions))
        return Wheel(
            key=self.key(parts["key"], "“key”"),
            version=self.number(parts["version"], "“version”"),
            title=self.text(parts["title"], "“title”", LONGEST_TITLE),
            illustrative=self.flag(parts["illustrative"], "“illustrative”"),
            levels=levels,
            dimensions=dimensions,
        )

    def level(self, node: yaml.Node, value: int) -> Level:
        parts = self.parts(node, "a level", ("value", "label"))
        if self.number(parts["value"], "the value of a level") != value:
            raise self.fault(parts["value"], f"this level must have the value {value}: write the levels in order, 1 to 5")
        return Level(value=value, label=self.text(parts["label"], "the label of a level", LONGEST_LABEL))

    def dimension(self, node: yaml.Node) -> Dimension:
        parts = self.parts(node, "a dimension", ("key", "title", "descriptors"))
        key = self.key(parts["key"], "the key of a dimension")
        title = self.text(parts["title"], f"the title of “{key}”", LONGEST_TITLE)
        nodes = self.five(parts["descriptors"], f"“descriptors” of “{key}”")
        descriptors = tuple(self.text(each, f"a descriptor of “{key}”", LONGEST_DESCRIPTOR) for each in nodes)
        self.once(parts["descriptors"], f"a descriptor of “{key}”", descriptors)
        return Dimension(key=key, title=title, descriptors=descriptors)

    def root(self, text: str) -> yaml.Node:
        """The whole as nodes, after a look at the events, so that nothing endless or deep is ever composed."""
        if len(text.encode("utf-8", "surrogatepass")) > LARGEST:
            raise WheelFault(self.file, 1, f"the file is larger than {LARGEST // 1000} kB")
        try:
            self.look_through(text)
            root = yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            reason = "this is not YAML. Look here and above for a colon or quote inside a text, a missing quote, or uneven spaces before it"
            raise WheelFault(self.file, mark.line + 1 if mark else 1, f"{reason} ({error.problem})") from None
        except yaml.reader.ReaderError as error:
            line = text.count("\n", 0, error.position) + 1
            raise WheelFault(self.file, line, "there is a character that YAML does not allow") from None
        if root is None:
            raise WheelFault(self.file, 1, "the file is empty")
        return root

    def look_through(self, text: str) -> None:
        depth = 0
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            line = event.start_mark.line + 1 if event.start_mark else 1
            if isinstance(event, yaml.NodeEvent) and event.anchor:
                raise WheelFault(self.file, line, "& and * begin a reference, which is not allowed. Put a text that begins so in quotes")
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > _DEEPEST:
                raise WheelFault(self.file, line, "a list or a group of names stands too deep inside others")

    def parts(self, node: yaml.Node, what: str, names: Sequence[str]) -> dict[str, yaml.Node]:
        """The values of a mapping by their names: each of `names` once, and no other."""
        if not isinstance(node, yaml.MappingNode):
            raise self.fault(node, f"{what} must be a group of these names, each with its value: {', '.join(names)}")
        found: dict[str, yaml.Node] = {}
        for name, value in node.value:
            if name.value not in names:
                unknown = f"“{name.value}”" if isinstance(name, yaml.ScalarNode) else "this name"
                raise self.fault(name, f"{unknown} is not known here; {what} has {', '.join(names)}")
            if name.value in found:
                raise self.fault(name, f"“{name.value}” is there twice")
            found[name.value] = value
        for name in names:
            if name not in found:
                raise self.fault(node, f"{what} has no “{name}”")
        return found

    def items(self, node: yaml.Node, what: str) -> list[yaml.Node]:
        if not isinstance(node, yaml.SequenceNode):
            raise self.fault(node, f"{what} must be a list: each item on its own line, after a dash")
        return list(node.value)

    def five(self, node: yaml.Node, what: str) -> list[yaml.Node]:
        nodes = self.items(node, what)
        if len(nodes) != len(LEVELS):
            where = nodes[len(LEVELS)] if len(nodes) > len(LEVELS) else node
            raise self.fault(where, f"{what} has {len(nodes)} items; write 5, one for each level")
        return nodes

    def text(self, node: yaml.Node, what: str, most: int) -> str:
        """Words on one line, whatever the spaces between them."""
        if isinstance(node, yaml.MappingNode):
            raise self.fault(node, f"{what} must be text. If it has a colon in it, put it in quotes")
        if not isinstance(node, yaml.ScalarNode) or node.tag not in (f"{_TAG}str", f"{_TAG}null"):
            raise self.fault(node, f"{what} must be text. If it looks like a number, a date, yes or no, put it in quotes")
        words = " ".join(node.value.split())
        if not words or node.tag == f"{_TAG}null":
            raise self.fault(node, f"{what} is empty")
        hidden = next((character for character in words if not character.isprintable()), None)
        if hidden:
            raise self.fault(node, f"{what} holds a character that cannot be seen (U+{ord(hidden):04X})")
        if len(words) > most:
            raise self.fault(node, f"{what} has {len(words)} characters; the most is {most}")
        return words

    def key(self, node: yaml.Node, what: str) -> str:
        if not isinstance(node, yaml.ScalarNode) or node.tag != f"{_TAG}str" or not _KEY.fullmatch(node.value):
            raise self.fault(node, f"{what} must be 1 to 30 small letters, a to z, or _")
        return str(node.value)

    def number(self, node: yaml.Node, what: str) -> int:
        if not isinstance(node, yaml.ScalarNode) or node.tag != f"{_TAG}int" or not _COUNT.fullmatch(node.value):
            raise self.fault(node, f"{what} must be a whole number from 1, without quotes")
        return int(node.value)

    def flag(self, node: yaml.Node, what: str) -> bool:
        if not isinstance(node, yaml.ScalarNode) or node.tag != f"{_TAG}bool" or node.value not in ("true", "false"):
            raise self.fault(node, f"{what} must be true or false")
        return bool(node.value == "true")

    def once(self, where: yaml.Node, what: str, values: Iterable[str]) -> None:
        seen: set[str] = set()
        for place, value in enumerate(values):
            if value in seen:
                raise self.fault(where.value[place], f"{what} is there twice: “{value}”")
            seen.add(value)
