"""Sharing ideas on the plain page: what is stored, what is shown, and that nothing typed is lost."""

from __future__ import annotations

import asyncio

import pytest
import sqlalchemy as sa

from storage import ideas, outbox
from storage.database import Database
from storage.tables import METADATA
from tests.web.conftest import Bot
from tests.web.window import Window

NEED = "What need or problem does it answer, and for whom?"
GOOD = {"Title": "Sensors that notice a fall", NEED: "People who have fallen", "Where": "University Hospitals Dorset"}
NHS_NUMBER = "999 000 0018"


async def all_text(database: Database) -> str:
    """Everything in every table."""
    async with database.reading() as session:
        rows = [str(row) for table in METADATA.sorted_tables for row in await session.execute(sa.text(f"SELECT * FROM {table.name}"))]
    return "\n".join(rows)


async def count_ideas(database: Database) -> int:
    """How many ideas there are."""
    async with database.reading() as session:
        return sum([1 for number in range(1, 60) if await ideas.find(session, number)])


async def test_an_idea_shared_is_stored_confirmed_thanked_and_told(bot: Bot, ann: Window, kay: Window) -> None:
    await ann.types("idea Sensors that notice a fall")
    assert ann.landed[0][0] == 303
    assert await ann.typed("Title") == "Sensors that notice a fall"
    await ann.fills({NEED: "People who have fallen", "Where": "University Hospitals Dorset"})
    assert ann.landed[0][0] == 303
    await ann.sees("IDEA-1 is with the Core Team")
    assert not ann.items("asks")
    assert "Sensors that notice a fall" in ann.newest("mine")
    assert await ann.is_told("Thank you for IDEA-1")
    assert await kay.is_told("A new idea: IDEA-1")
    await ann.presses("See your idea")
    await ann.sees("IDEA-1: Sensors that notice a fall", "People who have fallen")
    assert await count_ideas(bot.database) == 1


async def test_a_live_message_stays_true_in_its_place(bot: Bot, ann: Window, kay: Window) -> None:
    await ann.types("idea")
    await ann.fills(GOOD)
    await kay.is_told("A new idea: IDEA-1")
    await ann.types("idea 1")
    await ann.presses("Withdraw")
    await ann.fills({})
    await ann.sees("IDEA-1 is withdrawn")
    await kay.is_told("An idea was withdrawn: IDEA-1")
    assert len(kay.items("told")) == 1
    assert "A new idea" not in kay.words


async def test_a_message_that_may_have_been_written_before_is_not_written_twice(bot: Bot, ann: Window, kay: Window) -> None:
    await ann.types("idea")
    await ann.fills(GOOD)
    await bot.delivery.run()
    async with bot.database.transaction() as session:
        await session.execute(sa.text("UPDATE outbox SET state = 'waiting' WHERE kind = 'ideas.thanks'"))
    assert await bot.delivery.run() == 1
    assert await ann.was_told("Thank you for IDEA-1") == 1


@pytest.mark.parametrize(
    ("answers", "wrong", "sentence"),
    [
        ({"Title": "Hm"}, "Title", "5 characters"),
        ({"Title": "x" * 151}, "Title", "150 characters"),
        ({"Title": "  \u200b  "}, "Title", "Fill in"),
        ({NEED: ""}, NEED, "Fill in"),
        ({NEED: "y" * 10_000}, NEED, "2,000 characters"),
        ({"Your idea": "z" * 2001}, "Your idea", "2,000 characters"),
        ({"Where": ""}, "Where", "Choose one"),
        ({NEED: f"For {NHS_NUMBER}"}, NEED, "name a patient"),
        ({"Title": "born on 4 May 1950"}, "Title", "name a patient"),
    ],
)
async def test_a_wrong_field_is_marked_and_nothing_typed_is_lost(
    bot: Bot, ann: Window, answers: dict[str, str], wrong: str, sentence: str
) -> None:
    typed = {**GOOD, "Your idea": "Lend some sensors\nto ten homes", "Who may see it": "The Core Team only", **answers}
    await ann.types("idea")
    await ann.fills(typed)
    errors = await ann.errors()
    assert list(errors) == [wrong]
    assert sentence in errors[wrong]
    control = ann.field(wrong)
    described = str(control.get("aria-describedby"))
    assert control.name == "fieldset" or control["aria-invalid"] == "true"
    assert sentence in " ".join(ann.form.find(id=each).get_text() for each in described.split())  # type: ignore[union-attr]
    assert ann.form.select_one(".summary[role=alert]")
    assert ann.page.title
    assert ann.page.title.get_text().startswith("Error: ")
    for label, value in typed.items():
        assert await ann.typed(label) == value.replace("\u200b", "").strip()
    assert await count_ideas(bot.database) == 0
    await ann.fills({**GOOD, "Your idea": "Shorter"})
    await ann.sees("IDEA-1 is with the Core Team")
    assert await count_ideas(bot.database) == 1
    assert not ann.items("asks")


async def test_an_open_form_survives_loading_the_page_again(ann: Window) -> None:
    await ann.types("idea")
    await ann.fills({"Title": "Hm", NEED: "People who have fallen"})
    await ann.goes()
    assert list(await ann.errors()) == ["Title", "Where"]
    assert await ann.typed(NEED) == "People who have fallen"


async def test_a_second_click_stores_one_idea(bot: Bot, ann: Window) -> None:
    await ann.types("idea")
    await ann.fills(GOOD)
    await ann.sends_again()
    await ann.sees("Already sent: IDEA-1")
    assert await count_ideas(bot.database) == 1


async def test_ten_clicks_at_once_store_one_idea(bot: Bot, ann: Window) -> None:
    await ann.types("idea")
    ann.fill(GOOD)
    fields = [*ann.fields(ann.form), ("submit", "yes")]
    await asyncio.gather(*(ann.posts("/submit", fields) for _ in range(10)))
    await ann.goes()
    assert await count_ideas(bot.database) == 1
    assert ann.words.count("Already sent: IDEA-1") == 9


async def test_closing_a_form_takes_it_away_and_an_older_one_is_folded(ann: Window) -> None:
    await ann.types("idea")
    await ann.goes()
    await ann.types("idea something else")
    assert "A form you did not send: Share an idea" in ann.words
    assert len(ann.items("asks")) == 2
    await ann.presses("Close without sending")
    assert len(ann.items("asks")) == 1
    assert ann.url.endswith("/")


@pytest.mark.parametrize("text", [f"idea for {NHS_NUMBER}", f"{NHS_NUMBER}", "idea dob 04/05/1950"])
async def test_patient_data_in_the_box_is_given_back_and_stored_nowhere(bot: Bot, ann: Window, text: str) -> None:
    await ann.types(text)
    assert ann.status == 422
    await ann.sees("This looks as if it could name a patient")
    box = ann.page.find(id="text")
    assert box is not None
    assert box["value"] == text
    await ann.goes()
    assert not ann.items()
    stored = await all_text(bot.database)
    assert not any(part in stored for part in (NHS_NUMBER, "04/05/1950"))
    assert "patient data refused" in stored


async def test_words_that_are_far_too_long_are_given_back_and_stored_nowhere(bot: Bot, ann: Window) -> None:
    text = f"idea {'x' * 20_000}"
    await ann.types(text)
    assert ann.status == 422
    await ann.sees("That is too long", "Use 20,000 characters or fewer. You used 20,005.")
    box = ann.page.find(id="text")
    assert box is not None
    assert box["value"] == text
    assert "xxxxx" not in await all_text(bot.database)


async def test_patient_data_in_a_form_is_given_back_and_stored_nowhere(bot: Bot, ann: Window) -> None:
    await ann.types("idea")
    await ann.fills({**GOOD, "Your idea": f"Ask {NHS_NUMBER}"})
    assert ann.status == 422
    assert await ann.typed("Your idea") == f"Ask {NHS_NUMBER}"
    stored = await all_text(bot.database)
    assert NHS_NUMBER not in stored
    assert "9990000018" not in stored
    await ann.goes()
    assert await ann.typed("Your idea") == ""
    await ann.types("idea")
    await ann.fills({**GOOD, "Your idea": "Ask people who know"})
    await ann.sees("IDEA-1 is with the Core Team")


async def test_a_form_that_is_turned_away_stays_open_as_typed(bot: Bot, ann: Window) -> None:
    await ann.types("idea")
    await ann.fills(GOOD)
    await ann.types("idea 1")
    await ann.presses("Withdraw")
    again = ann.fields(ann.form)
    await ann.fills({})
    stale = [(name, "another-ticket" if name == "ticket" else value) for name, value in again]
    await ann.posts("/submit", stale)
    assert ann.status == 422
    await ann.sees("already withdrawn")


async def test_somebody_elses_button_and_a_button_without_the_right_are_refused(bot: Bot, ann: Window, kay: Window) -> None:
    await ann.types("idea")
    await ann.fills({**GOOD, "Who may see it": "The Core Team only"})
    await ann.types("idea 1")
    button = ann.button("Withdraw")
    bob = await bot.signed_in(await bot.person("Bob Hay"))
    await bob.goes()
    proof = str(bob.page.find("input", attrs={"name": "proof"})["value"])  # type: ignore[index]
    item = str(ann.items()[-1]["id"]).removeprefix("i")
    for do in (str(button["value"]), '{"action":"people.ask_change","args":{"person":"1"}}'):
        await bob.posts("/press", [("proof", proof), ("item", item), ("ticket", "t1"), ("do", do)])
        await bob.sees("I could not do that")
    await bob.types("idea 1")
    await bob.sees("I cannot find IDEA-1")
    await ann.goes()
    assert "IDEA-1: Sensors" in ann.newest("theirs")


async def test_an_old_button_answers_politely(ann: Window) -> None:
    await ann.goes()
    proof = str(ann.page.find("input", attrs={"name": "proof"})["value"])  # type: ignore[index]
    await ann.posts("/press", [("proof", proof), ("item", "77"), ("ticket", "t"), ("do", '{"action":"gone.away","args":{}}')])
    await ann.sees("This no longer works")


async def test_pages_of_a_list_take_each_others_place(bot: Bot, ann: Window) -> None:
    for number in range(9):
        await ann.types(f"idea Sensors, number {number}")
        await ann.fills(GOOD)
    await ann.types("ideas")
    before = len(ann.items())
    await ann.presses("Older")
    assert len(ann.items()) == before
    await ann.sees("9 to 9 of 9 ideas")


async def test_a_long_history_is_shown_in_parts(ann: Window) -> None:
    for _ in range(20):
        await ann.types("me")
    assert len(ann.items()) == 30
    more = ann.page.find("a", string="Show older messages")
    assert more is not None
    await ann.goes(str(more["href"]))
    assert len(ann.items()) == 40
    assert ann.page.find("a", string="Show older messages") is None


async def test_the_core_team_sees_what_is_theirs_alone(bot: Bot, ann: Window, kay: Window) -> None:
    await ann.types("idea")
    await ann.fills({**GOOD, "Who may see it": "The Core Team only"})
    await kay.types("idea 1")
    await kay.sees("The Core Team and its author")
    async with bot.database.reading() as session:
        assert not await outbox.list_stuck(session)
