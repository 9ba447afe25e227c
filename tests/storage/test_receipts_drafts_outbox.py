"""What makes things happen once: receipts, drafts and the outbox."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from storage import counts, drafts, outbox, receipts
from storage.database import Database
from storage.drafts import DraftKey
from storage.outbox import Claimed, Notice, State
from storage.people import Group
from storage.receipts import ReceiptKey
from tests.storage.hub import NOW, meet, number_of, only_postgresql

THANKS = Notice(key="idea:1:thanks", kind="ideas.thanks", group=Group.CORE_TEAM, args={"idea": "1"})
LATER = NOW + timedelta(minutes=5)


async def _claim(database: Database, lease: str = "one", *, seconds: float = 60, minutes: float = 0) -> tuple[Claimed, ...]:
    async with database.transaction() as session:
        return await outbox.claim(session, lease=lease, now=NOW + timedelta(minutes=minutes), seconds=seconds, limit=8)


async def test_a_change_and_its_notice_come_together_or_not_at_all(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):  # noqa: PT012
        async with database.transaction() as session:
            await counts.add_one(session, day=NOW.date(), what="ideas")
            await outbox.enqueue(session, THANKS, due_at=NOW)
            raise ZeroDivisionError
    async with database.reading() as session:
        assert await number_of(session, "outbox") == 0
        assert await number_of(session, "counts") == 0


async def test_the_same_key_put_in_100_times_at_once_is_one_notice(database_url: str) -> None:
    servers = (Database(database_url), Database(database_url))

    async def put(database: Database) -> None:
        async with database.transaction() as session:
            await outbox.enqueue(session, THANKS, due_at=NOW)

    await asyncio.gather(*(put(servers[number % 2]) for number in range(100)))
    async with servers[0].reading() as session:
        assert await number_of(session, "outbox") == 1
    claims = await asyncio.gather(*(_claim(server, lease) for server in servers for lease in "abcd"))
    assert sum(map(len, claims)) == 1
    for server in servers:
        await server.close()


async def test_many_notices_at_once_leave_those_that_are_there_alone(database: Database) -> None:
    async with database.transaction() as session:
        await outbox.enqueue(session, THANKS, due_at=NOW)
        second = Notice(key="idea:2:thanks", kind="ideas.thanks", group=Group.CORE_TEAM)
        await outbox.enqueue(session, THANKS, second, due_at=LATER)
        await outbox.enqueue(session, due_at=NOW)
    assert [claimed.notice.key for claimed in await _claim(database)] == ["idea:1:thanks"]
    assert [claimed.notice for claimed in await _claim(database, minutes=5)] == [second]


@only_postgresql
async def test_a_live_message_is_not_built_before_the_change_it_tells_is_committed(database: Database) -> None:
    async def changes(key: str) -> None:
        async with database.transaction() as session:
            await outbox.enqueue(session, replace(THANKS, key=key, live="idea:1"), due_at=NOW)

    await changes("first")
    async with database.transaction() as session:
        await outbox.enqueue(session, replace(THANKS, key="second", live="idea:1"), due_at=NOW)
        assert await _claim(database) == (), "the notice that waits will tell both changes"
    async with database.transaction() as session:
        (claimed,) = await outbox.claim(session, lease="one", now=NOW, seconds=60, limit=8)
        third = asyncio.create_task(changes("third"))
        assert claimed.notice.key == "first"
    await third
    await changes("third")
    async with database.reading() as session:
        assert await number_of(session, "outbox") == 2, "the third could no longer join what is being sent"


async def test_the_oldest_is_taken_first_and_nothing_before_it_is_due(database: Database) -> None:
    async with database.transaction() as session:
        for number, minutes in enumerate((3, 1, 2, 9)):
            due_at = NOW + timedelta(minutes=minutes)
            await outbox.enqueue(session, Notice(key=str(number), kind="k", group=Group.CORE_TEAM), due_at=due_at)
    assert await _claim(database) == ()
    assert [each.notice.key for each in await _claim(database, minutes=3)] == ["1", "2", "0"]


async def test_a_late_worker_does_not_overwrite_the_result_of_the_next_one(database: Database) -> None:
    async with database.transaction() as session:
        await outbox.enqueue(session, THANKS, due_at=NOW)
    (late,) = await _claim(database, "late", seconds=1)
    async with database.transaction() as session:
        assert await outbox.any_expired(session, now=LATER)
        (silent,) = await outbox.expired(session, now=LATER, limit=9)
        assert silent == late
        assert await outbox.put_back(session, silent, now=NOW, due_at=LATER, reason="silent", repeated=True)
    (owner,) = await _claim(database, "owner", minutes=5)
    assert (owner.attempts, owner.repeats) == (2, 1)
    async with database.transaction() as session:
        assert not await outbox.settle(session, late, State.DEAD, now=LATER, reason="late")
        assert not await outbox.put_back(session, late, now=NOW, due_at=LATER, reason="late")
        assert await outbox.settle(session, owner, State.SENT, now=LATER)
        assert not await outbox.settle(session, late, State.DEAD, now=LATER, reason="late")
        assert await outbox.list_stuck(session) == ()


async def test_what_did_not_arrive_is_listed_and_can_begin_again(database: Database) -> None:
    async with database.transaction() as session:
        await outbox.enqueue(session, THANKS, due_at=NOW)
    (claimed,) = await _claim(database)
    async with database.transaction() as session:
        assert not await outbox.requeue(session, claimed.id, now=NOW), "it is being sent"
        await outbox.settle(session, claimed, State.DEAD, now=NOW, reason="the person has no account")
        (stuck,) = await outbox.list_stuck(session)
        assert (stuck.kind, stuck.state, stuck.reason) == ("ideas.thanks", State.DEAD, "the person has no account")
        assert await outbox.requeue(session, stuck.id, now=NOW)
        assert not await outbox.requeue(session, stuck.id, now=NOW)
        assert not await outbox.requeue(session, 999, now=NOW)
    (again,) = await _claim(database)
    assert (again.attempts, again.repeats) == (1, 0)


async def test_only_what_still_waits_can_be_cancelled(database: Database) -> None:
    async with database.transaction() as session:
        await outbox.enqueue(session, THANKS, due_at=NOW)
        assert await outbox.cancel(session, THANKS.key, now=NOW)
        assert not await outbox.cancel(session, THANKS.key, now=NOW)
    assert await _claim(database) == ()


async def test_a_receipt_is_claimed_by_the_first_of_ten(database: Database) -> None:
    ann = await meet(database, "U1")
    key = ReceiptKey.of(ann.id, "ideas.submit", "ticket", {})

    async def claim() -> bool:
        async with database.transaction() as session:
            return await receipts.claim(session, key, now=NOW)

    assert sorted(await asyncio.gather(*(claim() for _ in range(10)))) == [False] * 9 + [True]


async def test_other_people_buttons_and_arguments_have_receipts_of_their_own(database: Database) -> None:
    ann, bob = await meet(database, "U1"), await meet(database, "U2")
    keys = [
        ReceiptKey.of(ann.id, "ideas.open", "ticket", {"idea": "1"}),
        ReceiptKey.of(bob.id, "ideas.open", "ticket", {"idea": "1"}),
        ReceiptKey.of(ann.id, "ideas.withdraw", "ticket", {"idea": "1"}),
        ReceiptKey.of(ann.id, "ideas.open", "ticket", {"idea": "2"}),
        ReceiptKey.of(ann.id, "ideas.open", "other", {"idea": "1"}),
    ]
    async with database.transaction() as session:
        assert [await receipts.claim(session, key, now=NOW) for key in keys] == [True] * 5
        same = ReceiptKey.of(ann.id, "ideas.open", "ticket", {"idea": "1"})
        assert not await receipts.claim(session, same, now=NOW)


@pytest.mark.parametrize("ticket", ["\x00", "\ud800", "x" * 100_000, "", "’"])
async def test_a_ticket_that_we_never_made_is_still_a_ticket(database: Database, ticket: str) -> None:
    ann = await meet(database, "U1")
    key = ReceiptKey.of(ann.id, "ideas.submit", ticket, {"\x00": "\ud800"})
    async with database.transaction() as session:
        assert await receipts.claim(session, key, now=NOW)
        assert not await receipts.claim(session, key, now=NOW)
        await receipts.refer(session, key, "IDEA-1")
        assert await receipts.reference_of(session, key) == "IDEA-1"


async def test_the_newest_draft_is_kept_until_the_form_was_sent(database: Database) -> None:
    ann = await meet(database, "U1")
    async with database.transaction() as session:
        key, about_one = (
            DraftKey(person_id=ann.id, action="ideas.submit"),
            DraftKey(person_id=ann.id, action="ideas.submit", args={"idea": "1"}),
        )
        await drafts.keep(session, key, {"title": "One"}, now=NOW)
        typed: dict[str, str | tuple[str, ...]] = {"title": "Two “quoted”", "many": ("a", "b")}
        await drafts.keep(session, key, typed, now=NOW)
        assert await drafts.find(session, key) == typed
        assert await drafts.find(session, DraftKey(person_id=ann.id, action="other")) is None
        assert await drafts.find(session, about_one) is None, "a draft belongs to what its form is about"
        await drafts.keep(session, about_one, {"title": "Three"}, now=NOW)
        await receipts.claim(session, ReceiptKey.of(ann.id, "ideas.submit", "t", {}), now=LATER)
        assert await drafts.find(session, key) is None
        assert await drafts.find(session, about_one) == {"title": "Three"}
        assert await drafts.forget_before(session, LATER) == 2


async def test_counts_of_two_servers_add_up(database_url: str) -> None:
    servers = (Database(database_url), Database(database_url))

    async def one(database: Database) -> None:
        async with database.transaction() as session:
            await counts.add_one(session, day=NOW.date(), what="patient data refused")

    await asyncio.gather(*(one(servers[number % 2]) for number in range(30)))
    async with servers[0].reading() as session:
        assert await counts.total(session, "patient data refused") == 30
        assert await counts.total(session, "nothing") == 0
    for server in servers:
        await server.close()


@only_postgresql
async def test_a_worker_takes_the_next_notices_while_another_still_holds_the_first(database: Database) -> None:
    async with database.transaction() as session:
        for number in range(3):
            await outbox.enqueue(session, Notice(key=str(number), kind="k", group=Group.CORE_TEAM), due_at=NOW)
    async with database.transaction() as session:
        first = await outbox.claim(session, lease="one", now=NOW, seconds=60, limit=2)
        async with asyncio.timeout(10):
            second = await _claim(database, "two")
    assert [[each.notice.key for each in claimed] for claimed in (first, second)] == [["0", "1"], ["2"]]
