"""What Teams sends, as Interactions and addresses; pure. An activity is the JSON object that the Bot Connector posts."""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Mapping
from typing import Any, Literal, TypeAlias
from urllib.parse import urlsplit

from handlers.routing import Interaction, Kind, Place, Profile
from handlers.views import Value, Values

CHANNEL = "teams"
HOSTS = frozenset({"smba.trafficmanager.net"})
"""Where the Bot Connector of Teams answers; our token goes nowhere else."""
OURS = "dih"
"""The key of a card's data under which ours stands; inputs stand beside it under their own names."""
INPUTS_APART = (OURS, "msteams")

Activity: TypeAlias = Mapping[str, Any]
Surface: TypeAlias = Literal["words", "submit", "execute", "fetch", "dialog"]
"""words: typed; submit: a card's button as old clients send it; execute: a card's button; fetch, dialog: a dialog is asked for, is sent."""
INVOKES: Mapping[str, Surface] = {"adaptiveCard/action": "execute", "task/fetch": "fetch", "task/submit": "dialog"}

_AT = re.compile(r"<at[^>]*>(.*?)</at>", re.DOTALL)
_CALL = re.compile(r"/?dih\b", re.IGNORECASE)
_OBJECTS = ("from", "conversation", "recipient", "channelData")
_SMALL = re.compile(r"[\x21-\x7e]{1,300}")


def is_sensible(activity: Activity) -> bool:
    """Whether an activity has the shape that the rest relies on, so that nothing further on can stumble over it."""
    texts = (activity.get(key, "") for key in ("type", "id", "channelId", "serviceUrl", "name", "text", "timestamp", "replyToId"))
    parts = [activity.get(key) or {} for key in _OBJECTS]
    if (
        not activity.get("type")
        or not all(isinstance(text, str | None) for text in texts)
        or not all(isinstance(part, dict) for part in parts)
    ):
        return False
    sender, conversation, recipient, _ = parts
    return all(isinstance(part.get("id", ""), str) for part in (sender, conversation, recipient))


def is_service(url: object) -> bool:
    """Whether an address is the Connector's; nothing else is kept or called."""
    if not isinstance(url, str):
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme == "https" and parts.netloc in HOSTS and not parts.query and not parts.fragment
    except ValueError:
        return False


def _part(activity: Activity, key: str) -> Mapping[str, Any]:
    found = activity.get(key)
    return found if isinstance(found, Mapping) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def tenant_of(activity: Activity) -> str:
    """The tenant whose conversation it is; "" where it is not said, or said in two ways."""
    tenant = _part(_part(activity, "channelData"), "tenant").get("id")
    said = {_text(each).lower() for each in (tenant, _part(activity, "conversation").get("tenantId")) if each}
    return said.pop() if len(said) == 1 else ""


def user_of(activity: Activity) -> str:
    """Who did it, by their number in their tenant; "" where it was nobody we can know."""
    user = _text(_part(activity, "from").get("aadObjectId")).lower()
    return user if _SMALL.fullmatch(user) else ""


def contact_of(activity: Activity) -> str:
    """Who did it, by the name under which the Connector finds them."""
    return _text(_part(activity, "from").get("id"))


def conversation_of(activity: Activity) -> str:
    """The conversation it came from, its thread included."""
    return _text(_part(activity, "conversation").get("id"))


def place_of(activity: Activity) -> str:
    """The conversation without its thread."""
    return conversation_of(activity).partition(";")[0]


def is_personal(activity: Activity) -> bool:
    """Whether it is the person's own conversation with the bot."""
    return _part(activity, "conversation").get("conversationType") == "personal"


def is_targeted(activity: Activity) -> bool:
    """Whether others in the conversation do not see it."""
    return _part(activity, "recipient").get("isTargeted") is True


def installed(activity: Activity) -> bool | None:
    """Whether the app was added (True) or taken away (False) for a person; None where it is about something else."""
    if activity.get("type") != "installationUpdate" or not is_personal(activity):
        return None
    return {"add": True, "add-upgrade": True, "remove": False, "remove-upgrade": None}.get(_text(activity.get("action")))


def words_of(activity: Activity) -> str:
    """What was typed: without the bot's name, a slash or “dih” before it; other people's names as they are shown."""
    text = _text(activity.get("text"))
    us = _text(_part(activity, "recipient").get("id"))
    for entity in activity.get("entities") or ():
        if isinstance(entity, Mapping) and entity.get("type") == "mention" and _part(entity, "mentioned").get("id") == us:
            text = text.replace(_text(entity.get("text")) or "\0", " ")
    plain = html.unescape(_AT.sub(r"\1", text)).replace("\u00a0", " ").strip()
    return _CALL.sub("", plain, count=1).strip() if _CALL.match(plain) else plain.removeprefix("/").strip()


def surface_of(activity: Activity) -> Surface | None:
    """What kind of thing a person did; None where it is nothing for us."""
    if activity.get("type") == "invoke":
        return INVOKES.get(_text(activity.get("name")))
    if activity.get("type") != "message" or not user_of(activity):
        return None
    return "submit" if _part(_part(activity, "value"), OURS) else "words"


def data_of(activity: Activity) -> Mapping[str, Any]:
    """What the pressed button carried, with the inputs beside it."""
    value = _part(activity, "value")
    if surface_of(activity) == "execute":
        return _part(_part(value, "action"), "data")
    return value if surface_of(activity) == "submit" else _part(value, "data")


def is_form(activity: Activity) -> bool:
    """Whether the card it came from was a form, which what follows takes the place of."""
    return _text(_part(data_of(activity), OURS).get("do")) in ("form", "step")


def interaction(activity: Activity, profile: Profile | None) -> Interaction:
    """What somebody did, whatever its surface."""
    id = event_id(activity)
    if surface_of(activity) == "words":
        kind: Kind = "command" if is_targeted(activity) else "event"
        return _interaction(activity, profile, kind, id=id, ticket=id, text=words_of(activity))
    ours = _part(data_of(activity), OURS)
    kind = "form" if ours.get("do") == "form" else "action"
    args = {str(key): str(value) for key, value in _part(ours, "args").items()}
    ticket, name = _text(ours.get("ticket")), _text(ours.get("name"))
    values = typed(activity)
    return _interaction(activity, profile, kind, id=id, ticket=ticket, name=name, args=args, values=values)


def arrival(activity: Activity, profile: Profile | None) -> Interaction:
    """Somebody added the app: once, however often they do."""
    return _interaction(activity, profile, "action", id=event_id(activity), ticket="arrival", name="welcome.arrive")


def event_id(activity: Activity) -> str:
    """Tells an activity from others; one that is sent again has the same, one that was edited another."""
    said = "\0".join(_text(activity.get(key)) for key in ("type", "id", "timestamp"))
    return hashlib.blake2b(f"{conversation_of(activity)}\0{said}".encode(errors="surrogatepass"), digest_size=16).hexdigest()


def _place(activity: Activity, kind: Kind) -> Place:
    """Where it was said or pressed; a form does not say it, for it is sent from the person's own chat, wherever it was asked for."""
    return Place(id="" if kind == "form" else place_of(activity), private=is_personal(activity))


def _interaction(
    activity: Activity, profile: Profile | None, kind: Kind, *, id: str, ticket: str, name: str = "", text: str = "",
    args: Mapping[str, str] | None = None, values: Values | None = None,
) -> Interaction:  # fmt: skip
    return Interaction(
        id=id,
        ticket=ticket,
        channel=CHANNEL,
        tenant=tenant_of(activity),
        user=user_of(activity),
        profile=profile,
        place=_place(activity, kind),
        kind=kind,
        name=name,
        text=text,
        args=args or {},
        values=values or {},
    )


def typed(activity: Activity) -> Values:
    """The inputs by name; of those that take many choices, a tuple."""
    data = data_of(activity)
    many = _part(data, OURS).get("many")
    found: dict[str, Value] = {}
    for name, value in data.items():
        if name not in INPUTS_APART:
            text = value if isinstance(value, str) else ""
            found[str(name)] = tuple(filter(None, text.split(","))) if isinstance(many, list) and name in many else text
    return found


def zone_of(activity: Activity) -> str | None:
    """The time zone that the person's device is in, as it says; None where it does not."""
    return _text(activity.get("localTimezone")) or None


def profile_of(member: object, tenant: str) -> Profile | None:
    """What the roster says of somebody; None where it says nothing sensible. Whoever is at home in another tenant is a guest."""
    if not isinstance(member, Mapping) or not isinstance(member.get("name"), str):
        return None
    email = member.get("email") or member.get("userPrincipalName")
    home = member.get("tenantId") or tenant
    guest = home != tenant or member.get("userRole") in ("guest", "anonymous")
    return Profile(name=member["name"], email=email if isinstance(email, str) and "@" in email else None, guest=guest)
