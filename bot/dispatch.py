"""One Interaction in, one transaction, one Answer out: tickets and receipts, rights, the patient-data guard, polite errors."""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.limits import RateLimit
from bot.links import FileLinks
from handlers import forms, screening
from handlers.calendar import local_day
from handlers.errors import GONE, Refused
from handlers.routing import FormRoute, Interaction, NotAllowed, Profile, Request, Right, Route, Routes
from handlers.views import Form, Link, Outcome, Quiet, Reply, Text, says
from handlers.words import clock, number
from storage import accounts, audit, counts, drafts, people, receipts
from storage.database import Database, Session, UncertainCommit
from storage.drafts import DraftKey
from storage.people import AccountKey, Person, Seen
from storage.receipts import ReceiptKey

log = logging.getLogger(__name__)

REMEMBERED = 20_000
MEETINGS = 4  # tries to note a person whom other processes, or their other accounts, meet at the same moment
NOBODY = "A colleague"
_REFERENCE = re.compile(r"[a-z_]{1,20}|[0-9]{1,9}")
PATIENT_DATA = (
    "This looks as if it could name a patient. Take out NHS numbers, hospital numbers and dates of birth, then send it again. "
    "I have kept nothing of it."
)
DELETE_IT = "Please delete your message too: I cannot do that for you."
UNSENT = Text(text="This is what you typed last time. It was not sent.", kind="note")
TOO_MANY = "That is more than I can take from one person in a minute. Wait a minute, then try again. Nothing was changed."


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What to show and the ticket its buttons or form carry; `unkept`: the words that led to it must not be kept anywhere.

    `done` is False where the request was turned away with a card: a form that was sent must then stay open as it was typed.
    A form shown again with its errors takes the place of the one that was sent, so it counts as done.
    """

    outcome: Outcome
    ticket: str
    unkept: bool = False
    done: bool = True


class _FormRefused(Exception):
    """A form to be shown again: everything is rolled back, its receipt too."""

    def __init__(self, person: Person, form: Form, *, drafts: bool) -> None:
        self.person, self.form, self.drafts = person, form, drafts


class _Repeated(Exception):
    """This was done before."""

    def __init__(self, reference: str | None) -> None:
        self.reference = reference


class _Unnoted(Exception):
    """The account is not in the database, or not the one its person used last, though this process had noted it: it is noted again."""


@dataclass(frozen=True, kw_only=True)
class Vouching:
    """Which tenants vouch for which e-mail domains, and whose vouched e-mail makes an administrator."""

    domains: Mapping[tuple[str, str], Collection[str]] = field(default_factory=dict)
    admins: Collection[str] = ()

    def seen(self, account: AccountKey, profile: Profile | None) -> Seen:
        """The account with what may be relied on in its profile; never a guest's or stranger's e-mail."""
        if profile is None:
            return Seen(key=account, name=NOBODY, email=None, vouched=False)
        email = forms.tidy(profile.email or "")
        domain = email.rpartition("@")[2].lower()
        vouched = not profile.guest and bool(domain) and domain in self.domains.get((account.channel, account.tenant), ())
        name = forms.tidy(profile.name)[:150] or NOBODY
        return Seen(key=account, name=name, email=email or None, vouched=vouched, zone=profile.zone)


def new_reference() -> str:
    """What a person is given of a fault, and the log of the server has too."""
    return secrets.token_hex(2).upper()


def new_ticket() -> str:
    """A ticket for a form or card: random, and not stored until it is used."""
    return secrets.token_urlsafe(12)


class Dispatcher:
    """Answers interactions; safe to call concurrently."""

    def __init__(
        self,
        database: Database,
        routes: Routes,
        *,
        clock: Callable[[], datetime],
        limit: RateLimit,
        links: FileLinks,
        vouching: Vouching,
        site: str,
        wake: Callable[[], None],
        pulse_minimum: int = 5,
    ) -> None:
        self._database, self._routes, self._clock = database, routes, clock
        self._limit, self._links, self._vouching, self._site, self._wake = limit, links, vouching, site, wake
        self._pulse_minimum = pulse_minimum
        self._noted: dict[AccountKey, Profile | None] = {}

    async def answer(self, interaction: Interaction) -> Answer:
        """Never raises: a refusal and a bug are answers too."""
        now = self._clock()
        if not self._limit.allows(interaction.account, now):
            return Answer(outcome=says("Slow down a little", TOO_MANY), ticket=new_ticket(), unkept=True, done=False)
        if len(interaction.text) > forms.LONGEST:
            words = f"Use {number(forms.LONGEST)} characters or fewer. You used {number(len(interaction.text))}. Nothing was changed."
            return Answer(outcome=says("That is too long", words), ticket=new_ticket(), unkept=True, done=False)
        unkept = True  # until the words are known to be free of patient data
        try:
            tidied = _tidied(interaction)
            findings = _findings(tidied)
            unkept = bool(findings) or self._is_confidential(tidied)
            answer = await self._noted_first(tidied, findings, now)
        except Exception as error:
            answer = _apology(interaction, error)
        return replace(answer, unkept=unkept)

    async def _noted_first(self, interaction: Interaction, findings: Mapping[str, screening.Finding], now: datetime) -> Answer:
        """The answer, begun again where something about the person must be noted beforehand after all."""
        for left in reversed(range(MEETINGS)):
            try:
                return await self._answer(interaction, findings, now)
            except _Unnoted:
                if not left:
                    raise
        raise AssertionError

    async def _answer(self, interaction: Interaction, findings: Mapping[str, screening.Finding], now: datetime) -> Answer:
        await self._note(interaction, now)
        try:
            if findings:
                return await self._guarded(interaction, findings, now)
            outcome = await self._run(interaction, now)
            return Answer(outcome=outcome, ticket=new_ticket())
        except Refused as refusal:
            return Answer(outcome=says("I could not do that", refusal.text), ticket=new_ticket(), done=False)
        except _Repeated as repeated:
            return Answer(outcome=_already_sent(interaction, repeated.reference), ticket=new_ticket())
        except NotAllowed as refusal:
            await self._audit_refusal(interaction, refusal, now)
            words = f"This is for {refusal.right.phrase}. Nothing was changed."
            return Answer(outcome=says("I could not do that", words), ticket=new_ticket(), done=False)
        except _FormRefused as refusal:
            if refusal.drafts:
                await self._keep_draft(refusal, now)
            return Answer(outcome=refusal.form, ticket=interaction.ticket)

    # -- who it is

    async def _note(self, interaction: Interaction, now: datetime) -> None:
        """Writes down what is new about the person and that they use this account, only when it is new to this process."""
        account = interaction.account
        if account in self._noted and interaction.profile in (None, self._noted[account]):
            return
        seen = self._vouching.seen(account, interaction.profile)
        for left in reversed(range(MEETINGS)):
            try:
                async with self._database.transaction() as session:
                    person = await people.find_by_account(session, account)
                    if person is None or interaction.profile is not None:
                        person = await accounts.note(session, seen, now=now, admins=self._vouching.admins)
                    if person.account_id is not None and self._has_moved(interaction, person):
                        await accounts.use(session, person.id, person.account_id)
                break
            except accounts.Clash:
                if not left:
                    raise
        if len(self._noted) >= REMEMBERED:
            self._noted.clear()
        self._noted[account] = interaction.profile

    async def _person(self, session: Session, interaction: Interaction) -> Person:
        person = await people.find_by_account(session, interaction.account)
        if person is None or self._has_moved(interaction, person):
            self._noted.pop(interaction.account, None)
            raise _Unnoted
        return person

    def _has_moved(self, interaction: Interaction, person: Person) -> bool:
        """Whether the person used another account last; on a confidential route not even that is noted, for it would say when they came."""
        return person.account_id != person.last_account_id and not self._is_confidential(interaction)

    # -- what is done

    async def _run(self, interaction: Interaction, now: datetime) -> Outcome:
        """The handler's outcome, inside the one transaction of this interaction."""
        if interaction.name in self._routes.files and interaction.kind == "action":
            return self._file_link(interaction, now)
        route, text = self._route(interaction)
        writes = interaction.kind in ("event", "file") or not route.reads
        claims = writes and not route.confidential
        async with self._database.transaction() if writes else self._database.reading() as session:
            request = await self._permitted(route, interaction, session, text, now)
            key = ReceiptKey.of(request.person.id, interaction.name or route.name, interaction.ticket, interaction.args)
            if claims and not await receipts.claim(session, key, now=now):
                raise _Repeated(await receipts.reference_of(session, key))
            outcome = await self._handled(route, request)
            if claims and isinstance(outcome, Reply) and outcome.reference:
                await receipts.refer(session, key, outcome.reference)
        if writes:
            self._wake()
        return outcome

    async def _permitted(self, route: Route, interaction: Interaction, session: Session, text: str, now: datetime) -> Request:
        """The request of somebody who may use the route; raises NotAllowed for anybody else."""
        person = await self._person(session, interaction)
        request = self._request(interaction, person, session, text, now)
        if not (route.may.held_by(person) and await route.may.over(request)):
            raise NotAllowed(person, route.may)
        return request

    def _route(self, interaction: Interaction) -> tuple[Route, str]:
        """The route and the text that is left for it; an unknown one is answered by a route that says so."""
        found: Route | None
        match interaction.kind:
            case "command" | "event":
                found, text = self._routes.resolve(interaction.text or "help")
                return found or self._unknown_word(), text
            case "action":
                found = self._routes.actions.get(interaction.name)
            case "form":
                found = self._routes.forms.get(interaction.name)
            case "file":
                found = self._routes.files.get(interaction.name)
        if found is None:
            raise Refused(GONE)
        return found, ""

    def _is_confidential(self, interaction: Interaction) -> bool:
        """Whether no trace of this may be kept."""
        route: Route | None
        if interaction.kind in ("command", "event"):
            route = self._routes.resolve(interaction.text or "help")[0]
        else:
            route = (self._routes.forms if interaction.kind == "form" else self._routes.actions).get(interaction.name)
        return route is not None and route.confidential

    def _unknown_word(self) -> Route:
        async def say(request: Request) -> Outcome:
            near = self._routes.nearest(request.text, request.person)
            hint = f"Did you mean “{near.name}”?" if near else "I do not know that word."
            return says(hint, "Type “help” to see what you can do.")

        return Route(name="unknown", run=say, may=Right(phrase="everyone"), reads=True)

    def _request(self, interaction: Interaction, person: Person, session: Session, text: str, now: datetime) -> Request:
        return Request(
            person=person,
            now=now,
            session=session,
            place=interaction.place,
            channel=interaction.channel,
            tenant=interaction.tenant,
            site=self._site,
            pulse_minimum=self._pulse_minimum,
            text=text,
            args=interaction.args,
            values=interaction.values,
            quoted=interaction.quoted,
        )

    async def _handled(self, route: Route, request: Request) -> Outcome:
        """The handler's outcome; a form is checked first, and one that is refused rolls everything back."""
        if isinstance(route, FormRoute):
            form = await route.build(request)
            values, errors = forms.check(form, request.values)
            request = replace(request, values=values)
            if errors:
                raise _FormRefused(request.person, form.refused(errors, request), drafts=route.drafts)
        outcome = await route.run(request)
        if not isinstance(outcome, Form):
            return outcome
        if outcome.errors:
            raise _FormRefused(request.person, outcome, drafts=isinstance(route, FormRoute) and route.drafts)
        return outcome if request.text.strip() or isinstance(route, FormRoute) else await self._with_draft(outcome, request)

    async def _with_draft(self, form: Form, request: Request) -> Form:
        """A form that is asked for without a word: with what was typed into it before and not sent."""
        route = self._routes.forms.get(form.action)
        if route is None or not route.drafts:
            return form
        draft = await drafts.find(request.session, DraftKey(person_id=request.person.id, action=form.action, args=form.args))
        return replace(forms.prefilled(form.filled(draft)), blocks=(UNSENT, *form.blocks)) if draft else form

    def _file_link(self, interaction: Interaction, now: datetime) -> Reply:
        url = f"{self._site}/files/{self._links.seal(interaction, now)}"
        return says(
            "Your file is ready",
            f"The link works once, until {clock(now + self._links.lasts)}.",
            buttons=(Link(label="Get the file", url=url),),
        )

    # -- what a refusal leaves behind, in a small transaction of its own

    async def _guarded(self, interaction: Interaction, findings: Mapping[str, screening.Finding], now: datetime) -> Answer:
        """The guard's answer: the same form with what was typed, or a sentence; only a count is kept."""
        async with self._database.transaction() as session:
            await counts.add_one(session, day=local_day(now), what="patient data refused")
        route = self._routes.forms.get(interaction.name) if interaction.kind == "form" else None
        if route is None:
            words = (PATIENT_DATA, DELETE_IT) if interaction.kind == "event" else (PATIENT_DATA,)
            return Answer(outcome=says("I did not keep that", *words), ticket=new_ticket(), done=False)
        async with self._database.reading() as session:
            request = await self._permitted(route, interaction, session, "", now)
            form = await route.build(request)
        names = {field.name for field in form.fields}
        typed = {name: value for name, value in request.values.items() if name in names}
        values, errors = forms.bounded(typed, {name if name in names else "": PATIENT_DATA for name in findings})
        return Answer(outcome=form.refused(errors, replace(request, values=values)), ticket=interaction.ticket)

    async def _audit_refusal(self, interaction: Interaction, refusal: NotAllowed, now: datetime) -> None:
        route = self._route(interaction)[0]
        name = interaction.name or route.name
        args = {} if route.confidential else interaction.args
        named = {key: value for key, value in args.items() if _REFERENCE.fullmatch(key) and _REFERENCE.fullmatch(value)}
        detail = {"needs": refusal.right.phrase, **dict(list(named.items())[:5])}
        async with self._database.transaction() as session:
            await audit.add(session, now=now, action="refused", object=f"route:{name}", by=refusal.person.id, detail=detail)

    async def _keep_draft(self, refusal: _FormRefused, now: datetime) -> None:
        values = {name: value for name, value in refusal.form.values.items() if value}
        key = DraftKey(person_id=refusal.person.id, action=refusal.form.action, args=refusal.form.args)
        async with self._database.transaction() as session:
            await drafts.keep(session, key, values, now=now)


def _tidied(interaction: Interaction) -> Interaction:
    args = {name: forms.tidy(value) for name, value in interaction.args.items()}
    quoted = interaction.quoted and replace(interaction.quoted, text=forms.tidy(interaction.quoted.text))
    return replace(interaction, text=forms.tidy(interaction.text), values=forms.tidy_values(interaction.values), args=args, quoted=quoted)


def _findings(interaction: Interaction) -> Mapping[str, screening.Finding]:
    """What may name a patient, by field; what stands in the words themselves or in a quoted message under ""."""
    findings = screening.screen_values({"": interaction.text, **interaction.values})
    if interaction.quoted and (finding := screening.screen(interaction.quoted.text)):
        findings[""] = finding
    return findings


def _already_sent(interaction: Interaction, reference: str | None) -> Outcome:
    """A repeated event is answered by silence: its first delivery was answered in the conversation."""
    if interaction.kind == "event":
        return Quiet()
    sent = f"Already sent: {reference}" if reference else "Already sent"
    return says(sent, "I had this before, so nothing was changed.")


def _apology(interaction: Interaction, error: Exception) -> Answer:
    """Logs a bug once under a reference that the person is given; "nothing was changed" only when that is known."""
    reference = new_reference()
    facts = {"reference": reference, "kind": interaction.kind, "action": interaction.name, "interaction": interaction.id}
    log.error("an interaction failed", exc_info=error, extra=facts)
    sure = "" if isinstance(error, UncertainCommit) else " Nothing was changed."
    words = f"Something went wrong on our side.{sure} Reference {reference}."
    return Answer(outcome=says("Sorry", words), ticket=new_ticket(), done=False)
