"""The meter of blocked event loops: it hears what the program does, and not what a busy machine does to it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

import pytest

from tests.blocking import REQUIRED, Block, Meter, Moment, own_seconds

pytest_plugins = ["pytester"]
HERE = ("-p", "tests.blocking", "-p", "no:asyncio", "-p", "no:cacheprovider")


def metered(work: Coroutine[Any, Any, None]) -> list[Block]:
    """What the meter heard while a loop of its own ran this."""
    with Meter().running() as blocks:
        asyncio.run(work)
    return blocks


async def works_hard() -> None:
    """Holds the processor."""
    end = time.thread_time() + 0.15
    while time.thread_time() < end:
        pass


async def sleeps_in_the_loop() -> None:
    """What nobody should do."""
    time.sleep(0.15)


async def waits_politely() -> None:
    """As one should."""
    await asyncio.sleep(0.15)
    await asyncio.to_thread(time.sleep, 0.15)


@pytest.mark.may_block("it blocks on purpose")
@pytest.mark.parametrize("work", [works_hard, sleeps_in_the_loop])
def test_a_blocked_loop_is_heard_and_named(work: Any) -> None:
    (block,) = metered(work())
    assert 0.14 < block.seconds < 5
    assert work.__name__ in str(block)


def test_awaiting_is_not_blocking() -> None:
    assert metered(waits_politely()) == []


@pytest.mark.may_block("it blocks on purpose")
def test_a_callback_is_named_too() -> None:
    async def later() -> None:
        asyncio.get_running_loop().call_soon(time.sleep, 0.15)
        await asyncio.sleep(0.2)

    (block,) = metered(later())
    assert "sleep" in block.what


START = Moment(wall=100, work=5, queued=1, sleeps=7, tidying=0)


@pytest.mark.parametrize(
    ("after", "seconds"),
    [
        (replace(START, wall=101, work=5.02, queued=1.97), 0.03),
        (replace(START, wall=101, work=5.02, queued=1.5, sleeps=9), 0.5),
        (replace(START, wall=101, work=6), 1.0),
        (replace(START, wall=101, work=6, tidying=0.95), 0.05),
    ],
    ids=["others had the processor", "half of it was sleep", "work", "garbage collection"],
)
def test_only_what_the_thread_did_itself_counts(after: Moment, seconds: float) -> None:
    assert own_seconds(START, after) == pytest.approx(seconds)


def test_where_the_kernel_does_not_tell_the_queue_a_thread_that_never_slept_was_held_up_by_others() -> None:
    begun = replace(START, queued=None)
    assert own_seconds(begun, replace(begun, wall=101, work=5.02)) == pytest.approx(0.02)
    assert own_seconds(begun, replace(begun, wall=101, work=5.02, sleeps=8)) == pytest.approx(1)


TESTS = """
import asyncio, time, pytest

async def block():
    time.sleep(0.15)

def test_blocks():
    asyncio.run(block())

@pytest.mark.may_block("it shows the marker")
def test_may_block():
    asyncio.run(block())

@pytest.mark.may_block
def test_does_not_say_why():
    pass

def test_is_quick():
    asyncio.run(asyncio.sleep(0.15))

def test_fails_by_itself():
    asyncio.run(block())
    raise KeyError("its own error")
"""


@pytest.mark.may_block("the tests inside block on purpose")
def test_a_test_that_blocks_fails_unless_it_says_why(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(TESTS)
    result = pytester.runpytest_inprocess(*HERE)
    result.assert_outcomes(passed=2, failed=3)
    result.stdout.fnmatch_lines(["*stood still for over 100 ms*", "*block at*", "*say why*", "*its own error*"])


@pytest.mark.parametrize(("required", "errors", "skipped"), [("", 0, 3), ("everything", 2, 1)])
def test_what_ci_must_run_may_not_be_skipped(
    required: str, errors: int, skipped: int, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(REQUIRED, required)
    pytester.makepyfile("""
import pytest

@pytest.mark.skip(reason="no browser")
def test_on_a_page():
    pass

@pytest.fixture
def database():
    pytest.skip("PostgreSQL tests need DIH_TEST_POSTGRES_URL")

def test_in_a_database(database):
    pass

def test_against_a_schema():
    pytest.skip("../shared is not there")

@pytest.mark.xfail(strict=True)
def test_that_is_known_to_fail():
    assert False
""")
    result = pytester.runpytest_inprocess(*HERE)
    result.assert_outcomes(errors=errors, skipped=skipped, xfailed=1)


def test_a_whole_file_may_not_be_skipped_either(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(REQUIRED, "everything")
    pytester.makepyfile("import pytest\npytest.importorskip('no_such_browser')")
    result = pytester.runpytest_inprocess(*HERE)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*must run*no_such_browser*"])
