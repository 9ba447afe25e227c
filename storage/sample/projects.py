"""The sample's projects and their monthly reports, as the hub's case study names them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from storage import ideas, projects
from storage.database import Session
from storage.projects import Adoption, Highlights, ProjectType, Rag, Stage
from storage.sample.roles import SampleHub

FRIDAY = 4


@dataclass(frozen=True, kw_only=True)
class SampleReport:
    """What was reported `days` before now; the milestone was then `ahead` days off, 0 where there is none."""

    days: int
    said: Highlights
    ahead: int = 0


@dataclass(frozen=True, kw_only=True)
class SampleProject:
    """A sample project, begun `days` before now; `partners` and how far each is, by their short keys; `idea`: the title of what it was."""

    days: int
    name: str
    type: ProjectType
    need: str
    sro: str
    lead: str
    partners: Mapping[str, Adoption]
    reports: tuple[SampleReport, ...]
    followers: tuple[str, ...] = ()
    idea: str = ""


def _report(days: int, rag: Rag, stage: str, why: str, done: str, planned: str, *, ahead: int = 0, **more: Any) -> SampleReport:
    return SampleReport(
        days=days, ahead=ahead, said=Highlights(rag=rag, stage=Stage.of(stage), why=why, done=done, planned=planned, **more)
    )


def _with(*keys: str) -> Mapping[str, Adoption]:
    return dict.fromkeys(keys, Adoption.NOT_STARTED)


PROJECTS = (
    SampleProject(
        days=200, name="Nutrition in Ageing People", type=ProjectType.LOCAL, lead="dietitian",
        idea="Screen for undernutrition at every frailty clinic", partners=_with("acute", "community", "bcp", "third"),
        need="Older people who lose weight without anybody noticing until they are admitted.",
        sro="Chief nurse, Acute hospital partner", followers=("nurse", "carehomes", "core"),
        reports=(
            _report(
                160, Rag.GREEN, "scoping", "Four partners agree on what the need is.", "Heard 22 older people and carers about meals.",
                "Look at what other regions do.",
            ),
            _report(
                129, Rag.GREEN, "scan", "Three approaches are worth a closer look.", "Compared six screening tools with their evidence.",
                "Choose one tool with the frailty teams.",
            ),
            _report(
                98, Rag.AMBER, "plan", "The two hospitals record the score in different places.", "Chose one screening tool.",
                "Agree where the score is kept.", path="One shared field, agreed by both record teams within a month.",
                risk="The score does not reach the GP practice.", risk_owner="Digital lead, Acute hospital partner",
            ),
            _report(
                67, Rag.AMBER, "adopt", "The shared field is agreed but not yet live.", "Trained 31 staff in two frailty clinics.",
                "Start screening in both clinics.", path="Paper forms until the field is live, in three weeks at the latest.",
                risk="The score does not reach the GP practice.", risk_owner="Digital lead, Acute hospital partner",
            ),
            _report(
                36, Rag.GREEN, "adopt", "Both clinics screen everybody they see.", "Screened 118 people; 27 had a plan for eating well.",
                "Ask the community teams to join.", milestone="Screening begins in community teams", ahead=40,
                risk="Dietitians cannot see all who need it.", risk_owner="Therapies manager, Acute hospital partner",
            ),
            _report(
                5, Rag.GREEN, "adopt", "Uptake is above plan and the score now reaches practices.", "Two community teams have joined.",
                "Measure weight at three months for the first 50 people.", milestone="Results for the first 50 people", ahead=52,
                risk="Dietitians cannot see all who need it.", risk_owner="Therapies manager, Acute hospital partner",
            ),
        ),
    ),
    SampleProject(
        days=230, name="Falls Prevention", type=ProjectType.LOCAL, lead="physio", partners=_with("community", "uhd", "county", "police"),
        need="Older people who have fallen at home once and are at risk of falling again.",
        sro="Director of community services, Community care partner", followers=("nurse", "partner", "network"),
        reports=(
            _report(
                135, Rag.GREEN, "evaluate", "The local data show where falls happen.", "Mapped falls by neighbourhood with public health.",
                "Choose two neighbourhoods to begin in.",
            ),
            _report(
                104, Rag.GREEN, "plan", "Two neighbourhoods and their venues are agreed.", "Agreed one falls form with three services.",
                "Find instructors for strength and balance classes.",
            ),
            _report(
                73, Rag.RED, "adopt", "One instructor left, so one of two classes stopped.", "Ran 6 classes in the first village hall.",
                "Restart the second class.", path="Borrow an instructor from the leisure centre within four weeks.",
                needed="Partners: who can lend an instructor for 6 weeks?", risk="People lose strength while the class is stopped.",
                risk_owner="Community therapies manager",
            ),
            _report(
                42, Rag.GREEN, "adopt", "Both classes run again.", "64 people have begun; 51 still come.",
                "Arrange transport for people who live far away.", milestone="100 people have begun", ahead=75,
                risk="No transport in winter.", risk_owner="Community transport coordinator",
            ),
            _report(
                6, Rag.AMBER, "adopt", "Fewer people come since the weather turned.", "Two car schemes now bring people to the classes.",
                "Offer the first online class.", path="A second car scheme and an online class from next month.",
                milestone="100 people have begun", ahead=33, risk="No transport in winter.", risk_owner="Community transport coordinator",
            ),
        ),
    ),
    SampleProject(
        days=150, name="Improving Use of FeNO Devices", type=ProjectType.LOCAL, lead="pharmacist",
        idea="FeNO testing in every primary care network", partners=_with("primary", "uhd", "icb"),
        need="Adults with suspected asthma who wait months for a FeNO (fractional exhaled nitric oxide) test in hospital.", sro="",
        reports=(
            _report(
                81, Rag.GREEN, "scan", "We know which practices have a device.", "Found 19 devices, 8 of them in a cupboard.",
                "Ask the practices what stops them.",
            ),
            _report(
                50, Rag.AMBER, "evaluate", "Practices say they have no time to learn the test.", "Visited 5 practices.",
                "Try a short lesson at lunch time.", path="Two lessons with a respiratory nurse this month.",
            ),
            _report(
                19, Rag.RED, "evaluate", "Nobody answers for the project, so no budget for mouthpieces is agreed.",
                "Gave two lessons to 24 staff.", "Buy mouthpieces for three months.", path="Name an SRO at the next Programme Group.",
                needed="A senior responsible officer (SRO) by the end of the month.", milestone="An SRO is named", ahead=30,
                risk="Tests stop when the mouthpieces run out.", risk_owner="Practice pharmacist, Primary care partner",
            ),
        ),
    ),
    SampleProject(
        days=300, name="gammaCore for cluster headaches", type=ProjectType.NATIONAL, lead="network",
        partners={"uhd": Adoption.ROUTINE, "acute": Adoption.PREPARING, "community": Adoption.NOT_ADOPTING},
        need="People with cluster headaches for whom other treatment does not help enough.",
        sro="Medical director, University Hospitals Dorset", followers=("core", "lecturer"),
        reports=(
            _report(
                108, Rag.GREEN, "embed", "The first provider offers it to everybody who may benefit.",
                "Wrote the case study on benefits at University Hospitals Dorset.", "Share the business case with the next provider.",
            ),
            _report(
                77, Rag.GREEN, "spread", "The second provider has begun its business case.", "Shared pathway, leaflet and business case.",
                "Meet the second provider’s neurology team.",
            ),
            _report(
                46, Rag.AMBER, "spread", "The second provider has no clinical lead yet.", "Met the pharmacy and finance teams.",
                "Find a clinical lead.", path="The medical director asks for a volunteer this month.",
                risk="The business case waits for a clinical lead.", risk_owner="Medical director, Acute hospital partner",
            ),
            _report(
                15, Rag.GREEN, "spread", "A clinical lead is named and the business case is written.", "Trained the first clinic team.",
                "Offer the device to the first people there.",
                milestone="First person treated at the second provider", ahead=45,
            ),
        ),
    ),
    SampleProject(
        days=330, name="PLGF testing in pregnancy", type=ProjectType.NATIONAL, lead="midwife",
        partners={"uhd": Adoption.ROUTINE, "acute": Adoption.ROUTINE},
        need="Pregnant women with suspected pre-eclampsia who stay in hospital while we wait to be sure.",
        sro="Director of midwifery, University Hospitals Dorset", followers=("network",),
        reports=(
            _report(
                124, Rag.GREEN, "embed", "The test is offered at all hours at the first provider.",
                "Measured waiting time before and after.", "Write up the benefits.",
            ),
            _report(
                93, Rag.GREEN, "spread", "The second provider has begun.", "Wrote the case study on benefits.",
                "Support the second provider’s laboratory.",
            ),
            _report(
                62, Rag.BLUE, "sustain", "Both providers offer the test in routine care.",
                "Handed over to both maternity services.", "",
            ),
        ),
    ),
    SampleProject(
        days=120, name="Settled at home: volunteers after discharge", type=ProjectType.PARTNER, lead="partner",
        partners=_with("third", "uhd", "bcp"), need="People who live alone and come home from hospital to a cold house.",
        sro="Chief officer, Third sector partner", followers=("social",),
        reports=(
            _report(
                70, Rag.GREEN, "plan", "Two wards and 14 volunteers are ready.", "Trained 14 volunteers.", "Visit the first 10 people.",
            ),
            _report(
                39, Rag.AMBER, "adopt", "Referrals come too late in the day.", "Visited 12 people on their first evening.",
                "Ask the wards to refer before midday.", path="A line on the ward’s morning checklist from next week.",
                milestone="50 people visited", ahead=60, risk="Volunteers wait and nobody is referred.", risk_owner="Volunteer coordinator",
            ),
        ),
    ),
    SampleProject(
        days=210, name="Remote monitoring in care homes", type=ProjectType.PARTNER, lead="carehomes",
        partners=_with("county", "business", "community"), need="Care home residents who become unwell over a weekend.",
        sro="Director of adult social care, County council partner",
        reports=(
            _report(
                112, Rag.AMBER, "evaluate", "Three of 10 homes have no reliable internet.", "Lent kits to 7 homes.", "Try mobile routers.",
                path="Routers in the three homes by the end of the month.",
            ),
            _report(
                80, Rag.GREY, "paused", "The supplier changes its device, so we wait for the new one.", "Collected the kits again.",
                "Go on when the new device is approved.",
            ),
        ),
    ),
)  # fmt: skip


async def load(session: Session, hub: SampleHub, shared: Mapping[str, int], *, now: datetime) -> None:
    """Adds the projects with their reports and followers, and links them with the ideas they were; `shared`: their numbers by title."""
    for sample in PROJECTS:
        idea_id = shared[sample.idea] if sample.idea else None
        id = await projects.add(
            session,
            name=sample.name,
            type=sample.type,
            need=sample.need,
            sro=sample.sro,
            lead_id=hub.people[sample.lead],
            organisation_ids=[hub.organisations[key] for key in sample.partners],
            idea_id=idea_id,
            now=_at(now, sample.days),
        )
        if idea_id is not None:
            await ideas.link_project(session, idea_id, id)
        await projects.adopt(session, id, {hub.organisations[key]: adoption for key, adoption in sample.partners.items()})
        for key in sample.followers:
            await projects.follow(session, id, hub.people[key])
        for report in sample.reports:
            project = await projects.find(session, id)
            assert project is not None
            at = _at(now, report.days)
            said = replace(report.said, milestone_on=_at(at, -report.ahead).date()) if report.ahead else report.said
            await projects.report(session, project, said, by_id=hub.people[sample.lead], now=at)


def _at(now: datetime, days: int) -> datetime:
    """A morning, `days` before now; the Friday before where that is at a weekend."""
    at = (now - timedelta(days=days)).replace(hour=10, minute=days % 60, second=0, microsecond=0)
    return at - timedelta(days=max(0, at.weekday() - FRIDAY))
