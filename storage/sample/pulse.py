"""Maturity pulses: two rounds that are over with what was published of them, and one that is open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from storage.database import Session, secret_keys
from storage.people import Group
from storage.pulse import answers, participation, results, rounds
from storage.pulse.results import Comment, Numbers, Results
from storage.pulse.rounds import WheelWords
from storage.pulse.sealing import Said
from storage.sample.roles import SampleHub

MINIMUM = 5
FRIDAY = 4
COMMENTS = (
    Comment(dimension="needs", text="We list needs, but each partner keeps its own list."),
    Comment(dimension="spreading", text="Good work stays where it was done. Nobody is asked to carry it further."),
    Comment(dimension="spreading", text="We need time set aside for it, or it will not happen."),
    Comment(dimension="culture", text="The education days helped. More people should be let go to them."),
)
CHOSEN = ("spreading", "evidence", "culture")


@dataclass(frozen=True, kw_only=True)
class Over:
    """A round that is over: how many days ago it closed, and what was published of it."""

    days_ago: int
    invited: int
    took_part: int
    numbers: Mapping[str, tuple[int, int, int, int, int]]
    """Scored, Don't know, lower quartile, median and upper quartile, these three in quarters of a level; of the illustrative wheel."""
    chosen: tuple[str, ...]
    comments: tuple[Comment, ...] = ()


FIRST = Over(
    days_ago=711,
    invited=12,
    took_part=9,
    numbers={
        "purpose": (9, 0, 4, 8, 12),
        "needs": (9, 0, 4, 8, 8),
        "finding": (8, 1, 4, 8, 10),
        "adopting": (8, 1, 4, 6, 8),
        "spreading": (7, 2, 4, 4, 8),
        "evidence": (8, 1, 4, 8, 8),
        "culture": (9, 0, 8, 12, 12),
        "partnership": (9, 0, 4, 8, 12),
    },
    chosen=("adopting", "spreading", "partnership"),
)
LAST = Over(
    days_ago=346,
    invited=14,
    took_part=11,
    numbers={
        "purpose": (11, 0, 8, 12, 13),
        "needs": (11, 0, 8, 8, 12),
        "finding": (10, 1, 4, 8, 12),
        "adopting": (11, 0, 8, 8, 10),
        "spreading": (9, 2, 4, 8, 8),
        "evidence": (10, 1, 6, 8, 12),
        "culture": (11, 0, 8, 10, 12),
        "partnership": (11, 0, 8, 12, 16),
    },
    chosen=CHOSEN,
    comments=COMMENTS,
)
PRIORITIES = (
    ("Education programme: three days a year, and a follow-up", "core", 7),
    ("Developing the Impact: every partner reports once a year", "network", 45),
    ("A common language for stages and benefits", "partner", 80),
)
"""Who looks after each, and after how many days it is looked at again, on a Friday."""
ANSWERS: Mapping[str, tuple[int | None, ...]] = {
    "dietitian": (3, 3, 2, 3, 2, 3, 4, 4),
    "social": (4, 3, 3, 2, 2, 0, 3, 4),
    "lecturer": (3, 2, 3, 3, 3, 2, 4, 3),
    "officer": (2, 2, None, 2, 1, 2, 2, 4),
    "network": (4, 4, 3, 3, 2, 3, 3, 5),
}
"""One level a dimension, 0 for Don't know. Those whom one can be in the demonstration have not answered."""
SAID = {
    ("social", "needs"): "The needs of social care come in late.",
    ("network", "spreading"): "We could ask each project for its next site before it starts.",
}


async def load(session: Session, hub: SampleHub, *, wheel: WheelWords, now: datetime) -> None:
    """Adds the rounds; the open one only where there are secret keys to seal its answers."""
    await _add_over(session, wheel, now, FIRST)
    last = await _add_over(session, wheel, now, LAST)
    for title, owner, days in PRIORITIES:
        review_on = _friday(now + timedelta(days=days)).date()
        await results.add_priority(session, last, most=3, title=title, owner_id=hub.people[owner], review_on=review_on)
    if secret_keys(session):
        await _this_year(session, hub, wheel, now)


async def _add_over(session: Session, wheel: WheelWords, now: datetime, over: Over) -> int:
    """The round's id."""
    closed = _friday(now - timedelta(days=over.days_ago)).replace(hour=17, minute=0, second=0, microsecond=0)
    opened = closed - timedelta(days=14)
    round = await rounds.add(session, wheel=wheel, opens_at=opened, closes_at=closed, groups=tuple(Group), minimum=MINIMUM)
    numbers = tuple(
        Numbers(dimension=key, scored=scored, dont_know=dont_know, lower=lower, median=median, upper=upper)
        for key, (scored, dont_know, lower, median, upper) in over.numbers.items()
    )
    published = Results(invited=over.invited, took_part=over.took_part, numbers=numbers, most_chosen=over.chosen)
    await results.keep(session, round.id, published, over.comments)
    await rounds.mark_cleaned(session, round.id)
    return round.id


def _friday(at: datetime) -> datetime:
    """That day, or the Friday after it."""
    return at + timedelta(days=(FRIDAY - at.weekday()) % 7)


async def _this_year(session: Session, hub: SampleHub, wheel: WheelWords, now: datetime) -> None:
    closes = _friday(now + timedelta(days=7)).replace(hour=17, minute=0, second=0, microsecond=0)
    opened = now - timedelta(days=4)
    round = await rounds.add(session, wheel=wheel, opens_at=opened, closes_at=closes, groups=tuple(Group), minimum=MINIMUM)
    await answers.add_key(session, round.id)
    for person, levels in ANSWERS.items():
        id = hub.people[person]
        for item, level in zip(wheel.items, levels, strict=True):
            said = Said(item=item, level=level, comment=SAID.get((person, item), ""))
            await answers.save(session, round, id, said, now=now)
        await answers.save(session, round, id, Said(item=answers.CHOICE, chosen=CHOSEN), now=now)
        await participation.finish(session, round.id, id)
