"""Projects: how they stand, their monthly updates, and who looks after them."""

from handlers.projects import editing, reporting, showing
from handlers.routing import Router, Routes

router: Router = Routes((showing.router, reporting.router, editing.router))
