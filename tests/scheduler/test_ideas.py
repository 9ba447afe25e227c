"""Ideas in time: the Core Team is reminded, authors are not forgotten, and nobody is told twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from handlers import calendar
from handlers.views import Lines
from scheduler import ideas as rules
from scheduler.planner import Planner
from storage import ideas
from storage.ideas import Decision, Idea, IdeaState, Visibility
from storage.people import Group, Person
from tests.conftest import FakeClock
from tests.scheduler.conftest import Post

MONDAY = datetime(2026, 11, 23, 10, tzinfo=UTC)
PUT_OFF = Decision(state=IdeaState.NOT_NOW, reason="Later", next_step="We look", next_by="Kay", review_on=date(2026, 12, 7))
IDEA = Idea(
    id=1, title="Sensors", need="n", proposal="", organisation_id=None, organisation=None, visibility=Visibility.HUB,
    state=IdeaState.SUBMITTED, author_id=1, author="Ann", submitted_at=MONDAY, assessor_id=None, assessor=None, taken_on_at=None,
    due_on=None, decision=None, decided_by=None, decided_at=None, project_id=None,
)  # fmt: skip


def _days(start: date, number: int) -> list[date]:
    return [start + timedelta(days=days) for days in range(number)]


def test_the_core_team_is_reminded_on_the_fourth_working_day_but_never_the_author() -> None:
    reminded = [day for day in _days(date(2026, 11, 23), 7) if rules.without_assessor([IDEA], {1, 2, 3}, day)]
    assert reminded[0] == date(2026, 11, 27)
    (first, second) = rules.without_assessor([IDEA], {1, 2, 3}, reminded[0])
    assert (first.key, second.key) == ("idea:1:needs_assessor:2", "idea:1:needs_assessor:3")


def test_who_had_an_idea_that_was_put_off_looks_again_or_else_the_others_do() -> None:
    idea = replace(IDEA, state=IdeaState.NOT_NOW, assessor_id=2, decision=PUT_OFF)
    assert [nudge.key for nudge in rules.to_review([idea], {1, 2, 3})] == ["idea:1:review:2026-12-07:2"]
    assert [nudge.person_id for nudge in rules.to_review([idea], {1, 3, 4})] == [3, 4], "2 has left the Core Team"


@pytest.mark.parametrize("shared", _days(date(2026, 1, 1), 28))
def test_an_author_hears_something_on_working_days_at_least_every_30_days(shared: date) -> None:
    idea = replace(IDEA, submitted_at=datetime(shared.year, shared.month, shared.day, 10, tzinfo=UTC))
    told = [day for day in _days(shared, 400) if rules.news_day(idea, day) == day]
    assert all(calendar.is_working_day(day) for day in told)
    gaps = [(later - earlier).days for earlier, later in zip([shared, *told], told, strict=False)]
    assert max(gaps) <= 30
    assert min(gaps) >= 26, "and not more often than a bank holiday weekend makes necessary"


def test_news_begin_anew_when_an_idea_is_taken_on_and_late_ones_wait_for_the_next_time() -> None:
    idea = replace(IDEA, state=IdeaState.IN_ASSESSMENT, taken_on_at=MONDAY + timedelta(days=20))
    assert rules.news_day(idea, date(2027, 1, 11)) is None
    assert rules.news_day(idea, date(2027, 1, 12)) == date(2027, 1, 12)
    assert [notice.key for notice in rules.news([idea], date(2027, 1, 16))] == ["idea:1:still_open:2027-01-12"]
    assert rules.news([idea], date(2027, 1, 17)) == ()


class Team:
    """An author, two of the Core Team, and the planner that thinks of them."""

    def __init__(self, post: Post) -> None:
        self.post, self.planner = post, Planner(post.database, clock=post.clock, topics=(rules.due,))

    async def comes(self) -> None:
        """Everybody is known; the author has shared IDEA-1."""
        self.ann, self.kay = await self.post.person("ANN"), await self.post.person("KAY", Group.CORE_TEAM)
        await self.post.person("LEE", Group.CORE_TEAM)
        async with self.post.database.transaction() as session:
            await ideas.add(
                session, title="Sensors", need="n", proposal="", organisation_id=None, visibility=Visibility.HUB,
                author_id=self.ann.id, now=self.post.clock.now,
            )  # fmt: skip

    async def told(self) -> list[tuple[str | None, str]]:
        """What a tick brings: (to whom, the heading or the only line)."""
        before = len(self.post.slack.sendings)
        await self.planner.run()
        await self.post.worker.run()
        return [(each.target.user, self._words(each.message.card.blocks[0], each.title)) for each in self.post.slack.sendings[before:]]

    @staticmethod
    def _words(block: object, title: str) -> str:
        return block.lines[0].text if isinstance(block, Lines) else title

    async def takes_on(self, person: Person, was: IdeaState) -> None:
        """Somebody takes IDEA-1 on."""
        async with self.post.database.transaction() as session:
            due_on = date(2026, 12, 1)
            assert await ideas.take_on(session, 1, was=was, assessor_id=person.id, due_on=due_on, now=self.post.clock.now)


@pytest.fixture
async def team(post: Post) -> Team:
    """A Monday morning with a new idea."""
    team = Team(post)
    await team.comes()
    return team


async def test_an_idea_is_reminded_of_once_and_its_author_hears_that_it_waits(team: Team, clock: FakeClock) -> None:
    clock.forward(days=3)
    assert await team.told() == []
    clock.forward(days=1)
    needs = "IDEA-1 needs an assessor: Sensors"
    assert sorted(await team.told()) == [("KAY", needs), ("LEE", needs)]
    clock.forward(days=3)
    assert await team.told() == []
    clock.now = datetime(2026, 12, 23, 8, tzinfo=UTC)
    assert await team.told() == [], "8am is no time for it"
    clock.forward(hours=2)
    assert await team.told() == [("ANN", "IDEA-1 is still with the Core Team")]
    assert await team.told() == []
    await team.takes_on(team.kay, IdeaState.SUBMITTED)
    clock.now = datetime(2027, 1, 22, 10, tzinfo=UTC)
    assert await team.told() == [("ANN", "IDEA-1 is still in assessment")]


async def test_what_was_taken_on_after_it_was_planned_is_not_reminded_of(team: Team, clock: FakeClock) -> None:
    clock.forward(days=4)
    await team.planner.run()
    await team.takes_on(team.kay, IdeaState.SUBMITTED)
    await team.post.worker.run()
    assert team.post.slack.sendings == []


async def test_the_day_to_look_again_is_kept(team: Team, clock: FakeClock) -> None:
    async with team.post.database.transaction() as session:
        assert await ideas.decide(session, 1, PUT_OFF, by_id=team.kay.id, now=clock.now)
    clock.now = datetime(2026, 12, 4, 10, tzinfo=UTC)
    assert await team.told() == []
    clock.forward(days=3)
    assert await team.told() == [("KAY", "Look at IDEA-1 again: Sensors")]
    clock.forward(days=1)
    assert await team.told() == []
    await team.takes_on(team.kay, IdeaState.NOT_NOW)
    clock.forward(days=31)
    assert await team.told() == [("ANN", "IDEA-1 is still in assessment")]
