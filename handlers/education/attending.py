"""What comes, one event, one's own answer to it, and its entry for one's own calendar."""

from __future__ import annotations

from handlers import words
from handlers.education import cards, phrases
from handlers.errors import GONE, Refused
from handlers.routing import Request, Router
from handlers.views import Outcome, Reply
from storage import education, outbox
from storage.education import Answer, Event, EventKind, EventState, Standing

router = Router()


@router.command("cop", "see the Community of Practice sessions and say that you come", reads=True)
async def show_cop(request: Request) -> Outcome:
    """The next sessions."""
    return Reply(card=await cards.coming_card(request, EventKind.COP, 0))


@router.command("training", "see the Fundamentals of Innovation Adoption days and say that you come", reads=True)
async def show_training(request: Request) -> Outcome:
    """The next training days."""
    return Reply(card=await cards.coming_card(request, EventKind.FUNDAMENTALS, 0))


@router.action("education.page", reads=True)
async def turn_page(request: Request) -> Outcome:
    """Another page of what comes, in place of what was there."""
    return Reply(card=await cards.coming_card(request, cards.kind_in(request), request.number("offset")), replaces=True)


@router.action("education.recordings", reads=True)
async def show_recordings(request: Request) -> Outcome:
    """What is over, in place of what was there."""
    return Reply(card=await cards.recordings_card(request, cards.kind_in(request), request.number("offset")), replaces=True)


@router.action("education.open", reads=True)
async def open_event(request: Request) -> Outcome:
    """The card of one event."""
    return Reply(card=await cards.event_card(request, await cards.event_in(request)))


@router.action("education.answer")
async def answer(request: Request) -> Outcome:
    """Notes who comes; a place that is given up goes to whoever waits longest."""
    said = next((each for each in Answer if each == request.args.get("answer")), None)
    if said is None:
        raise Refused(GONE)
    event = await cards.event_in(request, held=True)
    if event.state is EventState.CANCELLED:
        raise Refused(f"“{event.title}” is cancelled. {phrases.next_ones(event)}")
    if event.ends_at <= request.now:
        raise Refused(f"“{event.title}” is over. {phrases.next_ones(event)}")
    standing = await education.answer(request.session, event, request.person.id, said, now=request.now)
    promoted = await education.promote(request.session, event.id, now=request.now)
    await outbox.enqueue(request.session, *(education.promoted_notice(event.id, each) for each in promoted), due_at=request.now)
    lead = await _lead(request, event, standing)
    return Reply(card=await cards.event_card(request, await cards.event_in(request), lead=lead), replaces=True)


async def _lead(request: Request, event: Event, standing: Standing) -> str:
    """What the answer means."""
    match standing:
        case Standing.COMING:
            return "Thank you, you are coming. I will remind you before it starts."
        case Standing.WAITING:
            mine = await education.find_signup(request.session, event.id, request.person.id)
            assert mine is not None
            number = words.number(await education.place_in_line(request.session, event.id, mine))
            return (
                f"All places are taken, so you are number {number} on the waiting list. If a place becomes free for you, I will tell you."
            )
        case Standing.MAYBE:
            return "Thank you. A maybe keeps no place, so press Yes as soon as you know."
        case Standing.NOT_COMING:
            return "Thank you for telling me. I will send you no reminder."


@router.file("education.calendar")
async def calendar_entry(request: Request) -> Outcome:
    """The entry for one's own calendar; with the join link for those who come."""
    event = await cards.event_in(request)
    mine = await education.find_signup(request.session, event.id, request.person.id)
    link = event.link if mine is not None and mine.standing is Standing.COMING else ""
    from handlers.education import invitation  # here, for icalendar takes 3 MB and a good part of a start

    return invitation.file(event, link=link, now=request.now)
