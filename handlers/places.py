"""Places: an administrator says in which channel a group is told."""

from __future__ import annotations

import re

from handlers import words
from handlers.errors import GONE, Refused
from handlers.routing import Occasion, Request, Router, administrator
from handlers.views import Card, Choice, Form, Message, Option, Outcome, Reply, Text
from storage import audit, outbox, places
from storage.outbox import Notice
from storage.people import Group
from storage.places import GroupPlace

router = Router()

NOT_HERE = "Type “setup here” in the channel that the group should be told in. Here, only you and I can read."
WHICH = Choice(
    name="group",
    label="Which group is told here?",
    options=tuple(Option(value=group.value, label=f"The {name}") for group, name in words.GROUPS.items()),
)


def _named_place(request: Request) -> str:
    """The channel that the form was opened in; raises Refused for anything else.

    A form that says where it was sent must have been sent there. One that does not comes from a window or a chat of the administrator's
    own, who may set every place.
    """
    place, here = request.args.get("place", ""), request.place
    if here.id and here.private:
        raise Refused(NOT_HERE)
    if here.id not in ("", place):
        raise Refused("Send this form in the channel that it is for: type “setup here” there.")
    if not re.fullmatch(r"[\x21-\x7e]{1,300}", place):
        raise Refused(GONE)
    return place


async def _setup_form(request: Request) -> Form:
    place = _named_place(request) if "place" in request.args else request.place.id
    told = Text(text="From then on, messages for that group come to this channel. Everyone in it can read them.")
    args = {"place": place}
    return Form(action="places.set", title="Use this channel", fields=(WHICH,), submit="Use this channel", args=args, blocks=(told,))


@router.command("setup here", "make this channel a group’s place", may=administrator, asks=True)
async def ask(request: Request) -> Outcome:
    """Asks which group is told here."""
    if request.place.private:
        raise Refused(NOT_HERE)
    return await _setup_form(request)


@router.form("places.set", _setup_form, may=administrator, drafts=False)
async def set_place(request: Request) -> Outcome:
    """Makes the channel the group's place and says so there."""
    group = Group(request.one("group"))
    place = GroupPlace(group=group, channel=request.channel, tenant=request.tenant, place=_named_place(request))
    await places.set_place(request.session, place, now=request.now)
    await audit.add(
        request.session,
        now=request.now,
        action="places.set",
        object=f"group:{group.value}",
        by=request.person.id,
        detail={"channel": place.channel, "tenant": place.tenant, "place": place.place},
    )
    key = f"place:{group.value}:{request.now.isoformat()}"
    await outbox.enqueue(request.session, Notice(key=key, kind="places.told", group=group, args={"group": group.value}), due_at=request.now)
    done = Text(text="I have sent a message there. If you do not see it, invite me to the channel and type this again.")
    return Reply(
        card=Card(title=f"The {words.GROUPS[group]} is told there", blocks=(done,)), reference=f"the {words.GROUPS[group]}’s place"
    )


@router.message("places.told")
async def told(occasion: Occasion) -> Message | None:
    """Says in a channel that a group is told there."""
    name = words.GROUPS[Group(occasion.args["group"])]
    text = Text(text=f"I will tell the {name} here: new ideas first. An administrator can move this with “setup here”.")
    return Message(card=Card(title=f"This is the {name}’s place", blocks=(text,)))
