"""`make soak`: 50,000 requests of every kind; memory must be flat once the server is warm."""

from __future__ import annotations

import itertools
import os
import sys

from tests.benchmarks import load
from tests.benchmarks.__main__ import _form_view, databases, product, serving, submission
from tests.benchmarks.processes import LOAD_CORE

REQUESTS, STEP = 50_000, 5_000
MOST_GROWTH_MB = 10.0


def main() -> int:
    """Prints memory at every step; returns 1 when it grew after the first two."""
    os.sched_setaffinity(0, {LOAD_CORE})
    api = "http://127.0.0.1:18150/api/"
    far = ["-m", "tests.benchmarks.far", "--port", "18150"]
    with serving(far, core=LOAD_CORE), databases() as found:
        failed = [kind for kind, urls in found.items() if not _flat(kind, urls[0], api)]
    return 1 if failed else 0


def _flat(kind: str, url: str, api: str) -> bool:
    submit = submission(_form_view(url))
    words = itertools.cycle(("help", "me", "ideas", "idea", "nonsense", "idea IDEA-1"))
    numbers = itertools.count(1)

    def make(_number: int) -> bytes:
        number = next(numbers)
        return submit(number) if number % 2 else load.command(next(words), number)

    sizes = []
    with product(url, api) as bot:
        for _ in range(REQUESTS // STEP):
            taken = load.run(make, bot.port, connections=16, seconds=300, most=STEP)
            bot.settle()
            sizes.append(bot.rss_mb)
            print(f"{kind}: {STEP * len(sizes)} requests, {taken.errors} errors, {sizes[-1]:.1f} MB", flush=True)
    growth = sizes[-1] - sizes[1]
    print(f"{kind}: {growth:+.1f} MB after the first {2 * STEP} requests")
    return growth <= MOST_GROWTH_MB


if __name__ == "__main__":
    sys.exit(main())
