"""Accounts that are joined by a one-time code, and parted again: codes are kept as digests, and wrong ones counted."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from storage import accounts, audit, people, signin
from storage.database import Session
from storage.people import Account, AccountRow, Person, PersonRow
from storage.pulse import answers, rounds
from storage.types import Base
from storage.upserts import Upsert

CODE_LASTS = timedelta(minutes=10)
WRONG_CODES = 5
WRONG_WITHIN = timedelta(hours=1)
ALPHABET = "CDFGHJKMPQRTVWXY34679"
"""No two look alike, and without vowels and N no code can read as a word, or as a label that the patient-data guard knows."""
LENGTH = 8


class CodeRow(Base):
    """Somebody's one code, made on an account of theirs."""

    __tablename__ = "linking_codes"
    __table_args__ = {"sqlite_with_rowid": False}
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("people.id"), primary_key=True)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    digest: Mapped[str] = mapped_column(unique=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)
    spent_at: Mapped[datetime | None]


class TryRow(Base):
    """Somebody typed a code that does not work."""

    __tablename__ = "linking_tries"
    __table_args__ = (sa.Index("ix_linking_tries_person_id_at", "person_id", "at"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("people.id"))
    at: Mapped[datetime] = mapped_column(index=True)


class Fault(StrEnum):
    """Why a code joins nothing. WRONG is any that is mistyped, used, replaced or old: which of these is not told."""

    WRONG = "wrong"
    TOO_MANY = "too many"
    OWN = "own"
    JOINED = "joined"
    ADMINISTRATOR = "administrator"
    COLLEAGUES = "colleagues"


@dataclass(frozen=True, kw_only=True)
class Offer:
    """Whom a code joins, and on which channel they made it."""

    owner: Person
    channel: str


class InUse(Exception):
    """One of the accounts is being used just now: nothing was changed, and it is to be tried again."""


_PUT = Upsert(CodeRow, unique=("person_id",), replacing=("account_id", "digest", "expires_at", "spent_at"))


def tidy(typed: str) -> str:
    """The code in what somebody typed, in any case and with any signs between."""
    return "".join(filter(str.isalnum, typed.upper()))


def _digest(typed: str) -> str:
    return hashlib.sha256(tidy(typed).encode("utf-8", "surrogatepass")).hexdigest()


async def add_code(session: Session, person: Person, *, now: datetime) -> str:
    """A new code for somebody, such as CDFG-HJ34, which is not kept; it takes the place of the one before."""
    code = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    values = {"digest": _digest(code), "expires_at": now + CODE_LASTS, "spent_at": None}
    await _PUT(session, {"person_id": person.id, "account_id": person.account_id, **values})
    return f"{code[:4]}-{code[4:]}"


async def find_offer(session: Session, person: Person, typed: str, *, now: datetime) -> Offer | Fault:
    """Whom a code would join with the person who typed it; a wrong code is counted."""
    await _hold(session, person.id)
    return await _find_offer(session, person, typed, now)


async def join(session: Session, person: Person, typed: str, *, now: datetime) -> Offer | Fault:
    """Makes the person who typed a code and its owner one, and audits it: the one who typed it stays. Raises InUse."""
    try:
        async with rounds.impatient(session):
            return await _join(session, person, typed, now)
    except (rounds.InUse, accounts.Clash) as error:
        raise InUse from error


async def _join(session: Session, person: Person, typed: str, now: datetime) -> Offer | Fault:
    owner_id = await session.scalar(sa.select(CodeRow.person_id).where(CodeRow.digest == _digest(typed)))
    if owner_id not in (None, person.id):
        await answers.hold(session)
    await _hold(session, person.id, owner_id or person.id)
    mine = await people.find(session, person.id)
    if mine is None:
        return Fault.JOINED
    found = await _find_offer(session, mine, typed, now)
    if isinstance(found, Fault):
        return found
    gone = found.owner.id
    await session.execute(sa.update(CodeRow).where(CodeRow.person_id == gone).values(spent_at=now))
    await session.execute(sa.delete(CodeRow).where(CodeRow.person_id == mine.id))
    await accounts.merge(session, keep=mine.id, gone=gone, now=now)
    await audit.add(session, now=now, action="accounts.linked", object=f"person:{mine.id}", by=mine.id, detail={"gone": str(gone)})
    return found


async def _hold(session: Session, *ids: int) -> None:
    """Nobody else tries or joins a code of these until the transaction ends; always in one order, or two would wait for each other.

    Held for a change that leaves the key alone: what is stored for them meanwhile, such as an answer, does not wait.
    """
    held = sa.select(PersonRow.id).where(PersonRow.id.in_(ids)).order_by(PersonRow.id)
    await session.execute(held.with_for_update(key_share=True))


async def _find_offer(session: Session, person: Person, typed: str, now: datetime) -> Offer | Fault:
    recent = (TryRow.person_id == person.id) & (TryRow.at > now - WRONG_WITHIN)
    if (await session.scalar(sa.select(sa.func.count()).select_from(TryRow).where(recent)) or 0) >= WRONG_CODES:
        return Fault.TOO_MANY
    made = sa.select(CodeRow.__table__, AccountRow.channel).join(AccountRow, AccountRow.id == CodeRow.account_id)
    code = (await session.execute(made.where(CodeRow.digest == _digest(typed)))).one_or_none()
    if code is not None and code.person_id == person.id:
        return Fault.OWN if code.spent_at is None else Fault.JOINED
    owner = None
    if code is not None and code.spent_at is None and code.expires_at > now:
        owner = await people.find(session, code.person_id)
    if owner is None:
        await session.execute(sa.insert(TryRow).values(person_id=person.id, at=now))
        return Fault.WRONG
    assert code is not None
    if person.administrator or owner.administrator:
        return Fault.ADMINISTRATOR
    if await _are_colleagues(session, person, owner):
        return Fault.COLLEAGUES
    return Offer(owner=owner, channel=code.channel)


async def _are_colleagues(session: Session, *two: Person) -> bool:
    """Whether each has an account in the same workspace, so that they are two people; and on one channel, there is nothing to join.

    A page without tenants says nothing: people get an account there besides their own.
    """
    mine, theirs = [{(each.key.channel, each.key.tenant) for each in await people.accounts_of(session, person.id)} for person in two]
    return mine == theirs or any(tenant for _, tenant in mine & theirs)


def can_be_parted(theirs: Collection[Account]) -> tuple[Account, ...]:
    """The accounts of somebody that can stand alone: not the only one, and none whose vouched e-mail another has too."""
    emails = [_vouched(each) for each in theirs]
    return tuple(each for each in theirs if len(theirs) > 1 and (_vouched(each) is None or emails.count(_vouched(each)) == 1))


def _vouched(account: Account) -> str | None:
    return account.email.strip().lower() if account.email and account.vouched else None


async def part(session: Session, person: Person, account: Account, *, now: datetime, by: int) -> None:
    """Makes an account a person of its own again, without rights; signs both out of the web, and audits it.

    What was kept for the person stays with them: nobody knows any more which of the two it came from.
    """
    own = _vouched(account)
    theirs = sa.update(PersonRow).where(PersonRow.id == person.id)
    await session.execute(theirs.where(PersonRow.email == own).values(email=None))
    await session.execute(theirs.where(PersonRow.last_account_id == account.id).values(last_account_id=None))
    id = await accounts.add_person(session, name=account.name, email=own, now=now)
    await session.execute(sa.update(AccountRow).where(AccountRow.id == account.id).values(person_id=id))
    await signin.end_all(session, person.id)
    await session.execute(sa.delete(CodeRow).where(CodeRow.person_id == person.id))
    detail = {"account": str(account.id), "new": str(id)}
    await audit.add(session, now=now, action="accounts.parted", object=f"person:{person.id}", by=by, detail=detail)


async def forget_old(session: Session, *, now: datetime) -> int:
    """Deletes codes and wrong tries that no longer count; returns how many."""
    codes = await session.execute(sa.delete(CodeRow).where(CodeRow.expires_at < now))
    return codes.rowcount + (await session.execute(sa.delete(TryRow).where(TryRow.at < now - WRONG_WITHIN))).rowcount
