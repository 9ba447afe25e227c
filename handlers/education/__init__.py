"""Education: Community of Practice sessions and Fundamentals of Innovation Adoption days."""

from handlers.education import attending, messages, organising
from handlers.routing import Router

router = Router().include(attending.router, organising.router, messages.router)
