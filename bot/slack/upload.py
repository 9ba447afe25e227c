"""Pictures as files of Slack: drawn and uploaded once for all who look, and shown only when Slack has them ready."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from bot import figures
from bot.limits import Recent
from bot.pictures import Pictures
from bot.slack import render
from bot.slack.fields import Json
from bot.slack.render import Files
from handlers.views import Card, Figure, Form, Picture

log = logging.getLogger(__name__)

WAITS = (0.2, 0.3, 0.5, 1, 1, 1.5, 1.5, 2, 2)
"""Seconds before each question whether Slack has looked at a file: it does so in its own time."""
WITHIN = 45  # seconds for all of it
A_LITTLE = 5  # seconds that a message waits for its picture where it cannot be added later
LASTS, AGAIN_AFTER = 3600, 300
KEPT, AT_ONCE = 200, 20
FOLLOWING, MOST_FOLLOWING = 20, 100
"""Messages that are changed when their picture is ready: from the first number on, others had better wait for it."""


def _figures(view: Card | Form) -> tuple[Figure, ...]:
    there = (block.figure for block in view.blocks if isinstance(block, Picture))
    return tuple(figure for figure in there if figures.is_drawn(figure))


class Uploads:
    """The files of one workspace, and what is to be shown again when they are ready."""

    def __init__(self, api: AsyncWebClient, pictures: Pictures, *, waits: Sequence[float] = WAITS) -> None:
        self._api, self._pictures, self._waits = api, pictures, waits
        self._known: Recent[Figure, tuple[str, float]] = Recent(KEPT)
        self._under_way: dict[Figure, asyncio.Task[None]] = {}
        self._following: dict[str, asyncio.Task[None]] = {}

    def ready(self, view: Card | Form) -> Files:
        """The files that the view can be shown with."""
        return {figure: file for figure in _figures(view) if (file := self._file(figure))}

    def are_missing(self, view: Card | Form) -> bool:
        """Whether waiting may bring a picture of the view; what failed is left alone for some minutes."""
        return any(self._file(figure) is None for figure in _figures(view))

    @property
    def can_follow(self) -> bool:
        """Whether one more message may as well be shown again later: Slack takes only so many changes a minute."""
        return len(self._following) < FOLLOWING

    def _file(self, figure: Figure) -> str | None:
        """The file; "" where there was none to be had, None where nobody tried."""
        file, until = self._known.get(figure) or ("", 0.0)
        return file if time.monotonic() < until else None

    def _keep(self, figure: Figure, file: str) -> None:
        self._known.keep(figure, (file, time.monotonic() + (LASTS if file else AGAIN_AFTER)))

    def forget(self, view: Card | Form) -> bool:
        """Leaves the view's pictures out for some minutes; whether there were any."""
        files = self.ready(view)
        for figure in files:
            self._keep(figure, "")
        return bool(files)

    async def wait(self, view: Card | Form, seconds: float) -> Files:
        """Has the view's pictures uploaded; those that are ready in time."""
        missing = [figure for figure in _figures(view) if self._file(figure) is None]
        if tasks := [task for figure in missing if (task := self._begun(figure))]:
            await asyncio.wait(tasks, timeout=seconds)
        return self.ready(view)

    def _begun(self, figure: Figure) -> asyncio.Task[None] | None:
        if figure not in self._under_way and len(self._under_way) < AT_ONCE:
            task = self._under_way[figure] = asyncio.create_task(self._upload(figure))
            task.add_done_callback(lambda _task: self._under_way.pop(figure, None))
        return self._under_way.get(figure)

    async def _upload(self, figure: Figure) -> None:
        file = ""
        try:
            async with asyncio.timeout(WITHIN):
                file = await self._uploaded(await self._pictures.png(figure))
        except Exception as error:  # whatever the SDK makes of a strange answer; the table says the same
            log.warning("a picture was not uploaded", extra={"error": type(error).__name__})
        self._keep(figure, file)

    async def _uploaded(self, picture: bytes) -> str:
        """The file, which is nobody's but ours until a message shows it; "" where Slack did not get it ready."""
        begun = await self._api.files_getUploadURLExternal(filename="picture.png", length=len(picture))
        file = str(begun["file_id"])
        session: aiohttp.ClientSession | None = self._api.session
        assert session is not None
        async with session.post(str(begun["upload_url"]), data=picture, proxy=self._api.proxy) as answer:
            answer.raise_for_status()
        await self._api.files_completeUploadExternal(files=[{"id": file, "title": "Picture"}])
        for wait in self._waits:
            await asyncio.sleep(wait)
            info = await self._api.files_info(file=file)
            if (info.get("file") or {}).get("mimetype"):
                return file
        log.warning("a picture was not ready in time", extra={"file": file})
        return ""

    # -- what is shown again

    def follow_message(self, handle: str, card: Card, ticket: str, shown: Files) -> None:
        """Changes the message that `handle` ("channel:ts") names."""
        channel, _, ts = handle.partition(":")
        self.follow(handle, card, shown, lambda files: self._api.chat_update(channel=channel, ts=ts, **render.message(card, ticket, files)))

    def follow_modal(self, view: Mapping[str, Any], card: Card, shown: Files, draw: Callable[[Files], Json]) -> None:
        """Changes the modal, as long as it is the one that Slack told of."""
        id, hash = str(view["id"]), str(view["hash"])
        self.follow(id, card, shown, lambda files: self._api.views_update(view_id=id, hash=hash, view=draw(files)))

    def follow(self, place: str, view: Card, shown: Files, show: Callable[[Files], Awaitable[Any]]) -> None:
        """Shows the view again with the pictures that it was not shown with, unless something else stands in that place by then."""
        if (self.are_missing(view) or self.ready(view) != shown) and len(self._following) < MOST_FOLLOWING:
            self.leave(place)
            task = self._following[place] = asyncio.create_task(self._show_again(view, shown, show))
            task.add_done_callback(lambda ended: self._following.pop(place) if self._following.get(place) is ended else None)

    def leave(self, place: str) -> None:
        """Something else stands there now."""
        if place in self._following:
            self._following.pop(place).cancel()

    async def _show_again(self, view: Card, shown: Files, show: Callable[[Files], Awaitable[Any]]) -> None:
        files = await self.wait(view, WITHIN)
        if files != shown:
            try:
                await show(files)
            except Exception as error:  # whatever Slack says to it: what stands there is enough
                log.info("a picture was not added", extra={"error": type(error).__name__})

    async def close(self) -> None:
        """Leaves everything as it is."""
        tasks = (*self._following.values(), *self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
