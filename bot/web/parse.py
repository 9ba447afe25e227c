"""What a browser posts, as an Interaction. Pure; whatever was not made by our own page raises Garbled."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import parse_qs

from handlers import forms
from handlers.routing import Interaction, Kind, Place
from handlers.views import Args, Value

Posted: TypeAlias = Mapping[str, list[str]]

MOST_FIELDS = 500
MOST_ARGS = 20
_TICKET = re.compile(r"[\w-]{1,64}", re.ASCII)
_ACTION = re.compile(r"[a-z0-9_.]{1,64}")
_NAME = re.compile(r"[a-z0-9_]{1,64}", re.IGNORECASE | re.ASCII)


class Garbled(Exception):
    """This did not come from our page."""


@dataclass(frozen=True, kw_only=True)
class Sender:
    """Who posts, and the id of this posting."""

    user: str
    id: str


def posted(body: bytes) -> Posted:
    """The fields of a form body."""
    try:
        return parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True, errors="replace", max_num_fields=MOST_FIELDS)
    except ValueError as error:
        raise Garbled from error


def one(posted: Posted, name: str) -> str:
    """The last value of a field, "" where there is none."""
    return posted.get(name, [""])[-1]


def item(posted: Posted) -> int:
    """The number of the item on the page that was used; 0 for none."""
    text = one(posted, "item")
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else 0


def command(posted: Posted, sender: Sender) -> Interaction:
    """Words from the box; they are tidied here because the page keeps them too."""
    return _interaction(posted, sender, "command", text=forms.tidy(one(posted, "text")))


def press(posted: Posted, sender: Sender) -> Interaction:
    """A button, with what stood in the fields where it is a form's."""
    return _interaction(posted, sender, "action", does=one(posted, "do"))


def submission(posted: Posted, sender: Sender) -> Interaction:
    """A filled form."""
    return _interaction(posted, sender, "form", does=one(posted, "form"))


def _interaction(posted: Posted, sender: Sender, kind: Kind, *, text: str = "", does: str = "") -> Interaction:
    name, args = _action(does) if does or kind != "command" else ("", {})
    ticket = one(posted, "ticket")
    if not _TICKET.fullmatch(ticket):
        raise Garbled
    return Interaction(
        id=sender.id,
        ticket=ticket,
        channel="web",
        tenant="",
        user=sender.user,
        place=Place(id="web", private=True),
        kind=kind,
        name=name,
        text=text,
        args=args,
        values=_values(posted),
    )


def _action(does: str) -> tuple[str, Args]:
    """The action and its arguments, from what a button carries."""
    try:
        carried = json.loads(does)
        action, args = str(carried["action"]), dict(carried["args"])
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise Garbled from error
    sound = len(args) <= MOST_ARGS and all(_NAME.fullmatch(key) and isinstance(value, str) for key, value in args.items())
    if not _ACTION.fullmatch(action) or not sound:
        raise Garbled
    return action, {key: forms.tidy(value) for key, value in args.items()}


def _values(posted: Posted) -> Mapping[str, Value]:
    """The form's fields: "field.title" holds one value, "many.groups" any number; an empty one says that the field was there."""
    values: dict[str, Value] = {}
    for name, given in posted.items():
        kind, _, field = name.partition(".")
        if kind not in ("field", "many") or not _NAME.fullmatch(field):
            continue
        values[field] = given[-1] if kind == "field" else tuple(filter(None, given))
    return values
