"""Adaptive Cards in a browser, drawn by Microsoft's own renderer with markdown on, as Teams has it."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import Locator, Page, async_playwright

from tests.browser.windows import ARGUMENTS, CHROMIUM

KEPT = os.environ.get("DIH_SCREENSHOTS", "")
"""A folder in which to keep what the cards looked like."""
COLOURS = {
    "default": {"default": "#242424", "subtle": "#616161"},
    "accent": {"default": "#5b5fc7", "subtle": "#5b5fc7"},
    "attention": {"default": "#c4314b", "subtle": "#c4314b"},
}
HOST = {
    "fontFamily": "'Segoe UI', 'Noto Sans', 'DejaVu Sans', sans-serif",
    "fontSizes": {"small": 12, "default": 14, "medium": 14, "large": 18, "extraLarge": 24},
    "fontWeights": {"lighter": 200, "default": 400, "bolder": 600},
    "spacing": {"small": 4, "default": 8, "medium": 12, "large": 16, "extraLarge": 24, "padding": 16},
    "separator": {"lineThickness": 1, "lineColor": "#d1d1d1"},
    "containerStyles": {"default": {"backgroundColor": "#ffffff", "foregroundColors": COLOURS}},
    "actions": {"maxActions": 6, "buttonSpacing": 8, "actionsOrientation": "horizontal", "actionAlignment": "left", "spacing": "default"},
    "supportsInteractivity": True,
}
STYLE = """
body { margin: 0; background: #f5f5f5; font: 14px/20px 'Segoe UI', 'Noto Sans', 'DejaVu Sans', sans-serif; }
#card { background: #fff; border: 1px solid #e0e0e0; border-radius: 4px; margin: 8px; }
.ac-pushButton { font: 600 14px/20px inherit; padding: 5px 12px; border: 1px solid #d1d1d1; border-radius: 4px; background: #fff;
  overflow: hidden; white-space: nowrap; text-overflow: ellipsis; }
.ac-pushButton.style-positive { background: #5b5fc7; border-color: #5b5fc7; color: #fff; }
.ac-pushButton.style-destructive { color: #c4314b; border-color: #c4314b; }
.ac-input.ac-textInput, .ac-input.ac-numberInput, .ac-input.ac-dateInput, .ac-input.ac-timeInput, .ac-multichoiceInput {
  box-sizing: border-box; font: inherit; padding: 5px 8px; border: 1px solid #d1d1d1; border-radius: 4px; background: #fff; }
textarea.ac-input { min-height: 80px; }
"""
PICTURE = '<svg xmlns="http://www.w3.org/2000/svg" width="600" height="300"><circle cx="300" cy="150" r="140" fill="#d5d6f0"/></svg>'
"""What stands at every address."""
DRAW = """
([card, host]) => {
  const {AdaptiveCard, HostConfig} = window.AdaptiveCards;
  const markdown = window.markdownit({linkify: true, html: false});
  AdaptiveCard.onProcessMarkdown = (text, result) => { result.outputHtml = markdown.render(text); result.didProcess = true; };
  const drawn = new AdaptiveCard();
  drawn.hostConfig = new HostConfig(host);
  window.sent = [];
  drawn.onExecuteAction = action =>
    window.sent.push({type: action.getJsonTypeName(), verb: action.verb, data: action.data, url: action.url});
  drawn.parse(card);
  document.getElementById("card").replaceChildren(drawn.render());
  return drawn.validateProperties().validationEvents.map(each => each.message);
}
"""


class Board:
    """A page on which one card at a time is drawn."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.card = page.locator("#card")

    async def draw(self, card: dict[str, Any]) -> list[str]:
        """Draws it; returns what Microsoft's renderer has against it."""
        complaints: list[str] = await self.page.evaluate(DRAW, [card, HOST])
        return complaints

    async def wide(self, pixels: int) -> None:
        """Makes the window as wide."""
        await self.page.set_viewport_size({"width": pixels, "height": 800})

    def field(self, label: str) -> Locator:
        """The input with this label."""
        return self.page.get_by_label(label, exact=True)

    async def press(self, title: str) -> dict[str, Any]:
        """Presses a button; returns what the renderer hands on."""
        await self.card.locator("button").filter(has_text=re.compile(f"^{re.escape(title)}$")).click()
        sent: list[dict[str, Any]] = await self.page.evaluate("window.sent")
        assert sent, f"{title!r} sent nothing"
        return sent[-1]

    async def words(self) -> str:
        """All that can be read on the card."""
        return await self.card.inner_text()

    async def photograph(self, name: str) -> None:
        """Keeps what it looks like, where such pictures are wanted."""
        if KEPT:
            await self.card.screenshot(path=Path(KEPT) / f"{name}.png")


@asynccontextmanager
async def board(scripts: list[Path]) -> AsyncIterator[Board]:
    """A browser with the renderer for a while."""
    async with async_playwright() as play:
        browser = await play.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        page = await browser.new_page(viewport={"width": 700, "height": 800}, device_scale_factor=1)
        page.set_default_timeout(5000)
        await page.route(re.compile("^https:"), lambda route: route.fulfill(content_type="image/svg+xml", body=PICTURE))
        await page.set_content(f"<style>{STYLE}</style><div id=card></div>")
        for script in scripts:
            await page.add_script_tag(path=script)
        yield Board(page)
        await browser.close()
