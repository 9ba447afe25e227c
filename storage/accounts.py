"""Accounts: what is noted when somebody is seen, and how two accounts become one person."""

from __future__ import annotations

import asyncio
import zoneinfo
from collections.abc import Collection
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa

from storage import audit, education, outbox, people
from storage.database import Session
from storage.people import AccountKey, AccountRow, OrganisationBy, Person, PersonRow, Seen
from storage.pulse import answers
from storage.types import Base

Clash = sa.exc.IntegrityError
"""Two first meetings at the same moment: the one that raised this is to be tried again."""


def _is(key: AccountKey) -> sa.ColumnElement[bool]:
    return sa.and_(AccountRow.channel == key.channel, AccountRow.tenant == key.tenant, AccountRow.user == key.user)


async def note(session: Session, seen: Seen, *, now: datetime, admins: Collection[str] = ()) -> Person:
    """Finds or adds the person behind an account and takes over what the account newly says.

    A vouched e-mail makes two accounts one person, gives the organisation of its domain, and honours `admins`.
    Raises Clash when another process met the same person at the same moment.
    """
    vouched_email = seen.email.strip().lower() if seen.email and seen.vouched else None
    account = (await session.execute(sa.select(AccountRow.__table__).where(_is(seen.key)))).one_or_none()
    owner = await people.find_by_email(session, vouched_email) if vouched_email else None
    if account is None:
        person_id = owner.id if owner else await add_person(session, name=seen.name, email=vouched_email, now=now)
        await attach(session, person_id, seen, now=now)
        if owner is not None:
            await _rename(session, person_id, owner.email, seen.name)
    else:
        person_id = account.person_id
        if owner is not None and owner.id != person_id:
            await merge(session, keep=owner.id, gone=person_id, now=now)
            person_id = owner.id
        said = {"name": seen.name, "email": seen.email, "vouched": seen.vouched}
        if said != {"name": account.name, "email": account.email, "vouched": account.vouched}:
            await session.execute(sa.update(AccountRow).where(AccountRow.id == account.id).values(**said))
            await _rename(session, account.person_id, account.name, seen.name)
        if vouched_email and owner is None:
            await _readdress(session, person_id, account.email, vouched_email)
    await _note_zone(session, person_id, seen.zone)
    if vouched_email:
        await _take_over(session, person_id, vouched_email, now=now, admins=admins)
    found = await people.find_by_account(session, seen.key)
    assert found is not None
    return found


async def _rename(session: Session, person_id: int, was: str | None, name: str) -> None:
    """A person who goes by what an account said of them, or by their e-mail, goes by what it says now."""
    await session.execute(sa.update(PersonRow).where(PersonRow.id == person_id, PersonRow.name == was).values(name=name))


async def _readdress(session: Session, person_id: int, was: str | None, email: str) -> None:
    """A person who goes by the e-mail of an account, or by none, goes by its new one; that of another account stands."""
    same = PersonRow.email.is_(None) if was is None else PersonRow.email.is_(None) | (PersonRow.email == was.strip().lower())
    await session.execute(sa.update(PersonRow).where(PersonRow.id == person_id, same).values(email=email))


@cache
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


async def _note_zone(session: Session, person_id: int, zone: str | None) -> None:
    """Keeps the zone an account says, where there is one of that name; looking through all takes 200 ms the first time."""
    if zone and zone in await asyncio.to_thread(_zones):
        other = PersonRow.zone.is_(None) | (PersonRow.zone != zone)
        await session.execute(sa.update(PersonRow).where(PersonRow.id == person_id, other).values(zone=zone))


async def _take_over(session: Session, person_id: int, email: str, *, now: datetime, admins: Collection[str]) -> None:
    """What a vouched e-mail brings: an organisation where nobody has said one, and the flag of a named administrator.

    Looked at whenever the person is noted: partners and DIH_ADMINS are often set up after people came.
    """
    organisation = await people.organisation_of_domain(session, email.rpartition("@")[2])
    if organisation is not None:
        found = {"organisation_id": organisation, "organisation_by": OrganisationBy.DOMAIN}
        unknown = (PersonRow.id == person_id) & PersonRow.organisation_id.is_(None) & PersonRow.organisation_by.is_(None)
        await session.execute(sa.update(PersonRow).where(unknown).values(**found))
    if email in admins:
        made = await session.execute(
            sa.update(PersonRow).where(PersonRow.id == person_id, PersonRow.administrator.is_(False)).values(administrator=True)
        )
        if made.rowcount:
            await audit.add(
                session, now=now, action="people.administrator", object=f"person:{person_id}", by=None, detail={"by": "DIH_ADMINS"}
            )


async def add_person(session: Session, *, name: str, email: str | None, now: datetime) -> int:
    """A new person; returns their number."""
    values = {"name": name, "email": email, "administrator": False, "created_at": now}
    return (await session.execute(sa.insert(PersonRow).values(**values).returning(PersonRow.id))).scalar_one()


async def attach(session: Session, person_id: int, seen: Seen, *, now: datetime) -> int:
    """Gives a person one more account; returns its number."""
    values = {
        "person_id": person_id, "channel": seen.key.channel, "tenant": seen.key.tenant, "user": seen.key.user,
        "name": seen.name, "email": seen.email, "vouched": seen.vouched, "first_seen_at": now,
    }  # fmt: skip
    return (await session.execute(sa.insert(AccountRow).values(**values).returning(AccountRow.id))).scalar_one()


async def use(session: Session, person_id: int, account_id: int) -> None:
    """Notes the account a person used last: their messages go there."""
    await session.execute(sa.update(PersonRow).where(PersonRow.id == person_id).values(last_account_id=account_id))


def _doubled(table: sa.Table, whose: sa.Column[Any], *, keep: int, gone: int) -> sa.Delete:
    """Takes away what both people have, such as the same membership: that of `keep` stands."""
    other = table.alias()
    same = (other.c[column.name] == column for column in table.primary_key.columns if column is not whose)
    return sa.delete(table).where(whose == gone, sa.exists().where(other.c[whose.name] == keep, *same))


async def merge(session: Session, *, keep: int, gone: int, now: datetime) -> None:
    """Makes two people one: everything of `gone` becomes that of `keep`, rights included; audited.

    Answers of an open round come first, so the transaction is to hold nothing before that others who answer may wait for.
    """
    await answers.merge(session, keep=keep, gone=gone)
    await education.merge(session, keep=keep, gone=gone, now=now)
    await outbox.merge(session, keep=keep, gone=gone, now=now)
    for table in Base.metadata.tables.values():
        for column in table.columns:
            if any(key.target_fullname == "people.id" for key in column.foreign_keys):
                if column.primary_key:
                    await session.execute(_doubled(table, column, keep=keep, gone=gone))
                await session.execute(sa.update(table).where(column == gone).values({column.name: keep}))
    await _inherit(session, keep=keep, gone=gone)
    await audit.add(session, now=now, action="people.merge", object=f"person:{keep}", by=keep, detail={"gone": str(gone)})


async def _inherit(session: Session, *, keep: int, gone: int) -> None:
    """What the row of somebody who is no more says, where that of `keep` says nothing; the administrator flag in any case."""
    was = (await session.execute(sa.select(PersonRow.__table__).where(PersonRow.id == gone))).one()
    await session.execute(sa.delete(PersonRow).where(PersonRow.id == gone))
    if was.administrator:
        await session.execute(sa.update(PersonRow).where(PersonRow.id == keep).values(administrator=True))
    if was.zone is not None:
        await session.execute(sa.update(PersonRow).where(PersonRow.id == keep, PersonRow.zone.is_(None)).values(zone=was.zone))
    if was.email is not None:
        await session.execute(sa.update(PersonRow).where(PersonRow.id == keep, PersonRow.email.is_(None)).values(email=was.email))
    if was.organisation_id is not None:
        found = {"organisation_id": was.organisation_id, "organisation_by": was.organisation_by}
        await session.execute(sa.update(PersonRow).where(PersonRow.id == keep, PersonRow.organisation_id.is_(None)).values(**found))
