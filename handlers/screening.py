"""The patient-data guard: finds what may name a patient in free text. Pure; it keeps and logs nothing."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect
from collections.abc import Mapping
from typing import Literal, TypeAlias

import nhs_number

Finding: TypeAlias = Literal["nhs number", "date of birth", "hospital number"]

NEAR = 20
"""Characters between a label and its number."""

_WEIGHTS = (10, 9, 8, 7, 6, 5, 4, 3, 2, 1)
_DIGIT = re.compile(r"\d")
_JOIN = r"[\s.\-—_·/]"
_TEN_DIGITS = re.compile(rf"(?<!\d)(?=(\d(?:{_JOIN}*\d){{9}}(?!\d)))")  # looks ahead, so that one may begin inside another
_GROUPED = re.compile(rf"\d{{3}}{_JOIN}+\d{{3}}{_JOIN}+\d{{4}}")
_NUMBER = r"(?:no|num|number|nr|id|identifier|#)"
_NHS_LABEL = re.compile(rf"\bnhs[\s.\-_]*{_NUMBER}(?![a-z])", re.IGNORECASE)
_TELEPHONE = re.compile(
    r"\b(?:tel|telephone|phone|mobile|mob|call|ring|ext|fax|text|sms|whatsapp|contact)\b"
    r"(?:[\s.:()]{0,3}\b(?:no|num|number|is|on|at|me|us|him|her|them|now|line)\b){0,3}[\s.:()\-]{0,3}$",
    re.IGNORECASE,
)
_ABROAD = re.compile(r"(?:\+|00)[\s.\-()]{0,3}(?:44)?[\s.()\-0]{0,6}$")
_DATE = (
    r"(?:\d{1,2}(?:st|nd|rd|th)?[\s./\-]+(?:of\s+)?(?:\d{1,2}|[a-z]{3,9})[\s./\-,]+\d{2,4}"
    r"|\d{4}[\s./\-]+\d{1,2}[\s./\-]+\d{1,2}|[a-z]{3,9}[\s.]+\d{1,2}(?:st|nd|rd|th)?,?\s+\d{4}|\d{6}|\d{8})"
)
_BIRTH = re.compile(
    rf"\b(?:d\W?o\W?b|date[\s_\-]*of[\s_\-]*birth|birth[\s_\-]*da(?:te|y)|born(?:\s+on)?)(?![a-z])"
    rf"[\W_]{{0,5}}(?:(?:is|was|the)\b[\W_]{{1,3}}){{0,2}}{_DATE}(?!\d)",
    re.IGNORECASE,
)
_IS = r"(?:is\b\W{1,3})?"
_NAMED_NUMBER = (
    rf"(?:mrn|(?:hosp(?:ital)?|pas|patient)[\s.\-_']*(?:s\s+)?{_NUMBER})(?![a-z])[\W_]{{0,5}}{_IS}"
    r"[a-z]{0,3}[\s\-]?\d(?:[\s\-]?\d){4,9}[a-z]?"
)
_BARE_NUMBER = (  # where nothing says "number", a leading 0 is that of a telephone
    rf"(?:hosp(?:ital)?|pas|patient)(?![a-z])[\W_]{{0,5}}{_IS}(?=[a-z]{{0,3}}[1-9])[a-z]{{0,3}}\d{{5,10}}[a-z]?"
)
_HOSPITAL = re.compile(rf"\b(?:{_NAMED_NUMBER}|{_BARE_NUMBER})(?![a-z\d])", re.IGNORECASE)


def screen(text: str) -> Finding | None:
    """What the text may hold of a patient, None where it seems free of it."""
    plain = text
    if not text.isascii():
        composed = unicodedata.normalize("NFKC", text)
        plain = "".join(_plain(c) for c in composed)
    if not _DIGIT.search(plain):
        return None
    if _has_nhs_number(plain):
        return "nhs number"
    if _BIRTH.search(plain):
        return "date of birth"
    if _HOSPITAL.search(plain):
        return "hospital number"
    return None


def screen_values(values: Mapping[str, str | tuple[str, ...]]) -> dict[str, Finding]:
    """What each value may hold of a patient, by name; values without a finding are left out."""
    found = {}
    for name, value in values.items():
        finding = screen(value if isinstance(value, str) else "\n".join(value))
        if finding:
            found[name] = finding
    return found


def _plain(character: str) -> str:
    """Digits of every script as 0 to 9, every dash as -, nothing for what only decorates or is not seen."""
    if character.isdigit():
        return str(unicodedata.digit(character))
    match unicodedata.category(character):
        case "Pd":
            return "-"
        case "Cf" | "Mn" | "Me":
            return ""
    return "-" if character == "−" else character


def _is_telephone(text: str, start: int, digits: str) -> bool:
    """A leading 0, +44 or a word such as “tel” before it means a telephone number."""
    before = text[max(0, start - 40) : start]
    return digits[0] == "0" or bool(_ABROAD.search(before)) or bool(_TELEPHONE.search(before))


def _has_nhs_number(text: str) -> bool:
    labels = [label.end() for label in _NHS_LABEL.finditer(text)]
    for match in _TEN_DIGITS.finditer(text):
        start, written = match.start(), match[1]
        before = bisect(labels, start)
        if before and start - labels[before - 1] <= NEAR:
            return True
        digits = "".join(filter(str.isdigit, written))
        if (_GROUPED.fullmatch(written) or _is_nhs_number(digits)) and not _is_telephone(text, start, digits):
            return True
    return False


def _is_nhs_number(digits: str) -> bool:
    """By modulus 11, in the ranges of England, Wales and the Isle of Man, or of test numbers."""
    if sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, digits, strict=True)) % 11:
        return False  # as the package would say, in a hundredth of the time
    regions = (nhs_number.REGION_ENGLAND_WALES_IOM, nhs_number.REGION_SYNTHETIC)
    return any(nhs_number.is_valid(digits, for_region=region) for region in regions)
