"""The maturity pulse: a wheel is asked in rounds, answers stay sealed until the round closes, and little of them is published."""

from handlers.pulse import priorities, questions, results, steering
from handlers.routing import Router

router = Router().include(questions.router, steering.router, results.router, priorities.router)
