"""What everybody sees when a round is over, beside the round before it; and what is agreed on it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from handlers.forms import OVERTAKEN
from handlers.pulse import kept
from handlers.pulse.questions import _question
from handlers.pulse.wheel import LONGEST_DESCRIPTOR, Dimension
from handlers.views import LONGEST_DETAIL, Card, Choice, Facts, Lines, Picture, Reply
from storage.database import Database
from storage.people import Group
from storage.pulse import rounds
from storage.pulse.rounds import Round, RoundState
from tests.conftest import FakeClock
from tests.dispatch.conftest import User, form, title, words
from tests.pulse.circle import KEYS, WHEEL, Circle, Sheet, stored_at_once


def sheets(first: int, chosen: tuple[str, ...]) -> list[Sheet]:
    """What six say: `first` and above of the first dimension, from 1 to 5 of the second, one and the same of the third."""
    return [
        Sheet(
            levels=(
                first + number % 2,
                1 + 4 * (number % 2),
                5,
                None if number < 2 else 3,
                3,
                2 + number % 2,
                4 - number % 2,
                2 + number % 3,
            ),
            comments={KEYS[0]: f"Of the first, {number}", KEYS[4]: f"Of the fifth, {number}"},
            chosen=chosen,
        )
        for number in range(6)
    ]


@pytest.fixture
async def circle(database: Database, clock: FakeClock) -> Circle:
    """Two rounds are over: in November, and in March of the year after."""
    circle = await Circle.of(database, clock, members=6)
    for first, day in ((2, "2026-12-04"), (3, "2027-03-05")):
        args = {"wheel": "illustrative:1", "last_day": day, "groups": "programme_group"}
        assert title(await circle.kay.does("action", "pulse.open", args=args)) == "The round is open"
        await stored_at_once(circle, circle.members, sheets(first, KEYS[first : first + 3]))
        await circle.closes()
        clock.forward(days=100)
    return circle


def _card(answer: object) -> Card:
    outcome = answer.outcome  # type: ignore[attr-defined]
    assert isinstance(outcome, Reply), outcome
    return outcome.card


def _picture(card: Card) -> Picture:
    (picture,) = (block for block in card.blocks if isinstance(block, Picture))
    return picture


async def test_everybody_sees_numbers_beside_those_of_the_last_round(circle: Circle) -> None:
    card = _card(await circle.nurse.types("pulse results"))
    assert card.title == "Maturity pulse of March 2027"
    assert "6 of 6 took part (100%)." in str(card)
    picture = _picture(card)
    rows = {row[0]: row[1:] for row in picture.table.rows}
    first, second, third, fourth, *_ = (dimension.title for dimension in WHEEL.dimensions)
    assert rows[first] == ("3.5", "3 to 4", "6", "0", "2.5", "")
    assert rows[second] == ("3", "1 to 5", "6", "0", "3", "Views differ")
    assert rows[third] == ("Not shown", "", "", "", "", ""), "all said 5: whoever said so would know of the others"
    assert rows[fourth] == ("Not shown", "", "", "", "", ""), "four scored it; which reason it is, nobody is told"
    now, last = picture.figure.series
    assert (now.label, now.numbers[:4], last.label, last.numbers[:4]) == ("Now", (3.5, 3, None, None), "Last time", (2.5, 3, None, None))
    assert picture.alt.startswith("A picture of the middle answers, from 1 to 5.")
    assert f"Now: {first} 3.5; {second} 3; {third} not shown" in picture.alt
    assert "“Adapting and adopting”, “Spreading and sustaining” and “Evidence and benefits”, in no order" in str(card)
    before = next(button for button in card.buttons if button.label == "The round before")
    old = _card(await circle.nurse.presses(before.action, round="1"))  # type: ignore[union-attr]
    assert old.title == "Maturity pulse of November 2026"
    assert len(_picture(old).figure.series) == 1, "nothing to compare it with"
    assert "The round before" not in {button.label for button in old.buttons}


async def test_a_round_is_not_compared_with_another_wheel(circle: Circle) -> None:
    async with circle.hub.database.reading() as session:
        (now, _) = await rounds.list_over(session, limit=2)
    other = kept.words_of(replace(WHEEL, version=2))
    async with circle.hub.database.transaction() as session:
        await rounds.keep_wheel(session, other)
        await session.exec_driver_sql(f"UPDATE pulse_rounds SET version = 2 WHERE id = {now.id}")
    picture = _picture(_card(await circle.nurse.types("pulse results")))
    assert len(picture.figure.series) == 1
    assert {row[5] for row in picture.table.rows} == {""}


async def test_comments_stand_under_their_dimensions_page_by_page(circle: Circle) -> None:
    first = _card(await circle.nurse.presses("pulse.comments", round="2", offset="0"))
    said = [block.text for block in first.blocks]  # type: ignore[union-attr]
    assert said[0].startswith("1 to 8 of 12 comments, in no order.")
    assert said[1] == WHEEL.dimensions[0].title
    assert sorted(said[2:8]) == [f"“Of the first, {number}”" for number in range(6)]
    assert said[8] == WHEEL.dimensions[4].title
    more = next(button for button in first.buttons if button.label == "More")
    second = _card(await circle.nurse.does("action", "pulse.comments", args=more.args))  # type: ignore[union-attr]
    assert len(second.blocks) == 1 + 1 + 4


async def _agrees(kay: User, text: str, *, number: int = 0, day: str = "2027-12-01", owner: str = "1", round: str = "2") -> object:
    values = {"title": text, "owner": owner, "review_on": day}
    opened = form(await kay.presses("pulse.ask_priority", round=round, number=str(number)))
    return await kay.sends("pulse.agree", values, **opened.args)


async def test_three_priorities_are_agreed_changed_and_taken_back(circle: Circle) -> None:
    kay = circle.kay
    assert "Chosen most often" in str(form(await kay.presses("pulse.ask_priority", round="2", number="0")).blocks)
    await asyncio.gather(*(_agrees(kay, f"Thing {number}") for number in range(4)))
    card = _card(await circle.nurse.types("pulse results"))
    (lines,) = (block for block in card.blocks if isinstance(block, Lines))
    assert [line.text[:2] for line in lines.lines] == ["1.", "2.", "3."], "no more than three, and none over another"
    assert all(line.button is None for line in lines.lines), "only the Core Team changes them"
    assert "Three priorities are agreed" in words(await kay.presses("pulse.ask_priority", round="2", number="0"))
    early = form(await kay.presses("pulse.ask_priority", round="2", number="2"))
    late = form(await kay.sends("pulse.agree", {"title": "One list", "owner": "1", "review_on": "2026-01-01"}, **early.args))
    assert set(late.errors) == {"review_on"}
    await _agrees(kay, "One list of needs", number=2)
    again = form(await kay.sends("pulse.agree", {"title": "Other", "owner": "1", "review_on": "2027-12-01"}, **early.args))
    assert again.errors == {"": OVERTAKEN, "title": "It is now “One list of needs”."}
    assert form(await kay.presses("pulse.ask_priority", round="2", number="2")).values["title"] == "One list of needs"
    assert "One list of needs" not in words(await kay.presses("pulse.drop_priority", round="2", number="2"))
    assert "took this priority back" in words(await kay.presses("pulse.drop_priority", round="2", number="2"))
    assert "took this priority back" in words(await kay.presses("pulse.ask_priority", round="2", number="2"))
    assert "Agree a priority" in {button.label for button in _card(await kay.types("pulse results")).buttons}


async def test_a_priority_is_looked_at_again_13_weeks_after_the_day_in_dorset(circle: Circle, clock: FakeClock) -> None:
    clock.now = datetime(2027, 6, 30, 23, 30, tzinfo=UTC)
    opened = form(await circle.kay.presses("pulse.ask_priority", round="2", number="0"))
    assert opened.values["review_on"] == "2027-09-30", "it is 1 July there already"


async def test_the_digest_tells_of_priorities_when_their_day_comes(circle: Circle, clock: FakeClock) -> None:
    day = clock.now.date()
    for text, days in (("Soon", 14), ("Later", 15)):
        await _agrees(circle.kay, f"{text} to be seen", day=day.fromordinal(day.toordinal() + days).isoformat())
    digest = words(await circle.kay.types("digest"))
    assert "Priorities to look at again" in digest
    assert "Soon to be seen" in digest
    assert "Later to be seen" not in digest
    for round, text, days in (("2", "Third", 6), ("1", "Fourth", 4), ("1", "Fifth", 5), ("1", "Sixth", 3)):
        await _agrees(circle.kay, f"{text} to be seen", round=round, day=day.fromordinal(day.toordinal() + days).isoformat())
    digest = words(await circle.kay.types("digest"))
    told = [digest.index(f"{text} to be seen") for text in ("Sixth", "Fourth", "Fifth", "Third", "Soon")]
    assert told == sorted(told), "of whichever round they are"
    await _agrees(circle.kay, "Later but sooner now", number=2, day=day.fromordinal(day.toordinal() + 7).isoformat())
    digest = words(await circle.kay.types("digest"))
    assert "And 1 more: type “pulse results”." in digest
    assert "Soon to be seen" not in digest


async def test_a_round_that_is_not_over_has_no_results(circle: Circle, clock: FakeClock) -> None:
    args = {"wheel": "illustrative:1", "last_day": "2027-07-02", "groups": "programme_group"}
    await circle.kay.does("action", "pulse.open", args=args)
    for action, more in (("pulse.results", {}), ("pulse.comments", {"offset": "0"}), ("pulse.ask_priority", {"number": "0"})):
        assert "has no results yet" in words(await circle.kay.presses(action, round="3", **more))
    assert _card(await circle.nurse.types("pulse results")).title == "Maturity pulse of March 2027"


def test_descriptors_too_long_for_a_choice_stand_above_it() -> None:
    long = Dimension(key="long", title="Long", descriptors=tuple(f"{level}{'x' * (LONGEST_DESCRIPTOR - 1)}" for level in range(1, 6)))
    wheel = kept.words_of(replace(WHEEL, dimensions=(WHEEL.dimensions[0], long)))
    at = FakeClock().now
    round = Round(
        id=1, wheel=wheel, opens_at=at, closes_at=at, groups=frozenset(Group), minimum=5, state=RoundState.OPEN, cleaned=False
    )  # fmt: skip
    short, above = _question(round, 0), _question(round, 1)
    assert isinstance(short.fields[0], Choice)
    assert isinstance(above.fields[0], Choice)
    assert short.blocks == ()
    assert [option.detail for option in short.fields[0].options] == [*WHEEL.dimensions[0].descriptors, ""]
    assert all(len(option.detail) <= LONGEST_DETAIL for option in short.fields[0].options)
    (facts,) = above.blocks
    assert isinstance(facts, Facts)
    assert [fact.value for fact in facts.facts] == list(long.descriptors)
    assert {option.detail for option in above.fields[0].options} == {""}
