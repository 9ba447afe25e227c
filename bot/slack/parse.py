"""What Slack sends, as Interactions; pure."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from typing import Any

from handlers.routing import Interaction, Kind, Place, Profile
from handlers.views import Args, Value, Values

CHANNEL = "slack"
ASK_AGAIN = "dih.again"
"""The action of "Open the form": runs the words in its arguments as if they were typed, now with a trigger."""

_LINK = re.compile(r"<([^<>|]+)\|([^<>]*)>|<((?:https?|mailto):[^<>|]+)>")
_MENTION = re.compile(r"<[@!#][^<>]*>")

Payload = Mapping[str, Any]


def words(text: str) -> str:
    """The text as it was typed: without mentions, links as their words, &lt; as <."""
    plain = _LINK.sub(lambda link: link[2] or link[3] or link[1], _MENTION.sub(" ", text))
    return html.unescape(plain).replace("\u00a0", " ").strip()


def user_and_team(payload: Payload) -> tuple[str, str]:
    """(Who, their own workspace), of any payload."""
    event = payload.get("event")
    if isinstance(event, Mapping):
        return str(event.get("user", "")), str(event.get("user_team") or event.get("team") or payload.get("team_id", ""))
    user = payload.get("user")
    if isinstance(user, Mapping):
        team = payload.get("team") or {}
        return str(user.get("id", "")), str(user.get("team_id") or team.get("id", ""))
    return str(payload.get("user_id", "")), str(payload.get("team_id", ""))


_DICTS = {
    "event_callback": (("event",),),
    "block_actions": (("user",), ("team",)),
    "view_submission": (("user",), ("team",), ("view",), ("view", "state"), ("view", "state", "values")),
    "view_closed": (("user",), ("view",)),
}
"""Where the kinds of payload that we take must hold objects."""


def is_sensible(payload: Payload) -> bool:
    """Whether a payload has the shape of its kind, so that nothing further on can stumble over it."""
    for path in _DICTS.get(str(payload.get("type")), ()):
        found: Any = payload
        for step in path:
            found = found.get(step)
            if not isinstance(found, dict):
                return False
    if payload.get("type") == "event_callback":
        return isinstance(payload["event"].get("type"), str)
    if payload.get("type") == "block_actions":
        actions = payload.get("actions")
        return (
            isinstance(actions, list)
            and bool(actions)
            and all(
                isinstance(each, dict) and isinstance(each.get("action_id"), str) and isinstance(each.get("type"), str) for each in actions
            )
        )
    return True


def typed_words(text: str) -> str:
    """The words for the bot: without its name in front."""
    return re.sub(r"^\s*/?dih\b\s*", "", words(text), flags=re.IGNORECASE)


def workspace(payload: Payload) -> str:
    """The workspace in which the app got the payload; in a shared channel, whoever wrote may belong to another."""
    authorised = payload.get("authorizations")
    if isinstance(authorised, list) and authorised and isinstance(authorised[0], dict) and authorised[0].get("team_id"):
        return str(authorised[0]["team_id"])
    view = payload.get("view")
    if isinstance(view, dict) and view.get("app_installed_team_id"):
        return str(view["app_installed_team_id"])
    team = payload.get("team")
    found = team.get("id") if isinstance(team, Mapping) else payload.get("team_id")
    return str(found or "")


def channel_of(payload: Payload) -> str:
    """The conversation that a payload came from; "" where it came from a modal."""
    event, channel = payload.get("event"), payload.get("channel")
    if isinstance(event, Mapping):
        return str(event.get("channel", ""))
    return str(channel.get("id", "") if isinstance(channel, Mapping) else payload.get("channel_id", ""))


def thread_of(payload: Payload) -> str | None:
    """The thread that a payload came from; the message that a thread hangs on is not in it."""
    for part in (payload.get("event"), payload.get("container"), payload.get("message")):
        if isinstance(part, Mapping) and part.get("thread_ts") and part["thread_ts"] not in (part.get("ts"), part.get("message_ts")):
            return str(part["thread_ts"])
    return None


def pressed_on(payload: Payload) -> str:
    """The message whose button was pressed, as "channel:ts"."""
    container = payload.get("container")
    return f"{channel_of(payload)}:{container.get('message_ts', '') if isinstance(container, Mapping) else ''}"


def is_between_us(payload: Payload) -> bool:
    """Whether it came from the person's conversation with the bot; an ephemeral message may stand in one with somebody else."""
    event, container = payload.get("event"), payload.get("container")
    if isinstance(event, Mapping):
        return event.get("channel_type") == "im"
    return isinstance(container, Mapping) and not container.get("is_ephemeral") and channel_of(payload).startswith("D")


def _interaction(
    payload: Payload,
    profile: Profile | None,
    kind: Kind,
    *,
    id: str,
    ticket: str,
    name: str = "",
    text: str = "",
    args: Args | None = None,
    values: Values | None = None,
) -> Interaction:
    """An interaction of whoever the payload is from, where they are."""
    user, team = user_and_team(payload)
    channel = channel_of(payload)
    return Interaction(
        id=id,
        ticket=ticket,
        channel=CHANNEL,
        tenant=team,
        user=user,
        profile=profile,
        place=Place(id=channel, private=not channel or channel.startswith("D")),
        kind=kind,
        name=name,
        text=text,
        args=args or {},
        values=values or {},
    )


def command(payload: Payload, profile: Profile | None) -> Interaction:
    """A slash command."""
    trigger = str(payload.get("trigger_id", ""))
    return _interaction(payload, profile, "command", id=trigger, ticket=trigger, text=words(str(payload.get("text", ""))))


_TYPED = ("", "file_share", "me_message", "thread_broadcast")
"""The subtypes of messages that somebody typed; all others are Slack's own doing."""


def is_for_us(event: Payload) -> bool:
    """Whether a message event is a person's own new words to us: not a bot's, not our own, not a channel's talk.

    A mention that is edited comes again as a new event; it was answered before.
    """
    to_us = event.get("type") == "app_mention" or event.get("channel_type") == "im"
    typed = (event.get("subtype") or "") in _TYPED and not event.get("edited")
    return to_us and typed and bool(event.get("user")) and not event.get("bot_id")


def is_link(payload: Payload) -> bool:
    """Whether a press only opened an address."""
    return pressed(payload)[0] == "dih.link"


def message(payload: Payload, profile: Profile | None) -> Interaction:
    """A direct message or a mention."""
    id = str(payload.get("event_id", ""))
    return _interaction(payload, profile, "event", id=id, ticket=id, text=typed_words(str(payload["event"].get("text", ""))))


def pressed(payload: Payload) -> tuple[str, Args]:
    """(The action, its arguments) of the button that was pressed."""
    button = payload["actions"][0]
    return str(button.get("action_id", "")).partition("#")[0], _args(button.get("value"))


def press(payload: Payload, profile: Profile | None) -> Interaction:
    """A button on a message or a modal."""
    name, args = pressed(payload)
    trigger = str(payload.get("trigger_id", ""))
    if name == ASK_AGAIN:
        return _interaction(payload, profile, "command", id=trigger, ticket=trigger, text=args.get("text", ""))
    ticket = str(payload["actions"][0].get("block_id", "")).partition(":")[0]
    return _interaction(payload, profile, "action", id=trigger, ticket=ticket, name=name, args=args, values=_typed(payload.get("view")))


def submission(payload: Payload, profile: Profile | None) -> Interaction:
    """A modal that was sent."""
    view = payload["view"]
    kept = _object(view.get("private_metadata"))
    return _interaction(
        payload,
        profile,
        "form",
        id=str(view.get("id", "")),
        ticket=str(kept.get("ticket", "")),
        name=str(view.get("callback_id", "")),
        args=_strings(kept.get("args")),
        values=_typed(view),
    )


def profile_of(user: object, workspace: str) -> Profile | None:
    """What users.info says of somebody; None where it says nothing sensible. Whoever is at home elsewhere is a guest."""
    if not isinstance(user, Mapping) or not user.get("id"):
        return None
    said = user.get("profile") if isinstance(user.get("profile"), Mapping) else {}
    assert isinstance(said, Mapping)
    name = said.get("real_name") or user.get("real_name") or user.get("name")
    strange = ("deleted", "is_restricted", "is_ultra_restricted", "is_stranger", "is_bot")
    email, zone = said.get("email"), user.get("tz")
    return Profile(
        name=str(name or "A colleague"),
        email=email if isinstance(email, str) and "@" in email else None,
        zone=zone if isinstance(zone, str) and zone else None,
        guest=any(user.get(mark) for mark in strange)
        or user.get("team_id", workspace) != workspace
        or (said.get("email") is not None and user.get("is_email_confirmed") is False),
    )


def _object(text: object) -> Payload:
    """The object that a text holds, an empty one where it holds none."""
    try:
        found = json.loads(text) if isinstance(text, str) else {}
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _args(value: object) -> Args:
    return _strings(_object(value))


def _strings(value: object) -> Args:
    return {str(key): str(each) for key, each in value.items()} if isinstance(value, dict) else {}


def _typed(view: object) -> Values:
    """The fields of a modal by name: a block's id is the ticket, a colon and the field's name."""
    state = view.get("state") if isinstance(view, dict) else None
    blocks = state.get("values") if isinstance(state, dict) else None
    found: dict[str, Value] = {}
    for block, elements in blocks.items() if isinstance(blocks, dict) else ():
        for element in elements.values() if isinstance(elements, dict) else ():
            if isinstance(element, dict):
                found[str(block).partition(":")[2]] = _value(element)
    return found


def _value(element: Payload) -> Value:
    if "selected_options" in element:
        return tuple(str(option["value"]) for option in element.get("selected_options") or () if isinstance(option, dict))
    option = element.get("selected_option")
    if isinstance(option, dict):
        return str(option.get("value", ""))
    return str(element.get("value") or element.get("selected_date") or element.get("selected_time") or "")
