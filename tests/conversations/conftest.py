"""A hub with its whole server, composed as it ships, and people on one channel or the other."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pydantic import SecretStr

from bot.app import Server
from bot.settings import Settings
from storage import accounts, people, rights, signin
from storage.database import Database
from storage.people import AccountKey, Group, Seen
from storage.rights import Rights
from tests.conftest import SECRET_KEY
from tests.conversations.chat import Chat
from tests.conversations.slack_chat import SlackChat
from tests.conversations.teams_chat import TeamsChat
from tests.processes.serving import free_port
from tests.slackdouble.slackdouble import SlackDouble
from tests.teams.conftest import playing
from tests.teamsdouble.teamsdouble import TeamsDouble
from tests.web.window import Window


class Hub(ABC):
    """One server and the people who use it; `somebody` gives a person with rights."""

    def __init__(self, server: Server) -> None:
        self.server, self.database = server, server.database
        self.across: Hub = self
        """The same hub, for people on the other channel."""

    async def somebody(self, name: str, *groups: Group, administrator: bool = False) -> Chat:
        """A person of University Hospitals Dorset with these rights, in front of this channel."""
        key, chat = await self._sit_down(name)
        now = self.server.clock()
        async with self.database.transaction() as session:
            organisation = (await people.list_organisations(session))[0].id
            person = await accounts.note(session, Seen(key=key, name=name, email=None, vouched=False), now=now)
            wanted = Rights(organisation_id=organisation, groups=frozenset(groups), administrator=administrator)
            await rights.change(session, person, wanted)
        return chat

    @abstractmethod
    async def _sit_down(self, name: str) -> tuple[AccountKey, Chat]:
        """Somebody's account and their view of the channel."""

    @abstractmethod
    async def close(self) -> None:
        """Everybody goes home."""


class SlackHub(Hub):
    """Everybody uses Slack."""

    def __init__(self, server: Server, slack: SlackDouble) -> None:
        super().__init__(server)
        self.slack = slack

    async def _sit_down(self, name: str) -> tuple[AccountKey, Chat]:
        user = self.slack.user(name)
        return AccountKey(channel="slack", tenant=self.slack.team["id"], user=user.id), SlackChat(self.slack, user)

    async def close(self) -> None:
        """Slack would have complained of nothing."""
        self.slack.assert_clean()


class TeamsHub(Hub):
    """Everybody uses Teams."""

    def __init__(self, server: Server, teams: TeamsDouble) -> None:
        super().__init__(server)
        self.teams = teams

    async def _sit_down(self, name: str) -> tuple[AccountKey, Chat]:
        user = self.teams.user(name)
        await self.teams.install(user)
        await user.message("Hello", timeout=10)
        return AccountKey(channel="teams", tenant=user.tenant, user=user.aad), TeamsChat(self.teams, user, self.server.patience)

    async def close(self) -> None:
        """Teams would have complained of nothing."""
        self.teams.assert_clean()


class WebHub(Hub):
    """Everybody uses the web chat, signed in by a link."""

    def __init__(self, server: Server) -> None:
        super().__init__(server)
        self._windows: list[Window] = []

    async def _sit_down(self, name: str) -> tuple[AccountKey, Chat]:
        now = self.server.clock()
        async with self.database.transaction() as session:
            id = await accounts.add_person(session, name=name, email=None, now=now)
            token = await signin.add_link(session, id, now=now)
        window = Window(self.server.settings.site, deliver=self.server.delivery.run)
        self._windows.append(window)
        await window.goes(f"/sign-in/{token}")
        await window.presses("Sign in")
        return AccountKey(channel="web", tenant="", user=str(id)), window

    async def close(self) -> None:
        """The windows close."""
        for window in self._windows:
            await window.close()


@pytest.fixture(params=["web", "slack", "teams"])
async def hub(request: pytest.FixtureRequest, database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Hub]:
    """A hub with one partner, on each channel and each database."""
    port = free_port()
    async with _platform(request.param, port, monkeypatch) as (platform, own):
        settings = Settings(
            dih_database_url=database_url, dih_port=port, dih_rate_per_minute=1000, dih_secret_keys=(SecretStr(SECRET_KEY),), **own
        )
        server = Server(settings, Database(database_url, settings.keys))
        async with server.database.transaction() as session:
            await people.add_organisation(session, name="University Hospitals Dorset", domains=("uhd.nhs.uk",))
        await server.start()
        web = WebHub(server)
        other: Hub = SlackHub(server, platform) if isinstance(platform, SlackDouble) else TeamsHub(server, platform)
        hubs = (web, other) if request.param == "web" else (other, web)
        hub, hub.across = hubs
        try:
            yield hub
            for each in hubs:
                await each.close()
        finally:
            await server.stop()


@asynccontextmanager
async def _platform(
    name: str, port: int, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[SlackDouble | TeamsDouble, dict[str, Any]]]:
    """The platform that is played beside the web chat, and the settings by which the bot finds it."""
    at = f"http://127.0.0.1:{port}"
    if name != "teams":
        async with SlackDouble(at, "secret", retry_delays=(0, 0, 0)) as slack:
            token, secret = SecretStr(slack.bot_token), SecretStr("secret")
            yield slack, {"slack_signing_secret": secret, "slack_bot_token": token, "slack_api_url": slack.api_url}
    else:
        async with playing(monkeypatch, at) as teams:
            teams.throttle = False  # people in a story do in seconds what takes minutes
            password = SecretStr(teams.app_password)
            yield teams, {"teams_app_id": teams.app_id, "teams_app_password": password, "teams_app_tenant_id": teams.tenant}
