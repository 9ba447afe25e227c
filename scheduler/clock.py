"""Ticks, and nothing else: APScheduler in memory calls these functions every so often; what is due lives in rows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime

from apscheduler.schedulers.asyncio import AsyncIOScheduler


@dataclass(frozen=True, kw_only=True)
class Tick:
    """A function to call now and then every `seconds`; a late or missed call is made once, never twice at a time."""

    name: str
    seconds: float
    call: Callable[[], Awaitable[None]]


def _calling(tick: Tick) -> Callable[[], Coroutine[None, None, None]]:
    """A coroutine function: anything else APScheduler would call in a thread, without awaiting what it returns."""

    async def call() -> None:
        await tick.call()

    return call


class Ticker:
    """Runs ticks on the running event loop until stopped."""

    def __init__(self, *ticks: Tick) -> None:
        self._scheduler = AsyncIOScheduler(timezone=UTC)
        options = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None, "next_run_time": datetime.now(UTC)}
        for tick in ticks:
            self._scheduler.add_job(_calling(tick), "interval", id=tick.name, seconds=tick.seconds, **options)

    def start(self) -> None:
        """Begins; each tick is called at once for the first time."""
        self._scheduler.start()

    def stop(self) -> None:
        """Begins no further call."""
        self._scheduler.shutdown(wait=False)
