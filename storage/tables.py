"""Every table, gathered: the migrations are compared with this metadata."""

from storage import (
    accounts,
    audit,
    counts,
    drafts,
    education,
    history,
    ideas,
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
from storage.pulse import answers, participation, results, rounds
from storage.types import Base

TOPICS = (
    accounts, audit, counts, drafts, education, history, ideas, nudges, outbox, people, places, projects, receipts, rights, signin, support,
    answers, participation, results, rounds,
)  # fmt: skip
METADATA = Base.metadata
