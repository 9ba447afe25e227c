"""Projects as they are kept: reports are added and never changed, and those of which one is expected are found."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from storage import accounts, people, projects
from storage.database import Database, Session
from storage.projects import Adoption, Highlights, Partner, Project, ProjectType, Rag, Stage
from storage.projects.reports import count_reports, find_report, list_reports
from tests.storage.hub import NOW, meet, number_of

GREEN = Highlights(rag=Rag.GREEN, why="All sites agreed", done="Trained 40 staff", planned="Train 40 more", stage=Stage.of("adopt"))
RED = Highlights(
    rag=Rag.RED, why="No trainer", path="Borrow one", done="", planned="", milestone_on=date(2027, 1, 4), stage=Stage.of("embed")
)


async def _found(session: Session, id: int) -> Project:
    project = await projects.find(session, id)
    assert project is not None
    return project


async def _falls(session: Session, **more: object) -> Project:
    return await _found(
        session,
        await projects.add(session, name="Falls Prevention", type=ProjectType.LOCAL, need="Fewer falls", now=NOW, **more),  # type: ignore[arg-type]
    )


async def test_a_project_is_kept_with_its_lead_partners_and_idea(database: Database) -> None:
    ann = await meet(database, "ANN")
    async with database.transaction() as session:
        organisations = [await people.add_organisation(session, name=name) for name in ("UHD", "BCP Council")]
        falls = await _falls(session, sro="Chief nurse", lead_id=ann.id, organisation_ids=organisations)
        assert (falls.name, falls.lead, falls.sro, falls.stage.label, falls.last) == (
            "Falls Prevention",
            "Ann Lee",
            "Chief nurse",
            "Scoping need",
            None,
        )
        assert [each.name for each in await projects.partners_of(session, falls.id)] == ["BCP Council", "UHD"]
        assert await projects.followers(session, falls.id) == {ann.id}
        assert await projects.find(session, falls.id + 1) is None


async def test_each_report_stays_as_it_was_and_the_newest_is_the_projects(database: Database) -> None:
    ann = await meet(database, "ANN")
    async with database.transaction() as session:
        falls = await _falls(session)
        first = await projects.report(session, falls, GREEN, by_id=ann.id, now=NOW)
        assert first is not None
        await projects.report(session, await _found(session, falls.id), RED, by_id=ann.id, now=NOW + timedelta(days=30))
        falls = await _found(session, falls.id)
        assert falls.last is not None
        assert (falls.last.rag, falls.last.was, falls.last.by, falls.stage.key) == (Rag.RED, Rag.GREEN, "Ann Lee", "embed")
        assert falls.last.milestone_on == date(2027, 1, 4)
        assert [each.rag for each in await list_reports(session, falls.id, limit=5)] == [Rag.RED, Rag.GREEN]
        kept = await find_report(session, first)
        assert kept is not None
        assert (kept.why, kept.was, kept.project) == ("All sites agreed", None, "Falls Prevention")


async def test_a_report_on_a_project_that_moved_meanwhile_is_not_kept(database: Database) -> None:
    ann = await meet(database, "ANN")
    async with database.transaction() as session:
        seen = await _falls(session)
        assert await projects.report(session, seen, GREEN, by_id=ann.id, now=NOW)
        assert await projects.report(session, seen, RED, by_id=ann.id, now=NOW) is None
        assert await count_reports(session, seen.id) == 1


async def test_red_without_a_path_to_green_cannot_be_kept(database: Database) -> None:
    ann = await meet(database, "ANN")
    bad = Highlights(rag=Rag.AMBER, why="", done="", planned="", stage=Stage.of("plan"))
    async with database.transaction() as session:
        falls = await _falls(session)
        with pytest.raises(sa.exc.IntegrityError):
            await projects.report(session, falls, bad, by_id=ann.id, now=NOW)


async def test_partners_who_stay_keep_how_far_they_are(database: Database) -> None:
    async with database.transaction() as session:
        uhd, bcp, icb = [await people.add_organisation(session, name=name) for name in ("UHD", "BCP Council", "NHS Dorset")]
        falls = await _falls(session, organisation_ids=(uhd, bcp))
        await projects.adopt(session, falls.id, {uhd: Adoption.USING, icb: Adoption.USING})
        await projects.edit(
            session, falls, name="Falls", type=ProjectType.NATIONAL, need="", sro="", lead_id=None, organisation_ids=(uhd, icb),
            stage=falls.stage, now=NOW,
        )  # fmt: skip
        assert await projects.partners_of(session, falls.id) == (
            Partner(organisation_id=icb, name="NHS Dorset", adoption=Adoption.NOT_STARTED),
            Partner(organisation_id=uhd, name="UHD", adoption=Adoption.USING),
        )
        assert (await _found(session, falls.id)).name == "Falls"


async def test_the_portfolio_begins_with_what_needs_help_and_ends_with_what_is_halted(database: Database) -> None:
    ann = await meet(database, "ANN")
    async with database.transaction() as session:
        for name, said in (("A", GREEN), ("B", RED), ("C", None), ("D", Highlights(**{**vars(RED), "stage": Stage.of("paused")}))):
            id = await projects.add(session, name=name, type=ProjectType.PARTNER, need="", lead_id=ann.id if name == "B" else None, now=NOW)
            if said:
                await projects.report(session, await _found(session, id), said, by_id=ann.id, now=NOW)
        assert [each.name for each in await projects.list_projects(session, limit=9)] == ["B", "C", "A", "D"]
        assert [each.name for each in await projects.list_projects(session, offset=1, limit=2)] == ["C", "A"]
        assert [each.name for each in await projects.list_projects(session, led_by=ann.id, limit=9)] == ["B"]
        assert (await projects.count(session), await projects.count(session, led_by=ann.id)) == (4, 1)


async def test_reports_are_awaited_of_what_goes_on(database: Database) -> None:
    ann = await meet(database, "ANN")

    async def awaited(session: Session, day: int) -> list[int]:
        at = NOW + timedelta(days=day)
        return [each.id for each in await projects.list_awaited(session, since=at - timedelta(days=60), until=at - timedelta(days=28))]

    async with database.transaction() as session:
        falls = await _falls(session, lead_id=ann.id)
        assert [await awaited(session, day) for day in (27, 28, 59, 60)] == [[], [falls.id], [falls.id], []]
        for stage, expected in (("sustain", []), ("paused", []), ("adopt", [falls.id])):
            falls = await _found(session, falls.id)
            await projects.edit(
                session, falls, name="Falls", type=falls.type, need="", sro="", lead_id=None, organisation_ids=(),
                stage=Stage.of(stage), now=NOW + timedelta(days=50),
            )  # fmt: skip
            assert await awaited(session, 80) == expected, "a month begins anew when a project goes on after a halt"
        falls = await _found(session, falls.id)
        await projects.report(session, falls, Highlights(**{**vars(GREEN), "rag": Rag.BLUE}), by_id=ann.id, now=NOW)
        assert await awaited(session, 30) == []


async def test_one_persons_two_accounts_follow_once(database: Database) -> None:
    ann, again = await meet(database, "ANN"), await meet(database, "ANN2")
    async with database.transaction() as session:
        falls = await _falls(session, lead_id=ann.id)
        await projects.follow(session, falls.id, again.id)
        await projects.follow(session, falls.id, again.id)
        assert await number_of(session, "project_followers") == 2
        await accounts.merge(session, keep=again.id, gone=ann.id, now=NOW)
        assert await projects.followers(session, falls.id) == {again.id}
        assert (await _found(session, falls.id)).lead_id == again.id
        await projects.unfollow(session, falls.id, again.id)
        assert await projects.followers(session, falls.id) == frozenset()
