"""A person in Slack, played from outside through signed requests and the Web API."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.conversations.chat import Answers
from tests.slackdouble.slackdouble import Modal, SlackDouble, User


def _words(message: Mapping[str, Any]) -> str:
    """All that a person can read of a message or a modal."""
    found: list[str] = []

    def look(value: Any) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                if key == "text" and isinstance(inner, str):
                    found.append(inner)
                else:
                    look(inner)
        elif isinstance(value, list):
            for inner in value:
                look(inner)

    look({"title": message.get("title"), "blocks": message.get("blocks") or message.get("text")})
    if not message.get("blocks"):
        found.append(str(message.get("text", "")))
    return "\n".join(found)


class SlackChat:
    """One person's Slack; `screen` is the newest thing the bot showed them."""

    def __init__(self, slack: SlackDouble, user: User) -> None:
        self.slack, self.user = slack, user
        self._modal: Modal | None = None

    async def types(self, words: str) -> None:
        """As a slash command, in the direct message with the bot; a modal that is open is closed first."""
        self._modal = None
        self.slack.stacks.pop(self.user.id, None)
        self._seen_before = len(self.slack.ephemerals)
        await self.user.command(f"/dih {words}")

    async def opens_form(self) -> None:
        """A modal is on the screen."""
        self._modal = await self.user.modal()

    async def _form(self) -> Modal:
        if self._modal is None or not self._modal.open:
            await self.opens_form()
        assert self._modal is not None
        return self._modal

    async def fills(self, answers: Answers) -> None:
        """Fills and submits the modal."""
        modal = await self._form()
        for label, answer in answers.items():
            element = modal._find(label)["element"]
            boxes = [option["text"]["text"] for option in element["options"]] if element["type"] == "checkboxes" else []
            ticked = boxes if answer == "yes" else [box for box in boxes if box in answer.split("; ")]
            several = answer.split("; ") if element["type"] == "multi_static_select" else answer
            modal.fill({label: ticked if boxes else several})
        self._sent = (dict(modal.view), modal.values())
        await modal.submit()

    async def sends_again(self) -> None:
        """The same submission once more; its answer updates what is on the screen."""
        view, values = self._sent
        modal = await self._form()
        payload = self.user._base("view_submission") | {
            "trigger_id": self.slack.trigger(self.user.id, view["id"]),
            "response_urls": [],
            "view": {**view, "state": {"values": values}},
        }
        modal._obey(await self.slack.interact(payload))

    async def errors(self) -> Mapping[str, str]:
        """The errors under the fields, by label."""
        modal = await self._form()
        labels = {block["block_id"]: block["label"]["text"] for block in modal.inputs()}
        return {labels[block]: words for block, words in (modal.errors or {}).items()}

    async def typed(self, label: str) -> str:
        """What stands in a field of the modal."""
        modal = await self._form()
        block = next(each for each in modal.inputs() if each["label"]["text"] == label)
        (state,) = modal.values()[block["block_id"]].values()
        chosen = state.get("selected_option")
        return str(
            chosen["text"]["text"] if chosen else state.get("value") or state.get("selected_date") or state.get("selected_time") or ""
        )

    def _surfaces(self) -> list[dict[str, Any]]:
        """What is on the screen, the newest first: a modal covers all messages."""
        modal = self.slack.last_view(self.user)
        private = [each for each in self.slack.ephemerals if each["to"] == self.user.id]
        direct = [
            {**each, "channel": self.user.im} for each in self.slack.messages.get(self.user.im, []) if each["user"] == self.slack.bot.id
        ]
        messages = sorted([*private, *direct], key=lambda each: float(each["ts"]), reverse=True)
        return ([modal.view] if modal else []) + messages

    async def presses(self, label: str) -> None:
        """The newest button of that name, on a modal or a message."""
        for surface in self._surfaces():
            for block in surface.get("blocks") or []:
                for element in [block.get("accessory"), *(block.get("elements") or [])]:
                    if isinstance(element, dict) and element.get("type") == "button" and element["text"]["text"] == label:
                        where = Modal(self.slack, self.user, surface["id"]) if surface.get("type") == "modal" else surface
                        await self.user.click(where, element["action_id"], block_id=block["block_id"])
                        self._modal = None
                        return
        raise AssertionError(f"no button {label!r} on: {json.dumps([_words(each) for each in self._surfaces()], indent=1)}")

    async def sees(self, *words: str) -> str:
        """The newest surface that shows all of these."""

        def look() -> str:
            return next((shown for shown in map(_words, self._surfaces()[:2]) if all(word in shown for word in words)), "")

        shown: str = await self.slack.until(look, 5, f"{words} on the screen of {self.user.name}")
        return shown

    async def is_told(self, words: str) -> str:
        """A direct message from the bot."""
        return _words(await self.user.dm(words, timeout=10))

    async def was_told(self, words: str) -> int:
        """Direct messages with these words."""
        mine = self.slack.messages.get(self.user.im, [])
        return sum(words in _words(each) for each in mine if each["user"] == self.slack.bot.id)
