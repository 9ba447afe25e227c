"""Joining two accounts by a code: what is said, what is kept of it, and whose rights it gives to whom."""

from __future__ import annotations

import asyncio
import logging
import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.dispatch import Answer
from handlers.views import Reply
from storage import audit, linking, outbox, people
from storage.database import Database
from storage.linking import CODE_LASTS, WRONG_CODES, WRONG_WITHIN
from storage.people import Group
from tests.conftest import FakeClock
from tests.dispatch.conftest import Hub, User, form, title, words
from tests.storage.hub import everything_kept, number_of

WRONG, TOO_MANY, APART = "That code does not work", "That was one code too many", "I did not join"


@pytest.fixture
def zoe(hub: Hub) -> User:
    """Ann on another chat, where nobody vouches for her address."""
    return hub.person("29:1", "Ann Lee", "ann.lee@example.org", channel="elsewhere", tenant="uhd")


async def _code(user: User) -> str:
    """The code that somebody is given."""
    answer = await user.types("link")
    assert title(answer) == "Join your accounts"
    found = re.search(r"type: link ([A-Z0-9]{4}-[A-Z0-9]{4})'", words(answer))
    assert found, words(answer)
    return found[1]


async def _confirms(user: User, code: str, ticket: str = "") -> Answer:
    asked = form(await user.types(f"link {code}"))
    return await user.sends(asked.action, {}, ticket, **dict(asked.args))


async def test_a_code_of_one_account_joins_it_with_the_other(hub: Hub, ann: User, zoe: User) -> None:
    await hub.organise(ann, Group.CORE_TEAM)
    await ann.shares()
    asked = form(await zoe.types(f"link {await _code(ann)}"))
    said = str(asked.blocks)
    assert "This joins your account here with Ann Lee, ann@uhd.nhs.uk, organisation not known, on Slack." in said
    assert "Only an administrator can part the accounts again" in said
    assert not (await zoe.is_known()).groups, "to ask changes nothing"
    done = await zoe.sends(asked.action, {}, **dict(asked.args))
    assert title(done) == "Your accounts are joined"
    assert (await zoe.is_known()).id == (await ann.is_known()).id
    assert (await zoe.is_known()).groups == {Group.CORE_TEAM}, "what the two had together, and no more"
    assert not (await ann.is_known()).administrator
    assert "IDEA-1" in words(await zoe.types("ideas"))


async def test_every_other_account_is_told(hub: Hub, ann: User, zoe: User) -> None:
    await _confirms(zoe, await _code(ann))
    person = await ann.is_known()
    async with hub.database.transaction() as session:
        theirs = {each.key.user: each.id for each in await people.accounts_of(session, person.id)}
        (told,) = await outbox.claim(session, lease="a", now=hub.clock(), seconds=60, limit=9)
    assert (told.notice.kind, told.notice.args) == ("linking.joined", {"account": str(theirs["ANN"])})


async def test_no_trace_of_a_code_is_kept_anywhere(hub: Hub, ann: User, zoe: User, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    given = await ann.types("link")
    assert given.unkept, "the page shows it and does not keep it"
    code = await _code(ann)
    assert (await zoe.types(f"LINK  {code.lower()}")).unkept
    assert (await zoe.does("event", text=f"link {code}", private=False)).unkept
    for spoken in (code, code.replace("-", " "), f"{code[:-1]}-"):
        assert isinstance((await zoe.sends("linking.join", {}, code=spoken, person=str((await zoe.is_known()).id))).outcome, Reply)
    kept = (await everything_kept(hub.database)).upper() + caplog.text.upper()
    assert code not in kept
    assert linking.tidy(code) not in kept


async def test_the_answer_is_private_in_a_channel_too(ann: User, zoe: User) -> None:
    for answer in (await ann.types("link", private=False), await zoe.types("link x", private=False)):
        assert isinstance(answer.outcome, Reply)
        assert answer.outcome.audience == "me"


async def test_a_second_press_says_that_it_is_done(ann: User, zoe: User) -> None:
    code = await _code(ann)
    asked = form(await zoe.types(f"link {code}"))
    answers = [await zoe.sends(asked.action, {}, "same", **dict(asked.args)) for _ in range(2)]
    assert [title(each) for each in answers] == ["Your accounts are joined"] * 2
    assert "They were joined before" in words(answers[1])
    assert "They were joined before" in words(await ann.types(f"link {code}"))


async def test_two_presses_at_once_join_once(hub: Hub, ann: User, zoe: User, database_url: str) -> None:
    asked = form(await zoe.types(f"link {await _code(ann)}"))
    other = Hub(Database(database_url), hub.clock, admins=())
    await zoe.at(other).types("me")
    presses = (each.sends(asked.action, {}, "same", **dict(asked.args)) for each in (zoe, zoe.at(other)))
    titles = [title(each) for each in await asyncio.gather(*presses)]
    assert titles.count("Your accounts are joined") >= 1
    assert set(titles) <= {"Your accounts are joined", "I could not do that"}
    async with hub.database.reading() as session:
        assert sum(entry.action == "accounts.linked" for entry in await audit.newest(session)) == 1
        assert await number_of(session, "people") == 1
    await other.database.close()


async def test_only_whoever_typed_it_can_confirm(hub: Hub, ann: User, zoe: User) -> None:
    asked = form(await zoe.types(f"link {await _code(ann)}"))
    bob = hub.person("28:7", "Bob Hay", channel="third", tenant="x")
    assert "Somebody else typed this code" in words(await bob.sends(asked.action, {}, **dict(asked.args)))
    assert (await bob.is_known()).id != (await ann.is_known()).id


@pytest.mark.parametrize("typed", ["CCCC-CCCC", "xyzzy", "7", "ABCD-EFGH please", "é" * 500, "%s%n", "' OR 1=1"])
async def test_whatever_is_no_code_is_answered_alike(ann: User, zoe: User, typed: str) -> None:
    await _code(ann)
    assert title(await zoe.types(f"link {typed}")) == WRONG


async def test_used_old_and_replaced_codes_are_answered_alike(hub: Hub, ann: User, zoe: User, clock: FakeClock) -> None:
    replaced, used = await _code(ann), await _code(ann)
    assert title(await zoe.types(f"link {replaced}")) == WRONG
    await _confirms(zoe, used)
    bob = hub.person("28:7", "Bob Hay", channel="third", tenant="x")
    old = await _code(ann)
    clock.now += CODE_LASTS
    said = {str((await bob.types(f"link {each}")).outcome) for each in (replaced, used, old, "CCCC-CCCC")}
    assert len(said) == 1
    assert WRONG in said.pop()


async def test_a_code_that_grows_old_under_the_form_joins_nothing(ann: User, zoe: User, clock: FakeClock) -> None:
    asked = form(await zoe.types(f"link {await _code(ann)}"))
    clock.now += CODE_LASTS
    assert title(await zoe.sends(asked.action, {}, **dict(asked.args))) == WRONG
    assert (await zoe.is_known()).id != (await ann.is_known()).id


async def test_ones_own_code_is_for_the_other_chat(ann: User) -> None:
    assert title(await ann.types(f"link {await _code(ann)}")) == "This is your own code"


async def test_guessing_ends_after_five_over_all_processes(hub: Hub, ann: User, zoe: User, clock: FakeClock) -> None:
    code, mine = await _code(ann), str((await zoe.is_known()).id)
    other = zoe.at(hub.also())
    for number in range(WRONG_CODES):
        guess = f"CCCC-CCC{number}"
        answer = await zoe.types(f"link {guess}") if number % 2 else await other.sends("linking.join", {}, code=guess, person=mine)
        assert title(answer) == WRONG
    for answer in (await zoe.types(f"link {code}"), await other.sends("linking.join", {}, code=code, person=mine)):
        assert title(answer) == TOO_MANY
        assert "Wait an hour" in words(answer)
    clock.now += WRONG_WITHIN + timedelta(seconds=1)
    assert title(await _confirms(zoe, await _code(ann))) == "Your accounts are joined"


async def test_no_code_gives_anybody_the_rights_of_an_administrator(hub: Hub, grace: User, ann: User, zoe: User) -> None:
    assert title(await grace.types("link")) == "I did not join your accounts"
    code = await _code(zoe)
    assert title(await grace.types(f"link {code}")) == "I did not join your accounts", "tricked into typing a stranger's code"
    late = await _code(ann)
    asked = form(await zoe.types(f"link {late}"))
    await hub.organise(ann, administrator=True)
    assert APART in title(await zoe.sends(asked.action, {}, **dict(asked.args))), "the right came after the form"
    assert not (await zoe.is_known()).administrator


async def test_colleagues_on_one_chat_are_two_people(ann: User, bob: User) -> None:
    assert title(await bob.types(f"link {await _code(ann)}")) == "I did not join these accounts"


async def test_an_administrator_parts_accounts_that_were_joined_by_a_trick(hub: Hub, grace: User, ann: User, zoe: User) -> None:
    await ann.shares()
    await hub.organise(ann, Group.CORE_TEAM)
    await _confirms(ann, await _code(zoe))
    joined = await ann.is_known()
    asked = form(await grace.presses("people.ask_change", person=str(joined.id)))
    (field,) = [each for each in asked.fields if each.name == "part"]
    (chosen,) = [each.value for each in getattr(field, "options", ()) if each.label.startswith("Elsewhere")]
    values = {**asked.values, "part": chosen}
    assert "is a person of its own now" in words(await grace.sends("people.change", values, person=str(joined.id)))
    assert (await ann.is_known()).id == joined.id
    alone = await zoe.is_known()
    assert (alone.id != joined.id, alone.groups) == (True, frozenset())
    assert "IDEA-1" not in words(await zoe.types("ideas"))
    async with hub.database.reading() as session:
        (entry,) = [entry for entry in await audit.newest(session) if entry.action == "accounts.parted"]
    assert (entry.by, entry.object) == ((await grace.is_known()).id, f"person:{joined.id}")


async def test_me_says_the_time_zone_and_who_said_it(hub: Hub, ann: User, zoe: User) -> None:
    assert "time zone" not in words(await ann.types("me"))
    told = hub.person("ANN", "Ann Lee", zone="Europe/Lisbon")
    assert "Europe/Lisbon (as Slack says)" in words(await told.types("me"))
    assert (await told.is_known()).zone == "Europe/Lisbon"


async def test_an_ordinary_interaction_writes_nothing_about_the_zone(hub: Hub) -> None:
    ann = hub.person("ANN", "Ann Lee", zone="Europe/Lisbon")
    await ann.types("me")
    written: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE")):
            written.append(statement)

    sa.event.listen(hub.database.engine.sync_engine, "before_cursor_execute", note)
    await ann.types("me")
    assert written == []
    await hub.person("ANN", "Ann Lee", zone="Europe/London").types("me")
    assert any("zone" in statement for statement in written), "what is new is written"
