"""The settings, read from the environment; every fault is reported at once and no secret is ever printed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from handlers.words import number
from storage.database import database_url

_DOMAIN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
LOOPBACK = ("127.0.0.1", "::1", "localhost")


class SettingsFaults(Exception):
    """What is wrong with the settings, a sentence each; never a value that may be secret."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def _split(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _emails(values: tuple[str, ...]) -> tuple[str, ...]:
    if any(not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", value) for value in values):
        raise ValueError("write e-mail addresses with commas between them")
    return tuple(value.lower() for value in values)


def _fernet_keys(values: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
    for value in values:
        try:
            Fernet(value.get_secret_value())
        except ValueError:
            raise ValueError("each must be a Fernet key: 32 bytes in URL-safe base64") from None
    return values


def _tenants(value: object) -> object:
    """ "T01=uhd.nhs.uk+dchft.nhs.uk,T02" as {tenant: its e-mail domains}."""
    if not isinstance(value, str):
        return value
    found: dict[str, frozenset[str]] = {}
    for part in filter(None, (part.strip() for part in value.split(","))):
        tenant, _, listed = (piece.strip() for piece in part.partition("="))
        domains = frozenset(domain.strip().lower() for domain in listed.split("+") if domain.strip())
        if not re.fullmatch(r"\S+", tenant) or tenant in found or not all(_DOMAIN.fullmatch(domain) for domain in domains):
            raise ValueError("write T01=uhd.nhs.uk+dchft.nhs.uk,T02: each workspace or tenant once, with the e-mail domains it vouches for")
        found[tenant] = domains
    return found


def _directories(found: Mapping[str, frozenset[str]]) -> Mapping[str, frozenset[str]]:
    """Tenants of Microsoft Entra, whose ids come in small letters."""
    lowered = {tenant.lower(): domains for tenant, domains in found.items()}
    if len(lowered) < len(found) or not all(map(_GUID.fullmatch, lowered)):
        raise ValueError(
            "write TENANT=uhd.nhs.uk+dchft.nhs.uk,TENANT: each tenant once by its id, "
            "such as 01234567-89ab-cdef-0123-456789abcdef, with the e-mail domains it vouches for"
        )
    return lowered


def _guid(value: str | None) -> str | None:
    """An id of Microsoft's in small letters, as they come; None where it is empty."""
    text = (value or "").strip().lower()
    if text and not _GUID.fullmatch(text):
        raise ValueError("write the id as the portal shows it, such as 01234567-89ab-cdef-0123-456789abcdef")
    return text or None


def _address(scheme: str, host: str, port: int | None) -> str:
    """Such as https://dih.example.org, or http://[::1]:8080."""
    return f"{scheme}://{f'[{host}]' if ':' in host else host}{f':{port}' if port else ''}"


def _site(value: str) -> str:
    """The web chat stands at the root of an address, so nothing may come after the host."""
    if not value:
        return ""
    try:
        parts = urlsplit(value)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port = "", None
    known = re.fullmatch(r"[\w.:-]+", host) and parts.scheme in ("http", "https")
    if not known or parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError("write the address people open and nothing besides, such as https://dih.example.org")
    return _address(parts.scheme, host, port)


def _api_url(value: str) -> str:
    if urlsplit(value).scheme not in ("http", "https") or not value.endswith("/api/"):
        raise ValueError("the address must end in /api/")
    return value


def _from(least: float, most: float) -> AfterValidator:
    """Refuses numbers outside of these two, and what is no number."""

    def check(value: float) -> float:
        if not least <= value <= most:
            raise ValueError(f"write a number from {number(least)} to {number(most)}")
        return value

    return AfterValidator(check)


HOUR, DAY = 3_600, 86_400  # seconds
Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
Secrets = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_split), AfterValidator(_fernet_keys)]
Tenants = Annotated[Mapping[str, frozenset[str]], NoDecode, BeforeValidator(_tenants)]
Guid = Annotated[str | None, AfterValidator(_guid)]


class Settings(BaseSettings):
    """All settings by their environment names."""

    model_config = SettingsConfigDict(env_file=None, extra="ignore", frozen=True, hide_input_in_errors=True)

    dih_database_url: str = "sqlite:///dih.db"
    dih_host: str = "127.0.0.1"
    dih_port: Annotated[int, _from(1, 65_535)] = 8080
    dih_public_url: Annotated[str, AfterValidator(_site)] = ""
    dih_secret_keys: Secrets = ()
    dih_admins: Annotated[Names, AfterValidator(_emails)] = ()
    dih_rate_per_minute: Annotated[int, _from(1, 1_000_000)] = 30
    dih_body_limit: Annotated[int, _from(1_024, 1_048_576)] = 262_144
    dih_lease_seconds: Annotated[float, _from(0.1, HOUR)] = 60
    dih_tick_seconds: Annotated[float, _from(0.1, DAY)] = 60
    dih_delivery_seconds: Annotated[float, _from(0.1, DAY)] = 5
    dih_pulse_minimum: Annotated[int, _from(3, 50)] = 5
    dih_now: datetime | None = None
    slack_signing_secret: SecretStr | None = None
    slack_bot_token: SecretStr | None = None
    slack_api_url: Annotated[str, AfterValidator(_api_url)] = "https://slack.com/api/"
    slack_allowed_workspaces: Tenants = Field(default_factory=dict)
    teams_app_id: Guid = None
    teams_app_password: SecretStr | None = None
    teams_app_tenant_id: Guid = None
    teams_allowed_tenants: Annotated[Tenants, AfterValidator(_directories)] = Field(default_factory=dict)

    @field_validator("dih_database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        database_url(value)
        return value

    @field_validator("dih_now")
    @classmethod
    def _aware(cls, value: datetime | None) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError("write an instant with its offset, such as 2027-01-31T09:00:00+00:00")
        if value is not None and not 2000 <= value.year <= 2100:
            raise ValueError("write an instant in the years 2000 to 2100")
        return value

    @field_validator("slack_signing_secret", "slack_bot_token", "teams_app_password")
    @classmethod
    def _not_empty(cls, value: SecretStr | None, _info: ValidationInfo) -> SecretStr | None:
        return value if value and value.get_secret_value().strip() else None

    @property
    def keys(self) -> tuple[str, ...]:
        """The secret keys themselves, the newest first."""
        return tuple(key.get_secret_value() for key in self.dih_secret_keys)

    @property
    def site(self) -> str:
        """Where the web chat is."""
        return self.dih_public_url or _address("http", self.dih_host, self.dih_port)

    @property
    def secure(self) -> bool:
        """Whether people reach the web chat over TLS."""
        return self.site.startswith("https://")

    def clock(self) -> Callable[[], datetime]:
        """Tells the time; DIH_NOW sets it once, and it runs on from there."""
        if self.dih_now is None:
            return lambda: datetime.now(UTC)
        offset = self.dih_now - datetime.now(UTC)
        return lambda: datetime.now(UTC) + offset


def load() -> Settings:
    """The settings of this process; raises SettingsFaults with all that is wrong."""
    try:
        settings = Settings()
    except ValidationError as error:
        raise SettingsFaults([_sentence(fault["loc"], fault["msg"]) for fault in error.errors(include_input=False)]) from None
    faults = _contradictions(settings)
    if faults:
        raise SettingsFaults(faults)
    return settings


def _sentence(location: tuple[int | str, ...], message: str) -> str:
    return f"{str(location[0]).upper()}: {message.removeprefix('Value error, ')}."


def _contradictions(settings: Settings) -> list[str]:
    faults = _incomplete(settings, "slack_signing_secret", "slack_bot_token")
    faults += _incomplete(settings, "teams_app_id", "teams_app_password", "teams_app_tenant_id")
    if settings.dih_host not in LOOPBACK and not settings.dih_public_url:
        faults.append("DIH_PUBLIC_URL: DIH_HOST is open to the network, so say which address people open.")
    return faults


def _incomplete(settings: Settings, *names: str) -> list[str]:
    """A sentence for each of these that is missing, where another is there: they go together."""
    there = [name.upper() for name in names if getattr(settings, name)]
    missing = [name.upper() for name in names if not getattr(settings, name)]
    return [f"{name}: {there[0]} is set, so this one is needed too." for name in missing] if there else []
