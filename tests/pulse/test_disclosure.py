"""What is published never makes anybody certain of another's answer; and the attacker who says so can win."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from functools import cache
from itertools import combinations_with_replacement, product
from random import Random

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from handlers.pulse.collation import DONT_KNOW, Answer, Collation, collate
from handlers.pulse.disclosure import LEAST_MINIMUM, MINIMUM, PublishedRound, publish, publishable_comments
from handlers.pulse.wheel import Dimension, Wheel, illustrative
from tests.pulse.attacker import (
    ANSWERS,
    LEVELS,
    Choice,
    ChoiceRules,
    Rules,
    Shown,
    Votes,
    World,
    all_worlds,
    choices_betrayed,
    code,
    is_certain,
    multisets,
    outsider_is_certain,
    possible_choices,
    votes_of,
    worlds_left,
    worlds_left_of_scorers,
)

WHEEL = illustrative()
PURPOSE, NEEDS = (dimension.key for dimension in WHEEL.dimensions[:2])
KEYS = "abcdef"
MINIMA = range(LEAST_MINIMUM, 9)


def rules(minimum: int) -> Rules:
    """What the publisher shows of one dimension."""

    @cache
    def shown(world: World) -> Collation | None:
        people = len(world)
        return publish(WHEEL, {PURPOSE: world}, invited=people, took_part=people, minimum=minimum).collation(PURPOSE)

    return shown


def betrayed(rules: Rules, people: int) -> list[tuple[Answer, Collation | None]]:
    """(Own answer, what was seen) wherever so many people, in any of all rounds they could make, include somebody who is certain."""
    alike: defaultdict[Collation | None, list[World]] = defaultdict(list)
    for world in all_worlds(people):
        alike[rules(world)].append(world)
    return [(own, sees) for sees, worlds in alike.items() for own in ANSWERS if is_certain(own, worlds)]


@pytest.mark.parametrize("minimum", MINIMA)
@pytest.mark.parametrize("people", range(2, 8))
def test_of_all_rounds_of_up_to_7_people_none_makes_anybody_certain(people: int, minimum: int) -> None:
    assert betrayed(rules(minimum), people) == []


@pytest.mark.parametrize("minimum", MINIMA)
@pytest.mark.parametrize("people", range(1, 8))
def test_nor_somebody_from_outside(people: int, minimum: int) -> None:
    alike: defaultdict[Collation | None, list[World]] = defaultdict(list)
    for world in all_worlds(people):
        alike[rules(minimum)(world)].append(world)
    assert [sees for sees, worlds in alike.items() if outsider_is_certain(worlds)] == []


@pytest.mark.parametrize("minimum", MINIMA)
@pytest.mark.parametrize("scored", range(2, 13))
def test_nor_of_a_level_somebody_who_knows_who_gave_one(scored: int, minimum: int) -> None:
    alike: defaultdict[Collation | None, list[World]] = defaultdict(list)
    for levels in combinations_with_replacement(LEVELS, scored):
        alike[rules(minimum)(levels)].append(levels)
    assert [(own, sees) for sees, worlds in alike.items() for own in LEVELS if is_certain(own, worlds)] == []
    assert [sees for sees, worlds in alike.items() if outsider_is_certain(worlds)] == []


@pytest.mark.parametrize("scored", range(LEAST_MINIMUM, 61))
def test_what_is_not_shown_above_the_minimum_is_what_would_make_somebody_certain_and_no_more(scored: int) -> None:
    counts, codes = multisets(scored)
    unsafe = set()
    for own, other in product(LEVELS, LEVELS):
        levels = (own, *(other,) * (scored - 1))
        seen = collate(levels)
        assert seen is not None
        worlds = counts[(codes == code(seen.lower, seen.median, seen.upper)) & (counts[:, own - 1] > 0)]
        if len(worlds) == 1:
            unsafe.add(code(seen.lower, seen.median, seen.upper))
    shown = rules(LEAST_MINIMUM)
    if scored <= 12:
        hidden = {int(each) for row, each in zip(counts, codes, strict=True) if shown(tuple(np.repeat(LEVELS, row).tolist())) is None}
        assert hidden == unsafe
    assert len(unsafe) == {3: 25, 4: 25, 5: 2, 6: 2, 7: 2, 8: 2}.get(scored, 0)


def one_level_rules(world: World) -> Collation | None:
    """No threshold: whatever was scored is shown."""
    return collate(world)


def threshold_rules(world: World) -> Collation | None:
    """A threshold, and nothing else."""
    collation = collate(world)
    return collation if collation and collation.scored >= MINIMUM else None


def single_minded_rules(world: World) -> Collation | None:
    """Looks at the answers as they are, not at all that look alike: hides only a round in which somebody would be certain."""
    collation = threshold_rules(world)
    if collation is None or DONT_KNOW in world or None in world:
        return collation
    alike = [levels for levels in combinations_with_replacement(LEVELS, len(world)) if collate(levels) == collation]
    return None if any(is_certain(own, alike) for own in world) else collation


def counting_rules(world: World) -> Collation | None:
    """The true rules, but a dimension that is not shown has its numbers said."""
    collation, shown = collate(world), rules(MINIMUM)(world)
    return replace(collation, lower=0, median=0, upper=0) if collation and not shown else shown


def test_without_a_threshold_somebody_is_certain() -> None:
    assert (5, Collation(scored=2, dont_know=0, lower=5, median=5, upper=5)) in betrayed(one_level_rules, 2)
    assert betrayed(one_level_rules, 7)


def test_a_threshold_alone_is_not_enough() -> None:
    all_fives = Collation(scored=5, dont_know=0, lower=5, median=5, upper=5)
    assert (1, all_fives) in betrayed(threshold_rules, 5), "of four 5s and a 1, whoever said 1 knows the rest"
    assert (DONT_KNOW, replace(all_fives, dont_know=1)) not in betrayed(threshold_rules, 6)


def test_to_decide_by_the_answers_and_not_by_what_is_published_gives_them_away() -> None:
    all_fives = Collation(scored=5, dont_know=0, lower=5, median=5, upper=5)
    assert single_minded_rules((5, 5, 5, 5, 1)) is None
    assert single_minded_rules((5, 5, 5, 5, 5)) == all_fives
    assert (5, all_fives) in betrayed(single_minded_rules, 5), "that it is shown says that nobody said anything but 5"


def test_numbers_of_what_is_not_shown_would_give_dont_know_away() -> None:
    assert (DONT_KNOW, None) not in betrayed(rules(MINIMUM), 4)
    alone = Collation(scored=1, dont_know=3, lower=0, median=0, upper=0)
    assert (3, alone) in betrayed(counting_rules, 4)


@st.composite
def answers(draw: st.DrawFn, people: int) -> World:
    """What so many people say: anything, or nearly all the same."""
    most = draw(st.one_of(st.none(), st.sampled_from(LEVELS)))
    if most is None:
        return tuple(draw(st.lists(st.sampled_from(ANSWERS), min_size=people, max_size=people)))
    others = draw(st.lists(st.sampled_from(ANSWERS), max_size=min(people, 4)))
    return (*others, *(most,) * (people - len(others)))


@st.composite
def rounds(draw: st.DrawFn) -> tuple[World, World]:
    """Two dimensions of one round."""
    people = draw(st.one_of(st.integers(1, 12), st.integers(1, 60)))
    return draw(answers(people)), draw(answers(people))


def closed(said: tuple[World, World], minimum: int) -> PublishedRound:
    """What is published of a round."""
    people = len(said[0])
    return publish(WHEEL, dict(zip((PURPOSE, NEEDS), said, strict=True)), invited=people, took_part=people, minimum=minimum)


@settings(deadline=None, max_examples=150)
@given(last=rounds(), this=rounds(), minimum=st.sampled_from(MINIMA))
@example(last=((5,) * 5, (5, 5, 5, 5, 1)), this=((5, 5, 5, 5, 1, 0), (1,) * 6), minimum=5)
@example(last=((4,) * 9, (None,) * 9), this=((1,) * 8, (1, 1, 1, 1, 1, 1, 1, 5)), minimum=3)
def test_nobody_is_certain_of_anybodys_answer_in_this_round_or_the_last(
    last: tuple[World, World], this: tuple[World, World], minimum: int
) -> None:
    known = rules(minimum)
    for said in (last, this):
        published = closed(said, minimum)
        for key, world in zip((PURPOSE, NEEDS), said, strict=True):
            sees, people = published.collation(key), len(world)
            assert sees == known(world), "what is published of a dimension depends on nothing else"
            levels = tuple(filter(None, world))
            for own in {*world} if people > 1 else ():
                assert not is_certain(own, worlds_left(sees, people, known))
                if own and len(levels) > 1:
                    assert not is_certain(own, worlds_left_of_scorers(sees, len(levels), known))


@pytest.mark.parametrize(("people", "may_skip_all"), [(3, True), (3, False), (4, False)])
def test_two_publications_together_say_no_more_than_each(people: int, may_skip_all: bool) -> None:
    """All that 3 or 4 people can say twice: in two rounds, or in two dimensions by people known to have answered something."""
    shown = rules(LEAST_MINIMUM)
    rows = [row for row in product(ANSWERS, repeat=2) if may_skip_all or row != (None, None)]
    sees = {column: shown(tuple(sorted(column, key=ANSWERS.index))) for column in product(ANSWERS, repeat=people)}
    others: defaultdict[object, set[World]] = defaultdict(set)
    for world in combinations_with_replacement(rows, people):
        first, second = zip(*world, strict=True)
        for own in world:
            left = list(world)
            left.remove(own)
            others[sees[first], sees[second], own].update(left)
    assert all(len(set(column)) > 1 for possible in others.values() for column in zip(*possible, strict=True))
    assert len(others) > len(rows), "something is shown"


def small_wheel(size: int) -> Wheel:
    """A wheel of a few dimensions."""
    return replace(WHEEL, dimensions=tuple(Dimension(key=key, title=key, descriptors=()) for key in KEYS[:size]))


def choice_rules(wheel: Wheel, minimum: int = MINIMUM) -> ChoiceRules:
    """What the publisher shows of the choices. It counts votes and voters, so that is all that is remembered."""
    known: dict[tuple[Votes, int], Shown] = {}

    def shown(votes: Votes, choices: tuple[Choice, ...]) -> Shown:
        counted = votes, sum(map(bool, choices))
        if counted not in known:
            people = len(choices)
            known[counted] = publish(wheel, {}, choices, invited=people, took_part=people, minimum=minimum).most_chosen
        return known[counted]

    return shown


@pytest.mark.parametrize(("size", "people"), [(6, 4), (3, 5), (4, 5), (5, 5), (6, 5), (4, 6), (4, 7)])
def test_the_three_most_chosen_tell_nobody_whether_another_chose_a_dimension(size: int, people: int) -> None:
    """Not even who knows who chose."""
    keys = KEYS[:size]
    others = votes_of(people - 1, keys, possible_choices(keys))
    shown = choice_rules(small_wheel(size), minimum=3)
    for own in possible_choices(keys, least=3 if size == 6 else 0):
        assert set(choices_betrayed(own, keys, people - 1, others, shown)) <= {None}


@pytest.mark.parametrize(("size", "people"), [(3, 5), (4, 5), (4, 6), (5, 5)])
def test_whoever_does_not_know_who_chose_learns_nothing_when_they_are_not_shown(size: int, people: int) -> None:
    keys = KEYS[:size]
    others = votes_of(people - 1, keys, possible_choices(keys, least=0))
    shown = choice_rules(small_wheel(size))
    assert not any(choices_betrayed(own, keys, people - 1, others, shown) for own in possible_choices(keys, least=0))


def given_away(own: str, people: int, rules: ChoiceRules) -> list[Shown]:
    """What would make the owner of a choice certain, where so many people chose among six."""
    keys = KEYS[:6]
    return choices_betrayed(frozenset(own), keys, people - 1, votes_of(people - 1, keys, possible_choices(keys)), rules)


def test_in_the_order_of_votes_they_would_tell() -> None:
    def ordered(votes: Votes, _choices: object) -> Shown:
        ranked = sorted(filter(votes.__getitem__, range(6)), key=votes.__getitem__, reverse=True)
        return tuple(KEYS[place] for place in ranked[:3])

    assert ("f", "e", "d") in given_away("abc", 5, ordered), "d has 2 votes, e more than d, f more than e: all four others chose f"


def test_the_choices_of_4_people_would_tell() -> None:
    of_any_number = choice_rules(small_wheel(6))
    assert ("d", "e", "f") in given_away("abc", 4, lambda votes, choices: of_any_number(votes, choices * 2)), "nobody else chose a"


def test_fewer_than_three_titles_would_tell() -> None:
    def up_to_three(votes: Votes, _choices: object) -> Shown:
        return tuple(key for key, count in zip(KEYS, votes, strict=False) if count)[:3]

    assert ("a",) in given_away("a", 5, up_to_three), "all others chose that one too"


def test_the_most_chosen_stand_in_the_wheels_order_and_ties_go_to_the_earlier() -> None:
    def most(*choices: str) -> Shown:
        people = len(choices)
        return publish(small_wheel(6), {}, list(map(frozenset, choices)), invited=people, took_part=people).most_chosen

    assert most("fed", "fed", "fe", "f", "a") == ("d", "e", "f")
    assert most("abc", "def", "abc", "def", "f") == ("a", "b", "f")
    assert most("abc", "abc", "abc", "abc") is None, "4 people are too few"
    assert most("abc", "abc", "abc", "abc", "") is None, "who chose nothing does not count"
    assert most("ab", "ab", "ab", "ab", "ab") is None, "there are no three"


def test_a_round_is_published_in_the_wheels_order_with_its_numbers() -> None:
    said = {NEEDS: (2, 3, 4, 4, DONT_KNOW, None), PURPOSE: (1, 2, 3, 4, 5, 5)}
    published = publish(WHEEL, said, invited=8, took_part=6)
    assert [each.key for each in published.dimensions] == [dimension.key for dimension in WHEEL.dimensions]
    assert published.collation(PURPOSE) == Collation(scored=6, dont_know=0, lower=2.25, median=3.5, upper=4.75)
    assert published.collation(NEEDS) is None, "4 levels are too few, and neither they nor Don't know are said"
    assert published.response_rate == 0.75
    assert (published.wheel, published.version, published.minimum) == (WHEEL.key, WHEEL.version, 5)
    assert publish(WHEEL, {}, invited=0, took_part=0).response_rate == 0


@pytest.mark.parametrize("people", [1, 2, 3, 4])
def test_nothing_is_shown_of_a_round_of_a_few(people: int) -> None:
    said = {dimension.key: (3,) * people for dimension in WHEEL.dimensions}
    published = publish(WHEEL, said, [{PURPOSE, NEEDS, "culture"}] * people, invited=9, took_part=people)
    assert {each.collation for each in published.dimensions} == {None}
    assert published.most_chosen is None


@pytest.mark.parametrize(
    ("said", "is_shown"),
    [
        ((5, 5, 5, 5, 5), False), ((5, 5, 5, 5, 1), False), ((1, 1, 1, 1, 1), False), ((4, 4, 4, 4, 4), True), ((5, 5, 5, 4, 4), True),
        ((5,) * 8, False), ((5,) * 9, True), ((5,) * 7 + (1,), False), ((5,) * 8 + (1,), True), ((5, 5, 5, 5, 5, 0, 0, None), False),
    ],
)  # fmt: skip
def test_when_nearly_all_of_a_few_agree_at_an_end_it_is_not_shown(said: World, is_shown: bool) -> None:
    assert (rules(MINIMUM)(said) is not None) is is_shown


def test_only_the_same_dimension_of_the_same_wheel_version_is_compared() -> None:
    this = closed(((1, 2, 3, 4, 5), (5, 5, 5, 5, 1)), MINIMUM)
    last = closed(((2, 2, 3, 3, 3), (1, 2, 3, 4, 5)), MINIMUM)
    assert this.before(last, PURPOSE) == last.collation(PURPOSE) is not None
    assert this.before(last, NEEDS) is None, "not shown this time"
    assert last.before(this, NEEDS) is None, "not shown last time"
    assert this.before(replace(last, version=2), PURPOSE) is None
    assert this.before(replace(last, wheel="another"), PURPOSE) is None
    assert this.before(None, PURPOSE) is None


def test_comments_on_what_is_not_shown_are_thrown_away_and_the_others_shuffled() -> None:
    published = closed(((1, 2, 3, 4, 5), (5, 5, 5, 5, 1)), MINIMUM)
    texts = [f"comment {number}" for number in range(20)]
    written = {NEEDS: ["let nobody see this"], PURPOSE: texts, "culture": ["nor this"]}
    comments = publishable_comments(published, written, Random(7))
    assert {comment.dimension for comment in comments} == {PURPOSE}
    assert sorted(comment.text for comment in comments) == sorted(texts)
    assert comments != publishable_comments(published, written, Random(8)), "chance alone puts them in order"


@pytest.mark.parametrize("minimum", [-1, 0, 1, 2])
def test_a_careless_minimum_is_refused(minimum: int) -> None:
    with pytest.raises(ValueError, match="at least 3"):
        publish(WHEEL, {}, invited=9, took_part=9, minimum=minimum)


@pytest.mark.parametrize(
    ("answers", "choices", "invited", "took_part"),
    [
        ({"nothing": (1,)}, [], 9, 9), ({}, [{"nothing"}], 9, 9), ({}, [{"purpose", "needs", "finding", "culture"}], 9, 9),
        ({PURPOSE: (1, 2, 3)}, [], 9, 2), ({}, [{"needs"}, {"needs"}], 9, 1), ({}, [], 1, 2), ({PURPOSE: (6,)}, [], 1, 1),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(answers: dict[str, World], choices: list[set[str]], invited: int, took_part: int) -> None:
    with pytest.raises(ValueError, match=r"dimensions|participant|an answer is"):
        publish(WHEEL, answers, choices, invited=invited, took_part=took_part)
