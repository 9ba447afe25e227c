"""Answers to a browser, each with the page's headers."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from bot.web import render, safety
from handlers.views import Link

HOME = (Link(label="Go to the web chat", url="/"),)


class Respond:
    """Makes responses; over HTTPS they say so to the browser for good."""

    def __init__(self, *, secure: bool) -> None:
        self._headers = safety.headers(secure=secure)

    def html(self, text: str, *, status: int = 200) -> web.Response:
        """A page."""
        return web.Response(text=text, status=status, content_type="text/html", charset="utf-8", headers=self._headers)

    def notice(self, title: str, *paragraphs: str, status: int, links: Sequence[Link] = HOME, demo: bool = False) -> web.Response:
        """A page that only says something."""
        return self.html(render.notice(render.Notice(title=title, paragraphs=paragraphs, links=links, demo=demo)), status=status)

    def fragment(self, text: str, *, tag: str) -> web.Response:
        """A piece of a page, with the tag by which the browser can ask whether it changed."""
        response = self.html(text)
        response.headers["ETag"] = tag
        return response

    def unchanged(self) -> web.Response:
        """The browser has it already."""
        return web.Response(status=304, headers=self._headers)

    def redirect(self, where: str) -> web.Response:
        """After a post: the browser gets the page anew, so that loading it again posts nothing."""
        return web.Response(status=303, headers={**self._headers, "Location": where})

    def static(self, name: str) -> web.Response:
        """A file of the page's looks; its address changes with it, so browsers may keep it."""
        kinds = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
        content = render.STATIC.get(name)
        if content is None:
            return self.notice("There is no such page", "Check the address.", status=404)
        headers = {**self._headers, "Cache-Control": "public, max-age=86400"}
        return web.Response(body=content, content_type=kinds[name.rpartition(".")[2]], charset="utf-8", headers=headers)
