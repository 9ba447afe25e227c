"""The close of a round: everything is counted once, what may be published is kept, and the rest is destroyed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from random import Random

from handlers.pulse import kept
from handlers.pulse.collation import Answer
from handlers.pulse.disclosure import PublishedComment, PublishedRound, publish, publishable_comments
from handlers.routing import core_team
from storage import outbox, people
from storage.database import Session
from storage.outbox import Notice
from storage.people import Group
from storage.pulse import answers, participation, results
from storage.pulse.answers import CHOICE
from storage.pulse.results import Comment
from storage.pulse.rounds import Round
from storage.pulse.sealing import Said


async def count(session: Session, round: Round, chance: Random) -> None:
    """Closes a round that is held by this transaction alone; raises Unreadable, and then nothing is changed."""
    asked = {person.id for person in await people.members(session, *round.groups)}
    began = {id for id, state in (await participation.of_round(session, round.id)).items() if state in participation.BEGAN}
    said = await answers.of_all(session, round.id)
    published, comments = _published(round, said, invited=len(asked | began), took_part=len(began), chance=chance)
    kept_comments = [Comment(dimension=each.dimension, text=each.text) for each in comments]
    await results.keep(session, round.id, kept.results_of(published), kept_comments)
    await answers.destroy(session)


def _published(
    round: Round, said: Sequence[Said], *, invited: int, took_part: int, chance: Random
) -> tuple[PublishedRound, tuple[PublishedComment, ...]]:
    """All that outlives the answers."""
    levels, comments = defaultdict[str, list[Answer]](list), defaultdict[str, list[str]](list)
    for each in said:
        if each.item != CHOICE:
            levels[each.item].append(each.level)
            comments[each.item] += [each.comment] if each.comment else []
    choices = [each.chosen for each in said if each.item == CHOICE]
    # Of a database that somebody restored in parts, more may be left of the answers than of those who gave them.
    took_part = max(took_part, len(choices), *map(len, levels.values()), 0)
    invited = max(invited, took_part)
    published = publish(kept.wheel_of(round), levels, choices, invited=invited, took_part=took_part, minimum=round.minimum)
    return published, publishable_comments(published, comments, chance)


async def tell(session: Session, round: Round, now: datetime) -> None:
    """Tells all who were invited, and the Core Team in its place, that the results are there."""
    args = {"round": str(round.id)}
    persons = [person for person in await people.members(session, *round.groups) if not core_team.held_by(person)]
    notices = [
        Notice(key=f"pulse:{round.id}:closed:{person.id}", kind="pulse.closed", person_id=person.id, args=args) for person in persons
    ]
    team = Notice(key=f"pulse:{round.id}:closed", kind="pulse.closed", group=Group.CORE_TEAM, args=args)
    await outbox.enqueue(session, team, *notices, due_at=now)
