"""A round from its opening to its end: what is kept, who may answer, and that it closes once."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from cryptography.fernet import Fernet

from bot.slack import render
from handlers.pulse import wheel
from handlers.pulse.collation import collate
from handlers.pulse.wheel import Dimension, WheelFault
from handlers.views import Button, Facts, Form, Reply, Values
from storage.database import Database
from storage.pulse import results, rounds
from storage.pulse.rounds import OtherWords, RoundState, WheelWords
from storage.pulse.sealing import Said
from tests.conftest import SECRET_KEY, FakeClock
from tests.dispatch.conftest import form, title, words
from tests.pulse.circle import KEYS, LAST_DAY, WHEEL, Circle, Sheet, answers_all, question, said_by, says, takes_back
from tests.storage.hub import number_of

LEVELS = (
    (1, 2, 3, 4, 5, 0, None, 3),
    (2, 2, 3, 3, 4, 4, 5, 2),
    (3, 3, 3, 3, 3, 3, 3, 1),
    (4, 5, 4, 5, 4, 0, 5, 2),
    (5, 1, 2, 2, 3, 4, 1, 3),
)
OPEN = {"wheel": "illustrative:1", "last_day": LAST_DAY, "groups": "programme_group"}


@pytest.fixture
async def circle(database: Database, clock: FakeClock) -> Circle:
    """Five who are asked, Kay, and a nurse who is not."""
    return await Circle.of(database, clock, members=5)


async def test_a_round_is_answered_changed_closed_and_published(circle: Circle) -> None:
    round_id = await circle.opens()
    for member, levels in zip(circle.members, LEVELS, strict=True):
        assert (
            title(await answers_all(member, round_id, Sheet(levels=levels, comments={"purpose": f"Said by {member.user}"}))) == "Thank you"
        )
    form(await says(circle.members[0], round_id, "partnership", 4))
    changed = [*LEVELS]
    changed[0] = (*LEVELS[0][:7], 4)
    await circle.closes()
    async with circle.hub.database.reading() as session:
        (round,) = await rounds.list_over(session, limit=9)
        found = await results.find(session, round_id)
        comments = await results.comments(session, round_id)
    assert found is not None
    assert (round.state, found.took_part, found.invited) == (RoundState.CLOSED, 5, 6)
    numbers = {each.dimension: each for each in found.numbers}
    for place, key in enumerate(KEYS):
        collation = collate(sheet[place] for sheet in changed)
        assert collation is not None
        if collation.scored < 5:
            assert key not in numbers
        else:
            assert numbers[key].median / 4 == collation.median
            assert (numbers[key].scored, numbers[key].dont_know) == (collation.scored, collation.dont_know)
    assert found.most_chosen == ("needs", "spreading", "culture")
    assert {each.text for each in comments} == {f"Said by {member.user}" for member in circle.members}


async def test_one_goes_on_where_one_was_and_finds_what_one_said(circle: Circle) -> None:
    round_id = await circle.opens()
    ann = circle.members[0]
    args = {"round": str(round_id)}
    item, first = question(await ann.presses("pulse.start", **args))
    assert (item, first.step) == (KEYS[0], "1 of 8")
    assert [button.label for button in first.buttons] == ["Skip"]
    assert question(await says(ann, round_id, KEYS[0], 3, "Because"))[0] == KEYS[1]
    assert question(await says(ann, round_id, KEYS[1], None))[0] == KEYS[2]
    assert question(await ann.presses("pulse.start", **args))[0] == KEYS[2], "what was passed over is not asked again"
    half = {"level": "4", "comment": "Half a"}
    item, before = question(await ann.does("action", "pulse.back", args={**args, "item": KEYS[2]}, values=half))
    assert (item, before.values) == (KEYS[1], {}), "passed over: nothing stands there"
    item, again = question(await ann.does("action", "pulse.back", args={**args, "item": KEYS[1]}, values={"level": "", "comment": ""}))
    assert (item, again.values["level"], again.values["comment"]) == (KEYS[0], "3", "Because")
    assert again.buttons[-1].label == "Take my answer away"
    said = await said_by(circle, ann)
    assert said[KEYS[2]] == Said(item=KEYS[2], level=4, comment="Half a"), "Back keeps what could be sent"
    assert said[KEYS[1]].is_empty
    assert question(await takes_back(ann, round_id, KEYS[0]))[0] == KEYS[1]
    assert (await said_by(circle, ann))[KEYS[0]].is_empty


@pytest.mark.parametrize(
    ("typed", "wrong", "error"),
    [
        ({"level": "4", "comment": "\U0001f600" * 200}, "comment", "Make it shorter"),
        ({"level": "", "comment": "A long thought"}, "level", "Choose one from the list"),
        ({"level": "4", "comment": "x" * 301}, "comment", "Use 300 characters or fewer"),
        ({"level": "9", "comment": ""}, "level", "Choose one from the list"),
    ],
)
async def test_back_loses_nothing_that_was_typed(circle: Circle, typed: Values, wrong: str, error: str) -> None:
    round_id = await circle.opens()
    ann = circle.members[0]
    await says(ann, round_id, KEYS[1], 2, "Before")
    args = {"round": str(round_id), "item": KEYS[1]}
    item, shown = question(await ann.does("action", "pulse.back", args=args, values=typed))
    assert item == KEYS[1], "what cannot be kept is not left behind"
    assert error in shown.errors[wrong]
    assert shown.values == typed
    assert (await said_by(circle, ann))[KEYS[1]] == Said(item=KEYS[1], level=2, comment="Before")


async def test_skip_in_a_window_that_is_behind_takes_no_answer_away(circle: Circle) -> None:
    round_id = await circle.opens()
    ann = circle.members[0]
    _, behind = question(await ann.presses("pulse.start", round=str(round_id)))
    await says(ann, round_id, KEYS[0], 4, "Mine")
    (skip,) = behind.buttons
    assert skip.label == "Skip"
    assert question(await ann.presses(skip.action, **dict(skip.args)))[0] == KEYS[1]
    assert (await said_by(circle, ann))[KEYS[0]] == Said(item=KEYS[0], level=4, comment="Mine")


async def test_who_leaves_in_the_middle_of_a_round_can_change_what_they_said_until_it_closes(circle: Circle) -> None:
    round_id = await circle.opens()
    ann, bob = circle.members[:2]
    await says(ann, round_id, KEYS[0], 4)
    await bob.presses("pulse.decline", round=str(round_id))
    for leaver in (ann, bob):
        await circle.hub.organise(leaver)
    assert "Start or go on" in words(await ann.types("pulse"))
    assert "does not ask you" in words(await bob.types("pulse"))
    assert question(await says(ann, round_id, KEYS[0], 2))[0] == KEYS[1]
    assert (await said_by(circle, ann))[KEYS[0]].level == 2
    assert question(await takes_back(ann, round_id, KEYS[0]))[0] == KEYS[1]
    assert (await said_by(circle, ann))[KEYS[0]].is_empty
    assert "This is for members of the groups" in words(await says(bob, round_id, KEYS[0], 2))
    await circle.closes()
    assert "The round has closed" in words(await says(ann, round_id, KEYS[0], 2))


async def test_a_card_of_a_round_that_has_closed_says_that_another_is_open(circle: Circle) -> None:
    before = await circle.opens()
    await circle.closes()
    after = await circle.opens()
    ann = circle.members[0]
    for old in (await ann.presses("pulse.start", round=str(before)), await says(ann, before, KEYS[0], 3)):
        assert "Another round is open now: type “pulse”" in words(old)
    assert question(await ann.presses("pulse.start", round=str(after)))[0] == KEYS[0]
    assert await said_by(circle, ann) == {}


async def test_a_double_tap_and_another_process_do_no_harm(circle: Circle, database_url: str) -> None:
    round_id = await circle.opens()
    other = circle.at(Database(database_url, (SECRET_KEY,)))
    args = {"round": str(round_id), "item": KEYS[0]}
    taps = [circle.members[0], other.members[0]] * 2
    answers = await asyncio.gather(*(tap.sends("pulse.answer", {"level": "3", "comment": ""}, "same ticket", **args) for tap in taps))
    assert {question(answer)[0] for answer in answers} == {KEYS[1]}
    async with circle.hub.database.reading() as session:
        assert await number_of(session, "pulse_open") == 1
    await other.hub.database.close()


async def test_only_the_invited_answer_and_only_what_is_asked(circle: Circle) -> None:
    round_id = await circle.opens()
    refused = await says(circle.nurse, round_id, KEYS[0], 3)
    assert "This is for members of the groups that the round asks" in words(refused)
    assert "does not ask you" in words(await circle.nurse.types("pulse"))
    for level in ("", "6", "-1", "x"):
        answer = await circle.members[0].sends("pulse.answer", {"level": level}, round=str(round_id), item=KEYS[0])
        assert form(answer).errors
    for item in ("", "nothing", "Purpose"):
        assert title(await says(circle.members[0], round_id, item, 3)) == "I could not do that"
    long = await says(circle.members[0], round_id, KEYS[0], 3, "\U0001f642" * 300)
    assert "Make it shorter" in form(long).errors["comment"]
    four = {"chosen": KEYS[:4]}
    assert form(await circle.members[0].sends("pulse.answer", four, round=str(round_id), item="what-to-work-on")).errors
    async with circle.hub.database.reading() as session:
        assert await number_of(session, "pulse_open") == 0
        assert await number_of(session, "pulse_participation") == 0


async def test_a_second_too_late_is_refused_and_nothing_is_kept(circle: Circle, clock: FakeClock) -> None:
    round_id = await circle.opens()
    clock.now = (await circle.round()).closes_at
    answer = await says(circle.members[0], round_id, KEYS[0], 3)
    assert "The round has closed" in words(answer)
    clock.forward(seconds=-1)
    assert isinstance((await says(circle.members[0], round_id, KEYS[0], 3)).outcome, Form)
    await circle.marks_closing()
    for try_ in (says(circle.members[1], round_id, KEYS[0], 3), circle.members[1].presses("pulse.decline", round=str(round_id))):
        assert "The round has closed" in words(await try_)
    async with circle.hub.database.reading() as session:
        assert await number_of(session, "pulse_open") == 1
        assert await number_of(session, "pulse_participation") == 1


async def test_a_round_closes_by_itself_at_its_end(circle: Circle, clock: FakeClock) -> None:
    await circle.opens()
    clock.now = (await circle.round()).closes_at
    clock.forward(seconds=-1)
    assert not await circle.job().run()
    clock.forward(seconds=1)
    assert await circle.job().run()
    assert not await circle.job().run()
    async with circle.hub.database.reading() as session:
        assert await rounds.under_way(session) is None


async def test_a_round_is_closed_once(circle: Circle) -> None:
    round_id = str(await circle.opens())
    assert "Finished: 0 of 6" in words(await circle.kay.types("pulse progress"))
    first, second = await asyncio.gather(*(circle.kay.sends("pulse.close", {}, round=round_id) for _ in range(2)))
    assert {title(first), title(second)} == {"The round is closed", "I could not do that"}
    assert "No round is open" in words(await circle.kay.types("pulse close"))
    assert "is not over yet" in words(await circle.kay.does("action", "pulse.open", args=OPEN))
    assert await circle.job().run()
    assert title(await circle.kay.does("action", "pulse.open", args=OPEN)) == "The round is open"
    late = await circle.kay.sends("pulse.close", {}, round=round_id)
    assert "was closed before" in words(late), "an old form closes no newer round"


@pytest.mark.parametrize("attempt", range(3))
async def test_replicas_that_close_at_once_publish_once(circle: Circle, database_url: str, attempt: int) -> None:
    round_id = await circle.opens()
    for member, levels in zip(circle.members, LEVELS, strict=True):
        await answers_all(member, round_id, Sheet(levels=levels))
    await circle.marks_closing()
    others = [Database(database_url, (SECRET_KEY,)) for _ in range(2)]
    jobs = [circle.job(), *(circle.job(database=other) for other in others)]
    ends: list[bool] = []
    for _ in range(4):
        ends += await asyncio.gather(*(job.run() for job in jobs))
    assert sum(ends) == 1
    async with circle.hub.database.reading() as session:
        assert await number_of(session, "pulse_results") == 6
        assert await number_of(session, "outbox") == 6, "the Core Team's place, and five members"
    for other in others:
        await other.close()


@pytest.mark.parametrize("attempt", range(2))
async def test_whoever_answers_while_it_closes_is_counted_or_refused(circle: Circle, database_url: str, attempt: int) -> None:
    round_id = await circle.opens()
    replica = Database(database_url, (SECRET_KEY,))
    other = circle.at(replica)

    async def keeps_saying(number: int) -> int:
        said = 0
        for place in range(8):
            user = (circle if (number + place) % 2 else other).members[number]
            answer = await says(user, round_id, KEYS[place], 1 + (number + place) % 5)
            said += isinstance(answer.outcome, Form)
            assert isinstance(answer.outcome, Form) or "The round has closed" in words(answer)
        return said

    async def close() -> None:
        while True:
            async with replica.reading() as session:
                if await number_of(session, "pulse_open") > 8:
                    break
        await other.marks_closing()
        while not await other.job().run():
            await asyncio.sleep(0.01)

    closed = asyncio.create_task(close())
    said = await asyncio.gather(*map(keeps_saying, range(5)))
    await closed
    async with circle.hub.database.reading() as session:
        found = await results.find(session, round_id)
        assert await number_of(session, "pulse_open") == 0
        assert await number_of(session, "pulse_participation") == 0
    assert found is not None
    assert found.took_part == sum(map(bool, said))
    assert 8 < sum(said) <= 40
    full = sum(all(count > place for count in said) for place in range(8))
    assert len(found.numbers) == full, "a dimension that all five answered is counted whole"
    await replica.close()


async def test_a_round_needs_people_keys_and_a_day_to_come(circle: Circle, database_url: str) -> None:
    values: Values = {"wheel": "illustrative:1", "last_day": LAST_DAY, "groups": ("core_team", "programme_group")}
    preview = await circle.kay.sends("pulse.preview", values)
    assert "asks 6 people in the Core Team and the Programme Group" in words(preview)
    assert "This wheel is illustrative" in words(preview)
    assert "and last when leaders change" in words(preview), "every descriptor is there before it opens"
    for day in ("2026-11-23", "2026-01-01", "2028-01-01"):
        assert "last_day" in form(await circle.kay.sends("pulse.preview", {**values, "last_day": day})).errors
        assert "no longer fits" in words(await circle.kay.does("action", "pulse.open", args={**OPEN, "last_day": day}))
    for user in circle.members:
        await circle.hub.organise(user)
    assert "There is nobody in the Programme Group" in words(await circle.kay.does("action", "pulse.open", args=OPEN))
    keyless = circle.at(Database(database_url))
    for answer in (await keyless.kay.types("pulse open"), await keyless.kay.does("action", "pulse.open", args=OPEN)):
        assert "An administrator must set DIH_SECRET_KEYS first" in words(answer)
    async with circle.hub.database.reading() as session:
        assert await rounds.under_way(session) is None
    await keyless.hub.database.close()


LONG = tuple("“Because” & <so> it is: " + "w" * 125 + f" {place}" for place in range(5))


def _longest(number: int) -> wheel.Wheel:
    """A wheel with as many and as long words as there may be."""
    dimensions = tuple(
        Dimension(key="k" + "abcdefghijklmnopqrst"[place], title=f"Dimension {place} ".ljust(100, "t"), descriptors=LONG)
        for place in range(number)
    )
    levels = tuple(replace(level, label=f"{level.label} ".ljust(40, "l")) for level in WHEEL.levels)
    return replace(WHEEL, key="ours", levels=levels, dimensions=dimensions)


@pytest.mark.parametrize("number", [8, 20])
async def test_all_that_will_be_asked_can_be_read_before_it_is_opened(circle: Circle, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    asked = _longest(number)
    monkeypatch.setattr(wheel, "available", lambda: (asked,))
    values: Values = {"wheel": "ours:1", "last_day": LAST_DAY, "groups": ("programme_group",)}
    answer = await circle.kay.sends("pulse.preview", values)
    read = []
    while True:
        assert isinstance(answer.outcome, Reply)
        card = answer.outcome.card
        read += [fact.label for block in card.blocks if isinstance(block, Facts) for fact in block.facts]
        for drawn in (str(render.message(card, "ticket")["blocks"]), str(render.shown(card, "ticket"))):
            assert render.CUT not in drawn
        more = [button for button in card.buttons if isinstance(button, Button) and button.label == "More"]
        assert "Open the round" in [button.label for button in card.buttons]
        if not more:
            break
        answer = await circle.kay.presses(more[0].action, **dict(more[0].args))
    assert read == [dimension.title for dimension in asked.dimensions]


async def test_where_no_wheel_can_be_read_the_line_and_the_reason_are_said(circle: Circle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wheel, "available", lambda: (WheelFault("ours.yaml", 12, "there is no title"),))
    answer = await circle.kay.types("pulse open")
    assert title(answer) == "No wheel can be read"
    assert "I cannot read ours.yaml, line 12: there is no title." in words(answer)
    assert "No wheel can be read" in words(await circle.kay.sends("pulse.preview", {}))


async def test_the_words_of_a_wheel_that_was_asked_stay_as_they_were(database: Database) -> None:
    asked = WheelWords(key="hub", version=1, items=("one",), words="{}")
    async with database.transaction() as session:
        await rounds.keep_wheel(session, asked)
        await rounds.keep_wheel(session, asked)
    for other in (WheelWords(key="hub", version=1, items=("one",), words="{ }"),):
        with pytest.raises(OtherWords):
            async with database.transaction() as session:
                await rounds.keep_wheel(session, other)
    async with database.transaction() as session:
        await rounds.keep_wheel(session, WheelWords(key="hub", version=2, items=("one",), words="{ }"))


async def test_keys_are_changed_in_the_middle_of_a_round(circle: Circle, database_url: str) -> None:
    round_id = await circle.opens()
    await says(circle.members[0], round_id, KEYS[0], 3)
    new = Fernet.generate_key().decode()
    strange = circle.at(Database(database_url, (new,)))
    for user in strange.members[:2]:
        assert "I cannot open the round’s key" in words(await says(user, round_id, KEYS[0], 2))
    both = circle.at(Database(database_url, (new, SECRET_KEY)))
    for member in both.members[1:]:
        await says(member, round_id, KEYS[0], 2)
    await both.marks_closing()
    assert not await strange.job().run(), "without the key it waits"
    assert await both.job().run()
    async with both.hub.database.reading() as session:
        found = await results.find(session, round_id)
    assert found is not None
    assert [each.scored for each in found.numbers if each.dimension == KEYS[0]] == [5]
    for each in (strange, both):
        await each.hub.database.close()


async def test_a_round_that_was_restored_without_its_answers_is_answered_again(circle: Circle) -> None:
    round_id = await circle.opens()
    for member in circle.members[:3]:
        await answers_all(member, round_id, Sheet(levels=LEVELS[0]))
    async with circle.hub.database.transaction() as session:
        await session.exec_driver_sql("DELETE FROM pulse_keys")
        await session.exec_driver_sql("DELETE FROM pulse_open")
    assert question(await circle.members[0].presses("pulse.start", round=str(round_id)))[0] == KEYS[0]
    await asyncio.gather(*(says(member, round_id, KEYS[0], 3 + number % 2) for number, member in enumerate(circle.members)))
    assert "Finished: 0 of 6" in words(await circle.kay.types("pulse progress"))
    await circle.closes()
    async with circle.hub.database.reading() as session:
        found = await results.find(session, round_id)
    assert found is not None
    assert (found.took_part, [each.scored for each in found.numbers]) == (5, [5])
