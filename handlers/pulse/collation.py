"""The collation of one dimension: how many scored, how many did not know, the middle and the middle half. Pure and exact."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from handlers.pulse.wheel import LEVELS

DONT_KNOW = 0
Answer: TypeAlias = int | None
"""What one participant said of one dimension: a level, DONT_KNOW, or None for nothing."""


@dataclass(frozen=True, kw_only=True)
class Collation:
    """What the answers come to. Median and quartiles are in quarters of a level, which a float holds exactly."""

    scored: int
    dont_know: int
    lower: float
    median: float
    upper: float

    @property
    def views_differ(self) -> bool:
        """The middle half spans two levels or more."""
        return self.upper - self.lower >= 2


def collate(answers: Iterable[Answer]) -> Collation | None:
    """The collation of one dimension, None where nobody scored; raises ValueError for what is no answer."""
    given = [answer for answer in answers if answer is not None]
    if not set(given) <= {DONT_KNOW, *LEVELS}:
        raise ValueError("an answer is a level from 1 to 5, DONT_KNOW or None")
    scored = sorted(answer for answer in given if answer != DONT_KNOW)
    if not scored:
        return None
    lower, median, upper = quartiles(scored)
    return Collation(scored=len(scored), dont_know=len(given) - len(scored), lower=lower, median=median, upper=upper)


def quartiles(ascending: Sequence[int]) -> tuple[float, float, float]:
    """Lower quartile, median and upper quartile of at least one level.

    By linear interpolation between the two nearest, the first being at 0 and the last at 1: Hyndman and Fan's type 7, as numpy and most
    spreadsheets do (QUARTILE.INC).
    """
    return _quartile(ascending, 1), _quartile(ascending, 2), _quartile(ascending, 3)


def _quartile(ascending: Sequence[int], which: int) -> float:
    place, quarters = divmod((len(ascending) - 1) * which, 4)
    following = ascending[place + 1] if quarters else ascending[place]
    return ((4 - quarters) * ascending[place] + quarters * following) / 4
