"""Who wins where two act at once, and what is refused to whom, told without a channel."""

from __future__ import annotations

import asyncio

import pytest

from bot.dispatch import Answer
from handlers.errors import GONE
from storage import audit, ideas, support
from storage.ideas import IdeaState
from tests.dispatch.conftest import Hub, User, form, title, words
from tests.storage.hub import number_of

WHY = {"reason": "Two partners need it.", "next": "We meet.", "by": "Kay"}
FORMS = {
    "accepted": {**WHY, "type": "local", "on": "2026-12-01"},
    "not_now": {**WHY, "review": "2027-03-01"},
    "not_suitable": WHY,
    "already_exists": WHY,
}


async def _decides(user: User, outcome: str, idea: int = 1, **values: str) -> Answer:
    return await user.sends("ideas.decide", {"name": f"Project {idea}", **FORMS[outcome], **values}, idea=str(idea), outcome=outcome)


async def _states(hub: Hub) -> list[IdeaState]:
    async with hub.database.reading() as session:
        return [idea.state for number in range(1, 9) if (idea := await ideas.find(session, number))]


async def test_of_two_who_take_an_idea_on_at_once_one_has_it(hub: Hub, ann: User, kay: User, lee: User) -> None:
    await ann.shares()
    answers = await asyncio.gather(*(each.presses("ideas.take_on", idea="1") for each in (kay, lee)))
    async with hub.database.reading() as session:
        idea = await ideas.find(session, 1)
        told = [entry.by for entry in await audit.newest(session) if entry.action == "ideas.taken_on"]
    assert idea is not None
    assert told == [idea.assessor_id]
    assert sorted("You have it now" in words(answer) for answer in answers) == [False, True]
    (refused,) = (words(answer) for answer in answers if "You have it now" not in words(answer))
    assert f"{idea.assessor} has already taken IDEA-1 on." in refused


async def test_of_two_who_decide_at_once_one_does_and_no_project_is_left_over(hub: Hub, ann: User, kay: User, lee: User) -> None:
    await ann.shares()
    await ann.shares()
    for idea, (first, second) in enumerate(((kay, lee), (lee, kay)), start=1):
        answers = await asyncio.gather(_decides(first, "accepted", idea), _decides(second, "not_suitable", idea))
        assert sorted(title(answer) for answer in answers) == ["I could not do that", f"IDEA-{idea} is decided"]
        assert any("has already decided" in words(answer) for answer in answers)
    accepted = (await _states(hub)).count(IdeaState.ACCEPTED)
    async with hub.database.reading() as session:
        assert await number_of(session, "projects") == accepted


async def test_two_ideas_never_point_at_each_other(hub: Hub, ann: User, kay: User, lee: User) -> None:
    await ann.shares()
    await ann.shares()
    await asyncio.gather(_decides(kay, "already_exists", 1, existing="2"), _decides(lee, "already_exists", 2, existing="1"))
    assert sorted(await _states(hub)) == [IdeaState.ALREADY_EXISTS, IdeaState.SUBMITTED]


async def test_an_author_who_withdraws_while_it_is_decided_is_told_what_holds(hub: Hub, ann: User, kay: User, lee: User) -> None:
    await ann.shares()
    answers = await asyncio.gather(ann.at(lee.hub).sends("ideas.withdraw", {}, idea="1"), _decides(kay, "not_suitable"))
    (state,) = await _states(hub)
    expected = "Kay Fox has already decided" if state is IdeaState.NOT_SUITABLE else "was already withdrawn"
    assert [expected in words(answer) for answer in answers].count(True) == 1


async def test_nobody_decides_their_own_idea(hub: Hub, kay: User) -> None:
    await kay.shares()
    for answer in (
        await kay.presses("ideas.take_on", idea="1"),
        await kay.presses("ideas.choose_outcome", idea="1"),
        await _decides(kay, "accepted"),
    ):
        assert "This is for a Core Team member who is not the idea’s author." in words(answer)
    assert "This is for everybody but the idea’s author." in words(await kay.presses("ideas.support", idea="1"))
    assert await _states(hub) == [IdeaState.SUBMITTED]


async def test_an_idea_for_the_core_team_is_supported_by_nobody_else(hub: Hub, ann: User, bob: User, kay: User) -> None:
    await ann.shares(visibility="core_team")
    hidden, missing = words(await bob.presses("ideas.support", idea="1")), words(await bob.presses("ideas.support", idea="2"))
    assert hidden.replace("IDEA-1", "IDEA-2") == missing, "it is not told whether it exists"
    await kay.presses("ideas.support", "one ticket", idea="1")
    await kay.presses("ideas.support", "another ticket", idea="1")
    async with hub.database.reading() as session:
        assert [each.name for each in await support.list_supporters(session, 1)] == ["Kay Fox"]
    assert "Core Team only. Its title and need become a project" in str(
        form(await kay.presses("ideas.ask_decide", idea="1", outcome="accepted"))
    )


async def test_old_buttons_of_an_idea_that_changed_answer_politely(hub: Hub, ann: User, bob: User, kay: User, lee: User) -> None:
    await ann.shares()
    assert GONE in words(await kay.presses("ideas.ask_decide", idea="1", outcome="perfect"))
    await _decides(kay, "not_now")
    assert "Not now: the Core Team will look at it again" in words(await kay.presses("ideas.take_on", idea="1"))
    assert "has already decided IDEA-1" in words(await kay.presses("ideas.choose_outcome", idea="1"))
    assert "You have it now" in words(await lee.presses("ideas.take_again", idea="1"))
    assert "Lee Ash has already taken IDEA-1 on." in words(await kay.presses("ideas.take_again", idea="1"))
    assert "You have IDEA-1 already." in words(await lee.presses("ideas.take_again", idea="1"))
    await _decides(kay, "not_suitable")
    assert "takes no support any more" in words(await bob.presses("ideas.support", idea="1"))


async def test_an_author_can_withdraw_an_idea_that_was_put_off(hub: Hub, ann: User, kay: User) -> None:
    await ann.shares()
    await _decides(kay, "not_now")
    assert "label='Withdraw'" in words(await ann.presses("ideas.open", idea="1"))
    assert title(await ann.sends("ideas.withdraw", {}, idea="1")) == "IDEA-1 is withdrawn"
    assert await _states(hub) == [IdeaState.WITHDRAWN]
    hub.clock.forward(days=400)
    assert "No idea waits" in words(await kay.types("triage")), "it is not looked at again"


@pytest.mark.parametrize("outcome", ["accepted", "not_suitable"])
async def test_what_has_come_of_an_idea_cannot_be_withdrawn(hub: Hub, ann: User, kay: User, outcome: str) -> None:
    await ann.shares()
    await _decides(kay, outcome)
    assert "has already decided IDEA-1" in words(await ann.sends("ideas.withdraw", {}, idea="1"))


async def test_whoever_comes_after_an_assessor_who_left_can_take_the_idea_on(hub: Hub, ann: User, kay: User, lee: User) -> None:
    await ann.shares()
    await lee.presses("ideas.take_on", idea="1")
    assert "Lee Ash has already taken IDEA-1 on." in words(await kay.presses("ideas.take_on", idea="1"))
    await hub.organise(lee)
    shown = await kay.presses("ideas.open", idea="1")
    assert "Take it on" in words(shown)
    assert "Nobody now: Lee Ash has left the Core Team" in words(shown)
    assert "Lee Ash, who had it, has left the Core Team" in words(await kay.types("triage"))
    assert "You have it now" in words(await kay.presses("ideas.take_on", idea="1"))
    assert "Take it on" not in words(await kay.presses("ideas.open", idea="1"))
    async with hub.database.reading() as session:
        idea = await ideas.find(session, 1)
    assert idea is not None
    assert (idea.assessor, idea.assessor_left) == ("Kay Fox", False)


async def test_an_idea_is_not_said_to_be_there_already_in_one_that_is_over(hub: Hub, ann: User, kay: User) -> None:
    for _ in range(2):
        await ann.shares()
    await _decides(kay, "not_suitable")
    refused = form(await _decides(kay, "already_exists", 2, existing="IDEA-1"))
    assert refused.errors == {"existing": "IDEA-1 is not taken further. Choose another idea or another outcome."}


async def test_what_waits_is_paged_and_the_longest_waiting_comes_first(hub: Hub, ann: User, kay: User) -> None:
    for number in range(10):
        await ann.shares(title=f"Idea number {number}")
        hub.clock.forward(days=1)
    shown = words(await kay.types("triage"))
    assert "1 to 8 of 10 ideas, waiting longest first." in shown
    assert "Waiting 10 days. Nobody has it yet. Overdue since Tuesday 1 December 2026." in shown
    assert shown.index("Idea number 0") < shown.index("Idea number 7")
    assert "Idea number 9" in words(await kay.presses("ideas.triage_page", offset="8"))
    await _decides(kay, "not_now", review="2026-12-05")
    assert "of 9 ideas" in words(await kay.types("triage"))
    hub.clock.forward(days=2)
    assert "Put off until Saturday 5 December 2026 by Kay Fox." in words(await kay.types("triage"))
