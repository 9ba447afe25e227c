"""Servers under measurement: started on a core of their own, watched through /proc, ended by pid."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

SERVER_CORE, LOAD_CORE = 0, (os.cpu_count() or 1) - 1
READY_WITHIN = 30
COMPILED = {"PYTHONDONTWRITEBYTECODE": ""}
"""Sources are compiled at the first start and not at every one, as where the bot is installed."""


class Process:
    """One server process; `stop` ends it."""

    def __init__(self, args: Sequence[str], port: int, *, core: int = SERVER_CORE, env: Mapping[str, str] | None = None) -> None:
        self.port = port
        started = time.perf_counter()
        self._log = Path(os.environ.get("TMPDIR", "/tmp")) / f"bench-{os.getpid()}-{port}.log"
        with self._log.open("wb") as log:
            own = {**os.environ, **COMPILED, **(env or {})}
            self._popen = subprocess.Popen([sys.executable, *args], stdout=log, stderr=log, env=own)
        os.sched_setaffinity(self._popen.pid, {core})
        while not self._answers():
            if self._popen.poll() is not None or time.perf_counter() - started > READY_WITHIN:
                raise SystemExit(f"did not start: {args}\n{self._log.read_text()[-2000:]}")
            time.sleep(0.005)
        self.seconds_to_serve, self.work_to_serve = time.perf_counter() - started, self.cpu_seconds

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
                connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                return connection.recv(12).startswith(b"HTTP/1.1")
        except OSError:
            return False

    @property
    def cpu_seconds(self) -> float:
        """CPU of all threads so far."""
        total = 0
        for task in Path(f"/proc/{self._popen.pid}/task").iterdir():
            total += int((task / "schedstat").read_text().split()[0])
        return total / 1e9

    @property
    def rss_mb(self) -> float:
        """Resident memory."""
        for line in Path(f"/proc/{self._popen.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1024
        return 0.0

    def settle(self, seconds: float = 10) -> float:
        """Waits until the process is idle; returns how long that took."""
        started = time.perf_counter()
        while time.perf_counter() - started < seconds:
            before = self.cpu_seconds
            time.sleep(0.1)
            if self.cpu_seconds - before < 0.004:
                break
        return time.perf_counter() - started - 0.1

    def stop(self) -> None:
        """Ends the process."""
        self._popen.terminate()
        try:
            self._popen.wait(15)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()
        self._log.unlink(missing_ok=True)
