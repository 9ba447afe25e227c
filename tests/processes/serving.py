"""`dih run` as a process: started, killed and started again, as life does."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

import aiohttp

READY_WITHIN = 30.0


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class BotProcess:
    """One `dih run`; use it as an async context manager, or start and kill it at will."""

    def __init__(self, folder: Path, env: Mapping[str, str], *, port: int | None = None) -> None:
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._log = folder / f"bot-{self.port}.log"
        own = {"DIH_PORT": str(self.port), "DIH_RATE_PER_MINUTE": "1000", "PYTHONPATH": str(Path(__file__).parents[2])}
        inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        self._env = {**inherited, **own, **env}

    async def start(self) -> None:
        """Starts and waits until it serves."""
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(sys.executable, "-m", "bot", "run", env=self._env, stdout=log, stderr=log)
        try:
            await asyncio.wait_for(self._serving(), READY_WITHIN)
        except TimeoutError:
            raise AssertionError(f"the bot did not start:\n{self.log}") from None

    async def _serving(self) -> None:
        async with aiohttp.ClientSession() as client:
            while True:
                if self._process.returncode is not None:
                    raise AssertionError(f"the bot ended at its start:\n{self.log}")
                try:
                    async with client.get(f"{self.url}/readyz") as response:
                        if response.status == 200:
                            return
                except aiohttp.ClientError:
                    pass
                await asyncio.sleep(0.05)

    @property
    def log(self) -> str:
        """What it wrote to standard error."""
        return self._log.read_text()

    async def kill(self) -> None:
        """SIGKILL: no time for anything."""
        self._process.kill()
        await self._process.wait()

    async def stop(self) -> int:
        """SIGTERM; returns the exit code."""
        self._process.terminate()
        return await asyncio.wait_for(self._process.wait(), 30)

    async def __aenter__(self) -> BotProcess:
        await self.start()
        return self

    async def __aexit__(self, *_error: object) -> None:
        if self._process.returncode is None:
            await self.stop()
