"""The story of an idea, told without a channel."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace

import pytest
import sqlalchemy as sa

from handlers import forms
from handlers.ideas import router as topic
from handlers.ideas import share
from handlers.routing import Request, Router, Routes
from handlers.views import Form, Outcome, Text, says
from storage import audit, drafts, ideas
from storage.database import Database, UncertainCommit
from storage.drafts import DraftKey
from tests.conftest import FakeClock
from tests.dispatch.conftest import Hub, User, form, title, words
from tests.storage.hub import everything_kept, number_of


async def _count(hub: Hub, *tables: str) -> dict[str, int]:
    async with hub.database.reading() as session:
        return {table: await number_of(session, table) for table in tables}


async def test_an_idea_is_shared_seen_listed_and_withdrawn(hub: Hub, ann: User) -> None:
    asked = form(await ann.types("idea  Sensors that notice a fall"))
    assert (asked.action, asked.values["title"], asked.values["visibility"]) == ("ideas.submit", "Sensors that notice a fall", "hub")
    assert "where" not in {field.name for field in asked.fields}, "there is no partner to choose yet"
    answer = await ann.shares()
    assert title(answer) == "IDEA-1 is with the Core Team"
    assert hub.woken == 2, "the typed command and the form"
    assert "People who have fallen" in words(await ann.types("idea IDEA-1"))
    assert "IDEA-1: Sensors that notice a fall" in words(await ann.types("ideas"))
    assert form(await ann.presses("ideas.ask_withdraw", idea="1")).args == {"idea": "1"}
    assert title(await ann.sends("ideas.withdraw", {}, idea="1")) == "IDEA-1 is withdrawn"
    assert "was already withdrawn" in words(await ann.sends("ideas.withdraw", {}, idea="1"))
    assert "Withdrawn by its author" in words(await ann.presses("ideas.open", idea="1"))
    async with hub.database.reading() as session:
        rows = (await session.execute(sa.text("SELECT kind FROM outbox ORDER BY kind"))).scalars().all()
        idea = await ideas.find(session, 1)
    assert rows == ["ideas.received", "ideas.thanks"], "the message that still waits will say that the idea is withdrawn"
    assert idea is not None
    assert (idea.author, idea.state.value) == ("Ann Lee", "withdrawn")


async def test_a_second_click_stores_one_idea(hub: Hub, ann: User) -> None:
    await ann.shares("T")
    assert title(await ann.shares("T", title="Changed in the meantime")) == "Already sent: IDEA-1"
    assert await _count(hub, "ideas", "outbox") == {"ideas": 1, "outbox": 2}


async def test_ten_clicks_at_once_store_one_idea_also_over_two_processes(hub: Hub, ann: User, database_url: str) -> None:
    other = Hub(Database(database_url), hub.clock)
    sent = await asyncio.gather(*(ann.at((hub, other)[number % 2]).shares("T") for number in range(10)))
    assert Counter(map(title, sent)) == {"IDEA-1 is with the Core Team": 1, "Already sent: IDEA-1": 9}
    assert await _count(hub, "ideas", "outbox", "people") == {"ideas": 1, "outbox": 2, "people": 1}
    await other.database.close()


async def test_200_people_at_once_share_200_ideas(hub: Hub) -> None:
    crowd = [hub.person(f"U{number}", f"Person {number}") for number in range(200)]
    answers = await asyncio.gather(*(each.shares(title=f"Idea of {each.user}") for each in crowd))
    assert {title(answer).partition(" ")[2] for answer in answers} == {"is with the Core Team"}
    async with hub.database.reading() as session:
        thanks = await session.scalar(sa.text("SELECT count(DISTINCT person_id) FROM outbox WHERE kind = 'ideas.thanks'"))
    assert thanks == 200
    assert await _count(hub, "ideas", "people", "outbox") == {"ideas": 200, "people": 200, "outbox": 400}


async def test_a_refused_form_leaves_a_draft_and_no_receipt(hub: Hub, ann: User) -> None:
    refused = await ann.shares("T", title="Fall")
    again = form(refused)
    assert refused.ticket == "T", "the same form again carries the same ticket"
    assert again.errors == {"title": "Use 5 characters or more."}
    assert again.values["need"] == "People who have fallen", "nothing that was typed is lost"
    assert await _count(hub, "ideas", "receipts", "outbox", "drafts") == {"ideas": 0, "receipts": 0, "outbox": 0, "drafts": 1}
    assert title(await ann.shares("T")) == "IDEA-1 is with the Core Team"


async def test_a_draft_is_offered_until_the_form_was_sent(hub: Hub, clock: FakeClock, ann: User, bob: User) -> None:
    await ann.shares(title="Fall", proposal="A sensor")
    clock.forward(minutes=5)
    offered = form(await ann.types("idea"))
    assert (offered.values["title"], offered.values["proposal"]) == ("Fall", "A sensor")
    assert isinstance(offered.blocks[0], Text)
    assert "was not sent" in offered.blocks[0].text
    assert form(await ann.types("idea Something else")).values["title"] == "Something else"
    assert not form(await bob.types("idea")).values.get("title"), "it is Ann's own"
    await ann.shares()
    assert not form(await ann.types("idea")).values.get("title")


async def test_a_form_of_another_day_is_checked_against_todays_choices(hub: Hub, ann: User) -> None:
    again = form(await ann.shares(where="999", visibility="everyone"))
    assert again.errors == {"visibility": "Choose one from the list."}
    assert await _count(hub, "ideas") == {"ideas": 0}


async def test_an_idea_for_the_core_team_is_hidden_from_others(hub: Hub, ann: User, bob: User) -> None:
    await ann.shares(visibility="core_team")
    hidden, missing = words(await bob.types("idea 1")), words(await bob.types("idea 2"))
    assert hidden.replace("IDEA-1", "IDEA-2") == missing, "it is not told whether it exists"
    assert "Sensors" not in words(await bob.presses("ideas.open", idea="1"))
    assert "Sensors" in words(await ann.types("idea 1"))


async def test_another_persons_button_is_refused_and_audited(hub: Hub, ann: User, bob: User) -> None:
    await ann.shares()
    for answer in (
        await bob.presses("ideas.ask_withdraw", idea="1"),
        await bob.sends("ideas.withdraw", {}, idea="1"),
        await bob.sends("ideas.withdraw", {}, idea="2"),
    ):
        assert "This is for the idea’s author. Nothing was changed." in words(answer)
    person = await bob.is_known()
    async with hub.database.reading() as session:
        entries = await audit.newest(session)
        idea = await ideas.find(session, 1)
    assert [(entry.by, entry.action, entry.object) for entry in entries] == [
        (person.id, "refused", "route:ideas.withdraw"),
        (person.id, "refused", "route:ideas.withdraw"),
        (person.id, "refused", "route:ideas.ask_withdraw"),
    ]
    assert entries[1].detail == {"needs": "the idea’s author", "idea": "1"}
    assert idea is not None
    assert idea.state is ideas.IdeaState.SUBMITTED


async def test_the_audit_of_a_refusal_keeps_no_words(hub: Hub, ann: User) -> None:
    await ann.presses("people.page", offset="0", find="My neighbour Mrs Brown", person="9" * 4000)
    kept = await everything_kept(hub.database)
    assert "Brown" not in kept
    assert "99999" not in kept
    assert "'offset': '0'" in kept


# -- what fails


class Bug(Exception):
    """Something we did not think of."""


def _routes(run_first: Exception) -> tuple[Routes, list[str]]:
    """All ideas routes, whose form raises the first time after it has stored everything."""
    router, tried = Router(), []

    async def submit(request: Request) -> Outcome:
        outcome = await share.submit(request)
        tried.append(request.one("title"))
        if len(tried) == 1:
            raise run_first
        return outcome

    for name, route in topic.forms.items():
        router.form(name, route.build, may=route.may)(submit if name == "ideas.submit" else route.run)
    return Routes((router,)), tried


@pytest.mark.may_block("the traceback of an error is written, which reads its source")
async def test_what_failed_before_its_commit_succeeds_when_it_is_sent_again(hub: Hub, ann: User) -> None:
    routes, tried = _routes(Bug("x"))
    ann = ann.at(hub.also(routes))
    failed = words(await ann.shares("T"))
    assert "Something went wrong on our side. Nothing was changed. Reference " in failed
    assert await _count(hub, "ideas", "receipts", "outbox") == {"ideas": 0, "receipts": 0, "outbox": 0}
    answer = await ann.shares("T")
    assert title(answer).endswith("is with the Core Team")
    assert len(tried) == 2
    assert await _count(hub, "ideas", "receipts", "outbox") == {"ideas": 1, "receipts": 1, "outbox": 2}


@pytest.mark.may_block("the traceback of an error is written, which reads its source")
async def test_nothing_was_changed_is_not_said_when_it_is_not_known(hub: Hub, ann: User) -> None:
    routes, _ = _routes(UncertainCommit())
    failed = words(await ann.at(hub.also(routes)).shares())
    assert "Something went wrong on our side. Reference " in failed
    assert "Nothing was changed" not in failed


async def test_a_repeated_event_is_answered_by_silence(hub: Hub, ann: User) -> None:
    first = await ann.does("event", text="web", ticket="Ev1")
    assert "one-time" in words(first) or "Open it where" in words(first)
    again = await ann.does("event", text="web", ticket="Ev1")
    assert type(again.outcome).__name__ == "Quiet"
    assert await _count(hub, "links") == {"links": 1}


async def test_a_file_is_made_once_for_whoever_asked(hub: Hub, ann: User, clock: FakeClock) -> None:
    router = Router()

    @router.file("test.list")
    async def make(request: Request) -> Outcome:
        return says(f"For {request.person.name}", request.args["list"])

    other = hub.also(Routes((router,)))
    url = words(await ann.at(other).presses("test.list", list="7")).partition("https://dih.example.org/files/")[2].partition("'")[0]
    fetched = other.links.open(url, clock())
    assert fetched is not None
    assert title(await other.dispatcher.answer(fetched)) == "For Ann Lee"
    assert title(await other.dispatcher.answer(fetched)) == "Already sent"
    clock.forward(minutes=11)
    assert other.links.open(url, clock()) is None
    assert other.links.open("garbage \ud800", clock()) is None
    assert hub.links.open(url, clock()) is None


async def test_the_account_a_person_used_last_is_noted(hub: Hub, ann: User) -> None:
    second = hub.person("ANN2", "Ann", "ann@uhd.nhs.uk")
    ann.profile = second.profile
    await ann.types("ideas")
    first = (await ann.is_known()).last_account_id
    await second.types("ideas")
    person = await second.is_known()
    assert person.last_account_id == person.account_id
    assert person.last_account_id != first


async def test_the_account_is_noted_before_the_answer_and_only_when_it_changed(hub: Hub, ann: User) -> None:
    router, seen, statements = Router(), list[tuple[int | None, int | None]](), list[str]()

    @router.command("where", "say where I am", reads=True)
    async def where(request: Request) -> Outcome:
        seen.append((request.person.account_id, request.person.last_account_id))
        return says("There", "You are there.")

    other = hub.also(Routes((router,)))
    second = replace(hub.person("ANN2", "Ann", "ann@uhd.nhs.uk"), hub=other)
    first = replace(ann, hub=other, profile=second.profile)
    for user in (first, second, first, second):
        assert title(await user.types("where")) == "There"
    assert [account for account, _ in seen] == [last for _, last in seen]
    assert len(set(seen)) == 2
    sa.event.listen(other.database.engine.sync_engine, "before_cursor_execute", lambda *told: statements.append(told[2]))
    await second.types("where")
    assert len([each for each in statements if each.startswith(("SELECT", "UPDATE"))]) == 1, "whoever stays where they are is only read"


async def test_somebody_whose_row_is_gone_is_met_again(hub: Hub, ann: User, database_url: str) -> None:
    await ann.is_known()
    async with hub.database.transaction() as session:
        for table in ("accounts", "people"):
            await session.execute(sa.text(f"DELETE FROM {table}"))
    assert title(await ann.shares()) == "IDEA-1 is with the Core Team"


async def test_a_guest_is_vouched_for_by_nobody(hub: Hub, ann: User) -> None:
    ann_id = (await ann.is_known()).id
    guest = await hub.person("G1", "Ann Lee", "ann@uhd.nhs.uk", guest=True).is_known()
    stranger = await hub.person("S1", "Ann Lee", "ann@uhd.nhs.uk", tenant="T2").is_known()
    assert len({ann_id, guest.id, stranger.id}) == 3
    assert guest.email is stranger.email is None


async def test_a_guest_who_claims_an_administrators_email_gets_no_flag(hub: Hub) -> None:
    assert not (await hub.person("G1", "Grace", "grace@uhd.nhs.uk", guest=True).is_known()).administrator
    assert not (await hub.person("S1", "Grace", "grace@uhd.nhs.uk", tenant="T2").is_known()).administrator
    assert (await hub.person("U1", "Grace", " Grace@UHD.nhs.uk\x00").is_known()).administrator


async def test_somebody_whose_profile_could_not_be_read_still_gets_an_answer_and_their_name_later(hub: Hub) -> None:
    ann = User(hub, "ANN", None)
    await ann.shares()
    assert (await ann.is_known()).name == "A colleague"
    assert (await hub.person("ANN", "Ann Lee").is_known()).name == "Ann Lee"
    assert (await ann.is_known()).name == "Ann Lee", "a profile that is missing again changes nothing"


@pytest.mark.parametrize(
    "text",
    [
        "   ", "x" * 10_000, "مرحبا بالعالم, فكرة جديدة", "a\u200b\u200bb\u200bc\u200bd\u200be", "\u202egnp.exe\u202c reversed",
        "<!channel> <@U1> <https://evil.example|click> &lt;!here&gt;", "<script>alert(1)</script><b>bold</b>", "[x](http://e) **b** `c`",
        "{{DATE(2027-01-01)}}", "=cmd|' /C calc'!A0", "👩🏽‍⚕️ nurse", "\x00\x01\x02 text", "\ud800 text", "line\r\nline\rline",
        "'; DROP TABLE ideas; --",
        "\u3164\u3164\u3164\u3164\u3164\u3164", "ﷺ" * 2000, "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f" * 9,
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["title", "need", "proposal"])
async def test_every_field_takes_or_politely_refuses_any_text(hub: Hub, ann: User, name: str, text: str) -> None:
    answer = await ann.shares(**{name: text})
    tidy = forms.tidy(text)
    if isinstance(answer.outcome, Form):
        (wrong,) = answer.outcome.errors.items()
        assert wrong[0] == name
        assert answer.outcome.values[name] == tidy, "it is shown as it was typed"
        assert await _count(hub, "ideas") == {"ideas": 0}
        return
    assert title(answer) == "IDEA-1 is with the Core Team"
    async with hub.database.reading() as session:
        idea = await ideas.find(session, 1)
    kept = getattr(idea, name)
    assert kept == (" ".join(tidy.split()) if name == "title" else tidy), "text is kept as it is; each channel makes it harmless"
    assert "\x00" not in kept


@pytest.mark.parametrize("name", ["title", "need"])
async def test_an_empty_field_that_is_needed_says_so(hub: Hub, ann: User, name: str) -> None:
    assert form(await ann.shares(**{name: ""})).errors == {name: f"Fill in “{getattr(share, name.upper()).label}”."}


async def test_a_draft_of_garbage_is_offered_without_harm(hub: Hub, ann: User) -> None:
    await ann.sends("ideas.submit", {"title": "\ud800\x00", "visibility": ("a", "b"), "no such field": "x", "need": ("long", "words")})
    assert "no such field" not in form(await ann.types("idea")).values
    async with hub.database.reading() as session:
        draft = await drafts.find(session, DraftKey(person_id=1, action="ideas.submit"))
    assert draft is not None
    assert "no such field" not in draft
