"""All topics of the bot, in one explicit list; a clash of names raises when this is imported."""

from handlers import digest, education, ideas, linking, nudges, people, places, projects, pulse, welcome
from handlers.routing import Routes


def _all() -> Routes:
    return ROUTES


FEATURES = (
    welcome.router_for(_all),
    linking.router,
    ideas.router,
    projects.router,
    education.router,
    places.router,
    people.router,
    pulse.router,
    digest.router,
    nudges.router_for(_all),
)

ROUTES: Routes = Routes(FEATURES)
