"""A hub with a Core Team and a Programme Group that are asked, and what each of them does with a round."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random

from bot.dispatch import Answer
from handlers.pulse.wheel import illustrative
from handlers.views import Form
from scheduler.pulse import Closing
from storage.database import Database
from storage.people import Group
from storage.pulse import answers, participation, rounds
from storage.pulse.answers import CHOICE
from storage.pulse.rounds import Round
from storage.pulse.sealing import Said
from tests.conftest import FakeClock
from tests.dispatch.conftest import Hub, User, form, title

WHEEL = illustrative()
KEYS = tuple(dimension.key for dimension in WHEEL.dimensions)
LAST_DAY = "2026-12-04"
WORK_ON = ("needs", "spreading", "culture")


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """All that one person answers: a level for each dimension (0: Don't know, None: passed over) and comments by dimension."""

    levels: Sequence[int | None]
    comments: Mapping[str, str] = field(default_factory=dict)
    chosen: tuple[str, ...] = WORK_ON


@dataclass
class Circle:
    """`members` are of the Programme Group, `kay` is of the Core Team, `nurse` is of neither."""

    hub: Hub
    kay: User
    nurse: User
    members: list[User]

    @classmethod
    async def of(cls, database: Database, clock: FakeClock, *, members: int = 8) -> Circle:
        """Everybody has come once."""
        hub = Hub(database, clock, per_minute=10_000)
        kay, nurse = hub.person("KAY"), hub.person("NURSE")
        circle = cls(hub, kay, nurse, [hub.person(f"MEMBER{number}") for number in range(members)])
        await hub.organise(kay, Group.CORE_TEAM)
        await nurse.is_known()
        for member in circle.members:
            await hub.organise(member, Group.PROGRAMME_GROUP)
        return circle

    def at(self, database: Database) -> Circle:
        """The same people at another process, with other secret keys perhaps."""
        hub = replace(self.hub, database=database)
        return Circle(hub, self.kay.at(hub), self.nurse.at(hub), [member.at(hub) for member in self.members])

    async def opens(self) -> int:
        """Kay opens a round for both groups until LAST_DAY; returns its number."""
        args = {"wheel": "illustrative:1", "last_day": LAST_DAY, "groups": "core_team.programme_group"}
        answer = await self.kay.does("action", "pulse.open", args=args)
        assert title(answer) == "The round is open", answer.outcome
        return (await self.round()).id

    async def round(self) -> Round:
        """The round under way."""
        async with self.hub.database.reading() as session:
            round = await rounds.under_way(session)
        assert round is not None
        return round

    async def marks_closing(self) -> None:
        """Kay closes the round; it is not counted yet."""
        answer = await self.kay.sends("pulse.close", {}, round=str((await self.round()).id))
        assert title(answer) == "The round is closed", answer.outcome

    def job(self, *, seed: int = 7, database: Database | None = None) -> Closing:
        """The job that closes."""
        return Closing(database or self.hub.database, clock=self.hub.clock, chance=Random(seed))

    async def closes(self, *, seed: int = 7) -> None:
        """The whole close."""
        await self.marks_closing()
        assert await self.job(seed=seed).run()


async def says(user: User, round_id: int, item: str, level: int | None, comment: str = "") -> Answer:
    """One answer to one dimension; None passes it over."""
    args = {"round": str(round_id), "item": item}
    if level is None:
        return await user.presses("pulse.skip", **args)
    return await user.sends("pulse.answer", {"level": str(level), "comment": comment}, **args)


async def takes_back(user: User, round_id: int, item: str) -> Answer:
    """What they answered to one dimension is taken away."""
    return await user.presses("pulse.take_away", round=str(round_id), item=item)


async def answers_all(user: User, round_id: int, sheet: Sheet) -> Answer:
    """From the first question to the thanks; each question is where the one before leads to."""
    shown = form(await user.presses("pulse.start", round=str(round_id)))
    for key, level in zip(KEYS, sheet.levels, strict=True):
        assert shown.args["item"] == key
        shown = form(await says(user, round_id, key, level, sheet.comments.get(key, "")))
    assert shown.args["item"] == CHOICE
    return await user.sends("pulse.answer", {"chosen": sheet.chosen}, **dict(shown.args))


async def stored_at_once(circle: Circle, users: Sequence[User], sheets: Sequence[Sheet]) -> None:
    """All that these people answer in one transaction: what the handlers would have stored one by one."""
    round, now = await circle.round(), circle.hub.clock()
    ids = [(await user.is_known()).id for user in users]
    async with circle.hub.database.transaction() as session:
        for id, sheet in zip(ids, sheets, strict=True):
            for key, level in zip(KEYS, sheet.levels, strict=True):
                said = Said(item=key) if level is None else Said(item=key, level=level, comment=sheet.comments.get(key, ""))
                await answers.save(session, round, id, said, now=now)
            await answers.save(session, round, id, Said(item=CHOICE, chosen=sheet.chosen), now=now)
            await participation.finish(session, round.id, id)


async def said_by(circle: Circle, user: User) -> dict[str, Said]:
    """What the open round holds of somebody, as their own form would show it."""
    round, person = await circle.round(), await user.is_known()
    async with circle.hub.database.reading() as session:
        return dict(await answers.of_person(session, round, person.id))


def question(answer: Answer) -> tuple[str, Form]:
    """(The item that is asked, its form)."""
    return form(answer).args["item"], form(answer)
