"""The story of an idea in real windows: with scripts and without, on a desk and on a telephone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.web.conftest import Bot
from tests.web.test_pictures import tell

if TYPE_CHECKING:
    from playwright.async_api import Page

    from tests.browser.windows import Desk

NEED = "What need or problem does it answer, and for whom?"
pytestmark = [
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
    pytest.mark.may_block("the browser needs all cores while a page is drawn, and every step takes longer"),
]
SOON = 10_000  # milliseconds: the page's script looks every 3 seconds


def address(demo: Bot, path: str) -> str:
    """Where the demonstration stands."""
    return f"{demo.window().site}{path}"


async def shares_an_idea(page: Page) -> None:
    """Fills the form wrongly, mends it, and sends it."""
    await page.get_by_role("button", name="Share an idea").last.click()
    await page.get_by_label("Title").fill("Hm")
    await page.get_by_label(NEED).fill("People on wards who drink too little")
    await page.get_by_role("button", name="Share", exact=True).click()
    await page.get_by_role("link", name="Use 5 characters or more.").wait_for()
    assert await page.get_by_label(NEED).input_value() == "People on wards who drink too little"
    await page.get_by_role("link", name="Use 5 characters or more.").click()
    assert page.url.endswith("-title")
    await page.get_by_label("Title").fill("A bell for the drinks round")
    await page.get_by_role("button", name="Share", exact=True).click()
    await page.get_by_role("heading", name="is with the Core Team").wait_for()


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
async def test_an_idea_shared_in_one_window_is_told_in_another(demo: Bot, desk: Desk, scripts: bool) -> None:
    staff = await desk.window(address(demo, "/as/staff/"), scripts=scripts)
    core = await desk.window(address(demo, "/as/core-team/"), scripts=scripts)
    await core.get_by_label("What would you like to do?").fill("half a sent")
    await shares_an_idea(staff)
    await demo.delivery.run()
    if not scripts:
        await core.get_by_role("link", name="Check for new messages").click()
    await core.get_by_role("heading", name="A new idea: IDEA-").wait_for(timeout=SOON)
    if scripts:
        assert await core.get_by_label("What would you like to do?").input_value() == "half a sent"
        await core.get_by_text("1 new message").wait_for()
        await staff.get_by_role("heading", name="Thank you for IDEA-").wait_for(timeout=SOON)
    await core.get_by_role("button", name="Open").last.click()
    await core.get_by_text("People on wards who drink too little").last.wait_for()
    await desk.photograph(staff, f"staff-{'scripts' if scripts else 'plain'}")
    await desk.photograph(core, f"core-team-{'scripts' if scripts else 'plain'}")
    assert desk.complaints == []


async def test_what_is_kept_true_changes_before_ones_eyes(demo: Bot, desk: Desk) -> None:
    staff = await desk.window(address(demo, "/as/staff/"))
    core = await desk.window(address(demo, "/as/core-team/"))
    await shares_an_idea(staff)
    await demo.delivery.run()
    await core.get_by_role("heading", name="A new idea: IDEA-").wait_for(timeout=SOON)
    await staff.get_by_role("button", name="See your idea").last.click()
    await staff.get_by_role("button", name="Withdraw", exact=True).click()
    await staff.get_by_role("heading", name="Withdraw this idea?").wait_for()
    await staff.get_by_role("button", name="Withdraw", exact=True).last.click()
    await staff.get_by_role("heading", name="is withdrawn").wait_for()
    await demo.delivery.run()
    await core.get_by_role("heading", name="An idea was withdrawn: IDEA-").wait_for(timeout=SOON)
    assert await core.get_by_role("heading", name="A new idea").count() == 0
    assert desk.complaints == []


async def test_a_refused_form_takes_the_keyboard_to_what_is_wrong(demo: Bot, desk: Desk) -> None:
    staff = await desk.window(address(demo, "/as/staff/"))
    await staff.get_by_role("button", name="Share an idea").last.click()
    await staff.get_by_label("Title").press("Enter")
    await staff.get_by_role("alert").wait_for()
    assert await staff.evaluate("document.activeElement.className") == "summary"
    await staff.keyboard.press("Tab")
    await staff.keyboard.press("Enter")
    assert str(await staff.evaluate("document.activeElement.name")) == "field.title"
    await staff.get_by_label(NEED).fill("For 999 000 0018")
    await staff.get_by_role("button", name="Share", exact=True).click()
    await staff.get_by_role("link", name="This looks as if it could name a patient").wait_for()
    assert await staff.evaluate("document.activeElement.className") == "summary"
    assert await staff.get_by_label(NEED).input_value() == "For 999 000 0018"
    assert [text for text in desk.complaints if "422" not in text] == []


@pytest.mark.parametrize("width", [320, 375, 1280])
async def test_nothing_has_to_be_scrolled_sideways(demo: Bot, desk: Desk, width: int) -> None:
    page = await desk.window(address(demo, "/as/administrator/"), width=width)
    for words in ("help", "admin people", f"idea {'long' * 60}", "idea", "me"):
        await page.get_by_label("What would you like to do?").fill(words)
        await page.get_by_role("button", name="Send", exact=True).click()
        await page.locator("article").last.wait_for()
    await page.get_by_role("button", name="Change").first.click()
    await page.get_by_role("heading", name="Change a person").wait_for()
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    picture = await desk.photograph(page, f"page-{width}")
    assert picture.stat().st_size > 10_000
    await page.goto(address(demo, "/"))
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    assert desk.complaints == []


async def test_a_pressed_button_cannot_be_reached_twice_by_loading_the_page_again(demo: Bot, desk: Desk) -> None:
    staff = await desk.window(address(demo, "/as/staff/"))
    await shares_an_idea(staff)
    there = await staff.locator("article").count()
    await staff.reload()
    await staff.go_back()
    await staff.go_forward()
    assert await staff.locator("article").count() == there
    assert await staff.get_by_text("Already sent").count() == 0


@pytest.mark.parametrize("width", [320, 1280])
async def test_a_picture_fits_the_window_and_the_paper(bot: Bot, desk: Desk, width: int) -> None:
    person_id = await bot.person("Bob May")
    await tell(bot, person_id)
    page = await desk.window(address(bot, await bot.link(person_id)), width=width)
    await page.get_by_role("button", name="Sign in").click()
    picture = page.get_by_role("img", name="A radar of this round beside the last")
    assert await picture.evaluate("image => image.decode().then(() => [image.naturalWidth, image.naturalHeight])") == [1000, 900]
    for medium in ("screen", "print"):
        await page.emulate_media(media=medium)
        box, table = await picture.bounding_box(), await page.get_by_role("table").bounding_box()
        assert box is not None
        assert table is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        assert abs(box["width"] / box["height"] - 1000 / 900) < 0.01
        assert table["y"] + table["height"] <= box["y"]
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
        await desk.photograph(page, f"picture-{width}-{medium}")
    assert desk.complaints == []
