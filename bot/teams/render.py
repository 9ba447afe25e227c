"""What views look like in Teams: Adaptive Cards 1.5, within its size and complete in words; pure.

What people wrote is only ever put into text runs, the labels and values of inputs and the titles of buttons, none of which read
markdown; see `bot.teams.texts` for the exceptions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, assert_never
from urllib.parse import urlsplit

from bot.plain import card_in_words, form_in_words
from bot.teams.fields import Room, field_elements
from bot.teams.texts import BOLD, NOTE, WRONG, Json, rich, run, safe, size, told
from handlers import words
from handlers.views import Args, Block, Button, Card, Choice, Divider, Fact, Facts, Figure, Form, Line, Lines, Link, Picture, Table, Text

ADAPTIVE = "application/vnd.microsoft.card.adaptive"
CARD_BYTES = 25 * 1024 - 600
"""Bytes of a card in UTF-16; what is said about what does not fit has its place besides."""
TABLE_BYTES, CELL = 12_000, 200
ROW_BUTTONS, ROW_WIDTH = 6, 264
"""Buttons of a row, and about how many pixels wide it is on a narrow phone."""
BESIDE = 10
"""Characters of a button that leaves enough space for the words beside it on a narrow phone."""
TITLE, LABEL, ALTERNATIVE = 300, 75, 1000
CUT = "There is more than fits here."

Pictures: TypeAlias = Mapping[Figure, str]
"""Https addresses of pictures, by what they show."""
NO_PICTURES: Pictures = {}


@dataclass(frozen=True, kw_only=True)
class Surface:
    """Where a view is drawn: what its buttons must carry, which pictures there are, and whether it is a dialog."""

    ticket: str
    pictures: Pictures
    dialog: bool


def card(view: Card, ticket: str, pictures: Pictures = NO_PICTURES, *, dialog: bool = False) -> Json:
    """A card; in a dialog its title stands in the dialog's own bar."""
    surface = Surface(ticket=ticket, pictures=pictures, dialog=dialog)
    head = [] if dialog else _title(view.title)
    foot = _buttons(view.buttons, surface)
    left = CARD_BYTES - size(_adaptive([*head, *foot]))
    return _adaptive([*head, *_body(view.blocks, surface, left), *foot])


def form(view: Form, ticket: str, pictures: Pictures = NO_PICTURES, *, dialog: bool = False) -> Json:
    """A form; inputs and buttons are always all there, with as much of what stands in them as fits."""
    surface = Surface(ticket=ticket, pictures=pictures, dialog=dialog)
    step = told(view.step, **NOTE)
    whole = told(words.short(view.errors.get("", ""), 1000), **WRONG)
    head = [*step, *([] if dialog else _title(view.title)), *whole]
    submit = _pressed(view.submit, "form", view.action, view.args, surface, "primary", many=_many(view))
    steps = (_pressed(each.label, "step", each.action, each.args, surface, each.style, many=_many(view)) for each in view.buttons)
    foot = _rows([submit, *steps])
    inputs, left = _inputs(view, CARD_BYTES - size(_adaptive([*head, *foot])))
    return _adaptive([*head, *_body(view.blocks, surface, left), *inputs, *foot])


def message(view: Card, ticket: str, pictures: Pictures = NO_PICTURES) -> Json:
    """A message with a card, and all of it in words."""
    return _message(card(view, ticket, pictures), card_in_words(view))


def form_message(view: Form, ticket: str, pictures: Pictures = NO_PICTURES) -> Json:
    """A message with a form, and all of it in words."""
    return _message(form(view, ticket, pictures), form_in_words(view))


def again(view: Card, data: Mapping[str, object]) -> Json:
    """What a dialog shows where nothing was saved: a button sends the same once more."""
    action: Json = {"type": "Action.Submit", "title": "Send it again", "data": {**data}, "style": "positive"}
    drawn = card(view, "", dialog=True)
    return {**drawn, "body": [*drawn["body"], *_rows([action])]}


def task(title: str, card: Json) -> Json:
    """A dialog with a card, high enough for what it asks."""
    inputs = sum(1 for element in card["body"] if element["type"].startswith("Input."))
    height = "large" if inputs > 3 or size(card) > 8000 else "medium"
    value = {"title": words.short(title, 60), "height": height, "width": "medium", "card": _attached(card)}
    return {"task": {"type": "continue", "value": value}}


def _message(card: Json, summary: str) -> Json:
    return {"type": "message", "attachments": [_attached(card)], "summary": summary}


def _attached(card: Json) -> Json:
    return {"contentType": ADAPTIVE, "content": card}


def _adaptive(body: list[Json]) -> Json:
    """A card; tables get all the width that there is."""
    card: Json = {"type": "AdaptiveCard", "version": "1.5", "body": body or told("There is nothing to show.")}
    return {**card, "msteams": {"width": "Full"}} if any(each["type"] == "Table" for each in body) else card


def _title(title: str) -> list[Json]:
    return told(words.short(" ".join(title.split()), TITLE), size="Large", **BOLD)


def _inputs(view: Form, left: int) -> tuple[list[Json], int]:
    """(The fields, the bytes that they leave): as much of them as fits."""
    room: Room | None = Room()
    while room:
        drawn = [
            element
            for field in view.fields
            for element in field_elements(field, view.values.get(field.name), view.errors.get(field.name, ""), room)
        ]
        rest = left - size(drawn)
        room = None if rest >= 0 else room.tighter(drawn)
    return drawn, rest


def _body(blocks: Sequence[Block], surface: Surface, left: int) -> list[Json]:
    """The blocks as far as they fit, and a note where that is not all."""
    kept: list[Json] = []
    separated = False
    for block in blocks:
        for element in _block(block, surface, left):
            drawn = {**element, "separator": True} if separated else element
            left -= size(drawn) + 2
            if left < 0:
                return [*kept, rich(run(CUT, **NOTE))]
            kept.append(drawn)
            separated = False
        separated = separated or isinstance(block, Divider)
    return kept


def _block(block: Block, surface: Surface, left: int) -> Sequence[Json]:
    match block:
        case Text(kind="note"):
            return told(block.text, **NOTE)
        case Text(kind="heading"):
            return _heading(block.text)
        case Text():
            return told(block.text)
        case Facts():
            return [element for number, fact in enumerate(block.facts) for element in _fact(fact, first=number == 0)]
        case Table():
            return _table(block, left)
        case Divider():
            return []
        case Lines():
            return [element for line in block.lines for element in _line(line, surface)]
        case Picture():
            address = surface.pictures.get(block.figure, "")
            above = [_image(address, block.alt)] if _opens(address) else told(block.alt, **NOTE)
            return [*above, *_table(block.table, left - size(above))]
        case _:
            assert_never(block)


def _heading(text: str) -> list[Json]:
    return [{**element, "spacing": "Large"} for element in told(text, size="Medium", **BOLD)]


def _fact(fact: Fact, *, first: bool) -> list[Json]:
    """The label and the first line of what it says, then the other lines."""
    lines = told(fact.value)
    label = run(f"{words.short(fact.label, 200)}: ", **BOLD)
    close = {} if first else {"spacing": "Small"}
    return [rich(label, *(run for each in lines[:1] for run in each["inlines"]), **close), *lines[1:]]


def _image(address: str, alternative: str) -> Json:
    return {"type": "Image", "url": address, "altText": safe(words.short(alternative, ALTERNATIVE)), "size": "Stretch"}


# -- tables


def _table(table: Table, left: int) -> list[Json]:
    """As many rows as fit, and how many there are besides; columns where they fit on a narrow phone, else a paragraph a row."""
    weights = _weights(table)
    drawn: Json = {"type": "Table", "firstRowAsHeader": True, "columns": [{"width": weight} for weight in weights]}
    narrow = sum(_pixels(column) for column in _columns(table)) <= ROW_WIDTH
    caption = told(table.caption, **BOLD)
    rows = [[_row(table.columns, **BOLD)]] if narrow else []
    room = min(TABLE_BYTES, left) - size([*caption, drawn, *rows]) - 200
    for cells in table.rows:
        row = [_row(cells)] if narrow else _told_row(table.columns, cells)
        room -= size(row)
        if room < 0:
            break
        rows.append(row)
    more = len(table.rows) - len(rows) + narrow
    flat = [element for row in rows for element in row]
    return [*caption, *([{**drawn, "rows": flat}] if narrow else flat), *(told(f"And {words.number(more)} more.", **NOTE) if more else [])]


def _columns(table: Table) -> Iterator[tuple[str, ...]]:
    return zip(*(table.columns, *table.rows), strict=True)


def _pixels(cells: Sequence[str]) -> int:
    """About how wide a column is at the least: a word is not broken."""
    return 8 * max(map(_longest_word, cells)) + 8


def _weights(table: Table) -> list[int]:
    """How wide each column is beside the others: as its words need it, within reason."""
    return [max(4, min(24, max(map(len, cells))), max(map(_longest_word, cells)) + 1) for cells in _columns(table)]


def _longest_word(text: str) -> int:
    return max(map(len, text[:CELL].split()), default=1)


def _told_row(columns: Sequence[str], cells: Sequence[str]) -> list[Json]:
    """What the row is about, then what each column says of it."""
    said = ". ".join(f"{column}: {words.short(cell, CELL)}" for column, cell in zip(columns[1:], cells[1:], strict=True) if cell.strip())
    below = [{**element, "spacing": "None"} for element in told(f"{said}." if said else "")]
    return [*told(words.short(cells[0], CELL), **BOLD), *below]


def _row(cells: Sequence[str], **style: str) -> Json:
    return {"type": "TableRow", "cells": [{"type": "TableCell", "items": _cell(cell, **style)} for cell in cells]}


def _cell(text: str, **style: str) -> list[Json]:
    return told(words.short(text, CELL), **style) or [rich(run(" "))]


# -- lists and buttons


def _line(line: Line, surface: Surface) -> list[Json]:
    """The words, with a short button beside them or a longer one below: on a phone it must not squeeze them."""
    said = told(words.short(line.text, 1000))
    said += [{**element, "spacing": "None"} for element in told(words.short(line.note, 1000), **NOTE)]
    if line.button is None:
        return said
    action: Json = {"type": "ActionSet", "actions": [_button(line.button, surface)]}
    if len(line.button.label) > BESIDE:
        return [{"type": "Container", "items": [*said, {**action, "spacing": "Small"}]}]
    columns = [
        {"type": "Column", "width": "stretch", "items": said, "verticalContentAlignment": "Center"},
        {"type": "Column", "width": "auto", "items": [action], "verticalContentAlignment": "Center"},
    ]
    return [{"type": "ColumnSet", "columns": columns}]


def _button(button: Button, surface: Surface) -> Json:
    return _pressed(button.label, "action", button.action, button.args, surface, button.style, asks=button.does == "ask")


def _many(view: Form) -> list[str]:
    """The fields of which several may be chosen: Teams gives their values with commas between."""
    return [field.name for field in view.fields if isinstance(field, Choice) and field.many]


def _pressed(
    label: str, do: str, name: str, args: Args, surface: Surface, style: str, *, asks: bool = False, many: Sequence[str] = ()
) -> Json:
    """A button; clients that do not know Action.Execute find the same in its fallback."""
    title = safe(words.short(label, LABEL)) or " "
    carried = {"do": do, "name": name, "ticket": surface.ticket, **({"args": dict(args)} if args else {})}
    data: Json = {"dih": {**carried, "many": many} if many else carried}
    look = {"plain": {}, "primary": {"style": "positive"}, "danger": {"style": "destructive"}}[style]
    if surface.dialog:
        return {"type": "Action.Submit", "title": title, "data": data, **look}
    if asks:
        return {"type": "Action.Submit", "title": title, "data": {**data, "msteams": {"type": "task/fetch"}}, **look}
    fallback = {"type": "Action.Submit", "title": title, "data": data}
    return {"type": "Action.Execute", "title": title, "verb": name, "data": data, **look, "fallback": fallback}


def _buttons(buttons: Sequence[Button | Link], surface: Surface) -> list[Json]:
    """Rows of buttons; a link that Teams would not open is written out above them."""
    actions, written = [], []
    for button in buttons:
        if isinstance(button, Button):
            actions.append(_button(button, surface))
        elif _opens(button.url):
            actions.append({"type": "Action.OpenUrl", "title": safe(words.short(button.label, LABEL)) or " ", "url": button.url})
        else:
            written += told(words.short(f"{button.label}: {button.url}", TITLE))
    return [*written, *_rows(actions)]


def _opens(address: str) -> bool:
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme == "https" and bool(parts.netloc)


def _rows(actions: Sequence[Json]) -> list[Json]:
    """Buttons in rows that fit on a narrow phone, where they would be cut off otherwise."""
    rows: list[list[Json]] = []
    left = 0
    for action in actions:
        width = 7 * len(action["title"]) + 36
        if not rows or len(rows[-1]) == ROW_BUTTONS or width > left:
            rows.append([])
            left = ROW_WIDTH
        rows[-1].append(action)
        left -= width
    return [{"type": "ActionSet", "actions": row, **({"spacing": "Small"} if number else {})} for number, row in enumerate(rows)]
