"""What views look like in Slack: blocks, modals and the words screen readers get; pure.

What people wrote is only ever put into plain_text and rich_text elements, which Slack reads as they stand.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias, assert_never

from bot.plain import card_in_words
from bot.slack.fields import Json, input_block, plain
from bot.slack.parse import ASK_AGAIN
from handlers import words
from handlers.views import (
    Block,
    Button,
    Card,
    Divider,
    Facts,
    Figure,
    Form,
    Lines,
    Link,
    Picture,
    Table,
    Text,
    paragraphs,
)

MESSAGE_BLOCKS, VIEW_BLOCKS = 50, 100
MESSAGE_CHARACTERS, VIEW_CHARACTERS = 11_000, 25_000
SECTION = 2900
TABLE_COLUMNS, CELL, TABLE_CHARACTERS = 10, 200, 6000
ALTERNATIVE = 2000
CUT = "There is more than fits here."

Files: TypeAlias = Mapping[Figure, str]
"""Slack's files of pictures, by what they show: those that are ready."""
NO_FILES: Files = {}


def card(view: Card, ticket: str, files: Files = NO_FILES, *, modal: bool = False) -> list[Json]:
    """A card's blocks, within Slack's limits."""
    blocks = [] if modal else [{"type": "header", "text": plain(view.title, 150)}]
    if not modal and len(view.title) > 150:
        blocks.append(_paragraph(view.title))
    may_table = not modal
    for number, block in enumerate(view.blocks):
        blocks += _block(block, ticket, number, files, may_table=may_table)
        may_table = may_table and not isinstance(block, Table | Picture)
    actions = _buttons(view.buttons, ticket)
    most = (VIEW_BLOCKS if modal else MESSAGE_BLOCKS) - len(actions) - 1
    left = (VIEW_CHARACTERS if modal else MESSAGE_CHARACTERS) - len(json.dumps(actions, ensure_ascii=False))
    return [*_fitting(blocks, most, left), *actions]


def _fitting(blocks: list[Json], most: int, characters: int) -> list[Json]:
    """As many blocks as fit, and a note where that is not all."""
    if len(blocks) <= most and len(json.dumps(blocks, ensure_ascii=False)) <= characters:
        return blocks
    kept: list[Json] = []
    left = characters
    for block in blocks:
        left -= len(json.dumps(block, ensure_ascii=False))
        if left < 0 or len(kept) >= most:
            return [*kept, _note(CUT)]
        kept.append(block)
    return kept


def _block(block: Block, ticket: str, number: int, files: Files, *, may_table: bool) -> list[Json]:
    match block:
        case Text(kind="note"):
            return [_note(part) for part in _parts(block.text)]
        case Text(kind="heading"):
            return [_rich([_run(part, bold=True)]) for part in _parts(block.text)]
        case Text():
            return [_paragraph(part) for part in _parts(block.text)]
        case Facts():
            return [part for fact in block.facts for part in _fact(fact.label, fact.value)]
        case Table():
            return _table(block, native=may_table)
        case Divider():
            return [{"type": "divider"}]
        case Lines():
            return [_line(line.text, line.note, line.button, ticket, f"{number}.{place}") for place, line in enumerate(block.lines)]
        case Picture():
            file, table = files.get(block.figure), _table(block.table, native=may_table)
            return [*table, _image(file, block.alt)] if file else [*table, *(_note(part) for part in _parts(block.alt))]
        case _:
            assert_never(block)


def _parts(text: str) -> Iterable[str]:
    """The text in pieces that fit a block."""
    return [text[start : start + SECTION] for start in range(0, len(text), SECTION)] or [" "]


def _paragraph(text: str) -> Json:
    return {"type": "section", "text": plain(text, SECTION + 50)}


def _note(text: str) -> Json:
    return {"type": "context", "elements": [plain(text, SECTION + 50)]}


def _image(file: str, alternative: str) -> Json:
    return {"type": "image", "slack_file": {"id": file}, "alt_text": words.short(alternative, ALTERNATIVE) or " "}


def _run(text: str, *, bold: bool = False) -> Json:
    run: Json = {"type": "text", "text": text or " "}
    return {**run, "style": {"bold": True}} if bold else run


def _rich(runs: list[Json], kind: str = "rich_text_section") -> Json:
    return {"type": "rich_text", "elements": [{"type": kind, "elements": runs}]}


def _fact(label: str, value: str) -> list[Json]:
    first, *rest = _parts(value)
    return [_rich([_run(f"{words.short(label, 200)}\n", bold=True), _run(first)]), *(_rich([_run(part)]) for part in rest)]


def _table(table: Table, *, native: bool) -> list[Json]:
    """Slack's own table where it takes one, else lines of words; as many rows as fit, and how many there are besides."""
    rows: list[list[str]] = []
    left = TABLE_CHARACTERS
    for row in (table.columns, *table.rows[:99]):
        cells = [words.short(cell, CELL) or " " for cell in row]
        left -= sum(map(len, cells)) + (40 * len(cells) if native else 3 * len(cells))
        if left < 0 and rows:
            break
        rows.append(cells)
    drawn: list[Json]
    if native and len(table.columns) <= TABLE_COLUMNS:
        drawn = [{"type": "table", "rows": [[{"type": "raw_text", "text": cell} for cell in row] for row in rows]}]
    else:
        drawn = [_rich([_run(part)], "rich_text_preformatted") for part in _parts("\n".join(" | ".join(row) for row in rows))]
    caption = [_rich([_run(part, bold=True)]) for part in _parts(table.caption)] if table.caption else []
    more = len(table.rows) + 1 - len(rows)
    return [*caption, *drawn, *([_note(f"And {words.number(more)} more.")] if more else [])]


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
    return card_in_words(view, escaped)


def message(view: Card, ticket: str, files: Files = NO_FILES) -> Json:
    """A message: its blocks and all of them in words."""
    return {"text": text_of(view), "blocks": card(view, ticket, files)}


def shown(view: Card, ticket: str, files: Files = NO_FILES, *, last: bool = False) -> Json:
    """A modal that only shows a card; `last`: closing it closes all beneath."""
    whole = [_rich([_run(view.title, bold=True)])] if len(view.title) > 24 else []
    blocks = [*whole, *card(view, ticket, files, modal=True)] or [_paragraph(view.title)]
    return {"type": "modal", "title": plain(view.title, 24), "close": plain("Close", 24), "blocks": blocks, "clear_on_close": last}


def modal(form: Form, ticket: str, files: Files = NO_FILES, *, last: bool = False) -> Json:
    """A form; its ticket and arguments come back in private_metadata, the ticket also stands in the block ids; `last` as in `shown`."""
    whole = form.errors.get("", "")
    above = [_rich([_run(words.short(whole, SECTION), bold=True)])] if whole else []
    if form.step:
        above.append(_note(form.step))
    for number, block in enumerate(form.blocks):
        above += _block(block, ticket, number, files, may_table=False)
    inputs = []
    for field in form.fields:
        if wrong := form.errors.get(field.name):
            inputs.append(_rich([_run(f"{words.short(field.label, 200)}: {words.short(wrong, 500)}", bold=True)]))
        inputs.append(input_block(field, form.values.get(field.name), ticket))
    below = _buttons(form.buttons, ticket)
    blocks = [*_fitting(above, VIEW_BLOCKS - len(inputs) - len(below) - 1, VIEW_CHARACTERS), *inputs, *below]
    return {
        "type": "modal",
        "callback_id": form.action,
        "private_metadata": json.dumps({"ticket": ticket, "args": dict(form.args)}),
        "title": plain(form.title, 24),
        "submit": plain(form.submit, 24),
        "close": plain("Cancel", 24),
        "blocks": blocks or [_paragraph(form.title)],
        "clear_on_close": last,
    }


def errors(form: Form, ticket: str) -> Json | None:
    """The errors for Slack to put under the fields; None when they cannot all stand there."""
    names = {field.name for field in form.fields}
    fitting = form.errors and set(form.errors) <= names
    return {f"{ticket}:{name}": wrong for name, wrong in form.errors.items()} if fitting else None


# -- cards of this channel's own

BACK = "It was not saved. Go back to the form: what you typed is still there."
REST = "Your words were too long to come along whole: copy the rest from your message."
VALUE = 1990  # characters of a button's value, of 2,000


def says(title: str, *sentences: str) -> Card:
    """A card of plain sentences."""
    return Card(title=title, blocks=paragraphs(*sentences))


def form_card(button: Button, *sentences: str) -> Card:
    """Where no modal can open: a button that can open one."""
    return replace(says("Your form is ready", "Press the button to open it.", *sentences), buttons=(button,))


def words_card(text: str) -> Card:
    """A button that takes the words as if they were typed again; they come with it as far as they fit."""
    kept = text
    while (over := len(json.dumps({"text": kept}, ensure_ascii=False)) - VALUE) > 0:
        kept = kept[: -max(1, over // 2)]
    button = Button(label="Open the form", action=ASK_AGAIN, args={"text": kept}, style="primary", does="ask")
    return form_card(button, *((REST,) if len(kept) < len(text) else ()))


def refusal(form: Form) -> Card:
    """What is wrong with a form that lies beneath, as it was typed."""
    labels = {field.name: field.label for field in form.fields}
    return says("Not saved yet", *(f"{labels.get(name, 'The form')}: {wrong}" for name, wrong in form.errors.items()), BACK)
