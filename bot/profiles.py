"""What a channel says of the people who use it: asked for a moment only, and remembered."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from bot.limits import Recent
from handlers.routing import Profile

log = logging.getLogger(__name__)

WITHIN = 0.3  # seconds that a person waits for it
LASTS, ASK_AGAIN_AFTER = 3600, 30
REMEMBERED = 20_000


class Profiles:
    """Profiles by tenant and user: remembered for an hour, and those that were not to be had for half a minute."""

    def __init__(self) -> None:
        self._known: Recent[tuple[str, str], tuple[Profile | None, float]] = Recent(REMEMBERED)

    async def of(self, tenant: str, user: str, ask: Callable[[], Awaitable[Profile | None]]) -> Profile | None:
        """What `ask` gives; None when it fails or takes long: the person is served without it."""
        known = self._known.get((tenant, user))
        if known is not None and time.monotonic() < known[1]:
            return known[0]
        found = None
        try:
            async with asyncio.timeout(WITHIN):
                found = await ask()
        except Exception as error:  # whatever an SDK makes of a strange answer
            log.info("a profile was not to be had", extra={"user": user, "error": type(error).__name__})
        self._known.keep((tenant, user), (found, time.monotonic() + (LASTS if found else ASK_AGAIN_AFTER)))
        return found
