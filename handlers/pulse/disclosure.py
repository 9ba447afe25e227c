"""Disclosure control: what of a round may be published. Pure; nothing else of the answers is to outlive the round.

**The promise.** Take somebody who knows these rules, who took part, every published round, and all answers of one participant, usually
their own. There is no other participant of whose answer to a dimension (a level, Don't know or nothing) they can be certain, in any
round; nor of whether another chose a dimension among the three to work on. Of levels, this holds even for somebody who also knows who
gave a level and who did not. Nothing is promised against somebody who knows the answers of several participants, and nothing is said of
what is likely.

**The rule.** A dimension is shown when at least `minimum` people, never fewer than 3, gave a level, and (n, lower, median, upper) is not
unsafe. Else nothing of it is. Its worlds are all multisets of n levels with these quartiles. It is unsafe when one of them holds a level
`own` such that in every world that holds `own` the other n - 1 levels are one and the same. That depends only on what would be published,
so the decision is no hint in itself: five 5s are not shown because 5, 5, 5, 5 and 1 would look the same, and whoever said 1 would know
all others.

**Shown is safe.** Say who gave a level in which dimension and round. Then the worlds of each vary by themselves, because no published
value depends on two of them. Within one, the others' levels may change places. So one of them is certain only where all are, in every
world alike: which is unsafe. Whoever gave no level there knows less than those who did.

**From 9 levels on, nothing is unsafe.** Sort the levels, the first at place 0. The lower quartile lies at (n - 1) / 4 >= 2, so of places
0 and 1 it tells only that they are not above place 2; the same at the other end. Let all others be c, and own <= c (else mirror it). If
own < c, place 1 may be `own` too. If own = c, place 0 may be 1; or, where c = 1, the last may be 5. Either way the others differ. Up to 8
levels, worlds are listed.

**“Not shown” is safe.** Say n is known. Below `minimum`, all is possible. Otherwise it was unsafe. Up to 4 levels, quartiles tell all, so
n - 1 times c beside `own` is unsafe for every c; from 5 to 8 it is for c = 1 and for c = 5. So the others may all be the one or all be
the other.

**Don't know and nothing are safe** from somebody who is not told them. If some other participant answered otherwise, the two may change
places in all of that round. If none did, at most one person gave a level, and the dimension is not shown; if one of the others gave a
level too, it would still not be, as 2 < 3. All this stays true where participants are known to have answered at least one dimension.

**The three most chosen** are shown as a set, in the wheel's order, with ties to the earlier. Let m others have chosen. Any votes up to m
each and m to 3m in all can be theirs: deal them out in turn. When m >= 4, so with 5 people, nothing is certain, whatever `own` chose. For
give each of the three t votes of others: with t the greater of 2 and m / 3 rounded up, t < m, each of the three is chosen by some and not
by all, and others by none. With t the greater of 3 and (m - 1) / 3 rounded up, there is room for one vote for any other dimension. Where
it is not shown, the others may have chosen nothing, or one of them anything. In the order of votes, or with 4 people, it would not be
safe; the tests show how.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain, combinations_with_replacement
from random import Random
from typing import TypeAlias

from handlers.pulse.collation import Answer, Collation, collate, quartiles
from handlers.pulse.wheel import LEVELS, Wheel

MINIMUM = 5
LEAST_MINIMUM = 3
"""Of 2 levels each would know the other's."""
FEWEST_CHOOSERS = 5
"""People who chose what to work on, however low the minimum of levels is."""
MOST_CHOSEN = 3
NOT_SHOWN = "Not shown"
"""Said for every reason; which one it was would be a hint."""

_LARGEST_UNSAFE = 8
_Multiset: TypeAlias = tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class PublishedDimension:
    """What is kept of one dimension; no collation means NOT_SHOWN."""

    key: str
    collation: Collation | None


@dataclass(frozen=True, kw_only=True)
class PublishedRound:
    """All that is kept of a round besides its comments.

    `dimensions` are in the wheel's order. `most_chosen` are the keys of three dimensions, also in that order; None means NOT_SHOWN.
    """

    wheel: str
    version: int
    minimum: int
    invited: int
    took_part: int
    dimensions: tuple[PublishedDimension, ...]
    most_chosen: tuple[str, ...] | None

    @property
    def response_rate(self) -> float:
        """From 0 to 1."""
        return self.took_part / self.invited if self.invited else 0.0

    def collation(self, dimension: str) -> Collation | None:
        """What is shown of a dimension, None where nothing is."""
        return next((each.collation for each in self.dimensions if each.key == dimension), None)

    def before(self, last: PublishedRound | None, dimension: str) -> Collation | None:
        """What the last round showed of the same dimension of the same wheel version; None where there is nothing to compare."""
        if last is None or (last.wheel, last.version) != (self.wheel, self.version) or self.collation(dimension) is None:
            return None
        return last.collation(dimension)


@dataclass(frozen=True, kw_only=True)
class PublishedComment:
    """What somebody wrote about a dimension."""

    dimension: str
    text: str


def publish(
    wheel: Wheel,
    answers: Mapping[str, Sequence[Answer]],
    choices: Sequence[Collection[str]] = (),
    *,
    invited: int,
    took_part: int,
    minimum: int = MINIMUM,
) -> PublishedRound:
    """What may be published of a round that has closed; raises ValueError for numbers and keys that cannot be.

    `answers`: of each dimension by its key, in any order; nothing said is None or left out. `choices`: for each person who chose, the keys
    of up to three dimensions. `took_part`: people who began, even if they skipped every dimension; those who only chose are among them.
    """
    keys = [dimension.key for dimension in wheel.dimensions]
    if minimum < LEAST_MINIMUM:
        raise ValueError(f"the minimum must be at least {LEAST_MINIMUM}")
    if not set(keys).issuperset(chain(answers, *choices)) or any(len(set(chosen)) > MOST_CHOSEN for chosen in choices):
        raise ValueError(f"answers and choices are of the wheel's dimensions, with {MOST_CHOSEN} choices at most")
    if not max(map(len, [*answers.values(), choices])) <= took_part <= invited:
        raise ValueError("each participant was invited, and answers and chooses once")
    return PublishedRound(
        wheel=wheel.key,
        version=wheel.version,
        minimum=minimum,
        invited=invited,
        took_part=took_part,
        dimensions=tuple(PublishedDimension(key=key, collation=_publishable(answers.get(key, ()), minimum)) for key in keys),
        most_chosen=_most_chosen(keys, choices, max(minimum, FEWEST_CHOOSERS)),
    )


def publishable_comments(published: PublishedRound, comments: Mapping[str, Iterable[str]], chance: Random) -> tuple[PublishedComment, ...]:
    """The comments on dimensions that are shown, in the wheel's order, and those on one dimension in random order."""
    kept = []
    for each in published.dimensions:
        if each.collation:
            texts = list(comments.get(each.key, ()))
            chance.shuffle(texts)
            kept += [PublishedComment(dimension=each.key, text=text) for text in texts]
    return tuple(kept)


def _publishable(answers: Sequence[Answer], minimum: int) -> Collation | None:
    collation = collate(answers)
    if collation is None or collation.scored < minimum:
        return None
    return None if (collation.lower, collation.median, collation.upper) in _unsafe(collation.scored) else collation


def _most_chosen(keys: Sequence[str], choices: Sequence[Collection[str]], fewest: int) -> tuple[str, ...] | None:
    votes = Counter(key for chosen in choices for key in set(chosen))
    if sum(map(bool, choices)) < fewest or len(votes) < MOST_CHOSEN:
        return None
    ranked = sorted(filter(votes.__contains__, keys), key=votes.__getitem__, reverse=True)  # a stable sort: ties stay in order
    return tuple(key for key in keys if key in ranked[:MOST_CHOSEN])


@cache
def _unsafe(scored: int) -> frozenset[tuple[float, float, float]]:
    """The quartiles of this many levels that would make somebody certain."""
    if scored > _LARGEST_UNSAFE:
        return frozenset()
    worlds = defaultdict(list)
    for levels in combinations_with_replacement(LEVELS, scored):
        worlds[quartiles(levels)].append(levels)
    return frozenset(shown for shown, alike in worlds.items() if any(_certain(alike, own) for own in LEVELS))


def _certain(worlds: Iterable[_Multiset], own: int) -> bool:
    """Whether these worlds leave others but one level, the same for all, when one answer is known to be `own`."""
    others = {_without(own, levels) for levels in worlds if own in levels}
    return len(others) == 1 and len(set(*others)) == 1


def _without(own: int, levels: _Multiset) -> _Multiset:
    place = levels.index(own)
    return levels[:place] + levels[place + 1 :]
