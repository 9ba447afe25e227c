"""The sample's year of ideas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from storage import ideas
from storage.database import Session
from storage.ideas import Visibility
from storage.sample import outcomes
from storage.sample.roles import SampleHub


@dataclass(frozen=True, kw_only=True)
class SampleIdea:
    """A sample idea, shared `days` before now by the person with this key; an empty proposal is a problem with no idea yet."""

    days: int
    author: str
    title: str
    need: str
    proposal: str = ""
    core_team_only: bool = False
    withdrawn: bool = False


_FALLS = "Older people who have fallen at home once and are at risk of falling again."
IDEAS = (
    SampleIdea(
        days=361, author="physio", title="Strength and balance classes closer to home", need=_FALLS,
        proposal="Run the classes in village halls, with transport from the community car schemes.",
    ),
    SampleIdea(
        days=349, author="dietitian", title="Screen for undernutrition at every frailty clinic",
        need="Older people who lose weight without anybody noticing until they are admitted.",
        proposal="Use one short screening tool in all frailty clinics and share the score with the GP practice.",
    ),
    SampleIdea(
        days=338, author="gp", title="FeNO testing in every primary care network",
        need="Adults with suspected asthma who wait months for a test in hospital.",
        proposal="One FeNO (fractional exhaled nitric oxide) device for each network, with a shared booking list.",
    ),
    SampleIdea(
        days=325, author="nurse", title="Discharge letters that patients can read",
        need="People who go home from a ward and do not understand what was done or what comes next.",
        proposal="Put a half-page summary in plain words on top of each discharge letter.",
    ),
    SampleIdea(
        days=311, author="midwife", title="PLGF testing on the day assessment unit",
        need="Pregnant women with suspected pre-eclampsia who stay in hospital while we wait to be sure.",
        proposal="Offer the PLGF blood test at the first assessment, at all hours.",
    ),
    SampleIdea(
        days=300, author="founder", title="A remote monitoring kit for care homes",
        need="Care home residents who become unwell over a weekend.", proposal="Lend 10 kits to 10 homes for 3 months.",
        core_team_only=True,
    ),
    SampleIdea(
        days=288, author="officer", title="One number for a mental health crisis on the street",
        need="People in a mental health crisis whom officers meet at night.",
    ),
    SampleIdea(
        days=276, author="network", title="gammaCore for cluster headaches: learn from the first sites",
        need="People with cluster headaches whose hospital does not offer the device yet.",
        proposal="Share the first site’s business case, pathway and patient leaflet with the others.",
    ),
    SampleIdea(
        days=264, author="carehomes", title="Mealtimes that residents look forward to",
        need="Care home residents who eat and drink too little.", proposal="Train mealtime companions from local schools and clubs.",
    ),
    SampleIdea(
        days=251, author="pharmacist", title="Medicines reviews after a fall",
        need="People who take medicines that make a fall more likely.",
        proposal="Send a message to the practice pharmacist whenever somebody is seen after a fall.",
    ),
    SampleIdea(
        days=240, author="social", title="A shared list of equipment that comes back",
        need="People who wait for a walking frame while others stand unused in cupboards.",
    ),
    SampleIdea(
        days=229, author="lecturer", title="Student projects on hub priorities",
        need="Teams that have a question worth studying and nobody to study it.",
        proposal="Match final-year projects with priorities of the hub each September.",
    ),
    SampleIdea(
        days=217, author="nurse", title="Quieter nights on the ward",
        need="People on hospital wards who sleep badly and recover more slowly.",
        proposal="Move routine observations to 6am where it is safe, and dim the lights at 10pm.",
    ),
    SampleIdea(
        days=206, author="partner", title="Volunteers who sit with people in the emergency department",
        need="Older people who wait alone for hours.", proposal="Extend the hospital volunteers’ rota to evenings.",
    ),
    SampleIdea(
        days=194, author="gp", title="Text reminders in the languages people speak",
        need="People who miss appointments because the reminder is only in English.",
    ),
    SampleIdea(
        days=183, author="founder", title="Voice notes instead of typing",
        need="Community nurses who write up their visits in the evening.", proposal="Try dictation with 5 nurses.", withdrawn=True,
    ),
    SampleIdea(
        days=171, author="physio", title="One falls form for all services",
        need="People who answer the same questions to three services after one fall.",
        proposal="Agree one form between ambulance, community and hospital teams.",
    ),
    SampleIdea(
        days=160, author="dietitian", title="Fortified milkshakes on the ward trolley",
        need="Older people on wards who cannot finish a meal.",
        proposal="Offer a small fortified drink at 3pm instead of biscuits.",
    ),
    SampleIdea(
        days=148, author="midwife", title="Blood pressure kits for home use in pregnancy",
        need="Pregnant women who travel an hour for a check of a few minutes.",
        proposal="Lend a kit and take the readings by telephone, as other regions do.",
    ),
    SampleIdea(
        days=136, author="network", title="A single page on each MedTech Funding Mandate product",
        need="Managers who do not know which products their organisation must offer.",
        proposal="Publish one page for each product: who it is for, what it saves, whom to ask.",
    ),
    SampleIdea(
        days=125, author="carehomes", title="Falls huddles in care homes", need="Residents who fall again within a week.",
        proposal="A talk of ten minutes after each fall: what happened, what do we change today?",
    ),
    SampleIdea(
        days=113, author="officer", title="Share what works with people who go missing",
        need="People with dementia who leave home and get lost.", core_team_only=True,
    ),
    SampleIdea(
        days=101, author="pharmacist", title="Inhaler checks with the FeNO appointment",
        need="People with asthma who use their inhaler in a way that does not help.",
        proposal="Add five minutes with the pharmacist to each FeNO test.",
    ),
    SampleIdea(
        days=89, author="social", title="Direct payments explained in a short film",
        need="Family carers who give up on the forms.", proposal="Make a film of 3 minutes with carers who have done it.",
    ),
    SampleIdea(
        days=76, author="nurse", title="Discharge medicines ready the evening before",
        need="People who wait in bed for their medicines on the day they go home.", withdrawn=True,
    ),
    SampleIdea(
        days=64, author="partner", title="Cooking clubs for people who live alone",
        need="Older people who live alone and have stopped cooking.",
        proposal="Start with two clubs that the community kitchens already host.",
    ),
    SampleIdea(
        days=52, author="lecturer", title="Teach innovation adoption in preceptorship",
        need="Newly registered staff who have ideas and do not know where to take them.",
        proposal="Add a one-hour session on adoption to the preceptorship programme.",
    ),
    SampleIdea(
        days=41, author="gp", title="A faster way back from hospital tests to the practice",
        need="People whose test results reach their practice after their appointment.",
    ),
    SampleIdea(
        days=29, author="physio", title="Walking aids that fit", need=_FALLS,
        proposal="Check the height of every walking aid at flu clinics, where people come anyway.",
    ),
    SampleIdea(
        days=17, author="nurse", title="A drinks chart that people fill in themselves",
        need="People on wards who drink too little and whose charts stay empty.",
        proposal="A card by the bed with cups to tick, for people and their visitors.",
    ),
    SampleIdea(
        days=6, author="core", title="Practise a handover between two hospitals", need="People who are moved between hospitals at night.",
        proposal="Rehearse one handover a month with both teams and write down what was missing.", core_team_only=True,
    ),
    SampleIdea(
        days=2, author="dietitian", title="Malnutrition week across all 12 partners",
        need="Everybody who looks after older people and wants one simple message on eating well.",
    ),
)  # fmt: skip


async def load(session: Session, hub: SampleHub, *, now: datetime) -> Mapping[str, int]:
    """Adds the ideas, and what became of them; returns their numbers by title."""
    numbers = {}
    for number, sample in enumerate(IDEAS):
        id = await ideas.add(
            session,
            title=sample.title,
            need=sample.need,
            proposal=sample.proposal,
            organisation_id=hub.partner_of(sample.author),
            visibility=Visibility.CORE_TEAM if sample.core_team_only else Visibility.HUB,
            author_id=hub.people[sample.author],
            now=_at(now, sample.days, number),
        )
        numbers[sample.title] = id
        if sample.withdrawn:
            await ideas.withdraw(session, id)
    await outcomes.load(session, hub, tuple(numbers.values()), now=now)
    return numbers


def _at(now: datetime, days: int, number: int) -> datetime:
    """Some time in the working day, the same in every demonstration."""
    return (now - timedelta(days=days)).replace(hour=9 + number % 7, minute=number * 17 % 60, second=0, microsecond=0)
