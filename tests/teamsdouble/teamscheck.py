"""What Teams accepts: Adaptive Cards against Microsoft's own 1.5 schema and the rules a JSON Schema cannot say, outgoing
activities, and the answers to invokes.  Every check fills a Findings: errors are (path, message) that Teams refuses or
silently drops; warnings are what a person would notice."""
from __future__ import annotations

import datetime
import json
import re
from importlib import resources
from urllib.parse import urlparse

from jsonschema import Draft6Validator

SCHEMA = json.loads((resources.files("adaptive_cards") / "schemas" / "schema-1.5.json").read_text("utf-8"))  # Microsoft's, MIT
VALIDATOR = Draft6Validator(SCHEMA)
ADAPTIVE = "application/vnd.microsoft.card.adaptive"
CARDS = {ADAPTIVE} | {"application/vnd.microsoft.card." + k for k in ("hero", "thumbnail", "signin", "oauth", "receipt", "list")} | {
    "application/vnd.microsoft.teams.card.o365connector"}

CARD_WARN = 28 * 1024  # a card above this is refused by some paths (webhooks, old connectors); UTF-16 bytes
MESSAGE_MAX = 100 * 1024  # the whole message, UTF-16 bytes -> 413 MessageSizeTooBig
MAX_ACTIONS = 6  # buttons shown; the rest goes behind "..."
MAX_VERSION = (1, 5)
MAX_REFRESH_USERS = 60

# elements and actions Teams draws although the 1.5 schema has not got them: allowed only with a `fallback`
TEAMS_ONLY = {"Badge", "Icon", "CodeBlock", "Carousel", "CompoundButton", "ProgressBar", "ProgressRing", "Rating", "Input.Rating"}
INPUTS = {"Input.Text", "Input.Number", "Input.Date", "Input.Time", "Input.Toggle", "Input.ChoiceSet"}
CHILDREN = ("body", "items", "columns", "rows", "cells", "images", "inlines", "actions", "selectAction", "inlineAction", "card", "pages")


class Findings:
    def __init__(self, strict=False):
        self.errors: list[tuple[str, str]] = []
        self.warnings: list[tuple[str, str]] = []
        self.strict = strict
        self.refused = False  # Teams cannot use it at all (400); other errors are taken, and drawn wrongly or not

    def error(self, path, message, refused=False):
        self.refused |= refused or self.strict
        if (path, message) not in self.errors:
            self.errors.append((path, message))

    def warn(self, path, message):
        if (path, message) not in self.warnings:
            self.warnings.append((path, message))

    def add(self, path, other):
        self.errors += [(path + p, m) for p, m in other.errors]
        self.warnings += [(path + p, m) for p, m in other.warnings]
        self.refused |= other.refused

    def text(self):
        return "; ".join(f"{m} [{p or '/'}]" for p, m in self.errors)


def size(value):
    """Bytes in UTF-16, which is how Teams counts."""
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-16-le", "surrogatepass"))


def message_size(activity):
    """The size of a message, without images sent along as data: (they have their own limit)."""
    images = [a["contentUrl"] for a in activity.get("attachments") or [] if isinstance(a, dict) and str(a.get("contentUrl")).startswith("data:image/")]
    return size(activity) - sum(2 * len(x) for x in images)


def walk(node, path=""):
    """(path, element) of a card's elements and actions, Action.ShowCard's cards included, in reading order."""
    if isinstance(node, dict):
        yield path, node
        for key in CHILDREN:
            if key in node:
                yield from walk(node[key], f"{path}/{key}")
    elif isinstance(node, list):
        for i, x in enumerate(node):
            yield from walk(x, f"{path}/{i}")


def words(node):
    """Every string a person can read on a card, joined: for `containing=`."""
    out = []
    for _, el in walk(node):
        for key in ("text", "title", "label", "placeholder", "value", "altText", "errorMessage"):
            if isinstance(el.get(key), str):
                out.append(el[key])
        for key in ("facts", "choices"):
            out += [str(v) for x in el.get(key) or [] if isinstance(x, dict) for k, v in x.items() if k != "type"]
        out += [x for x in el.get("inlines") or [] if isinstance(x, str)]
    return "\n".join(out)


# ------------------------------------------------------------------------------------------------ schema
def _leaves(e):
    """jsonschema's finding, reduced to the branch of a union that came nearest."""
    if not e.context:
        return [e]
    branches: dict = {}
    for c in e.context:
        branches.setdefault(c.schema_path[0], []).append(c)

    def score(branch):
        ls = [x for c in branch for x in _leaves(c)]
        wrong_type = any(x.absolute_path and x.absolute_path[-1] == "type" and len(x.absolute_path) == len(e.absolute_path) + 1 for x in ls)
        return wrong_type, -max(len(x.absolute_path) for x in ls), len(ls)
    return [x for c in min(branches.values(), key=score) for x in _leaves(c)]


def _without_teams(node, found, path=""):
    """The card as the 1.5 schema can judge it: Teams' own properties and elements are taken out (their fallback put in)."""
    if isinstance(node, list):
        out = []
        for i, x in enumerate(node):
            y = _without_teams(x, found, f"{path}/{i}")
            if y is not None:
                out.append(y)
        return out
    if not isinstance(node, dict):
        return node
    kind = node.get("type")
    if isinstance(kind, str) and (kind in TEAMS_ONLY or kind.startswith("Chart.")):
        fallback = node.get("fallback")
        if fallback is None:
            found.error(path, f"{kind} is not in Adaptive Cards 1.5 and has no fallback")
            return None
        return None if isinstance(fallback, str) else _without_teams(fallback, found, path + "/fallback")
    drop = {"msteams"} | ({"targetWidth"} if kind else set()) | ({"choices.data"} if kind == "Input.ChoiceSet" else set())
    out = {}
    for k, v in node.items():
        if k in drop:
            continue
        if k == "data" and str(kind).startswith("Action."):
            out[k] = v
            continue
        if kind == "Input.ChoiceSet" and k == "style" and v == "filtered":
            continue  # static typeahead, which Teams documents for 1.5 and the schema has not got
        y = _without_teams(v, found, f"{path}/{k}")
        if y is not None:
            out[k] = y
    return out


def schema_errors(card, found):
    for e in VALIDATOR.iter_errors(_without_teams(card, found)):
        for x in _leaves(e):
            path = "".join(f"/{p}" for p in x.absolute_path)
            if x.validator == "enum" and x.absolute_path and x.absolute_path[-1] == "type":
                found.error(path, f"unknown element {x.instance!r}")
            else:
                found.error(path, x.message if len(x.message) < 160 else x.message[:157] + "...")


# ------------------------------------------------------------------------------------------------ cards
def _url(value, *, image=False):
    if not isinstance(value, str):
        return False
    if image and value.startswith("data:image/"):
        return True
    u = urlparse(value)
    return u.scheme == "https" and bool(u.netloc) or (not image and u.scheme in ("http", "mailto", "tel", "sip") and len(value) > len(u.scheme) + 1)


def check_input(path, el, found):
    kind, value = el["type"], el.get("value")
    if not el.get("label") and not el.get("title"):
        found.warn(path, "input without a label: a screen reader has nothing to say")
    if el.get("isRequired") and not el.get("errorMessage"):
        found.warn(path, "required input without errorMessage")
    if kind == "Input.Text":
        if "regex" in el:
            try:
                re.compile(el["regex"])
            except (re.error, TypeError):
                found.error(path + "/regex", "not a regular expression")
        if isinstance(value, str) and isinstance(el.get("maxLength"), int) and len(value) > el["maxLength"]:
            found.error(path + "/value", f"longer than its own maxLength {el['maxLength']}")
    elif kind == "Input.ChoiceSet":
        choices = el.get("choices") or []
        if not choices and "choices.data" not in el:
            found.error(path + "/choices", "nothing to choose from")
        offered = [c.get("value") for c in choices if isinstance(c, dict)]
        if len(set(offered)) != len(offered):
            found.error(path + "/choices", "two choices have the same value")
        for v in (str(value).split(",") if el.get("isMultiSelect") else [value]) if value else []:
            if v not in offered and "choices.data" not in el:
                found.error(path + "/value", f"{v!r} is not one of the choices")
        if any("," in str(v) for v in offered) and el.get("isMultiSelect"):
            found.error(path + "/choices", "a multi-select value may not hold a comma: Teams joins the answers with commas")
    elif kind in ("Input.Date", "Input.Time"):
        for key in ("value", "min", "max"):
            if el.get(key):
                try:
                    datetime.date.fromisoformat(el[key]) if kind == "Input.Date" else datetime.time.fromisoformat(el[key])
                except (ValueError, TypeError):
                    found.error(f"{path}/{key}", f"not a {'date YYYY-MM-DD' if kind == 'Input.Date' else 'time HH:MM'}: {el[key]!r}")


def check_action(path, a, found, where):
    kind = a.get("type")
    data = a.get("data")
    if kind == "Action.Execute":
        if not a.get("verb"):
            found.error(path, "Action.Execute without verb")
        fallback = a.get("fallback")
        if where == "dialog":
            found.error(path, "Action.Execute in a dialog: a dialog is submitted with Action.Submit")
        elif where != "refresh" and not (isinstance(fallback, dict) and fallback.get("type") == "Action.Submit"):
            found.error(path, "Action.Execute without an Action.Submit fallback: older clients show no button")
    if kind in ("Action.Execute", "Action.Submit"):
        if data is not None and not isinstance(data, dict):
            found.error(path + "/data", "data must be an object in Teams, or the inputs are lost")
        ms = data.get("msteams") if isinstance(data, dict) else None
        if ms is not None:
            if not isinstance(ms, dict) or ms.get("type") not in ("task/fetch", "messageBack", "imBack", "invoke", "signin"):
                found.error(path + "/data/msteams", f"unknown msteams action {ms!r}")
            elif ms["type"] == "messageBack" and not ms.get("text") and ms.get("value") is None:
                found.error(path + "/data/msteams", "messageBack needs text or value")
            elif ms["type"] in ("imBack", "invoke", "signin") and not ms.get("value"):
                found.error(path + "/data/msteams", f"{ms['type']} needs value")
    if kind == "Action.OpenUrl" and not _url(a.get("url")):
        found.error(path + "/url", f"not an address Teams opens: {a.get('url')!r}")
    if str(kind).startswith("Action.") and not a.get("title") and not a.get("iconUrl") and not path.endswith(("selectAction", "refresh/action")):
        found.error(path, "a button without a title")


def check_card(card, where="message"):
    """where: message | dialog | invoke (the answer to Action.Execute)."""
    found = Findings()
    if not isinstance(card, dict) or card.get("type") != "AdaptiveCard":
        found.error("", "not an AdaptiveCard", True)
        return found
    schema_errors(card, found)
    try:
        version = tuple(int(x) for x in str(card.get("version", "")).split("."))
    except ValueError:
        version = ()
    if len(version) != 2:
        found.error("/version", f"no version: {card.get('version')!r}")
    elif version > MAX_VERSION:
        found.error("/version", f"Teams knows 1.5, not {card['version']}")
    ids: dict[str, str] = {}
    elements = list(walk(card))
    for path, el in elements:
        if "id" in el and not path.endswith(("Action", "card")) and el.get("type") is not None and not str(el["type"]).startswith("Action."):
            if el["id"] in ids:
                found.error(path + "/id", f"two elements have the id {el['id']!r} (the other is {ids[el['id']]})")
            ids.setdefault(el["id"], path)
    for path, el in elements:
        kind = el.get("type")
        if kind in INPUTS:
            check_input(path, el, found)
        elif str(kind).startswith("Action."):
            check_action(path, el, found, where)
        if kind in ("ActionSet", "AdaptiveCard") and isinstance(el.get("actions"), list):
            shown = [a for a in el["actions"] if isinstance(a, dict) and a.get("mode") != "secondary"]
            if len(shown) > MAX_ACTIONS:
                found.error(path + "/actions", f"{len(shown)} actions; Teams shows {MAX_ACTIONS}")
        if kind == "Image":
            if not _url(el.get("url"), image=True):
                found.error(path + "/url", "an image needs an https address")
            if not el.get("altText"):
                found.warn(path, "image without altText")
        if kind == "Action.ToggleVisibility":
            for t in el.get("targetElements") or []:
                target = t.get("elementId") if isinstance(t, dict) else t
                if target not in ids:
                    found.error(path, f"toggles {target!r}, which is not on the card")
    refresh = card.get("refresh")
    if isinstance(refresh, dict):
        if len(refresh.get("userIds") or []) > MAX_REFRESH_USERS:
            found.error("/refresh/userIds", f"{len(refresh['userIds'])} users; Teams refreshes for {MAX_REFRESH_USERS}")
        if isinstance(refresh.get("action"), dict):
            check_action("/refresh/action", refresh["action"], found, "refresh")
    check_mentions("/msteams/entities", (card.get("msteams") or {}).get("entities"), words(card), found)
    if size(card) > CARD_WARN:
        found.warn("", f"card of {size(card):,} bytes, above {CARD_WARN:,}")
    return found


# ------------------------------------------------------------------------------------------------ activities
def check_mentions(path, entities, text, found):
    marked = []
    for i, e in enumerate(entities or []):
        if not isinstance(e, dict) or e.get("type") != "mention":
            continue
        m = e.get("mentioned")
        if not (isinstance(m, dict) and m.get("id") and m.get("name")) or not e.get("text"):
            found.error(f"{path}/{i}", "a mention needs text and mentioned.id, mentioned.name", True)
            continue
        if e["text"] not in (text or ""):
            found.error(f"{path}/{i}", f"the text has no {e['text']!r}")
        marked.append(e["text"])
    for at in re.findall(r"<at[^>]*>.*?</at>", text or ""):
        if at not in marked:
            found.error(path, f"{at} has no mention entity: Teams shows the bare name")


def check_attachment(path, a, found, where="message"):
    if not isinstance(a, dict) or not a.get("contentType"):
        found.error(path, "an attachment needs a contentType", True)
        return
    kind = a["contentType"]
    if kind == ADAPTIVE:
        found.add(path + "/content", check_card(a.get("content"), where))
    elif kind in CARDS:
        if not isinstance(a.get("content"), dict):
            found.error(path, f"{kind} without content")
    elif kind.startswith("image/"):
        if kind not in ("image/png", "image/jpeg", "image/gif"):
            found.error(path, f"Teams does not show {kind}")
        if not _url(a.get("contentUrl"), image=True):
            found.error(path + "/contentUrl", "an image needs an https address or data:")
        elif len(a["contentUrl"]) > 1_400_000:
            found.error(path + "/contentUrl", "an inline image is at most 1 MB")
    elif not a.get("contentUrl") and a.get("content") is None:
        found.error(path, f"{kind} without content")


def check_activity(a, scope="personal"):
    """An activity the bot sends or updates."""
    found = Findings()
    kind = a.get("type")
    if kind not in ("message", "typing"):
        found.error("/type", f"Teams does not take an activity of type {kind!r} from a bot", True)
        return found
    if kind == "typing":
        return found
    text, attachments = a.get("text"), a.get("attachments")
    if text is not None and not isinstance(text, str):
        found.error("/text", "text must be a string", True)
        text = None
    if attachments is not None and not isinstance(attachments, list):
        found.error("/attachments", "attachments must be a list", True)
        attachments = None
    if not (text or "").strip() and not attachments:
        found.error("", "a message without text and attachments", True)
    if a.get("textFormat") not in (None, "plain", "markdown", "xml", "extendedmarkdown"):
        found.error("/textFormat", f"unknown textFormat {a['textFormat']!r}", True)
    if a.get("attachmentLayout") not in (None, "list", "carousel"):
        found.error("/attachmentLayout", f"unknown attachmentLayout {a['attachmentLayout']!r}")
    if len(attachments or []) > 10:
        found.error("/attachments", f"{len(attachments)} attachments; Teams takes 10")
    for i, x in enumerate(attachments or []):
        check_attachment(f"/attachments/{i}", x, found)
    if any(isinstance(x, dict) and x.get("contentType") in CARDS for x in attachments or []) and not (text or "").strip() and not a.get("summary"):
        found.error("/summary", "a card without text or summary: the notification says only that a card was sent")
    check_mentions("/entities", a.get("entities"), text, found)
    actions = (a.get("suggestedActions") or {}).get("actions") or []
    if len(actions) > 6:
        found.error("/suggestedActions", "at most 6 suggested actions")
    if actions and scope != "personal":
        found.warn("/suggestedActions", "suggested actions are shown in personal chats only")
    return found


# ------------------------------------------------------------------------------------------------ answers to invokes
def _task(task, found, path="/task"):
    if not isinstance(task, dict) or task.get("type") not in ("continue", "message"):
        found.error(path + "/type", f"must be continue or message, not {task.get('type') if isinstance(task, dict) else task!r}")
        return
    value = task.get("value")
    if task["type"] == "message":
        if not isinstance(value, str) or not value:
            found.error(path + "/value", "task message needs a text")
        return
    if not isinstance(value, dict):
        found.error(path + "/value", "task continue needs an object")
        return
    for key in ("height", "width"):
        v = value.get(key)
        if v is not None and v not in ("small", "medium", "large") and (isinstance(v, bool) or not isinstance(v, (int, float))):
            found.error(f"{path}/value/{key}", f"a number or small, medium, large; not {v!r}")
    if not value.get("title"):
        found.warn(path + "/value", "a dialog without a title")
    if ("card" in value) == ("url" in value):
        found.error(path + "/value", "a dialog needs either card or url")
    elif "url" in value:
        if not _url(value["url"], image=True):
            found.error(path + "/value/url", "a dialog's url needs https")
    elif not isinstance(value["card"], dict) or value["card"].get("contentType") != ADAPTIVE:
        found.error(path + "/value/card", f"must be an attachment with contentType {ADAPTIVE} and content")
    else:
        check_attachment(path + "/value/card", value["card"], found, "dialog")


EXECUTE_TYPES = {200: (ADAPTIVE, "application/vnd.microsoft.activity.message"),
                 400: ("application/vnd.microsoft.error",), 500: ("application/vnd.microsoft.error",),
                 401: ("application/vnd.microsoft.activity.loginRequest", "application/vnd.microsoft.error.incorrectAuthCode"),
                 412: ("application/vnd.microsoft.error.preconditionFailed",), 403: ("application/vnd.microsoft.error",),
                 404: ("application/vnd.microsoft.error",), 429: ("application/vnd.microsoft.error",)}


def check_invoke(name, body):
    """The JSON body of an HTTP 200 to the invoke `name` (None: no body)."""
    found = Findings(strict=True)
    if name == "adaptiveCard/action":
        if not isinstance(body, dict):
            found.error("", "Action.Execute needs a body {statusCode, type, value}")
            return found
        status, kind, value = body.get("statusCode") or 200, body.get("type"), body.get("value")
        if isinstance(status, bool) or not isinstance(status, int) or status not in EXECUTE_TYPES:
            found.error("/statusCode", f"{status!r} is not a status of Action.Execute")
        elif kind not in EXECUTE_TYPES[status]:
            found.error("/type", f"{kind!r} does not go with statusCode {status}; expected {' or '.join(EXECUTE_TYPES[status])}")
        elif kind == ADAPTIVE:
            found.add("/value", check_card(value, "invoke"))
        elif kind.endswith("activity.message"):
            if not isinstance(value, str) or not value:
                found.error("/value", "activity.message needs a text")
        elif kind == "application/vnd.microsoft.error" and not (isinstance(value, dict) and value.get("code") and value.get("message")):
            found.error("/value", "an error needs code and message")
    elif name in ("task/fetch", "task/submit", "composeExtension/fetchTask", "composeExtension/submitAction"):
        if body in (None, {}, "") and name.endswith(("submit", "submitAction")):
            return found
        if not isinstance(body, dict) or not ({"task", "composeExtension"} & set(k for k, v in body.items() if v)):
            found.error("", f"{name} needs a body with task" + (" or composeExtension" if name.startswith("compose") else ""))
        elif body.get("task"):
            _task(body["task"], found)
        elif not name.startswith("composeExtension"):
            found.error("/composeExtension", f"not an answer to {name}")
        else:
            c = body["composeExtension"]
            if not isinstance(c, dict) or c.get("type") not in ("result", "auth", "config", "message", "botMessagePreview", "silentAuth"):
                found.error("/composeExtension/type", f"unknown type {c.get('type') if isinstance(c, dict) else c!r}")
            elif c["type"] == "result":
                if c.get("attachmentLayout") not in ("list", "grid"):
                    found.error("/composeExtension/attachmentLayout", "must be list or grid")
                for i, x in enumerate(c.get("attachments") or []):
                    check_attachment(f"/composeExtension/attachments/{i}", x, found)
            elif c["type"] == "message" and not c.get("text"):
                found.error("/composeExtension/text", "message needs a text")
    if body is not None and size(body) > MESSAGE_MAX:
        found.error("", f"answer of {size(body):,} bytes, above {MESSAGE_MAX:,}")
    return found
