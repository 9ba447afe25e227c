"""Which project somebody means by a few words; pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from difflib import SequenceMatcher, get_close_matches

from storage.projects import Named

MOST_WORDS = 5
TYPO = 0.75
"""How alike two words are, of 1, where one may be a slip of the other."""
IN_NAME, IN_NEED, NEARLY_IN_NAME = 3, 2, 1
_SMALL = {"a", "an", "and", "for", "in", "is", "of", "on", "project", "the", "to"}


def _words(text: str) -> tuple[str, ...]:
    return tuple(word for word in dict.fromkeys(re.findall(r"\w+", text.casefold())) if word not in _SMALL)


def _among(word: str, words: Collection[str]) -> bool:
    """Whether a word is there, or one that begins with it, such as “falls” for “fall”."""
    return any(each == word or (len(word) > 2 and each.startswith(word)) or (len(each) > 3 and word.startswith(each)) for each in words)


def best(text: str, projects: Sequence[Named]) -> tuple[Named, ...]:
    """The projects that fit all the words best: by name, else by their need, else by a name with small slips."""
    if whole := [each for each in projects if each.name.casefold() == text.strip().casefold()]:
        return tuple(whole)
    names = {each.id: _words(each.name) for each in projects}
    needs = {each.id: _words(each.need) for each in projects}
    wanted = _words(text)[:MOST_WORDS]
    known = {word for words in (*names.values(), *needs.values()) for word in words}
    every_name = sorted({word for words in names.values() for word in words})
    slips = {word: get_close_matches(word[:40], every_name, cutoff=TYPO) for word in wanted if not _among(word, known)}

    def fits(word: str, id: int) -> int:
        if _among(word, names[id]):
            return IN_NAME
        return IN_NEED if _among(word, needs[id]) else NEARLY_IN_NAME * any(near in names[id] for near in slips.get(word, ()))

    fit = {each.id: min((fits(word, each.id) for word in wanted), default=0) for each in projects}
    most = max(fit.values(), default=0)
    return tuple(each for each in projects if most and fit[each.id] == most)


def nearest(text: str, projects: Sequence[Named]) -> Named | None:
    """The project whose name is most like the words; None where there is no project."""
    wanted = text.casefold()[:100]
    return max(projects, key=lambda each: SequenceMatcher(None, each.name.casefold(), wanted).ratio(), default=None)
