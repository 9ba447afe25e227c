"""Figures as PNG. Only ever a process of its own (`python -m bot.drawing`): matplotlib would hold up a server that loads it."""

from __future__ import annotations

import io
import logging
import math
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import combinations
from typing import Any, TypeAlias

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.figure import Figure as Sheet
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Circle, Rectangle
from PIL import Image

from bot import figures
from bot.figures import BAR, LABEL_CHARACTERS, NOT_SHOWN, WIDTH
from handlers.views import Figure

DOTS = 72
"""To an inch, so that a point is a pixel."""
TEXT, MUTED, FAINT, WHITE = "#212b32", "#425563", "#aeb7bd", "#ffffff"
MARGIN, PAD, NEAREST = 12, 18, 6
FONT, SMALL, LINE_HEIGHT = 28, 22, 1.2
FONTS, WRAPS = (30, 26, 23, 20, 17), (12, 15, 18, 22, 27)
"""Sizes of a radar's labels, the best first, and how many characters may stand in a line of them."""
RADII, ENOUGH = range(340, 140, -10), 200
"""Of a radar, the best first; where the larger labels leave less than enough, smaller ones are tried."""
BAR_FONT, BARS_FROM, BARS_TO = 24, 430, 890
COLOURS = 64
RULED = 40
Ruler: TypeAlias = Callable[[str], float]
"""How wide a line is where a letter is one pixel high."""
NICENESS = 10
"""A server's answers come first."""


@dataclass(frozen=True, kw_only=True)
class Style:
    """How a series looks: told apart without colour, by its line, its marks and its bars."""

    colour: str
    fill: str
    line: str
    mark: str
    mark_size: int


STYLES = (
    Style(colour="#005eb8", fill="#005eb8", line="-", mark="o", mark_size=14),
    Style(colour="#425563", fill=WHITE, line="--", mark="s", mark_size=18),
    Style(colour="#7c2855", fill=WHITE, line=":", mark="^", mark_size=20),
    Style(colour="#00703c", fill="#00703c", line="-.", mark="D", mark_size=12),
)


@dataclass(frozen=True, kw_only=True)
class Label:
    """A label's words in lines, and its box: pixels from a radar's centre."""

    words: str
    left: float
    top: float
    right: float
    bottom: float

    def touches(self, other: Label) -> bool:
        """Whether there is no space between the two."""
        beside = self.right + NEAREST < other.left or other.right + NEAREST < self.left
        return not (beside or self.bottom + NEAREST < other.top or other.bottom + NEAREST < self.top)


@dataclass(frozen=True, kw_only=True)
class Layout:
    """A radar's radius, its labels and their size."""

    radius: float
    font: int
    labels: tuple[Label, ...]

    @cached_property
    def edges(self) -> tuple[float, float, float, float]:
        """(Left, top, right, bottom) of the whole, from the centre."""
        left, top = min(each.left for each in self.labels), min(each.top for each in self.labels)
        right, bottom = max(each.right for each in self.labels), max(each.bottom for each in self.labels)
        return min(left, -self.radius), min(top, -self.radius), max(right, self.radius), max(bottom, self.radius)

    def fits(self, height: float) -> bool:
        """Whether all has its place, and no label touches another."""
        left, top, right, bottom = self.edges
        there = right - left <= WIDTH - 2 * MARGIN and bottom - top <= height - 2 * MARGIN
        return there and not any(one.touches(other) for one, other in combinations(self.labels, 2))

    def centre(self, height: float) -> tuple[float, float]:
        """Where it stands so that the whole is in the middle."""
        left, top, right, bottom = self.edges
        return (WIDTH - left - right) / 2, (height - top - bottom) / 2


def draw(figure: Figure) -> bytes:
    """A figure that may be drawn, as PNG on white."""
    width, height = figures.size(figure)
    sheet = Sheet(figsize=(width / DOTS, height / DOTS), dpi=DOTS, facecolor=WHITE)
    canvas = FigureCanvasAgg(sheet)
    paper = sheet.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(height, 0))
    paper.set_axis_off()
    if figures.is_radar(figure):
        _radar(paper, figure, _ruler(canvas.get_renderer()))
    else:
        _bars(paper, figure)
    _legend(paper, figure, height - figures.legend_height(figure))
    canvas.draw()
    written = io.BytesIO()
    Image.frombuffer("RGBA", (width, height), canvas.buffer_rgba()).convert("RGB").quantize(COLOURS).save(written, "PNG", optimize=True)
    return written.getvalue()


def _ruler(renderer: RendererAgg) -> Ruler:
    """Measures each line once."""
    font = FontProperties(size=RULED)
    return cache(lambda line: float(renderer.get_text_width_height_descent(line, font, False)[0]) / RULED)


def _write(paper: Axes, x: float, y: float, words: str, size: float = FONT, colour: str = TEXT, **where: Any) -> None:
    paper.text(x, y, words, fontsize=size, color=colour, linespacing=LINE_HEIGHT, parse_math=False, **where)


def _legend(paper: Axes, figure: Figure, top: float) -> None:
    for place, (series, style) in enumerate(zip(figure.series, STYLES, strict=False)):
        y = top + 22 + 44 * place
        if figures.is_radar(figure):
            _line(paper, [40, 105, 170], [y, y, y], style, marked=[1])
        else:
            _bar(paper, 40, y, 130, style)
        _write(paper, 190, y, figures.lines(series.label, 46, most=1)[0], va="center")


# -- radar


def _angles(axes: int) -> list[float]:
    """The first axis points up, the next ones follow the clock."""
    return [2 * math.pi * axis / axes for axis in range(axes)]


def _point(angle: float, radius: float) -> tuple[float, float]:
    """Pixels from the centre."""
    return radius * math.sin(angle), -radius * math.cos(angle)


def _radar(paper: Axes, figure: Figure, ruler: Ruler) -> None:
    height = figures.HEIGHT - figures.legend_height(figure)
    angles = _angles(len(figure.axes))
    layout = _layout(figure, height, ruler)
    x, y = layout.centre(height)
    levels = _levels(figure.top)
    for level in {*levels, figure.top}:
        paper.add_patch(Circle((x, y), layout.radius * level / figure.top, fill=False, edgecolor=FAINT, linewidth=1.5))
    for angle, label in zip(angles, layout.labels, strict=True):
        across, down = _point(angle, layout.radius)
        paper.plot([x, x + across], [y, y + down], color=FAINT, linewidth=1.5)
        middle = x + (label.left + label.right) / 2, y + (label.top + label.bottom) / 2
        _write(paper, *middle, label.words, layout.font, ha="center", va="center")
    for place, (series, style) in enumerate(zip(figure.series, STYLES, strict=False)):
        numbers = [figures.number(figure, series, axis) for axis in range(len(angles))]
        shares = [math.nan if number is None else number / figure.top for number in numbers]
        points = [_point(angle, layout.radius * share) for angle, share in zip(angles, shares, strict=True)]
        closed = [*points, points[0]]
        _line(paper, [x + across for across, _ in closed], [y + down for _, down in closed], style, order=9 - place)
    for level in levels:
        across, down = _point(angles[1] / 2, layout.radius * level / figure.top)
        box = {"facecolor": WHITE, "edgecolor": "none", "pad": 1.5}
        paper.text(x + across, y + down, f"{level:g}", fontsize=SMALL, color=MUTED, ha="center", va="center", bbox=box, zorder=3)


def _line(
    paper: Axes, xs: Sequence[float], ys: Sequence[float], style: Style, *, order: int = 5, marked: Sequence[int] | None = None
) -> None:
    paper.plot(
        xs, ys, color=style.colour, linestyle=style.line, linewidth=4, zorder=order, marker=style.mark, markevery=marked,
        markersize=style.mark_size, markerfacecolor=style.fill, markeredgecolor=style.colour, markeredgewidth=3,
    )  # fmt: skip


def _levels(top: float) -> list[float]:
    """The levels that are marked: six at most, in round steps, from 0."""
    rough = top / 5
    unit = 10 ** math.floor(math.log10(rough))
    step = next(unit * each for each in (1, 2, 2.5, 5, 10) if unit * each >= rough * 0.999)
    return [step * number for number in range(int(top / step + 0.001) + 1)]


def _layout(figure: Figure, height: float, ruler: Ruler) -> Layout:
    """The largest labels that leave the radar large enough, and the largest radar among those."""
    best: Layout | None = None
    for font in FONTS:
        for characters in WRAPS:
            best = _largest(_words(figure, characters), font, height, ruler, best)
        if best is not None and best.radius >= ENOUGH:
            return best
    best = best or _largest(_words(figure, WRAPS[0], most=2), FONTS[-1], height, ruler)
    assert best is not None, "two short lines fit around the smallest"
    return best


def _words(figure: Figure, characters: int, most: int | None = None) -> list[str]:
    """The labels in lines; where nothing is shown of one, it says so."""
    words = []
    for axis, label in enumerate(figure.axes):
        shown = any(figures.number(figure, series, axis) is not None for series in figure.series)
        words.append("\n".join([*figures.lines(label, characters, most), *([] if shown else [f"({NOT_SHOWN})"])]))
    return words


def _largest(words: Sequence[str], font: int, height: float, ruler: Ruler, best: Layout | None = None) -> Layout | None:
    """The largest radar with these labels around it; the best so far where there is none larger."""
    sizes = [_size(each, font, ruler) for each in words]
    for radius in RADII:
        if best is not None and radius <= best.radius:
            break
        layout = Layout(radius=radius, font=font, labels=_labels(radius, words, sizes))
        if layout.fits(height):
            return layout
    return best


def _size(words: str, font: int, ruler: Ruler) -> tuple[float, float]:
    """(Width, height) of words in lines."""
    lines = words.split("\n")
    return max(map(ruler, lines)) * font, len(lines) * font * LINE_HEIGHT


def _labels(radius: float, words: Sequence[str], sizes: Sequence[tuple[float, float]]) -> tuple[Label, ...]:
    """Each label outside the circle, at the end of its axis."""
    labels = []
    for angle, said, (width, height) in zip(_angles(len(words)), words, sizes, strict=True):
        x, y = _point(angle, radius + PAD)
        side = 0 if abs(math.sin(angle)) < 0.2 else math.copysign(1, math.sin(angle))
        left = x - width * (1 - side) / 2
        top = y - height * (1 - max(-1.0, min(1.0, -1.6 * math.cos(angle)))) / 2
        labels.append(Label(words=said, left=left, top=top, right=left + width, bottom=top + height))
    return tuple(labels)


# -- bars


def _bars(paper: Axes, figure: Figure) -> None:
    length = BARS_TO - BARS_FROM
    bottom = sum(figures.row_height(label, figure) for label in figure.axes)
    for level in _levels(figure.top):
        x = BARS_FROM + length * level / figure.top
        paper.plot([x, x], [MARGIN, bottom], color=FAINT, linewidth=1.5, zorder=1)
        _write(paper, x, bottom + MARGIN, f"{level:g}", SMALL, MUTED, ha="center", va="top")
    y = 0.0
    for axis, label in enumerate(figure.axes):
        height = figures.row_height(label, figure)
        middle = y + height / 2
        _write(paper, MARGIN, middle, "\n".join(figures.lines(label, LABEL_CHARACTERS)), BAR_FONT, va="center")
        for place, (series, style) in enumerate(zip(figure.series, STYLES, strict=False)):
            number = figures.number(figure, series, axis)
            there = middle + BAR * (place - (len(figure.series) - 1) / 2)
            end = BARS_FROM + length * (number or 0) / figure.top
            if number is not None:
                _bar(paper, BARS_FROM, there, end - BARS_FROM, style)
            said = NOT_SHOWN if number is None else f"{number:.1f}".removesuffix(".0")
            _write(paper, end + 8, there, said, SMALL, ha="left", va="center", zorder=6)
        y += height


def _bar(paper: Axes, x: float, middle: float, length: float, style: Style) -> None:
    paper.add_patch(
        Rectangle(
            (x, middle - BAR / 2 + 4),
            length,
            BAR - 8,
            facecolor=style.fill,
            edgecolor=style.colour,
            linestyle=style.line,
            linewidth=3,
            zorder=4,
        )
    )


def main() -> None:
    """Draws what comes on standard input until it ends: figures and pictures each after their length in 4 bytes."""
    os.nice(NICENESS)
    warnings.simplefilter("ignore")  # of letters that the font has not: labels are people's words
    logging.disable()
    try:
        while length := int.from_bytes(sys.stdin.buffer.read(4)):
            picture = draw(figures.unpack(sys.stdin.buffer.read(length)))
            sys.stdout.buffer.write(len(picture).to_bytes(4) + picture)
            sys.stdout.buffer.flush()
    except Exception as error:
        sys.exit(f"a picture could not be drawn: {type(error).__name__}")


if __name__ == "__main__":
    main()
