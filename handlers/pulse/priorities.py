"""What the Core Team agrees to work on, with whoever looks after it and the day to look at it again."""

from __future__ import annotations

from datetime import date, timedelta

from handlers import forms, words
from handlers.calendar import local_day
from handlers.errors import GONE, Refused
from handlers.pulse.results import MOST_PRIORITIES, Over, card, find
from handlers.routing import Request, Router, core_team
from handlers.views import Button, DateField, Form, Option, Outcome, PersonField, Reply, Text, TextField
from storage import audit, people
from storage.pulse import results
from storage.pulse.results import Priority

router = Router()

FULL = "Three priorities are agreed: few, done well. Change one of them, or take one back first."
GONE_SINCE = "Somebody took this priority back. Type “pulse results” to see what is agreed."
TITLE = TextField(name="title", label="What to work on", hint="One thing, in a few words.", least=5, most=150)
REVIEW = DateField(name="review_on", label="Look at it again on")
USUAL = timedelta(days=91)


async def _form(request: Request) -> Form:
    """A new priority (number 0), or the one of this number with what it says now."""
    found, number = await find(request), request.number("number")
    if number > MOST_PRIORITIES:
        raise Refused(GONE)
    agreed = {each.number: each for each in await results.priorities(request.session, found.round.id)}
    if number and number not in agreed:
        raise Refused(GONE_SINCE)
    if not number and len(agreed) == MOST_PRIORITIES:
        raise Refused(FULL)
    hub = await people.list_people(request.session)
    owner = PersonField(
        name="owner", label="Who looks after it", options=tuple(Option(value=str(each.id), label=each.name) for each in hub)
    )
    args = {"round": str(found.round.id), "number": str(number)}
    drop = Button(label="Take it back", action="pulse.drop_priority", args=args, style="danger")
    form = Form(
        action="pulse.agree",
        title="Change a priority" if number else "Agree a priority",
        fields=(TITLE, owner, REVIEW),
        submit="Save",
        args=args,
        blocks=_shown(found),
        buttons=(drop,) if number else (),
    )
    if number:
        return forms.marked(form.filled(_values(agreed[number])))
    return form.filled({"review_on": (local_day(request.now) + USUAL).isoformat()})


def _shown(found: Over) -> tuple[Text, ...]:
    """What people chose, to agree by."""
    chosen = found.published.most_chosen or ()
    titles = [f"“{dimension.title}”" for dimension in found.wheel.dimensions if dimension.key in chosen]
    return (Text(text=f"Chosen most often, in no order: {words.listed(titles)}.", kind="note"),) if titles else ()


def _values(priority: Priority) -> dict[str, str]:
    return {"title": priority.title, "owner": str(priority.owner_id), "review_on": priority.review_on.isoformat()}


@router.action("pulse.ask_priority", may=core_team, reads=True)
async def ask(request: Request) -> Outcome:
    """The form."""
    return await _form(request)


@router.form("pulse.agree", _form, may=core_team, drafts=False)
async def agree(request: Request) -> Outcome:
    """Keeps the priority and shows the results with it."""
    found, number = await find(request), request.number("number")
    await results.hold_priority(request.session, found.round.id, number)
    form = await _form(request)
    errors = dict(forms.overtaken(form, request.args, request.values)) if number else {}
    review_on = date.fromisoformat(request.one("review_on"))
    if review_on <= local_day(request.now):
        errors["review_on"] = "Choose a day after today."
    if errors:
        return form.refused(errors, request)
    number = await _keep(request, found, number, review_on)
    await _audit(request, found, "pulse.agree", number)
    return Reply(card=await card(request, found), reference=f"priority {number}")


async def _keep(request: Request, found: Over, number: int, review_on: date) -> int:
    """The number under which it is kept; raises Refused where somebody was faster."""
    title, owner = request.one("title"), int(request.one("owner"))
    if not number:
        added = await results.add_priority(
            request.session, found.round.id, most=MOST_PRIORITIES, title=title, owner_id=owner, review_on=review_on
        )
        if added is None:
            raise Refused(FULL)
        return added
    if not await results.change_priority(request.session, found.round.id, number, title=title, owner_id=owner, review_on=review_on):
        raise Refused(GONE_SINCE)
    return number


@router.action("pulse.drop_priority", may=core_team)
async def drop(request: Request) -> Outcome:
    """Takes a priority back."""
    found, number = await find(request), request.number("number")
    if not await results.drop_priority(request.session, found.round.id, number):
        raise Refused(GONE_SINCE)
    await _audit(request, found, "pulse.drop_priority", number)
    return Reply(card=await card(request, found))


async def _audit(request: Request, found: Over, action: str, number: int) -> None:
    about = f"pulse:{found.round.id}"
    await audit.add(request.session, now=request.now, action=action, object=about, by=request.person.id, detail={"number": str(number)})
