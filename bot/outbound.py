"""Calls to chat platforms: the proxy that the environment names, and which failures cannot have reached anybody."""

from __future__ import annotations

from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp

NEVER_LEFT = (aiohttp.ClientConnectorError, aiohttp.ClientHttpProxyError, aiohttp.ConnectionTimeoutError)
"""The request cannot have reached the platform."""


def proxy_for(url: str) -> str | None:
    """The proxy for an address; to be asked once: aiohttp's trust_env would ask in a thread, twice a call, and trips over a netrc."""
    address = urlsplit(url)
    return None if proxy_bypass(address.hostname or "") else getproxies().get(address.scheme)
