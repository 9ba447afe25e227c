"""Who is who: accounts become people, and two accounts one person, by vouched e-mail only."""

from __future__ import annotations

import asyncio

import pytest
import sqlalchemy as sa

from storage import accounts, audit, drafts, history, ideas, outbox, people, receipts, rights, signin
from storage.database import Database
from storage.drafts import DraftKey
from storage.history import Speaker
from storage.ideas import Visibility
from storage.outbox import Notice
from storage.people import Group, OrganisationBy
from storage.receipts import ReceiptKey
from storage.rights import Rights
from tests.storage.hub import NOW, meet, number_of, seen

ANN = "ann.lee@uhd.nhs.uk"


async def test_the_same_user_id_in_two_tenants_is_two_people(database: Database) -> None:
    here = await meet(database, "U1", tenant="T1")
    there = await meet(database, "U1", tenant="T2")
    again = await meet(database, "U1", tenant="T1")
    assert here.id != there.id
    assert again.id == here.id


async def test_a_vouched_email_makes_two_accounts_one_person(database: Database) -> None:
    slack = await meet(database, "U1", email=ANN)
    teams = await meet(database, "29:1", channel="teams", tenant="uhd", email=ANN.upper())
    assert teams.id == slack.id
    assert teams.email == ANN
    async with database.reading() as session:
        theirs = await people.accounts_of(session, slack.id)
    assert [each.key.channel for each in theirs] == ["slack", "teams"]


@pytest.mark.parametrize("first", [True, False])
async def test_an_email_that_nobody_vouches_for_joins_nobody(database: Database, first: bool) -> None:
    one = await meet(database, "U1", email=ANN, vouched=first)
    other = await meet(database, "U2", tenant="T2", email=ANN, vouched=not first)
    assert one.id != other.id
    assert sorted([one.email or "", other.email or ""]) == ["", ANN]


async def test_an_account_that_is_vouched_for_later_joins_the_person_who_is_there(database: Database) -> None:
    ann = await meet(database, "U1", email=ANN)
    stranger = await meet(database, "29:1", channel="teams", tenant="uhd", email=ANN, vouched=False)
    assert stranger.id != ann.id
    joined = await meet(database, "29:1", channel="teams", tenant="uhd", email=ANN)
    assert joined.id == ann.id
    async with database.reading() as session:
        assert await people.find(session, stranger.id) is None
        assert [entry.action for entry in await audit.newest(session)] == ["people.merge"]


async def test_ten_first_meetings_at_once_make_one_person(database_url: str) -> None:
    """Ten processes meet the same account, and three other accounts of the same person, at the same moment."""
    servers = [Database(database_url) for _ in range(3)]

    async def first_meeting(number: int) -> int:
        for _ in range(4):
            try:
                return (await meet(servers[number % 3], f"U{number % 4}", email=ANN)).id
            except accounts.Clash:
                continue
        raise AssertionError("met too often")

    met = await asyncio.gather(*(first_meeting(number) for number in range(12)))
    assert len(set(met)) == 1
    async with servers[0].reading() as session:
        assert await number_of(session, "people") == 1
        assert await number_of(session, "accounts") == 4
    for server in servers:
        await server.close()


async def test_somebody_without_a_name_is_renamed_when_their_profile_is_known(database: Database) -> None:
    await meet(database, "U1", name="A colleague")
    assert (await meet(database, "U1", name="Ann Lee", email=ANN)).name == "Ann Lee"
    assert (await meet(database, "U1", name="Ann Smith", email=ANN)).name == "Ann Smith"
    assert (await meet(database, "U2", name="Annie", email=ANN)).name == "Ann Smith", "another account does not rename"


async def test_somebody_invited_by_email_gets_the_name_their_account_gives(database: Database) -> None:
    async with database.transaction() as session:
        id = await accounts.add_person(session, name=ANN, email=ANN, now=NOW)
    ann = await meet(database, "U1", email=ANN)
    assert (ann.id, ann.name) == (id, "Ann Lee")


# -- organisations


async def _partner(database: Database, name: str, *domains: str) -> int:
    async with database.transaction() as session:
        return await people.add_organisation(session, name=name, domains=domains)


async def test_the_domain_of_one_partner_tells_the_organisation(database: Database) -> None:
    uhd = await _partner(database, "University Hospitals Dorset", "UHD.nhs.uk")
    ann = await meet(database, "U1", email="Ann.Lee@uhd.NHS.uk")
    assert ann.organisation is not None
    assert ann.organisation.id == uhd
    assert ann.organisation_by is OrganisationBy.DOMAIN


async def test_a_domain_that_partners_share_decides_nothing(database: Database) -> None:
    await _partner(database, "NHS Dorset", "nhs.net")
    await _partner(database, "Dorset HealthCare", "nhs.net")
    assert (await meet(database, "U1", email="ann@nhs.net")).organisation is None


async def test_a_claimed_email_gives_no_organisation(database: Database) -> None:
    await _partner(database, "University Hospitals Dorset", "uhd.nhs.uk")
    assert (await meet(database, "U1", email=ANN, vouched=False)).organisation is None


async def test_a_partner_that_is_set_up_later_still_finds_its_people(database: Database) -> None:
    assert (await meet(database, "U1", email=ANN)).organisation is None
    await _partner(database, "University Hospitals Dorset", "uhd.nhs.uk")
    ann = await meet(database, "U1", email=ANN)
    assert ann.organisation is not None


async def test_what_an_administrator_said_of_an_organisation_stands(database: Database) -> None:
    await _partner(database, "University Hospitals Dorset", "uhd.nhs.uk")
    ann = await meet(database, "U1", email=ANN)
    async with database.transaction() as session:
        await rights.change(session, ann, Rights(organisation_id=None, groups=frozenset(), administrator=False))
    assert (await meet(database, "U1", email=ANN)).organisation is None


# -- administrators


async def test_only_a_vouched_email_makes_a_named_administrator(database: Database) -> None:
    claimed = await meet(database, "U1", email=ANN, vouched=False, admins=(ANN,))
    assert not claimed.administrator
    named = await meet(database, "U2", email=ANN, admins=(ANN,))
    assert named.administrator
    other = await meet(database, "U3", email="bob@uhd.nhs.uk", admins=(ANN,))
    assert not other.administrator
    async with database.reading() as session:
        (entry,) = await audit.newest(session)
    assert (entry.action, entry.detail) == ("people.administrator", {"by": "DIH_ADMINS"})


async def test_an_administrator_who_is_named_after_they_came_gets_the_flag(database: Database) -> None:
    assert not (await meet(database, "U1", email=ANN)).administrator
    assert (await meet(database, "U1", email=ANN, admins=(ANN,))).administrator


# -- two become one


async def _life(database: Database, person_id: int, *, ticket: str, groups: frozenset[Group]) -> None:
    """Everything that can hang on a person."""
    async with database.transaction() as session:
        await ideas.add(
            session, title="t", need="n", proposal="", organisation_id=None, visibility=Visibility.HUB, author_id=person_id, now=NOW
        )
        await history.add(session, person_id=person_id, speaker=Speaker.PERSON, content={"text": "x"}, ticket="h", now=NOW)
        for name in ("same", ticket):
            key = ReceiptKey.of(person_id, "ideas.submit", name, {"idea": "1"})
            await receipts.claim(session, key, now=NOW)
            await drafts.keep(session, DraftKey(person_id=person_id, action=name), {"title": f"by {person_id}"}, now=NOW)
        await outbox.enqueue(session, Notice(key=ticket, kind="ideas.thanks", person_id=person_id), due_at=NOW)
        await audit.add(session, now=NOW, action="test", object=ticket, by=person_id)
        await signin.add_link(session, person_id, now=NOW)
        await signin.start(session, person_id, now=NOW)
        person = await people.find(session, person_id)
        assert person is not None
        await rights.change(session, person, Rights(organisation_id=None, groups=groups, administrator=ticket == "yours"))


async def test_everything_of_two_accounts_becomes_one_persons(database: Database) -> None:
    keep, gone = await meet(database, "U1", email=ANN), await meet(database, "U2")
    await _life(database, keep.id, ticket="mine", groups=frozenset({Group.CORE_TEAM}))
    await _life(database, gone.id, ticket="yours", groups=frozenset(Group))
    joined = await meet(database, "U2", email=ANN)
    assert joined.id == keep.id
    assert joined.groups == {Group.CORE_TEAM, Group.PROGRAMME_GROUP}
    assert joined.administrator, "rights come along"
    async with database.reading() as session:
        assert await people.find(session, gone.id) is None
        assert await ideas.count_by_author(session, keep.id) == 2
        assert len(await history.newest(session, keep.id, limit=9)) == 2
        held = {name: await drafts.find(session, DraftKey(person_id=keep.id, action=name)) for name in ("same", "mine", "yours")}
        assert held == {"same": {"title": "by 1"}, "mine": {"title": "by 1"}, "yours": {"title": "by 2"}}
        wanted = {"receipts": 3, "outbox": 2, "links": 2, "sessions": 2, "accounts": 2, "people": 1, "memberships": 2}
        assert {table: await number_of(session, table) for table in wanted} == wanted
        owners = {row.person_id for row in await session.execute(sa.text("SELECT person_id FROM outbox UNION SELECT person_id FROM audit"))}
    assert owners == {keep.id}


async def test_merging_keeps_what_only_the_other_knew(database: Database) -> None:
    uhd = await _partner(database, "University Hospitals Dorset", "uhd.nhs.uk")
    nobody, ann = await meet(database, "U1"), await meet(database, "U2", email=ANN)
    async with database.transaction() as session:
        await accounts.merge(session, keep=nobody.id, gone=ann.id, now=NOW)
        kept = await people.find(session, nobody.id)
    assert kept is not None
    assert kept.email == ANN
    assert kept.organisation is not None
    assert kept.organisation.id == uhd


# -- rights


async def test_two_who_give_the_same_group_at_once_both_succeed(database_url: str) -> None:
    servers = (Database(database_url), Database(database_url))
    ann = await meet(servers[0], "U1")
    wanted = Rights(organisation_id=None, groups=frozenset({Group.CORE_TEAM}), administrator=False)

    async def give(database: Database) -> None:
        async with database.transaction() as session:
            await rights.change(session, ann, wanted)

    await asyncio.gather(*map(give, servers))
    async with servers[0].reading() as session:
        assert [person.id for person in await people.members(session, Group.CORE_TEAM)] == [ann.id]
    for server in servers:
        await server.close()


# -- signing in


async def test_a_link_signs_in_once_even_when_ten_press_at_once(database: Database) -> None:
    ann = await meet(database, "U1")
    async with database.transaction() as session:
        token = await signin.add_link(session, ann.id, now=NOW)

    async def press() -> int | None:
        async with database.transaction() as session:
            return await signin.spend(session, token, now=NOW)

    spent = await asyncio.gather(*(press() for _ in range(10)))
    assert sorted(spent, key=str) == [ann.id] + [None] * 9


async def test_links_and_sessions_end(database: Database) -> None:
    ann = await meet(database, "U1")
    async with database.transaction() as session:
        link = await signin.add_link(session, ann.id, now=NOW)
        token = await signin.start(session, ann.id, now=NOW)
        assert await signin.is_usable(session, link, now=NOW)
        assert not await signin.is_usable(session, link, now=NOW + signin.LINK_LASTS)
        assert not await signin.is_usable(session, "\x00 \ud800 ' or 1=1", now=NOW)
        assert await signin.whose(session, token, now=NOW) == (ann.id, False)
        assert await signin.whose(session, token, now=NOW + 2 * signin.NOTED_EVERY) == (ann.id, True)
        assert await signin.whose(session, token, now=NOW + 2 * signin.SESSION_IDLES) is None
        later = NOW + signin.SESSION_LASTS
        await signin.note_use(session, token, now=later)
        assert await signin.whose(session, token, now=later + signin.NOTED_EVERY) is None, "30 days are the end of any session"
        assert await signin.forget_old(session, now=later + signin.NOTED_EVERY) == 2
        assert await signin.whose(session, token, now=NOW) is None


async def test_the_tables_hold_no_token(database: Database) -> None:
    ann = await meet(database, "U1")
    async with database.transaction() as session:
        tokens = [await signin.add_link(session, ann.id, now=NOW), await signin.start(session, ann.id, now=NOW)]
        kept = [str(row) for table in ("links", "sessions") for row in await session.execute(sa.text(f"SELECT * FROM {table}"))]
    assert len(kept) == 2
    assert not any(token in row for token in tokens for row in kept)


def test_what_an_account_says_is_told_apart_by_its_key() -> None:
    assert seen("U1", tenant="T1").key != seen("U1", tenant="T2").key
