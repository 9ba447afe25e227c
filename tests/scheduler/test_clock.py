"""Ticks: at once, again and again, whatever one of them does; and never on paper."""

from __future__ import annotations

import asyncio

import pytest
from apscheduler.jobstores.memory import MemoryJobStore

from scheduler.clock import Tick, Ticker


class Ticked:
    """Counts its calls; may raise at some, or last long."""

    def __init__(self, *, raises: bool = False) -> None:
        self.calls = 0
        self._raises = raises
        self._called = asyncio.Condition()

    async def __call__(self) -> None:
        async with self._called:
            self.calls += 1
            self._called.notify_all()
        if self._raises:
            raise RuntimeError("a tick that fails")

    async def until(self, calls: int) -> None:
        """Waits for that many calls."""
        async with asyncio.timeout(10), self._called:
            await self._called.wait_for(lambda: self.calls >= calls)


async def test_each_tick_is_called_at_once() -> None:
    hourly, daily = Ticked(), Ticked()
    ticker = Ticker(Tick(name="hourly", seconds=3600, call=hourly), Tick(name="daily", seconds=86400, call=daily))
    ticker.start()
    await hourly.until(1)
    await daily.until(1)
    ticker.stop()
    assert (hourly.calls, daily.calls) == (1, 1)


@pytest.mark.may_block("the traceback of an error is written, which reads its source")
async def test_a_tick_that_raises_is_called_again_and_stops_no_other() -> None:
    failing, other = Ticked(raises=True), Ticked()
    ticker = Ticker(Tick(name="failing", seconds=0.01, call=failing), Tick(name="other", seconds=0.01, call=other))
    ticker.start()
    await failing.until(3)
    await other.until(3)
    ticker.stop()


async def test_a_stopped_clock_calls_nothing() -> None:
    tick = Ticked()
    ticker = Ticker(Tick(name="tick", seconds=0.01, call=tick))
    ticker.start()
    await tick.until(2)
    ticker.stop()
    await asyncio.sleep(0)
    calls = tick.calls
    await asyncio.sleep(0.1)  # ten ticks' time: nothing is waited for, nothing may come
    assert tick.calls == calls


async def test_a_tick_that_lasts_is_not_called_twice_at_a_time() -> None:
    running, most, go = 0, 0, asyncio.Event()
    begun = Ticked()

    async def last() -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await go.wait()
        running -= 1

    ticker = Ticker(Tick(name="long", seconds=0.01, call=last), Tick(name="short", seconds=0.01, call=begun))
    ticker.start()
    await begun.until(10)
    go.set()
    await begun.until(12)
    ticker.stop()
    assert most == 1


async def test_the_clock_keeps_its_ticks_in_memory_only() -> None:
    ticker = Ticker(Tick(name="tick", seconds=60, call=Ticked()))
    ticker.start()
    stores = ticker._scheduler._jobstores
    ticker.stop()
    assert [type(store) for store in stores.values()] in ([MemoryJobStore], [])
    assert len(stores) <= 1
