"""Words on an Adaptive Card: what people wrote stands in text runs, which read no markdown; pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]

LINE = 3000
"""Characters of one line; a longer one goes on in the next."""
NOTE: Json = {"isSubtle": True, "size": "Small"}
BOLD: Json = {"weight": "Bolder"}
WRONG: Json = {"color": "Attention", "weight": "Bolder"}

_JOINER = "\u2060"
"""No width, and nothing is broken at it; `forms.tidy` takes it off again where words come back."""
_READ = re.compile(r"\{(?=\{)|<(?=/?at\b)", re.IGNORECASE)
_MARK = re.compile(r"[\\`*_\[\]<>~]|&(?=#?\w+;)|^#(?=#{0,5}\s)|^[-+](?=\s)|(?<=^\d)[.)](?=\s)|(?<=^\d\d)[.)](?=\s)")
_LINKED = re.compile(r"(?<=\w\.)(?=[^\W\d_])|(?<=:/)(?=/)")


def size(value: object) -> int:
    """Bytes of the compact JSON in UTF-16, which is how Teams counts."""
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-16-le", "surrogatepass"))


def safe(text: str) -> str:
    """The same words, in which Teams finds no date to write out and nobody to mention."""
    return _READ.sub(lambda begun: begun[0] + _JOINER, text)


def could_be_markdown(text: str) -> bool:
    """Whether markdown could show the words in another way than they stand, or make a link of them."""
    return bool(_MARK.search(text) or _LINKED.search(text))


def escaped(text: str) -> str:
    """The words for where markdown is read: they are shown as they stand, and no link is made of them."""
    return _LINKED.sub(_JOINER, _MARK.sub(lambda mark: f"\\{mark[0]}", text))


def run(text: str, **style: Any) -> Json:
    """Words as they stand."""
    return {"type": "TextRun", "text": safe(text) or " ", **style}


def rich(*runs: Json, **element: Any) -> Json:
    """A paragraph of runs."""
    return {"type": "RichTextBlock", "inlines": list(runs), **element}


def told(text: str, **style: Any) -> list[Json]:
    """A paragraph a line; empty lines are the space between."""
    blocks: list[Json] = []
    together = False
    for line in text.splitlines():
        for part in _parts(line):
            blocks.append(rich(run(part, **style), **({"spacing": "None"} if together else {})))
            together = True
        together = together and bool(line.strip())
    return blocks


def _parts(line: str) -> Iterator[str]:
    if line.strip():
        for start in range(0, len(line), LINE):
            yield line[start : start + LINE]
