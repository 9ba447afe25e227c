"""What views look like in Slack: blocks, modals and the words screen readers get; pure.

What people wrote is only ever put into plain_text and rich_text elements, which Slack reads as they stand.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, assert_never

from handlers import words
from handlers.views import (
    Block,
    Button,
    Card,
    Choice,
    DateField,
    Divider,
    Facts,
    Field,
    Form,
    Lines,
    Link,
    NumberField,
    Option,
    PersonField,
    Picture,
    Table,
    Text,
    TextField,
    TimeField,
    Toggle,
    Value,
)

Json = dict[str, Any]

MESSAGE_BLOCKS, VIEW_BLOCKS = 50, 100
MESSAGE_CHARACTERS, VIEW_CHARACTERS = 11_000, 60_000
TEXT = 3900
SECTION = 2900
TABLE_ROWS, TABLE_COLUMNS, CELL = 30, 10, 200
CUT = "There is more than fits here."


def plain(text: str, most: int) -> Json:
    """Words that Slack shows as they stand."""
    return {"type": "plain_text", "text": words.short(text, most) or " ", "emoji": False}


def card(view: Card, ticket: str, *, modal: bool = False) -> list[Json]:
    """A card's blocks, within Slack's limits."""
    blocks = [] if modal else [{"type": "header", "text": plain(view.title, 150)}]
    if not modal and len(view.title) > 150:
        blocks.append(_paragraph(view.title))
    tables = 1 if not modal else 0
    for number, block in enumerate(view.blocks):
        may_table = tables > 0
        tables -= isinstance(block, Table | Picture)
        blocks += _block(block, ticket, number, may_table=may_table)
    actions = _buttons(view.buttons, ticket)
    most = (VIEW_BLOCKS if modal else MESSAGE_BLOCKS) - len(actions) - 1
    return [*_fitting(blocks, most, VIEW_CHARACTERS if modal else MESSAGE_CHARACTERS), *actions]


def _fitting(blocks: list[Json], most: int, characters: int) -> list[Json]:
    """As many blocks as fit, and a note where that is not all."""
    kept: list[Json] = []
    left = characters
    for block in blocks:
        left -= len(json.dumps(block, ensure_ascii=False))
        if left < 0 or len(kept) >= most:
            return [*kept, _note(CUT)]
        kept.append(block)
    return kept


def _block(block: Block, ticket: str, number: int, *, may_table: bool) -> list[Json]:
    match block:
        case Text(kind="note"):
            return [_note(part) for part in _parts(block.text)]
        case Text(kind="heading"):
            return [_rich([_run(block.text, bold=True)])]
        case Text():
            return [_paragraph(part) for part in _parts(block.text)]
        case Facts():
            return [part for fact in block.facts for part in _fact(fact.label, fact.value)]
        case Table():
            return _table(block) if may_table and len(block.columns) <= TABLE_COLUMNS else _typed_table(block)
        case Divider():
            return [{"type": "divider"}]
        case Lines():
            return [_line(line.text, line.note, line.button, ticket, f"{number}.{place}") for place, line in enumerate(block.lines)]
        case Picture():
            table = _table(block.table) if may_table and len(block.table.columns) <= TABLE_COLUMNS else _typed_table(block.table)
            return [*table, *(_note(part) for part in _parts(block.alt))]
        case _:
            assert_never(block)


def _parts(text: str) -> Iterable[str]:
    """The text in pieces that fit a block."""
    return [text[start : start + SECTION] for start in range(0, len(text), SECTION)] or [" "]


def _paragraph(text: str) -> Json:
    return {"type": "section", "text": plain(text, SECTION + 50)}


def _note(text: str) -> Json:
    return {"type": "context", "elements": [plain(text, SECTION + 50)]}


def _run(text: str, *, bold: bool = False) -> Json:
    run: Json = {"type": "text", "text": text or " "}
    return {**run, "style": {"bold": True}} if bold else run


def _rich(runs: list[Json], kind: str = "rich_text_section") -> Json:
    return {"type": "rich_text", "elements": [{"type": kind, "elements": runs}]}


def _fact(label: str, value: str) -> list[Json]:
    first, *rest = _parts(value)
    return [_rich([_run(f"{words.short(label, 200)}\n", bold=True), _run(first)]), *(_rich([_run(part)]) for part in rest)]


def _table(table: Table) -> list[Json]:
    """Slack's own table; it takes one in a message."""
    rows = [table.columns, *table.rows[:TABLE_ROWS]]
    cells = [[{"type": "raw_text", "text": words.short(cell, CELL) or " "} for cell in row] for row in rows]
    caption = [_rich([_run(table.caption, bold=True)])] if table.caption else []
    return [*caption, {"type": "table", "rows": cells}, *_rows_left(table)]


def _typed_table(table: Table) -> list[Json]:
    """A table as lines of words, where Slack takes no table."""
    lines = [" | ".join(words.short(cell, CELL) for cell in row) for row in (table.columns, *table.rows[:TABLE_ROWS])]
    caption = [_rich([_run(table.caption, bold=True)])] if table.caption else []
    return [*caption, *(_rich([_run(part)], "rich_text_preformatted") for part in _parts("\n".join(lines))), *_rows_left(table)]


def _rows_left(table: Table) -> list[Json]:
    left = len(table.rows) - TABLE_ROWS
    return [_note(f"And {words.number(left)} more.")] if left > 0 else []


def _line(text: str, note: str, button: Button | None, ticket: str, place: str) -> Json:
    section = _paragraph(words.short(f"{text}\n{note}" if note else text, SECTION))
    if button is None:
        return section
    return {**section, "block_id": f"{ticket}:{place}", "accessory": _button(button, 0)}


def _button(button: Button | Link, number: int) -> Json:
    if isinstance(button, Link):
        return {"type": "button", "text": plain(button.label, 75), "action_id": f"dih.link#{number}", "url": button.url}
    element = {
        "type": "button",
        "text": plain(button.label, 75),
        "action_id": f"{button.action}#{number}",
        "value": json.dumps(dict(button.args), ensure_ascii=False),
    }
    return element if button.style == "plain" else {**element, "style": button.style}


def _buttons(buttons: Sequence[Button | Link], ticket: str) -> list[Json]:
    """Rows of buttons; the number makes each one's id its own."""
    rows = []
    for start in range(0, len(buttons), 5):
        elements = [_button(button, start + place) for place, button in enumerate(buttons[start : start + 5])]
        rows.append({"type": "actions", "block_id": f"{ticket}:actions{start}", "elements": elements})
    return rows


def escaped(text: str) -> str:
    """Words that can be no markup, mention or link in a message's `text`."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def text_of(view: Card) -> str:
    """All of a card in words, for notifications and screen readers."""
    lines = [line for block in view.blocks for line in _said(block)]
    labels = [button.label for button in view.buttons]
    ending = [f"You can choose: {words.listed(labels)}."] if labels else []
    return _capped([view.title, *lines, *ending])


def _said(block: Block) -> list[str]:
    match block:
        case Text():
            return [block.text]
        case Facts():
            return [f"{fact.label}: {fact.value}" for fact in block.facts]
        case Table():
            return [block.caption, *(" | ".join(row) for row in (block.columns, *block.rows))]
        case Divider():
            return []
        case Lines():
            return [
                " ".join(part for part in (line.text, line.note, f"({line.button.label})" if line.button else "") if part)
                for line in block.lines
            ]
        case Picture():
            return [block.alt, *_said(block.table)]
        case _:
            assert_never(block)


def _capped(lines: list[str]) -> str:
    """The lines, escaped, up to the longest text; what is left out is counted."""
    kept: list[str] = []
    left = TEXT
    for number, line in enumerate(lines):
        safe = escaped(line)
        if len(safe) + 1 > left - 20:
            if not kept or left > 400:
                kept.append(escaped(words.short(line, max(1, (left - 40) // 5))))
                number += 1
            more = len(lines) - number
            return "\n".join([*kept, f"And {more} more."] if more else kept)
        kept.append(safe)
        left -= len(safe) + 1
    return "\n".join(line for line in kept if line)


def message(view: Card, ticket: str) -> Json:
    """A message: its blocks and all of them in words."""
    return {"text": text_of(view), "blocks": card(view, ticket)}


def shown(view: Card, ticket: str, *, last: bool = False) -> Json:
    """A modal that only shows a card; `last`: closing it closes all beneath."""
    title = {"type": "plain_text", "text": words.short(view.title, 24), "emoji": False}
    whole = [_rich([_run(view.title, bold=True)])] if len(view.title) > 24 else []
    blocks = [*whole, *card(view, ticket, modal=True)] or [_paragraph(view.title)]
    close = {"type": "plain_text", "text": "Close", "emoji": False}
    return {"type": "modal", "title": title, "close": close, "blocks": blocks, "clear_on_close": last}


def modal(form: Form, ticket: str) -> Json:
    """A form; its ticket and arguments come back in private_metadata, the ticket also stands in the block ids."""
    whole = form.errors.get("", "")
    blocks = [_rich([_run(f"{words.short(whole, SECTION)}", bold=True)])] if whole else []
    if form.step:
        blocks.append(_note(form.step))
    for number, block in enumerate(form.blocks):
        blocks += _block(block, ticket, number, may_table=False)
    for field in form.fields:
        if wrong := form.errors.get(field.name):
            blocks.append(_rich([_run(f"{words.short(field.label, 200)}: {words.short(wrong, 500)}", bold=True)]))
        blocks.append(input_block(field, form.values.get(field.name), ticket))
    blocks += _buttons(form.buttons, ticket)
    return {
        "type": "modal",
        "callback_id": form.action,
        "private_metadata": json.dumps({"ticket": ticket, "args": dict(form.args)}),
        "title": {"type": "plain_text", "text": form.title, "emoji": False},
        "submit": {"type": "plain_text", "text": words.short(form.submit, 24), "emoji": False},
        "close": {"type": "plain_text", "text": "Cancel", "emoji": False},
        "blocks": blocks[:VIEW_BLOCKS] or [_paragraph(form.title)],
    }


def errors(form: Form, ticket: str) -> Json | None:
    """The errors for Slack to put under the fields; None when they cannot all stand there."""
    names = {field.name for field in form.fields}
    if not form.errors or not set(form.errors) <= names:
        return None
    return {f"{ticket}:{name}": wrong for name, wrong in form.errors.items()}


# -- fields


def input_block(field: Field, value: Value | None, ticket: str) -> Json:
    """A field with what stands in it; Slack keeps what was typed where the block's id stays the same."""
    required = not isinstance(field, Toggle) and field.required
    block = {
        "type": "input",
        "block_id": f"{ticket}:{field.name}",
        "label": plain(field.label, 2000),
        "element": {**_element(field, value), "action_id": field.name},
        "optional": not required,
    }
    return {**block, "hint": plain(field.hint, 2000)} if field.hint else block


def _element(field: Field, value: Value | None) -> Json:
    typed = value if isinstance(value, str) else "".join(value or ())
    match field:
        case TextField():
            element: Json = {"type": "plain_text_input", "multiline": field.lines > 1, "max_length": 3000}
            return {**element, "initial_value": typed[:3000]} if typed else element
        case NumberField():
            element = {"type": "number_input", "is_decimal_allowed": field.decimals}
            return {**element, "initial_value": typed} if _is_number(typed, field.decimals) else element
        case Choice(many=True):
            return _many(field, value if isinstance(value, tuple) else (value,) if value else ())
        case Choice() | PersonField():
            return _one(field.options, typed, radio=isinstance(field, Choice))
        case Toggle():
            options = (Option(value="yes", label="Yes"),)
            return _chosen({"type": "checkboxes", "options": [_option(options[0])]}, "initial_options", options, (typed,))
        case DateField():
            return {"type": "datepicker", "initial_date": typed} if typed else {"type": "datepicker"}
        case TimeField():
            return {"type": "timepicker", "initial_time": typed} if typed else {"type": "timepicker"}
        case _:
            assert_never(field)


def _is_number(text: str, decimals: bool) -> bool:
    try:
        return float(text) == int(float(text)) or decimals
    except (ValueError, OverflowError):
        return False


def _option(option: Option) -> Json:
    shown = {"text": plain(option.label, 75), "value": option.value}
    return {**shown, "description": plain(option.detail, 75)} if option.detail else shown


def _chosen(element: Json, key: str, options: Sequence[Option], values: Iterable[str]) -> Json:
    """The element with what is chosen in it."""
    wanted = set(values)
    chosen = [_option(option) for option in options if option.value in wanted]
    if not chosen:
        return element
    return {**element, key: chosen if key == "initial_options" else chosen[0]}


def _one(options: Sequence[Option], value: str, *, radio: bool) -> Json:
    """Radio buttons where all are seen at once, a list otherwise; Slack's list holds 100."""
    offered = options[:100]
    kind = "radio_buttons" if radio and len(offered) <= 5 else "static_select"
    return _chosen({"type": kind, "options": [_option(option) for option in offered]}, "initial_option", offered, (value,))


def _many(field: Choice, values: Sequence[str]) -> Json:
    offered = field.options[:100]
    if len(offered) <= 10 and field.most is None:
        return _chosen({"type": "checkboxes", "options": [_option(option) for option in offered]}, "initial_options", offered, values)
    element: Json = {"type": "multi_static_select", "options": [_option(option) for option in offered]}
    limited = {**element, "max_selected_items": field.most} if field.most else element
    return _chosen(limited, "initial_options", offered, values)
