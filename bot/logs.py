"""Logs are facts: a constant message with fields, ids only; of an exception its kind and its frames, never its text."""

from __future__ import annotations

import logging
import sys
import traceback
from types import TracebackType

_STANDARD = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class FactsFormatter(logging.Formatter):
    """One line a record: time, level, logger, message, then the fields as key=value."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """The record as text; what another formatter has made of its exception is not used, nor is ours left to others."""
        record.exc_text = None
        try:
            return super().format(record)
        finally:
            record.exc_text = None

    def formatMessage(self, record: logging.LogRecord) -> str:
        """The line with its fields."""
        fields = " ".join(f"{key}={_on_one_line(value)}" for key, value in vars(record).items() if key not in _STANDARD)
        return f"{super().formatMessage(record)} {fields}".rstrip()

    def formatException(self, info: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]) -> str:
        """Kinds and frames of an exception and its causes; the text may hold what people wrote, so it is left out."""
        parts, error = [], info[1]
        seen: set[int] = set()
        while error is not None and id(error) not in seen:
            seen.add(id(error))
            kind = type(error)
            frames = "".join(traceback.format_tb(error.__traceback__))
            parts.append(f"{frames}{kind.__module__}.{kind.__qualname__}")
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        return "\ncaused by:\n".join(parts)


def _on_one_line(value: object) -> str:
    """A field's value, which can neither begin a line of its own nor break the encoding."""
    text = str(value)
    return text if text.isprintable() else ascii(text)


def set_up() -> None:
    """Logs to standard error from INFO; libraries from WARNING."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(FactsFormatter())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    for own in ("bot", "scheduler", "handlers", "storage"):
        logging.getLogger(own).setLevel(logging.INFO)
