"""People: who they are, by which accounts, for which organisation, in which groups."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from storage.database import Session
from storage.types import Base, one_of


class Group(StrEnum):
    """The two groups of the hub."""

    PROGRAMME_GROUP = "programme_group"
    CORE_TEAM = "core_team"


class OrganisationBy(StrEnum):
    """How we know somebody's organisation."""

    DOMAIN = "domain"
    ADMINISTRATOR = "administrator"


class OrganisationRow(Base):
    __tablename__ = "organisations"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    sector: Mapped[str] = mapped_column(default="")


class OrganisationDomainRow(Base):
    """An e-mail domain of an organisation; a domain that several share decides nothing."""

    __tablename__ = "organisation_domains"
    domain: Mapped[str] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(sa.ForeignKey("organisations.id", ondelete="CASCADE"), primary_key=True)


class PersonRow(Base):
    __tablename__ = "people"
    __table_args__ = (sa.CheckConstraint("email IS NULL OR email = lower(email)", name="email_lower"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    email: Mapped[str | None] = mapped_column(unique=True)
    organisation_id: Mapped[int | None] = mapped_column(sa.ForeignKey("organisations.id"))
    organisation_by: Mapped[OrganisationBy | None] = mapped_column(one_of(OrganisationBy, "organisation_by"))
    administrator: Mapped[bool] = mapped_column(default=False)
    last_account_id: Mapped[int | None]
    zone: Mapped[str | None]
    created_at: Mapped[datetime]


class AccountRow(Base):
    """One person's account on one channel; `tenant` is the workspace or directory it belongs to."""

    __tablename__ = "accounts"
    __table_args__ = (sa.UniqueConstraint("channel", "tenant", "user"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("people.id"), index=True)
    channel: Mapped[str]
    tenant: Mapped[str]
    user: Mapped[str]
    name: Mapped[str]
    email: Mapped[str | None]
    vouched: Mapped[bool] = mapped_column(default=False)
    first_seen_at: Mapped[datetime]


class MembershipRow(Base):
    __tablename__ = "memberships"
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("people.id"), primary_key=True)
    group: Mapped[Group] = mapped_column(one_of(Group, "group"), primary_key=True)
    organisation_id: Mapped[int | None] = mapped_column(sa.ForeignKey("organisations.id"))


@dataclass(frozen=True, kw_only=True)
class AccountKey:
    """Which account: (channel, tenant, user). The same user id in two tenants is two people."""

    channel: str
    tenant: str
    user: str


@dataclass(frozen=True, kw_only=True)
class Account:
    """Where a person can be reached, and what that account says of them."""

    id: int
    key: AccountKey
    name: str
    email: str | None
    vouched: bool


@dataclass(frozen=True, kw_only=True)
class Organisation:
    """A partner of the hub."""

    id: int
    name: str
    sector: str = ""


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody, with all that rights are decided by."""

    id: int
    name: str
    email: str | None
    organisation: Organisation | None
    organisation_by: OrganisationBy | None
    administrator: bool
    groups: frozenset[Group]
    last_account_id: int | None
    account_id: int | None = None
    """The account the person is using now; None when they were looked up otherwise."""
    zone: str | None = None
    """Their time zone by its IANA name, as an account of theirs said last."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What an account says of its owner; `email` only where its tenant vouches for the address, `zone` as it was said."""

    key: AccountKey
    name: str
    email: str | None
    vouched: bool
    zone: str | None = None


class NameTaken(Exception):
    """There is an organisation of this name."""


_organisation = OrganisationRow.__table__.alias("o")
_PERSON_COLUMNS = (
    PersonRow.id, PersonRow.name, PersonRow.email, PersonRow.organisation_by, PersonRow.administrator,
    PersonRow.last_account_id, PersonRow.zone, _organisation.c.id.label("organisation_id"), _organisation.c.name.label("organisation"),
    _organisation.c.sector, MembershipRow.group,
)  # fmt: skip
_PEOPLE = (
    sa.select(*_PERSON_COLUMNS)
    .select_from(PersonRow)
    .outerjoin(_organisation, _organisation.c.id == PersonRow.organisation_id)
    .outerjoin(MembershipRow, MembershipRow.person_id == PersonRow.id)
)
_BY_ACCOUNT = (
    _PEOPLE.add_columns(AccountRow.id.label("account_id"))
    .join(AccountRow, AccountRow.person_id == PersonRow.id)
    .where(
        AccountRow.channel == sa.bindparam("channel"),
        AccountRow.tenant == sa.bindparam("tenant"),
        AccountRow.user == sa.bindparam("user"),
    )
)
_BY_ID = _PEOPLE.add_columns(sa.null().label("account_id")).where(PersonRow.id == sa.bindparam("id"))


def _person(rows: Sequence[sa.Row[tuple[object, ...]]]) -> Person | None:
    if not rows:
        return None
    first = rows[0]
    organisation = None
    if first.organisation_id is not None:
        organisation = Organisation(id=first.organisation_id, name=first.organisation, sector=first.sector)
    return Person(
        id=first.id,
        name=first.name,
        email=first.email,
        organisation=organisation,
        organisation_by=first.organisation_by,
        administrator=first.administrator,
        groups=frozenset(row.group for row in rows if row.group is not None),
        last_account_id=first.last_account_id,
        account_id=first.account_id,
        zone=first.zone,
    )


async def find_by_account(session: Session, key: AccountKey) -> Person | None:
    """The person behind an account."""
    result = await session.execute(_BY_ACCOUNT, {"channel": key.channel, "tenant": key.tenant, "user": key.user})
    return _person(result.all())


async def find(session: Session, id: int) -> Person | None:
    """The person with this number."""
    return _person((await session.execute(_BY_ID, {"id": id})).all())


async def find_by_email(session: Session, email: str) -> Person | None:
    """The person whose vouched e-mail this is: the one they go by, or that of one of their accounts."""
    id = await session.scalar(sa.select(PersonRow.id).where(PersonRow.email == email.lower()))
    if id is None:
        vouched = AccountRow.vouched & (sa.func.lower(AccountRow.email) == email.lower())
        id = await session.scalar(sa.select(AccountRow.person_id).where(vouched).order_by(AccountRow.id).limit(1))
    return None if id is None else await find(session, id)


async def accounts_of(session: Session, person_id: int) -> tuple[Account, ...]:
    """A person's accounts, oldest first."""
    rows = await session.execute(sa.select(AccountRow.__table__).where(AccountRow.person_id == person_id).order_by(AccountRow.id))
    return tuple(
        Account(
            id=row.id,
            key=AccountKey(channel=row.channel, tenant=row.tenant, user=row.user),
            name=row.name,
            email=row.email,
            vouched=row.vouched,
        )
        for row in rows
    )


async def _listed(session: Session, which: sa.ColumnElement[bool]) -> tuple[Person, ...]:
    by_name = _PEOPLE.add_columns(sa.null().label("account_id")).where(which).order_by(PersonRow.name, PersonRow.id)
    by_id: dict[int, list[sa.Row[tuple[object, ...]]]] = {}
    for row in await session.execute(by_name):
        by_id.setdefault(row.id, []).append(row)
    return tuple(person for group in by_id.values() if (person := _person(group)))


async def list_people(session: Session) -> tuple[Person, ...]:
    """Everybody, by name."""
    return await _listed(session, sa.true())


async def members(session: Session, *groups: Group) -> tuple[Person, ...]:
    """The people of any of these groups, by name."""
    return await _listed(session, PersonRow.id.in_(sa.select(MembershipRow.person_id).where(MembershipRow.group.in_(groups))))


async def administrators(session: Session) -> tuple[Person, ...]:
    """Those with the administrator flag, by name."""
    return await _listed(session, PersonRow.administrator.is_(True))


async def list_organisations(session: Session) -> tuple[Organisation, ...]:
    """All partners, by name."""
    rows = await session.execute(sa.select(OrganisationRow.id, OrganisationRow.name, OrganisationRow.sector).order_by(OrganisationRow.name))
    return tuple(Organisation(id=row.id, name=row.name, sector=row.sector) for row in rows)


async def add_organisation(session: Session, *, name: str, sector: str = "", domains: Collection[str] = ()) -> int:
    """A new partner; returns its number. Raises NameTaken where there is one of that name, in capitals or small letters.

    Whoever else adds one waits until this transaction ends; on SQLite there is one writer at a time anyway.
    """
    if session.dialect.name == "postgresql":
        await session.execute(sa.text(f"LOCK TABLE {OrganisationRow.__tablename__} IN SHARE ROW EXCLUSIVE MODE"))
    if any(each.name.casefold() == name.casefold() for each in await list_organisations(session)):
        raise NameTaken
    inserted = sa.insert(OrganisationRow).values(name=name, sector=sector).returning(OrganisationRow.id)
    id = (await session.execute(inserted)).scalar_one()
    for domain in domains:
        await session.execute(sa.insert(OrganisationDomainRow).values(domain=domain.lower(), organisation_id=id))
    return id


async def organisation_of_domain(session: Session, domain: str) -> int | None:
    """The one organisation an e-mail domain belongs to; None where none or several share it."""
    owners = (
        await session.scalars(sa.select(OrganisationDomainRow.organisation_id).where(OrganisationDomainRow.domain == domain.lower()))
    ).all()
    return owners[0] if len(owners) == 1 else None


async def domains_by_organisation(session: Session) -> dict[int, list[str]]:
    """The e-mail domains of each organisation, by its number."""
    found: dict[int, list[str]] = {}
    for row in await session.execute(sa.select(OrganisationDomainRow.__table__).order_by(OrganisationDomainRow.domain)):
        found.setdefault(row.organisation_id, []).append(row.domain)
    return found
