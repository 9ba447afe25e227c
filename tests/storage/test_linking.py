"""Codes that join two accounts: kept as digests, good once and not for long, and not to be guessed."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from handlers import screening
from storage import accounts, audit, linking, people, rights, signin
from storage.database import Database
from storage.linking import ALPHABET, CODE_LASTS, WRONG_CODES, WRONG_WITHIN, Fault, Offer
from storage.people import Person
from storage.rights import Rights
from tests.storage.hub import NOW, everything_kept, meet, number_of

HERE, THERE = "slack", "elsewhere"


async def _two(database: Database) -> tuple[Person, Person]:
    """Ann here and Ann there."""
    return await meet(database, "U1"), await meet(database, "29:1", channel=THERE, tenant="uhd")


async def _code(database: Database, person: Person) -> str:
    async with database.transaction() as session:
        return await linking.add_code(session, person, now=NOW)


async def _offer(database: Database, person: Person, code: str, *, after: float = 0) -> Offer | Fault:
    async with database.transaction() as session:
        return await linking.find_offer(session, person, code, now=NOW + CODE_LASTS * after)


async def _join(database: Database, person: Person, code: str, *, after: float = 0) -> Offer | Fault:
    async with database.transaction() as session:
        return await linking.join(session, person, code, now=NOW + CODE_LASTS * after)


async def _exist(database: Database, *those: Person) -> list[bool]:
    async with database.reading() as session:
        return [await people.find(session, each.id) is not None for each in those]


@pytest.mark.parametrize("write", [str, str.lower, lambda code: code.replace("-", ""), lambda code: f" {' '.join(code)} "])
async def test_a_code_joins_two_accounts_however_it_is_written(database: Database, write: type[str]) -> None:
    here, there = await _two(database)
    code = await _code(database, here)
    offer = await _offer(database, there, write(code))
    assert isinstance(offer, Offer)
    assert (offer.owner.id, offer.channel) == (here.id, HERE)
    assert await _exist(database, here, there) == [True, True], "asking joins nothing"
    assert isinstance(await _join(database, there, write(code)), Offer)
    assert await _exist(database, here, there) == [False, True], "whoever typed it stays"
    async with database.reading() as session:
        assert len(await people.accounts_of(session, there.id)) == 2
        (linked,) = [entry for entry in await audit.newest(session) if entry.action == "accounts.linked"]
    assert (linked.object, linked.by, linked.detail) == (f"person:{there.id}", there.id, {"gone": str(here.id)})


async def test_the_tables_hold_no_code(database: Database) -> None:
    here, there = await _two(database)
    code = await _code(database, here)
    await _offer(database, there, code)
    await _join(database, there, code)
    kept = (await everything_kept(database)).upper()
    assert code not in kept
    assert linking.tidy(code) not in kept


async def test_a_code_works_once_and_says_so_to_whom_it_joined_only(database: Database) -> None:
    here, there = await _two(database)
    stranger = await meet(database, "B1", channel="third", tenant="x")
    code = await _code(database, here)
    await _code(database, there)
    await _join(database, there, code)
    assert await _join(database, there, code) is Fault.JOINED
    assert await _offer(database, there, code) is Fault.JOINED
    assert await _join(database, stranger, code) is Fault.WRONG


async def test_a_code_is_good_for_ten_minutes_and_a_new_one_replaces_it(database: Database) -> None:
    here, there = await _two(database)
    old = await _code(database, here)
    new = await _code(database, here)
    assert await _offer(database, there, old) is Fault.WRONG
    assert isinstance(await _offer(database, there, new, after=0.99), Offer)
    assert await _join(database, there, new, after=1) is Fault.WRONG
    assert await _exist(database, here, there) == [True, True]


async def test_ones_own_code_is_known_as_such(database: Database) -> None:
    here, _ = await _two(database)
    assert await _offer(database, here, await _code(database, here)) is Fault.OWN


async def test_after_five_wrong_codes_an_hour_passes_even_for_the_right_one(database: Database) -> None:
    here, there = await _two(database)
    code = await _code(database, here)
    for number in range(WRONG_CODES):
        assert await (_offer if number % 2 else _join)(database, there, f"CCCC-CCC{number}") is Fault.WRONG
    assert await _join(database, there, code) is Fault.TOO_MANY
    late = await meet(database, "B1", channel="third", tenant="x")
    assert isinstance(await _offer(database, late, code), Offer), "others are not held up"
    async with database.transaction() as session:
        fresh = await linking.add_code(session, here, now=NOW + WRONG_WITHIN)
        assert isinstance(await linking.find_offer(session, there, fresh, now=NOW + WRONG_WITHIN), Offer)


async def test_fifty_guesses_at_once_on_two_servers_are_five(database_url: str) -> None:
    servers = [Database(database_url) for _ in range(2)]
    there = await meet(servers[0], "U1")
    guesses = (_offer(servers[number % 2], there, f"CCCC-CC{number:02}") for number in range(50))
    said = await asyncio.gather(*guesses)
    assert sorted(map(str, said)) == [Fault.TOO_MANY] * (50 - WRONG_CODES) + [Fault.WRONG] * WRONG_CODES
    for server in servers:
        await server.close()


@pytest.mark.parametrize("attempt", range(3))
async def test_ten_who_submit_one_code_at_once_join_once(database_url: str, attempt: int) -> None:
    servers = [Database(database_url) for _ in range(2)]
    here, there = await _two(servers[0])
    stranger = await meet(servers[0], "B1", channel="third", tenant="x")
    code = await _code(servers[0], here)

    async def submit(number: int) -> Offer | Fault | None:
        try:
            return await _join(servers[number % 2], there if number % 3 else stranger, code)
        except linking.InUse:
            return None

    said = await asyncio.gather(*map(submit, range(10)))
    assert sum(isinstance(each, Offer) for each in said) == 1
    async with servers[0].reading() as session:
        assert await number_of(session, "people") == 2
        assert sum(entry.action == "people.merge" for entry in await audit.newest(session)) == 1
    for server in servers:
        await server.close()


@pytest.mark.parametrize("attempt", range(3))
async def test_two_who_type_each_others_code_at_once_are_joined_once(database_url: str, attempt: int) -> None:
    servers = [Database(database_url) for _ in range(2)]
    here, there = await _two(servers[0])
    codes = [await _code(servers[0], here), await _code(servers[0], there)]
    said = await asyncio.gather(_join(servers[0], here, codes[1]), _join(servers[1], there, codes[0]))
    assert sorted(isinstance(each, Offer) for each in said) == [False, True]
    assert Fault.JOINED in said
    assert sorted(await _exist(servers[0], here, there)) == [False, True]
    for server in servers:
        await server.close()


@pytest.mark.parametrize("which", ["typed", "made"])
async def test_an_administrator_is_never_joined_by_a_code(database: Database, which: str) -> None:
    here, there = await _two(database)
    code = await _code(database, here)
    async with database.transaction() as session:
        await rights.make_administrator(session, there.id if which == "typed" else here.id)
    assert await _join(database, there, code) is Fault.ADMINISTRATOR
    assert await _exist(database, here, there) == [True, True]


async def test_two_who_are_colleagues_on_one_chat_are_never_joined(database: Database) -> None:
    here, there = await _two(database)
    async with database.transaction() as session:
        bob = await accounts.note(session, _colleague("U2"), now=NOW)
        await accounts.merge(session, keep=there.id, gone=bob.id, now=NOW)
    assert await _join(database, there, await _code(database, here)) is Fault.COLLEAGUES
    assert await _exist(database, here, there) == [True, True]


def _colleague(user: str) -> people.Seen:
    """Somebody else in the workspace of Ann here."""
    return people.Seen(key=people.AccountKey(channel=HERE, tenant="T1", user=user), name="Bob", email=None, vouched=False)


async def test_an_account_that_is_parted_has_no_rights_no_sessions_and_no_code(database: Database) -> None:
    here, there = await _two(database)
    await _join(database, there, await _code(database, here))
    async with database.transaction() as session:
        wanted = Rights(organisation_id=None, groups=frozenset(people.Group), administrator=False)
        both = await people.find_by_account(session, people.AccountKey(channel=HERE, tenant="T1", user="U1"))
        assert both is not None
        await rights.change(session, both, wanted)
        code = await linking.add_code(session, both, now=NOW)
        await signin.add_link(session, both.id, now=NOW)
        await signin.start(session, both.id, now=NOW)
        (account,) = [each for each in await people.accounts_of(session, both.id) if each.key.channel == HERE]
        await linking.part(session, both, account, now=NOW, by=both.id)
        alone = await people.find_by_account(session, account.key)
        assert alone is not None
        assert (alone.groups, alone.administrator, alone.id == both.id) == (frozenset(), False, False)
        assert [await number_of(session, table) for table in ("links", "sessions")] == [0, 0]
        assert await linking.find_offer(session, alone, code, now=NOW) is Fault.WRONG
        assert linking.can_be_parted(await people.accounts_of(session, both.id)) == ()


async def test_accounts_of_one_vouched_address_cannot_be_parted(database: Database) -> None:
    ann = await meet(database, "U1", email="ann@uhd.nhs.uk")
    await meet(database, "29:1", channel=THERE, tenant="uhd", email="ann@uhd.nhs.uk")
    await meet(database, "U3", channel="third", email="ann@nhs.net")
    async with database.transaction() as session:
        also = await people.find_by_account(session, people.AccountKey(channel="third", tenant="T1", user="U3"))
        assert also is not None
        await accounts.merge(session, keep=ann.id, gone=also.id, now=NOW)
        theirs = linking.can_be_parted(await people.accounts_of(session, ann.id))
        assert [each.key.user for each in theirs] == ["U3"]
        await linking.part(session, ann, theirs[0], now=NOW, by=ann.id)
        alone = await people.find_by_email(session, "ann@nhs.net")
    assert alone is not None
    assert alone.id != ann.id


async def test_old_codes_and_tries_are_forgotten(database: Database) -> None:
    here, there = await _two(database)
    await _code(database, here)
    await _offer(database, there, "wrong")
    async with database.transaction() as session:
        assert await linking.forget_old(session, now=NOW + CODE_LASTS) == 0
        assert await linking.forget_old(session, now=NOW + CODE_LASTS * 1.01) == 1
        assert await linking.forget_old(session, now=NOW + WRONG_WITHIN * 1.01) == 1


def test_no_code_can_be_taken_for_something_about_a_patient() -> None:
    """Each start of three signs, with every digit or letter after it: labels stand there or nowhere."""
    for start in itertools.product(ALPHABET, repeat=3):
        for rest in ("34679", "99999", "C3467"):
            code = f"{''.join(start)}{rest}"
            assert screening.screen(f"link {code[:4]}-{code[4:]}") is None, code
            assert screening.screen(f"link {code}") is None, code
