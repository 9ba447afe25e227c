"""How much one person may ask for in a minute, how much unfinished work the process holds, and how much it remembers."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from storage.people import AccountKey

log = logging.getLogger(__name__)
T = TypeVar("T")
K = TypeVar("K")

MINUTE = timedelta(minutes=1)
REMEMBERED = 10_000


class RateLimit:
    """At most `per_minute` interactions an account in any 60 seconds, counted in this process."""

    def __init__(self, per_minute: int) -> None:
        self._most = per_minute
        self._times: dict[AccountKey, deque[datetime]] = {}

    def allows(self, account: AccountKey, now: datetime) -> bool:
        """Counts one interaction; False when it is one too many."""
        times = self._times.get(account)
        if times is None:
            if len(self._times) >= REMEMBERED:
                self._times = {key: kept for key, kept in self._times.items() if now - kept[-1] < MINUTE}
            times = self._times[account] = deque(maxlen=self._most)
        if len(times) == self._most and now - times[0] < MINUTE:
            return False
        times.append(now)
        return True


BUSY = "I am busy just now. Nothing was changed. Try again in a minute."
"""What people are told then."""


class Busy(Exception):
    """Too much work is under way to begin more."""


class Patience:
    """Runs work that must be answered in time: what is not done by then goes on, tracked and bounded."""

    def __init__(self, *, seconds: float, most: int = 100) -> None:
        self._seconds = seconds
        self._most = most
        self._running: set[asyncio.Task[Any]] = set()

    @property
    def under_way(self) -> int:
        """How much is not done yet."""
        return len(self._running)

    async def within(self, work: Coroutine[Any, Any, T], later: Callable[[T], Awaitable[None]]) -> T | None:
        """The result, or None when it is not there in time: then `later` gets it. Raises Busy when too much is under way."""
        if len(self._running) >= self._most:
            work.close()
            raise Busy
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        done, _ = await asyncio.wait((task,), timeout=self._seconds)
        if done:
            return task.result()
        self.soon(self._hand_over(task, later))
        return None

    async def _hand_over(self, task: asyncio.Task[T], later: Callable[[T], Awaitable[None]]) -> None:
        await later(await task)

    def soon(self, work: Coroutine[Any, Any, None]) -> None:
        """Begins work whose result nobody waits for; what it raises is logged."""
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("work after the answer failed", exc_info=error)

    async def finish(self, seconds: float) -> None:
        """Waits for what is under way, then ends what is left."""
        if self._running:
            _, left = await asyncio.wait(tuple(self._running), timeout=seconds)
            for task in left:
                task.cancel()


class Recent(Generic[K, T]):
    """Remembers what was asked for last, up to `most` things; for any thread."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: dict[K, T] = {}
        self._lock = threading.Lock()

    def get(self, key: K) -> T | None:
        """What is remembered, which is then the newest; None when nothing is."""
        with self._lock:
            if key not in self._kept:
                return None
            self._kept[key] = self._kept.pop(key)
            return self._kept[key]

    def keep(self, key: K, value: T) -> None:
        """Remembers it, and forgets the oldest where there are too many."""
        with self._lock:
            self._kept.pop(key, None)
            self._kept[key] = value
            if len(self._kept) > self._most:
                del self._kept[next(iter(self._kept))]

    def forget(self, which: Callable[[K], bool]) -> None:
        """No longer remembers those."""
        with self._lock:
            for key in [key for key in self._kept if which(key)]:
                del self._kept[key]
