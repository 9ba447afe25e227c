"""Texts that are made to take long to read, each as long as the largest body that is taken."""

from __future__ import annotations

BODY = 262_144
HOSTILE = (
    "1", "1 ", "9-", "1/1/", "4 5 ", "1_", "12345 ", "999 999 999 ", "4 4 4 4 4 4 4 4 x", "4,4,4,4,4,4,4,4,x", "999,", "999,000,0019 ",
    "(1)", "1*", "4000000000 ", "4,,,,,,,,", " ", "\n", "a\n", "\r\n", "\x00", "nhs no ", "nhs no 1 ", "nhs-", "tel ", "call 9990000018 ",
    "+44 ", "born ", "born 1/1/", "dob 1 ", "date of ", "patient ", "hospital no 1 ", "patient's s no ", "é", "e\u0301", "\u0300\u0316",
    "a" + "\u0316\u0300" * 10, "\u0344", "\u0f77", "\u200b", "\u200d", "\u00ad", "\u3164", "\u00a0", "\ud800", "٩", "𝟗", "①", "½",
    "\u2487", "\u33af", "\ufdfa", "\u0958", "\ufb2c", "\U0001d160", "가", "👩🏽\u200d⚕️", "9\ufe0f\u20e3", "—1", "1" + " " * 5000,
    "born 1" + " " * 5000, "".join(map(chr, range(0x100, 0x8000))),
)  # fmt: skip


def long(seed: str) -> str:
    """As much of it as one body holds."""
    return seed * (BODY // len(seed.encode("utf-8", "surrogatepass")))
