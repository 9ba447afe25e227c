"""The token that the Bot Connector lets us in with: fetched by MSAL in a thread, once until it is about to end."""

from __future__ import annotations

import asyncio
import logging
import time

from msal.application import ConfidentialClientApplication

log = logging.getLogger(__name__)

AUTHORITY = "https://login.microsoftonline.com/"
SCOPE = "https://api.botframework.com/.default"
EARLY = 300  # seconds before its end that a token is no longer used
FETCHED_WITHIN = 10


class NoToken(Exception):
    """We are not let in: `refused` says that the password or the app is wrong; else nobody answered."""

    def __init__(self, reason: str, *, refused: bool) -> None:
        super().__init__(reason)
        self.reason, self.refused = reason, refused


class Tokens:
    """The app's token; any number of callers share one fetch."""

    def __init__(self, *, app_id: str, password: str, tenant: str) -> None:
        self._app_id, self._password, self._tenant = app_id, password, tenant
        self._token, self._until = "", 0.0
        self._fetching: asyncio.Task[str] | None = None

    async def get(self) -> str:
        """A token that is good for a while yet; raises NoToken."""
        if self._token and time.monotonic() < self._until:
            return self._token
        if self._fetching is None:
            self._fetching = asyncio.create_task(self._fetch())
            self._fetching.add_done_callback(self._ended)
        return await asyncio.shield(self._fetching)

    def forget(self, token: str) -> None:
        """It was refused: the next caller fetches another."""
        if token == self._token:
            self._token = ""

    def _ended(self, task: asyncio.Task[str]) -> None:
        self._fetching = None
        if not task.cancelled():
            task.exception()

    async def _fetch(self) -> str:
        started = time.monotonic()
        try:
            async with asyncio.timeout(FETCHED_WITHIN):
                answer = await asyncio.to_thread(self._ask)
        except Exception as error:
            log.warning("no token for Teams", extra={"error": type(error).__name__})
            raise NoToken("Microsoft's sign-in could not be reached", refused=False) from error
        token, lasts = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(token, str) or not isinstance(lasts, int):
            code = str(answer.get("error") or "no error named")[:60]
            log.warning("no token for Teams", extra={"error": code})
            raise NoToken(f"Microsoft's sign-in refuses us: {code}", refused=code in REFUSED)
        self._token, self._until = token, started + max(lasts - EARLY, lasts / 2)
        return token

    def _ask(self) -> dict[str, object]:
        """In a thread: MSAL waits for the network. A new client each time: MSAL repeats a fault of the sign-in from memory for a minute."""
        client = ConfidentialClientApplication(
            self._app_id,
            client_credential=self._password,
            authority=f"{AUTHORITY}{self._tenant}",
            instance_discovery=False,
            timeout=FETCHED_WITHIN / 2,
        )
        answer: dict[str, object] = client.acquire_token_for_client([SCOPE])
        return answer


REFUSED = frozenset({"invalid_client", "unauthorized_client", "invalid_request", "invalid_scope", "invalid_tenant"})
"""What sign-in calls a wrong password, app or tenant; anything else may pass."""
