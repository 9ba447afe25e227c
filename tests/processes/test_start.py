"""A start loads what serving needs and no more, and a server that serves collects its garbage."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from tests.processes.serving import READY_WITHIN, free_port

LATER = ("alembic", "botbuilder", "cattrs", "icalendar", "jinja2", "matplotlib", "rich", "slack_bolt", "slack_sdk")
"""What a server without Slack needs for its first page, for a picture or never."""

RUN = f"""
import gc, sys
from bot.__main__ import main
print("sqlalchemy" in sys.modules, flush=True)
try:
    main()
finally:
    print(gc.isenabled(), gc.get_freeze_count() > 0, [name for name in {LATER} if name in sys.modules])
"""


async def test_a_start_leaves_for_later_what_it_can_and_collects_garbage_once_it_serves(database_url: str) -> None:
    own = {"DIH_DATABASE_URL": database_url, "DIH_PORT": str(free_port()), "PYTHONPATH": str(Path(__file__).parents[2])}
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-c", RUN, "run", env={"PATH": os.environ["PATH"], **own}, stdout=asyncio.subprocess.PIPE
    )
    assert server.stdout is not None
    assert await asyncio.wait_for(server.stdout.readline(), READY_WITHIN) == b"False\n", "a command has loaded what only some need"
    assert b"is serving" in await asyncio.wait_for(server.stdout.readline(), READY_WITHIN)
    server.terminate()
    said, _ = await asyncio.wait_for(server.communicate(), READY_WITHIN)
    assert said.decode().split("\n")[-2] == "True True []"
