"""A project's monthly update is asked for once a month, of whom it may be asked, until the project is at its end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from handlers.views import Lines
from scheduler import projects as rules
from scheduler.planner import Planner
from scheduler.planning import MOST_NUDGES
from storage import projects
from storage.people import Group
from storage.projects import Awaited, Highlights, Project, ProjectType, Rag, Stage
from tests.conftest import FakeClock
from tests.scheduler.conftest import Post

GREEN = Highlights(rag=Rag.GREEN, why="On time", done="All of it", planned="", stage=Stage.of("adopt"))


@pytest.mark.parametrize(
    ("began", "due"),
    [
        ("2026-10-23T10:00", "2026-11-23T00:00"),
        ("2026-10-23T23:30", "2026-11-24T00:00"),  # 24 October in London, which is still on summer time
        ("2026-01-31T10:00", "2026-02-28T00:00"),
        ("2028-01-31T10:00", "2028-02-29T00:00"),
        ("2026-12-31T10:00", "2027-01-31T00:00"),
        ("2026-06-15T10:00", "2026-07-14T23:00"),
    ],
)
def test_an_update_is_due_when_a_calendar_month_is_over(began: str, due: str) -> None:
    at = datetime.fromisoformat(due).replace(tzinfo=UTC)
    awaited = [Awaited(id=7, lead_id=1, counted_from=datetime.fromisoformat(began).replace(tzinfo=UTC))]
    assert rules.nudges(awaited, (), at - timedelta(seconds=1)) == ()
    (nudge,) = rules.nudges(awaited, (), at)
    assert (nudge.person_id, nudge.kind) == (1, "projects.update_due")


async def _found(post: Post, id: int) -> Project:
    async with post.database.reading() as session:
        project = await projects.find(session, id)
    assert project is not None
    return project


async def _begin(post: Post, lead_id: int | None, name: str = "Falls") -> int:
    async with post.database.transaction() as session:
        return await projects.add(session, name=name, type=ProjectType.LOCAL, need="", lead_id=lead_id, now=post.clock.now)


async def _report(post: Post, id: int, by: int, said: Highlights = GREEN) -> None:
    project = await _found(post, id)
    async with post.database.transaction() as session:
        assert await projects.report(session, project, said, by_id=by, now=post.clock.now)


async def _said(post: Post) -> list[tuple[str | None, str]]:
    """Plans and delivers; what was said, and to whom."""
    already = len(post.slack.sendings)
    await Planner(post.database, clock=post.clock).run()
    await post.worker.run()
    said = []
    for sending in post.slack.sendings[already:]:
        lines = sending.message.card.blocks[0]
        assert isinstance(lines, Lines)
        said += [(sending.target.user, line.text) for line in lines.lines]
    return said


DUE = "Falls: its monthly update is due"


async def test_a_lead_is_asked_every_month_and_once(post: Post, clock: FakeClock) -> None:
    lead = await post.person("LEAD")
    await post.person("KAY", Group.CORE_TEAM)
    clock.now = datetime(2026, 1, 6, 10, tzinfo=UTC)
    id = await _begin(post, lead.id)
    assert await _said(post) == []
    for month in range(MOST_NUDGES + 3):
        clock.forward(days=35 if month == 0 else 34)
        assert await _said(post) == [("LEAD", DUE)], month
        clock.forward(days=1)
        assert await _said(post) == []
        await _report(post, id, lead.id)


async def test_without_a_lead_each_of_the_core_team_is_asked(post: Post, clock: FakeClock) -> None:
    await post.person("ANN")
    for user in ("KAY", "LEE"):
        await post.person(user, Group.CORE_TEAM)
    await _begin(post, None)
    clock.forward(days=30)
    assert sorted(await _said(post)) == [("KAY", DUE), ("LEE", DUE)]
    clock.forward(days=1)
    assert await _said(post) == []


@pytest.mark.parametrize(("rag", "stage"), [(Rag.GREY, "paused"), (Rag.RED, "stopped"), (Rag.GREEN, "sustain"), (Rag.BLUE, "embed")])
async def test_nobody_is_asked_for_what_is_paused_stopped_sustained_or_complete(post: Post, clock: FakeClock, rag: Rag, stage: str) -> None:
    lead = await post.person("LEAD")
    id = await _begin(post, lead.id)
    await _report(post, id, lead.id, Highlights(**{**vars(GREEN), "rag": rag, "path": "Ask", "stage": Stage.of(stage)}))
    clock.forward(days=30)
    assert await _said(post) == []


@pytest.mark.parametrize(("rag", "stage", "on"), [(Rag.GREY, "paused", "adopt"), (Rag.GREEN, "sustain", "embed")])
async def test_a_project_that_goes_on_is_asked_for_a_month_later(post: Post, clock: FakeClock, rag: Rag, stage: str, on: str) -> None:
    lead = await post.person("LEAD")
    id = await _begin(post, lead.id)
    await _report(post, id, lead.id, Highlights(**{**vars(GREEN), "rag": rag, "stage": Stage.of(stage)}))
    clock.forward(days=50)
    paused = await _found(post, id)
    async with post.database.transaction() as session:
        await projects.edit(
            session, paused, name="Falls", type=paused.type, need="", sro="", lead_id=lead.id, organisation_ids=(),
            stage=Stage.of(on), now=clock.now,
        )  # fmt: skip
    assert await _said(post) == []
    clock.forward(days=34)
    assert await _said(post) == [("LEAD", DUE)]


async def test_what_is_a_month_late_is_left_to_the_portfolio(post: Post, clock: FakeClock) -> None:
    lead = await post.person("LEAD")
    await _begin(post, lead.id)
    clock.forward(days=63)
    assert await _said(post) == []


async def test_what_changed_before_it_was_said_is_not_said(post: Post, clock: FakeClock) -> None:
    lead, other = await post.person("LEAD"), await post.person("OTHER")
    reported, given_away = await _begin(post, lead.id, "Frailty"), await _begin(post, lead.id)
    clock.forward(days=30)
    assert await Planner(post.database, clock=clock).run() == 2
    await _report(post, reported, lead.id)
    project = await _found(post, given_away)
    async with post.database.transaction() as session:
        await projects.edit(
            session, project, name="Falls", type=project.type, need="", sro="", lead_id=other.id, organisation_ids=(),
            stage=project.stage, now=clock.now,
        )  # fmt: skip
    await post.worker.run()
    assert await post.states() == ["dropped"]
    assert await _said(post) == [("OTHER", DUE)]
