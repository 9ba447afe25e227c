"""Figures that stories are told with: two rounds of eight dimensions, and all that may be strange about one."""

from __future__ import annotations

from handlers.views import Card, Figure, Picture, Series, Table

DIMENSIONS = (
    "Shared purpose and leadership", "Needs and priorities", "Finding and choosing innovation", "Adapting and adopting",
    "Spreading and sustaining", "Evidence and benefits", "Culture, skills and learning", "Partnership and involvement",
)  # fmt: skip
LONG = "Shared purpose, leadership and a culture of learning over all twelve partner organisations of Dorset"
NOW = Series(label="This round", numbers=(3.5, 2, 4, 3, 2.5, 3, 4.5, 4))
LAST = Series(label="Last round", numbers=(3, 2, 3, 3, 2, 2, 4, 4.5))


def figure(*series: Series, axes: tuple[str, ...] = DIMENSIONS, top: float = 5) -> Figure:
    """What a round found."""
    return Figure(axes=axes, series=series or (NOW, LAST), top=top)


def series(label: str, *numbers: float | None) -> Series:
    """A row of numbers."""
    return Series(label=label, numbers=numbers)


def picture(drawn: Figure | None = None, alt: str = "A radar of this round beside the last") -> Picture:
    """A figure with its words and its table."""
    shown = drawn or figure()
    table = Table(columns=("Dimension", "This round"), rows=(("Culture", "4.5"), ("Evidence", "Not shown")), caption="The rounds")
    return Picture(figure=shown, alt=alt, table=table)


def card(drawn: Figure | None = None, title: str = "The round is closed") -> Card:
    """What is shown of a round."""
    return Card(title=title, blocks=(picture(drawn),))
