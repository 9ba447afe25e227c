"""What became of the sample's ideas, and who has the same need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from storage import ideas, people, projects, support
from storage.database import Session
from storage.ideas import Decision, Idea, IdeaState, Signpost
from storage.people import Person
from storage.projects import ProjectType
from storage.sample.roles import SampleHub

_CLOSES = timedelta(days=8)  # 6 working days, where none of them is a bank holiday


@dataclass(frozen=True, kw_only=True)
class SampleOutcome:
    """How somebody of the Core Team decided an idea, `days` before now.

    `then` is how many days later the next step is due; `review` the days from now on which an idea that was put off is looked at again.
    """

    days: int
    by: str
    state: IdeaState
    reason: str
    next_step: str
    then: int | None = 14
    review: int | None = None
    signpost: Signpost | None = None
    existing: int | None = None
    project: ProjectType | None = None
    sro: str = ""


def _accepted(days: int, by: str, reason: str, next_step: str, project: ProjectType | None = None, sro: str = "") -> SampleOutcome:
    return SampleOutcome(days=days, by=by, state=IdeaState.ACCEPTED, reason=reason, next_step=next_step, project=project, sro=sro)


def _signposted(days: int, by: str, signpost: Signpost, reason: str, next_step: str) -> SampleOutcome:
    return SampleOutcome(days=days, by=by, state=IdeaState.SIGNPOSTED, signpost=signpost, reason=reason, next_step=next_step)


def _not_now(days: int, by: str, review: int, reason: str) -> SampleOutcome:
    again = "We look at the idea again, and tell you."
    return SampleOutcome(days=days, by=by, state=IdeaState.NOT_NOW, review=review, reason=reason, next_step=again, then=None)


def _not_suitable(days: int, by: str, reason: str) -> SampleOutcome:
    ask = "Nothing more for now. You can ask us about it at any time."
    return SampleOutcome(days=days, by=by, state=IdeaState.NOT_SUITABLE, reason=reason, next_step=ask, then=None)


OUTCOMES: Mapping[int, SampleOutcome] = {
    1: _signposted(
        352, "core", Signpost.PARTNER, "The leisure teams of both councils already run such classes and want to run more.",
        "We introduce you to the leisure team that covers your villages.",
    ),
    2: _accepted(
        203, "network", "Four partners have this need, and there are good tools to choose from.",
        "The frailty teams choose one screening tool together.",
    ),
    3: _accepted(
        153, "core", "People wait months for a test that takes minutes. All primary care networks want it.",
        "We agree with the practices who holds the devices.",
    ),
    4: _signposted(
        316, "core", Signpost.QUALITY_IMPROVEMENT, "One ward can try this next week, without a project.",
        "The quality improvement team helps your ward to try it with ten people.",
    ),
    5: _signposted(
        303, "network", Signpost.MTFM, "PLGF testing is on the national list, and a project for it is under way.",
        "The project’s lead tells you when your unit can begin.",
    ),
    6: _signposted(
        291, "lecturer", Signpost.INNOVATION_SERVICE, "The kit is new: it needs advice on evidence and rules before anybody can buy it.",
        "You register it there. They find the right adviser for you.",
    ),
    7: _not_suitable(
        280, "core", "People can ring NHS 111 and choose the mental health line, at all hours. A second number would confuse them."
    ),
    8: _signposted(
        269, "core", Signpost.MTFM, "gammaCore is on the national list. Sharing what first sites learned is part of that work.",
        "The project sends the business case and the leaflet to all hospitals.",
    ),
    9: _not_now(256, "network", 45, "Care homes ask us to wait until their new menus have settled in."),
    10: _signposted(
        243, "lecturer", Signpost.CLINICAL_AUDIT, "Reviews after a fall are already the rule. We do not know how often they happen.",
        "The audit team counts them in three practices.",
    ),
    11: _signposted(
        231, "network", Signpost.PARTNER, "The two councils share one equipment store and plan a list of what comes back.",
        "The store’s manager invites you to test the list.",
    ),
    12: _signposted(
        221, "core", Signpost.RESEARCH, "A good match for the university’s call for questions.",
        "We send our priorities to the course leads before September.",
    ),
    13: _signposted(
        208, "lecturer", Signpost.QUALITY_IMPROVEMENT, "A ward can try this safely, with its own staff.",
        "The quality improvement team helps you to measure sleep before and after.",
    ),
    14: _not_now(198, "core", -3, "The volunteers’ service has no coordinator for evenings yet. It hopes to have one this autumn."),
    15: _not_suitable(
        186, "network", "Each practice buys its own reminders, and the hub cannot change that. Your practice’s supplier can add languages."
    ),
    17: _signposted(
        163, "core", Signpost.PARTNER, "The Falls Prevention project is agreeing one form with three services.",
        "You are invited to the meeting where the form is agreed.",
    ),
    18: _signposted(
        151, "network", Signpost.QUALITY_IMPROVEMENT, "The kitchen can do it from next week, so it needs no project.",
        "The ward’s dietitian and the quality improvement team try it for a month.",
    ),
    19: _not_now(140, "lecturer", 60, "There is no money for kits this year. The maternity teams ask for it again in spring."),
    20: _signposted(
        128, "core", Signpost.MTFM, "The national team already writes one page on each product.",
        "We put the links where our partners find them.",
    ),
    21: _signposted(
        117, "network", Signpost.QUALITY_IMPROVEMENT, "Homes can begin on their own. They only need to learn from each other.",
        "Two homes try it and report at the care homes’ forum.",
    ),
    22: _signposted(
        104, "core", Signpost.PARTNER, "Police and councils already share a form for people who may go missing.",
        "The safeguarding lead shows you how it is used.",
    ),
    23: SampleOutcome(
        days=93, by="core", state=IdeaState.ALREADY_EXISTS, existing=3, then=None,
        reason="The FeNO project already adds an inhaler check to each test.",
        next_step="The project’s lead hears from you what your practice needs.",
    ),
    24: _not_suitable(81, "lecturer", "The two councils have different rules, and both have just made a film of their own."),
    26: _accepted(
        50, "network", "Two clubs can begin now, and three partners have the same need.",
        "We find a third kitchen and agree what to measure.", ProjectType.PARTNER,
    ),
    27: _accepted(
        38, "core", "It reaches everybody who is new, and the course has room for it.", "We plan the first session with the course lead.",
        ProjectType.PARTNER, "Dean of health sciences",
    ),
    28: _not_now(33, "core", 30, "The hospitals change their record system this winter. Nothing can be joined to it before."),
}  # fmt: skip
ASSESSED: Mapping[int, tuple[str, int]] = {29: ("network", 26), 31: ("lecturer", 4)}
"""Who has an idea that is not decided yet, and since how many days."""
SUPPORTERS: Mapping[int, Sequence[str]] = {
    1: ("gp", "social", "partner"),
    3: ("pharmacist", "nurse"),
    9: ("dietitian", "nurse"),
    14: ("nurse", "social"),
    17: ("nurse", "officer", "carehomes"),
    23: ("nurse",),
    26: ("dietitian", "social", "gp"),
    28: ("nurse", "pharmacist", "midwife"),
    30: ("carehomes", "dietitian", "physio"),
    32: ("partner", "nurse"),
}


async def load(session: Session, hub: SampleHub, numbers: Sequence[int], *, now: datetime) -> None:
    """Supports, takes on and decides the ideas with these numbers."""
    shared = {place: await _idea(session, number) for place, number in enumerate(numbers, start=1)}
    for place, supporters in SUPPORTERS.items():
        for key in supporters:
            given_at = shared[place].submitted_at + timedelta(hours=2)
            await support.add(session, shared[place].id, await _person(session, hub, key), now=given_at)
    for place, (key, days) in ASSESSED.items():
        await _take_on(session, hub, shared[place], key, now - timedelta(days=days))
    for place, sample in OUTCOMES.items():
        await _decide(session, hub, shared, place, sample, now)


async def _idea(session: Session, id: int) -> Idea:
    idea = await ideas.find(session, id)
    assert idea is not None
    return idea


async def _person(session: Session, hub: SampleHub, key: str) -> Person:
    person = await people.find(session, hub.people[key])
    assert person is not None
    return person


async def _take_on(session: Session, hub: SampleHub, idea: Idea, key: str, at: datetime) -> None:
    due_on = (idea.submitted_at + _CLOSES).date()
    await ideas.take_on(session, idea.id, was=IdeaState.SUBMITTED, assessor_id=hub.people[key], due_on=due_on, now=at)


async def _decide(session: Session, hub: SampleHub, shared: Mapping[int, Idea], place: int, sample: SampleOutcome, now: datetime) -> None:
    idea, at = shared[place], now - timedelta(days=sample.days)
    existing = shared[sample.existing] if sample.existing else None
    decision = Decision(
        state=sample.state,
        reason=sample.reason,
        next_step=sample.next_step,
        next_by=(await _person(session, hub, sample.by)).name,
        next_on=(at + timedelta(days=sample.then)).date() if sample.then else None,
        review_on=(now + timedelta(days=sample.review)).date() if sample.review else None,
        signpost=sample.signpost,
        existing_id=existing.id if existing else None,
    )
    await _take_on(session, hub, idea, sample.by, idea.submitted_at + timedelta(days=2))
    await ideas.decide(session, idea.id, decision, by_id=hub.people[sample.by], now=at)
    if existing:
        await support.carry_over(session, idea, existing, now=at)
    if sample.project:
        organisations = (idea.organisation_id,) if idea.organisation_id else ()
        project_id = await projects.add(
            session, name=idea.title, type=sample.project, need=idea.need, sro=sample.sro, organisation_ids=organisations, idea_id=idea.id,
            now=at,
        )  # fmt: skip
        await ideas.link_project(session, idea.id, project_id)
