"""Answers to interactions, on the surface that they came from."""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from bot.dispatch import Answer, new_reference
from bot.limits import BUSY
from bot.teams import parse, render
from bot.teams.book import AddressBook
from bot.teams.parse import Activity, Surface
from bot.teams.render import Pictures
from bot.teams.send import Connector, Refusal, result_of, with_conversation
from handlers.views import Card, File, Form, Link, Outcome, Quiet, Reply, Text, paragraphs, says
from scheduler.delivery import RetryLater
from storage.addresses import Address

log = logging.getLogger(__name__)

WORKING = "Working on it. The answer follows in our chat."
SAVING = "Saving. The answer takes the place of this card."
IN_OUR_CHAT = "I answered in our chat."
NO_CHAT = "Open a chat with me first, then try again. I answer there, where only you see it."
KEPT = "This is what you typed. Nothing of it was saved."
POLITE, LONGEST_PAUSE = 3, 5  # tries of an answer that Teams asks to wait for, and the most seconds of one wait

Body: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Told:
    """The HTTP answer to an activity: `body` is JSON for an invoke, None for words."""

    status: int = 200
    body: Body | None = None


def _card(outcome: Reply | File | Quiet) -> Card:
    return outcome.card if isinstance(outcome, Reply) else Card(title="Done")


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What it takes to show an answer: the way out, who asked from where, and the pictures of a view."""

    connector: Connector
    book: AddressBook
    activity: Activity
    person: Address
    pictures: Callable[[Card | Form], Pictures]


class Answers(ABC):
    """What one interaction is answered with: `at_once` in the HTTP answer, `after` it what else is to be shown; or all of it `later`."""

    waits = False
    """Whether the HTTP answer may wait until all is shown: Teams is patient with words."""

    def __init__(self, around: Surroundings) -> None:
        self._connector, self._book, self._activity, self._person = around.connector, around.book, around.activity, around.person
        self._pictures = around.pictures
        self._personal = parse.is_personal(around.activity)
        self._pressed_on = str(around.activity.get("replyToId") or "")

    @abstractmethod
    def at_once(self, answer: Answer) -> Told:
        """The HTTP answer, where the outcome is there in time."""

    @abstractmethod
    def working(self) -> Told:
        """The HTTP answer, where it is not."""

    @abstractmethod
    async def after(self, answer: Answer) -> None:
        """Shows what the HTTP answer does not."""

    async def later(self, answer: Answer) -> None:
        """Shows an answer after the HTTP answer has said that it is being worked on."""
        await self._carefully(self._in_our_chat(answer.outcome, answer.ticket))

    async def _carefully(self, showing: Awaitable[None]) -> None:
        """Where Teams does not take the answer, the person is told so once."""
        try:
            await showing
        except Exception as error:
            reference = new_reference()
            log.error("an answer could not be shown", exc_info=error, extra={"reference": reference, "error": type(error).__name__})
            sorry = f"I could not show you the answer. What you asked for may have been done. Reference {reference}."
            try:
                await self._in_our_chat(says("Sorry", "Something went wrong on our side.", sorry), "sorry")
            except Exception as silence:
                log.warning("nor could the person be told", extra={"reference": reference, "error": type(silence).__name__})

    # -- where a view goes

    def _takes_the_place(self, answer: Answer) -> bool:
        """Whether the outcome stands where the pressed card stood: what follows a form, and a card that says so; never a refusal."""
        outcome = answer.outcome
        if isinstance(outcome, Form):
            return parse.is_form(self._activity)
        return isinstance(outcome, Reply) and answer.done and (outcome.replaces or parse.is_form(self._activity))

    def _content(self, outcome: Outcome, ticket: str) -> Mapping[str, Any]:
        if isinstance(outcome, Form):
            content = render.form_message(outcome, ticket, self._pictures(outcome))
        else:
            content = render.message(_card(outcome), ticket, self._pictures(_card(outcome)))
        return {**content, "replyToId": str(self._activity.get("id", ""))} if self._personal else content

    async def _say(self, outcome: Outcome, ticket: str) -> None:
        """Where it was asked, for all who are there, if it is meant for them; else for the person alone."""
        here = parse.conversation_of(self._activity)
        if isinstance(outcome, Reply) and outcome.audience == "here" and not self._personal and not parse.is_targeted(self._activity):
            await self._patiently(lambda: self._connector.post(self._person, self._content(outcome, ticket), conversation=here))
        else:
            await self._in_our_chat(outcome, ticket)

    async def _in_our_chat(self, outcome: Outcome, ticket: str) -> None:
        """For the person's eyes only. Where there can be no such chat, the conversation is told so, and nothing else."""
        if isinstance(outcome, Quiet):
            return
        content = self._content(outcome, ticket)
        try:
            self._person = await with_conversation(self._connector, self._book, self._person)
            await self._patiently(lambda: self._connector.post(self._person, content))
        except Refusal as refusal:
            if self._personal or refusal.status not in (403, 404):
                raise
            await self._ask_for_a_chat()

    async def _ask_for_a_chat(self) -> None:
        link = Link(label="Open a chat with me", url=f"https://teams.microsoft.com/l/chat/0/0?users={self._connector.bot}")
        content = render.message(says("I answer in private", NO_CHAT, buttons=(link,)).card, "chat")
        only = self._person.contact if parse.is_targeted(self._activity) else ""
        here = parse.conversation_of(self._activity)
        await self._connector.post(self._person, content, conversation=here, only=only)

    async def _put(self, outcome: Outcome, ticket: str) -> None:
        """In place of the card that was pressed, so that it stays so on every device; where that is gone, below."""
        conversation = parse.conversation_of(self._activity)
        try:
            await self._patiently(
                lambda: self._connector.change(self._person, conversation, self._pressed_on, self._content(outcome, ticket))
            )
        except Refusal as refusal:
            if refusal.status not in (403, 404):
                raise
            await self._in_our_chat(outcome, ticket)

    async def _patiently(self, call: Callable[[], Awaitable[object]]) -> None:
        """Waits where Teams asks for it: what was refused so was not shown."""
        for left in reversed(range(POLITE)):
            try:
                await call()
            except Exception as error:
                result = result_of(error)
                if not left or not isinstance(result, RetryLater) or (result.seconds or 0) > LONGEST_PAUSE:
                    raise
                await asyncio.sleep(result.seconds or 0.2)
            else:
                return


class WordsAnswers(Answers):
    """Words in a conversation: the outcome is a message."""

    waits = True

    def at_once(self, answer: Answer) -> Told:
        """Words have no answer of their own."""
        return Told()

    def working(self) -> Told:
        """The outcome follows by itself."""
        return Told()

    async def after(self, answer: Answer) -> None:
        """A message below."""
        await self._carefully(self._say(answer.outcome, answer.ticket))

    async def later(self, answer: Answer) -> None:
        """The same, later."""
        await self.after(answer)


class SubmitAnswers(WordsAnswers):
    """A card's button from a client that knows no better: there is nothing to answer to, so the card or a message shows the outcome."""

    async def after(self, answer: Answer) -> None:
        """In the form's place or below."""
        showing = self._put if self._personal and self._takes_the_place(answer) else self._say
        await self._carefully(showing(answer.outcome, answer.ticket))


class ExecuteAnswers(Answers):
    """A card's button: the card changes for who pressed it, or a short word is shown and the outcome follows as a message."""

    def at_once(self, answer: Answer) -> Told:
        """The card in its new state, or a word."""
        outcome, ticket = answer.outcome, answer.ticket
        if self._takes_the_place(answer):
            return _card_told(self._drawn(outcome, ticket))
        if isinstance(outcome, Reply) and not answer.done:
            return word(_sentences(outcome.card))
        if isinstance(outcome, Quiet):
            return word("Done.")
        title = outcome.title if isinstance(outcome, Form) else _card(outcome).title
        return word(title if self._personal or _is_for_all(outcome) else IN_OUR_CHAT)

    def _drawn(self, outcome: Outcome, ticket: str) -> Body:
        if isinstance(outcome, Form):
            return render.form(outcome, ticket, self._pictures(outcome))
        return render.card(_card(outcome), ticket, self._pictures(_card(outcome)))

    def working(self) -> Told:
        """A form says that it is being saved; elsewhere a word does."""
        if self._personal and parse.is_form(self._activity):
            return _card_told(render.card(says("Saving", SAVING).card, "saving"))
        return word(WORKING)

    async def after(self, answer: Answer) -> None:
        """The message itself changes too, or the outcome is shown below."""
        if isinstance(answer.outcome, Quiet) or (isinstance(answer.outcome, Reply) and not answer.done):
            return
        if not self._takes_the_place(answer):
            await self._carefully(self._say(answer.outcome, answer.ticket))
        elif self._personal:
            await self._carefully(self._put(answer.outcome, answer.ticket))

    async def later(self, answer: Answer) -> None:
        """In place of the card that says "Saving", or below."""
        outcome = answer.outcome
        if self._personal and (parse.is_form(self._activity) or (isinstance(outcome, Reply) and outcome.replaces and answer.done)):
            shown = Reply(card=_with_typed(outcome.card, self._activity)) if isinstance(outcome, Reply) and not answer.done else outcome
            await self._carefully(self._put(shown, answer.ticket))
        else:
            await self._carefully(self._say(outcome, answer.ticket))


class DialogAnswers(Answers):
    """A dialog: what it shows next, or what was wrong with what was typed."""

    def at_once(self, answer: Answer) -> Told:
        """The dialog goes on with the outcome."""
        outcome, ticket = answer.outcome, answer.ticket
        if isinstance(outcome, Form):
            return _told(render.task(outcome.title, render.form(outcome, ticket, self._pictures(outcome), dialog=True)))
        card = _card(outcome)
        if not answer.done and parse.is_form(self._activity):
            return _told(render.task(card.title, render.again(_with_typed(card, self._activity), parse.data_of(self._activity))))
        return _told(render.task(card.title, render.card(card, ticket, self._pictures(card), dialog=True)))

    def working(self) -> Told:
        """The dialog closes; the outcome follows in the person's chat."""
        return closing(WORKING)

    async def after(self, answer: Answer) -> None:
        """The dialog has shown it all."""


def _is_for_all(outcome: Outcome) -> bool:
    return isinstance(outcome, Reply) and outcome.audience == "here"


def _sentences(card: Card) -> str:
    """A refusal in words, for where there is no room for more."""
    return " ".join([f"{card.title}.", *(block.text for block in card.blocks if isinstance(block, Text))])


def _with_typed(card: Card, activity: Activity) -> Card:
    """A refusal with what was typed, so that none of it is lost."""
    typed = [value if isinstance(value, str) else ", ".join(value) for value in parse.typed(activity).values()]
    kept = [text for text in typed if text]
    return replace(card, blocks=(*card.blocks, *((Text(text=KEPT, kind="note"), *paragraphs(*kept)) if kept else ())))


def _told(body: Body) -> Told:
    return Told(body=body)


def word(text: str) -> Told:
    """A sentence beside the card that was pressed."""
    return Told(body={"statusCode": 200, "type": "application/vnd.microsoft.activity.message", "value": text})


def closing(text: str) -> Told:
    """A sentence in place of a dialog."""
    return _told({"task": {"type": "message", "value": text}})


def _card_told(card: Body) -> Told:
    return Told(body={"statusCode": 200, "type": "application/vnd.microsoft.card.adaptive", "value": card})


DECLINED = Answer(outcome=says("Not now", BUSY), ticket="declined", done=False)
"""Nothing was begun."""
SURFACES: Mapping[Surface, type[Answers]] = {
    "words": WordsAnswers,
    "submit": SubmitAnswers,
    "execute": ExecuteAnswers,
    "fetch": DialogAnswers,
    "dialog": DialogAnswers,
}
