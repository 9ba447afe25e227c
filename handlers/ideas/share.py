"""Share an idea, or see one by its number."""

from __future__ import annotations

from handlers import forms
from handlers.ideas import news
from handlers.ideas.card import card, find, number_in, open_button
from handlers.routing import Request, Router
from handlers.views import Button, Card, Choice, Form, Option, Outcome, Reply, Text, TextField
from storage import ideas, people
from storage.ideas import Visibility

router = Router()

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
    if (id := number_in(request.text)) is not None:
        return Reply(card=await card(request, await find(request, id)))
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
    await news.tell_core_team(request, id, "received")
    await news.tell(request, id, request.person.id, kind="ideas.thanks")
    shared = Card(
        title=f"IDEA-{id} is with the Core Team",
        blocks=(
            Text(text=f"Thank you. “{request.one('title')}” is saved."),
            Text(text="The Core Team has been told. You will hear what happens next here."),
        ),
        buttons=(open_button(id, "See your idea"), Button(label="Share another idea", action="ideas.start", does="ask")),
    )
    return Reply(card=shared, reference=f"IDEA-{id}")
