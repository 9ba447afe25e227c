"""Between the pulse's own values and what is kept of them."""

from __future__ import annotations

from handlers.pulse import wheel
from handlers.pulse.collation import Collation
from handlers.pulse.disclosure import PublishedDimension, PublishedRound
from handlers.pulse.wheel import Wheel
from storage.pulse.results import Numbers, Results
from storage.pulse.rounds import Round, WheelWords

QUARTERS = 4


def words_of(wheel_: Wheel) -> WheelWords:
    """A wheel as it is kept."""
    items = tuple(dimension.key for dimension in wheel_.dimensions)
    return WheelWords(key=wheel_.key, version=wheel_.version, items=items, words=wheel.written(wheel_))


def wheel_of(round: Round) -> Wheel:
    """The wheel that a round asks, in the words it had when the round opened."""
    return wheel.read(round.wheel.words)


def results_of(published: PublishedRound) -> Results:
    """What is published, as it is kept; dimensions that are not shown leave nothing."""
    shown = ((each.key, each.collation) for each in published.dimensions if each.collation)
    return Results(
        invited=published.invited,
        took_part=published.took_part,
        numbers=tuple(_numbers(key, collation) for key, collation in shown),
        most_chosen=published.most_chosen,
    )


def _numbers(key: str, collation: Collation) -> Numbers:
    return Numbers(
        dimension=key,
        scored=collation.scored,
        dont_know=collation.dont_know,
        lower=int(collation.lower * QUARTERS),
        median=int(collation.median * QUARTERS),
        upper=int(collation.upper * QUARTERS),
    )


def published_of(round: Round, results: Results) -> PublishedRound:
    """What was published of a round."""
    collations = {each.dimension: _collation(each) for each in results.numbers}
    return PublishedRound(
        wheel=round.wheel.key,
        version=round.wheel.version,
        minimum=round.minimum,
        invited=results.invited,
        took_part=results.took_part,
        dimensions=tuple(PublishedDimension(key=key, collation=collations.get(key)) for key in round.wheel.items),
        most_chosen=results.most_chosen,
    )


def _collation(numbers: Numbers) -> Collation:
    return Collation(
        scored=numbers.scored,
        dont_know=numbers.dont_know,
        lower=numbers.lower / QUARTERS,
        median=numbers.median / QUARTERS,
        upper=numbers.upper / QUARTERS,
    )
