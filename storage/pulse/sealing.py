"""How the answers of one round are sealed: whose each is cannot be told, nor what it says, without the round's key."""

from __future__ import annotations

import hmac
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SECRET = 32
PADDED = 640
"""Bytes of every answer before it is sealed. Sealed, it stays within one page of SQLite and one row of PostgreSQL, without a side table."""
_NONCE = 12


class TooLong(Exception):
    """This does not fit into a sealed answer."""


@dataclass(frozen=True, kw_only=True)
class Said:
    """What one person said to one item of a round; an empty one says that they passed it over.

    `level`: from the wheel's levels, 0 for Don't know, None for nothing. `chosen`: items to work on.
    """

    item: str
    level: int | None = None
    comment: str = ""
    chosen: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing was said."""
        return self.level is None and not self.comment and not self.chosen


def _padded(said: Said) -> bytes:
    """All answers have this one size; raises TooLong."""
    written = json.dumps([said.item, said.level, said.comment, said.chosen], ensure_ascii=False, separators=(",", ":")).encode()
    if len(written) > PADDED:
        raise TooLong
    return written.ljust(PADDED)


def _read(padded: bytes) -> Said:
    item, level, comment, chosen = json.loads(padded)
    return Said(item=item, level=level, comment=comment, chosen=tuple(chosen))


def new_secret() -> bytes:
    """The secret of a new round."""
    return secrets.token_bytes(SECRET)


class RoundKey:
    """A round's two keys, for as long as one transaction lasts."""

    def __init__(self, round_id: int, secret: bytes) -> None:
        self._round = round_id
        self._tags, self._seals = (
            HKDF(algorithm=SHA256(), length=32, salt=None, info=f"dih pulse {use}".encode()).derive(secret) for use in ("tag", "seal")
        )

    def tag(self, person_id: int, item: str) -> str:
        """The name of somebody's answer, which only the key tells."""
        return hmac.digest(self._tags, f"{self._round}|{person_id}|{item}".encode(), "sha256").hex()

    def seal(self, tag: str, said: Said) -> str:
        """The answer, sealed anew each time and to this tag; raises TooLong."""
        nonce = secrets.token_bytes(_NONCE)
        return urlsafe_b64encode(nonce + AESGCM(self._seals).encrypt(nonce, _padded(said), tag.encode())).decode()

    def open(self, tag: str, sealed: str) -> Said:
        """The answer; raises cryptography's InvalidTag for what was not sealed so."""
        raw = urlsafe_b64decode(sealed)
        return _read(AESGCM(self._seals).decrypt(raw[:_NONCE], raw[_NONCE:], tag.encode()))
