"""Two servers in alternating short slices (ABBA), so that the machine's drift cancels; ratios are of B to A."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

from tests.benchmarks import load
from tests.benchmarks.processes import Process


@dataclass(frozen=True, kw_only=True)
class Side:
    """A server and the load it gets."""

    name: str
    process: Process
    make: load.Maker
    expect: bytes


@dataclass(frozen=True, kw_only=True)
class _Slice:
    cpu: float
    p50: float
    latencies: list[float]
    errors: int


def _slice(side: Side, connections: int, seconds: float) -> _Slice:
    before = side.process.cpu_seconds
    taken = load.run(side.make, side.process.port, connections=connections, seconds=seconds, expect=side.expect)
    side.process.settle(5)
    answered = max(1, len(taken.latencies))
    return _Slice(
        cpu=(side.process.cpu_seconds - before) / answered,
        p50=statistics.median(taken.latencies or [float("nan")]),
        latencies=taken.latencies,
        errors=taken.errors,
    )


def _p99(slices: list[_Slice]) -> float:
    pooled = sorted(each for one in slices for each in one.latencies)
    return pooled[int(0.99 * len(pooled))]


HEAD = "| goal | A | B | connections | A CPU us | B CPU us | CPU B/A | A p50 ms | B p50 ms | p50 B/A | pooled p99 B/A | errors |"


def compare(goal: str, a: Side, b: Side, *, connections: int, slices: int = 12, seconds: float = 0.5) -> None:
    """Prints one row."""
    taken: dict[str, list[_Slice]] = {"a": [], "b": []}
    for turn in range(slices):
        for which, side in (("a", a), ("b", b)) if turn % 2 == 0 else (("b", b), ("a", a)):
            taken[which].append(_slice(side, connections, seconds))
    first, second = taken["a"], taken["b"]
    cpu = [y.cpu / x.cpu for x, y in zip(first, second, strict=True)]
    p50 = [y.p50 / x.p50 for x, y in zip(first, second, strict=True)]
    means = [statistics.median(each.cpu for each in side) * 1e6 for side in (first, second)]
    waits = [statistics.median(each.p50 for each in side) * 1e3 for side in (first, second)]
    errors = sum(each.errors for each in first + second)
    print(
        f"| {goal} | {a.name} | {b.name} | {connections} | {means[0]:.0f} | {means[1]:.0f} | {statistics.median(cpu):.2f} "
        f"| {waits[0]:.2f} | {waits[1]:.2f} | {statistics.median(p50):.2f} | {_p99(second) / _p99(first):.2f} | {errors} |",
        flush=True,
    )
