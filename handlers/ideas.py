"""Ideas: share one, see it, see mine, withdraw one."""

from __future__ import annotations

import re

from handlers import forms, words
from handlers.errors import Refused
from handlers.paging import Page
from handlers.routing import Occasion, Request, Right, Router
from handlers.views import Button, Card, Choice, Fact, Facts, Form, Line, Lines, Message, Option, Outcome, Reply, Text, TextField
from storage import ideas, outbox, people
from storage.ideas import Idea, IdeaState, Visibility
from storage.outbox import Notice
from storage.people import Group, Person

router = Router()

PAGE = 8
TITLE = TextField(name="title", label="Title", hint="A few words that say what it is.", least=5, most=150)
NEED = TextField(
    name="need",
    label="What need or problem does it answer, and for whom?",
    hint="Name a group, such as people who have fallen. Never name a person.",
    lines=4,
    least=5,
    most=2000,
)
PROPOSAL = TextField(
    name="proposal",
    label="Your idea",
    hint="Leave this empty if you have a problem and no idea yet.",
    required=False,
    lines=4,
    most=2000,
)
WHO = Choice(
    name="visibility",
    label="Who may see it",
    options=(
        Option(value=Visibility.HUB, label="Everyone in the hub"),
        Option(value=Visibility.CORE_TEAM, label="The Core Team only"),
    ),
)
STATES = {
    IdeaState.SUBMITTED: "Submitted: the Core Team will look at it",
    IdeaState.WITHDRAWN: "Withdrawn by its author",
}
VISIBLE_TO = {Visibility.HUB: "Everyone in the hub", Visibility.CORE_TEAM: "The Core Team and its author"}


async def _idea_form(request: Request) -> Form:
    """The first form: five fields, four where no partner organisation has been set up yet."""
    organisations = await people.list_organisations(request.session)
    where = Choice(
        name="where",
        label="Where",
        hint="The partner organisation it is for.",
        options=tuple(Option(value=str(each.id), label=each.name) for each in organisations),
    )
    fields = (TITLE, NEED, PROPOSAL, *((where,) if organisations else ()), WHO)
    mine = request.person.organisation
    start = {"visibility": Visibility.HUB.value, "where": str(mine.id) if mine else ""}
    return Form(action="ideas.submit", title="Share an idea", fields=fields, submit="Share", values=start)


def _started_with(text: str) -> dict[str, str]:
    """What was typed after the word: the title, or the idea itself where it is too long for one."""
    text = forms.tidy(text)
    return {"title" if len(text) <= TITLE.most and "\n" not in text else "proposal": text} if text else {}


@router.command("idea", "share an idea, or see one", usage="idea, idea better discharge letters, or idea IDEA-42", asks=True)
async def start(request: Request) -> Outcome:
    """The form, with the words that were typed; or the card of one idea."""
    if named := re.fullmatch(r"(?:idea)?[-\s#]*(\d{1,9})", request.text.strip(), re.IGNORECASE):
        return Reply(card=await _card(request, int(named[1])))
    return (await _idea_form(request)).filled(_started_with(request.text))


@router.action("ideas.start", reads=True)
async def start_again(request: Request) -> Outcome:
    """An empty form."""
    return await _idea_form(request)


@router.form("ideas.submit", _idea_form)
async def submit(request: Request) -> Outcome:
    """Stores the idea, tells the Core Team and thanks the author."""
    where = request.one("where")
    id = await ideas.add(
        request.session,
        title=request.one("title"),
        need=request.one("need"),
        proposal=request.one("proposal"),
        organisation_id=int(where) if where else None,
        visibility=Visibility(request.one("visibility")),
        author_id=request.person.id,
        now=request.now,
    )
    args = {"idea": str(id)}
    await outbox.enqueue(
        request.session,
        Notice(key=f"idea:{id}:received", kind="ideas.received", group=Group.CORE_TEAM, args=args, live=_live(id)),
        Notice(key=f"idea:{id}:thanks", kind="ideas.thanks", person_id=request.person.id, args=args),
        due_at=request.now,
    )
    card = Card(
        title=f"IDEA-{id} is with the Core Team",
        blocks=(
            Text(text=f"Thank you. “{request.one('title')}” is saved."),
            Text(text="The Core Team has been told. You will hear what happens next here."),
        ),
        buttons=(_open_button(id, "See your idea"), Button(label="Share another idea", action="ideas.start", does="ask")),
    )
    return Reply(card=card, reference=f"IDEA-{id}")


def _live(id: int) -> str:
    """The Core Team's message about an idea, which is kept true."""
    return f"idea:{id}"


def _open_button(id: int, label: str) -> Button:
    return Button(label=label, action="ideas.open", args={"idea": str(id)})


def _sees(person: Person, idea: Idea) -> bool:
    return idea.visibility is Visibility.HUB or idea.author_id == person.id or Group.CORE_TEAM in person.groups


async def _find(request: Request, id: int) -> Idea:
    """The idea, to those who may see it; raises Refused without telling whether it exists."""
    idea = await ideas.find(request.session, id)
    if idea is None or not _sees(request.person, idea):
        raise Refused(f"I cannot find IDEA-{id}, or it is not shared with you. Check the number, or type “ideas” to see yours.")
    return idea


def _facts(idea: Idea) -> Facts:
    said = (
        ("The need", idea.need),
        ("The idea", idea.proposal or "A problem with no idea yet"),
        ("Where", idea.organisation or "Not said"),
        ("From", idea.author),
        ("Shared", words.day(idea.submitted_at)),
        ("State", STATES[idea.state]),
        ("Who may see it", VISIBLE_TO[idea.visibility]),
    )
    return Facts(facts=tuple(Fact(label=label, value=value) for label, value in said))


async def _card(request: Request, id: int) -> Card:
    idea = await _find(request, id)
    buttons: tuple[Button, ...] = ()
    if idea.author_id == request.person.id and idea.state is IdeaState.SUBMITTED:
        buttons = (Button(label="Withdraw", action="ideas.ask_withdraw", args={"idea": str(id)}, style="danger", does="ask"),)
    mine = Button(label="My ideas", action="ideas.page", args={"offset": "0"})
    return Card(title=f"{idea.reference}: {idea.title}", blocks=(_facts(idea),), buttons=(*buttons, mine))


@router.action("ideas.open", reads=True)
async def open_idea(request: Request) -> Outcome:
    """The card of one idea."""
    return Reply(card=await _card(request, request.number("idea")))


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
            button=_open_button(idea.id, "Open"),
        )
        for idea in shown
    )
    pages = page.turns("ideas.page", back="Newer", more="Older")
    shown_note = Text(text=f"{page.said('idea')}, newest first.", kind="note")
    return Card(title="Your ideas", blocks=(shown_note, Lines(lines=lines)), buttons=(*pages, share))


async def _is_author(request: Request) -> bool:
    idea = await ideas.find(request.session, request.number("idea"))
    return idea is not None and idea.author_id == request.person.id


author = Right(phrase="the idea’s author", over=_is_author)


async def _withdraw_form(request: Request) -> Form:
    idea = await _find(request, request.number("idea"))
    what = Text(text=f"{idea.reference}: {idea.title}")
    then = Text(text="The Core Team will stop looking at it. You cannot undo this, but you can share it again.")
    args = {"idea": str(idea.id)}
    return Form(action="ideas.withdraw", title="Withdraw this idea?", fields=(), submit="Withdraw", args=args, blocks=(what, then))


@router.action("ideas.ask_withdraw", may=author, reads=True)
async def ask_withdraw(request: Request) -> Outcome:
    """Asks the author whether they are sure."""
    return await _withdraw_form(request)


@router.form("ideas.withdraw", _withdraw_form, may=author)
async def withdraw(request: Request) -> Outcome:
    """Takes the idea back and lets the Core Team's card say so."""
    id = request.number("idea")
    if not await ideas.withdraw(request.session, id):
        raise Refused(f"IDEA-{id} was already withdrawn. There is nothing more to do.")
    told = Notice(key=f"idea:{id}:withdrawn", kind="ideas.received", group=Group.CORE_TEAM, args={"idea": str(id)}, live=_live(id))
    await outbox.enqueue(request.session, told, due_at=request.now)
    share = Button(label="Share an idea", action="ideas.start", does="ask")
    card = Card(title=f"IDEA-{id} is withdrawn", blocks=(Text(text="The Core Team’s card now says so."),), buttons=(share,))
    return Reply(card=card, reference=f"IDEA-{id}")


def _waiting(idea: Idea) -> Message:
    """For an administrator who may not see the idea: only that somebody must be made a member."""
    text = Text(text="The Core Team has no members to tell. Type “admin people” to give somebody the group.")
    return Message(card=Card(title=f"{idea.reference} waits for the Core Team", blocks=(text,)))


@router.message("ideas.received")
async def received(occasion: Occasion) -> Message | None:
    """Tells the Core Team of an idea; kept true while it changes."""
    idea = await ideas.find(occasion.session, int(occasion.args["idea"]))
    if idea is None:
        return None
    if occasion.person is not None and not _sees(occasion.person, idea):
        return _waiting(idea) if occasion.person.administrator else None
    title = "An idea was withdrawn" if idea.state is IdeaState.WITHDRAWN else "A new idea"
    card = Card(title=f"{title}: {idea.reference}", blocks=(Text(text=idea.title), _facts(idea)), buttons=(_open_button(idea.id, "Open"),))
    return Message(card=card, live=_live(idea.id))


@router.message("ideas.thanks")
async def thanks(occasion: Occasion) -> Message | None:
    """Thanks the author, with the number to ask by."""
    idea = await ideas.find(occasion.session, int(occasion.args["idea"]))
    if idea is None or idea.state is IdeaState.WITHDRAWN:
        return None
    card = Card(
        title=f"Thank you for {idea.reference}",
        blocks=(
            Text(text=f"“{idea.title}” is with the Core Team."),
            Text(text=f"To see it at any time, type “idea {idea.reference}”.", kind="note"),
        ),
        buttons=(_open_button(idea.id, "See your idea"),),
    )
    return Message(card=card)
