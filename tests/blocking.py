"""Fails a test in which an event loop stood still for over 100 ms; and one that CI must run but that was skipped."""

from __future__ import annotations

import asyncio
import gc
import os
import resource
import threading
import time
from asyncio import events
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import pytest

BEAT = 0.01
LONGEST = 0.1
"""Seconds that one step of a loop may take."""
MAY_BLOCK = "may_block"
REQUIRED = "DIH_TESTS_REQUIRE"
"""Where this is set, as in CI, a skipped test is a failed one."""
ABSENT = "../shared"
"""What stands in the reason of a skip that CI allows: the folder beside this one is not there."""

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)


@dataclass(frozen=True, kw_only=True)
class Block:
    """A step that took too long."""

    seconds: float
    what: str

    def __str__(self) -> str:
        return f"{self.seconds * 1000:.0f} ms in {self.what}"


@dataclass(frozen=True, kw_only=True)
class Moment:
    """What the clocks of this thread show, in seconds; `queued` is None where the kernel does not tell it.

    `fetched` counts pages of memory that the machine had put away and had to bring back.
    """

    wall: float
    work: float
    queued: float | None
    sleeps: int
    tidying: float
    fetched: int = 0


def own_seconds(begun: Moment, ended: Moment, stalled: float = 0.0) -> float:
    """What the thread itself did since: its work and its sleeps, but not its wait for a busy processor or a stalled machine."""
    wall, work, tidied = ended.wall - begun.wall, ended.work - begun.work, ended.tidying - begun.tidying
    if ended.fetched > begun.fetched:
        return work - tidied
    if begun.queued is not None and ended.queued is not None:
        return max(work, wall - (ended.queued - begun.queued) - stalled) - tidied
    return (work if ended.sleeps == begun.sleeps else max(work, wall - stalled)) - tidied


_thread = threading.local()


def _queued() -> float | None:
    """Seconds that this thread was ready to run while others had the processor."""
    try:
        if not hasattr(_thread, "schedstat"):
            _thread.schedstat = open("/proc/thread-self/schedstat", "rb", buffering=0)  # noqa: SIM115
        return int(os.pread(_thread.schedstat.fileno(), 100, 0).split()[1]) / 1e9
    except (OSError, IndexError, ValueError):
        return None


class Heart:
    """Beats in a thread of its own: where it is late too, the machine stood still and not the loop."""

    def __init__(self) -> None:
        self._late: deque[tuple[float, float]] = deque(maxlen=500)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def _beat(self) -> None:
        expected = time.perf_counter() + BEAT
        while not self._ended.wait(BEAT):
            now = time.perf_counter()
            if now - expected > BEAT:
                self._late.append((now, now - expected))
            expected = now + BEAT

    def stalled_since(self, begun: float) -> float:
        """Seconds that beats came too late since then."""
        return sum(min(late, now - begun) for now, late in tuple(self._late) if now > begun)

    def __enter__(self) -> Heart:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._ended.set()
        self._thread.join()


class Meter:
    """Times every step of every event loop in this process while it is used."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self._heart = Heart()
        self._tidying = self._tidying_since = 0.0

    def _tidy(self, phase: str, _info: dict[str, int]) -> None:
        """Garbage collection over all that the tests hold is not the program's doing."""
        if phase == "start":
            self._tidying_since = time.perf_counter()
        else:
            self._tidying += time.perf_counter() - self._tidying_since

    def _now(self) -> Moment:
        used = resource.getrusage(resource.RUSAGE_THREAD)
        return Moment(
            wall=time.perf_counter(),
            work=time.thread_time(),
            queued=_queued(),
            sleeps=used.ru_nvcsw,
            tidying=self._tidying,
            fetched=used.ru_majflt,
        )

    def run(self, handle: asyncio.Handle, step: Any) -> None:
        """One step, timed."""
        begun = self._now()
        try:
            step(handle)
        finally:
            if time.perf_counter() - begun.wall > LONGEST:
                seconds = own_seconds(begun, self._now(), self._heart.stalled_since(begun.wall))
                if seconds > LONGEST:
                    self.blocks.append(Block(seconds=seconds, what=_name(handle)))

    @contextmanager
    def running(self) -> Iterator[list[Block]]:
        """Gives the list that grows with every block."""
        step = events.Handle._run
        events.Handle._run = lambda handle: self.run(handle, step)  # type: ignore[method-assign, assignment]
        gc.callbacks.append(self._tidy)
        try:
            with self._heart:
                yield self.blocks
        finally:
            gc.callbacks.remove(self._tidy)
            events.Handle._run = step  # type: ignore[method-assign]


def _name(handle: asyncio.Handle) -> str:
    """The coroutine of a task's step, else the callback."""
    callback = getattr(handle, "_callback", None)
    task = getattr(callback, "__self__", None)
    return repr(task.get_coro() if isinstance(task, asyncio.Task) else callback)


def pytest_configure(config: pytest.Config) -> None:
    """The marker for the rare exception."""
    config.addinivalue_line("markers", f'{MAY_BLOCK}("why"): the event loop may stand still in this test')


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """Fails the test, not what sets it up or tidies up after it."""
    marker = item.get_closest_marker(MAY_BLOCK)
    if marker is not None:
        if not (marker.args and isinstance(marker.args[0], str) and marker.args[0].strip()):
            pytest.fail(f'say why: @pytest.mark.{MAY_BLOCK}("...")', pytrace=False)
        return (yield)
    with Meter().running() as blocks:
        result = yield
    if blocks:
        pytest.fail("The event loop stood still for over 100 ms:\n" + "\n".join(map(str, blocks)), pytrace=False)
    return result


def _must_run(report: Report) -> Report:
    if os.environ.get(REQUIRED) and report.outcome == "skipped" and not hasattr(report, "wasxfail") and ABSENT not in str(report.longrepr):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{REQUIRED} is set, so this must run, but it was skipped: {reason}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that CI must run."""
    return _must_run((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """A file of tests that CI must run."""
    return _must_run((yield))
