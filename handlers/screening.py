"""The patient-data guard: finds what may name a patient in free text. Pure; it keeps and logs nothing."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Literal, TypeAlias

import nhs_number

Finding: TypeAlias = Literal["nhs number", "date of birth", "hospital number"]

_DIGIT = re.compile(r"\d")
_JOIN = r"[\s.\-–—/_·]*"
_TEN_DIGITS = re.compile(rf"(?<!\d)\d(?:{_JOIN}\d){{9}}(?!\d)")
_GROUPED = re.compile(r"(?<!\d)\d{3}[\s.\-–—/_·]+\d{3}[\s.\-–—/_·]+\d{4}(?!\d)")
_NHS_LABEL = re.compile(r"\bnhs\s*(?:no|num|number|nr|#|№|id)\b", re.IGNORECASE)
_TELEPHONE = re.compile(
    r"\b(?:tel|telephone|phone|mobile|mob|call|ring|ext|fax|text|sms|whatsapp|contact)\b[\s.:()\w]{0,20}$", re.IGNORECASE
)
_DATE = (
    r"(?:\d{1,2}(?:st|nd|rd|th)?[\s./\-]+(?:\d{1,2}|[a-z]{3,9})[\s./\-,]+\d{2,4}"
    r"|\d{4}[./\-]\d{1,2}[./\-]\d{1,2}|[a-z]{3,9}\s+\d{1,2}(?:st|nd|rd|th)?,?\s+\d{4}|\d{6}|\d{8})"
)
_BIRTH = re.compile(
    rf"\b(?:d\W?o\W?b|date\s+of\s+birth|birth\s*date|born(?:\s+on)?)\b\W{{0,5}}(?:is\s+|was\s+)?{_DATE}(?!\d)", re.IGNORECASE
)
_HOSPITAL = re.compile(
    r"\b(?:hosp(?:ital)?|mrn|pas|patient)\s*(?:no|num|number|nr|id|#)?\b\W{0,5}(?:is\s+)?(?=[a-z]{0,3}\d)[a-z]{0,3}\d{5,10}[a-z]?\b",
    re.IGNORECASE,
)


def screen(text: str) -> Finding | None:
    """What the text may hold of a patient, None where it seems free of it."""
    plain = text
    if not text.isascii():
        composed = unicodedata.normalize("NFKC", text)
        plain = "".join(_ascii_digit(c) for c in composed if unicodedata.category(c) != "Cf")
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


def _ascii_digit(character: str) -> str:
    """Digits of every script as 0 to 9."""
    return str(unicodedata.digit(character)) if character.isdigit() else character


def _is_telephone(text: str, start: int, digits: str) -> bool:
    """A leading 0, +44 or a word such as “tel” before it means a telephone number."""
    before = text[max(0, start - 30) : start]
    return digits[0] == "0" or bool(re.search(r"(?:\+|00)\s*(?:44)?[\s()0]*$", before)) or bool(_TELEPHONE.search(before))


def _has_nhs_number(text: str) -> bool:
    for match in _TEN_DIGITS.finditer(text):
        digits = re.sub(r"\D", "", match.group())
        labelled = bool(_NHS_LABEL.search(text[max(0, match.start() - 30) : match.start()]))
        if labelled:
            return True
        if _is_telephone(text, match.start(), digits):
            continue
        if _GROUPED.fullmatch(match.group()) or _is_nhs_number(digits):
            return True
    return False


def _is_nhs_number(digits: str) -> bool:
    """By modulus 11, in the ranges of England, Wales and the Isle of Man, or of test numbers."""
    regions = (nhs_number.REGION_ENGLAND_WALES_IOM, nhs_number.REGION_SYNTHETIC)
    return any(nhs_number.is_valid(digits, for_region=region) for region in regions)
