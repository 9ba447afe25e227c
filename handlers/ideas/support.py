"""“We have this need too”: said of somebody else's idea, once, and taken back at any time."""

from __future__ import annotations

from handlers.errors import Refused
from handlers.ideas import news
from handlers.ideas.card import STATES, SUPPORTABLE, card, find, others
from handlers.routing import Request, Router
from handlers.views import Outcome, Reply
from storage import support

router = Router()


@router.action("ideas.support", may=others)
async def give(request: Request) -> Outcome:
    """Adds the person to those who have the need of an idea."""
    idea = await find(request, request.number("idea"))
    if idea.state not in SUPPORTABLE:
        raise Refused(f"{idea.reference} takes no support any more. {STATES[idea.state]}.")
    if await support.add(request.session, idea.id, request.person, now=request.now):
        await news.tell_core_team(request, idea.id, "supported")
    thanks = "Thank you: you are counted. You will hear what becomes of it."
    return Reply(card=await card(request, idea, thanks), replaces=True, reference=idea.reference)


@router.action("ideas.unsupport", may=others)
async def take_back(request: Request) -> Outcome:
    """Takes the person out of those who have the need of an idea."""
    idea = await find(request, request.number("idea"))
    if await support.remove(request.session, idea.id, request.person.id):
        await news.tell_core_team(request, idea.id, "unsupported")
    return Reply(card=await card(request, idea, "You are no longer counted."), replaces=True, reference=idea.reference)
