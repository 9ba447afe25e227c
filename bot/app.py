"""Composition: settings -> database -> registry -> dispatcher -> channels -> scheduler -> HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from aiohttp import web

from bot import http
from bot.dispatch import Dispatcher, Vouching
from bot.http import Channel
from bot.limits import Patience, RateLimit
from bot.links import FileLinks
from bot.pictures import Pictures
from bot.settings import Settings
from bot.web.receive import Persona, WebChannel
from handlers.registry import ROUTES
from handlers.routing import Routes
from scheduler import retention
from scheduler.clock import Tick, Ticker
from scheduler.delivery import Delivery
from scheduler.planner import Planner
from scheduler.pulse import Closing
from storage.database import Database

if TYPE_CHECKING:
    from bot.slack.receive import SlackChannel
    from bot.teams.receive import TeamsChannel

log = logging.getLogger(__name__)

ANSWER_WITHIN = 0.7  # seconds; the platforms are answered within 1 whatever happens
HOLD_BACK_OVER = 60  # seconds; a longer delivery interval also switches the wake-up after a commit off
CLOSES_WITHIN = 5  # seconds from the mark that a round closes until it is counted, or tried again
GRACE = 10  # seconds that work under way is given when the server stops


class Server:
    """One process of the bot. `start`, then `stop`; both once."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        *,
        routes: Routes = ROUTES,
        personas: Sequence[Persona] = (),
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        self.settings, self.database = settings, database
        self.clock = clock or settings.clock()
        links = FileLinks(settings.keys)
        self.pictures = Pictures(settings.keys, self.clock)
        self.dispatcher = Dispatcher(
            database,
            routes,
            clock=self.clock,
            limit=RateLimit(settings.dih_rate_per_minute),
            links=links,
            vouching=_vouching(settings),
            site=settings.site,
            wake=self._committed,
            pulse_minimum=settings.dih_pulse_minimum,
        )
        self.patience = Patience(seconds=ANSWER_WITHIN)
        self.channels = _channels(settings, database, self.dispatcher, self.patience, self.pictures, self.clock, personas)
        senders = {channel.name: channel.sender for channel in self.channels}
        self.delivery = Delivery(database, routes, senders, clock=self.clock, lease_seconds=settings.dih_lease_seconds)
        self.planner = Planner(database, clock=self.clock)
        self.closing = Closing(database, clock=self.clock)
        self._ticker = Ticker(
            Tick(name="planning", seconds=settings.dih_tick_seconds, call=self._plan),
            Tick(name="delivery", seconds=settings.dih_delivery_seconds, call=self._deliver),
            Tick(name="closing", seconds=min(settings.dih_tick_seconds, CLOSES_WITHIN), call=self._close),
            Tick(name="retention", seconds=max(settings.dih_tick_seconds, 3600), call=self._forget_old),
        )
        application = http.application(
            self.channels, self.dispatcher, links, self.pictures, database, clock=self.clock, body_limit=settings.dih_body_limit
        )
        self._runner = http.runner(application, grace=GRACE)

    def _committed(self) -> None:
        if self.settings.dih_delivery_seconds <= HOLD_BACK_OVER:
            self.delivery.wake()

    async def _deliver(self) -> None:
        self.delivery.wake()

    async def _plan(self) -> None:
        if await self.planner.run():
            self._committed()

    async def _close(self) -> None:
        if await self.closing.run():
            self._committed()

    async def _forget_old(self) -> None:
        await retention.forget_old(self.database, self.clock())

    async def start(self) -> None:
        """Opens channels, begins to deliver and to listen; raises OSError when the port is taken."""
        for channel in self.channels:
            await channel.open()
        await self._runner.setup()
        await web.TCPSite(self._runner, self.settings.dih_host, self.settings.dih_port, backlog=1024).start()
        self._delivering = asyncio.create_task(self.delivery.keep_running())
        self._ticker.start()

    async def stop(self) -> None:
        """Takes nothing new, finishes what is under way, and closes everything."""
        self._ticker.stop()
        self.delivery.stop()
        await self._runner.cleanup()
        await self.patience.finish(GRACE)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._delivering, GRACE)
        for channel in self.channels:
            await channel.close()
        await self.pictures.close()
        await self.database.close()


def _vouching(settings: Settings) -> Vouching:
    allowed = {"slack": settings.slack_allowed_workspaces, "teams": settings.teams_allowed_tenants}
    domains = {(channel, tenant): listed for channel, tenants in allowed.items() for tenant, listed in tenants.items()}
    return Vouching(domains=domains, admins=frozenset(settings.dih_admins))


def _channels(
    settings: Settings,
    database: Database,
    dispatcher: Dispatcher,
    patience: Patience,
    pictures: Pictures,
    clock: Callable[[], datetime],
    personas: Sequence[Persona],
) -> tuple[Channel, ...]:
    """The channels whose settings are there; the web chat always is."""
    channels: list[Channel] = [
        WebChannel(dispatcher, database, pictures, clock=clock, secure=settings.secure, patience=patience, personas=personas)
    ]
    if settings.slack_bot_token is not None:
        channels.append(_slack(settings, dispatcher, patience, pictures))
    if settings.teams_app_id:
        channels.append(_teams(settings, database, dispatcher, patience, pictures, clock))
    return tuple(channels)


def _slack(settings: Settings, dispatcher: Dispatcher, patience: Patience, pictures: Pictures) -> SlackChannel:
    """Imported only where it is used: the SDK takes a good part of the start."""
    from bot.slack.receive import SlackChannel

    assert settings.slack_bot_token is not None
    assert settings.slack_signing_secret is not None
    return SlackChannel(
        dispatcher,
        pictures,
        signing_secret=settings.slack_signing_secret.get_secret_value(),
        bot_token=settings.slack_bot_token.get_secret_value(),
        api_url=settings.slack_api_url,
        allowed=frozenset(settings.slack_allowed_workspaces),
        patience=patience,
    )


def _teams(
    settings: Settings,
    database: Database,
    dispatcher: Dispatcher,
    patience: Patience,
    pictures: Pictures,
    clock: Callable[[], datetime],
) -> TeamsChannel:
    """Imported only where it is used, as Slack is."""
    from bot.teams.receive import TeamsChannel

    assert settings.teams_app_id is not None
    assert settings.teams_app_password is not None
    assert settings.teams_app_tenant_id is not None
    return TeamsChannel(
        dispatcher,
        database,
        pictures,
        app_id=settings.teams_app_id,
        password=settings.teams_app_password.get_secret_value(),
        tenant=settings.teams_app_tenant_id,
        allowed=frozenset(settings.teams_allowed_tenants),
        site=settings.site,
        patience=patience,
        clock=clock,
    )
