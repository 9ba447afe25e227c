"""Figures as pictures: drawn in a process of its own, one at a time, and behind addresses that need no session and end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
import zlib
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from bot import figures
from bot.limits import Busy, Recent
from bot.links import Seal
from handlers.views import Figure

log = logging.getLogger(__name__)

LASTS = timedelta(hours=12)
LONGEST_TOKEN = 6000
"""Characters: proxies and servers take an address of 8,000."""
DRAWN_WITHIN = 30  # seconds; the first picture on a machine also looks for its fonts
IDLE = 60  # seconds that the process that draws is kept for the next picture
KEPT, WAITING = 64, 30
SECRETS = ("DIH_", "SLACK_", "TEAMS_")


class NotDrawn(Exception):
    """There is no picture; the table says the same."""


class Pictures:
    """Draws figures, keeps the newest pictures, and knows the figure behind an address."""

    def __init__(self, keys: Sequence[str], clock: Callable[[], datetime], *, rest: float = IDLE) -> None:
        self._seal, self._clock = Seal(keys, "picture", LASTS), clock
        self._tokens: Recent[Figure, tuple[str, datetime]] = Recent(1000)
        self._drawn: Recent[Figure, bytes] = Recent(KEPT)
        self._drawing: dict[Figure, asyncio.Task[bytes]] = {}
        self._pen = _Pen(rest)

    def path(self, figure: Figure) -> str:
        """Its address on this server for the next hours, "" where there is none; whoever has it sees what the figure shows."""
        if not figures.is_drawn(figure):
            return ""
        now = self._clock()
        token, sealed = self._tokens.get(figure) or ("", now)
        if not token or now - sealed > LASTS / 2:
            token = self._seal.seal(zlib.compress(figures.pack(figure), 9), now)
            self._tokens.keep(figure, (token, now))
        return f"/pictures/{token}" if len(token) <= LONGEST_TOKEN else ""

    def figure(self, token: str) -> Figure | None:
        """What an address shows; None for one that is old or not ours."""
        content = self._seal.open(token, self._clock())
        return None if content is None else figures.unpack(zlib.decompress(content))

    async def png(self, figure: Figure) -> bytes:
        """The picture; raises NotDrawn, or Busy when too many are asked for."""
        if drawn := self._drawn.get(figure):
            return drawn
        task = self._drawing.get(figure)
        if task is None:
            if len(self._drawing) >= WAITING:
                raise Busy
            task = self._drawing[figure] = asyncio.create_task(self._draw(figure))
            task.add_done_callback(lambda task: self._end(figure, task))
        return await asyncio.shield(task)

    async def _draw(self, figure: Figure) -> bytes:
        try:
            return await self._pen.draw(figures.pack(figure))
        except (OSError, EOFError) as error:
            log.error("a picture was not drawn", extra={"error": type(error).__name__})
            raise NotDrawn from error

    def _end(self, figure: Figure, task: asyncio.Task[bytes]) -> None:
        del self._drawing[figure]
        if not task.cancelled() and task.exception() is None:
            self._drawn.keep(figure, task.result())

    async def close(self) -> None:
        """Draws nothing more."""
        for task in tuple(self._drawing.values()):
            task.cancel()
        await self._pen.close()


class _Pen:
    """The process that draws: begun for the first picture, ended when none was asked for in a while."""

    def __init__(self, rest: float) -> None:
        self._rest = rest
        self._process: Process | None = None
        self._one_at_a_time = asyncio.Lock()
        self._idle: asyncio.TimerHandle | None = None

    async def draw(self, packed: bytes) -> bytes:
        """The picture of a packed figure; raises OSError (a TimeoutError is one) or EOFError."""
        async with self._one_at_a_time:
            if self._idle is not None:
                self._idle.cancel()
            try:
                async with asyncio.timeout(DRAWN_WITHIN):
                    picture = await self._ask(packed)
            except BaseException as error:
                if self._process is not None and not isinstance(error, ConnectionError | EOFError):
                    with contextlib.suppress(ProcessLookupError):
                        self._process.kill()  # what it would say next is not an answer to the next question
                self._dismiss()
                raise
            self._idle = asyncio.get_running_loop().call_later(self._rest, self._dismiss)
            return picture

    async def _ask(self, packed: bytes) -> bytes:
        if self._process is None:
            environment = {name: value for name, value in os.environ.items() if not name.startswith(SECRETS)}
            command = (sys.executable, "-m", "bot.drawing")
            self._process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, env=environment, start_new_session=True)
        question, answer = self._process.stdin, self._process.stdout
        assert question is not None
        assert answer is not None
        question.write(len(packed).to_bytes(4) + packed)
        await question.drain()
        return await answer.readexactly(int.from_bytes(await answer.readexactly(4)))

    def _dismiss(self) -> None:
        """It ends by itself when there is nothing more to read."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
        self._process = None

    async def close(self) -> None:
        """Ends the process, and waits until it has."""
        if self._idle is not None:
            self._idle.cancel()
        process = self._process
        self._dismiss()
        if process is not None:
            await process.wait()
