"""What is far too long: it is cut or sent back, nothing else is lost, and others are served meanwhile."""

from __future__ import annotations

import pytest

from bot.dispatch import PATIENT_DATA
from handlers.views import Form, Values
from tests.dispatch.conftest import IDEA, Hub, User, form, title, words
from tests.hostile import BODY, long
from tests.storage.hub import everything_kept

ESSAY = "Better letters. " * 10_000
MUCH = ESSAY[:20_000]
CUT = "I kept the first 20,000 of 159,999 characters."


async def test_a_value_that_is_far_too_long_comes_back_cut_and_says_so(ann: User) -> None:
    again = form(await ann.shares(need=ESSAY, title="Hm"))
    assert again.errors == {
        "title": "Use 5 characters or more.",
        "need": f"Use 2,000 characters or fewer. You used 159,999. {CUT}",
    }
    assert again.values == {"where": "", **IDEA, "title": "Hm", "need": MUCH}
    later = form(await ann.types("idea"))
    assert (later.values["title"], later.values["need"]) == ("Hm", MUCH), "the draft is what came back"


async def test_it_is_cut_too_where_it_may_name_a_patient(hub: Hub, ann: User) -> None:
    again = form(await ann.shares(need=f"999 000 0018 {ESSAY}", title="dob 1/2/1950"))
    assert again.errors == {"title": PATIENT_DATA, "need": f"{PATIENT_DATA} I kept the first 20,000 of 160,012 characters."}
    assert again.values["need"] == f"999 000 0018 {ESSAY}"[:20_000]
    assert "Better letters" not in await everything_kept(hub.database)


async def test_what_no_list_offers_is_not_kept_when_it_is_long(grace: User) -> None:
    person = await grace.is_known()
    values: Values = {"organisation": "x" * 30_000, "groups": ("x" * 15_000, "y" * 15_000)}
    again = form(await grace.sends("people.change", values, person=str(person.id)))
    assert again.errors["groups"] == "Choose from the list."
    assert again.values["groups"] == ()
    assert len(again.values["organisation"]) == 20_000


async def test_a_command_that_is_far_too_long_is_refused_and_kept_nowhere(hub: Hub, ann: User) -> None:
    assert isinstance((await ann.types("idea " + "x" * 19_995)).outcome, Form)
    answer = await ann.types("idea " + "x" * 19_996)
    assert title(answer) == "That is too long"
    assert "Use 20,000 characters or fewer. You used 20,001. Nothing was changed." in words(answer)
    assert (answer.unkept, answer.done) == (True, False)
    assert "xxxxx" not in await everything_kept(hub.database)


@pytest.mark.parametrize("seed", ["1 ", "999,", "call 9990000018 ", "é", "\u00ad", "9\ufe0f\u20e3", "ordinary words, "])
async def test_the_longest_form_does_not_hold_others_up(ann: User, seed: str) -> None:
    """A step of the loop that takes over 100 ms fails the test."""
    again = form(await ann.shares(need=long(seed)))
    assert list(again.errors) == ["need"]


async def test_many_long_values_do_not_hold_others_up(ann: User) -> None:
    fields = {f"field{number}": ("4 5 " * 5000)[: BODY // 15] for number in range(14)}
    assert list(form(await ann.sends("ideas.submit", {**IDEA, **fields})).errors) == [""]
