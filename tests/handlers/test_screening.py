"""The patient-data guard: what may name a patient is found however it is spelled; telephone numbers and plain prose pass."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import nhs_number
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from handlers.screening import screen, screen_values
from tests.hostile import HOSTILE, long

NHS_NUMBERS = (
    "9990000018", "999 000 0018", "999-000-0018", "999.000.0018", "999/000/0018", "999_000_0018", "9 9 9 0 0 0 0 0 1 8", "99900 00018",
    "999  000\n0018", "999 - 000 - 0018", "999–000–0018", "999—000—0018", "999‑000‑0018", "999−000−0018", "999\u00a0000\u00a00018",
    "9990000026", "9998887771", "x9990000018", "(999 000 0018)", "nhs9990000018", "in 2027 999 000 0018", "ward 3 9990000018",
    "room 12, 999 000 0018", "1 999 000 0018", "9990000018 9990000018", "call patient 9990000018",
    "Please contact about patient 999 000 0018",
    "text from 999 000 0018's mother",
)  # fmt: skip
SIGNS = (
    ",", ":", ";", "+", "|", "*", "(", ")", "[", "]", "{", "}", "'", '"', "’", "“", "~", "&", "@", "!", "?", "<", ">", "\\", "`", "#", "…",
    "•", "→", "，", "＋", "｜", "、", ", ", " , ", ",\n", " | ", ") (", "), (", "', '", '", "', " - ", ") - (",
)  # fmt: skip
WITH_SIGNS = (
    "999,000,0018", "(999) 000-0018", "[999] [000] [0018]", '"999","000","0018"', "999 000,0018", "999-000*0018", "999 (000) 0018",
    "1+999+000+0018", "room 12, 999,000,0018", "room 12, 9,9,9,0,0,0,0,0,1,8", "9-9-9, 0-0-0, 0-0-1-8", "(450) 557-7104",
    "cost £5, 999,000,0018", "NHS number 999,123,4567", "NHS No: (123) 456-7890", "100 9990000018",
)  # fmt: skip
BY_FORM_OR_LABEL = (
    "999 123 4567", "999-123-4567", "123.456.7890", "NHS number 1234567890", "NHS No: 123 456 7890", "nhs no. 1234567890",
    "NHS # 1234567890", "nhs-no 1234567890", "NHS_number=1234567890", "NHS Number: 0123456789", "NHS№1234567890", "NHS ID 12345 67890",
    "NHS number is 1234567890",
)  # fmt: skip
DISGUISED = (
    "٩٩٩٠٠٠٠٠١٨", "९९९ ००० ००१८", "９９９００００018", "999\u200b000\u200b0018", "9\u200d9\u200c9\ufeff0\u20600\u00ad00018", "𝟗𝟗𝟗𝟎𝟎𝟎𝟎𝟎𝟏𝟖",
    "⁹⁹⁹⁰⁰⁰⁰⁰¹⁸",
    "9️⃣9️⃣9️⃣0️⃣0️⃣0️⃣0️⃣0️⃣1️⃣8️⃣", "①②③ ④⑤⑥ ⑦⑧⑨①", "\u202e9990000018\u202c",
)  # fmt: skip
BIRTHS = (
    "DOB 12/03/1950", "d.o.b. 12.03.50", "Date of birth: 12 March 1950", "date of birth is 12th of March 1950", "born on 3 May 1944",
    "born March 12, 1950", "DOB=12031950", "dob 1950-03-12", "DOB_12/03/1950", "birthday 3 May 1950", "date-of-birth (12/03/1950)",
    "date of birth was the 3rd of May 1950", "D O B 1.2.1950", "BirthDate 120350", "dob: ١٢/٠٣/١٩٥٠",
)  # fmt: skip
HOSPITAL_NUMBERS = (
    "hospital number 1234567", "Hosp. No. H1234567", "MRN: 1234567", "MRN 0012345", "hospital no 0123456", "patient ID AB123456",
    "hospital number is A123456", "patient's number 123 456 7", "PAS 123456", "hospital_number=123456", "patient 1234567",
)  # fmt: skip
TELEPHONES = (
    "01202 555123", "(01202) 555123", "01202-555-123", "01202555123", "01305 251150", "020 7946 0958", "020 3123 4567", "02079460958",
    "0300 123 4567", "0800 1111", "01946 12345", "07700 900123", "07700 900 123", "077 0090 0123", "+44 7700 900123", "+44 (0)7700 900123",
    "+44-7700-900-123", "+44.7700.900.123", "+447700900123", "+44 203 123 4567", "+44-203-123-4567", "+44 (0) 203 123 4567",
    "0044 1202 555123", "0044 (0)203 123 4567", "tel 1202 555 1234", "Tel: 999 000 0018", "phone number is 999 000 0018",
    "call me on 999 000 0018", "mobile: 999 123 4567", "Poole Hospital 01202 665511", "Dorset County Hospital: 01305 251150",
    "hospital (01202) 665511", "Ring the hospital 01202 665511 or 01202 665512", "01202 555123 / 01202 555124",
    "patients can ring 0300 123 4567 8am to 6pm",
)  # fmt: skip
NUMBERS = (
    "1,000,000,000", "£4,350,000,000", "£452,100 (2021)", "£ 452,100 (2021)", "€452,100, 2021", "2026-11-23 10:30:00",
    "10:45:00 2026-11-24", "2026-11-23T10:45:00Z, 2026-11-23T10:46:00Z", "sessions at 10:45, 11:30, 12:15 and 16:40", "12, 34, 56",
    "45, 11, 30, 12, 15", "999, 000, 0019", "450, 612, 106", "scores 4, 4, 2, 5, 4, 3, 4, 1, 5, 3, 2, 4", "4; 5; 5; 3; 1; 4; 2; 5; 1; 1; 2",
    "450+612=1062", "45%, 61%, 70%, 44%, 90%", "4.18.0", "v4.18.0-305", "4.18.0.305", "(01202) 123456", "(01202) 123456, (01202) 654321",
    "(020) 7946 0958", "(0300) 123-4567", "+44 (0)1202 123 456", "call (999) 000-0018", "999,123,4567", "(999) 123-4567",
    "[1] [2] [3] [4] [5] [6] [7] [8] [9]",
)  # fmt: skip
PROSE = (
    "We saved £1,000,000 in 2026/27", "between 2026-11-23 10:00 and 11:30", "12 partners, 300 patients and 4500 staff",
    "patients 100000 per year", "in 2026 12 of 50 people", "born in Poole", "a baby born at 36 weeks", "1 2 3 4 5 6 7 8 9", "IDEA-42",
    "ISO 27001:2022", "hospital 2026", "patient 12", "99.99% of 1234", "£250,000 over 5 years", "", "   ", "no digits at all",
)  # fmt: skip


@pytest.mark.parametrize("text", [*NHS_NUMBERS, *WITH_SIGNS, *BY_FORM_OR_LABEL, *DISGUISED])
def test_an_nhs_number_is_found_however_it_is_spelled(text: str) -> None:
    assert screen(text) == "nhs number"
    assert screen(f"Better letters for {text}, please") == "nhs number"


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("parts", [("999", "000", "0018"), ("450", "557", "7104"), tuple("9990000018")])
def test_a_valid_nhs_number_is_found_whatever_sign_stands_between_its_groups_or_digits(parts: tuple[str, ...], sign: str) -> None:
    assert screen(f"for {sign.join(parts)} today") == "nhs number"
    assert screen(f"({sign.join(parts)})") == "nhs number"


def test_any_time_of_any_day_passes() -> None:
    minutes = (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=61 * number) for number in range(10_000))
    written = [f"{minute:%H:%M:%S %Y-%m-%d %H:%M, %d/%m/%Y}" for minute in minutes]
    assert [times for times in written if screen(times)] == []


@pytest.mark.parametrize("text", BIRTHS)
def test_a_date_of_birth_with_its_label_is_found(text: str) -> None:
    assert screen(f"She has {text} and lives alone.") == "date of birth"


@pytest.mark.parametrize("text", HOSPITAL_NUMBERS)
def test_a_hospital_number_with_its_label_is_found(text: str) -> None:
    assert screen(f"See {text}, please.") == "hospital number"


@pytest.mark.parametrize("text", [*TELEPHONES, *NUMBERS, *PROSE])
def test_telephone_numbers_and_prose_pass(text: str) -> None:
    assert screen(text) is None
    assert screen(f"You can reach us: {text}.") is None


def test_the_findings_are_named_by_field_and_many_values_are_looked_through() -> None:
    assert screen_values({"title": "fine", "need": "999 000 0018", "many": ("a", "dob 1.2.1950")}) == {
        "need": "nhs number",
        "many": "date of birth",
    }


issued = st.one_of(st.integers(400_000_000, 499_999_999), st.integers(600_000_000, 708_800_001), st.integers(999_000_000, 999_999_999))
"""The first 9 digits: of England, Wales and the Isle of Man, or of test numbers."""
telephone_words = ("tel", "phone", "mob", "call", "ring", "ext", "fax", "text", "sms", "what", "contact")
words = st.text(alphabet=st.characters(categories=["L", "P", "Zs"], exclude_characters="+"), max_size=40).filter(
    lambda text: not any(word in text.casefold() for word in telephone_words)
)


@st.composite
def spelled(draw: st.DrawFn) -> str:
    """A valid NHS number in some spelling."""
    check = nhs_number.calculate_checksum(str(first := draw(issued)))
    assume(check is not None and check < 10)
    digits = f"{first}{check}"
    assert nhs_number.is_valid(digits)
    zero = draw(st.sampled_from([ord(digit) for digit in "0٠०０"]))
    between = draw(st.sampled_from(["", " ", "-", ".", "  ", " - ", "\u200b", "–", "\u00a0", "/"]))
    shape = draw(st.sampled_from([(3, 6, 10), (5, 10), (10,), tuple(range(1, 11))]))
    parts = [digits[start:end] for start, end in zip((0, *shape), shape, strict=False)]
    return between.join("".join(chr(zero + int(digit)) for digit in part) for part in parts)


@given(before=words, number=spelled(), after=words)
@settings(max_examples=500, deadline=None)
def test_any_valid_nhs_number_in_any_sentence_is_found(before: str, number: str, after: str) -> None:
    assert screen(f"{before} {number} {after}") == "nhs number"


def test_numbers_that_the_nhs_could_issue_are_found() -> None:
    numbers = [
        number
        for region in (nhs_number.REGION_ENGLAND_WALES_IOM, nhs_number.REGION_SYNTHETIC)
        for number in nhs_number.generate(for_region=region, quantity=500)
    ]
    assert [number for number in numbers if screen(f"for {number}.") != "nhs number"] == []


@given(st.text(alphabet=st.characters(exclude_categories=["Nd", "No", "Nl"]), max_size=2000))
@settings(max_examples=300, deadline=None)
def test_text_without_digits_is_never_taken_for_patient_data(text: str) -> None:
    assert screen(text) is None


@given(st.text(max_size=300))
@settings(max_examples=500, deadline=None)
def test_no_text_makes_the_guard_fail(text: str) -> None:
    screen(text)


REPEATED = (
    "1",
    " ",
    "1 ",
    "9-",
    "1/1/",
    "born ",
    "dob 1 ",
    "nhs no ",
    "date of ",
    "tel ",
    "hospital no 1 ",
    "patient ",
    "12345 ",
    "aaa 1 ",
    "٩",
    "\u200b",
)


@pytest.mark.parametrize("text", REPEATED)
@pytest.mark.parametrize(("length", "seconds"), [(10_000, 0.5), (200_000, 8)])
def test_long_texts_are_looked_through_quickly(text: str, length: int, seconds: float) -> None:
    """The limits allow for a slow machine; what grows with the square of the length would take minutes."""
    begun = time.process_time()
    screen("hospital no " + (text * length)[:length])
    assert time.process_time() - begun < seconds


@pytest.mark.parametrize("seed", HOSTILE)
async def test_the_longest_text_does_not_hold_others_up(seed: str) -> None:
    """A step of the loop that takes over 100 ms fails the test."""
    screen(f"1 {long(seed)}")
