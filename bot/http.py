"""The aiohttp application: each channel's routes, files behind one-time links, pictures, and whether the server is well."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol
from urllib.parse import quote

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from bot.dispatch import Dispatcher
from bot.limits import Busy
from bot.links import FileLinks
from bot.pictures import LASTS, NotDrawn, Pictures
from bot.plain import card_in_words
from handlers.views import File, Reply
from scheduler.delivery import Sender
from storage.database import Database


def _in_one_line(record: logging.LogRecord) -> bool:
    """What is no HTTP is no fault of ours."""
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, HttpProcessingError):
        record.msg, record.args, record.exc_info = "a request was no HTTP", (), None
        record.levelno, record.levelname, record.error = logging.WARNING, "WARNING", type(error).__name__
    return True


server_log = logging.getLogger(f"{__name__}.server")
server_log.addFilter(_in_one_line)


class Channel(Protocol):
    """A chat platform: its routes, its way out, and what it opens and closes."""

    name: str

    @property
    def sender(self) -> Sender:
        """What delivers the outbox's messages there."""

    def mount(self, application: web.Application) -> None:
        """Adds the channel's routes."""

    async def open(self) -> None:
        """Before the first request."""

    async def close(self) -> None:
        """After the last request: what is under way is finished."""


@web.middleware
async def _whole_and_plain(request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> web.StreamResponse:
    """Refuses a body in a content encoding, true or false, and lets go of one that broke off."""
    if request.headers.get("Content-Encoding", "").strip().lower() not in ("", "identity"):
        return web.Response(status=400, text="Send the body without a Content-Encoding.")
    try:
        return await handler(request)
    except ConnectionError:
        if request.transport is not None:
            raise
        return web.Response(status=400)


def application(
    channels: Sequence[Channel],
    dispatcher: Dispatcher,
    links: FileLinks,
    pictures: Pictures,
    database: Database,
    *,
    clock: Callable[[], datetime],
    body_limit: int,
) -> web.Application:
    """All routes of the server; a body over `body_limit` bytes is refused with 413."""
    app = web.Application(client_max_size=body_limit, middlewares=[_whole_and_plain])

    async def healthz(_request: web.Request) -> web.Response:
        return web.Response(text="ok")

    async def readyz(_request: web.Request) -> web.Response:
        try:
            await database.require_schema()
        except Exception:
            return web.Response(status=503, text="The database does not answer.")
        return web.Response(text="ready")

    async def file(request: web.Request) -> web.Response:
        return await _file(request.match_info["token"], dispatcher, links, clock())

    async def picture(request: web.Request) -> web.Response:
        return await _picture(request.match_info["token"], pictures)

    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/files/{token}", file, allow_head=False)
    app.router.add_get("/pictures/{token}", picture)
    for channel in channels:
        channel.mount(app)
    return app


def runner(application: web.Application, *, grace: float) -> web.AppRunner:
    """Serves the application; requests under way get `grace` seconds to end.

    aiohttp would decode bodies while it parses, where what cannot be decoded is out of our hands.
    """
    return web.AppRunner(application, access_log=None, logger=server_log, auto_decompress=False, shutdown_timeout=grace)


async def _file(token: str, dispatcher: Dispatcher, links: FileLinks, now: datetime) -> web.Response:
    """A file, once; what hinders it is said in plain text."""
    interaction = links.open(token, now)
    if interaction is None:
        return web.Response(status=404, text="This link is old or was used. Press the button in the chat again.")
    outcome = (await dispatcher.answer(interaction)).outcome
    if isinstance(outcome, File):
        headers = {
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(outcome.name)}",
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
        }
        return web.Response(body=outcome.content, content_type=outcome.media_type, headers=headers)
    words = card_in_words(replace(outcome.card, buttons=())) if isinstance(outcome, Reply) else ""
    return web.Response(status=404, text=words or "There is nothing to fetch here.")


async def _picture(token: str, pictures: Pictures) -> web.Response:
    """A picture, to whoever has its address: chat platforms fetch it without a session."""
    figure = pictures.figure(token)
    if figure is None:
        return web.Response(status=404, text="This picture is no longer here. The table in the message says the same.")
    try:
        content = await pictures.png(figure)
    except (Busy, NotDrawn):
        return web.Response(status=503, text="This picture cannot be drawn now. The table in the message says the same.")
    headers = {
        "Cache-Control": f"private, max-age={int(LASTS.total_seconds())}",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }
    return web.Response(body=content, content_type="image/png", headers=headers)
