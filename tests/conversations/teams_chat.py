"""A person in Teams, played from outside through activities and the Bot Connector."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping
from typing import Any

from bot.limits import Patience
from tests.conversations.chat import Answers
from tests.teamsdouble import teamscheck
from tests.teamsdouble.teamsdouble import Card, Delivery, Dialog, Message, TeamsDouble, User

OPTIONAL = " (optional)"


class TeamsChat:
    """One person's own chat with the bot; an open dialog covers it."""

    def __init__(self, teams: TeamsDouble, user: User, patience: Patience) -> None:
        self.teams, self.user, self._patience = teams, user, patience
        self._dialog: Dialog | None = None
        self._sent: Delivery | None = None
        self._word = ""
        """What stands under a card, or in place of a dialog that closed, until something else is done."""

    async def types(self, words: str) -> None:
        """In the chat with the bot; a dialog that is open is closed first."""
        if self._dialog is not None:
            self._dialog.close()
        self._dialog, self._word = None, ""
        self._sent = await self.user.says(words)

    async def _settles(self) -> None:
        """What follows an answer by itself has followed."""
        while self._patience.under_way:
            await asyncio.sleep(0.005)

    def _messages(self) -> list[Message]:
        """The newest first; one that was changed stays where it stood."""
        return sorted(self.user.sees(self.user.chat), key=lambda message: int(message.id), reverse=True)

    def _surfaces(self) -> list[Card | Dialog]:
        """What is on the screen, the newest first."""
        cards: list[Card | Dialog] = [Card(self.teams, self.user, message) for message in self._messages() if message.cards]
        return [self._dialog, *cards] if self._dialog is not None and self._dialog.open else cards

    def _newest(self) -> list[str]:
        """The words of the newest answers, and of what the bot said by itself."""
        told = [each for each in self._surfaces() if isinstance(each, Card) and not each.message.activity.get("replyToId")]
        answers = [each for each in self._surfaces() if each not in told]
        return [self._word, *map(_words, answers[:2]), *map(_words, told[:2])]

    async def opens_form(self) -> None:
        """A form is on the screen; what the bot says by itself may stand below it."""
        await self._form()

    async def _form(self) -> Card | Dialog:
        def look() -> Card | Dialog | None:
            return next((surface for surface in self._surfaces() if _submit(surface) is not None), None)

        there = [_words(each) for each in self._surfaces()[:2]]
        form: Card | Dialog = await self.teams.until(look, 5, f"form for {self.user.name}; there is {there}")
        return form

    async def fills(self, answers: Answers) -> None:
        """Fills and sends the form."""
        form = await self._form()
        form.fill({_input(form, label)["id"]: _answer(_input(form, label), answer) for label, answer in answers.items()})
        before = len(self.teams.deliveries)
        await form.click(_submit(form))
        await self._settles()
        self._sent = self.teams.deliveries[before]
        self._follow(form, self._sent)

    async def sends_again(self) -> None:
        """The same activity once more, as a client does that had no answer."""
        assert self._sent is not None
        again = await self.teams.resend(self._sent, new_id=True)
        task = ((again.json or {}).get("task") or {}) if again.body.strip() else {}
        if self._dialog is not None and task.get("type") == "continue":
            self._dialog._take(task["value"])
        elif (again.json or {}).get("type") == teamscheck.ADAPTIVE:
            self._messages()[0].views[self.user.id] = again.json["value"]

    def _follow(self, form: Card | Dialog, pressed: object) -> None:
        self._word = (pressed.toast or pressed.error or "") if isinstance(pressed, Delivery) else ""
        if isinstance(form, Dialog) and not form.open:
            self._dialog = None

    async def errors(self) -> Mapping[str, str]:
        """What is said in the colour of a mistake: above an input it belongs to that, else to the whole form."""
        form = await self._form()
        found: dict[str, str] = {}
        said = ""
        for element in form.content["body"]:
            if element["type"] == "RichTextBlock" and any(run.get("color") == "Attention" for run in element["inlines"]):
                said = "".join(run["text"] for run in element["inlines"])
            elif element["type"].startswith("Input."):
                if said:
                    found[_label(element)] = said
                said = ""
            elif said and not any(run["text"].startswith("You typed") for run in element.get("inlines", ())):
                found[""], said = said, ""
        return found

    async def typed(self, label: str) -> str:
        """What stands in an input; of a choice, its words."""
        form = await self._form()
        element = _input(form, label)
        value = str(element.get("value", ""))
        chosen = [choice["title"].partition(": ")[0] for choice in element.get("choices", ()) if choice["value"] == value]
        return chosen[0] if chosen else value.strip()

    async def presses(self, label: str) -> None:
        """The newest button of that name."""

        def look() -> Card | Dialog | None:
            return next((surface for surface in self._surfaces() if label in surface.actions()), None)

        surface = await self.teams.until(look, 5, f"button {label!r}; there is {[_words(each) for each in self._surfaces()[:3]]}")
        pressed = await surface.click(label, first=True)
        await self._settles()
        if isinstance(pressed, Dialog):
            self._dialog = pressed
        self._follow(surface, pressed)

    async def sees(self, *words: str) -> str:
        """The newest of what is on the screen that shows all of these."""

        def look() -> str:
            return next((shown for shown in self._newest() if all(word in shown for word in words)), "")

        shown: str = await self.teams.until(look, 5, f"{words} on the screen of {self.user.name}; there was {self._newest()}")
        return shown

    async def is_told(self, words: str) -> str:
        """A message from the bot."""
        message: Message = await self.user.message(words, timeout=10, where=self.user.chat)
        return str(message.shown(self.user))

    async def was_told(self, words: str) -> int:
        """Messages with these words that answer nothing."""
        return sum(words in message.shown(self.user) for message in self._messages() if not message.activity.get("replyToId"))


def _words(form: Card | Dialog) -> str:
    title = f"{form.title}\n" if isinstance(form, Dialog) else ""
    return f"{title}{teamscheck.words(form.content)}"


def _inputs(form: Card | Dialog) -> Iterator[Mapping[str, Any]]:
    yield from (element for _, element in teamscheck.walk(form.content) if element.get("type") in teamscheck.INPUTS)


def _label(element: Mapping[str, Any]) -> str:
    return str(element["label"]).removesuffix(OPTIONAL)


def _input(form: Card | Dialog, label: str) -> Mapping[str, Any]:
    found = [element for element in _inputs(form) if _label(element) == label]
    assert found, f"no field {label!r}; there are {[_label(each) for each in _inputs(form)]}"
    return found[0]


def _answer(element: Mapping[str, Any], answer: str) -> object:
    """What one chooses by its words; several are written with "; " between."""
    if element["type"] == "Input.Toggle":
        return answer == "yes"
    if element["type"] != "Input.ChoiceSet":
        return answer
    several = answer.split("; ") if element.get("isMultiSelect") else [answer]
    chosen = []
    for each in several:
        titles = [choice["title"] for choice in element["choices"] if re.sub(r"\\(.)", r"\1", choice["title"]).partition(": ")[0] == each]
        exact = [choice["title"] for choice in element["choices"] if choice["title"] == each or choice["value"] == each]
        assert titles or exact, f"{each!r} is not among {[choice['title'] for choice in element['choices']]}"
        chosen.append((exact or titles)[0])
    return chosen if element.get("isMultiSelect") else chosen[0]


def _submit(form: Card | Dialog) -> str | None:
    """The button that sends the form; None where it is none."""
    for _, element in teamscheck.walk(form.content):
        if str(element.get("type")).startswith("Action.") and (element.get("data") or {}).get("dih", {}).get("do") == "form":
            return str(element["title"])
    return None
