"""Every table, gathered: the migrations are compared with this metadata."""

from storage import (  # noqa: F401 - each brings its tables
    accounts,
    addresses,
    audit,
    counts,
    drafts,
    education,
    history,
    ideas,
    linking,
    nudges,
    outbox,
    people,
    places,
    projects,
    receipts,
    rights,
    signin,
    support,
)  # fmt: skip
from storage.pulse import answers, participation, results, rounds  # noqa: F401
from storage.types import Base

METADATA = Base.metadata
