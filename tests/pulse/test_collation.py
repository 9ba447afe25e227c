"""Collation: what numpy says, exactly."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.pulse.collation import DONT_KNOW, Answer, collate

ANSWERS = st.lists(st.sampled_from([1, 2, 3, 4, 5, DONT_KNOW, None]), max_size=80)


@given(answers=ANSWERS, order=st.randoms())
def test_median_and_quartiles_are_those_of_numpy(answers: list[Answer], order: random.Random) -> None:
    levels = [answer for answer in answers if answer]
    collation = collate(answers)
    if not levels:
        assert collation is None
        return
    assert collation is not None
    assert (collation.lower, collation.median, collation.upper) == tuple(np.quantile(levels, [0.25, 0.5, 0.75]))
    assert (collation.scored, collation.dont_know) == (len(levels), answers.count(DONT_KNOW))
    order.shuffle(answers)
    assert collate(answers) == collation


@pytest.mark.parametrize(
    ("answers", "lower", "median", "upper", "differ"),
    [
        ([3, 3, 3, 3, 3], 3, 3, 3, False), ([1, 2, 3, 4, 5], 2, 3, 4, True), ([1, 5], 2, 3, 4, True), ([2, 3], 2.25, 2.5, 2.75, False),
        ([4], 4, 4, 4, False), ([1, 1, 2, 2, 3, 4], 1.25, 2, 2.75, False), ([1, 1, 2, 3, 3, 4], 1.25, 2.5, 3, False),
        ([1, 1, 1, 3, 3, 3], 1, 2, 3, True), ([1, 1, 1, 2, 3, 3, 3, 3], 1, 2.5, 3, True), ([1, 1, 2, 3, 3, 3], 1.25, 2.5, 3, False),
    ],
)  # fmt: skip
def test_views_differ_when_the_middle_half_spans_two_levels(
    answers: list[int], lower: float, median: float, upper: float, differ: bool
) -> None:
    collation = collate(answers)
    assert collation is not None
    assert (collation.lower, collation.median, collation.upper, collation.views_differ) == (lower, median, upper, differ)


def test_dont_know_is_counted_and_never_scored() -> None:
    collation = collate([DONT_KNOW, 5, None, DONT_KNOW, 5])
    assert collation is not None
    assert (collation.scored, collation.dont_know, collation.median) == (2, 2, 5)


@pytest.mark.parametrize("answers", [[], [None], [DONT_KNOW, None, DONT_KNOW]])
def test_there_is_no_middle_of_nothing(answers: list[Answer]) -> None:
    assert collate(answers) is None


@pytest.mark.parametrize("answer", [-1, 6, 100])
def test_what_is_no_level_is_refused(answer: int) -> None:
    with pytest.raises(ValueError, match="a level from 1 to 5"):
        collate([3, answer])
