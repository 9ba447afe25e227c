"""A process that dies loses nothing: what was committed is delivered by the next one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from storage import ideas, people, places
from storage.database import Database
from storage.people import Group
from storage.places import GroupPlace
from tests.processes.serving import BotProcess, free_port
from tests.slackdouble.slackdouble import SlackDouble, User

HOLD_BACK = {"DIH_DELIVERY_SECONDS": "3600"}
PROMPT = {"DIH_DELIVERY_SECONDS": "1", "DIH_LEASE_SECONDS": "1"}


@pytest.fixture
async def slack() -> AsyncIterator[SlackDouble]:
    """A Slack whose app will serve at a port that is free now."""
    async with SlackDouble(f"http://127.0.0.1:{free_port()}", "secret", retry_delays=(0, 0, 0)) as double:
        yield double


class Hub:
    """One Slack, one database, and the process between them."""

    def __init__(self, slack: SlackDouble, database: Database, url: str, folder: Path) -> None:
        self.slack, self.database, self.folder = slack, database, folder
        self._env = {"DIH_DATABASE_URL": url, **slack.env()}
        self.core_team = slack.channel("core-team")

    async def prepare(self) -> None:
        """A partner to choose, and the Core Team's place."""
        place = GroupPlace(group=Group.CORE_TEAM, channel="slack", tenant=self.slack.team["id"], place=self.core_team)
        async with self.database.transaction() as session:
            await people.add_organisation(session, name="University Hospitals Dorset")
            await places.set_place(session, place, now=datetime.now(UTC))
        await self.database.engine.dispose()

    def bot(self, settings: dict[str, str]) -> BotProcess:
        """A new process at the same address."""
        return BotProcess(self.folder, {**self._env, **settings}, port=int(self.slack.app_url.rpartition(":")[2]))

    def told(self, channel: str, words: str) -> int:
        """How many messages with these words stand in a channel."""
        return sum(words in str(message) for message in self.slack.messages.get(channel, []) if message["user"] == self.slack.bot.id)


@pytest.fixture
async def hub(slack: SlackDouble, database: Database, database_url: str, tmp_path: Path) -> Hub:
    """Ready for a story."""
    hub = Hub(slack, database, database_url, tmp_path)
    await hub.prepare()
    return hub


async def share(ann: User, title: str) -> None:
    """Ann types the command and fills the form in."""
    await ann.command("/dih idea")
    modal = await ann.modal()
    answers = {"Title": title, "What need or problem does it answer, and for whom?": "People who have fallen"}
    await modal.fill({**answers, "Where": "University Hospitals Dorset"}).submit()


async def test_an_idea_survives_a_kill_after_its_commit_and_both_messages_arrive_once(hub: Hub) -> None:
    ann = hub.slack.user("Ann Lee", "ann@example.org")
    bot = hub.bot(HOLD_BACK)
    await bot.start()
    await share(ann, "Sensors that notice a fall")
    await bot.kill()
    assert not hub.slack.called("chat.postMessage")
    async with hub.bot(PROMPT):
        await ann.dm("Thank you for IDEA-1", timeout=15)
        await ann.message(hub.core_team, "Sensors that notice a fall", timeout=15)
    async with hub.database.reading() as session:
        idea = await ideas.find(session, 1)
    assert idea is not None
    assert idea.title == "Sensors that notice a fall"
    assert hub.told(ann.im, "Thank you for IDEA-1") == 1
    assert hub.told(hub.core_team, "Sensors that notice a fall") == 1
    hub.slack.assert_clean()


async def test_a_message_whose_sending_was_killed_is_sent_once_more(hub: Hub) -> None:
    ann = hub.slack.user("Ann Lee", "ann@example.org")
    bot = hub.bot(PROMPT)
    await bot.start()
    hub.slack.fault("chat.postMessage", "hang", times=2, seconds=5)
    await share(ann, "Sensors that notice a fall")
    await hub.slack.until(lambda: len(hub.slack.called("chat.postMessage")) == 2, 10, "messages on their way")
    await bot.kill()
    async with hub.bot(PROMPT):
        await ann.dm("Thank you for IDEA-1", timeout=30)
        await ann.message(hub.core_team, "Sensors that notice a fall", timeout=30)
    assert hub.told(ann.im, "Thank you for IDEA-1") == 1
    assert hub.told(hub.core_team, "Sensors that notice a fall") == 1
