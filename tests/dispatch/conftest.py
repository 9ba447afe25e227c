"""A dispatcher over all the bot's topics, and people who use it."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace

import pytest

from bot.dispatch import Answer, Dispatcher, Vouching
from bot.limits import RateLimit
from bot.links import FileLinks
from handlers.registry import ROUTES
from handlers.routing import Interaction, Kind, Place, Profile, Quoted, Routes
from handlers.views import Form, Reply, Values
from storage import people, rights
from storage.database import Database
from storage.people import AccountKey, Group, Person
from storage.rights import Rights
from tests.conftest import FakeClock

IDEA = {"title": "Sensors that notice a fall", "need": "People who have fallen", "proposal": "", "visibility": "hub"}
SESSION = {
    "title": "Getting Bid Ready", "about": "How to write a bid that is read.", "day": "2027-01-13", "start": "12:30", "minutes": "60",
    "place": "", "link": "https://meet.example.org/bids", "host": "NHS Dorset", "places": "20",
}  # fmt: skip
ADMIN = "grace@uhd.nhs.uk"
_numbers = itertools.count(1)


@dataclass
class Hub:
    """One process of the bot without its channels; `also` opens a second one on the same database."""

    database: Database
    clock: FakeClock
    routes: Routes = ROUTES
    per_minute: int = 30
    admins: tuple[str, ...] = (ADMIN,)
    woken: int = 0
    dispatcher: Dispatcher = field(init=False)

    def __post_init__(self) -> None:
        self.links = FileLinks(())
        self.dispatcher = Dispatcher(
            self.database,
            self.routes,
            clock=self.clock,
            limit=RateLimit(self.per_minute),
            links=self.links,
            vouching=Vouching(domains={("slack", "T1"): {"uhd.nhs.uk"}}, admins=self.admins),
            site="https://dih.example.org",
            wake=self._wake,
        )

    def _wake(self) -> None:
        self.woken += 1

    def also(self, routes: Routes | None = None) -> Hub:
        """Another process with the same database and clock, of other topics perhaps."""
        return Hub(self.database, self.clock, routes or self.routes, self.per_minute, self.admins)

    def person(
        self,
        user: str,
        name: str = "",
        email: str | None = None,
        *,
        guest: bool = False,
        tenant: str = "T1",
        channel: str = "slack",
        zone: str | None = None,
    ) -> User:
        """Somebody with an account, on Slack unless said otherwise."""
        profile = Profile(name=name or user.title(), email=email or f"{user.lower()}@uhd.nhs.uk", guest=guest, zone=zone)
        return User(self, user, profile, tenant, channel)

    async def organise(self, user: User, *groups: Group, administrator: bool = False) -> None:
        """Gives somebody rights."""
        person = await user.is_known()
        async with self.database.transaction() as session:
            await rights.change(session, person, Rights(organisation_id=None, groups=frozenset(groups), administrator=administrator))


@dataclass
class User:
    """What a person does; a new ticket each time unless one is given."""

    hub: Hub
    user: str
    profile: Profile | None
    tenant: str = "T1"
    channel: str = "slack"

    async def does(
        self,
        kind: Kind,
        name: str = "",
        *,
        text: str = "",
        args: Mapping[str, str] | None = None,
        values: Values | None = None,
        ticket: str = "",
        quoted: str = "",
        private: bool = True,
        place: str | None = None,
    ) -> Answer:
        """One interaction; where no place is given, a form comes from a window that does not say where it was opened."""
        number = next(_numbers)
        if place is None:
            place = "" if kind == "form" and private else "D1" if private else "C1"
        return await self.hub.dispatcher.answer(
            Interaction(
                id=f"i{number}",
                ticket=ticket or f"ticket-{number}",
                channel=self.channel,
                tenant=self.tenant,
                user=self.user,
                place=Place(id=place, private=private),
                kind=kind,
                profile=self.profile,
                name=name,
                text=text,
                args=args or {},
                values=values or {},
                quoted=Quoted(text=quoted, author="somebody", url="https://example.org") if quoted else None,
            )
        )

    async def types(self, text: str, *, ticket: str = "", private: bool = True) -> Answer:
        """A slash command."""
        return await self.does("command", text=text, ticket=ticket, private=private)

    async def presses(self, action: str, ticket: str = "", /, **args: str) -> Answer:
        """A button."""
        return await self.does("action", action, args=args, ticket=ticket)

    async def sends(self, action: str, values: Values, ticket: str = "", /, **args: str) -> Answer:
        """A filled form."""
        return await self.does("form", action, values=values, args=args, ticket=ticket)

    async def shares(self, ticket: str = "", **values: str) -> Answer:
        """The idea form."""
        return await self.sends("ideas.submit", {**IDEA, **values}, ticket)

    async def plans(self, **values: str) -> Answer:
        """The form for a session of the Community of Practice."""
        return await self.sends("education.add", {**SESSION, **values}, kind="cop")

    async def is_known(self) -> Person:
        """The person as the hub knows them."""
        await self.types("me")
        async with self.hub.database.reading() as session:
            person = await people.find_by_account(session, AccountKey(channel=self.channel, tenant=self.tenant, user=self.user))
        assert person is not None
        return person

    def at(self, hub: Hub) -> User:
        """The same person, whose words another process takes."""
        return replace(self, hub=hub)


def words(answer: Answer) -> str:
    """All words of a reply."""
    assert isinstance(answer.outcome, Reply), answer.outcome
    return str(answer.outcome.card)


def title(answer: Answer) -> str:
    """The heading of a reply."""
    assert isinstance(answer.outcome, Reply), answer.outcome
    return answer.outcome.card.title


def form(answer: Answer) -> Form:
    """The form that was shown."""
    assert isinstance(answer.outcome, Form), answer.outcome
    return answer.outcome


@pytest.fixture
def hub(database: Database, clock: FakeClock) -> Hub:
    """A hub where nobody is known yet."""
    return Hub(database, clock)


@pytest.fixture
def ann(hub: Hub) -> User:
    """Ann, of the staff."""
    return hub.person("ANN", "Ann Lee")


@pytest.fixture
def bob(hub: Hub) -> User:
    """Bob, of the staff."""
    return hub.person("BOB", "Bob Hay")


@pytest.fixture
async def grace(hub: Hub) -> User:
    """Grace, an administrator."""
    grace = hub.person("GRACE", "Grace Hope", ADMIN)
    assert (await grace.is_known()).administrator
    return grace


@pytest.fixture
async def kay(hub: Hub) -> User:
    """Kay, of the Core Team."""
    kay = hub.person("KAY", "Kay Fox")
    await hub.organise(kay, Group.CORE_TEAM)
    return kay


@pytest.fixture
async def lee(hub: Hub, database_url: str) -> AsyncIterator[User]:
    """Lee, of the Core Team, whose words another process takes."""
    lee = hub.person("LEE", "Lee Ash")
    await hub.organise(lee, Group.CORE_TEAM)
    other = Hub(Database(database_url), hub.clock)
    yield lee.at(other)
    await other.database.close()
