"""Sessions and training days from plan to recording, told once and lived on every channel."""

from __future__ import annotations

from datetime import timedelta

from handlers.words import LONDON
from storage import education, people
from storage.education import Answer, Details, EventKind
from storage.people import Group
from tests.conversations.chat import Chat
from tests.conversations.conftest import Hub

LINK = "https://meet.example.org/bids"


def _day(hub: Hub, days: int) -> str:
    return (hub.server.clock().astimezone(LONDON).date() + timedelta(days=days)).isoformat()


async def _plans(kay: Chat, hub: Hub, **also: str) -> None:
    """The Core Team plans a session in 20 days."""
    await kay.types("cop add")
    await kay.opens_form()
    assert await kay.typed("Start time") == "12:30"
    asked = {"Title": "Getting Bid Ready", "What is it about?": "How to write a bid that is read.", "Date": _day(hub, 20)}
    await kay.fills({**asked, "Join link": LINK, **also})
    await kay.sees("Planned: Getting Bid Ready", "12:30pm")


async def _opens(chat: Chat) -> str:
    await chat.types("cop")
    await chat.sees("Community of Practice", "Getting Bid Ready")
    await chat.presses("Open")
    return await chat.sees("How to write a bid that is read.", "Your answer")


async def _answers(chat: Chat, answer: str) -> None:
    await _opens(chat)
    await chat.presses(answer)


async def test_the_last_place_goes_to_one_and_the_next_in_line_gets_it_when_it_is_given_up(hub: Hub) -> None:
    kay = await hub.somebody("Core Team member", Group.CORE_TEAM)
    nurse, physio = await hub.somebody("Ward nurse"), await hub.somebody("Physiotherapist")
    await nurse.types("cop")
    assert "Add a session" not in await nurse.sees("No session is planned yet")
    await _plans(kay, hub, Places="1")
    await _answers(nurse, "Yes")
    shown = await nurse.sees("Thank you, you are coming", "1 of 1 place taken", "Yes (your answer)", "Join")
    assert "For the Core Team only" not in shown
    await nurse.presses("Add to calendar")
    await nurse.sees("Your file is ready")
    await _answers(physio, "Yes")
    assert "Join" not in (await physio.sees("you are number 1 on the waiting list", "1 person is waiting")).replace("Join link", "")
    await nurse.types("cop")
    await nurse.sees("No places left", "You are coming")
    await kay.types("cop")
    await kay.sees("1 session planned or held. Target: at least 4.")
    shown = await _opens(kay)
    assert all(words in shown for words in ("For the Core Team only", "Ward nurse", "Waiting, in this order", "Physiotherapist"))
    await _answers(nurse, "No")
    await nurse.sees("Thank you for telling me", "No (your answer)", "You said no")
    told = await physio.is_told("You have a place: Getting Bid Ready")
    assert "it is yours" in told
    assert "because you were on the waiting list" in told
    await physio.presses("Open the session")
    await physio.sees("You are coming", "Join")
    assert await nurse.was_told("You have a place") == 0


async def test_a_session_is_moved_and_then_cancelled_and_those_who_come_are_told_each_once(hub: Hub) -> None:
    kay = await hub.somebody("Core Team member", Group.CORE_TEAM)
    nurse, dietitian = await hub.somebody("Ward nurse"), await hub.somebody("Dietitian")
    await _plans(kay, hub)
    await _answers(nurse, "Maybe")
    await nurse.sees("A maybe keeps no place", "Maybe (your answer)")
    await _answers(dietitian, "No")
    await dietitian.sees("You said no")
    await _opens(kay)
    await kay.presses("Change")
    await kay.opens_form()
    assert await kay.typed("Title") == "Getting Bid Ready"
    await kay.fills({"Date": _day(hub, -1)})
    assert "in the past" in (await kay.errors())["Date"]
    await kay.fills({"Date": _day(hub, 21), "Join link": "meet.example.org"})
    assert "This is no link" in (await kay.errors())["Join link"]
    await kay.fills({"Join link": LINK, "Start time": "13:00", "Place": "Education Centre"})
    await kay.sees("Saved: Getting Bid Ready", "are told what changed")
    told = await nurse.is_told("Changed: Getting Bid Ready")
    assert "1pm. It was: 12:30pm." in told
    assert "Education Centre. It was: Online." in told
    assert "You said maybe" in told
    await _answers(nurse, "Yes")
    await nurse.sees("you are coming")
    await _opens(kay)
    await kay.presses("Cancel it")
    await kay.opens_form()
    await kay.fills({})
    await kay.sees("Cancelled: Getting Bid Ready", "1 person is told")
    told = await nurse.is_told("Cancelled: Getting Bid Ready")
    assert "does not take place" in told
    assert "because you said yes or maybe to it" in told
    await nurse.presses("Maybe")
    await nurse.sees("“Getting Bid Ready” is cancelled", "Type “cop” to see the next ones")
    await nurse.types("cop")
    await nurse.sees("No session is planned yet")
    assert await nurse.was_told("Changed:") == await nurse.was_told("Cancelled:") == 1
    assert await dietitian.was_told("Getting Bid Ready") == 0


async def test_a_training_day_is_held_and_its_recording_is_found_by_all_and_told_once_to_those_who_said_yes(hub: Hub) -> None:
    kay = await hub.somebody("Core Team member", Group.CORE_TEAM)
    nurse, partner = await hub.somebody("Ward nurse"), await hub.somebody("Partner representative", Group.PROGRAMME_GROUP)
    now = hub.server.clock()
    held = Details(
        title="Fundamentals in March", about="A day of practice.", starts_at=now - timedelta(days=3), ends_at=now - timedelta(days=2),
        place="Education Centre", area=education.Area.WEST, link="", host="NHS Dorset", places=20,
    )  # fmt: skip
    async with hub.database.transaction() as session:
        id = await education.add(session, held, kind=EventKind.FUNDAMENTALS, now=now - timedelta(days=30))
        event = await education.hold(session, id)
        (person,) = [each.id for each in await people.list_people(session) if each.name == "Ward nurse"]
        assert event is not None
        await education.answer(session, event, person, Answer.YES, now=now - timedelta(days=20))
    await partner.types("training")
    assert "Recordings" not in await partner.sees("No training day is planned yet")
    await kay.types("training")
    await kay.sees("0 in East Dorset and 1 in West Dorset", "The next should be in East Dorset")
    await kay.presses("Recordings")
    await kay.sees("Fundamentals in March", "No recording yet")
    await kay.presses("Open")
    await kay.sees("This is over. There is no recording yet.")
    await kay.presses("Add the recording")
    await kay.opens_form()
    await kay.fills({"Link to the recording": "http://example.org/film"})
    assert "This is no link" in (await kay.errors())["Link to the recording"]
    await kay.fills({"Link to the recording": "https://example.org/film", "Link to the slides": "https://example.org/slides"})
    await kay.sees("Saved: Fundamentals in March")
    told = await nurse.is_told("To look at: Fundamentals in March")
    assert "You are told because you said you would come on" in told
    assert "Thank you for coming" not in told, "nobody notes who was there"
    await partner.types("training")
    await partner.sees("Recordings")
    await partner.presses("Recordings")
    await partner.sees("Fundamentals in March")
    await partner.presses("Open")
    await partner.sees("This is over", "Watch the recording", "See the slides")
    assert await partner.was_told("Fundamentals in March") == 0
