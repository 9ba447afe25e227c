"""The committed manifest is what the code asks for, and what Slack takes."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from bot.slack.receive import WORDS
from handlers.registry import ROUTES
from manifests.slack import EVENTS, SCOPES, slack_manifest

COMMITTED = Path("manifests/slack.yaml")
SCHEMA = Path(__file__).parents[3] / "shared" / "schemas" / "slack-manifest-2.0.0.json"


def test_the_committed_manifest_is_the_generated_one() -> None:
    """R60. To renew it: DIH_PUBLIC_URL=https://dih.example.org dih manifest slack > manifests/slack.yaml"""
    root = Path(__file__).parents[2]
    assert (root / COMMITTED).read_text() == slack_manifest(ROUTES, "https://dih.example.org")


def test_slack_takes_the_manifest() -> None:
    """R60."""
    if not SCHEMA.exists():
        pytest.skip("the schemas in ../shared are not here")
    jsonschema.validate(yaml.safe_load(slack_manifest(ROUTES, "https://dih.example.org")), json.loads(SCHEMA.read_text()))


def test_every_event_that_slack_sends_has_a_listener_and_its_scope() -> None:
    assert {event.partition(".")[0] for event in EVENTS} == set(WORDS)
    assert {"app_mentions:read", "im:history"} <= set(SCOPES)
