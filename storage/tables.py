"""Every table, gathered: the migrations are compared with this metadata."""

from storage import (
    accounts,
    audit,
    counts,
    drafts,
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
)
from storage.types import Base

TOPICS = (accounts, audit, counts, drafts, history, ideas, nudges, outbox, people, places, projects, receipts, rights, signin, support)
METADATA = Base.metadata
