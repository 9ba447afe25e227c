"""Two people turn out to be one in the middle of a round."""

from __future__ import annotations

import asyncio
import re

import pytest
import sqlalchemy as sa

from handlers.views import Form
from storage import accounts, people
from storage.database import Database
from storage.people import Group
from storage.pulse import participation, results
from storage.pulse.participation import Participation
from storage.pulse.sealing import Said
from tests.conftest import SECRET_KEY, FakeClock
from tests.dispatch.conftest import User, form, title, words
from tests.pulse.circle import KEYS, Circle, said_by, says
from tests.storage.hub import number_of


@pytest.fixture
async def circle(database: Database, clock: FakeClock) -> Circle:
    """Six who are asked, and Kay."""
    return await Circle.of(database, clock, members=6)


async def _merge(circle: Circle, keep: User, gone: User) -> tuple[int, int]:
    kept, lost = (await keep.is_known()).id, (await gone.is_known()).id
    async with circle.hub.database.transaction() as session:
        await accounts.merge(session, keep=kept, gone=lost, now=circle.hub.clock())
    return kept, lost


async def test_answers_come_along_and_ones_own_stand(circle: Circle) -> None:
    round_id = await circle.opens()
    ann, twin = circle.members[:2]
    await says(ann, round_id, KEYS[0], 3, "Mine")
    await says(ann, round_id, KEYS[1], None)
    for place, level in enumerate((5, 4, 2)):
        await says(twin, round_id, KEYS[place], level, "The twin’s")
    for other in circle.members[2:]:
        await says(other, round_id, KEYS[0], 2)
    await _merge(circle, ann, twin)
    assert await said_by(circle, ann) == {
        KEYS[0]: Said(item=KEYS[0], level=3, comment="Mine"),
        KEYS[1]: Said(item=KEYS[1], level=4, comment="The twin’s"),
        KEYS[2]: Said(item=KEYS[2], level=2, comment="The twin’s"),
    }
    assert await said_by(circle, twin) == await said_by(circle, ann), "they are the same now"
    async with circle.hub.database.reading() as session:
        assert await number_of(session, "pulse_open") == 3 + 4
    await circle.closes()
    async with circle.hub.database.reading() as session:
        found = await results.find(session, round_id)
    assert found is not None
    assert found.took_part == 5
    assert [(each.dimension, each.scored) for each in found.numbers] == [(KEYS[0], 5)]


JOINED = (
    ((), None),
    (("declined",), Participation.DECLINED),
    (("begun", "begun"), Participation.BEGUN),
    (("declined", "begun"), Participation.QUIET),
    (("begun", "quiet"), Participation.QUIET),
    (("finished", "declined"), Participation.FINISHED),
    (("begun", "finished"), Participation.FINISHED),
)


@pytest.mark.parametrize(("states", "joined"), JOINED)
@pytest.mark.parametrize("swapped", [False, True])
async def test_one_has_come_as_far_as_either_and_wants_as_few_reminders(
    circle: Circle, states: tuple[str, ...], joined: Participation | None, swapped: bool
) -> None:
    round_id = await circle.opens()
    pair = circle.members[1::-1] if swapped else circle.members[:2]
    ids = [(await user.is_known()).id for user in pair]
    async with circle.hub.database.transaction() as session:
        for id, state in zip(ids, states, strict=False):
            row = {"round_id": round_id, "person_id": id, "state": Participation(state)}
            await session.execute(sa.insert(participation.ParticipationRow).values(**row))
    keep, _ = await _merge(circle, *circle.members[:2])
    async with circle.hub.database.reading() as session:
        assert await participation.of_round(session, round_id) == ({keep: joined} if joined else {})


@pytest.mark.parametrize("attempt", range(3))
async def test_whoever_answers_while_they_are_merged_loses_nothing_that_was_saved(circle: Circle, database_url: str, attempt: int) -> None:
    round_id = await circle.opens()
    ann, twin = circle.members[:2]
    await says(twin, round_id, KEYS[0], 3)
    replica = circle.at(Database(database_url, (SECRET_KEY,)))
    await replica.members[1].is_known()
    saying = [says(replica.members[1], round_id, KEYS[place], 4) for place in (1, 2)] + [says(ann, round_id, KEYS[3], 5)]
    merging = asyncio.create_task(_merge(circle, ann, twin))
    answers = await asyncio.gather(*saying)
    keep, gone = await merging
    saved = [place for place, answer in zip((1, 2, 3), answers, strict=True) if isinstance(answer.outcome, Form)]
    assert all(isinstance(answer.outcome, Form) or title(answer) == "Sorry" for answer in answers)
    said = await said_by(circle, ann)
    assert set(said) == {KEYS[place] for place in (0, *saved)}
    async with circle.hub.database.reading() as session:
        assert await number_of(session, "pulse_open") == len(said), "nothing is left under a name that is gone"
        assert set(await participation.of_round(session, round_id)) == {keep}
        assert await people.find(session, gone) is None
    await replica.hub.database.close()


@pytest.mark.parametrize("attempt", range(3))
async def test_a_code_joins_accounts_in_the_middle_of_a_round(circle: Circle, database_url: str, attempt: int) -> None:
    round_id = await circle.opens()
    ann, twin = circle.members[0], circle.hub.person("29:1", channel="elsewhere", tenant="uhd")
    await circle.hub.organise(twin, Group.PROGRAMME_GROUP)
    await says(ann, round_id, KEYS[0], 3)
    replica = circle.at(Database(database_url, (SECRET_KEY,)))
    code = re.search(r"type: link ([A-Z0-9-]{9})", words(await ann.types("link")))
    assert code is not None
    asked = form(await twin.types(f"link {code[1]}"))
    saying = [says(twin, round_id, KEYS[1], 4), says(replica.members[0], round_id, KEYS[2], 5)]
    joined, *answers = await asyncio.gather(twin.sends(asked.action, {}, **dict(asked.args)), *saying)
    assert title(joined) in ("Your accounts are joined", "I could not do that"), "whoever waits too long is asked to try again"
    if title(joined) != "Your accounts are joined":
        joined = await twin.sends(asked.action, {}, **dict(asked.args))
        assert title(joined) == "Your accounts are joined"
    saved = [place for place, answer in zip((1, 2), answers, strict=True) if isinstance(answer.outcome, Form)]
    assert set(await said_by(circle, ann)) == {KEYS[place] for place in (0, *saved)}
    kept = (await twin.is_known()).id
    async with circle.hub.database.reading() as session:
        assert set(await participation.of_round(session, round_id)) == {kept}
    await replica.hub.database.close()
