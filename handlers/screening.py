"""The patient-data guard: finds what may name a patient in free text. Pure; it keeps and logs nothing."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from typing import Literal, TypeAlias

import nhs_number

Finding: TypeAlias = Literal["nhs number", "date of birth", "hospital number"]

NEAR = 20
"""Characters between a label and its number."""
MOST = 500
"""Suspects of one kind that are looked at; nobody writes a text with more of them, so it is refused."""

_OTHER = "ÿ"
"""Stands for every letter that is not one of a to z."""
_LOOKS = {
    **dict.fromkeys(("Ll", "Lm", "Lo", "Lt", "Lu", "Nl", "No"), _OTHER),
    **dict.fromkeys(("Cf", "Me", "Mn"), ""),
    **dict.fromkeys(("Zl", "Zp", "Zs"), " "),
    "Pd": "-",
    "Sc": "$",
}
"""What stands for a character beyond ASCII, by its category; a quotation mark for all others."""
_BEGINS = r"(?<!\w.)"
"""The character before it begins a word; a search for a letter is quicker than one for the edge of a word."""
_WEIGHTS = (10, 9, 8, 7, 6, 5, 4, 3, 2, 1)
_DIGIT = re.compile(r"\d")
_JOIN = r"[ \t-\r.\-_/]"
_SIGNS = rf"[^a-z\d{_OTHER}$%=]{{1,8}}+"  # a currency, % and = belong to sums
# The nine digits after the first: joined in any groups; with signs in the groups that are printed, but not after a currency;
# with signs one by one, but not in the middle of a longer list.
_JOINED = rf"(?:{_JOIN}*+\d){{9}}+(?!\d)"
_PRINTED = rf"(?<!\$.)(?<!\$ .)\d\d{_SIGNS}\d{{3}}{_SIGNS}\d{{4}}(?!\d)"
_ONE_BY_ONE = rf"(?<!\D\d[^a-z\d].)(?<!\D\d[^a-z\d] .)(?:{_SIGNS}\d){{9}}+(?!\d|{_SIGNS}\d)"
_NINE_MORE = rf"(?:{_JOINED}|{_PRINTED}|{_ONE_BY_ONE})"
_TEN_DIGITS = re.compile(rf"[4679](?<!\d.)(?=({_NINE_MORE}))")  # looks ahead, so that one may begin inside another
_GROUPED = re.compile(rf"[1-9](?<!\d.)\d\d{_JOIN}++\d{{3}}{_JOIN}++\d{{4}}(?!\d)")
_NUMBER = r"(?:no|num|number|nr|id|identifier|#)"
_LABEL = re.compile(rf"n{_BEGINS}hs[\s.\-_]*{_NUMBER}(?![a-z])")
_NEARBY = re.compile(rf".{{0,{NEAR}}}?\d(?<!\d.){_NINE_MORE}", re.DOTALL)
_TELEPHONE = re.compile(
    r"\b(?:tel|telephone|phone|mobile|mob|call|ring|ext|fax|text|sms|whatsapp|contact)\b"
    r"(?:[\s.:()]{0,3}\b(?:no|num|number|is|on|at|me|us|him|her|them|now|line)\b){0,3}[\s.:()\-]{0,3}$"
)
_ABROAD = re.compile(r"(?<!\d)(?:\+|00)[\s.\-()]{0,3}(?:44)?[\s.()\-0]{0,6}$")
_DATE = (
    r"(?:\d{1,2}(?:st|nd|rd|th)?[\s./\-]+(?:of\s+)?(?:\d{1,2}|[a-z]{3,9})[\s./\-,]+\d{2,4}"
    r"|\d{4}[\s./\-]+\d{1,2}[\s./\-]+\d{1,2}|[a-z]{3,9}[\s.]+\d{1,2}(?:st|nd|rd|th)?,?\s+\d{4}|\d{6}|\d{8})"
)
_BORN = re.compile(rf"d{_BEGINS}(?=\W?o\W?b|ate)|b{_BEGINS}(?=irth|orn)")
_BIRTH = re.compile(
    r"(?:d\W?o\W?b|date[\s_\-]*of[\s_\-]*birth|birth[\s_\-]*da(?:te|y)|born(?:\s+on)?)(?![a-z])"
    rf"[\W_]{{0,5}}(?:(?:is|was|the)\b[\W_]{{1,3}}){{0,2}}{_DATE}(?!\d)"
)
_IS = r"(?:is\b\W{1,3})?"
_NAMED_NUMBER = (
    rf"(?:mrn|(?:hosp(?:ital)?|pas|patient)[\s.\-_']*(?:s\s+)?{_NUMBER})(?![a-z])[\W_]{{0,5}}{_IS}"
    r"[a-z]{0,3}[\s\-]?\d(?:[\s\-]?\d){4,9}[a-z]?"
)
_BARE_NUMBER = (  # where nothing says "number", a leading 0 is that of a telephone
    rf"(?:hosp(?:ital)?|pas|patient)(?![a-z])[\W_]{{0,5}}{_IS}(?=[a-z]{{0,3}}[1-9])[a-z]{{0,3}}\d{{5,10}}[a-z]?"
)
_PATIENT = re.compile(rf"m{_BEGINS}rn|h{_BEGINS}osp|p{_BEGINS}(?:as|atient)")
_HOSPITAL = re.compile(rf"(?:{_NAMED_NUMBER}|{_BARE_NUMBER})(?![a-z\d])")


def screen(text: str) -> Finding | None:
    """What the text may hold of a patient, None where it seems free of it. Takes time in proportion to the text's length."""
    plain = _plain(text)
    if not _DIGIT.search(plain):
        return None
    if _has_nhs_number(plain):
        return "nhs number"
    if _any(_BORN.finditer(plain), lambda suspect: bool(_BIRTH.match(plain, suspect.start()))):
        return "date of birth"
    if _any(_PATIENT.finditer(plain), lambda suspect: bool(_HOSPITAL.match(plain, suspect.start()))):
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


def _plain(text: str) -> str:
    """The text in small letters of ASCII, digits of every script as 0 to 9, without what only decorates or is not seen."""
    if text.isascii():
        return text.lower()
    return text.translate({ord(character): _simplified(character) for character in set(text)})


def _simplified(character: str) -> str:
    """What a character looks like; one that would become many, and is no ligature of ASCII, counts as its first."""
    if unicodedata.category(character) == "Lo":  # of a script without small and capital letters
        return _OTHER
    simple = "".join(map(_in_ascii, unicodedata.normalize("NFKD", character)))
    return simple[:4] if simple.isascii() else simple[:1]


def _in_ascii(character: str) -> str:
    if character.isascii():
        return character.lower()
    if character in "−·":
        return "-" if character == "−" else "."
    if character.isdigit():
        return str(unicodedata.digit(character))
    return _LOOKS.get(unicodedata.category(character), "'")


def _any(suspects: Iterator[re.Match[str]], is_one: Callable[[re.Match[str]], bool]) -> bool:
    """Whether one of the suspects is one, or they are too many to look at."""
    return any(number == MOST or is_one(suspect) for number, suspect in enumerate(suspects))


def _is_telephone(text: str, start: int) -> bool:
    """+44 or a word such as “tel” before it means a telephone number."""
    before = text[max(0, start - 40) : start]
    return bool(_ABROAD.search(before)) or bool(_TELEPHONE.search(before))


def _has_nhs_number(text: str) -> bool:
    """After a label, by its form, or by its check digit; the last two never begin with 0, as telephone numbers do."""
    return (
        _any(_LABEL.finditer(text), lambda label: bool(_NEARBY.match(text, label.end())))
        or _any(_GROUPED.finditer(text), lambda grouped: not _is_telephone(text, grouped.start()))
        or _any(_TEN_DIGITS.finditer(text), lambda ten: _is_nhs_number(ten[0] + ten[1]) and not _is_telephone(text, ten.start()))
    )


def _is_nhs_number(written: str) -> bool:
    """By modulus 11, in the ranges of England, Wales and the Isle of Man, or of test numbers."""
    digits = "".join(filter(str.isdigit, written))
    if sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, digits, strict=True)) % 11:
        return False  # as the package would say, in a hundredth of the time
    regions = (nhs_number.REGION_ENGLAND_WALES_IOM, nhs_number.REGION_SYNTHETIC)
    return any(nhs_number.is_valid(digits, for_region=region) for region in regions)
