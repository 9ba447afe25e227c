"""The weekly digest comes once, at its wall time, says what is true then, and is silent when there is nothing to say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from handlers.digest import parts
from handlers.registry import ROUTES
from scheduler import digest
from scheduler.delivery import Delivery, TargetDead
from scheduler.planner import Planner
from storage import education, ideas, places, projects
from storage.education import Details, EventKind
from storage.ideas import Visibility
from storage.people import Group, Person
from storage.places import GroupPlace
from storage.projects import Highlights, ProjectType, Rag, Stage
from tests.scheduler.conftest import Post

PLACE = GroupPlace(group=Group.CORE_TEAM, channel="slack", tenant="T1", place="C1")
HOUR = timedelta(hours=1)


async def _shared(post: Post, author: Person, title: str) -> None:
    async with post.database.transaction() as session:
        await ideas.add(
            session, title=title, need="People", proposal="", organisation_id=None, visibility=Visibility.CORE_TEAM, author_id=author.id,
            now=post.clock.now,
        )  # fmt: skip


async def _lives_through(post: Post, until: datetime) -> list[tuple[datetime, str]]:
    """(When, what) was sent while two servers planned and delivered every hour of the morning, and every third one besides."""
    planner = Planner(post.database, clock=post.clock, topics=(digest.due,))
    delivery = Delivery(post.database, ROUTES, post.senders, clock=post.clock, lease_seconds=60)
    sent = []
    while post.clock.now < until:
        for _ in range(2):
            await planner.run()
            await delivery.run()
        sent += [(post.clock.now, sending.title) for sending in post.slack.sendings]
        post.slack.sendings.clear()
        post.clock.now += HOUR if post.clock.now.hour in range(6, 11) else 3 * HOUR
    return sent


async def test_over_two_months_it_comes_once_a_week_at_wall_time_and_never_on_a_holiday(post: Post) -> None:
    post.clock.now = datetime(2027, 3, 8, 0, tzinfo=UTC)
    ann = await post.person("ANN", Group.CORE_TEAM)
    async with post.database.transaction() as session:
        await places.set_place(session, PLACE, now=post.clock.now)
    await _shared(post, ann, "Quieter nights")
    sent = await _lives_through(post, datetime(2027, 5, 5, tzinfo=UTC))
    assert [when.strftime("%d %B %H:%M") for when, _ in sent] == [
        "08 March 09:00", "15 March 09:00", "22 March 09:00", "30 March 08:00", "05 April 08:00", "12 April 08:00", "19 April 08:00",
        "26 April 08:00", "04 May 08:00",
    ], "UTC; Easter Monday and the first Monday in May are bank holidays, and clocks changed on 28 March"  # fmt: skip
    assert sent[3][1] == "The hub on Tuesday 30 March 2027"


async def test_it_is_silent_when_there_is_nothing_to_say(post: Post) -> None:
    await post.person("ANN", Group.CORE_TEAM)
    assert await _lives_through(post, post.clock.now + timedelta(days=8)) == []


async def test_a_late_one_is_not_sent_and_the_next_tells_it_all(post: Post) -> None:
    ann = await post.person("ANN", Group.CORE_TEAM)
    await _shared(post, ann, "Quieter nights")
    post.clock.forward(days=1)
    assert await Planner(post.database, clock=post.clock, topics=(digest.due,)).run() == 0
    post.clock.forward(days=6)
    assert len(await _lives_through(post, post.clock.now + timedelta(hours=2))) == 1


async def test_without_a_place_only_members_get_it(post: Post) -> None:
    ann = await post.person("ANN")
    await post.person("HEAD", administrator=True)
    await _shared(post, ann, "A secret of the Core Team")
    assert await _lives_through(post, post.clock.now + HOUR) == [], "administrators who are no members do not"
    assert await post.states() == ["spread", "dropped"]


async def test_a_place_that_is_gone_is_told_member_by_member(post: Post) -> None:
    ann = await post.person("ANN", Group.CORE_TEAM)
    async with post.database.transaction() as session:
        await places.set_place(session, PLACE, now=post.clock.now)
    await _shared(post, ann, "Quieter nights")
    post.slack.results = [TargetDead(reason="gone")]
    sent = await _lives_through(post, post.clock.now + HOUR)
    assert [title for _, title in sent] == ["The hub on Monday 23 November 2026"] * 2, "the place refused it, the member got it"


async def test_sessions_that_do_not_fit_are_counted_with_the_words_that_show_them(post: Post) -> None:
    async with post.database.transaction() as session:
        for number, kind in enumerate([EventKind.COP] * 7 + [EventKind.FUNDAMENTALS]):
            starts_at = post.clock.now + timedelta(days=8 - number)
            details = Details(
                title=f"Session {number}", about="About it.", starts_at=starts_at, ends_at=starts_at + HOUR, place="Hall", area=None,
                link="", host="NHS Dorset", places=20,
            )  # fmt: skip
            await education.add(session, details, kind=kind, now=post.clock.now)
        made = next(part for part in await parts(session, post.clock.now) if part.heading == "Sessions in the next 2 weeks")
    assert [line.text for line in made.lines] == [f"Session {number}" for number in (7, 6, 5, 4, 3)]
    assert (made.total, made.more) == (8, "cop” or “training")


def _report(needed: str) -> Highlights:
    return Highlights(rag=Rag.RED, why="So", path="By May", done="It", planned="", needed=needed, stage=Stage.of("scoping"))


async def test_what_projects_need_help_with_stands_with_what_needs_a_decision(post: Post) -> None:
    ann = await post.person("ANN", Group.CORE_TEAM)
    await _shared(post, ann, "Quieter nights")
    async with post.database.transaction() as session:
        for name, needed in (("Falls", ("Money", "A decision on money")), ("Beds", ("Staff", "")), ("Gloves", ("",))):
            id = await projects.add(session, name=name, type=ProjectType.LOCAL, need="", now=post.clock.now)
            for each in needed:
                project = await projects.find(session, id)
                assert project is not None
                await projects.report(session, project, _report(each), by_id=ann.id, now=post.clock.now)
    async with post.database.reading() as session:
        made = await parts(session, post.clock.now + HOUR)
        later = await parts(session, post.clock.now + timedelta(days=8))
    assert [part.heading for part in made][:3] == ["Needs a decision", "Projects need a decision or help", "New ideas"]
    assert [line.text for line in made[1].lines] == ["Falls: A decision on money"], "of each project the newest report"
    assert "Projects need a decision or help" not in [part.heading for part in later]


async def test_an_idea_that_was_withdrawn_is_not_new(post: Post) -> None:
    ann = await post.person("ANN", Group.CORE_TEAM)
    for title in ("Quieter nights", "A slip"):
        await _shared(post, ann, title)
    async with post.database.transaction() as session:
        assert await ideas.withdraw(session, 2)
        made = await parts(session, post.clock.now)
    assert [part.lines[0].text for part in made if part.heading == "New ideas"] == [
        "1 new idea this week, 1 of them a problem with no idea yet."
    ]


async def test_who_was_not_reached_is_listed_with_the_reason(post: Post) -> None:
    people = [await post.person(f"U{number}") for number in range(7)]
    for person in people:
        await post.tell(person, "test.awaited")
    await post.tell(people[3], "test.awaited", again="yes")
    post.slack.results = [TargetDead(reason="the account is gone")] * 8
    await post.worker.run()
    async with post.database.reading() as session:
        (part,) = await parts(session, post.clock.now)
        later = await parts(session, post.clock.now + timedelta(days=8))
    assert part.heading == "Not reached this week"
    assert [line.text for line in part.lines] == [
        "U3: 2 messages did not arrive", *(f"U{number}: 1 message did not arrive" for number in (0, 1, 2, 4)),
        "And 2 more messages did not arrive.",
    ]  # fmt: skip
    assert {line.note for line in part.lines[:5]} == {"Why: the account is gone."}
    assert later == ()
