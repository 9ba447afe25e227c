"""The Teams app package: a manifest made from the commands that everybody may use, and the icons."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any
from urllib.parse import urlsplit

from handlers.routing import Routes, anyone
from manifests import icons

MOST_COMMANDS, LONGEST_TITLE, LONGEST_DESCRIPTION = 12, 32, 128
"""Of a command list. The schema takes longer words, but menus cut them off."""

PERSONAL, SHARED = ["personal"], ["team", "groupChat"]
MADE = (1980, 1, 1, 0, 0, 0)  # the earliest instant a zip can say, so that the same manifest makes the same file
ABOUT = (
    "The Dorset Innovation Hub is a partnership of health, care and community organisations in Dorset. Share an idea, or a problem that "
    "needs one: the Core Team looks at every idea and tells you what happens next. See how projects stand, join Community of Practice "
    "sessions and training days, and answer the maturity pulse.\n\nSend “help” to see what you can do. In a channel or group chat, begin "
    "with @DIH; the bot reads only what is said to it.\n\nThis is not a clinical system. Never type anything that could name a patient."
)


def teams_package(routes: Routes, site: str, app_id: str, version: str, *, slash_commands: bool = False) -> bytes:
    """The zip to upload, for the app `app_id` whose bot is reached at `site`, an https:// address."""
    manifest = teams_manifest(routes, site, app_id, version, slash_commands=slash_commands)
    files = {
        "manifest.json": json.dumps(manifest, indent=2, ensure_ascii=False).encode() + b"\n",
        "color.png": icons.color(),
        "outline.png": icons.outline(),
    }
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, MADE)
            entry.create_system, entry.external_attr = 3, 0o644 << 16
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
    return package.getvalue()


def teams_manifest(routes: Routes, site: str, app_id: str, version: str, *, slash_commands: bool = False) -> dict[str, Any]:
    """Schema 1.28; with `slash_commands` 1.29, the first that has them. The app keeps its id for good, that of its bot."""
    schema = "1.29" if slash_commands else "1.28"
    return {
        "$schema": f"https://developer.microsoft.com/json-schemas/teams/v{schema}/MicrosoftTeams.schema.json",
        "manifestVersion": schema,
        "version": version,
        "id": app_id,
        "developer": {
            "name": "Dorset Innovation Hub",
            "websiteUrl": f"{site}/",
            "privacyUrl": f"{site}/privacy",
            "termsOfUseUrl": f"{site}/terms",
        },
        "name": {"short": "DIH", "full": "Dorset Innovation Hub"},
        "description": {"short": "Share innovation ideas and follow what the hub does with them.", "full": ABOUT},
        "icons": {"color": "color.png", "outline": "outline.png"},
        "accentColor": "#005EB8",
        "defaultInstallScope": "personal",
        "bots": [_bot(routes, app_id, slash_commands=slash_commands)],
        "validDomains": [urlsplit(site).hostname],
    }


def _bot(routes: Routes, app_id: str, *, slash_commands: bool) -> dict[str, Any]:
    commands = _commands(routes)
    personal: dict[str, Any] = {"scopes": PERSONAL, "commands": commands}
    shared: dict[str, Any] = {"scopes": SHARED, "commands": commands}
    bot = {"botId": app_id, "scopes": PERSONAL + SHARED, "supportsFiles": False, "isNotificationOnly": False}
    if slash_commands:
        bot["supportsTargetedMessages"] = True
        shared["triggers"] = ["mention", "slash"]
    return {**bot, "commandLists": [personal, shared]}


def _commands(routes: Routes) -> list[dict[str, str]]:
    """The first that everybody may use, in the order of the registry."""
    found = [route for route in routes.commands.values() if route.may is anyone]
    return [{"title": route.name, "description": route.summary[:1].upper() + route.summary[1:]} for route in found[:MOST_COMMANDS]]
