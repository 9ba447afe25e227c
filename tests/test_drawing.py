"""What a picture looks like, as far as pixels can tell: nothing is cut, series differ without colour, gaps are gaps."""

from __future__ import annotations

import io
from itertools import pairwise

import pytest
from PIL import Image, ImageChops

from bot import figures
from bot.drawing import draw
from handlers.views import Figure
from tests.rounds import DIMENSIONS, LAST, LONG, NOW, figure, series

NOTHING: tuple[None, ...] = (None,) * 8
CASES = {
    "one round": figure(NOW),
    "two rounds": figure(NOW, LAST),
    "gaps": figure(series("This round", 3.5, None, 4, 3, None, 3, 4.5, 4), LAST),
    "all not shown": figure(series("This round", *NOTHING), series("Last round", *NOTHING)),
    "long names": figure(axes=(LONG,) * 8),
    "twelve long names": figure(axes=(LONG,) * 12),
    "names that do not wrap": figure(axes=("W" * 100,) * 12),
    "three axes": figure(axes=DIMENSIONS[:3]),
    "one axis": figure(axes=DIMENSIONS[:1]),
    "two axes": figure(axes=(LONG, DIMENSIONS[1])),
    "forty axes": figure(series("This round", *[number % 6 for number in range(40)]), axes=tuple(f"Partner {n}" for n in range(40))),
    "four series": figure(NOW, LAST, series("Before", *[1] * 8), series("Goal", *[5] * 8)),
    "up to a hundred": figure(series("Adopted, in percent", 10, 20, 30, 40, 50, 60, 70, 100), top=100),
    "strange numbers": figure(series("This round", -1, 7, float("nan"), float("inf"), 0, 5), top=4.2),
    "strange names": figure(axes=("$x$ \\frac{1}", "<b>&amp;</b>", "", "שלום", "😀", "a\n\nb\tc", "\x00", "{{ x }} %s"), top=0.5),
    "no label": figure(series("", 1, 2, 3, 4), axes=("a", "b", "c", "d")),
}


def seen(drawn: Figure) -> Image.Image:
    """The picture, decoded."""
    png = draw(drawn)
    assert len(png) < 100_000
    image = Image.open(io.BytesIO(png))
    assert (image.format, image.size) == ("PNG", figures.size(drawn))
    return image.convert("RGB")


def dots(image: Image.Image, colour: tuple[int, int, int]) -> int:
    """How many pixels have about this colour."""
    away = ImageChops.difference(image, Image.new("RGB", image.size, colour)).split()
    return ImageChops.lighter(ImageChops.lighter(away[0], away[1]), away[2]).point(lambda value: 255 * (value < 24)).histogram()[255]


BLUE, WHITE = (0, 94, 184), (255, 255, 255)


def plot(drawn: Figure) -> Image.Image:
    """The picture without its legend."""
    image = seen(drawn)
    return image.crop((0, 0, image.width, image.height - figures.legend_height(drawn)))


@pytest.mark.parametrize("case", CASES)
def test_a_picture_is_whole_on_white(case: str) -> None:
    """Nothing reaches the edge, so nothing is cut; most of it is paper, and not all."""
    image = seen(CASES[case])
    edge = ImageChops.difference(image, Image.new("RGB", image.size, WHITE))
    edge.paste((0, 0, 0), (3, 3, image.width - 3, image.height - 3))
    assert edge.getbbox() is None
    drawn = image.width * image.height - dots(image, WHITE)
    assert 1000 < drawn < image.width * image.height / 2


def test_a_radar_fits_a_telephone_and_bars_are_as_high_as_they_need() -> None:
    assert figures.size(CASES["two rounds"]) == (1000, 900)
    (wide, low), (_, high) = figures.size(CASES["one axis"]), figures.size(CASES["forty axes"])
    assert wide == 1000
    assert low < 300 < 2000 < high < 3000


def test_rounds_are_told_apart_without_colour() -> None:
    """The same numbers, the series changed over: in grey, the two pictures still differ."""
    one, other = (plot(figure(first, second)).convert("L") for first, second in ((NOW, LAST), (LAST, NOW)))
    differing = ImageChops.difference(one, other).point(lambda value: 255 * (value > 80)).histogram()[255]
    assert differing > 2000


def test_this_round_is_solid_and_the_last_is_dashed() -> None:
    """Seen where the legend shows how each is drawn."""
    image = seen(figure(NOW, LAST)).convert("L")
    top = image.height - figures.legend_height(figure(NOW, LAST))
    breaks = []
    for place in range(2):
        middle = top + 22 + 44 * place
        shades = [sum(image.crop((x, middle - 3, x + 1, middle + 3)).histogram()[:160]) for x in range(44, 166)]
        breaks.append(sum(before > 0 and after == 0 for before, after in pairwise(shades)))
    assert breaks[0] == 0
    assert breaks[1] >= 3


@pytest.mark.parametrize("axes", [DIMENSIONS, DIMENSIONS[:2]])
def test_what_is_not_shown_leaves_a_gap(axes: tuple[str, ...]) -> None:
    full, gap = (figure(series("This round", *numbers), axes=axes) for numbers in ((4, 4, 4, 4, 4, 4, 4, 4), (4, None, 4, 4, 4, 4, 4, 4)))
    nothing = figure(series("This round", *NOTHING), axes=axes)
    assert dots(plot(nothing), BLUE) == 0
    assert 100 < dots(plot(gap), BLUE) < 0.9 * dots(plot(full), BLUE)


def test_labels_shrink_before_the_radar_does() -> None:
    """With long names the radar is smaller, but it is there."""
    short, long = (dots(plot(figure(series("This round", *[5] * 8), axes=axes)), BLUE) for axes in (DIMENSIONS, (LONG,) * 8))
    assert 0.4 * short < long < short


@pytest.mark.parametrize(
    "much",
    [
        Figure(axes=(), series=(NOW,), top=5),
        Figure(axes=DIMENSIONS, series=(), top=5),
        Figure(axes=("a",) * 41, series=(NOW,), top=5),
        Figure(axes=(LONG,) * 40, series=(NOW, LAST), top=5),
        Figure(axes=DIMENSIONS, series=(NOW,) * 5, top=5),
        Figure(axes=DIMENSIONS, series=(NOW,), top=0),
        Figure(axes=DIMENSIONS, series=(NOW,), top=float("inf")),
    ],
)
def test_what_makes_no_picture_is_left_to_the_table(much: Figure) -> None:
    assert not figures.is_drawn(much)


@pytest.mark.parametrize("case", CASES)
def test_a_figure_is_the_same_when_it_was_written_down(case: str) -> None:
    drawn = CASES[case]
    assert figures.is_drawn(drawn)
    assert figures.pack(figures.unpack(figures.pack(drawn))) == figures.pack(drawn)
