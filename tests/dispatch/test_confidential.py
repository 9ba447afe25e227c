"""Of a confidential route nothing is kept but what its handler keeps; and drafts belong to what they are about."""

from __future__ import annotations

from dataclasses import replace

import pytest

from handlers.registry import ROUTES
from handlers.routing import Request, Router, Routes
from handlers.views import Form, Outcome, TextField, says
from storage import counts, people
from tests.dispatch.conftest import Hub, User, form, title
from tests.storage.hub import everything_kept, number_of

SECRET = TextField(name="answer", label="Answer", least=3, most=20)


async def _question(request: Request) -> Form:
    return Form(action="secret.answer", title="A question", fields=(SECRET,), args={"about": request.args.get("about", "")})


def _routes(*, confidential: bool) -> Routes:
    router = Router()

    @router.action("secret.ask", reads=True)
    async def ask(request: Request) -> Outcome:
        return await _question(request)

    @router.form("secret.answer", _question, confidential=confidential)
    async def answer(request: Request) -> Outcome:
        await counts.add_one(request.session, day=request.now.date(), what="answers")
        return says("Saved")

    return Routes((ROUTES, router))


async def test_a_confidential_answer_leaves_no_receipt_and_may_be_sent_again(hub: Hub, ann: User) -> None:
    ann = ann.at(hub.also(_routes(confidential=True)))
    for _ in range(2):
        answer = await ann.sends("secret.answer", {"answer": "whispered"}, "same ticket")
        assert title(answer) == "Saved"
        assert answer.unkept, "no page may keep what led to it or what it says"
    async with hub.database.reading() as session:
        assert await number_of(session, "receipts") == 0
        assert await counts.total(session, "answers") == 2


async def test_a_confidential_answer_that_is_refused_leaves_no_draft(hub: Hub, ann: User) -> None:
    ann = ann.at(hub.also(_routes(confidential=True)))
    refused = await ann.sends("secret.answer", {"answer": "q9"})
    assert form(refused).values == {"answer": "q9"}
    assert refused.unkept
    assert "q9" not in await everything_kept(hub.database)
    assert form(await ann.presses("secret.ask")).values == {}


@pytest.mark.parametrize("known", [False, True])
async def test_a_confidential_answer_does_not_say_from_where_it_came(hub: Hub, ann: User, known: bool) -> None:
    there = hub.also(_routes(confidential=True))
    second = hub.person("ANN2", "Ann", "ann@uhd.nhs.uk").at(there)
    if known:
        await second.is_known()
    first = await replace(ann, profile=second.profile).at(there).is_known()
    await second.sends("secret.answer", {"answer": "whispered"})
    async with hub.database.reading() as session:
        person = await people.find(session, first.id)
    assert person is not None
    assert person.last_account_id == first.account_id
    assert (await second.is_known()).last_account_id != first.account_id, "what is not confidential says so"


async def test_a_draft_is_offered_for_what_it_is_about_until_it_is_sent(hub: Hub, ann: User) -> None:
    ann = ann.at(hub.also(_routes(confidential=False)))
    await ann.sends("secret.answer", {"answer": "ab"}, about="1")
    offered = form(await ann.presses("secret.ask", about="1"))
    assert offered.values == {"answer": "ab"}
    assert "It was not sent" in str(offered.blocks)
    assert form(await ann.presses("secret.ask", about="2")).values == {}
    await ann.sends("secret.answer", {"answer": "abc"}, about="1")
    assert form(await ann.presses("secret.ask", about="1")).values == {}
