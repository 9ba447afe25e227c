"""Settings: every fault at once, and never a secret in what is said."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from bot import settings
from bot.settings import Settings, SettingsFaults
from handlers.pulse.disclosure import LEAST_MINIMUM, MINIMUM

KEY = Fernet.generate_key().decode()
APP, TENANT, OTHER = "01234567-89ab-cdef-0123-456789abcdef", "11111111-2222-3333-4444-555555555555", "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process without any setting of the bot's."""
    for name in os.environ:
        if name.upper().startswith(("DIH_", "SLACK_", "TEAMS_")):
            monkeypatch.delenv(name)


def _load(monkeypatch: pytest.MonkeyPatch, **values: str) -> Settings:
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return settings.load()


def _faults(monkeypatch: pytest.MonkeyPatch, **values: str) -> list[str]:
    with pytest.raises(SettingsFaults) as raised:
        _load(monkeypatch, **values)
    return raised.value.faults


def test_all_faults_are_said_at_once_and_no_secret_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    faults = _faults(
        monkeypatch, DIH_PORT="eighty", DIH_DATABASE_URL="mysql://root:hunter2@db/dih", DIH_SECRET_KEYS=f"{KEY},not-a-key-hunter2"
    )
    assert [fault.partition(":")[0] for fault in faults] == ["DIH_DATABASE_URL", "DIH_PORT", "DIH_SECRET_KEYS"]
    assert "hunter2" not in str(faults)
    assert KEY not in str(faults)


@pytest.mark.parametrize("url", ["postgresql://bot:hunter2/x@db:hunter2/dih", "postgresql://bot:x@db:hunter2/dih", "hunter2"])
def test_a_password_in_a_database_url_that_cannot_be_read_is_not_printed(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    try:
        assert "hunter2" not in repr(_load(monkeypatch, DIH_DATABASE_URL=url).dih_host)
    except SettingsFaults as faults:
        assert "hunter2" not in str(faults)  # noqa: PT017
        assert "sqlite:///dih.db or postgresql://" in str(faults)  # noqa: PT017


def test_with_nothing_set_the_web_chat_runs_on_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = _load(monkeypatch)
    assert plain.site == "http://127.0.0.1:8080"
    assert not plain.secure
    assert plain.slack_bot_token is None
    assert (plain.teams_app_id, plain.teams_app_password, plain.teams_app_tenant_id) == (None, None, None)
    assert (plain.dih_rate_per_minute, plain.dih_body_limit, plain.dih_lease_seconds) == (30, 262_144, 60)


def test_workspaces_are_read_with_the_domains_they_vouch_for(monkeypatch: pytest.MonkeyPatch) -> None:
    found = _load(monkeypatch, SLACK_ALLOWED_WORKSPACES=" T01 = UHD.nhs.uk + dchft.nhs.uk, T02 ,T03=, ").slack_allowed_workspaces
    assert found == {"T01": {"uhd.nhs.uk", "dchft.nhs.uk"}, "T02": set(), "T03": set()}
    assert _load(monkeypatch, SLACK_ALLOWED_WORKSPACES="").slack_allowed_workspaces == {}


@pytest.mark.parametrize(
    "value", ["=uhd.nhs.uk", "T01=@uhd.nhs.uk", "T01=ann@uhd.nhs.uk", "T01=uhd", "T01=a.uk,T01=b.uk", "T01 T02=uhd.nhs.uk"]
)
def test_a_workspace_list_that_could_vouch_for_the_wrong_thing_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    (fault,) = _faults(monkeypatch, SLACK_ALLOWED_WORKSPACES=value)
    assert fault.startswith("SLACK_ALLOWED_WORKSPACES: write T01=uhd.nhs.uk+dchft.nhs.uk,T02")


def test_tenants_are_read_with_the_domains_they_vouch_for_and_known_by_small_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    found = _load(monkeypatch, TEAMS_ALLOWED_TENANTS=f" {TENANT} = UHD.nhs.uk + dchft.nhs.uk, {OTHER.upper()} ,").teams_allowed_tenants
    assert found == {TENANT: {"uhd.nhs.uk", "dchft.nhs.uk"}, OTHER: set()}
    assert _load(monkeypatch, TEAMS_ALLOWED_TENANTS="").teams_allowed_tenants == {}


@pytest.mark.parametrize(
    "value", ["uhd.nhs.uk", "T01=uhd.nhs.uk", f"{{{OTHER}}}", f"{OTHER},{OTHER.upper()}", f"{OTHER}x=uhd.nhs.uk", f"{OTHER[:-1]}"]
)
def test_a_tenant_list_that_no_tenant_could_match_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    (fault,) = _faults(monkeypatch, TEAMS_ALLOWED_TENANTS=value)
    assert fault.startswith("TEAMS_ALLOWED_TENANTS: write TENANT=uhd.nhs.uk+dchft.nhs.uk,TENANT: each tenant once by its id, such as ")


@pytest.mark.parametrize("value", [f"{OTHER}=@uhd.nhs.uk", f"{OTHER}=ann@uhd.nhs.uk", f"={OTHER}", f"{OTHER}=a.uk,{OTHER}=b.uk"])
def test_a_tenant_list_that_could_vouch_for_the_wrong_thing_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    (fault,) = _faults(monkeypatch, TEAMS_ALLOWED_TENANTS=value)
    assert fault.startswith("TEAMS_ALLOWED_TENANTS: ")


def test_ids_for_teams_may_be_pasted_in_any_case(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = _load(monkeypatch, TEAMS_APP_ID=f" {APP.upper()} ", TEAMS_APP_PASSWORD="hunter2", TEAMS_APP_TENANT_ID=TENANT)
    assert (loaded.teams_app_id, loaded.teams_app_tenant_id) == (APP, TENANT)
    assert loaded.teams_app_password is not None
    assert loaded.teams_app_password.get_secret_value() == "hunter2"


@pytest.mark.parametrize("name", ["TEAMS_APP_ID", "TEAMS_APP_TENANT_ID"])
@pytest.mark.parametrize("value", ["dih-bot", f"{{{APP}}}", APP.replace("-", ""), f"{APP}0", "0123456g" + APP[8:]])
def test_an_id_for_teams_that_is_no_guid_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    (fault,) = _faults(monkeypatch, **{name: value})
    assert fault == f"{name}: write the id as the portal shows it, such as 01234567-89ab-cdef-0123-456789abcdef."


@pytest.mark.parametrize(
    ("values", "missing"),
    [
        ({"TEAMS_APP_ID": APP}, ["TEAMS_APP_PASSWORD", "TEAMS_APP_TENANT_ID"]),
        ({"TEAMS_APP_PASSWORD": "hunter2"}, ["TEAMS_APP_ID", "TEAMS_APP_TENANT_ID"]),
        ({"TEAMS_APP_TENANT_ID": TENANT}, ["TEAMS_APP_ID", "TEAMS_APP_PASSWORD"]),
        ({"TEAMS_APP_ID": APP, "TEAMS_APP_PASSWORD": "hunter2"}, ["TEAMS_APP_TENANT_ID"]),
        ({"TEAMS_APP_ID": APP, "TEAMS_APP_PASSWORD": " ", "TEAMS_APP_TENANT_ID": TENANT}, ["TEAMS_APP_PASSWORD"]),
    ],
)
def test_all_that_teams_needs_is_asked_for(monkeypatch: pytest.MonkeyPatch, values: dict[str, str], missing: list[str]) -> None:
    there = next(name for name in ("TEAMS_APP_ID", "TEAMS_APP_PASSWORD", "TEAMS_APP_TENANT_ID") if values.get(name, "").strip())
    assert _faults(monkeypatch, **values) == [f"{name}: {there} is set, so this one is needed too." for name in missing]


def test_administrators_are_emails_in_any_case(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _load(monkeypatch, DIH_ADMINS=" Ann@UHD.nhs.uk, bob@nhs.net,").dih_admins == ("ann@uhd.nhs.uk", "bob@nhs.net")
    (fault,) = _faults(monkeypatch, DIH_ADMINS="ann")
    assert fault == "DIH_ADMINS: write e-mail addresses with commas between them."


def test_the_clock_can_be_set_and_runs_on_from_there(monkeypatch: pytest.MonkeyPatch) -> None:
    set_to = datetime(2027, 3, 28, 0, 59, tzinfo=UTC)
    clock = _load(monkeypatch, DIH_NOW="2027-03-28T00:59:00+00:00").clock()
    first, second = clock(), clock()
    assert timedelta(0) <= first - set_to < timedelta(minutes=1)
    assert second >= first
    assert first.tzinfo is UTC
    monkeypatch.delenv("DIH_NOW")
    assert abs(_load(monkeypatch).clock()() - datetime.now(UTC)) < timedelta(minutes=1)


@pytest.mark.parametrize("year", ["0001", "1999", "2101", "9999"])
def test_a_clock_in_another_century_is_refused(monkeypatch: pytest.MonkeyPatch, year: str) -> None:
    (fault,) = _faults(monkeypatch, DIH_NOW=f"{year}-12-31T23:59:59-12:00")
    assert fault == "DIH_NOW: write an instant in the years 2000 to 2100."


@pytest.mark.parametrize("value", ["2027-03-28T00:59:00", "tomorrow"])
def test_a_clock_without_an_offset_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    (fault,) = _faults(monkeypatch, DIH_NOW=value)
    assert fault.startswith("DIH_NOW: ")


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"SLACK_BOT_TOKEN": "xoxb-hunter2"}, "SLACK_SIGNING_SECRET: SLACK_BOT_TOKEN is set, so this one is needed too."),
        ({"SLACK_SIGNING_SECRET": "hunter2"}, "SLACK_BOT_TOKEN: SLACK_SIGNING_SECRET is set, so this one is needed too."),
        ({"SLACK_SIGNING_SECRET": "hunter2", "SLACK_BOT_TOKEN": " "}, "SLACK_BOT_TOKEN: SLACK_SIGNING_SECRET is set"),
        ({"DIH_HOST": "0.0.0.0"}, "DIH_PUBLIC_URL: DIH_HOST is open to the network"),
        ({"DIH_PUBLIC_URL": "dih.example.org"}, "DIH_PUBLIC_URL: write the address people open"),
        ({"DIH_PUBLIC_URL": "https://[dih"}, "DIH_PUBLIC_URL: "),
        ({"SLACK_API_URL": "https://slack.com/api"}, "SLACK_API_URL: the address must end in /api/."),
        ({"DIH_PORT": "70000"}, "DIH_PORT: write a number from 1 to 65,535."),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_said(monkeypatch: pytest.MonkeyPatch, values: dict[str, str], fault: str) -> None:
    (said,) = _faults(monkeypatch, **values)
    assert said.startswith(fault)
    assert "hunter2" not in said


def test_an_empty_setting_is_no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", "DIH_SECRET_KEYS", "DIH_ADMINS", "DIH_PUBLIC_URL")
    loaded = _load(monkeypatch, **dict.fromkeys((*names, "TEAMS_APP_ID", "TEAMS_APP_PASSWORD", "TEAMS_APP_TENANT_ID"), ""))
    assert loaded.slack_bot_token is None
    assert (loaded.teams_app_id, loaded.teams_app_password, loaded.teams_app_tenant_id) == (None, None, None)
    assert (loaded.dih_secret_keys, loaded.dih_admins) == ((), ())


def test_the_demonstration_is_nobodys_slack_or_teams(tmp_path: Path) -> None:
    """Only the fault that is its own is said."""
    theirs = {"SLACK_BOT_TOKEN": "xoxb-hunter2", "TEAMS_APP_ID": "dih", "TEAMS_APP_TENANT_ID": "dih", "TEAMS_APP_PASSWORD": "hunter2"}
    environment = {**os.environ, **theirs, "DIH_PORT": "eighty", "PYTHONPATH": str(Path(__file__).parents[1])}
    command = [sys.executable, "-m", "bot", "demo"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.stderr.splitlines()[0] == "The settings need mending:"
    assert [line.partition(":")[0] for line in done.stderr.splitlines()[1:]] == ["- DIH_PORT"]


def test_the_public_address_is_kept_without_its_last_slash(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = _load(monkeypatch, DIH_HOST="0.0.0.0", DIH_PUBLIC_URL="https://dih.example.org/")
    assert loaded.site == "https://dih.example.org"
    assert loaded.secure


@pytest.mark.parametrize(
    ("values", "site"),
    [
        ({"DIH_HOST": "::1"}, "http://[::1]:8080"),
        ({"DIH_HOST": "localhost", "DIH_PORT": "80"}, "http://localhost:80"),
        ({"DIH_PUBLIC_URL": "HTTPS://DIH.example.org:8443/"}, "https://dih.example.org:8443"),
        ({"DIH_PUBLIC_URL": "http://[2001:db8::1]:8080"}, "http://[2001:db8::1]:8080"),
        ({"DIH_PUBLIC_URL": "https://dörset.example"}, "https://dörset.example"),
    ],
)
def test_the_site_is_an_address_that_a_browser_can_open(monkeypatch: pytest.MonkeyPatch, values: dict[str, str], site: str) -> None:
    assert _load(monkeypatch, **values).site == site


@pytest.mark.parametrize(
    "url",
    [
        "dih.example.org", "//dih.example.org", "ftp://dih.example.org", "https://", "https:///", "https://[dih", "https://dih.example.org/hub",
        "https://dih.example.org/?from=mail", "https://dih.example.org?x", "https://dih.example.org/#top", "https://ann@dih.example.org",
        "https://ann:hunter2@dih.example.org", "https://dih.example.org:99999", "https://dih.example.org:http", "https://dih example.org",
    ],
)  # fmt: skip
def test_a_public_address_that_the_pages_do_not_stand_at_is_refused(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    (fault,) = _faults(monkeypatch, DIH_PUBLIC_URL=url)
    assert fault == "DIH_PUBLIC_URL: write the address people open and nothing besides, such as https://dih.example.org."


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [
        ("DIH_RATE_PER_MINUTE", "1", "1,000,000"),
        ("DIH_BODY_LIMIT", "1,024", "1,048,576"),
        ("DIH_LEASE_SECONDS", "0.1", "3,600"),
        ("DIH_TICK_SECONDS", "0.1", "86,400"),
        ("DIH_DELIVERY_SECONDS", "0.1", "86,400"),
        ("DIH_PULSE_MINIMUM", str(LEAST_MINIMUM), "50"),
    ],
)
def test_numbers_that_make_no_sense_are_refused(monkeypatch: pytest.MonkeyPatch, name: str, least: str, most: str) -> None:
    for bound in (least, most):
        assert getattr(_load(monkeypatch, **{name: bound.replace(",", "")}), name.lower()) == float(bound.replace(",", ""))
    whole = least != "0.1"
    beyond = ("0", "-1", str(int(most.replace(",", "")) + 1), *(() if whole else ("1e300", "inf", "nan", "0.01")))
    for value in beyond:
        assert _faults(monkeypatch, **{name: value}) == [f"{name}: write a number from {least} to {most}."]


def test_the_smallest_number_of_the_pulse_is_that_of_its_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _load(monkeypatch).dih_pulse_minimum == MINIMUM


def test_settings_never_show_a_secret_when_they_are_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    teams = {"TEAMS_APP_ID": APP, "TEAMS_APP_PASSWORD": "hunter2", "TEAMS_APP_TENANT_ID": TENANT}
    loaded = _load(monkeypatch, SLACK_BOT_TOKEN="xoxb-hunter2", SLACK_SIGNING_SECRET="hunter2", DIH_SECRET_KEYS=KEY, **teams)
    assert "hunter2" not in repr(loaded)
    assert KEY not in repr(loaded)
