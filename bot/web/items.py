"""What stands on a person's page, and how it is written into their history and read again. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

from handlers.views import Block, Button, Card, Field, Form, Link, Value
from storage.history import Item

if TYPE_CHECKING:
    from cattrs.preconf.json import JsonConverter

SECRET_PATHS = ("/sign-in/", "/files/")
"""Links that open something once: they are shown, and not kept."""


@dataclass(frozen=True, kw_only=True)
class Words:
    """What the person typed."""

    text: str


@dataclass(frozen=True, kw_only=True)
class Faded:
    """Something written by an older program that this one cannot read."""


Content: TypeAlias = Words | Card | Form
Shown: TypeAlias = Content | Faded


@dataclass(frozen=True, kw_only=True)
class PageItem:
    """One thing on the page; `answers` is the interaction it answers, `told`: the bot sent it by itself.

    `digest` changes with what is shown. An item that is drawn once and not kept has the number 0.
    """

    id: int
    shown: Shown
    ticket: str
    at: datetime
    answers: str = ""
    told: bool = False
    digest: str = ""


def _value(value: Any, _type: Any) -> Value:
    return tuple(map(str, value)) if isinstance(value, list | tuple) else str(value)


@cache
def _converter() -> JsonConverter:
    """Made when the first item is written or read: it takes a good part of a start."""
    from cattrs.preconf.json import make_converter
    from cattrs.strategies import configure_tagged_union

    converter = make_converter(detailed_validation=False)
    converter.register_structure_hook(Value, _value)
    for union in (Block, Field, Button | Link, Content):
        configure_tagged_union(union, converter)
    return converter


def pack(content: Content, *, answers: str = "", told: bool = False) -> Mapping[str, object]:
    """The content of a history row."""
    return {"shown": _converter().unstructure(content, Content), "answers": answers, "told": told}


def unpack(item: Item) -> PageItem:
    """The item as the page shows it; never raises."""
    written = dict(item.content)
    try:
        shown: Shown = _converter().structure(written["shown"], Content)  # type: ignore[arg-type]
    except Exception:  # whatever an older program wrote
        shown = Faded()
    return PageItem(
        id=item.id,
        shown=shown,
        ticket=item.ticket,
        at=item.at,
        answers=str(written.get("answers", "")),
        told=written.get("told") is True,
        digest=digest(item),
    )


def digest(item: Item) -> str:
    """What changes whenever the item shows something else; far cheaper than reading it."""
    return hashlib.blake2b(json.dumps([dict(item.content), item.ticket], sort_keys=True).encode(), digest_size=8).hexdigest()


def is_secret(card: Card) -> bool:
    """Whether the card leads to something that opens for whoever holds the link."""
    return any(isinstance(button, Link) and _opens(button) for button in card.buttons)


def without_secrets(card: Card) -> Card:
    """The card without those links, for the history."""
    return replace(card, buttons=tuple(each for each in card.buttons if not (isinstance(each, Link) and _opens(each))))


def _opens(link: Link) -> bool:
    return any(path in link.url for path in SECRET_PATHS)
