"""What waits for the Core Team: the list, and taking an idea on."""

from __future__ import annotations

from handlers import words
from handlers.calendar import local_day
from handlers.deadlines import decision_by, waits
from handlers.ideas import news
from handlers.ideas.card import card, deciders, find, open_button, overtaken
from handlers.paging import Page
from handlers.routing import Request, Router, core_team
from handlers.views import Card, Line, Lines, Outcome, Reply, Text
from storage import audit, ideas
from storage.ideas import Idea, IdeaState

router = Router()

PAGE = 8


@router.command("triage", "see the ideas that wait for the Core Team", may=core_team, reads=True)
async def triage(request: Request) -> Outcome:
    """New and open ideas, the one that has waited longest first."""
    return Reply(card=await _page(request, 0))


@router.action("ideas.triage_page", may=core_team, reads=True)
async def turn_page(request: Request) -> Outcome:
    """Another page of them, in place of the one before."""
    return Reply(card=await _page(request, request.number("offset")), replaces=True)


async def _page(request: Request, offset: int) -> Card:
    today = local_day(request.now)
    total = await ideas.count_to_decide(request.session, today)
    if not total:
        return Card(title="Ideas to decide", blocks=(Text(text="No idea waits for the Core Team."),))
    page = Page.of(total, offset, size=PAGE)
    waiting = await ideas.list_to_decide(request.session, today, offset=page.offset, limit=PAGE)
    lines = tuple(
        Line(text=f"{each.reference}: {each.title}", note=waits(each, request.now), button=open_button(each.id)) for each in waiting
    )
    heading = Text(text=f"{page.said('idea')}, waiting longest first.", kind="note")
    return Card(title="Ideas to decide", blocks=(heading, Lines(lines=lines)), buttons=page.turns("ideas.triage_page"))


@router.action("ideas.take_on", may=deciders)
async def take_on(request: Request) -> Outcome:
    """Makes the person the assessor of an idea that is new, or whose assessor has left the Core Team."""
    idea = await find(request, request.number("idea"))
    return await _take(request, idea, can=idea.needs_assessor)


@router.action("ideas.take_again", may=deciders)
async def take_again(request: Request) -> Outcome:
    """Makes the person the assessor of an idea that was put off."""
    idea = await find(request, request.number("idea"))
    return await _take(request, idea, can=idea.state is IdeaState.NOT_NOW)


async def _take(request: Request, idea: Idea, *, can: bool) -> Outcome:
    due_on = decision_by(idea.submitted_at if idea.state is IdeaState.SUBMITTED else request.now)
    me, had_it = request.person.id, idea.assessor_id
    if not can or not await ideas.take_on(
        request.session, idea.id, was=idea.state, assessor_id=me, due_on=due_on, now=request.now, instead_of=had_it
    ):
        raise await overtaken(request, idea.id)
    await audit.add(request.session, now=request.now, action="ideas.taken_on", object=f"idea:{idea.id}", by=me)
    await news.tell_core_team(request, idea.id, "taken_on")
    number = await news.tell_taken_on(request, idea)
    told = f"author and {words.count(number, 'person', 'people')} with the same need are" if number else "author is"
    yours = f"You have it now, and its {told} told. Please decide by {words.day(due_on)}."
    if due_on < local_day(request.now):
        yours = f"You have it now, and its {told} told. It has waited long: please decide soon."
    return Reply(card=await card(request, await find(request, idea.id), yours), reference=idea.reference)
