"""HTTP to Microsoft: one session, the proxy and certificates that the environment names, no redirects."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp

SECONDS = 10
CONNECTIONS = 200


class Network:
    """Calls addresses over TLS. Reads the proxy once: aiohttp's trust_env would ask in a thread, twice a call, and trips over a netrc."""

    def __init__(self) -> None:
        self.seconds: float = SECONDS

    async def open(self) -> None:
        """Before the first call, on the running loop."""
        connector = aiohttp.TCPConnector(ssl=ssl.create_default_context(), limit=CONNECTIONS)
        self._session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
        self._proxy = getproxies().get("https")

    async def close(self) -> None:
        """Gives the connections back."""
        await self._session.close()

    @asynccontextmanager
    async def call(
        self, method: str, url: str, *, token: str = "", json: object = None, params: Any = None, seconds: float | None = None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """One request, never repeated and never led elsewhere; raises what aiohttp raises, and TimeoutError."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        proxy = None if proxy_bypass(urlsplit(url).hostname or "") else self._proxy
        timeout = aiohttp.ClientTimeout(total=seconds or self.seconds)
        async with self._session.request(
            method, url, headers=headers, json=json, params=params, proxy=proxy, timeout=timeout, allow_redirects=False
        ) as response:
            yield response
