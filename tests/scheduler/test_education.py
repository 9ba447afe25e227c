"""Who comes to an event is reminded at the right wall time, once each; what changes is told once, as it is now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta

import pytest

from handlers import calendar
from handlers.education.reminders import Reminder
from handlers.views import Facts, Link
from handlers.words import LONDON
from scheduler import education as rules
from scheduler.delivery import RetryLater
from scheduler.planner import TOPICS, Planner
from storage import education
from storage.database import Database
from storage.education import Answer, Details, EventKind, Expected
from storage.people import Group, Person
from tests.conftest import FakeClock
from tests.dispatch.conftest import SESSION, Hub, User
from tests.scheduler.conftest import Post, Sending

LINK = SESSION["link"]
LONG_AGO = datetime(2027, 1, 1, tzinfo=UTC)


def _london(wall: str) -> datetime:
    return datetime.fromisoformat(wall).replace(tzinfo=LONDON).astimezone(UTC)


@pytest.mark.parametrize(
    ("starts", "week", "day", "soon"),
    [
        ("2027-03-31T12:30", "2027-03-24T12:30", "2027-03-30T12:30", "2027-03-31T12:15"),
        ("2027-03-28T12:30", "2027-03-21T12:30", "2027-03-27T12:30", "2027-03-28T12:15"),
        ("2027-03-28T02:05", "2027-03-21T02:05", "2027-03-27T02:05", "2027-03-28T00:50"),
        ("2027-03-29T01:30", "2027-03-22T01:30", "2027-03-28T02:30", "2027-03-29T01:15"),
        ("2027-11-01T09:30", "2027-10-25T09:30", "2027-10-31T09:30", "2027-11-01T09:15"),
        ("2027-07-14T09:00", "2027-07-07T09:00", "2027-07-13T09:00", "2027-07-14T08:45"),
    ],
)
def test_a_reminder_is_due_at_the_events_own_wall_time(starts: str, week: str, day: str, soon: str) -> None:
    starts_at = _london(starts)
    assert [rules.moment(each, starts_at) for each in Reminder] == [_london(week), _london(day), _london(soon)]


@pytest.mark.parametrize(
    ("since", "now", "due"),
    [
        ("2027-01-01T00:00", "2027-03-24T12:29", []), ("2027-01-01T00:00", "2027-03-24T12:30", ["week"]),
        ("2027-01-01T00:00", "2027-03-29T12:30", ["week"]), ("2027-01-01T00:00", "2027-03-29T12:31", []),
        ("2027-01-01T00:00", "2027-03-31T10:30", ["day"]), ("2027-01-01T00:00", "2027-03-31T10:31", []),
        ("2027-01-01T00:00", "2027-03-31T12:15", ["soon"]), ("2027-01-01T00:00", "2027-03-31T12:31", []),
        ("2027-03-24T12:30", "2027-03-24T12:30", ["week"]), ("2027-03-24T12:31", "2027-03-24T13:00", []),
        ("2027-03-30T12:31", "2027-03-30T13:00", []), ("2027-03-30T12:31", "2027-03-31T12:20", ["soon"]),
    ],
)  # fmt: skip
def test_a_late_reminder_is_not_sent_and_who_says_yes_late_gets_the_next(since: str, now: str, due: list[str]) -> None:
    who = Expected(event_id=1, person_id=1, starts_at=_london("2027-03-31T12:30"), timed_at=LONG_AGO, since=_london(since))
    moved = replace(who, since=LONG_AGO, timed_at=_london(since))
    for each in (who, moved):
        assert [notice.args["reminder"] for notice in rules.plan([each], _london(now)).notices] == due


@dataclass
class Year:
    """Sessions and who comes to them, a clock that is moved on, and all that was sent by then."""

    post: Post
    told: list[tuple[datetime, Sending]] = field(default_factory=list)

    async def session(self, title: str, wall: str) -> int:
        """A session at this wall time."""
        starts_at = _london(wall)
        details = Details(
            title=title, about="About it.", starts_at=starts_at, ends_at=starts_at + timedelta(hours=1), place="", area=None, link=LINK,
            host="NHS Dorset", places=20,
        )  # fmt: skip
        async with self.post.database.transaction() as session:
            return await education.add(session, details, kind=EventKind.COP, now=self.post.clock.now)

    async def answers(self, who: Person, said: Answer, *ids: int) -> None:
        """Somebody's answer to some sessions."""
        async with self.post.database.transaction() as session:
            for id in ids:
                event = await education.hold(session, id)
                assert event is not None
                await education.answer(session, event, who.id, said, now=self.post.clock.now)

    async def moves(self, id: int, wall: str) -> None:
        """A session gets another start."""
        async with self.post.database.transaction() as session:
            event = await education.hold(session, id)
            assert event is not None
            starts_at = _london(wall)
            details = Details(
                title=event.title, about=event.about, starts_at=starts_at, ends_at=starts_at + timedelta(hours=1), place="", area=None,
                link=LINK, host=event.host, places=20,
            )  # fmt: skip
            await education.change(session, event, details, now=self.post.clock.now)

    async def passes(self, until: str) -> None:
        """The server ticks at 6pm, and every quarter of an hour around midday."""
        planner = Planner(self.post.database, clock=self.post.clock, topics=TOPICS)
        while self.post.clock.now < _london(until):
            local = self.post.clock.now.astimezone(LONDON)
            evening = 13 <= local.hour < 18
            day = local.date() + timedelta(days=local.hour >= 18)
            if 11 <= local.hour < 13:
                self.post.clock.forward(minutes=15)
            else:
                self.post.clock.now = calendar.at_wall_time(day, time(18) if evening else time(11, 30))
            if await planner.run():
                before = len(self.post.slack.sendings)
                await self.post.worker.run()
                self.told += [(self.post.clock.now, sending) for sending in self.post.slack.sendings[before:]]

    def by(self, user: str) -> list[tuple[str, str]]:
        """(Wall time, title) of what somebody was told."""
        return [(f"{at.astimezone(LONDON):%Y-%m-%dT%H:%M}", each.title) for at, each in self.told if each.target.user == user]


async def test_over_two_months_and_a_clock_change_each_reminder_comes_once_at_its_wall_time(post: Post, clock: FakeClock) -> None:
    year = Year(post)
    clock.now = _london("2027-03-10T10:00")
    ann, bob, carl, dora = [await post.person(name) for name in ("ANN", "BOB", "CARL", "DORA")]
    bids = await year.session("Bids", "2027-03-31T12:30")
    posters = await year.session("Posters", "2027-04-21T12:30")
    impact = await year.session("Impact", "2027-04-28T12:30")
    await year.answers(ann, Answer.YES, bids, posters, impact)
    await year.answers(bob, Answer.NO, bids, posters, impact)
    await year.answers(carl, Answer.YES, bids, posters)
    await year.passes("2027-03-26T10:00")
    await year.answers(carl, Answer.MAYBE, bids)
    await year.answers(dora, Answer.YES, bids)
    await year.passes("2027-04-16T10:00")
    await year.answers(carl, Answer.NO, posters)
    async with post.database.transaction() as session:
        await education.cancel(session, posters)
    await year.passes("2027-04-22T10:00")
    await year.moves(impact, "2027-05-05T12:00")
    await year.passes("2027-05-12T10:00")
    assert year.by("ANN") == [
        ("2027-03-24T12:30", "In 7 days: Bids"), ("2027-03-30T12:30", "Tomorrow: Bids"), ("2027-03-31T12:15", "In 15 minutes: Bids"),
        ("2027-04-14T12:30", "In 7 days: Posters"), ("2027-04-21T12:30", "In 7 days: Impact"),
        ("2027-04-28T12:00", "In 7 days: Impact"), ("2027-05-04T12:00", "Tomorrow: Impact"), ("2027-05-05T11:45", "In 15 minutes: Impact"),
    ]  # fmt: skip
    assert year.by("BOB") == []
    assert year.by("CARL") == [("2027-03-24T12:30", "In 7 days: Bids"), ("2027-04-14T12:30", "In 7 days: Posters")]
    assert year.by("DORA") == year.by("ANN")[1:3]
    last = next(sending for _, sending in year.told if sending.title.startswith("In 15 minutes"))
    assert Link(label="Join", url=LINK) in last.message.card.buttons
    assert not [each for _, each in year.told if LINK in str(each.message) and not each.title.startswith("In 15 minutes")]


async def test_what_became_untrue_while_it_waited_is_dropped_and_what_became_late_is_missed(post: Post, clock: FakeClock) -> None:
    year = Year(post)
    clock.now = _london("2027-03-10T10:00")
    ann, bob, carl = [await post.person(name) for name in ("ANN", "BOB", "CARL")]
    bids, posters = await year.session("Bids", "2027-03-31T12:30"), await year.session("Posters", "2027-03-31T12:30")
    await year.answers(ann, Answer.YES, bids)
    await year.answers(bob, Answer.YES, bids)
    await year.answers(carl, Answer.YES, posters)
    clock.now = _london("2027-03-24T12:30")
    planner = Planner(post.database, clock=clock, topics=(rules.due,))
    assert await planner.run() == 3
    await year.answers(bob, Answer.NO, bids)
    await year.moves(posters, "2027-04-07T12:30")
    clock.now = _london("2027-03-30T12:00")
    await post.worker.run()
    assert post.slack.sendings == []
    assert sorted(await post.states()) == ["dead", "dropped", "dropped"]
    (missed,) = await post.stuck()
    assert (missed.person_id, missed.reason) == (ann.id, "it was too late to be of use")
    await year.moves(posters, "2027-04-03T12:30")
    assert await planner.run() == 0, "who was just told of a start four days ahead needs no reminder of it"


# -- what changed


@dataclass
class Story:
    """Kay of the Core Team, Ann who comes, and what Ann was told."""

    post: Post
    kay: User
    ann: User
    sequence: int = 0

    async def changes(self, **also: str) -> None:
        """Kay changes the session."""
        await self.kay.sends("education.change", {**SESSION, **also}, event="1", sequence=str(self.sequence))
        self.sequence += 1

    async def told(self) -> list[dict[str, str]]:
        """What of the session Ann was told anew, by label, message by message."""
        self.post.slack.sendings.clear()
        await self.post.worker.run()
        assert all(each.target.user == "ANN" for each in self.post.slack.sendings)
        return [_facts(each) for each in self.post.slack.sendings]


def _facts(sending: Sending) -> dict[str, str]:
    blocks: Iterable[object] = sending.message.card.blocks
    return {fact.label: fact.value for block in blocks if isinstance(block, Facts) for fact in block.facts}


@pytest.fixture
async def story(post: Post, clock: FakeClock, database: Database) -> Story:
    """A session that Ann comes to."""
    hub = Hub(database, clock)
    kay, ann = hub.person("KAY"), hub.person("ANN")
    await hub.organise(kay, Group.CORE_TEAM)
    await kay.plans()
    await ann.presses("education.answer", event="1", answer="yes")
    return Story(post, kay, ann)


async def test_of_several_changes_one_message_tells_the_newest_and_what_was_known(story: Story) -> None:
    await story.changes(day="2027-01-14")
    await story.changes(day="2027-01-20", place="Education Centre")
    await story.changes(day="2027-01-20", place="Education Centre", about="A mistake put right.")
    dates = "Wednesday 20 January 2027. It was: Wednesday 13 January 2027."
    assert await story.told() == [{"Date": dates, "Place": "Education Centre. It was: Online."}]
    await story.changes(day="2027-01-20", place="Education Centre", start="13:00", minutes="90", title="Bids")
    assert await story.told() == [
        {"Title": "Bids. It was: Getting Bid Ready.", "Start": "1pm. It was: 12:30pm.", "Length": "1 hour 30 minutes. It was: 1 hour."}
    ]


async def test_what_is_put_back_or_concerns_nobody_is_not_told(story: Story) -> None:
    await story.changes(day="2027-01-14")
    await story.changes()
    await story.changes(about="A mistake put right.", host="The third sector", places="30")
    assert await story.told() == []


async def test_a_change_that_did_not_arrive_is_told_with_the_next(story: Story, clock: FakeClock) -> None:
    await story.changes(day="2027-01-14")
    story.post.slack.results = [RetryLater(reason="busy")]
    assert len(await story.told()) == 1
    await story.changes(day="2027-01-20")
    clock.forward(hours=1)
    assert await story.told() == [{"Date": "Wednesday 20 January 2027. It was: Wednesday 13 January 2027."}]


async def test_who_answers_after_a_change_knows_it(story: Story) -> None:
    await story.changes(day="2027-01-14")
    await story.ann.presses("education.answer", event="1", answer="maybe")
    assert await story.told() == []
    await story.changes(day="2027-01-14", link="https://meet.example.org/another")
    assert await story.told() == [], "a maybe is shown no link, so the old one was not known"
    await story.ann.presses("education.answer", event="1", answer="yes")
    await story.changes(day="2027-01-14")
    assert await story.told() == [{"Join link": "There is a new one. Open the session to see it."}]


async def test_a_cancellation_is_told_once_and_a_change_before_it_no_more(story: Story) -> None:
    await story.changes(day="2027-01-14")
    await story.kay.sends("education.cancel", {}, event="1")
    await story.kay.sends("education.cancel", {}, event="1")
    await story.told()
    assert [each.title for each in story.post.slack.sendings] == ["Cancelled: Getting Bid Ready"]
    assert await story.told() == []


async def test_a_place_that_was_given_up_again_is_not_told_and_a_recording_is_told_once(story: Story, clock: FakeClock) -> None:
    await story.changes(places="1")
    bob = replace(story.ann, user="BOB", profile=None)
    await bob.presses("education.answer", event="1", answer="yes")
    await story.ann.presses("education.answer", event="1", answer="no")
    await bob.presses("education.answer", event="1", answer="no")
    await story.ann.presses("education.answer", event="1", answer="yes")
    assert await story.told() == []
    clock.now = datetime(2027, 1, 14, 10, tzinfo=UTC)
    for film in ("https://example.org/film", "https://example.org/better-film"):
        await story.kay.sends("education.record", {"recording": film, "slides": ""}, event="1")
    await story.told()
    (sending,) = story.post.slack.sendings
    assert Link(label="Watch the recording", url="https://example.org/better-film") in sending.message.card.buttons
    assert await story.told() == []
