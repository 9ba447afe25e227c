"""An answer lands where it belongs: the person's own chat, the card that was pressed, the dialog; and never a person's words in public."""

from __future__ import annotations

import asyncio

import pytest

from handlers import views
from handlers.errors import Refused
from handlers.routing import Request, Router
from handlers.views import Button, Choice, Form, Option, Outcome, Reply, TextField, says
from storage import ideas, people
from storage.database import Database
from tests.teams.conftest import Bot, serving
from tests.teamsdouble.teamsdouble import Card, Dialog, TeamsDouble, User

GOOD = {"title": "Sensors that notice a fall", "need": "People who have fallen"}


def _sends(form: Card | Dialog) -> str:
    """The button that sends a form of one step."""
    (title,) = form.actions()
    return str(title)


def voices() -> Router:
    """Cards for one person or for all, and what is refused."""
    router = Router()
    card = views.Card(
        title="Press one",
        buttons=(
            Button(label="Tell me", action="voices.me"), Button(label="Tell all", action="voices.all"),
            Button(label="Turn over", action="voices.turn"), Button(label="Ask", action="voices.ask", args={"about": "this"}, does="ask"),
            Button(label="Refuse", action="voices.refuse"),
        ),
    )  # fmt: skip

    @router.command("card", "a card", reads=True)
    async def one(_request: Request) -> Outcome:
        return Reply(card=card)

    @router.command("card for all", "a card for all", reads=True)
    async def many(_request: Request) -> Outcome:
        return Reply(card=card, audience="here")

    @router.action("voices.me", reads=True)
    async def me(_request: Request) -> Outcome:
        return says("Only you", "Nobody else reads this.")

    @router.action("voices.all", reads=True)
    async def all_of_us(_request: Request) -> Outcome:
        return Reply(card=views.Card(title="For all of you"), audience="here")

    @router.action("voices.turn", reads=True)
    async def turn(_request: Request) -> Outcome:
        return Reply(card=views.Card(title="The other side"), replaces=True)

    @router.action("voices.refuse", reads=True)
    async def refuse(_request: Request) -> Outcome:
        raise Refused("Not on Sundays.")

    return router.include(_form())


def _form() -> Router:
    """A form with a step back."""
    router = Router()

    async def build(_request: Request) -> Form:
        options = tuple(Option(value=value, label=value.title()) for value in ("one", "two", "three"))
        fields = (TextField(name="words", label="Words", least=3), Choice(name="which", label="Which", options=options, many=True))
        return Form(action="voices.send", title="Voices", fields=fields, buttons=(Button(label="Back", action="voices.back"),))

    @router.command("form", "a form", reads=True)
    async def form(request: Request) -> Outcome:
        return await build(request)

    @router.action("voices.ask", reads=True)
    async def ask(request: Request) -> Outcome:
        return (await build(request)).filled({"words": request.args["about"]})

    @router.action("voices.back", reads=True)
    async def back(request: Request) -> Outcome:
        return (await build(request)).filled({"words": f"was {request.one('words')}", "which": request.many("which")})

    @router.form("voices.send", build, drafts=False)
    async def send(request: Request) -> Outcome:
        if request.one("words") == "sunday":
            raise Refused("Not on Sundays.")
        return says("Sent", f"{request.one('words')}: {', '.join(request.many('which'))}")

    return router


async def test_words_in_a_channel_are_answered_in_the_persons_own_chat(teams: TeamsDouble, database: Database, ann: User) -> None:
    team = teams.team("Innovation", ann, teams.user("Bob May"))
    async with serving(teams, database, voices()):
        await ann.says("form", team["General"])
        form = await ann.card("Voices", where=ann.chat)
        await form.fill({"Words": "My own words"}).click("Send")
    assert teams.sent(team["General"]) == []


async def test_an_answer_for_all_stays_in_the_thread(teams: TeamsDouble, database: Database, ann: User) -> None:
    bob = teams.user("Bob May", "bob@uhd.nhs.uk")
    team = teams.team("Innovation", ann, bob)
    async with serving(teams, database, voices()):
        delivery = await ann.says("card for all", team["General"])
        card = await bob.card("Press one")
        assert card.message.conversation.id == delivery.activity["conversation"]["id"]
        told = await bob.click(card, "Tell all")
        assert told.toast == "For all of you"
        await ann.message("For all of you")
        told = await bob.click(card, "Tell me")
        assert told.toast == "I answered in our chat."
        await bob.card("Only you", where=bob.chat)
        await bob.click(card, "Turn over")
        assert "The other side" in card.text, "for who pressed it"
        assert "Press one" in (await ann.card("Press one")).text, "the others' card stays"
    assert not [message for message in ann.sees() if "Only you" in message.shown(ann)]


async def test_a_targeted_command_is_never_answered_in_the_channel(teams: TeamsDouble, database: Database, ann: User) -> None:
    team = teams.team("Innovation", ann, teams.user("Bob May"))
    async with serving(teams, database, voices()):
        for words in ("card for all", "card", "form", "nonsense"):
            await ann.slash(words, team["General"])
        await ann.card("Press one", where=ann.chat)
    assert [message for message in teams.sent() if message.conversation.kind != "personal"] == []


@pytest.mark.parametrize("targeted", [False, True])
async def test_where_there_is_no_chat_the_channel_learns_that_and_no_more(
    teams: TeamsDouble, database: Database, ann: User, targeted: bool
) -> None:
    ann.installed = False
    team = teams.team("Innovation", ann, teams.user("Bob May"))
    async with serving(teams, database, voices()):
        await (ann.slash("idea SECRET WORDS", team["General"]) if targeted else ann.says("idea SECRET WORDS", team["General"]))
        card = await ann.card("Open a chat with me")
    assert await card.click("Open a chat with me") == f"https://teams.microsoft.com/l/chat/0/0?users=28:{teams.app_id}"
    assert card.message.to == (ann.id if targeted else None)
    (message,) = teams.sent()
    assert "SECRET" not in str(message.activity)


async def test_a_button_that_asks_opens_a_dialog_which_keeps_what_is_wrong(teams: TeamsDouble, database: Database, ann: User) -> None:
    async with serving(teams, database, voices()):
        await ann.says("card")
        dialog = await ann.open_dialog(await ann.card("Press one"), "Ask")
        assert dialog.values()["words"] == "this"
        await dialog.fill({"Words": "ab", "Which": ["one", "three"]}).click("Send")
        assert dialog.errors() == ["Use 3 characters or more."]
        assert dialog.values() == {"words": "ab", "which": "one,three"}
        await dialog.click("Back")
        assert dialog.values() == {"words": "was ab", "which": "one,three"}
        await dialog.fill({"Words": "abc"}).click("Send")
        assert "abc: one, three" in dialog.text
        assert dialog.open


async def test_a_dialog_that_is_turned_down_keeps_what_was_typed_and_sends_it_again(
    teams: TeamsDouble, database: Database, ann: User
) -> None:
    async with serving(teams, database, voices()):
        await ann.says("card")
        dialog = await ann.open_dialog(await ann.card("Press one"), "Ask")
        await dialog.fill({"Words": "sunday", "Which": ["two"]}).click("Send")
        assert "Not on Sundays." in dialog.text
        assert "sunday" in dialog.text
        await dialog.click("Send it again")
        assert "Not on Sundays." in dialog.text


async def test_a_form_on_a_card_shows_what_is_wrong_and_becomes_the_confirmation_everywhere(
    teams: TeamsDouble, database: Database, ann: User
) -> None:
    async with serving(teams, database, voices()) as bot:
        await ann.says("form")
        form = await ann.card("Voices")
        await form.fill({"Words": "ab", "Which": ["two"]}).click("Send")
        assert form.errors() == ["Use 3 characters or more."]
        assert form.values() == {"words": "ab", "which": "two"}
        await form.fill({"Words": "sunday"}).click("Send")
        assert form.values()["words"] == "ab", "the card stays; the client keeps what stands in its inputs"
        await form.fill({"Words": "abc"}).click("Send")
        await bot.patience.finish(3)
        (card,) = form.message.cards
        assert "abc: two" in str(card), "on other devices too"


async def test_a_refused_button_says_why_and_leaves_the_card(teams: TeamsDouble, database: Database, ann: User) -> None:
    async with serving(teams, database, voices()):
        await ann.says("card")
        card = await ann.card("Press one")
        told = await ann.click(card, "Refuse")
        assert told.toast == "I could not do that. Not on Sundays."
        assert "Press one" in card.text


async def test_old_clients_get_the_same_by_messages(teams: TeamsDouble, database: Database, ann: User) -> None:
    async with serving(teams, database, voices()):
        await ann.says("card")
        card = await ann.card("Press one")
        await ann.click(card, "Tell me", old_client=True)
        await ann.card("Only you")
        await ann.click(card, "Turn over", old_client=True)
        assert "The other side" in card.text
        await ann.says("form")
        form = await ann.card("Voices")
        await form.fill({"Words": "ab"}).click("Send", old_client=True)
        assert form.errors() == ["Use 3 characters or more.", "Choose at least 1."]
        await form.fill({"Words": "abc", "Which": ["one"]}).click("Send", old_client=True)
        assert "abc: one" in form.text


async def test_the_same_activity_or_the_same_form_again_has_one_effect(bot: Bot, teams: TeamsDouble, ann: User) -> None:
    await ann.says("idea")
    form = await ann.card("Share an idea")
    sent = await form.fill(GOOD).click(_sends(form))
    again = await asyncio.gather(*(teams.resend(sent, new_id=number % 2 == 1) for number in range(9)))
    assert sum("Already sent: IDEA-1" in each.body for each in again) == 9
    async with bot.database.reading() as session:
        assert await ideas.count_by_author(session, 1) == 1


async def test_words_sent_again_by_teams_are_answered_once(bot: Bot, teams: TeamsDouble, ann: User) -> None:
    said = await ann.says("web")
    await ann.card("Your link to the web chat")
    await teams.resend(said)
    await bot.patience.finish(3)
    assert len(teams.sent()) == 1


async def test_what_was_edited_or_taken_back_is_not_said_again(bot: Bot, teams: TeamsDouble, ann: User) -> None:
    said = await ann.says("help")
    await ann.card("What you can do")
    await ann.edits(said, "me")
    await ann.takes_back(said)
    await ann.reacts(teams.sent()[0])
    await bot.patience.finish(3)
    assert len(teams.sent()) == 1


async def test_a_slow_database_is_said_in_time_and_the_outcome_follows_by_itself(
    bot: Bot, teams: TeamsDouble, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ann.says("idea")
    form = await ann.card("Share an idea")
    monkeypatch.setattr(bot.patience, "_seconds", 0.0)
    bad = await form.fill({**GOOD, "title": "Hm"}).click(_sends(form))
    assert "Saving" in bad.body
    assert bad.took < 2
    await teams.until(lambda: form.errors(), 5, "the form with what is wrong")
    assert form.values()["need"] == GOOD["need"]
    await form.fill(GOOD).click(_sends(form))
    await teams.until(lambda: "IDEA-1 is with the Core Team" in form.text, 5, "the confirmation")
    told = await ann.click(form, "See your idea")
    assert told.toast == "Working on it. The answer follows in our chat."
    await ann.card("IDEA-1: Sensors")


async def test_a_slow_dialog_closes_and_its_outcome_comes_by_itself(
    teams: TeamsDouble, database: Database, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(teams, database, voices()) as bot:
        await ann.says("card")
        dialog = await ann.open_dialog(await ann.card("Press one"), "Ask")
        monkeypatch.setattr(bot.patience, "_seconds", 0.0)
        told = await dialog.fill({"Words": "ab"}).click("Send")
        assert told.toast == "Working on it. The answer follows in our chat."
        form = await ann.card("Voices", timeout=5)
        assert form.values()["words"] == "ab"
        assert "Use 3 characters or more." in form.errors()


async def test_a_busy_bot_says_so_and_keeps_what_was_typed(teams: TeamsDouble, database: Database, ann: User) -> None:
    async with serving(teams, database, voices()) as bot:
        await ann.says("form")
        form = await ann.card("Voices")
        bot.patience._most = 0
        told = await form.fill({"Words": "Mine"}).click("Send")
        assert told.toast == "Not now. I am busy just now. Nothing was changed. Try again in a minute."
        assert form.values()["words"] == "Mine"
        await ann.says("card")
        await ann.card("Not now")


async def test_patient_data_in_a_message_is_answered_and_kept_nowhere(bot: Bot, teams: TeamsDouble, ann: User) -> None:
    await ann.says("idea for 999 000 0018")
    shown = (await ann.card("I did not keep that")).text
    assert "Please delete your message too" in shown
    async with bot.database.reading() as session:
        assert await people.find(session, 1) is not None
        assert await ideas.count_by_author(session, 1) == 0


async def test_a_channel_becomes_a_groups_place_and_is_told_there_until_the_app_leaves(bot: Bot, teams: TeamsDouble, ann: User) -> None:
    head = teams.user("Head of Hub", "head@uhd.nhs.uk")
    team = teams.team("Innovation", ann, head, channels=("General", "Core Team"))
    await ann.says("setup here", team["Core Team"])
    await ann.card("This is for administrators", where=ann.chat)
    await head.says("setup here", team["Core Team"])
    form = await head.card("Use this channel", where=head.chat)
    await form.fill({"Which group is told here?": "The Core Team"}).click("Use this channel")
    await bot.delivery.run()
    await ann.card("This is the Core Team’s place", where=team["Core Team"])
    await ann.says("idea")
    await (await ann.card("Share an idea")).fill(GOOD).click("Share")
    await bot.delivery.run()
    told = await head.card("A new idea: IDEA-1", where=team["Core Team"])
    assert (
        await head.click(told, "Take it on")
    ).toast == "I could not do that. This is for a Core Team member who is not the idea’s author. Nothing was changed."
    await teams.uninstall(team)
    await (await _asks(ann)).fill({**GOOD, "title": "Another"}).click("Share")
    await bot.delivery.run()
    await head.card("A new idea: IDEA-2", where=head.chat)


async def _asks(ann: User) -> Card:
    said = await ann.says("idea")
    form: Card = await ann.card("Share an idea", after=said)
    return form
