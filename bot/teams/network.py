"""HTTP to Microsoft: one session, the proxy and certificates that the environment names, no redirects."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from bot.outbound import proxy_for

SECONDS = 10
CONNECTIONS = 200


class Network:
    """Calls addresses over TLS."""

    def __init__(self) -> None:
        self.seconds: float = SECONDS

    async def open(self) -> None:
        """Before the first call, on the running loop."""
        connector = aiohttp.TCPConnector(ssl=ssl.create_default_context(), limit=CONNECTIONS)
        self._session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
        self._proxies: dict[str, str | None] = {}

    async def close(self) -> None:
        """Gives the connections back."""
        await self._session.close()

    @asynccontextmanager
    async def call(
        self, method: str, url: str, *, token: str = "", json: object = None, params: Any = None, seconds: float | None = None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """One request, never repeated and never led elsewhere; raises what aiohttp raises, and TimeoutError."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        host = urlsplit(url).netloc
        if host not in self._proxies:
            self._proxies[host] = proxy_for(url)
        timeout = aiohttp.ClientTimeout(total=seconds or self.seconds)
        async with self._session.request(
            method, url, headers=headers, json=json, params=params, proxy=self._proxies[host], timeout=timeout, allow_redirects=False
        ) as response:
            yield response
