"""The hub's secret keys: they wrap keys that are stored, and are never stored themselves."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class Unreadable(Exception):
    """None of the secret keys opens this."""


class SecretKeys:
    """Fernet keys, the newest first; false where there are none. New things are wrapped by the first, old ones opened by any."""

    def __init__(self, keys: Sequence[str] = ()) -> None:
        self._fernet = MultiFernet([Fernet(key) for key in keys]) if keys else None

    def __bool__(self) -> bool:
        return self._fernet is not None

    def wrap(self, secret: bytes) -> str:
        """The secret as it may be stored; raises Unreadable where there are no keys."""
        if self._fernet is None:
            raise Unreadable
        return self._fernet.encrypt(secret).decode()

    def unwrap(self, wrapped: str) -> bytes:
        """The secret itself; raises Unreadable."""
        if self._fernet is None:
            raise Unreadable
        try:
            return self._fernet.decrypt(wrapped)
        except InvalidToken:
            raise Unreadable from None
