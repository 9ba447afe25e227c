"""The patient-data guard, the rate limit, and what a bug may tell: nothing of what people wrote."""

from __future__ import annotations

import io
import logging

import pytest
import sqlalchemy as sa

from bot.dispatch import DELETE_IT, PATIENT_DATA, TOO_MANY
from bot.logs import FactsFormatter
from handlers.routing import Kind, Request, Router, Routes
from handlers.views import Form, Outcome
from storage import counts
from storage.database import Database
from tests.conftest import FakeClock
from tests.dispatch.conftest import IDEA, Hub, User, form, title, words
from tests.storage.hub import everything_kept, number_of

NHS = "999 000 0018"
MARKER = "zanzibar"


async def _refused(hub: Hub) -> int:
    async with hub.database.reading() as session:
        return await counts.total(session, "patient data refused")


async def _keeps_nothing(hub: Hub, *, times: int = 1) -> None:
    kept = await everything_kept(hub.database)
    assert NHS not in kept
    assert "9990000018" not in kept
    assert await _refused(hub) == times
    async with hub.database.reading() as session:
        assert await number_of(session, "drafts") == 0
        assert await number_of(session, "ideas") == 0
        assert await number_of(session, "receipts") == 0


@pytest.mark.parametrize("text", [f"idea for patient {NHS}", NHS, f"ideas NHS number {NHS}", "idea DOB 12/03/1950"])
async def test_a_command_with_patient_data_is_kept_nowhere(hub: Hub, ann: User, text: str) -> None:
    answer = await ann.types(text)
    assert PATIENT_DATA in words(answer)
    assert DELETE_IT not in words(answer)
    assert answer.unkept
    await _keeps_nothing(hub)


@pytest.mark.parametrize("name", ["title", "need", "proposal", "visibility"])
async def test_a_form_with_patient_data_comes_back_as_it_was_typed_and_nothing_is_kept(hub: Hub, ann: User, name: str) -> None:
    typed = f"Better letters for {NHS}"
    answer = await ann.shares("T", **{name: typed})
    again = form(answer)
    assert again.errors == {name: PATIENT_DATA}
    assert again.values == {"where": "", **IDEA, name: typed}
    assert (answer.unkept, answer.ticket) == (True, "T")
    await _keeps_nothing(hub)
    assert title(await ann.shares("T")) == "IDEA-1 is with the Core Team", "corrected, it counts"


async def test_patient_data_in_a_field_that_the_form_does_not_have_is_refused_for_the_whole_form(hub: Hub, ann: User) -> None:
    again = form(await ann.sends("ideas.submit", {**IDEA, "hidden": NHS}))
    assert again.errors == {"": PATIENT_DATA}
    assert "hidden" not in again.values
    await _keeps_nothing(hub)


async def test_a_message_in_a_conversation_with_patient_data_is_to_be_deleted_by_its_author(hub: Hub, ann: User) -> None:
    answer = await ann.does("event", text=f"idea {NHS}")
    assert PATIENT_DATA in words(answer)
    assert DELETE_IT in words(answer)
    await _keeps_nothing(hub)


async def test_a_quoted_message_with_patient_data_is_refused(hub: Hub, ann: User) -> None:
    assert PATIENT_DATA in words(await ann.does("command", text="idea", quoted=f"see {NHS}"))
    await _keeps_nothing(hub)


async def test_words_with_patient_data_stay_unkept_also_when_the_form_is_refused_for_another_reason(hub: Hub, ann: User, bob: User) -> None:
    refused = await ann.sends("ideas.withdraw", {"why": NHS}, idea="garbage")
    assert refused.unkept
    assert (await bob.sends("people.add_partner", {"name": NHS})).unkept
    await _keeps_nothing(hub, times=2)


async def test_a_telephone_number_passes(hub: Hub, ann: User) -> None:
    answer = await ann.shares(need="Ring the falls team on 01202 665511, or +44 7700 900123")
    assert title(answer) == "IDEA-1 is with the Core Team"
    assert not answer.unkept
    assert await _refused(hub) == 0


# -- too many


async def test_the_31st_request_in_a_minute_is_refused_politely_without_the_database(hub: Hub, ann: User, clock: FakeClock) -> None:
    statements: list[str] = []

    def count(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        statements.append(statement)

    for _ in range(30):
        assert title(await ann.types("ideas")) == "Your ideas"
        clock.forward(seconds=1)
    sa.event.listen(hub.database.engine.sync_engine, "before_cursor_execute", count)
    for answer in (await ann.types("ideas"), await ann.shares(), await ann.types(f"idea {NHS}")):
        assert TOO_MANY in words(answer)
        assert answer.unkept, "nobody has looked at these words"
    assert statements == []
    assert title(await hub.person("BOB").types("ideas")) == "Your ideas", "others go on"
    assert statements
    clock.forward(seconds=31)
    assert title(await ann.types("ideas")) == "Your ideas", "the first of the 30 was a minute ago"


async def test_refused_requests_do_not_lengthen_the_wait(hub: Hub, ann: User, clock: FakeClock) -> None:
    for _ in range(60):
        await ann.types("ideas")
    clock.forward(seconds=60)
    assert title(await ann.types("ideas")) == "Your ideas"


# -- a bug


def _buggy() -> Routes:
    router = Router()

    async def build(_request: Request) -> Form:
        return Form(action="test.bug", title="A bug", fields=())

    @router.form("test.bug", build)
    @router.action("test.bug")
    async def bug(request: Request) -> Outcome:
        try:
            raise KeyError(f"inner {MARKER} {request.values} {request.text}")
        except KeyError as error:
            raise ValueError(f"{MARKER}\nERROR forged {request.person.name}") from error

    @router.command("cycle", "a bug that is its own cause")
    async def cycle(_request: Request) -> Outcome:
        first, second = ValueError(MARKER), KeyError(MARKER)
        first.__cause__, second.__cause__ = second, first
        raise first

    return Routes((router,))


class Log:
    """What would be written to standard error."""

    def __init__(self) -> None:
        self._stream = io.StringIO()
        self.handler = logging.StreamHandler(self._stream)
        self.handler.setFormatter(FactsFormatter())

    @property
    def text(self) -> str:
        """All of it."""
        return self._stream.getvalue()


@pytest.fixture
def log() -> Log:
    """Listens to everything at every level until the test ends."""
    return Log()


@pytest.mark.may_block("the traceback of an error is written, which reads its source")
@pytest.mark.parametrize("kind", ["action", "form", "command"])
async def test_a_bug_is_a_reference_for_the_person_and_frames_for_the_operator(hub: Hub, log: Log, kind: Kind) -> None:
    ann = hub.person("ANN", "Ann Lee").at(hub.also(_buggy()))
    root = logging.getLogger()
    level = root.level
    root.addHandler(log.handler)
    root.setLevel(logging.DEBUG)
    try:
        answer = await ann.does(
            kind,
            "" if kind == "command" else "test.bug",
            text=f"cycle {MARKER}" if kind == "command" else "",
            values={"title": MARKER},
            args={"note": MARKER},
        )
    finally:
        root.removeHandler(log.handler)
        root.setLevel(level)
    said = words(answer)
    assert "Something went wrong on our side. Nothing was changed. Reference " in said
    assert MARKER not in said
    assert MARKER not in log.text
    assert "Ann Lee" not in log.text
    reference = said.partition("Reference ")[2][:4]
    (line,) = [line for line in log.text.splitlines() if "an interaction failed" in line]
    assert f"reference={reference}" in line
    assert "builtins.ValueError" in log.text
    assert "test_guard.py" in log.text
    assert "caused by:\n" in log.text
    assert "builtins.KeyError" in log.text


@pytest.mark.may_block("the traceback of an error is written, which reads its source")
async def test_a_database_that_is_down_is_an_apology_too(hub: Hub, log: Log) -> None:
    nowhere = Hub(Database("postgresql://nobody@127.0.0.1:1/dih"), hub.clock)
    answer = await nowhere.person("ANN").types(f"idea {NHS}")
    assert "Something went wrong on our side. Nothing was changed." in words(answer)
    assert answer.unkept
    await nowhere.database.close()


def test_a_field_of_the_log_cannot_begin_a_line_of_its_own(log: Log) -> None:
    record = logging.makeLogRecord({"msg": "a fact", "name": "bot", "levelname": "INFO", "id": "x\n2026 ERROR forged \ud800"})
    log.handler.handle(record)
    assert len(log.text.splitlines()) == 1
    assert r"id='x\n2026 ERROR forged \ud800'" in log.text
