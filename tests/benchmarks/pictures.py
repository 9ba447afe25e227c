"""G9: what drawing does to the loop and the memory of a server: as the bot does it, and beside it in a thread, on the loop and not at all.

Started once for each way, `python -m tests.benchmarks.pictures WAY`, so that each loads what it needs itself.
"""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

import psutil

from handlers.views import Figure, Series

PICTURES, HALF = 400, 200
BESIDE = 20
"""Pictures drawn in the ways that are only there to compare."""
WAYS = ("in a process (DIH)", "in a thread", "on the loop", "not at all")
HEAD = (
    "| G9 drawn | first ms | then ms | worst lag at the first ms | worst lag then ms | p99 lag then ms | server MB at 200 | at 400 "
    "| drawing MB at 200 | at 400 |\n" + "|---" * 10 + "|"
)
Draw = Callable[[Figure], Awaitable[bytes]]


def figure(number: int) -> Figure:
    """Two rounds of eight dimensions, others for each number."""
    rounds = (("This round", 31), ("Last round", 7))
    numbers = {label: tuple((number + axis * step) % PICTURES / PICTURES * 5 for axis in range(8)) for label, step in rounds}
    axes = tuple(f"Dimension {axis} of the wheel" for axis in range(8))
    return Figure(axes=axes, series=tuple(Series(label=label, numbers=each) for label, each in numbers.items()), top=5)


def megabytes(process: psutil.Process) -> float:
    """Resident memory."""
    return float(process.memory_info().rss / 2**20)


async def on_the_loop(figure: Figure) -> bytes:
    """As one would at first."""
    from bot.drawing import draw

    return draw(figure)


def in_a_thread(figure: Figure) -> Awaitable[bytes]:
    """Beside the loop, which must wait whenever the interpreter is held."""

    def load_and_draw() -> bytes:
        from bot.drawing import draw

        return draw(figure)

    return asyncio.to_thread(load_and_draw)


def queued() -> float:
    """Seconds that this thread was ready to run while others had the processor."""
    return int(Path("/proc/thread-self/schedstat").read_text().split()[1]) / 1e9


async def not_at_all(_figure: Figure) -> bytes:
    """What the machine does by itself."""
    await asyncio.sleep(1)
    return b""


class Lag:
    """How late a beat of a millisecond came, the wait for a busy processor left out: how often each tenth of a millisecond."""

    def __init__(self) -> None:
        self._late: Counter[int] = Counter()

    async def beat(self) -> None:
        """Until it is cancelled."""
        while True:
            begun, waited = time.perf_counter(), queued()
            await asyncio.sleep(0.001)
            self._late[max(0, int((time.perf_counter() - begun - 0.001 - (queued() - waited)) * 10_000))] += 1

    def taken(self) -> tuple[float, float]:
        """(The worst, the 99th percentile) in milliseconds; begins anew."""
        late, self._late = self._late, Counter()
        left, percentile = late.total() // 100, 0
        for percentile in sorted(late, reverse=True):
            left -= late[percentile]
            if left < 0:
                break
        return max(late) / 10, percentile / 10


async def measure(way: str) -> None:
    """Prints one row."""
    from bot.pictures import Pictures

    for loaded in ("bot.app", "bot.slack.receive"):
        import_module(loaded)
    pictures = Pictures([], lambda: datetime.now(UTC))
    draw: Draw = dict(zip(WAYS, (pictures.png, in_a_thread, on_the_loop, not_at_all), strict=True))[way]
    gc.freeze()  # as a server does once it serves
    lag, this = Lag(), psutil.Process()
    beating = asyncio.create_task(lag.beat())
    await asyncio.sleep(0.5)
    lag.taken()
    begun = time.perf_counter()
    await draw(figure(0))
    first = time.perf_counter() - begun
    await asyncio.sleep(0.01)
    at_first, _ = lag.taken()
    memory, begun, count = [], time.perf_counter(), PICTURES if way == WAYS[0] else BESIDE
    for number in range(1, count):
        await draw(figure(number))
        await asyncio.sleep(0)
        if number + 1 in (HALF, PICTURES):
            memory.append((megabytes(this), sum(map(megabytes, this.children()))))
    each = (time.perf_counter() - begun) / (count - 1)
    await asyncio.sleep(0.01)
    worst, percentile = lag.taken()
    held = [f"{half[which]:.1f}" for which in (0, 1) for half in memory] or [""] * 4
    lags = [f"{late:.1f}" for late in (at_first, worst, percentile)]
    print(f"| {' | '.join([way, f'{first * 1000:.0f}', f'{each * 1000:.0f}', *lags, *held])} |", flush=True)
    beating.cancel()
    await pictures.close()


def compare() -> None:
    """Prints the rows of all ways."""
    print(f"\n{HEAD}", flush=True)
    for way in WAYS:
        subprocess.run([sys.executable, "-m", __spec__.name if __spec__ else __name__, way], check=True, cwd=Path(__file__).parents[2])


if __name__ == "__main__":
    asyncio.run(measure(sys.argv[1]))
