"""What Slack accepts: views, messages and blocks against slack.schema.json (made from Slack's own npm types
plus limits.json), and the rules a JSON Schema cannot say.  Every check gives a list of (json-pointer, message)."""
from __future__ import annotations

import json
import pathlib

from jsonschema import Draft7Validator

HERE = pathlib.Path(__file__).parent
SCHEMA = json.loads((HERE / "slack.schema.json").read_text())
_validators: dict[str, Draft7Validator] = {}

# docs.slack.dev "available in surfaces" of each block, as encoded by slackblocks 3.0.0 (_surfaces.py)
SURFACES = {
    "message": {"actions", "card", "carousel", "container", "context", "context_actions", "data_table", "divider", "file",
                "header", "image", "input", "markdown", "plan", "rich_text", "section", "table", "task_card", "video"},
    "modal": {"actions", "alert", "card", "context", "divider", "header", "image", "input", "rich_text", "section", "video"},
    "home": {"actions", "card", "carousel", "container", "context", "data_table", "divider", "header", "image", "input",
             "rich_text", "section", "table", "video"},
}
MAX_BLOCKS = {"message": 50, "modal": 100, "home": 100}


def validator(definition: str) -> Draft7Validator:
    if definition not in _validators:
        _validators[definition] = Draft7Validator(
            {"$ref": "#/definitions/" + definition, "definitions": SCHEMA["definitions"]})
    return _validators[definition]


def _pointer(base, path):
    return base + "".join("/" + str(p) for p in path)


def _message(e):
    """jsonschema's finding in the words Slack's own validator uses (wording seen in public issue threads)."""
    v = e.validator
    if v == "maxLength":
        return f"must be less than {e.validator_value + 1} characters"
    if v == "minLength":
        return f"must be more than {e.validator_value - 1} characters"
    if v == "maxItems":
        return f"no more than {e.validator_value} items allowed"
    if v == "minItems":
        return f"must have at least {e.validator_value} items"
    if v == "required":
        missing = [r for r in e.validator_value if r not in e.instance]
        return f"missing required field: {missing[0]}"
    if v == "enum" and e.path and e.path[-1] == "type":
        return f"unsupported type: {e.instance}"
    if v == "additionalProperties":
        extra = set(e.instance) - set(e.schema.get("properties", {}))
        return f"invalid additional property: {', '.join(sorted(extra))}"
    if v == "type":
        return f"must provide {'a' if e.validator_value != 'object' else 'an'} {e.validator_value}"
    return "failed to match all allowed schemas"


def schema_errors(definition, value, base=""):
    found = []

    def add(e):
        if e.context:  # a union: report the branch that came nearest
            branches: dict[int, list] = {}
            for c in e.context:
                branches.setdefault(c.schema_path[0], []).append(c)
            found.append((_pointer(base, e.absolute_path), "failed to match all allowed schemas"))
            for c in min(branches.values(), key=len):
                add(c)
        else:
            found.append((_pointer(base, e.absolute_path), _message(e)))

    for e in validator(definition).iter_errors(value):
        add(e)
    return list(dict.fromkeys(found))


def elements(block):
    """Every interactive element of a block, with its pointer inside the block."""
    if isinstance(block.get("accessory"), dict):
        yield "/accessory", block["accessory"]
    if isinstance(block.get("element"), dict):
        yield "/element", block["element"]
    if block.get("type") in ("actions", "context_actions"):
        for i, el in enumerate(block.get("elements") or []):
            if isinstance(el, dict):
                yield f"/elements/{i}", el


def _option_errors(el, at):
    if el.get("type") in ("static_select", "multi_static_select"):
        if ("options" in el) == ("option_groups" in el):
            yield at, "must define either `options` or `option_groups`, and not both"
    pool = list(el.get("options") or []) + [o for g in el.get("option_groups") or [] for o in g.get("options", [])]
    values = [o.get("value") for o in pool if isinstance(o, dict)]
    if len(values) != len(set(map(str, values))):
        yield at + "/options", "option values must be unique"
    initial = el.get("initial_options") or ([el["initial_option"]] if el.get("initial_option") else [])
    for o in initial:
        if pool and o not in pool:
            yield at, "initial option must exactly match one of the options"
    if isinstance(el.get("min_length"), int) and isinstance(el.get("max_length"), int) and el["min_length"] > el["max_length"]:
        yield at, "min_length must not be greater than max_length"


def check_blocks(blocks, surface, base="/blocks"):
    if not isinstance(blocks, list):
        return [(base, "must provide an array")]
    found = []
    if len(blocks) > MAX_BLOCKS[surface]:
        found.append((base, f"no more than {MAX_BLOCKS[surface]} items allowed"))
    seen, focused = set(), 0
    for i, b in enumerate(blocks):
        at = f"{base}/{i}"
        if not isinstance(b, dict):
            found.append((at, "must provide an object"))
            continue
        found += schema_errors("OutBlock", b, at)
        kind = b.get("type")
        if kind in SURFACES["message"] | SURFACES["modal"] | SURFACES["home"] and kind not in SURFACES[surface]:
            found.append((at, f"unsupported type: {kind}"))
        if kind == "section" and not b.get("text") and not b.get("fields"):
            found.append((at, "missing required field: text or fields"))
        if b.get("block_id") is not None:
            if b["block_id"] in seen:
                found.append((at + "/block_id", f"block_id {b['block_id']} already exists"))
            seen.add(b["block_id"])
        actions = set()
        for where, el in elements(b):
            a = el.get("action_id")
            if a is not None and a in actions:
                found.append((at + where, f"action_id `{a}` already exists in this block"))
            actions.add(a)
            focused += bool(el.get("focus_on_load"))
            found += _option_errors(el, at + where)
            if el.get("type") == "file_input" and surface != "modal":
                found.append((at + where, "unsupported type: file_input"))
    if focused > 1:
        found.append((base, "only one element can have focus_on_load"))
    return found


def check_view(view, base="/view"):
    if not isinstance(view, dict) or view.get("type") not in ("modal", "home"):
        return [(base + "/type", f"unsupported type: {isinstance(view, dict) and view.get('type')}")]
    shell = {k: v for k, v in view.items() if k != "blocks"}
    for key in ("close", "submit"):  # Slack takes null here, as its own answers have it
        if shell.get(key, 0) is None:
            del shell[key]
    found = schema_errors("OutModal" if view["type"] == "modal" else "OutHome", {**shell, "blocks": []}, base)
    if "blocks" not in view:
        found.append((base, "missing required field: blocks"))
    else:
        found += check_blocks(view["blocks"], view["type"], base + "/blocks")
        if view["type"] == "modal" and not view.get("submit") and any(
                isinstance(b, dict) and b.get("type") == "input" for b in view["blocks"]):
            found.append((base, "missing required field: submit"))
    return found


def check_attachments(attachments, base="/attachments"):
    found = []
    for i, a in enumerate(attachments if isinstance(attachments, list) else []):
        if not isinstance(a, dict):
            found.append((f"{base}/{i}", "must provide an object"))
            continue
        found += schema_errors("OutAttachment", {k: v for k, v in a.items() if k != "blocks"}, f"{base}/{i}")
        if "blocks" in a:
            found += check_blocks(a["blocks"], "message", f"{base}/{i}/blocks")
    return found
