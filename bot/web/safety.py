"""What keeps the page safe: headers, the session cookie, and proof that a post came from our own page."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import urlsplit

from aiohttp import web

from storage.signin import SESSION_LASTS

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def headers(*, secure: bool) -> Mapping[str, str]:
    """For every answer of the page."""
    always = {
        "Content-Security-Policy": POLICY,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cache-Control": "no-store",
    }
    return {**always, "Strict-Transport-Security": "max-age=31536000"} if secure else always


class Cookie:
    """The session's cookie; over HTTPS its name makes browsers refuse one that another host or a plain connection set."""

    def __init__(self, *, secure: bool) -> None:
        self._secure = secure
        self.name = "__Host-dih_session" if secure else "dih_session"

    def read(self, request: web.Request) -> str:
        """The session's token, "" without one."""
        return request.cookies.get(self.name, "")

    def set(self, response: web.StreamResponse, token: str) -> None:
        """Keeps the session as long as it can last."""
        age = int(SESSION_LASTS.total_seconds())
        response.set_cookie(self.name, token, max_age=age, path="/", secure=self._secure, httponly=True, samesite="Lax")

    def forget(self, response: web.StreamResponse) -> None:
        """Ends it in the browser."""
        response.del_cookie(self.name, path="/", secure=self._secure, httponly=True, samesite="Lax")


def proof(key: bytes, whose: str) -> str:
    """What our page puts into its forms, and nobody can who does not hold the key."""
    return hmac.digest(key, f"csrf:{whose}".encode("utf-8", "surrogatepass"), hashlib.sha256).hex()


def is_proof(given: str, expected: str) -> bool:
    """Compared in constant time."""
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode())


def is_ours(request: web.Request) -> bool:
    """Whether the browser says that the post comes from a page of this site; older ones say nothing, and the proof decides.

    A page that sends no referrer posts with the origin "null", so there only Sec-Fetch-Site tells.
    """
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    origin = request.headers.get("Origin", "null")
    return site in ("same-origin", "none") and (origin == "null" or _host(origin) == request.host)


def _host(origin: str) -> str:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""
