"""Views as HTML: one template part for each kind of view, all text escaped. Pure, but for reading each template once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, assert_never
from urllib.parse import urlsplit

from markupsafe import Markup

from bot import figures
from bot.web.items import Faded, PageItem, Words
from handlers import words
from handlers.calendar import local_day
from handlers.views import (
    Block,
    Button,
    Card,
    Choice,
    DateField,
    Divider,
    Facts,
    Field,
    Figure,
    Form,
    Line,
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

if TYPE_CHECKING:
    from jinja2 import Environment, Template

HERE = Path(__file__).parent
STATIC: Mapping[str, bytes] = {path.name: path.read_bytes() for path in sorted((HERE / "static").iterdir())}
SHORTCUTS = (("Share an idea", "idea"), ("My ideas", "ideas"), ("Help", "help"))
"""What the buttons beside the box type."""

LISTED_AS_RADIOS = 7
CHOOSE = "Choose from the list"


def _asset(name: str) -> str:
    """The address of a static file, another one whenever the file changes."""
    return f"/static/{name}?v={hashlib.blake2b(STATIC[name], digest_size=6).hexdigest()}"


@cache
def _environment() -> Environment:
    """Made when the first page is drawn, as are the templates: together they take a good part of a start."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    loader = FileSystemLoader(HERE / "templates")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.globals.update(asset=_asset, shortcuts=SHORTCUTS)
    return environment


@cache
def _template(name: str) -> Template:
    return _environment().get_template(name)


@cache
def _parts() -> Any:
    return _template("parts.html").module


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where on the page something stands: what its forms and buttons must send along, and where its pictures are."""

    base: str
    proof: str
    item: int
    ticket: str
    picture: Callable[[Figure], str]


@dataclass(frozen=True, kw_only=True)
class Page:
    """Somebody's page. `typed` stands in the box; `more` asks for that many items; `working`: the address to look again.

    `picture` gives the address of a figure's picture, "" where it has none.
    """

    base: str
    who: str
    proof: str
    ticket: str
    items: Sequence[PageItem]
    picture: Callable[[Figure], str]
    more: int = 0
    typed: str = ""
    demo: bool = False
    working: str = ""
    patient: bool = True
    """False when the outcome has been waited for long enough."""


@dataclass(frozen=True, kw_only=True)
class Notice:
    """A page that only says something; `links` lead on."""

    title: str
    paragraphs: Sequence[str]
    links: Sequence[Link] = ()
    demo: bool = False


def page(page: Page) -> str:
    """The whole page of a person."""
    refused = next((item.shown.title for item in reversed(page.items) if isinstance(item.shown, Form) and item.shown.errors), "")
    return _template("page.html").render(page=page, refused=refused, items=items(page))


def items(page: Page) -> Markup:
    """What was said, oldest first; only the newest form, and those with errors, stand open."""
    newest = next((item for item in reversed(page.items) if isinstance(item.shown, Form)), None)
    return Markup().join(_item(item, page, open=item is newest) for item in page.items)


def notice(notice: Notice) -> str:
    """A page with a title, paragraphs and links."""
    return _template("notice.html").render(notice=notice)


def choose(personas: Sequence[Link]) -> str:
    """The demonstration's first page: whom to be."""
    return _template("choose.html").render(personas=personas)


def privacy() -> str:
    """What is read and kept, for how long, and who can see it."""
    return _template("privacy.html").render()


def terms() -> str:
    """What the bot is for, and what it is not for."""
    return _template("terms.html").render()


def sign_in(token: str) -> str:
    """The page of a one-time link: a button, and nothing is spent by looking."""
    return _template("sign_in.html").render(token=token)


def _item(item: PageItem, page: Page, *, open: bool) -> Markup:
    place = Place(base=page.base, proof=page.proof, item=item.id, ticket=item.ticket, picture=page.picture)
    match item.shown:
        case Words():
            body: Markup = _parts().words(item.shown.text)
        case Card():
            body = _card(item.shown, place)
        case Form():
            body = _form(item.shown, place)
            if not open and not item.shown.errors:
                body = _parts().folded(item.shown.title, body)
        case Faded():
            body = _parts().faded()
        case _:
            assert_never(item.shown)
    day = local_day(item.at)
    when = f"{day.day} {day:%B}, {words.clock(item.at)}"
    mine = isinstance(item.shown, Words)
    shown: Markup = _parts().item(item, body, when, mine, isinstance(item.shown, Form))
    return shown


def _card(card: Card, place: Place) -> Markup:
    blocks = [_block(block, place) for block in card.blocks]
    buttons = [_button(button, place) if isinstance(button, Button) else _link(button) for button in card.buttons]
    drawn: Markup = _parts().card(card.title, blocks, buttons)
    return drawn


def _block(block: Block, place: Place) -> Markup:
    drawn: Markup
    match block:
        case Text():
            drawn = _parts().text(block.text, block.kind)
        case Facts():
            drawn = _parts().facts(block.facts)
        case Table():
            drawn = _parts().table(block)
        case Divider():
            drawn = _parts().divider()
        case Lines():
            drawn = _parts().lines([(line, _line_button(line, place)) for line in block.lines])
        case Picture():
            address = place.picture(block.figure)
            drawn = _parts().picture(block.alt, address, figures.size(block.figure), _parts().table(block.table))
        case _:
            assert_never(block)
    return drawn


def _line_button(line: Line, place: Place) -> Markup:
    return _button(line.button, place, about=line.text) if line.button else Markup()


def _carried(action: str, args: Mapping[str, str]) -> str:
    return json.dumps({"action": action, "args": dict(args)}, ensure_ascii=False)


def _button(button: Button, place: Place, about: str = "") -> Markup:
    drawn: Markup = _parts().button(button, _carried(button.action, button.args), place, about)
    return drawn


def _link(link: Link) -> Markup:
    """Only to web and e-mail addresses; anything else is shown as words."""
    try:
        safe = urlsplit(link.url).scheme in ("http", "https", "mailto")
    except ValueError:
        safe = False
    drawn: Markup = _parts().link(link.label, link.url, safe)
    return drawn


# -- forms


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """A field with all that its template part needs."""

    id: str
    name: str
    label: str
    hint: str
    error: str
    optional: bool

    @property
    def described(self) -> str:
        """The ids of what explains the field."""
        return " ".join(id for id, there in ((f"{self.id}-hint", self.hint), (f"{self.id}-error", self.error)) if there)


def _form(form: Form, place: Place) -> Markup:
    names = [field.name for field in form.fields]
    labels = {field.name: field.label for field in form.fields}
    ordered = sorted(form.errors, key=lambda name: names.index(name) if name in labels else -1)
    summary = [(form.errors[name], _first_id(name, place) if name in labels else "") for name in ordered]
    buttons = [(button, _carried(button.action, button.args)) for button in form.buttons]
    drawn: Markup = _parts().form(
        form,
        _carried(form.action, form.args),
        [_block(block, place) for block in form.blocks],
        [_field(field, form, place) for field in form.fields],
        summary,
        buttons,
        place,
    )
    return drawn


def _first_id(name: str, place: Place) -> str:
    return f"f{place.item}-{name}"


def _field(field: Field, form: Form, place: Place) -> Markup:
    value = form.values.get(field.name, "")
    asked = _Asked(
        id=_first_id(field.name, place),
        name=field.name,
        label=field.label,
        hint=field.hint,
        error=form.errors.get(field.name, ""),
        optional=not isinstance(field, Toggle) and not field.required,
    )
    text = value if isinstance(value, str) else "".join(value[:1])
    drawn: Markup
    match field:
        case TextField():
            drawn = _parts().text_field(asked, text, field.lines)
        case NumberField():
            drawn = _parts().number_field(asked, text, "decimal" if field.decimals else "numeric")
        case Choice():
            drawn = _choice(field, asked, value)
        case Toggle():
            drawn = _parts().toggle(asked, text == "yes")
        case DateField():
            drawn = _parts().typed_field(asked, text, "date" if _fits(date.fromisoformat, text) else "text")
        case TimeField():
            drawn = _parts().typed_field(asked, text, "time" if _fits(time.fromisoformat, text) else "text")
        case PersonField():
            drawn = _parts().select(asked, _options(field.options, value), CHOOSE)
        case _:
            assert_never(field)
    return drawn


def _fits(read: Any, text: str) -> bool:
    """Whether the browser's own input can hold the text; if not, it must stay readable in a plain one."""
    try:
        return not text or bool(read(text) is not None)
    except ValueError:
        return False


def _options(options: Sequence[Option], value: Value) -> list[tuple[Option, bool]]:
    chosen = value if isinstance(value, tuple) else (value,)
    return [(option, option.value in chosen) for option in options]


def _choice(field: Choice, asked: _Asked, value: Value) -> Markup:
    """Checkboxes for many; radios for few or explained options, a list for the rest."""
    options = _options(field.options, value)
    explained = any(option.detail for option in field.options)
    drawn: Markup
    if field.many:
        drawn = _parts().choices(asked, options, "checkbox", "many")
    elif explained or len(options) <= LISTED_AS_RADIOS:
        drawn = _parts().choices(asked, options, "radio", "field")
    else:
        drawn = _parts().select(asked, options, CHOOSE)
    return drawn
