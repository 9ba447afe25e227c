"""Projects: how they stand, their monthly updates, and who looks after them."""

from handlers.projects import editing, reporting, showing
from handlers.routing import Router

router = Router().include(showing.router, reporting.router, editing.router)
