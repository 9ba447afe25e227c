"""One's own ideas: see them, withdraw one."""

from __future__ import annotations

from handlers import words
from handlers.ideas import news
from handlers.ideas.card import STATES, about, author, find, open_button, overtaken
from handlers.paging import Page
from handlers.routing import Request, Router
from handlers.views import Button, Card, Form, Line, Lines, Outcome, Reply, Text
from storage import ideas
from storage.ideas import IdeaState

router = Router()

PAGE = 8


@router.command("ideas", "see the ideas you shared", reads=True)
async def mine(request: Request) -> Outcome:
    """The person's own ideas, newest first."""
    return Reply(card=await _page(request, 0))


@router.action("ideas.page", reads=True)
async def turn_page(request: Request) -> Outcome:
    """Another page of the person's own ideas, in place of the one before."""
    return Reply(card=await _page(request, request.number("offset")), replaces=True)


async def _page(request: Request, offset: int) -> Card:
    total = await ideas.count_by_author(request.session, request.person.id)
    share = Button(label="Share an idea", action="ideas.start", does="ask", style="primary")
    if not total:
        return Card(title="Your ideas", blocks=(Text(text="You have not shared an idea yet."),), buttons=(share,))
    page = Page.of(total, offset, size=PAGE)
    shown = await ideas.list_by_author(request.session, request.person.id, offset=page.offset, limit=PAGE)
    lines = tuple(
        Line(
            text=f"{idea.reference}: {idea.title}",
            note=f"{words.day(idea.submitted_at)}. {STATES[idea.state]}.",
            button=open_button(idea.id),
        )
        for idea in shown
    )
    pages = page.turns("ideas.page", back="Newer", more="Older")
    shown_note = Text(text=f"{page.said('idea')}, newest first.", kind="note")
    return Card(title="Your ideas", blocks=(shown_note, Lines(lines=lines)), buttons=(*pages, share))


async def _withdraw_form(request: Request) -> Form:
    idea = await find(request, request.number("idea"))
    what = Text(text=f"{idea.reference}: {idea.title}")
    then = Text(text="The Core Team will stop looking at it. You cannot undo this, but you can share it again.")
    return Form(
        action="ideas.withdraw", title="Withdraw this idea?", fields=(), submit="Withdraw", args=about(idea.id), blocks=(what, then)
    )


@router.action("ideas.ask_withdraw", may=author, reads=True)
async def ask_withdraw(request: Request) -> Outcome:
    """Asks the author whether they are sure."""
    return await _withdraw_form(request)


@router.form("ideas.withdraw", _withdraw_form, may=author)
async def withdraw(request: Request) -> Outcome:
    """Takes the idea back, lets the Core Team's card say so, and tells those who have the need too."""
    idea = await find(request, request.number("idea"))
    if not await ideas.withdraw(request.session, idea.id):
        raise await overtaken(request, idea.id)
    await news.tell_core_team(request, idea.id, "withdrawn")
    await news.tell_outcome(request, idea, IdeaState.WITHDRAWN)
    share = Button(label="Share an idea", action="ideas.start", does="ask")
    card = Card(title=f"{idea.reference} is withdrawn", blocks=(Text(text="The Core Team’s card now says so."),), buttons=(share,))
    return Reply(card=card, reference=idea.reference)
