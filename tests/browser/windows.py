"""Windows of a real browser."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Browser, Page, async_playwright

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
KEPT = os.environ.get("DIH_SCREENSHOTS", "")
"""A folder in which to keep what the windows looked like; else they go with the test."""


class Desk:
    """Opens windows and notes what their browser complains of, such as something the policy forbids."""

    def __init__(self, browser: Browser, folder: Path) -> None:
        self._browser = browser
        self._folder = Path(KEPT) if KEPT else folder
        self.complaints: list[str] = []

    async def window(self, url: str, *, width: int = 1280, scripts: bool = True) -> Page:
        """A window of its own, with its own cookies."""
        context = await self._browser.new_context(viewport={"width": width, "height": 800}, java_script_enabled=scripts)
        page = await context.new_page()
        page.on("console", lambda message: self.complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        await page.goto(url)
        return page

    async def photograph(self, page: Page, name: str) -> Path:
        """The whole page as a picture."""
        path = self._folder / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        await page.screenshot(path=path, full_page=True)
        return path


@asynccontextmanager
async def desk(folder: Path) -> AsyncIterator[Desk]:
    """A browser for a while."""
    async with async_playwright() as play:
        browser = await play.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield Desk(browser, folder)
        await browser.close()
