"""A wheel is loaded whole or not at all, and whoever wrote it is told which line is wrong and why."""

from __future__ import annotations

import json
import random
import re
import tomllib
from dataclasses import replace
from importlib import resources
from pathlib import Path

import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.pulse import wheel
from handlers.pulse.wheel import (
    LONGEST_DESCRIPTOR,
    Dimension,
    Level,
    Wheel,
    WheelFault,
    available,
    illustrative,
    load,
    read,
    wheels_in,
    written,
)

FOLDER = resources.files("handlers.pulse") / "wheels"
SHIPPED = (FOLDER / "illustrative.yaml").read_text("utf-8")
SCHEMA = json.loads((FOLDER / "wheel.schema.json").read_text("utf-8"))

SMALL = """\
key: small
version: 3
title: A small wheel
illustrative: false
levels:
  - {value: 1, label: Not yet}
  - {value: 2, label: Starting}
  - {value: 3, label: Developing}
  - {value: 4, label: Working well}
  - {value: 5, label: Part of how we work}
dimensions:
  - key: needs
    title: Needs and priorities
    descriptors: [one, two, three, four, five]
  - key: culture
    title: Culture
    descriptors:
      - We fear new things.
      - We know a little.
      - "Yes"
      - >-
        A long text
        on two lines
      - We learn.
"""


def test_a_wheel_is_read() -> None:
    labels = ("Not yet", "Starting", "Developing", "Working well", "Part of how we work")
    culture = ("We fear new things.", "We know a little.", "Yes", "A long text on two lines", "We learn.")
    assert load(SMALL, "small.yaml") == Wheel(
        key="small",
        version=3,
        title="A small wheel",
        illustrative=False,
        levels=tuple(Level(value=value, label=label) for value, label in enumerate(labels, start=1)),
        dimensions=(
            Dimension(key="needs", title="Needs and priorities", descriptors=("one", "two", "three", "four", "five")),
            Dimension(key="culture", title="Culture", descriptors=culture),
        ),
    )


def test_the_wheel_that_is_shipped_says_that_it_is_an_illustration() -> None:
    wheel = illustrative()
    assert wheel.illustrative
    assert "(illustrative)" in wheel.title
    assert "It is NOT the Innovation Unit's Maturity Wheel" in SHIPPED
    assert [dimension.key for dimension in wheel.dimensions] == [
        "purpose", "needs", "finding", "adopting", "spreading", "evidence", "culture", "partnership",
    ]  # fmt: skip


def test_its_descriptors_are_plain_short_sentences() -> None:
    for dimension in illustrative().dimensions:
        for text in dimension.descriptors:
            assert re.fullmatch(r"[A-Z][a-z ,’-]+\.", text), "one sentence, without capitals of an abbreviation, marks or numbers"
            assert len(text.split()) <= 20
            assert max(map(len, re.findall(r"[a-z]+", text))) <= 10, text


def test_it_satisfies_the_schema_for_editors() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    for text in (SHIPPED, SMALL):
        jsonschema.validate(yaml.safe_load(text), SCHEMA)
    assert SHIPPED.startswith("# yaml-language-server: $schema=wheel.schema.json\n")


LONG = "x" * (LONGEST_DESCRIPTOR + 1)
NEEDS = "descriptors: [one, two, three, four, five]"
FAULTS = (
    ("version: 3", "version: three", 2, "“version” must be a whole number"),
    ("version: 3", "version: 0", 2, "“version” must be a whole number"),
    ("version: 3", "version: 0x3", 2, "“version” must be a whole number"),
    ("version: 3", "version: [3]", 2, "“version” must be a whole number"),
    ("version: 3\n", "", 1, "the wheel has no “version”"),
    ("version: 3", "version: 3\nversion: 3", 3, "“version” is there twice"),
    ("version: 3", "version: 3\ncolour: red", 3, "“colour” is not known here; the wheel has key, version, title"),
    ("version: 3", "version: 3\n[a]: red", 3, "this name is not known here"),
    ("version: 3", "version: 3\n<<: {key: other}", 3, "“<<” is not known here"),
    ("key: small", "key: Small", 1, "“key” must be 1 to 30 small letters"),
    ("key: small", f"key: {'a' * 31}", 1, "“key” must be 1 to 30 small letters"),
    ("key: small", "key: no", 1, "“key” must be 1 to 30 small letters"),
    ("illustrative: false", "illustrative: off", 4, "“illustrative” must be true or false"),
    ("illustrative: false", "illustrative: 1", 4, "“illustrative” must be true or false"),
    ("title: A small wheel", "title:", 3, "“title” is empty"),
    ("title: A small wheel", "title: null", 3, "“title” is empty"),
    ("title: A small wheel", 'title: " \\u00a0 "', 3, "“title” is empty"),
    ("title: A small wheel", f"title: {'x' * 101}", 3, "“title” has 101 characters; the most is 100"),
    ("title: A small wheel", "title: 2026-11-23", 3, "“title” must be text. If it looks like a number, a date"),
    ("title: A small wheel", 'title: "A \\u202eleehw"', 3, "“title” holds a character that cannot be seen (U+202E)"),
    ("title: A small wheel", "title: !!python/object:os.system x", 3, "“title” must be text"),
    ("{value: 1, label: Not yet}", "{value: 0, label: Not yet}", 6, "the value of a level must be a whole number from 1"),
    ("{value: 1, label: Not yet}", '{value: "1", label: Not yet}', 6, "the value of a level must be a whole number from 1"),
    ("{value: 2, label: Starting}", "{value: 3, label: Starting}", 7, "this level must have the value 2"),
    ("{value: 2, label: Starting}", "{value: 2}", 7, "a level has no “label”"),
    ("{value: 2, label: Starting}", "{value: 2, label: Not yet}", 7, "the label of a level is there twice: “Not yet”"),
    ("{value: 2, label: Starting}", "Starting", 7, "a level must be a group of these names, each with its value: value, label"),
    ("  - {value: 5, label: Part of how we work}\n", "", 6, "“levels” has 4 items; write 5"),
    ("title: Culture", "title: Needs and priorities", 15, "the title of a dimension is there twice: “Needs and priorities”"),
    ("key: culture", "key: needs", 15, "the key of a dimension is there twice: “needs”"),
    ("    title: Culture\n", "", 15, "a dimension has no “title”"),
    (NEEDS, "descriptors: [one, two, three, four]", 14, "“descriptors” of “needs” has 4 items; write 5, one for each level"),
    (NEEDS, "descriptors: [one, two, three, four, five, six]", 14, "“descriptors” of “needs” has 6 items"),
    ("      - We learn.", "      - We learn.\n      - We teach.", 25, "“descriptors” of “culture” has 6 items"),
    (NEEDS, "descriptors: one", 14, "“descriptors” of “needs” must be a list"),
    (NEEDS, "descriptors: [one, two, three, four, {five: 5}]", 14, "a descriptor of “needs” must be text. If it has a colon"),
    ('- "Yes"', "- Yes", 20, "a descriptor of “culture” must be text. If it looks like a number, a date, yes or no, put it in quotes"),
    ('- "Yes"', "- ", 20, "a descriptor of “culture” is empty"),
    ('- "Yes"', f"- {LONG}", 20, "a descriptor of “culture” has 151 characters; the most is 150"),
    ('- "Yes"', "- We learn.", 24, "a descriptor of “culture” is there twice: “We learn.”"),
)
BEYOND_THE_SCHEMA = (
    "title: 2026-11-23",
    "version: 3\nversion: 3", "version: 3\n<<: {key: other}", "version: 0x3", "illustrative: off", 'title: "A \\u202eleehw"',
    "{value: 2, label: Not yet}", "title: Needs and priorities", "key: needs",
)  # fmt: skip
"""What an editor cannot see: repeated or merged names, other ways to write a value, two texts that are the same, hidden characters."""
NO_YAML = (
    ("- We learn.", "- We learn: a lot: and more.", 24, "this is not YAML. Look here and above for a colon or quote inside a text"),
    ("title: Culture", 'title: "Culture', 20, "this is not YAML. Look here and above"),
    ("version: 3", "version: 3\n\tcolour: red", 3, "this is not YAML"),
    ("key: small", "key: small\x07", 1, "there is a character that YAML does not allow"),
    ("- We learn.", "- We \x00learn.", 24, "there is a character that YAML does not allow"),
    ("- We learn.", "- We \udc00learn.", 24, "there is a character that YAML does not allow"),
    ("key: small", "key: &name small", 1, "& and * begin a reference"),
    ("- We learn.", "- *We", 24, "& and * begin a reference"),
    (NEEDS, "descriptors: [one, two, three, four, [five]]", 14, "a descriptor of “needs” must be text"),
    (NEEDS, f"descriptors: {'[' * 90_000}", 14, "a list or a group of names stands too deep"),
    (SMALL, "", 1, "the file is empty"),
    (SMALL, "# nothing\n", 1, "the file is empty"),
    (SMALL, "just words", 1, "the wheel must be a group of these names"),
    (SMALL, SMALL + "---\n" + SMALL, 25, "this is not YAML"),
    (SMALL, SMALL + "#" * 100_000, 1, "the file is larger than 100 kB"),
    (SMALL, SMALL.partition("dimensions:")[0] + "dimensions: []\n", 11, "there are 0 dimensions; write 1 to 20"),
)


@pytest.mark.parametrize(("right", "wrong", "line", "reason"), FAULTS + NO_YAML, ids=lambda value: str(value)[:40].strip())
def test_a_fault_names_the_file_the_line_and_the_reason(right: str, wrong: str, line: int, reason: str) -> None:
    assert SMALL.count(right) == 1
    with pytest.raises(WheelFault) as caught:
        load(SMALL.replace(right, wrong), "ours.yaml")
    assert caught.value.reason.startswith(reason)
    assert str(caught.value) == f"ours.yaml, line {line}: {caught.value.reason}"


@pytest.mark.parametrize(("right", "wrong"), [fault[:2] for fault in FAULTS if "!!" not in fault[1] and "[a]" not in fault[1]])
def test_editors_see_what_the_schema_can_say(right: str, wrong: str) -> None:
    data = yaml.safe_load(SMALL.replace(right, wrong))
    refused = not jsonschema.Draft202012Validator(SCHEMA).is_valid(json.loads(json.dumps(data, default=str)))
    assert refused is (wrong not in BEYOND_THE_SCHEMA)


@settings(deadline=None)
@given(chance=st.randoms(use_true_random=False), times=st.integers(1, 4))
def test_whatever_is_written_is_loaded_whole_or_refused_with_a_line(chance: random.Random, times: int) -> None:
    text = SMALL
    for _ in range(times):
        start, length = chance.randrange(len(text) + 1), chance.choice([0, 1, 1, 5, 40])
        text = text[:start] + chance.choice(["", *"\n :-[{\"'!|>?\t\x85💡\r0", "- ", "&a", "*a"]) + text[start + length :]
    try:
        wheel = load(text, "ours.yaml")
    except WheelFault as caught:
        fault = caught
    else:
        assert (len(wheel.levels), {len(set(dimension.descriptors)) for dimension in wheel.dimensions}) == (5, {5})
        return
    assert 1 <= fault.line <= len(re.split(r"\r\n|[\n\r\x85\u2028\u2029]", text)) + 1


def test_other_words_are_another_wheel() -> None:
    assert load(SMALL.replace("We learn.", "We learnt."), "ours.yaml") != load(SMALL, "ours.yaml")
    assert load(SMALL.replace("version: 3", "version: 4"), "ours.yaml") == replace(load(SMALL, "ours.yaml"), version=4)


def test_a_wheel_is_written_and_read_again_however_its_file_was_laid_out() -> None:
    wheel = load(SMALL, "ours.yaml")
    assert read(written(wheel)) == wheel
    assert read(written(illustrative())) == illustrative()
    laid_out = yaml.safe_dump(yaml.safe_load(SMALL), sort_keys=True)
    assert laid_out != SMALL
    assert written(load(laid_out, "ours.yaml")) == written(wheel)


def test_the_wheels_that_can_be_asked_are_those_of_the_folder() -> None:
    assert available() == (illustrative(),)


def test_the_wheels_are_part_of_what_is_installed() -> None:
    root = Path(__file__).parents[2]
    setup = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["setuptools"]
    packed = {path for pattern in setup["package-data"]["handlers.pulse"] for path in (root / "handlers/pulse").glob(pattern)}
    assert "handlers*" in setup["packages"]["find"]["include"]
    assert {path.name for path in packed} == {"illustrative.yaml", "wheel.schema.json"}


def test_of_two_files_with_one_key_and_version_the_second_is_a_fault() -> None:
    text = (Path(wheel.__file__).parent / "wheels" / "illustrative.yaml").read_bytes()
    other = text.replace(b"We take requests as they come.", b"Other words.")
    first, fault, third = wheels_in({"b.yaml": other, "a.yaml": text, "c.yaml": other.replace(b"version: 1", b"version: 2")})
    assert first == illustrative()
    assert isinstance(fault, WheelFault)
    line = other[: other.index(b"\nversion:")].count(b"\n") + 2
    assert str(fault) == f"b.yaml, line {line}: version 1 of “illustrative” stands in a.yaml already; give these words another number"
    assert isinstance(third, Wheel)
