"""The Core Team's weekly digest: what needs a decision first, then what is new, what changed and what comes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from handlers import words
from handlers.calendar import local_day
from handlers.deadlines import waits
from handlers.routing import Occasion, Request, Router, core_team
from handlers.views import Block, Button, Card, Line, Lines, Message, Outcome, Reply, Text
from storage import education, ideas, outbox
from storage.database import Session
from storage.education import EventKind
from storage.projects import reports
from storage.pulse import participation, results, rounds
from storage.pulse.rounds import RoundState

router = Router()

WEEK = timedelta(days=7)
AHEAD = timedelta(days=14)
LATE = timedelta(hours=24)
"""A digest that is so late is not sent: the next one tells it all."""
MOST = 5
"""Lines of one part; the rest is counted."""
FOOTER = "I send this on Monday mornings. Type “digest” to see it at any time. An administrator can move it with “setup here”."


@dataclass(frozen=True, kw_only=True)
class Part:
    """One part of the digest: `total` things, of which the first are lines."""

    heading: str
    lines: tuple[Line, ...]
    total: int
    more: str
    """What to type for those that are left out."""


async def parts(session: Session, now: datetime) -> tuple[Part, ...]:
    """All that there is to say; parts without a line are left out."""
    made = (
        await _to_decide(session, now), await _needed(session, now), await _new(session, now), await _changes(session, now),
        await _coming(session, now), await _pulse(session), await _priorities(session, now), await _not_reached(session, now),
    )  # fmt: skip
    return tuple(part for part in made if part.total)


async def _to_decide(session: Session, now: datetime) -> Part:
    today = local_day(now)
    waiting = await ideas.list_to_decide(session, today, limit=MOST)
    lines = tuple(
        Line(
            text=f"{each.reference}: {each.title}",
            note=waits(each, now),
            button=Button(label="Open", action="ideas.open", args={"idea": str(each.id)}),
        )
        for each in waiting
    )
    return Part(heading="Needs a decision", lines=lines, total=await ideas.count_to_decide(session, today), more="triage")


async def _needed(session: Session, now: datetime) -> Part:
    """What the newest report of each project that reported this week asks for."""
    newest = {each.project_id: each for each in reversed(await reports.list_since(session, now - WEEK))}
    asking = [each for each in newest.values() if each.needed]
    lines = tuple(
        Line(
            text=f"{each.project}: {words.short(each.needed, 300)}",
            note=f"Asked for on {words.day(each.at)} by {each.by}.",
            button=Button(label="Open", action="projects.open", args={"project": str(each.project_id)}),
        )
        for each in asking[:MOST]
    )
    return Part(heading="Projects need a decision or help", lines=lines, total=len(asking), more="status")


async def _new(session: Session, now: datetime) -> Part:
    """How many came this week; those that wait stand above."""
    new, problems = await ideas.count_shared(session, since=now - WEEK, until=now)
    said = f"{words.count(new, 'new idea')} this week"
    told = f"{said}, {words.number(problems)} of them a problem with no idea yet." if problems else f"{said}."
    return Part(heading="New ideas", lines=(Line(text=told),) if new else (), total=1 if new else 0, more="triage")


async def _changes(session: Session, now: datetime) -> Part:
    made = await reports.list_since(session, now - WEEK)
    lines = tuple(
        Line(
            text=each.project,
            note=f"{words.rating(each.rag, each.was)}. Updated {words.day(each.at)} by {each.by}.",
            button=Button(label="Open", action="projects.open", args={"project": str(each.project_id)}),
        )
        for each in made[:MOST]
    )
    return Part(heading="Project changes", lines=lines, total=len(made), more="status")


async def _coming(session: Session, now: datetime) -> Part:
    there = [event for kind in EventKind for event in await education.list_coming(session, kind, now=now, until=now + AHEAD, limit=MOST)]
    soon = sorted(there, key=lambda event: event.starts_at)
    total = sum([await education.count_coming(session, kind, now=now, until=now + AHEAD) for kind in EventKind])
    lines = tuple(
        Line(
            text=event.title,
            note=f"{words.moment(event.starts_at)}. {words.number(event.coming)} of {words.count(event.places, 'place')} taken.",
            button=Button(label="Open", action="education.open", args={"event": str(event.id)}),
        )
        for event in soon[:MOST]
    )
    return Part(heading="Sessions in the next 2 weeks", lines=lines, total=total, more="cop” or “training")


async def _pulse(session: Session) -> Part:
    """How far the open round is: a number, and nobody's name."""
    round = await rounds.under_way(session)
    lines: tuple[Line, ...] = ()
    if round is not None and round.state is RoundState.OPEN:
        finished, asked = await participation.progress(session, round.id, round.groups)
        said = f"{words.number(finished)} of {words.count(asked, 'person', 'people')} have finished."
        lines = (Line(text=said, note=f"It is open until {words.moment(round.closes_at)}."),)
    return Part(heading="The maturity pulse", lines=lines, total=len(lines), more="pulse progress")


async def _priorities(session: Session, now: datetime) -> Part:
    """What was agreed on a round of the pulse and is soon to be looked at again, or should have been."""
    until = local_day(now + AHEAD)
    lines = tuple(
        Line(
            text=each.title,
            note=f"{each.owner} looks after it. To be looked at again on {words.day(each.review_on)}.",
            button=Button(label="Open", action="pulse.results", args={"round": str(each.round_id)}),
        )
        for each in await results.list_due(session, until, limit=MOST)
    )
    return Part(heading="Priorities to look at again", lines=lines, total=await results.count_due(session, until), more="pulse results")


async def _not_reached(session: Session, now: datetime) -> Part:
    """Who was not told of something this week, and why: the digest is for the Core Team alone."""
    lost = await outbox.list_lost(session, since=now - WEEK)
    lines = [
        Line(text=f"{each.name or 'A group’s place'}: {words.count(each.number, 'message')} did not arrive", note=f"Why: {each.reason}.")
        for each in lost[:MOST]
    ]
    if rest := sum(each.number for each in lost[MOST:]):
        text = f"And {words.count(rest, 'more message', 'more messages')} did not arrive."
        lines.append(Line(text=text, note="Whoever runs the server can see all: dih messages."))
    return Part(heading="Not reached this week", lines=tuple(lines), total=len(lines), more="")


def _blocks(made: Sequence[Part]) -> tuple[Block, ...]:
    blocks: list[Block] = []
    for part in made:
        blocks += [Text(text=part.heading, kind="heading"), Lines(lines=part.lines)]
        if part.total > len(part.lines):
            rest = part.total - len(part.lines)
            blocks.append(Text(text=f"And {words.number(rest)} more: type “{part.more}”.", kind="note"))
    return tuple(blocks)


def _card(made: Sequence[Part], now: datetime) -> Card:
    return Card(title=f"The hub on {words.day(now)}", blocks=(*_blocks(made), Text(text=FOOTER, kind="note")))


@router.command("digest", "see the Core Team’s digest now", may=core_team, reads=True)
async def show(request: Request) -> Outcome:
    """The digest as it would be sent at this moment."""
    made = await parts(request.session, request.now)
    if not made:
        return Reply(card=Card(title="Nothing to tell", blocks=(Text(text="Nothing waits, and nothing has changed this week."),)))
    return Reply(card=_card(made, request.now))


@router.message("digest.weekly", awaited=False)
async def weekly(occasion: Occasion) -> Message | None:
    """The digest as it is true when it is sent; silent when there is nothing to say, when it is late, or to those it is not for."""
    if occasion.now - datetime.fromisoformat(occasion.args["slot"]) >= LATE:
        return None
    if occasion.person is not None and not core_team.held_by(occasion.person):
        return None
    made = await parts(occasion.session, occasion.now)
    return Message(card=_card(made, occasion.now)) if made else None
