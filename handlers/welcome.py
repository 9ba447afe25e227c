"""Finding one's way: help, who the bot thinks one is, and the way to the web chat."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from handlers import words
from handlers.routing import Occasion, Request, Router, Routes
from handlers.views import Button, Card, Fact, Facts, Line, Lines, Link, Message, Outcome, Quiet, Reply, Text, paragraphs, says
from storage import outbox, people, signin
from storage.outbox import Notice
from storage.people import Account, OrganisationBy, Person

NOT_CLINICAL = "I am not a clinical system. Never type anything that could name a patient."


def router_for(routes: Callable[[], Routes]) -> Router:
    """This topic's routes; `routes` gives those of all topics, which help lists."""
    router = Router()

    @router.command("help", "see what you can do here", reads=True)
    async def help(request: Request) -> Outcome:
        """What this person may do."""
        return Reply(card=help_card(routes(), request.person))

    @router.message("welcome.hello")
    async def hello(occasion: Occasion) -> Message | None:
        """What the bot says of itself to somebody who added it."""
        return None if occasion.person is None else Message(card=hello_card(routes(), occasion.person))

    router.action("welcome.arrive")(arrive)
    router.command("me", "see who I think you are, and how I know", reads=True)(me)
    router.command("web", "get your own link to the web chat")(web)
    return router


def help_card(routes: Routes, person: Person) -> Card:
    """The commands that somebody may use."""
    lines = tuple(Line(text=route.usage, note=f"{route.summary[0].upper()}{route.summary[1:]}.") for route in routes.offered_to(person))
    intro = Text(text="Type one of these. You can also send me the same words in a message.")
    return Card(title="What you can do", blocks=(intro, Lines(lines=lines), Text(text=NOT_CLINICAL, kind="note")))


def hello_card(routes: Routes, person: Person) -> Card:
    """A first meeting: what the bot is for, and what this person may do."""
    texts = (
        "I am the bot of the Dorset Innovation Hub. Share an idea or a problem, look up a project, or join a session.",
        "What you share goes to the Core Team, and I tell you what becomes of it.",
    )
    share = Button(label="Share an idea", action="ideas.start", style="primary", does="ask")
    help = help_card(routes, person)
    return Card(title="Hello", blocks=(*paragraphs(*texts), *help.blocks), buttons=(share,))


async def arrive(request: Request) -> Outcome:
    """Somebody added the bot to a chat: they are greeted once."""
    key = f"welcome:{request.channel}:{request.person.id}"
    await outbox.enqueue(request.session, Notice(key=key, kind="welcome.hello", person_id=request.person.id), due_at=request.now)
    return Quiet()


def _organisation(person: Person) -> str:
    if person.organisation is None:
        return "I do not know yet. An administrator can set it."
    known = {
        OrganisationBy.DOMAIN: "I know from your e-mail address",
        OrganisationBy.ADMINISTRATOR: "an administrator set it",
        None: "it came with your account",
    }
    return f"{person.organisation.name} ({known[person.organisation_by]})"


def _account(account: Account) -> str:
    if account.email is None:
        return f"{account.name}: it gave me no e-mail address."
    vouched = "its owner vouches for this address" if account.vouched else "nobody vouches for this address, so I do not rely on it"
    return f"{account.name}, {account.email}: {vouched}."


def _zone(zone: str, accounts: Sequence[Account]) -> str:
    """The zone with who said it: any account but a page, which knows none."""
    said = [words.channel(each.key.channel) for each in accounts if each.key.channel != "web"]
    return f"{zone} (as {words.listed(list(dict.fromkeys(said)), 'or')} says)" if said else zone


async def me(request: Request) -> Outcome:
    """Who the bot thinks the person is, and how it knows."""
    person = request.person
    groups = words.listed([words.GROUPS[group] for group in sorted(person.groups)]) or "None"
    facts = (
        Fact(label="Name", value=person.name),
        Fact(label="E-mail", value=person.email or "None that I can rely on"),
        Fact(label="Organisation", value=_organisation(person)),
        Fact(label="Groups", value=groups),
        Fact(label="Administrator", value="Yes" if person.administrator else "No"),
    )
    theirs = await people.accounts_of(request.session, person.id)
    zone = (Fact(label="Your time zone", value=_zone(person.zone, theirs)),) if person.zone else ()
    accounts = tuple(Fact(label=f"Account on {each.key.channel.capitalize()}", value=_account(each)) for each in theirs)
    note = Text(text="Is something wrong? Tell an administrator of the hub.", kind="note")
    return Reply(card=Card(title="Who I think you are", blocks=(Facts(facts=(*facts, *zone, *accounts)), note)))


async def web(request: Request) -> Outcome:
    """One's own one-time link to the web chat."""
    token = await signin.add_link(request.session, request.person.id, now=request.now)
    hours = int(signin.LINK_LASTS.total_seconds() // 3600)
    return says(
        "Your link to the web chat",
        "Open it where you want to use the web chat, then press the button there.",
        f"It works once, for {words.count(hours, 'hour')}. Do not pass it on: whoever opens it is you.",
        buttons=(Link(label="Open the web chat", url=f"{request.site}/sign-in/{token}"),),
    )
