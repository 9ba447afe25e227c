"""One person with two accounts: a code of the one, typed on the other, joins them."""

from __future__ import annotations

from handlers import words
from handlers.errors import Refused
from handlers.routing import Occasion, Request, Router
from handlers.views import Card, Form, Message, Outcome, Reply, Text, paragraphs, says
from storage import linking, outbox, people
from storage.linking import Fault, Offer
from storage.outbox import Notice
from storage.people import Person

router = Router()

ADMINISTRATORS = "An administrator’s account is never joined by a code. Ask another administrator to take that right away first."
FAULTS = {
    Fault.WRONG: (
        "That code does not work",
        "It may be mistyped, used or too old. Type “link” on the other chat, and I will give you a new one there.",
    ),
    Fault.TOO_MANY: ("That was one code too many", "Wait an hour, then try again. Nothing was changed."),
    Fault.OWN: ("This is your own code", "Type it on the other chat, where I do not know yet that you are you."),
    Fault.JOINED: ("Your accounts are joined", "They were joined before, so nothing was changed."),
    Fault.COLLEAGUES: ("I did not join these accounts", "You both have an account on the same chat, so you are two people to me."),
    Fault.ADMINISTRATOR: ("I did not join your accounts", ADMINISTRATORS),
}


@router.command("link", "join your accounts on two chats", confidential=True)
async def link(request: Request) -> Outcome:
    """Gives a code; with a code, asks whether to join its owner."""
    typed = request.text.strip()
    if not typed:
        return await _give(request)
    found = await linking.find_offer(request.session, request.person, typed, now=request.now)
    return _fault(found) if isinstance(found, Fault) else _form(request.person, linking.tidy(typed), found)


async def _give(request: Request) -> Outcome:
    if request.person.administrator:
        return _fault(Fault.ADMINISTRATOR)
    code = await linking.add_code(request.session, request.person, now=request.now)
    minutes = int(linking.CODE_LASTS.total_seconds() // 60)
    return says(
        "Join your accounts",
        "Do you use me on two chats? With this code, I know that you are one person.",
        f"On the other chat, type: link {code}",
        f"It works once, for {words.count(minutes, 'minute')}. Tell nobody: whoever types it can do all that you can.",
    )


def _fault(fault: Fault) -> Reply:
    return says(*FAULTS[fault])


def _who(person: Person) -> str:
    organisation = person.organisation.name if person.organisation else "organisation not known"
    return ", ".join([person.name, *([person.email] if person.email else []), organisation])


def _form(person: Person, code: str, offer: Offer | None = None) -> Form:
    """Asks whether they are sure; without an offer, the bare form that an answer is checked against."""
    asks: tuple[Text, ...] = ()
    if offer is not None:
        whose = f"This joins your account here with {_who(offer.owner)}, on {words.channel(offer.channel)}."
        then = "Ideas, sessions and roles of the two come together. Only an administrator can part the accounts again."
        doubt = "Did somebody else give you this code? Then do not go on: they could do all that you can."
        asks = (*paragraphs(whose, then), Text(text=doubt, kind="note"))
    args = {"code": code, "person": str(person.id)}
    return Form(action="linking.join", title="Join your accounts?", fields=(), submit="Join them", args=args, blocks=asks)


async def _bare_form(request: Request) -> Form:
    return _form(request.person, request.args.get("code", ""))


@router.form("linking.join", _bare_form, confidential=True)
async def join(request: Request) -> Outcome:
    """Joins the two accounts; each other account is told, so that somebody who was tricked learns of it."""
    if request.number("person") != request.person.id:
        raise Refused("Somebody else typed this code. Type “link” to get one of your own.")
    try:
        found = await linking.join(request.session, request.person, request.args.get("code", ""), now=request.now)
    except linking.InUse:
        raise Refused("One of the two accounts is in use just now. Nothing was changed. Try again in a moment.") from None
    if isinstance(found, Fault):
        return _fault(found)
    theirs = await people.accounts_of(request.session, request.person.id)
    others = (each.id for each in theirs if each.id != request.person.account_id)
    await outbox.enqueue(request.session, *(_told(request, id) for id in others), due_at=request.now)
    where = f"I know you here and on {words.channel(found.channel)} as one person: {request.person.name}."
    return says("Your accounts are joined", where, "To see all that I know of you, type “me”.")


def _told(request: Request, account_id: int) -> Notice:
    key = f"linking:{account_id}:{request.now.isoformat()}"
    return Notice(key=key, kind="linking.joined", person_id=request.person.id, args={"account": str(account_id)})


@router.message("linking.joined")
async def joined(occasion: Occasion) -> Message | None:
    """Tells an account that it is one of several now."""
    assert occasion.person is not None
    theirs = await people.accounts_of(occasion.session, occasion.person.id)
    channels = list(dict.fromkeys(words.channel(each.key.channel) for each in theirs))
    known = f"I know you as {occasion.person.name}, on {words.listed(channels)}."
    doubt = "If that was not you, tell an administrator."
    return Message(card=Card(title="Your accounts are joined", blocks=paragraphs(doubt, known)))
