"""The app package is what Teams takes, and offers only what everybody may use."""

from __future__ import annotations

import copy
import io
import json
import re
import shutil
import subprocess
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import jsonschema
import pytest
from PIL import Image
from typer.testing import CliRunner

from bot import VERSION
from bot.__main__ import app
from handlers.registry import ROUTES
from handlers.routing import Request, Router, Routes, anyone, core_team
from handlers.views import Card, Reply
from manifests.teams import LONGEST_DESCRIPTION, LONGEST_TITLE, MOST_COMMANDS, teams_manifest, teams_package

SITE, APP, TENANT = "https://dih.example.org", "01234567-89ab-cdef-0123-456789abcdef", "11111111-2222-3333-4444-555555555555"
SCHEMAS = "@microsoft/app-manifest@1.1.2"
Manifest: TypeAlias = dict[str, Any]


def manifest(*, slash_commands: bool = False, routes: Routes = ROUTES) -> Manifest:
    """What the package says of the app."""
    return teams_manifest(routes, SITE, APP, VERSION, slash_commands=slash_commands)


def opened(package: bytes) -> zipfile.ZipFile:
    """The package, to look into."""
    return zipfile.ZipFile(io.BytesIO(package))


def lists(of: Manifest) -> list[Manifest]:
    """The command lists of the bot."""
    (bot,) = of["bots"]
    found: list[Manifest] = bot["commandLists"]
    return found


# -- by Microsoft's own schema


@pytest.fixture(scope="session")
def schemas(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of Microsoft's npm package that holds a schema for each version."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not here to fetch Microsoft's schemas")
    folder = tmp_path_factory.mktemp("schemas")
    fetch = [npm, "pack", "--loglevel=error", "--prefer-offline", "--fetch-retries=1", SCHEMAS]
    done = subprocess.run(fetch, cwd=folder, capture_output=True, text=True, check=False, timeout=300)
    packed = next(folder.glob("*.tgz"), None)
    if done.returncode or packed is None:
        pytest.skip(f"npm could not fetch Microsoft's schemas: {' '.join(done.stderr.split())[:200]}")
    with tarfile.open(packed) as archive:
        archive.extractall(folder, filter="data")
    return folder / "package" / "build" / "json-schemas" / "teams"


def faults(schemas: Path, version: str, subject: Manifest) -> list[str]:
    """What Microsoft's schema of this version has against a manifest."""
    schema = json.loads((schemas / f"v{version}" / "MicrosoftTeams.schema.json").read_text("utf-8-sig"))
    assert schema["properties"]["manifestVersion"] == {**schema["properties"]["manifestVersion"], "const": version}
    return [error.message for error in jsonschema.Draft4Validator(schema).iter_errors(subject)]


@pytest.mark.parametrize(("version", "slash_commands"), [("1.28", False), ("1.29", True)])
def test_teams_takes_the_manifest(schemas: Path, version: str, slash_commands: bool) -> None:
    """R60."""
    with opened(teams_package(ROUTES, SITE, APP, VERSION, slash_commands=slash_commands)) as package:
        packed = json.loads(package.read("manifest.json"))
    assert faults(schemas, version, packed) == []
    assert packed["manifestVersion"] == version
    assert f"/v{version}/" in packed["$schema"]


SPOILT: tuple[Callable[[Manifest], object], ...] = (
    lambda it: it.pop("icons"),
    lambda it: it.update(id="dih"),
    lambda it: it.update(licence="MIT"),
    lambda it: it["developer"].update(privacyUrl="privacy"),
    lambda it: it["name"].update(short="The chatbot of the Dorset Innovation Hub"),
    lambda it: it["bots"][0].update(scopes=["everybody"]),
    lambda it: lists(it)[0]["commands"][0].update(title="x" * 129),
    lambda it: lists(it)[0].update(commands=[{"title": f"count {number}"} for number in range(MOST_COMMANDS + 1)]),
)


@pytest.mark.parametrize("spoil", SPOILT)
def test_the_schema_would_notice(schemas: Path, spoil: Callable[[Manifest], object]) -> None:
    spoilt = copy.deepcopy(manifest())
    spoil(spoilt)
    assert faults(schemas, "1.28", spoilt)


def test_slash_commands_need_the_newer_schema(schemas: Path) -> None:
    assert len(faults(schemas, "1.28", manifest(slash_commands=True))) == 2  # targeted messages, and what the commands begin with


# -- by rules that a schema cannot say


def test_the_package_is_three_files_and_the_same_each_time() -> None:
    package = teams_package(ROUTES, SITE, APP, VERSION)
    with opened(package) as archive:
        assert archive.namelist() == ["manifest.json", "color.png", "outline.png"]
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert archive.testzip() is None
    assert teams_package(ROUTES, SITE, APP, VERSION) == package
    assert teams_package(ROUTES, SITE, APP, VERSION, slash_commands=True) != package


@pytest.fixture(scope="module")
def icons() -> dict[str, Image.Image]:
    """Both icons, as they are packed under the names that the manifest gives."""
    with opened(teams_package(ROUTES, SITE, APP, VERSION)) as archive:
        return {kind: Image.open(io.BytesIO(archive.read(name))) for kind, name in manifest()["icons"].items()}


def test_the_color_icon_is_a_full_square_whose_mark_survives_round_corners(icons: dict[str, Image.Image]) -> None:
    icon = icons["color"]
    assert (icon.format, icon.size, icon.mode) == ("PNG", (192, 192), "RGB")
    ground = (0x00, 0x5E, 0xB8)
    marked = [(x, y) for x in range(192) for y in range(192) if icon.getpixel((x, y)) != ground]
    assert all(48 <= place < 144 for pixel in marked for place in pixel)
    assert sum(icon.getpixel(pixel) == (255, 255, 255) for pixel in marked) > 1500


def test_the_outline_icon_is_white_on_nothing_to_the_edge(icons: dict[str, Image.Image]) -> None:
    icon = icons["outline"]
    assert (icon.format, icon.size, icon.mode) == ("PNG", (32, 32), "RGBA")
    pixels = [icon.getpixel((x, y)) for x in range(32) for y in range(32)]
    assert {pixel[:3] for pixel in pixels if isinstance(pixel, tuple)} == {(255, 255, 255)}
    shown = icon.getchannel("A")
    assert sum(shown.getpixel((x, y)) == 255 for x in range(32) for y in range(32)) > 150
    assert all(shown.getpixel(corner) == 0 for corner in ((0, 0), (31, 0), (0, 31), (31, 31)))
    left, top, right, bottom = shown.getbbox() or (16, 16, 16, 16)
    assert (right - left, bottom - top) >= (31, 31)


def test_names_fit_and_addresses_are_pages_of_the_site() -> None:
    made = manifest()
    assert len(made["name"]["short"]) <= 30
    assert len(made["name"]["full"]) <= 100
    assert len(made["description"]["short"]) <= 80
    assert len(made["description"]["full"]) <= 4000
    assert len(made["developer"]["name"]) <= 32
    urls = {url for name, url in made["developer"].items() if name.endswith("Url")}
    assert urls == {f"{SITE}/", f"{SITE}/privacy", f"{SITE}/terms"}  # tests/web/test_doors.py opens them without signing in
    assert made["validDomains"] == ["dih.example.org"]
    assert teams_manifest(ROUTES, "https://dih.example.org:8443", APP, VERSION)["validDomains"] == ["dih.example.org"]


def test_the_app_keeps_its_id_and_has_the_programs_version() -> None:
    made = manifest()
    assert made["id"] == made["bots"][0]["botId"] == APP
    assert made["version"] == VERSION
    assert re.fullmatch(r"\d+\.\d+\.\d+", VERSION)


@pytest.mark.parametrize("slash_commands", [False, True])
def test_the_app_asks_for_nothing_but_to_be_spoken_to(slash_commands: bool) -> None:
    made = manifest(slash_commands=slash_commands)
    assert not {"permissions", "authorization", "devicePermissions", "webApplicationInfo", "composeExtensions", "staticTabs"} & set(made)
    (bot,) = made["bots"]
    assert bot["supportsFiles"] is False
    assert bot["isNotificationOnly"] is False
    assert set(bot) <= {"botId", "scopes", "supportsFiles", "isNotificationOnly", "supportsTargetedMessages", "commandLists"}


@pytest.mark.parametrize("slash_commands", [False, True])
def test_every_listed_command_is_there_for_everybody_and_fits(slash_commands: bool) -> None:
    made = manifest(slash_commands=slash_commands)
    assert sorted(scope for each in lists(made) for scope in each["scopes"]) == sorted(made["bots"][0]["scopes"])
    for each in lists(made):
        titles = [command["title"] for command in each["commands"]]
        assert "idea" in titles
        assert len(titles) == len(set(titles)) <= MOST_COMMANDS
        assert all(ROUTES.commands[title].may is anyone for title in titles)
        assert titles == [name for name in ROUTES.commands if name in titles]
        assert all(len(title) <= LONGEST_TITLE for title in titles)
        assert all(0 < len(command["description"]) <= LONGEST_DESCRIPTION for command in each["commands"])


def test_slash_commands_are_offered_where_others_read_along() -> None:
    """A personal chat has nobody to hide a message from."""
    personal, shared = lists(manifest(slash_commands=True))
    assert personal["scopes"] == ["personal"]
    assert "triggers" not in personal
    assert (shared["scopes"], shared["triggers"]) == (["team", "groupChat"], ["mention", "slash"])
    assert manifest(slash_commands=True)["bots"][0]["supportsTargetedMessages"] is True
    assert "supportsTargetedMessages" not in manifest()["bots"][0]
    assert all("triggers" not in each for each in lists(manifest()))


def test_a_list_ends_after_twelve_and_leaves_out_what_is_not_for_everybody() -> None:
    async def answers(_request: Request) -> Reply:
        return Reply(card=Card(title="Done"))

    router = Router()
    for number in range(1, 16):
        right = core_team if number == 2 else anyone
        router.command(f"count {number}", f"count to {number}", may=right)(answers)
    for each in lists(manifest(routes=Routes([router]))):
        assert [command["title"] for command in each["commands"]] == [f"count {number}" for number in (1, *range(3, 14))]
        assert each["commands"][0]["description"] == "Count to 1"


# -- on the command line


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """All settings that Teams needs, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    values = {"DIH_PUBLIC_URL": SITE, "TEAMS_APP_ID": APP, "TEAMS_APP_PASSWORD": "hunter2", "TEAMS_APP_TENANT_ID": TENANT}
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def types(*words: str) -> tuple[int, str]:
    """(Status, what is said) of `dih manifest teams` and these words."""
    done = CliRunner().invoke(app, ["manifest", "teams", *words])
    return done.exit_code, done.output


@pytest.mark.usefixtures("configured")
def test_the_package_is_written_where_it_is_wanted(tmp_path: Path) -> None:
    assert types() == (0, f"dih-teams.zip is the Teams app of {SITE}, version {VERSION}. Upload it in the Teams admin centre.\n")
    assert (tmp_path / "dih-teams.zip").read_bytes() == teams_package(ROUTES, SITE, APP, VERSION)
    assert types("--out", "newer.zip", "--slash-commands")[0] == 0
    newer = (tmp_path / "newer.zip").read_bytes()
    assert newer == teams_package(ROUTES, SITE, APP, VERSION, slash_commands=True)
    assert b"hunter2" not in b"".join(opened(newer).read(name) for name in opened(newer).namelist())


@pytest.mark.usefixtures("configured")
def test_a_file_that_cannot_be_written_is_said() -> None:
    assert types("--out", "nowhere/dih.zip") == (1, "nowhere/dih.zip cannot be written: No such file or directory.\n")


def test_without_an_app_id_it_says_where_to_find_it(configured: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("TEAMS_APP_ID", "TEAMS_APP_PASSWORD", "TEAMS_APP_TENANT_ID"):
        configured.delenv(name)
    status, said = types()
    assert status == 1
    assert said.startswith("TEAMS_APP_ID is not set. Set it to the Application (client) ID of the app registration")
    assert not list(tmp_path.iterdir())


def test_without_https_it_says_what_the_address_is_now(configured: pytest.MonkeyPatch, tmp_path: Path) -> None:
    configured.setenv("DIH_PUBLIC_URL", "http://dih.example.org")
    status, said = types()
    assert status == 1
    assert said == "DIH_PUBLIC_URL must be an https:// address, for Teams opens no other. The site is now http://dih.example.org.\n"
    assert not list(tmp_path.iterdir())
