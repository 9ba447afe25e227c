"""Which figures are drawn and how large, and how one is written down to be drawn later or elsewhere. Pure."""

from __future__ import annotations

import json
import math
from textwrap import wrap

from handlers.views import Figure, Series

WIDTH, HEIGHT, HIGHEST = 1000, 900, 3600
"""Pixels of a radar; bars are as wide, and as high as they need, up to the highest."""
MOST_AXES, MOST_SERIES = 40, 4
RADAR_AXES = range(3, 13)
"""With fewer a radar has no area, with more its labels are too small for a telephone."""
LONGEST_LABEL = 100
NOT_SHOWN = "Not shown"

LABEL_CHARACTERS, LINE, BAR, GAP, SCALE = 27, 30, 28, 20, 60
"""Of bars: characters in a line of a label, and pixels of a line, a bar, the space between two axes, and the scale below."""


def is_drawn(figure: Figure) -> bool:
    """Whether there is a picture of it; of what is too much for one, the table says all."""
    fits = 1 <= len(figure.axes) <= MOST_AXES and 1 <= len(figure.series) <= MOST_SERIES and size(figure)[1] <= HIGHEST
    return fits and math.isfinite(figure.top) and figure.top > 0


def is_radar(figure: Figure) -> bool:
    """Whether it is drawn as a radar; else as bars."""
    return len(figure.axes) in RADAR_AXES


def size(figure: Figure) -> tuple[int, int]:
    """(Width, height) of its picture in pixels."""
    if is_radar(figure):
        return WIDTH, HEIGHT
    return WIDTH, sum(row_height(label, figure) for label in figure.axes) + legend_height(figure) + SCALE


def row_height(label: str, figure: Figure) -> int:
    """Pixels of one axis among bars."""
    return max(LINE * len(lines(label, LABEL_CHARACTERS)), BAR * len(figure.series)) + GAP


def legend_height(figure: Figure) -> int:
    """Pixels of what says which series is which."""
    return 44 * len(figure.series) + 16


def lines(label: str, characters: int, most: int | None = None) -> list[str]:
    """A label in lines of so many characters; what is longer than `most` lines, or much longer than a label, ends in an ellipsis."""
    return wrap(label, characters, max_lines=most or LONGEST_LABEL // characters + 2, placeholder="…") or [" "]


def number(figure: Figure, series: Series, axis: int) -> float | None:
    """What is drawn there: from 0 to the top, or None for a gap."""
    there = series.numbers[axis] if axis < len(series.numbers) else None
    return None if there is None or not math.isfinite(there) else min(max(there, 0.0), figure.top)


def pack(figure: Figure) -> bytes:
    """The figure in few bytes."""
    series = [[each.label, each.numbers] for each in figure.series]
    return json.dumps([figure.axes, series, figure.top], separators=(",", ":")).encode()


def unpack(packed: bytes) -> Figure:
    """What `pack` wrote."""
    axes, series, top = json.loads(packed)
    return Figure(axes=tuple(axes), series=tuple(Series(label=label, numbers=tuple(numbers)) for label, numbers in series), top=top)
