"""The sample's 12 partners and its people, named by their roles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from storage import accounts, people, rights
from storage.database import Session
from storage.people import AccountKey, Group, Seen
from storage.rights import Rights

CHANNEL = "web"


@dataclass(frozen=True, kw_only=True)
class SampleHub:
    """The numbers of the sample's people and partners, by their short keys, and the partner of each person."""

    people: Mapping[str, int]
    organisations: Mapping[str, int]

    def partner_of(self, person: str) -> int:
        """The number of somebody's partner organisation."""
        return self.organisations[_PARTNERS[person]]


@dataclass(frozen=True, kw_only=True)
class Role:
    """A sample person: named by what they do, for which organisation (by its short key), in which groups."""

    key: str
    name: str
    organisation: str
    groups: frozenset[Group] = frozenset()
    administrator: bool = False


ORGANISATIONS: Mapping[str, tuple[str, str]] = {
    "icb": ("NHS Dorset", "Integrated care board"),
    "uhd": ("University Hospitals Dorset", "Secondary care"),
    "acute": ("Acute hospital partner", "Secondary care"),
    "community": ("Community care partner", "Community care"),
    "primary": ("Primary care partner", "Primary care"),
    "bcp": ("BCP Council", "Local authority and social care"),
    "county": ("County council partner", "Local authority and social care"),
    "hsu": ("Health Sciences University", "Academia"),
    "police": ("Police partner", "Police"),
    "third": ("Third sector partner", "Third sector"),
    "business": ("Business partner", "Business"),
    "wessex": ("Health Innovation Wessex", "Health innovation network"),
}

_CORE, _PROGRAMME = frozenset({Group.CORE_TEAM}), frozenset({Group.PROGRAMME_GROUP})
ROLES = (
    Role(key="nurse", name="Ward nurse, University Hospitals Dorset", organisation="uhd"),
    Role(key="partner", name="Partner representative, Third sector partner", organisation="third", groups=_PROGRAMME),
    Role(key="core", name="Core Team member, NHS Dorset", organisation="icb", groups=_CORE),
    Role(key="admin", name="Administrator, NHS Dorset", organisation="icb", groups=_CORE, administrator=True),
    Role(key="midwife", name="Midwife, University Hospitals Dorset", organisation="uhd"),
    Role(key="physio", name="Physiotherapist, Community care partner", organisation="community"),
    Role(key="gp", name="Practice manager, Primary care partner", organisation="primary"),
    Role(key="pharmacist", name="Practice pharmacist, Primary care partner", organisation="primary"),
    Role(key="dietitian", name="Dietitian, Acute hospital partner", organisation="acute", groups=_PROGRAMME),
    Role(key="social", name="Social worker, BCP Council", organisation="bcp", groups=_PROGRAMME),
    Role(key="carehomes", name="Care homes lead, County council partner", organisation="county"),
    Role(key="lecturer", name="Lecturer, Health Sciences University", organisation="hsu", groups=_CORE),
    Role(key="officer", name="Mental health lead, Police partner", organisation="police", groups=_PROGRAMME),
    Role(key="founder", name="Product lead, Business partner", organisation="business"),
    Role(key="network", name="Programme manager, Health Innovation Wessex", organisation="wessex", groups=_CORE),
)
_PARTNERS = {role.key: role.organisation for role in ROLES}


async def load(session: Session, *, now: datetime) -> SampleHub:
    """Adds everybody; returns their numbers."""
    organisations = {key: await people.add_organisation(session, name=name, sector=sector) for key, (name, sector) in ORGANISATIONS.items()}
    ids = {role.key: await _add_person(session, role, organisations[role.organisation], now) for role in ROLES}
    return SampleHub(people=ids, organisations=organisations)


async def _add_person(session: Session, role: Role, organisation_id: int, began: datetime) -> int:
    id = await accounts.add_person(session, name=role.name, email=None, now=began)
    key = AccountKey(channel=CHANNEL, tenant="", user=str(id))
    account = await accounts.attach(session, id, Seen(key=key, name=role.name, email=None, vouched=False), now=began)
    await accounts.use(session, id, account)
    person = await people.find(session, id)
    assert person is not None
    await rights.change(session, person, Rights(organisation_id=organisation_id, groups=role.groups, administrator=role.administrator))
    return id
