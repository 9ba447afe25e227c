"""The keys that Microsoft signs its requests to us with: fetched on the loop, remembered, and looked for again when a new one appears."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import jwt

from bot.teams.network import Network

log = logging.getLogger(__name__)

METADATA = "https://login.botframework.com/v1/.well-known/openidconfiguration"
HOST = "login.botframework.com"
REFRESH, TRY_AGAIN = 86_400, 5  # seconds until all are fetched anew, and at least between two tries
LOOK_AGAIN = 60  # seconds at least between two looks for a key that is not among them
KEY_WITHIN = 5


class UnknownKey(Exception):
    """Nobody signs with this key for Teams, or Microsoft did not say so."""


@dataclass(frozen=True, kw_only=True)
class Key:
    """A public key with the channels that may use it, as botbuilder's JwtTokenExtractor reads them."""

    public_key: Any
    endorsements: list[str]


class SigningKeys:
    """Answers which key a token names; any number of callers share one fetch."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._keys: dict[str, Key] = {}
        self._fetched = self._tried = self._looked = float("-inf")
        self._fetching: asyncio.Task[None] | None = None

    async def get(self, id: str | None) -> Key:
        """The key of that name; raises UnknownKey."""
        now, known = time.monotonic(), self._keys.get(id or "")
        due = now - self._fetched > REFRESH and now - self._tried > TRY_AGAIN
        new = known is None and bool(self._keys) and now - self._looked > LOOK_AGAIN
        if (due or new) and not self._is_fetching:
            self._tried = now
            self._looked = now if new and not due else self._looked
            self._fetching = asyncio.create_task(self._fetch())
        if known is None and self._is_fetching:
            assert self._fetching is not None
            await asyncio.wait((self._fetching,), timeout=KEY_WITHIN)
            known = self._keys.get(id or "")
        if known is None:
            raise UnknownKey
        return known

    @property
    def _is_fetching(self) -> bool:
        return self._fetching is not None and not self._fetching.done()

    async def _fetch(self) -> None:
        try:
            address = (await self._json(METADATA))["jwks_uri"]
            if urlsplit(address).scheme != "https" or urlsplit(address).netloc != HOST:
                raise ValueError("the keys stand elsewhere")
            self._keys = dict(filter(None, map(_key, (await self._json(address))["keys"])))
            self._fetched = time.monotonic()
        except Exception as error:  # whatever comes back: those who need a key are refused, and the next look is in a minute
            log.warning("the signing keys of Teams could not be fetched", extra={"error": type(error).__name__})

    async def _json(self, url: str) -> Any:
        async with self._network.call("GET", url, seconds=KEY_WITHIN) as response:
            response.raise_for_status()
            return await response.json(content_type=None)

    def forget(self) -> None:
        """Ends what is being fetched."""
        if self._fetching is not None:
            self._fetching.cancel()


def _key(said: Any) -> tuple[str, Key] | None:
    """(Its name, a key); None for one that is of no use to us: not RSA, or endorsed for nobody."""
    endorsements = said.get("endorsements")
    if said.get("kty") != "RSA" or not said.get("kid") or not isinstance(endorsements, list) or not endorsements:
        return None
    return str(said["kid"]), Key(public_key=jwt.PyJWK(said, algorithm="RS256").key, endorsements=[str(each) for each in endorsements])
