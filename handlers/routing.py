"""What comes in and where it goes: Interaction, Request, rights, and the Router that a topic hangs its handlers on."""

from __future__ import annotations

import difflib
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias, TypeVar

from handlers.errors import GONE, Refused
from handlers.views import Args, Form, Line, Message, Outcome, Value, Values
from storage.database import Session
from storage.people import AccountKey, Group, Person

Kind: TypeAlias = Literal["command", "action", "form", "file", "event"]
"""event: words in a conversation (a direct message, a mention), which cannot be taken back."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """The conversation it came from; private: nobody else reads it."""

    id: str
    private: bool


@dataclass(frozen=True, kw_only=True)
class Quoted:
    """Somebody's message that was handed to the bot."""

    text: str
    author: str
    url: str


@dataclass(frozen=True, kw_only=True)
class Profile:
    """What an account says of its owner; a guest's or stranger's e-mail is vouched for by nobody. `zone`: such as Europe/London."""

    name: str
    email: str | None = None
    guest: bool = False
    zone: str | None = None


@dataclass(frozen=True, kw_only=True)
class Interaction:
    """One thing a person did on a channel.

    `name` is the action of a press or a form; a command's or event's words stand in `text`.
    `ticket` makes a repetition recognisable: of the form or card, else the platform's own id of the event.
    """

    id: str
    ticket: str
    channel: str
    tenant: str
    user: str
    place: Place
    kind: Kind
    profile: Profile | None = None
    name: str = ""
    text: str = ""
    args: Args = field(default_factory=dict)
    values: Values = field(default_factory=dict)
    quoted: Quoted | None = None

    @property
    def account(self) -> AccountKey:
        """Whose account did it."""
        return AccountKey(channel=self.channel, tenant=self.tenant, user=self.user)


@dataclass(frozen=True, kw_only=True)
class Request:
    """An interaction as a handler sees it: by whom, when, and inside which transaction.

    `text` is what follows the command's name; `values` are tidied and, for a form, checked against its fields.
    """

    person: Person
    now: datetime
    session: Session
    place: Place
    channel: str = ""
    tenant: str = ""
    site: str = ""
    """Where the web chat is, such as https://dih.example.org."""
    pulse_minimum: int = 5
    """The fewest scored answers of a dimension that is shown, in rounds that are opened now."""
    text: str = ""
    args: Args = field(default_factory=dict)
    values: Values = field(default_factory=dict)
    quoted: Quoted | None = None

    def one(self, name: str) -> str:
        """The value of a field that holds one; "" where it is empty."""
        value: Value = self.values.get(name, "")
        return value if isinstance(value, str) else ", ".join(value)

    def many(self, name: str) -> tuple[str, ...]:
        """The values of a field that holds many."""
        value: Value = self.values.get(name, ())
        return value if isinstance(value, tuple) else (value,)

    def number(self, name: str) -> int:
        """The number that an argument holds; raises Refused where a button or form brings none, or none of ours."""
        text = self.args.get(name, "")
        if not re.fullmatch(r"[0-9]{1,9}", text):
            raise Refused(GONE)
        return int(text)


@dataclass(frozen=True, kw_only=True)
class Occasion:
    """The moment a message is built, just before it is sent; `person` is None for a group's place."""

    session: Session
    now: datetime
    args: Args
    person: Person | None


Handler: TypeAlias = Callable[[Request], Awaitable[Outcome]]
FormBuilder: TypeAlias = Callable[[Request], Awaitable[Form]]
MessageBuilder: TypeAlias = Callable[[Occasion], Awaitable[Message | None]]
NudgeBuilder: TypeAlias = Callable[[Occasion], Awaitable[Line | None]]


class TooLate(Exception):
    """A message that is still true would help nobody any more: it is not sent, and counts as missed."""


async def _no_relation_needed(_request: Request) -> bool:
    return True


@dataclass(frozen=True, kw_only=True)
class Right:
    """Who may use a route. `phrase` completes "This is for ...".

    `held_by` looks at the person alone; `over` at their relation to the object that the arguments name.
    """

    phrase: str
    held_by: Callable[[Person], bool] = lambda _person: True
    over: Callable[[Request], Awaitable[bool]] = _no_relation_needed


class NotAllowed(Exception):
    """Somebody lacks a right that is known only once their words are understood: told and audited like one that the route names."""

    def __init__(self, person: Person, right: Right) -> None:
        super().__init__(right.phrase)
        self.person, self.right = person, right


anyone = Right(phrase="everyone in the hub")
core_team = Right(phrase="the Core Team", held_by=lambda person: Group.CORE_TEAM in person.groups)
administrator = Right(phrase="administrators", held_by=lambda person: person.administrator)


@dataclass(frozen=True, kw_only=True)
class Route:
    """A handler with its name and its conditions; `reads`: it changes nothing.

    `confidential`: of what is said there no receipt, draft, page or audit is kept, so repeating it must do no harm.
    """

    name: str
    run: Handler
    may: Right
    reads: bool = False
    confidential: bool = False


@dataclass(frozen=True, kw_only=True)
class CommandRoute(Route):
    """A word people type; `summary` and `usage` are what help says of it, `asks`: a form follows."""

    summary: str
    usage: str
    asks: bool = False


@dataclass(frozen=True, kw_only=True)
class FormRoute(Route):
    """What happens with a filled form; `build` makes the form it is checked against.

    `drafts`: what was typed and refused is offered when the form is next asked for.
    """

    build: FormBuilder
    drafts: bool = True


@dataclass(frozen=True, kw_only=True)
class MessageRoute:
    """A kind of message; `awaited`: somebody waits for it, so one that may not have arrived is sent once more."""

    kind: str
    build: MessageBuilder
    awaited: bool


AnyRoute = TypeVar("AnyRoute", CommandRoute, Route, FormRoute, MessageRoute, NudgeBuilder)


class Clash(Exception):
    """Two routes have the same name."""


class Router:
    """The routes of one topic."""

    def __init__(self) -> None:
        self.commands: dict[str, CommandRoute] = {}
        self.actions: dict[str, Route] = {}
        self.forms: dict[str, FormRoute] = {}
        self.files: dict[str, Route] = {}
        self.messages: dict[str, MessageRoute] = {}
        self.nudges: dict[str, NudgeBuilder] = {}

    def command(
        self,
        name: str,
        summary: str,
        *,
        usage: str = "",
        may: Right = anyone,
        reads: bool = False,
        asks: bool = False,
        confidential: bool = False,
    ) -> Callable[[Handler], Handler]:
        """A word, or words, that people type: `@router.command("ideas", "see the ideas you shared", reads=True)`."""

        def add(run: Handler) -> Handler:
            how = CommandRoute(
                name=name, run=run, may=may, reads=reads, confidential=confidential, summary=summary, usage=usage or name, asks=asks
            )
            _put(self.commands, name, how)
            return run

        return add

    def action(self, name: str, *, may: Right = anyone, reads: bool = False, confidential: bool = False) -> Callable[[Handler], Handler]:
        """What a button does: `@router.action("ideas.withdraw", may=author)`."""

        def add(run: Handler) -> Handler:
            _put(self.actions, name, Route(name=name, run=run, may=may, reads=reads, confidential=confidential))
            return run

        return add

    def form(
        self, name: str, build: FormBuilder, *, may: Right = anyone, drafts: bool = True, confidential: bool = False
    ) -> Callable[[Handler], Handler]:
        """What happens with a form that passed its own checks: `@router.form("ideas.submit", idea_form)`."""

        def add(run: Handler) -> Handler:
            route = FormRoute(name=name, run=run, may=may, build=build, drafts=drafts and not confidential, confidential=confidential)
            _put(self.forms, name, route)
            return run

        return add

    def file(self, name: str, *, may: Right = anyone) -> Callable[[Handler], Handler]:
        """Makes the File that a button with does="get" leads to."""

        def add(run: Handler) -> Handler:
            _put(self.files, name, Route(name=name, run=run, may=may))
            return run

        return add

    def message(self, kind: str, *, awaited: bool = True) -> Callable[[MessageBuilder], MessageBuilder]:
        """Builds a message when it is sent; None means that it is no longer true. Raises TooLate for one that was missed."""

        def add(build: MessageBuilder) -> MessageBuilder:
            _put(self.messages, kind, MessageRoute(kind=kind, build=build, awaited=awaited))
            return build

        return add

    def nudge(self, kind: str) -> Callable[[NudgeBuilder], NudgeBuilder]:
        """Builds one line of somebody's daily reminder when it is sent; None means that it is no longer true."""

        def add(build: NudgeBuilder) -> NudgeBuilder:
            _put(self.nudges, kind, build)
            return build

        return add

    def include(self, *parts: Router) -> Router:
        """Takes in all routes of these, of a topic's files or of all topics; returns itself."""
        for part in parts:
            _take(self.commands, part.commands)
            _take(self.actions, part.actions)
            _take(self.forms, part.forms)
            _take(self.files, part.files)
            _take(self.messages, part.messages)
            _take(self.nudges, part.nudges)
        return self


def _put(routes: dict[str, AnyRoute], name: str, route: AnyRoute) -> None:
    if name in routes:
        raise Clash(f"{name!r} is routed twice")
    routes[name] = route


class Routes(Router):
    """The routes of all topics, by name."""

    def __init__(self, features: Iterable[Router]) -> None:
        super().__init__()
        self.include(*features)
        self._longest = max((len(name.split()) for name in self.commands), default=0)

    def resolve(self, text: str) -> tuple[CommandRoute | None, str]:
        """The command that the words begin with, and the words after it, spaces as they were typed."""
        words = re.findall(r"\S+", text)
        for count in range(min(self._longest, len(words)), 0, -1):
            route = self.commands.get(" ".join(words[:count]).casefold())
            if route is not None:
                return route, re.sub(rf"^\s*(?:\S+\s+){{{count - 1}}}\S+\s*", "", text, count=1)
        return None, text.strip()

    def nearest(self, text: str, person: Person) -> CommandRoute | None:
        """The command the person may have meant, among those they may use."""
        names = [route.name for route in self.offered_to(person)]
        for attempt in (text.casefold(), text.casefold().partition(" ")[0]):
            if close := difflib.get_close_matches(attempt, names, n=1, cutoff=0.6):
                return self.commands[close[0]]
        return None

    def offered_to(self, person: Person) -> tuple[CommandRoute, ...]:
        """The commands that somebody may use, by name."""
        return tuple(route for _, route in sorted(self.commands.items()) if route.may.held_by(person))


def _take(mine: dict[str, AnyRoute], theirs: Mapping[str, AnyRoute]) -> None:
    for name, route in theirs.items():
        _put(mine, name, route)
