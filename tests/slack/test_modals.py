"""Modals that lie on each other: nothing typed is lost, nothing that is over comes back, and what cannot be shown is told."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest

from handlers.errors import Refused
from handlers.routing import Request, Router
from handlers.views import Button, Form, Outcome, TextField, says
from storage.database import Database
from tests.slack.conftest import serving
from tests.slackdouble.slackdouble import Modal, SlackDouble, User

ONE = Form(
    action="steps.one",
    title="Step 1",
    fields=(TextField(name="words", label="Words"),),
    buttons=(
        Button(label="Check", action="steps.check"),
        Button(label="Go on", action="steps.on"),
        Button(label="Finish", action="steps.finish"),
    ),
)
CHECK, ON, FINISH = "steps.check#0", "steps.on#1", "steps.finish#2"


def steps() -> tuple[Router, asyncio.Event]:
    """A form of three steps, whose first submission and whose buttons wait until they are let go."""
    router, go = Router(), asyncio.Event()

    async def build(_request: Request) -> Form:
        return ONE

    async def second(_request: Request) -> Form:
        return replace(ONE, action="steps.two", title="Step 2")

    @router.command("steps", "a form of three steps", reads=True)
    async def start(request: Request) -> Outcome:
        return await build(request)

    @router.form("steps.one", build)
    async def one(request: Request) -> Outcome:
        await go.wait()
        return await second(request)

    @router.form("steps.two", second)
    async def two(_request: Request) -> Outcome:
        return replace(ONE, title="Step 3")

    @router.action("steps.check", reads=True)
    async def check(_request: Request) -> Outcome:
        await go.wait()
        raise Refused("That is not checked on Sundays.")

    @router.action("steps.on", reads=True)
    async def on(request: Request) -> Outcome:
        await go.wait()
        return await second(request)

    @router.action("steps.finish", reads=True)
    async def finish(_request: Request) -> Outcome:
        await go.wait()
        return says("Finished", "That was all.")

    return router, go


async def first_step(ann: User) -> Modal:
    """The first step is open, with something typed."""
    await ann.command("/dih steps")
    form: Modal = (await ann.modal()).fill({"Words": "Mine"})
    return form


async def test_a_button_on_the_third_modal_that_is_turned_down_loses_nothing_typed(slack: SlackDouble, hub: Database, ann: User) -> None:
    router, go = steps()
    go.set()
    async with serving(slack, hub, router):
        form = await first_step(ann)
        form.view.update(previous_view_id="V2", root_view_id="V1")
        await ann.click(form, CHECK)
        await ann.dm("not checked on Sundays")
    assert form.view["title"]["text"] == "Step 1"
    slack.assert_clean()


async def test_a_button_on_a_modal_that_is_turned_down_too_late_loses_nothing_typed(slack: SlackDouble, hub: Database, ann: User) -> None:
    router, go = steps()
    go.set()
    async with serving(slack, hub, router):
        form = await first_step(ann)
        slack.trigger_ttl = -1
        await ann.click(form, CHECK)
        await ann.dm("not checked on Sundays")
    assert form.view["title"]["text"] == "Step 1"


@pytest.mark.parametrize(("button", "told"), [(FINISH, "That was all"), (ON, "The form was closed")])
async def test_the_answer_to_a_button_on_a_modal_that_was_closed_meanwhile_is_told(
    slack: SlackDouble, hub: Database, ann: User, button: str, told: str
) -> None:
    router, go = steps()
    async with serving(slack, hub, router):
        form = await first_step(ann)
        await ann.click(form, button)
        await form.close()
        go.set()
        await ann.dm(told)


async def test_a_step_that_is_over_does_not_come_back_when_a_later_one_is_closed(slack: SlackDouble, hub: Database, ann: User) -> None:
    """The first step lies beneath "Saving", in whose place the next ones come."""
    router, go = steps()
    async with serving(slack, hub, router):
        form = await first_step(ann)
        await form.submit()
        go.set()
        later = await ann.modal(title="Step 2")
        assert form.open
        await later.fill({"Words": "More"}).submit()
        assert later.view["title"]["text"] == "Step 3"
        await ann.click(later, ON)
        await ann.modal(title="Step 2")
        await ann.click(later, FINISH)
        await slack.until(lambda: "That was all" in json.dumps(later.view), 3, "the end")
        await later.close()
    assert not form.open
    slack.assert_clean()
