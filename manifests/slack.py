"""The Slack app manifest: the scopes, events and the one command that the code uses, and nothing besides."""

from __future__ import annotations

from typing import Any

import yaml

from handlers.routing import Routes, anyone

SCOPES = {
    "app_mentions:read": "hear its name in channels",
    "chat:write": "send messages",
    "commands": "take /dih",
    "files:read": "see when a picture is ready",
    "files:write": "show pictures",
    "im:history": "read direct messages sent to it",
    "im:write": "begin a direct message",
    "users:read": "know people's names",
    "users:read.email": "know people's e-mail addresses",
}
"""The least the bot needs, and what for."""

EVENTS = ("app_mention", "message.im")


def slack_manifest(routes: Routes, site: str) -> str:
    """The manifest as YAML, for a bot that is reached at `site`."""
    return yaml.safe_dump(_manifest(routes, f"{site}/slack/events"), sort_keys=False, allow_unicode=True, width=120)


def _manifest(routes: Routes, url: str) -> dict[str, Any]:
    commands = ", ".join(route.name for _, route in sorted(routes.commands.items()) if route.may is anyone)
    command = {
        "command": "/dih",
        "url": url,
        "description": "Share ideas and see what the hub does",
        "usage_hint": commands[:1000],
        "should_escape": False,
    }
    return {
        "_metadata": {"major_version": 2, "minor_version": 0},
        "display_information": {
            "name": "Dorset Innovation Hub",
            "description": "Share innovation ideas and follow what the hub does with them.",
            "background_color": "#003087",
        },
        "features": {
            "app_home": {"home_tab_enabled": False, "messages_tab_enabled": True, "messages_tab_read_only_enabled": False},
            "bot_user": {"display_name": "DIH", "always_online": True},
            "slash_commands": [command],
        },
        "oauth_config": {"scopes": {"bot": sorted(SCOPES)}},
        "settings": {
            "event_subscriptions": {"request_url": url, "bot_events": sorted(EVENTS)},
            "interactivity": {"is_enabled": True, "request_url": url},
            "org_deploy_enabled": False,
            "socket_mode_enabled": False,
            "token_rotation_enabled": False,
        },
    }
