"""Somebody who wants to know what another answered, and tries every world that leaves what was published as it is.

Knows the publisher's rules as a black box, who took part, and one answer. Shares no code with the publisher.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from itertools import combinations, combinations_with_replacement
from operator import add
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from handlers.pulse.collation import Collation

Answer: TypeAlias = int | None
World: TypeAlias = tuple[Answer, ...]
"""What all participants answered to one dimension, in no order."""
Rules: TypeAlias = Callable[[World], Collation | None]
LEVELS = (1, 2, 3, 4, 5)
ANSWERS: World = (None, 0, *LEVELS)

Choice: TypeAlias = frozenset[str]
Shown: TypeAlias = tuple[str, ...] | None
Votes: TypeAlias = tuple[int, ...]
"""How many chose each dimension, in the wheel's order."""
ChoiceRules: TypeAlias = Callable[[Votes, tuple[Choice, ...]], Shown]
"""What is shown of these votes, and one way in which they came about."""


def is_certain(own: Answer, worlds: Iterable[World]) -> bool:
    """Whether the others answered one and the same in every world that holds one's own answer; where they differ, who is who is open."""
    return _leaves_no_doubt(_without(own, world) for world in worlds if own in world)


def outsider_is_certain(worlds: Iterable[World]) -> bool:
    """The same for somebody who knows nobody's answer."""
    return _leaves_no_doubt(worlds)


def _leaves_no_doubt(worlds: Iterable[World]) -> bool:
    possible: set[Answer] = set()
    for others in worlds:
        possible.update(others)
        if len(possible) > 1:
            return False
    return len(possible) == 1


def _without(own: Answer, world: World) -> World:
    others = list(world)
    others.remove(own)
    return tuple(others)


def all_worlds(people: int) -> Iterator[World]:
    """Every way in which so many people may answer, those with few levels first."""
    return combinations_with_replacement(ANSWERS, people)


def worlds_left(sees: Collation | None, people: int, rules: Rules) -> Iterator[World]:
    """The worlds of which the rules would publish just this."""
    if sees is None:
        yield from (world for world in all_worlds(people) if rules(world) is None)
        return
    silent: World = (0,) * sees.dont_know + (None,) * (people - sees.scored - sees.dont_know)
    yield from (world for levels in levels_left(sees) if rules(world := (*levels, *silent)) == sees)


def worlds_left_of_scorers(sees: Collation | None, scored: int, rules: Rules) -> Iterator[World]:
    """The levels that are left to somebody who also knows who gave one."""
    candidates = combinations_with_replacement(LEVELS, scored) if sees is None else levels_left(sees)
    yield from (levels for levels in candidates if (rules(levels) is None) == (sees is None))


def levels_left(sees: Collation) -> Iterator[World]:
    """All multisets of levels with these quartiles."""
    counts, codes = multisets(sees.scored)
    for row in counts[codes == code(sees.lower, sees.median, sees.upper)]:
        yield tuple(level for level, count in zip(LEVELS, row, strict=True) for _ in range(count))


def code(lower: float, median: float, upper: float) -> int:
    """Three quartiles as one number."""
    return int((lower * 4 * 21 + median * 4) * 21 + upper * 4)


@cache
def multisets(scored: int) -> tuple[NDArray[np.int8], NDArray[np.int16]]:
    """(How often each level occurs, the code of the quartiles) for every multiset of so many levels."""
    ends = np.arange(scored + 1)[:, None]  # where each level ends in the sorted multiset, the lowest first
    for _ in LEVELS[2:]:
        room = ends[:, 0] + 1
        lower = np.arange(room.sum()) - np.repeat(room.cumsum() - room, room)
        ends = np.column_stack([lower, np.repeat(ends, room, axis=0)])
    ends = np.column_stack([ends, np.full(len(ends), scored)])
    counts = np.diff(ends, axis=1, prepend=0).astype(np.int8)
    quarters = []
    for share in (0.25, 0.5, 0.75):
        place = (scored - 1) * share
        below, above = ((ends <= edge(place)).sum(axis=1) + 1 for edge in (np.floor, np.ceil))
        quarters.append(below + (above - below) * (place % 1))
    return counts, ((quarters[0] * 4 * 21 + quarters[1] * 4) * 21 + quarters[2] * 4).astype(np.int16)


def possible_choices(keys: str, least: int = 1) -> list[Choice]:
    """All choices of `least` to three of these dimensions."""
    return [frozenset(chosen) for size in range(least, 4) for chosen in combinations(keys, size)]


def votes_of(people: int, keys: str, choices: Iterable[Choice]) -> Mapping[Votes, tuple[Choice, ...]]:
    """All votes that so many people can give by choosing among the choices, each with one way to give them."""
    options = {_ballot(choice, keys): choice for choice in choices}
    reached: dict[Votes, tuple[Choice, ...]] = {(0,) * len(keys): ()}
    for _ in range(people):
        reached = {tuple(map(add, votes, ballot)): (*way, options[ballot]) for votes, way in reached.items() for ballot in options}
    return reached


def _ballot(choice: Choice, keys: str) -> Votes:
    return tuple(int(key in choice) for key in keys)


def choices_betrayed(own: Choice, keys: str, people: int, others: Mapping[Votes, tuple[Choice, ...]], rules: ChoiceRules) -> list[Shown]:
    """What of all that may be shown makes the owner of a choice certain that another chose a dimension, or did not.

    `others` are the votes that the `people` besides may have given. In a world where some did and some did not, who did is open.
    """
    least: dict[Shown, Votes] = {}
    most: dict[Shown, Votes] = {}
    ballot = _ballot(own, keys)
    for votes, way in others.items():
        sees = rules(tuple(map(add, votes, ballot)), (own, *way))
        least[sees] = tuple(map(min, least.get(sees, votes), votes))
        most[sees] = tuple(map(max, most.get(sees, votes), votes))
    return [sees for sees in least if people in least[sees] or 0 in most[sees]]
