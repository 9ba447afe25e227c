"""Rights: groups, organisation and the administrator flag, given and taken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from storage.database import Session
from storage.people import Group, MembershipRow, OrganisationBy, Person, PersonRow
from storage.upserts import Upsert


@dataclass(frozen=True, kw_only=True)
class Rights:
    """All that an administrator can give."""

    organisation_id: int | None
    groups: frozenset[Group]
    administrator: bool


_JOIN = Upsert(MembershipRow, unique=("person_id", "group"))


async def other_administrators(session: Session, person_id: int) -> int:
    """How many administrators there are besides this person.

    Their rows are held until the transaction ends, so that two administrators who take each other's flag at once
    cannot both succeed; held for a change that leaves the key alone, or the receipts that point to them would deadlock.
    """
    flagged = sa.select(PersonRow.id).where(PersonRow.administrator).order_by(PersonRow.id).with_for_update(key_share=True)
    return sum(id != person_id for id in await session.scalars(flagged))


async def change(session: Session, person: Person, wanted: Rights) -> Mapping[str, dict[str, str]]:
    """Makes somebody's rights what is wanted; returns what changed, for the audit."""
    changed: dict[str, dict[str, str]] = {}
    row = sa.update(PersonRow).where(PersonRow.id == person.id)
    had = person.organisation.id if person.organisation else None
    if had != wanted.organisation_id:
        await session.execute(row.values(organisation_id=wanted.organisation_id, organisation_by=OrganisationBy.ADMINISTRATOR))
        changed["organisation"] = {"from": str(had or ""), "to": str(wanted.organisation_id or "")}
    if person.administrator != wanted.administrator:
        await session.execute(row.values(administrator=wanted.administrator))
        changed["administrator"] = {"to": "yes" if wanted.administrator else "no"}
    taken, given = person.groups - wanted.groups, wanted.groups - person.groups
    theirs = MembershipRow.person_id == person.id
    if taken:
        await session.execute(sa.delete(MembershipRow).where(theirs, MembershipRow.group.in_(taken)))
    for group in given:
        await _JOIN(session, {"person_id": person.id, "group": group})
    await session.execute(sa.update(MembershipRow).where(theirs).values(organisation_id=wanted.organisation_id))
    if taken or given:
        changed["groups"] = {"given": ", ".join(sorted(given)), "taken": ", ".join(sorted(taken))}
    return changed


async def make_administrator(session: Session, person_id: int) -> None:
    """Gives the flag."""
    await session.execute(sa.update(PersonRow).where(PersonRow.id == person_id).values(administrator=True))
