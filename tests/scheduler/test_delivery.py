"""The outbox is emptied: once each, to whom it may concern, whatever the far side answers."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta

import pytest
import sqlalchemy as sa

from handlers.views import Card, Message
from scheduler import retention
from scheduler.delivery import (
    ATTEMPTS,
    LONGEST_WAIT,
    Ambiguous,
    BadContent,
    CredentialsDead,
    RetryLater,
    Sender,
    Sent,
    TargetDead,
    ticket_of,
)
from storage import accounts, ideas, outbox, places, receipts
from storage.database import Database
from storage.ideas import Visibility
from storage.outbox import Notice
from storage.people import AccountKey, Group, Seen
from storage.places import GroupPlace
from storage.receipts import ReceiptKey
from tests.conftest import FakeClock
from tests.scheduler.conftest import Channel, Post, soon
from tests.storage.hub import NOW, meet, number_of

FOR_THE_CORE_TEAM = Notice(key="g", kind="test.awaited", group=Group.CORE_TEAM)
HERE = GroupPlace(group=Group.CORE_TEAM, channel="slack", tenant="T1", place="C1")


async def test_a_notice_is_sent_once_with_the_ticket_of_its_key(post: Post) -> None:
    ann = await post.person("ANN")
    await post.tell(ann)
    assert await post.worker.run() == 1
    assert await post.worker.run() == 0
    (sending,) = post.slack.sendings
    assert sending.title == "To ANN"
    assert (sending.target.user, sending.target.person_id) == ("ANN", ann.id)
    assert sending.ticket == ticket_of(Notice(key=f"test.awaited:{ann.id}:{{}}", kind="another"))
    assert await post.states() == ["sent"]


async def test_what_is_not_due_waits(post: Post) -> None:
    ann = await post.person("ANN")
    async with post.database.transaction() as session:
        await outbox.enqueue(session, Notice(key="k", kind="test.nudge", person_id=ann.id), due_at=NOW + timedelta(hours=1))
    assert await post.worker.run() == 0
    post.clock.forward(hours=1)
    assert await post.worker.run() == 1


async def test_two_workers_send_50_notices_once_each(post: Post, database_url: str) -> None:
    crowd = [await post.person(f"U{number}") for number in range(50)]
    for person in crowd:
        await post.tell(person)
    other = Database(database_url)
    await asyncio.gather(post.worker.run(), post.another_worker(other).run(), post.another_worker(other).run())
    assert Counter(post.slack.users) == {f"U{number}": 1 for number in range(50)}
    assert set(await post.states()) == {"sent"}
    await other.close()


# -- what the far side answers


async def test_a_channel_that_is_busy_is_asked_again_no_sooner_than_it_said(post: Post) -> None:
    await post.tell(await post.person("ANN"))
    post.slack.results = [RetryLater(reason="busy", seconds=90)]
    await post.worker.run()
    assert await post.waits() == 90
    post.clock.forward(seconds=89)
    assert await post.worker.run() == 0
    post.clock.forward(seconds=1)
    assert await post.worker.run() == 1
    assert await post.states() == ["sent"]


@pytest.mark.parametrize("answer", [RetryLater(reason="no"), CredentialsDead(reason="no")])
async def test_waits_grow_to_an_hour_at_most_and_after_ten_attempts_an_administrator_is_told(
    post: Post, answer: RetryLater | CredentialsDead
) -> None:
    await post.tell(await post.person("ANN"))
    post.slack.results = [answer] * ATTEMPTS
    waits = []
    for _ in range(ATTEMPTS - 1):
        await post.worker.run()
        waits.append(await post.waits())
        post.clock.forward(seconds=waits[-1])
    longest = [min(5.0 * 2**attempt, LONGEST_WAIT.total_seconds()) for attempt in range(ATTEMPTS - 1)]
    assert all(most / 2 <= wait <= most for wait, most in zip(waits, longest, strict=True))
    assert len({wait / most for wait, most in zip(waits, longest, strict=True)}) == ATTEMPTS - 1, "no two wait alike"
    await post.worker.run()
    (stuck,) = await post.stuck()
    assert (stuck.state.value, stuck.attempts, stuck.reason) == ("dead", ATTEMPTS, "no")
    post.clock.forward(days=9)
    assert await post.worker.run() == 0
    async with post.database.transaction() as session:
        assert await outbox.requeue(session, stuck.id, now=post.clock())
    await post.worker.run()
    assert await post.states() == ["sent"]
    assert await post.stuck() == ()


@pytest.mark.may_block("the traceback of an error is written, which reads its source")
@pytest.mark.parametrize("answer", [Ambiguous(reason="time-out"), OSError("cut off"), TimeoutError()])
async def test_what_may_have_arrived_is_sent_once_more_to_those_who_wait_then_it_is_unknown(
    post: Post, answer: Ambiguous | Exception
) -> None:
    await post.tell(await post.person("ANN"))
    post.slack.results = [answer, answer]
    await post.worker.run()
    assert await post.states() == ["waiting"]
    post.clock.forward(minutes=1)
    await post.worker.run()
    post.clock.forward(days=1)
    await post.worker.run()
    assert len(post.slack.sendings) == 2
    assert await post.states() == ["unknown"]


async def test_a_nudge_that_may_have_arrived_is_never_repeated(post: Post) -> None:
    await post.tell(await post.person("ANN"), "test.nudge")
    post.slack.results = [Ambiguous(reason="time-out")]
    await post.worker.run()
    post.clock.forward(days=1)
    await post.worker.run()
    assert len(post.slack.sendings) == 1
    assert await post.states() == ["unknown"]


@pytest.mark.parametrize(("kind", "times"), [("test.awaited", 2), ("test.nudge", 1)])
async def test_a_worker_that_went_silent_is_not_waited_for(post: Post, kind: str, times: int) -> None:
    await post.tell(await post.person("ANN"), kind)
    for _ in range(3):
        async with post.database.transaction() as session:
            await outbox.claim(session, lease="silent", now=post.clock(), seconds=60, limit=8)
        post.clock.forward(minutes=2)
        await post.worker._expire()
        post.clock.forward(minutes=2)
    async with post.database.reading() as session:
        attempts = await session.scalar(sa.text("SELECT attempts FROM outbox"))
    assert attempts == times
    assert await post.states() == ["unknown"]


async def test_what_the_channel_refuses_is_a_bug_of_ours_and_listed(post: Post) -> None:
    await post.tell(await post.person("ANN"))
    post.slack.results = [BadContent(reason="invalid_blocks")]
    await post.worker.run()
    assert [stuck.reason for stuck in await post.stuck()] == ["invalid_blocks"]


async def test_a_kind_nobody_knows_is_listed(post: Post) -> None:
    await post.tell(await post.person("ANN"), "test.gone")
    await post.worker.run()
    assert [stuck.reason for stuck in await post.stuck()] == ["no such kind of message: test.gone"]


# -- to whom


async def _second_account(post: Post, *, person_id: int, channel: str = "slack") -> int:
    async with post.database.transaction() as session:
        seen = Seen(key=AccountKey(channel=channel, tenant="T2", user="ANN2"), name="Ann", email=None, vouched=False)
        return await accounts.attach(session, person_id, seen, now=NOW)


async def test_a_message_goes_to_the_account_used_last(post: Post) -> None:
    ann = await post.person("ANN")
    await _second_account(post, person_id=ann.id)
    assert ann.account_id is not None
    async with post.database.transaction() as session:
        await accounts.use(session, ann.id, ann.account_id)
    await post.tell(ann)
    await post.worker.run()
    assert post.slack.users == ["ANN"]


async def test_a_message_about_one_account_goes_to_that_account(post: Post) -> None:
    ann = await post.person("ANN")
    other = await _second_account(post, person_id=ann.id)
    assert ann.account_id is not None
    async with post.database.transaction() as session:
        await accounts.use(session, ann.id, ann.account_id)
        about = Notice(key="k", kind="test.awaited", person_id=ann.id, args={"account": str(other)})
        await outbox.enqueue(session, about, due_at=NOW)
    await post.worker.run()
    assert post.slack.users == ["ANN2"]


async def test_where_one_account_is_dead_the_next_is_tried(post: Post) -> None:
    ann = await post.person("ANN")
    await _second_account(post, person_id=ann.id)
    post.slack.results = [TargetDead(reason="left")]
    await post.tell(ann)
    await post.worker.run()
    assert post.slack.users == ["ANN2", "ANN"]
    assert await post.states() == ["sent"]


@pytest.mark.may_block("the traceback of an error is written, which reads its source")
@pytest.mark.parametrize("answer", [Ambiguous(reason="?"), RetryLater(reason="?"), OSError()])
async def test_where_one_account_may_have_it_no_other_is_tried(post: Post, answer: Ambiguous | RetryLater | Exception) -> None:
    ann = await post.person("ANN")
    await _second_account(post, person_id=ann.id)
    post.slack.results = [answer]
    await post.tell(ann)
    await post.worker.run()
    assert post.slack.users == ["ANN2"]


async def test_a_channel_that_is_off_is_passed_over(post: Post) -> None:
    ann = await post.person("ANN")
    await _second_account(post, person_id=ann.id, channel="teams")
    await post.tell(ann)
    await post.worker.run()
    assert post.slack.users == ["ANN"]


async def test_somebody_who_cannot_be_reached_is_listed(post: Post) -> None:
    await post.tell(await post.nobody())
    ann = await post.person("ANN")
    post.slack.results = [TargetDead(reason="account_inactive")]
    await post.tell(ann)
    await post.worker.run()
    assert {stuck.reason for stuck in await post.stuck()} == {"the person has no account", "account_inactive"}


async def _set_place(post: Post) -> None:
    async with post.database.transaction() as session:
        await places.set_place(session, HERE, now=NOW)


async def test_a_group_is_told_in_its_place(post: Post) -> None:
    await post.person("CORE", Group.CORE_TEAM)
    await _set_place(post)
    await post.put(FOR_THE_CORE_TEAM)
    await post.worker.run()
    assert post.slack.users == ["C1"]
    assert post.slack.sendings[0].target.person_id is None


async def test_a_group_whose_place_takes_nothing_is_told_one_by_one(post: Post) -> None:
    await post.person("CORE", Group.CORE_TEAM)
    await _set_place(post)
    post.slack.results = [TargetDead(reason="is_archived")]
    await post.put(FOR_THE_CORE_TEAM)
    await post.worker.run()
    assert post.slack.users == ["C1", "CORE"]
    assert await post.states() == ["spread", "sent"]


async def test_a_group_without_a_place_is_told_one_by_one(post: Post) -> None:
    for user in ("CORE1", "CORE2"):
        await post.person(user, Group.CORE_TEAM)
    await post.person("ADMIN", administrator=True)
    await post.put(FOR_THE_CORE_TEAM)
    await post.worker.run()
    await post.put(FOR_THE_CORE_TEAM)
    await post.worker.run()
    assert sorted(map(str, post.slack.users)) == ["CORE1", "CORE2"]
    assert await post.states() == ["spread", "sent", "sent"]


async def test_where_nobody_is_in_the_group_administrators_are_told(post: Post) -> None:
    await post.person("ADMIN", administrator=True)
    await post.person("STAFF")
    await post.put(FOR_THE_CORE_TEAM)
    await post.worker.run()
    assert post.slack.users == ["ADMIN"]


async def test_with_nobody_to_tell_it_waits_for_weeks_and_then_is_not_given_up_early(post: Post) -> None:
    await post.put(FOR_THE_CORE_TEAM)
    for _ in range(30):
        await post.worker.run()
        assert await post.states() == ["waiting"]
        post.clock.forward(hours=2)
    assert post.slack.sendings == []
    await _set_place(post)
    post.slack.results = [RetryLater(reason="busy")]
    await post.worker.run()
    assert await post.states() == ["waiting"], "waiting for somebody was no attempt"
    post.clock.forward(hours=2)
    await post.worker.run()
    assert await post.states() == ["sent"]


# -- what is true


async def test_what_is_no_longer_true_is_dropped(post: Post) -> None:
    await post.tell(await post.person("ANN"), "test.untrue")
    await post.worker.run()
    assert post.slack.sendings == []
    assert await post.states() == ["dropped"]


@pytest.mark.may_block("the traceback of an error is written, which reads its source")
async def test_a_message_that_cannot_be_built_is_tried_again_and_holds_up_no_other(post: Post) -> None:
    ann = await post.person("ANN")
    await post.tell(ann, "test.unbuildable")
    await post.tell(ann)
    await post.worker.run()
    assert await post.states() == ["waiting", "sent"]


async def test_an_idea_is_told_as_it_is_when_it_is_sent_and_changed_where_it_stands(post: Post) -> None:
    ann = await post.person("ANN")
    await _set_place(post)
    async with post.database.transaction() as session:
        id = await ideas.add(
            session, title="Sensors", need="n", proposal="", organisation_id=None, visibility=Visibility.HUB, author_id=ann.id, now=NOW
        )
    args = {"idea": str(id)}
    await post.put(Notice(key="r", kind="ideas.received", group=Group.CORE_TEAM, args=args))
    await post.worker.run()
    async with post.database.transaction() as session:
        await ideas.withdraw(session, id)
    await post.put(Notice(key="w", kind="ideas.received", group=Group.CORE_TEAM, args=args))
    await post.put(Notice(key="t", kind="ideas.thanks", person_id=ann.id, args=args))
    await post.worker.run()
    first, second = post.slack.sendings
    assert (first.title, first.handle) == ("A new idea: IDEA-1", None)
    assert (second.title, second.handle) == ("An idea was withdrawn: IDEA-1", "message-1")
    assert await post.states() == ["sent", "sent", "dropped"]


async def test_a_live_message_has_a_place_of_its_own_for_each_person(post: Post) -> None:
    for user in ("ANN", "BOB"):
        await post.tell(await post.person(user), live="idea:1")
    await post.worker.run()
    assert [sending.handle for sending in post.slack.sendings] == [None, None]
    async with post.database.reading() as session:
        assert await number_of(session, "live_messages") == 2


async def test_two_notices_of_one_live_message_at_the_same_moment_post_it_once(post: Post, database_url: str) -> None:
    ann = await post.person("ANN")
    begun, go = asyncio.Event(), asyncio.Event()

    async def slowly() -> None:
        begun.set()
        await go.wait()

    post.slack.before = slowly
    other = Database(database_url)
    await post.tell(ann, live="idea:1", number="1")
    running = asyncio.create_task(post.worker.run())
    await soon(begun)
    await post.tell(ann, live="idea:1", number="2")
    await post.tell(ann, live="idea:1", number="3")
    assert await post.another_worker(other).run() == 0, "another process leaves it alone while the first is being sent"
    go.set()
    await running
    await other.close()
    assert [sending.handle for sending in post.slack.sendings] == [None, "message-1"], "the third found one that waits already"
    assert await post.states() == ["sent", "sent"]


async def test_a_live_notice_that_must_wait_gives_way_to_a_newer_one(post: Post) -> None:
    ann = await post.person("ANN")

    async def something_changes() -> None:
        post.slack.before = None
        await post.tell(ann, live="idea:1", number="2")

    post.slack.results = [RetryLater(reason="busy")]
    post.slack.before = something_changes
    await post.tell(ann, live="idea:1", number="1")
    await post.worker.run()
    assert await post.states() == ["dropped", "sent"]


async def test_a_dead_live_notice_is_left_to_a_newer_one_when_it_is_tried_again(post: Post) -> None:
    ann = await post.person("ANN")
    post.slack.results = [TargetDead(reason="gone")]
    await post.tell(ann, live="idea:1", number="1")
    await post.worker.run()
    await post.tell(ann, live="idea:1", number="2")
    (stuck,) = await post.stuck()
    async with post.database.transaction() as session:
        assert await outbox.requeue(session, stuck.id, now=post.clock.now)
    assert await post.states() == ["dropped", "waiting"]


# -- stopping, and faults


async def test_stopping_finishes_what_is_being_sent_and_begins_nothing(post: Post) -> None:
    for number in range(20):
        await post.tell(await post.person(f"U{number}"))
    begun, go = asyncio.Event(), asyncio.Event()

    async def slowly() -> None:
        begun.set()
        await go.wait()

    post.slack.before = slowly
    running = asyncio.create_task(post.worker.keep_running())
    post.worker.wake()
    await soon(begun)
    post.worker.stop()
    go.set()
    async with asyncio.timeout(10):
        await running
    states = Counter(await post.states())
    assert states == {"sent": len(post.slack.sendings), "waiting": 20 - len(post.slack.sendings)}
    assert 0 < states["sent"] <= 8


async def test_a_channel_that_hangs_is_ambiguous_when_the_lease_ends_and_delivery_goes_on(database: Database, clock: FakeClock) -> None:
    post = Post(database, clock, lease_seconds=0.05)
    forever = asyncio.Event()
    post.slack.before = forever.wait  # type: ignore[assignment]
    await post.tell(await post.person("ANN"))
    async with asyncio.timeout(10):
        await post.worker.run()
    assert await post.states() == ["waiting"]
    post.slack.before = None
    clock.forward(minutes=1)
    await post.worker.run()
    assert await post.states() == ["sent"]


class Fragile(Sender):
    """A channel that takes a message and, for one person, breaks the database's memory of it."""

    def __init__(self, post: Post) -> None:
        self.post = post
        self.sent: list[str | None] = []

    async def send(self, target: object, message: Message, *, ticket: str, handle: str | None) -> Sent:
        """Sends, or spoils the notice so that settling it fails."""
        user = getattr(target, "user", None)
        if user == "BAD":
            async with self.post.database.transaction() as session:
                await session.execute(sa.text("ALTER TABLE outbox RENAME TO outbox_away"))
            await asyncio.sleep(0)
        self.sent.append(user)
        return Sent()


@pytest.mark.may_block("the traceback of an error is written, which reads its source")
async def test_a_fault_in_the_database_does_not_end_delivery(post: Post, caplog: pytest.LogCaptureFixture) -> None:
    post.senders["slack"] = fragile = Fragile(post)
    worker = post.another_worker()
    await post.tell(await post.person("BAD"))
    running = asyncio.create_task(worker.keep_running())
    worker.wake()
    async with asyncio.timeout(10):
        while "the outbox could not be read" not in caplog.messages:
            await asyncio.sleep(0.01)
    assert fragile.sent == ["BAD"]
    async with post.database.transaction() as session:
        await session.execute(sa.text("ALTER TABLE outbox_away RENAME TO outbox"))
    await post.tell(await post.person("GOOD"))
    worker.wake()
    async with asyncio.timeout(10):
        while "GOOD" not in fragile.sent:
            await asyncio.sleep(0.01)
    worker.stop()
    await running


@pytest.mark.may_block("the traceback of an error is written, which reads its source")
async def test_the_fault_of_one_notice_does_not_leave_the_others_behind(post: Post) -> None:
    """All of a batch are finished before the fault is reported."""
    for user in ("BAD", "U1", "U2"):
        await post.tell(await post.person(user))
    done: list[str] = []

    class Slow(Channel):
        async def send(self, target: object, message: Message, *, ticket: str, handle: str | None) -> Sent:
            user = str(getattr(target, "user", ""))
            if user == "BAD":
                return "gibberish"  # type: ignore[return-value]
            await asyncio.sleep(0.05)
            done.append(user)
            return Sent()

    post.senders["slack"] = Slow()
    with pytest.raises(AssertionError):
        await post.another_worker().run()
    assert sorted(done) == ["U1", "U2"]
    assert await post.states() == ["sending", "sent", "sent"]


# -- what is forgotten


async def test_what_is_past_its_time_is_forgotten(post: Post) -> None:
    ann = await meet(post.database, "ANN")
    async with post.database.transaction() as session:
        await receipts.claim(session, ReceiptKey.of(ann.id, "a", "old", {}), now=NOW)
    assert await retention.forget_old(post.database, NOW + retention.RECEIPTS_LAST) == 0
    assert await retention.forget_old(post.database, NOW + retention.RECEIPTS_LAST + timedelta(seconds=1)) == 1


def test_a_message_is_a_card() -> None:
    assert Message(card=Card(title="x")).live is None
