"""What people are told of events without asking: a place, a change, a cancellation, a reminder, a recording."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from handlers import words
from handlers.education import phrases
from handlers.education.reminders import Reminder, is_late
from handlers.routing import Occasion, Router, TooLate
from handlers.views import Card, Fact, Facts, Link, Message, Text
from storage import education, outbox
from storage.education import Appointment, Event, EventState, Signup, Standing
from storage.outbox import Notice

router = Router()

STOP = Text(text="To stop messages about this, open it and answer No.", kind="note")


# -- what is to be told


def changed_notices(event: Event, signups: Iterable[Signup]) -> tuple[Notice, ...]:
    """Everybody whom the newest change may concern."""
    args = {**phrases.args(event), "sequence": str(event.sequence)}
    return tuple(
        Notice(key=_changed_key(event, event.sequence, each.person_id), kind="education.changed", person_id=each.person_id, args=args)
        for each in signups
    )


def cancelled_notices(event: Event, signups: Iterable[Signup]) -> tuple[Notice, ...]:
    """Everybody who thought of coming."""
    return tuple(_notice(event, "cancelled", "education.cancelled", each.person_id) for each in signups)


def recorded_notices(event: Event, signups: Iterable[Signup]) -> tuple[Notice, ...]:
    """Everybody who said that they would come."""
    return tuple(_notice(event, "recorded", "education.recorded", each.person_id) for each in signups)


def reminder_notice(event_id: int, person_id: int, reminder: Reminder, starts_at: datetime) -> Notice:
    """One reminder; an event that is moved reminds anew."""
    starts = starts_at.isoformat()
    args = {"event": str(event_id), "reminder": reminder.value, "starts": starts}
    key = f"event:{event_id}:{reminder.value}:{starts}:{person_id}"
    return Notice(key=key, kind="education.reminder", person_id=person_id, args=args)


def _notice(event: Event, occasion: str, kind: str, person_id: int) -> Notice:
    return Notice(key=f"event:{event.id}:{occasion}:{person_id}", kind=kind, person_id=person_id, args=phrases.args(event))


def _changed_key(event: Event, sequence: int, person_id: int) -> str:
    return f"event:{event.id}:changed:{sequence}:{person_id}"


# -- how it is told


async def _concerned(occasion: Occasion, *standings: Standing) -> tuple[Event, Signup] | None:
    """The event and the person's answer, where that is still one of these."""
    assert occasion.person is not None
    event = await education.find(occasion.session, int(occasion.args["event"]))
    signup = event and await education.find_signup(occasion.session, event.id, occasion.person.id)
    return (event, signup) if event and signup and signup.standing in standings else None


def _is_ahead(event: Event, now: datetime) -> bool:
    return event.state is EventState.PLANNED and now < event.ends_at


def _when_and_where(event: Event) -> Facts:
    said = (("When", words.moment(event.starts_at)), ("How long", phrases.length(event)), ("Where", phrases.where(event)))
    return Facts(facts=tuple(Fact(label=label, value=value) for label, value in said))


@router.message("education.promoted")
async def promoted(occasion: Occasion) -> Message | None:
    """A place became free."""
    found = await _concerned(occasion, Standing.COMING)
    if found is None or not _is_ahead(found[0], occasion.now):
        return None
    event = found[0]
    news = Text(text="A place became free and you were next in line, so it is yours. You are coming.")
    ask = Text(text="If you cannot come, open it and answer No. The next person then gets the place.")
    why = Text(text="You are told because you were on the waiting list.", kind="note")
    buttons = (phrases.open_button(event, "primary"), phrases.calendar_button(event))
    return Message(card=Card(title=f"You have a place: {event.title}", blocks=(news, _when_and_where(event), ask, why), buttons=buttons))


async def _last_known(occasion: Occasion, event: Event, signup: Signup) -> Appointment:
    """The event as the person last heard of it: in a message that arrived, or when they answered."""
    keys = {_changed_key(event, number, signup.person_id): number for number in range(signup.sequence + 1, event.sequence)}
    told = await outbox.sent(occasion.session, keys)
    return await education.appointment(occasion.session, event, max([signup.sequence, *(keys[key] for key in told)]))


@router.message("education.changed")
async def changed(occasion: Occasion) -> Message | None:
    """What changed, old and new; of several changes the newest tells all."""
    found = await _concerned(occasion, Standing.COMING, Standing.WAITING, Standing.MAYBE)
    if found is None or not _is_ahead(found[0], occasion.now) or occasion.args["sequence"] != str(found[0].sequence):
        return None
    event, signup = found
    facts = phrases.differences(await _last_known(occasion, event, signup), event, link=signup.standing is Standing.COMING)
    if not facts:
        return None
    answer = Text(text=f"{phrases.STANDINGS[signup.standing]}. Can you still come? Open it to change your answer.")
    buttons = (phrases.open_button(event, "primary"), phrases.calendar_button(event, "Update my calendar"))
    return Message(card=Card(title=f"Changed: {event.title}", blocks=(Facts(facts=facts), answer, STOP), buttons=buttons))


@router.message("education.cancelled")
async def cancelled(occasion: Occasion) -> Message | None:
    """It does not take place."""
    found = await _concerned(occasion, Standing.COMING, Standing.WAITING, Standing.MAYBE)
    if found is None or found[0].ends_at <= occasion.now:
        return None
    event = found[0]
    news = Text(text=f"It was planned for {words.moment(event.starts_at)}, and does not take place. You need do nothing.")
    more = Text(text=f"You are told because you said yes or maybe to it. {phrases.next_ones(event)}", kind="note")
    buttons = (phrases.calendar_button(event, "Take it out of my calendar"),)
    return Message(card=Card(title=f"Cancelled: {event.title}", blocks=(news, more), buttons=buttons))


@router.message("education.reminder", awaited=False)
async def reminder(occasion: Occasion) -> Message | None:
    """It is soon; the last one says how to join."""
    found = await _concerned(occasion, Standing.COMING)
    which, starts_at = Reminder(occasion.args["reminder"]), datetime.fromisoformat(occasion.args["starts"])
    if found is None or found[0].state is EventState.CANCELLED or found[0].starts_at != starts_at:
        return None
    if is_late(which, starts_at, occasion.now):
        raise TooLate
    event = found[0]
    if which is Reminder.SOON:
        return Message(card=_starting(event, occasion.now))
    title = f"{phrases.days_to(event.starts_at, occasion.now)}: {event.title}"
    buttons = (phrases.open_button(event), phrases.calendar_button(event))
    return Message(card=Card(title=title, blocks=(_when_and_where(event), STOP), buttons=buttons))


def _starting(event: Event, now: datetime) -> Card:
    minutes = int((event.starts_at - now).total_seconds()) // 60
    title = f"{f'In {words.length(minutes)}' if minutes else 'Now'}: {event.title}"
    how = () if event.place or event.link else (Text(text=f"There is no join link yet. Ask the host: {event.host}."),)
    join = (Link(label="Join", url=event.link),) if event.link else ()
    return Card(title=title, blocks=(_when_and_where(event), *how, STOP), buttons=(*join, phrases.open_button(event)))


@router.message("education.recorded")
async def recorded(occasion: Occasion) -> Message | None:
    """The recording or the slides can be seen."""
    found = await _concerned(occasion, Standing.COMING)
    if found is None or not (links := phrases.published(found[0])):
        return None
    event = found[0]
    told = Text(text="Whether you were there or not, you can now look at it.")
    why = Text(text=f"You are told because you said you would come on {words.day(event.starts_at)}.", kind="note")
    return Message(card=Card(title=f"To look at: {event.title}", blocks=(told, why), buttons=links))
