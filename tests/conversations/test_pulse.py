"""A round of the maturity pulse, told once and lived on every channel."""

from __future__ import annotations

import asyncio

import sqlalchemy as sa

from storage import accounts, people, rights
from storage.people import Group
from storage.pulse import answers, participation, rounds
from storage.pulse.answers import CHOICE
from storage.pulse.sealing import Said
from storage.rights import Rights
from storage.tables import METADATA
from tests.conversations.chat import Chat
from tests.conversations.conftest import Hub
from tests.storage.hub import everything_kept
from tests.web.window import Window

PROMISE = "Until the round closes the people who run the server could technically look. After it closes nobody can."
FIRST, SECOND, THIRD, FOURTH = (
    "Shared purpose and leadership", "Needs and priorities", "Finding and choosing innovation", "Adapting and adopting",
)  # fmt: skip
REST = ("Spreading and sustaining", "Evidence and benefits", "Culture, skills and learning", "Partnership and involvement")
THREE = "Which three should we work on?"


async def opens(hub: Hub) -> Chat:
    """Kay of the Core Team opens a round for everybody."""
    kay = await hub.somebody("Core Team member", Group.CORE_TEAM)
    await kay.types("pulse open")
    await kay.fills({})
    await kay.sees("Before you open it", "Nothing is open yet", "This wheel is illustrative", REST[-1], "We take requests as they come.")
    await kay.presses("Open the round")
    await kay.sees("The round is open")
    return kay


async def others_answer(hub: Hub, number: int) -> None:
    """So many more of the Programme Group answer everything, between 2 and 4."""
    now = hub.server.clock()
    async with hub.database.transaction() as session:
        round = await rounds.under_way(session)
        assert round is not None
        for place in range(number):
            id = await accounts.add_person(session, name=f"Member {place}", email=None, now=now)
            person = await people.find(session, id)
            assert person is not None
            wanted = Rights(organisation_id=None, groups=frozenset({Group.PROGRAMME_GROUP}), administrator=False)
            await rights.change(session, person, wanted)
            for item in round.wheel.items:
                await answers.save(session, round, id, Said(item=item, level=2 + place % 3), now=now)
            await answers.save(session, round, id, Said(item=CHOICE, chosen=round.wheel.items[:3]), now=now)
            await participation.finish(session, round.id, id)


async def closes(hub: Hub) -> None:
    """The server's own tick would do it within seconds."""
    for _ in range(100):
        await hub.server.closing.run()
        async with hub.database.reading() as session:
            if await rounds.under_way(session) is None:
                return
        await asyncio.sleep(0.05)
    raise AssertionError("the round does not close")


async def test_a_round_from_its_opening_to_what_is_agreed_on_it(hub: Hub) -> None:
    ann = await hub.somebody("Partner representative", Group.PROGRAMME_GROUP)
    nurse = await hub.somebody("Ward nurse")
    await nurse.types("pulse")
    await nurse.sees("No round is open")
    kay = await opens(hub)
    await others_answer(hub, 5)
    await nurse.types("pulse")
    assert "Start or go on" not in await nurse.sees(PROMISE, "it does not ask you")
    await ann.types("pulse")
    await ann.sees("The maturity pulse", PROMISE, "Somebody who knows all answers but one", "About 10 minutes: 8 questions")
    await ann.presses("Start or go on")
    await ann.sees("1 of 8", FIRST, "3 Developing", "We have not agreed what the hub is for.", "Don’t know")
    await ann.fills({FIRST: "4 Working well", "Comment": "A remark of mine"})
    await ann.sees("2 of 8", SECOND)
    await ann.presses("Skip")
    await ann.sees("3 of 8", THIRD)
    await ann.presses("Back")
    await ann.sees("2 of 8")
    await ann.fills({SECOND: "Don’t know"})
    for place, title in enumerate((THIRD, FOURTH, *REST), start=3):
        await ann.sees(f"{place} of 8", title)
        await ann.fills({title: "3 Developing"})
    await ann.sees("Last step", THREE)
    await ann.fills({THREE: f"{SECOND}; {REST[0]}"})
    await ann.sees("Thank you", "Your answers are saved")
    await ann.presses("Look at my answers")
    await ann.sees("1 of 8")
    await ann.opens_form()
    assert (await ann.typed(FIRST), await ann.typed("Comment")) == ("4 Working well", "A remark of mine")
    if isinstance(ann, Window):
        await ann.goes()
        assert "A remark of mine" not in ann.words, "the page keeps nothing of it"
        assert "Thank you" not in ann.words
    kept = await everything_kept(hub.database)
    assert "remark of mine" not in kept
    assert "pulse.answer" not in kept
    await kay.types("pulse progress")
    await kay.sees("Finished: 6 of 7")
    await kay.types("pulse close")
    await kay.sees("Close the round?", "Finished: 6 of 7")
    await kay.fills({})
    await kay.sees("The round is closed")
    await closes(hub)
    told = await ann.is_told("Results: Maturity pulse of")
    assert "6 of 7 took part" in told
    assert "You are told because you were asked to take part." in told
    await nurse.types("pulse results")
    shown = await nurse.sees("6 of 7 took part (86%)", "Scored", FIRST, "This wheel is illustrative", "“Needs and priorities”")
    assert "Agree a priority" not in shown
    await nurse.presses("Read the comments")
    await nurse.sees("Comments:", "A remark of mine", "1 to 1 of 1 comment")
    await kay.types("pulse results")
    await kay.presses("Agree a priority")
    await kay.fills({"What to work on": "One list of needs", "Who looks after it": "Partner representative"})
    await kay.sees("Agreed priorities", "1. One list of needs", "Partner representative looks after it")


async def test_what_is_refused_stays_and_reminders_can_be_stopped(hub: Hub) -> None:
    ann = await hub.somebody("Partner representative", Group.PROGRAMME_GROUP)
    await opens(hub)
    await hub.server.planner.run()
    await ann.types("pulse")
    await ann.presses("Start or go on")
    await ann.sees("1 of 8")
    await ann.fills({FIRST: "2 Starting", "Comment": "The patient with NHS number 999 123 4567"})
    assert "could name a patient" in (await ann.errors())["Comment"]
    assert await ann.typed(FIRST) == "2 Starting"
    await ann.fills({"Comment": "Half of it"})
    await ann.sees("2 of 8")
    await ann.types("pulse")
    await ann.presses("No more reminders for this round")
    await ann.sees("No more reminders for this round", "You can still answer")
    await ann.types("pulse")
    await ann.presses("Start or go on")
    await ann.sees("2 of 8", SECOND)
    async with hub.database.transaction() as session:
        round = await rounds.under_way(session)
        assert round is not None
        await rounds.mark_closing(session, round.id, at=hub.server.clock())
    await ann.fills({SECOND: "2 Starting"})
    await ann.sees("The round has closed")
    async with hub.database.reading() as session:
        sent = [row.action for row in await session.execute(sa.select(METADATA.tables["receipts"]))]
    assert not {action for action in sent if action.startswith("pulse.")} & {"pulse.start", "pulse.answer", "pulse.decline"}
