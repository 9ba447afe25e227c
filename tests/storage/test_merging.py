"""Two people become one: every row that names somebody is looked at, and nothing is left under a number that is gone."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from storage import accounts, education, outbox, people
from storage.database import Database, Session
from storage.education import Answer, Details, EventKind, Standing
from storage.outbox import Notice, State
from storage.people import Person
from storage.tables import METADATA
from tests.storage.hub import NOW, meet

MOVES, ONE_STAYS, JOINED = "moves", "moves, or that of the one who stays where both have it", "is joined by a rule of its own"
HANDLED = {
    "accounts.person_id": MOVES,
    "audit.person_id": MOVES,
    "drafts.person_id": ONE_STAYS,
    "history.person_id": MOVES,
    "idea_supports.person_id": ONE_STAYS,
    "ideas.assessor_id": MOVES,
    "ideas.author_id": MOVES,
    "ideas.decided_by_id": MOVES,
    "linking_codes.person_id": ONE_STAYS,
    "linking_tries.person_id": MOVES,
    "links.person_id": MOVES,
    "memberships.person_id": ONE_STAYS,
    "nudges.person_id": MOVES,
    "outbox.person_id": MOVES,
    "project_followers.person_id": ONE_STAYS,
    "project_reports.by_id": MOVES,
    "projects.lead_id": MOVES,
    "pulse_priorities.owner_id": MOVES,
    "receipts.person_id": ONE_STAYS,
    "sessions.person_id": MOVES,
    "signups.person_id": JOINED,
}
"""Every column that names a person, and what becomes of it: whoever adds one decides."""
_numbers = itertools.count(1)


def _naming_people() -> dict[str, sa.Column[Any]]:
    return {
        f"{table.name}.{column.name}": column
        for table in METADATA.sorted_tables
        for column in table.columns
        if any(key.target_fullname == "people.id" for key in column.foreign_keys)
    }


def test_what_becomes_of_every_column_that_names_a_person_is_decided() -> None:
    assert set(_naming_people()) == set(HANDLED)


def _value(column: sa.Column[Any]) -> object:
    """Something the column may hold: the same each time, unless it must be another."""
    by_person = any(key.target_fullname == "people.id" for part in column.table.primary_key.columns for key in part.foreign_keys)
    kind, alone = column.type, column.unique or (column.primary_key and not by_person)
    if isinstance(kind, sa.Enum):
        return kind.enum_class(kind.enums[0])  # type: ignore[misc]
    if isinstance(kind, sa.Boolean):
        return False
    if isinstance(kind, sa.Integer):
        return next(_numbers) if alone else 1
    if isinstance(kind, sa.Date):
        return NOW.date()
    if isinstance(kind, sa.JSON):
        return {}
    if isinstance(kind, sa.Text):
        return f"{column.name} {next(_numbers)}" if alone else column.name
    return NOW + timedelta(minutes=len(column.table.columns) + list(column.table.columns).index(column))


async def _add(session: Session, table: sa.Table, given: Mapping[str, object], parents: dict[str, Mapping[str, object]]) -> None:
    """A row with nothing but what it must have; the rows it hangs on are made once."""
    values = dict(given)
    for constraint in sorted(table.foreign_key_constraints, key=lambda each: str(each.name)):
        above = constraint.referred_table
        names = {key.parent.name: key.column.name for key in constraint.elements}
        needed = any(not table.c[name].nullable for name in names) and not set(names) & set(given)
        if above.name == "people" and needed:
            values |= dict.fromkeys(names, next(iter(given.values())))
        elif needed:
            if above.name not in parents:
                await _add(session, above, dict(parents["people"]), parents)
                parents[above.name] = dict((await session.execute(sa.select(above).limit(1))).one()._mapping)
            values |= {mine: parents[above.name][theirs] for mine, theirs in names.items()}
    for column in table.columns:
        if column.name not in values and not column.nullable and not (column.autoincrement is True or column.name == "id"):
            values[column.name] = _value(column)
    await session.execute(sa.insert(table).values({name: value for name, value in values.items() if name in table.c}))


@pytest.mark.parametrize("name", sorted(HANDLED))
async def test_nothing_is_left_under_a_number_that_is_gone(database: Database, name: str) -> None:
    keep, gone = await meet(database, "U1"), await meet(database, "U2")
    column = _naming_people()[name]
    async with database.transaction() as session:
        parents: dict[str, Mapping[str, object]] = {"people": {}}
        for person in (keep, gone):
            parents["people"] = {"author_id": person.id}
            if name != "accounts.person_id":
                await _add(session, column.table, {column.name: person.id}, parents)
        theirs = sa.select(sa.func.count()).select_from(column.table)
        assert await session.scalar(theirs.where(column == gone.id)), "there is something to move"
        before = await session.scalar(theirs.where(column.in_((keep.id, gone.id)))) or 0
        await accounts.merge(session, keep=keep.id, gone=gone.id, now=NOW)
        for each in _naming_people().values():
            left = sa.select(sa.func.count()).select_from(each.table).where(each == gone.id)
            assert not await session.scalar(left), each
        after = await session.scalar(theirs.where(column == keep.id)) or 0
        assert await people.find(session, gone.id) is None
    if HANDLED[name] == MOVES:
        assert after == before + (name == "audit.person_id"), "the merge itself is audited"
    else:
        assert after == 1


# -- a place for each of two accounts


async def _event(session: Session, places: int) -> int:
    details = Details(
        title="Bids", starts_at=NOW + timedelta(days=9), ends_at=NOW + timedelta(days=9, hours=1), place="", area=None,
        link="", about="", host="NHS Dorset", places=places,
    )  # fmt: skip
    return await education.add(session, details, kind=EventKind.COP, now=NOW)


async def _answers(session: Session, event_id: int, person: Person, said: Answer) -> None:
    event = await education.hold(session, event_id)
    assert event is not None
    await education.answer(session, event, person.id, said, now=NOW)


YES, MAYBE, NO = Answer.YES, Answer.MAYBE, Answer.NO
STANDINGS = (
    (YES, YES, Standing.COMING, True),
    (YES, NO, Standing.NOT_COMING, True),
    (NO, YES, Standing.COMING, False),
    (MAYBE, YES, Standing.COMING, False),
    (YES, MAYBE, Standing.MAYBE, True),
    (MAYBE, NO, Standing.NOT_COMING, False),
)


@pytest.mark.parametrize(("first", "second", "standing", "frees"), STANDINGS)
@pytest.mark.parametrize("swapped", [False, True])
async def test_the_newer_answer_counts_and_a_second_place_goes_to_whoever_waits(
    database: Database, first: Answer, second: Answer, standing: Standing, frees: bool, swapped: bool
) -> None:
    one, other, bob = [await meet(database, user) for user in ("U1", "U2", "BOB")]
    taken = (first, second).count(YES)
    async with database.transaction() as session:
        event_id = await _event(session, places=max(taken, 1))
        await _answers(session, event_id, one, first)
        await _answers(session, event_id, other, second)
        await _answers(session, event_id, bob, YES)
        keep, gone = (other, one) if swapped else (one, other)
        await accounts.merge(session, keep=keep.id, gone=gone.id, now=NOW)
        mine, bobs = await education.find_signup(session, event_id, keep.id), await education.find_signup(session, event_id, bob.id)
        told = list((await session.scalars(sa.text("SELECT kind FROM outbox WHERE person_id = :bob"), {"bob": bob.id})).all())
    assert mine is not None
    assert bobs is not None
    assert mine.standing is standing
    came = frees or taken == 0
    assert bobs.standing is (Standing.COMING if came else Standing.WAITING)
    assert told == (["education.promoted"] if frees else [])


async def test_whoever_has_a_place_and_waits_for_another_keeps_the_place(database: Database) -> None:
    one, other, bob = [await meet(database, user) for user in ("U1", "U2", "BOB")]
    async with database.transaction() as session:
        event_id = await _event(session, places=1)
        for person in (one, other, bob):
            await _answers(session, event_id, person, YES)
        await accounts.merge(session, keep=other.id, gone=one.id, now=NOW)
        mine = await education.find_signup(session, event_id, other.id)
        assert mine is not None
        assert mine.standing is Standing.COMING
        event = await education.find(session, event_id)
        assert event is not None
        assert (event.coming, event.waiting) == (1, 1)
        assert not await outbox.any_due(session, now=NOW), "no place was freed"


async def test_an_event_that_is_over_promotes_nobody(database: Database) -> None:
    one, other, bob = [await meet(database, user) for user in ("U1", "U2", "BOB")]
    async with database.transaction() as session:
        event_id = await _event(session, places=2)
        for person in (one, other, bob):
            await _answers(session, event_id, person, YES)
        await accounts.merge(session, keep=one.id, gone=other.id, now=NOW + timedelta(days=10))
        bobs = await education.find_signup(session, event_id, bob.id)
        assert bobs is not None
        assert bobs.standing is Standing.WAITING


# -- what waits to be told


async def test_what_waits_for_both_is_told_once(database: Database) -> None:
    keep, gone = await meet(database, "U1"), await meet(database, "U2")
    async with database.transaction() as session:
        for person in (keep, gone):
            for name in ("received", "thanks"):
                live = "idea:1" if name == "received" else None
                args = {"idea": "1", "to": str(person.id)} if live else {"idea": "1"}
                notice = Notice(key=f"{name}:{person.id}", kind=f"ideas.{name}", person_id=person.id, args=args, live=live)
                await outbox.enqueue(session, notice, due_at=NOW)
        await outbox.enqueue(session, Notice(key="other", kind="ideas.thanks", person_id=gone.id, args={"idea": "2"}), due_at=NOW)
        await accounts.merge(session, keep=keep.id, gone=gone.id, now=NOW)
        claimed = await outbox.claim(session, lease="a", now=NOW, seconds=60, limit=9)
    assert {each.notice.key for each in claimed} == {f"received:{keep.id}", f"thanks:{keep.id}", "other"}
    assert {each.notice.person_id for each in claimed} == {keep.id}


async def test_a_live_message_on_its_way_holds_the_next_one_back(database: Database) -> None:
    keep, gone = await meet(database, "U1"), await meet(database, "U2")
    async with database.transaction() as session:
        await outbox.enqueue(session, Notice(key="a", kind="ideas.received", person_id=keep.id, live="idea:1"), due_at=NOW)
        (sending,) = await outbox.claim(session, lease="a", now=NOW, seconds=60, limit=9)
        await outbox.enqueue(session, Notice(key="b", kind="ideas.received", person_id=gone.id, live="idea:1"), due_at=NOW)
        await accounts.merge(session, keep=keep.id, gone=gone.id, now=NOW)
        assert await outbox.claim(session, lease="b", now=NOW, seconds=60, limit=9) == ()
        assert await outbox.settle(session, sending, State.SENT, now=NOW)
        (waited,) = await outbox.claim(session, lease="b", now=NOW, seconds=60, limit=9)
        assert (waited.notice.key, waited.notice.live) == ("b", "idea:1")


# -- what accounts say


async def test_two_vouched_addresses_of_one_person_do_not_chase_each_other(database: Database) -> None:
    ann, also = await meet(database, "U1", email="ann@uhd.nhs.uk"), await meet(database, "U2", tenant="T2", email="ann@nhs.net")
    async with database.transaction() as session:
        await accounts.merge(session, keep=ann.id, gone=also.id, now=NOW)
    for user, tenant, email in (("U2", "T2", "ann@nhs.net"), ("U1", "T1", "ann@uhd.nhs.uk"), ("29:1", "T3", "ann@nhs.net")):
        seen_again = await meet(database, user, tenant=tenant, email=email)
        assert (seen_again.id, seen_again.email) == (ann.id, "ann@uhd.nhs.uk")
    assert (await meet(database, "U2", tenant="T2", email="ann@dorset.nhs.uk")).email == "ann@uhd.nhs.uk"
    assert (await meet(database, "U1", email="ann.smith@uhd.nhs.uk")).email == "ann.smith@uhd.nhs.uk", "a new address of one's own counts"


async def test_the_newest_word_on_a_time_zone_counts_where_there_is_such_a_zone(database: Database) -> None:
    assert (await meet(database, "U1")).zone is None
    assert (await meet(database, "U1", zone="Europe/London")).zone == "Europe/London"
    for strange in ("Mars/Olympus", "", "../../etc/passwd", "\x00", None):
        assert (await meet(database, "U1", zone=strange)).zone == "Europe/London", strange
    assert (await meet(database, "U1", zone="Europe/Lisbon")).zone == "Europe/Lisbon"


@pytest.mark.parametrize("known", [None, "Europe/Lisbon"])
async def test_whoever_stays_keeps_their_zone_or_gets_the_others(database: Database, known: str | None) -> None:
    keep, gone = await meet(database, "U1", zone=known), await meet(database, "U2", zone="Europe/London")
    async with database.transaction() as session:
        await accounts.merge(session, keep=keep.id, gone=gone.id, now=NOW)
        found = await people.find(session, keep.id)
    assert found is not None
    assert found.zone == (known or "Europe/London")
