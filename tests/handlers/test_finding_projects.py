"""Which project a few words mean."""

from __future__ import annotations

import time

import pytest

from handlers.projects.finding import best, nearest
from storage.projects import Named

PROJECTS = tuple(
    Named(id=id, name=name, need=need)
    for id, (name, need) in enumerate(
        (
            ("Falls Prevention", "Older people at home"),
            ("Nutrition in Ageing People", "Older people who lose weight"),
            ("Improving Use of FeNO Devices", "Adults with suspected asthma"),
            ("Falls huddles", "Residents who fall again within a week"),
            ("Falls", "The old falls register"),
        )
    )
)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("nutrition", ["Nutrition in Ageing People"]),
        ("FENO", ["Improving Use of FeNO Devices"]),
        ("the falls prevention project", ["Falls Prevention"]),
        ("fall hud", ["Falls huddles"]),
        ("falls", ["Falls"]),
        ("fall", ["Falls Prevention", "Falls huddles", "Falls"]),
        ("asthma", ["Improving Use of FeNO Devices"]),
        ("older people", ["Falls Prevention", "Nutrition in Ageing People"]),
        ("weight of older people", ["Nutrition in Ageing People"]),
        ("nutriton", ["Nutrition in Ageing People"]),
        ("fals prevntion", ["Falls Prevention"]),
        ("of the project", []),
        ("falls on mars", []),
        ("zzz", []),
        ("…", []),
        ("", []),
    ],
)
def test_words_find_the_project_they_fit_best(text: str, names: list[str]) -> None:
    assert [each.name for each in best(text, PROJECTS)] == names


def test_where_nothing_fits_the_nearest_name_is_there_to_offer() -> None:
    near = nearest("nutrients", PROJECTS)
    assert near is not None
    assert near.name == "Nutrition in Ageing People"
    assert nearest("anything", ()) is None
    assert best("anything", ()) == ()


def test_many_words_and_many_projects_do_not_hold_anybody_up() -> None:
    many = tuple(Named(id=number, name=f"Projekt{number} of neighbourhood{number}", need="People " * 300) for number in range(300))
    began = time.process_time()
    best(" ".join(f"unknwn{number}neighborhood" * 20 for number in range(500)), many)
    nearest("neighbour" * 300, many)
    assert time.process_time() - began < 2
