"""Ideas: shared, seen, supported, assessed and decided."""

from handlers.ideas import card, decide, mine, news, share, support, triage
from handlers.routing import Router

router = Router().include(share.router, card.router, mine.router, support.router, triage.router, decide.router, news.router)
