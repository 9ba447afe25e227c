"""Education: Community of Practice sessions and Fundamentals of Innovation Adoption days."""

from handlers.education import attending, messages, organising
from handlers.routing import Router, Routes

router: Router = Routes((attending.router, organising.router, messages.router))
