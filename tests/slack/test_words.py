"""What people wrote, out of what Slack makes of it."""

from __future__ import annotations

import pytest

from bot.slack import parse
from handlers.routing import Profile


@pytest.mark.parametrize(
    ("sent", "typed"),
    [
        ("<@U0BOT> help", "help"),
        ("help <@U0BOT|dih>", "help"),
        ("<@U0BOT>\u00a0DIH me", "me"),
        ("/dih ideas", "ideas"),
        ("idea a &lt;b&gt; &amp;amp; c", "idea a <b> &amp; c"),
        ("idea see <https://example.org/a?b=1&amp;c=2>", "idea see https://example.org/a?b=1&c=2"),
        ("idea see <http://example.org|example.org>", "idea see example.org"),
        ("idea mail <mailto:a@example.org|a@example.org>", "idea mail a@example.org"),
        ("idea\u00a0two\nlines", "idea two\nlines"),
        ("dihedral angles", "dihedral angles"),
    ],
)
def test_words_come_as_they_were_typed(sent: str, typed: str) -> None:
    assert parse.typed_words(sent) == typed


@pytest.mark.parametrize("strange", [None, {}, [], "x", {"profile": 7}, {"id": ""}])
def test_nothing_sensible_about_somebody_is_no_profile(strange: object) -> None:
    assert parse.profile_of(strange, "T1") is None


def test_a_member_of_another_workspace_is_a_guest() -> None:
    user = {"id": "U1", "team_id": "T2", "profile": {"real_name": "Ann Lee", "email": "ann@uhd.nhs.uk"}}
    assert parse.profile_of(user, "T1") == Profile(name="Ann Lee", email="ann@uhd.nhs.uk", guest=True)
    assert parse.profile_of(user, "T2") == Profile(name="Ann Lee", email="ann@uhd.nhs.uk", guest=False)


@pytest.mark.parametrize(("tz", "zone"), [("Europe/Lisbon", "Europe/Lisbon"), ("", None), (None, None), (7, None), ({}, None)])
def test_a_profile_says_the_time_zone_where_there_is_one(tz: object, zone: str | None) -> None:
    found = parse.profile_of({"id": "U1", "tz": tz, "profile": {}}, "T1")
    assert found is not None
    assert found.zone == zone


def test_a_stranger_in_a_shared_channel_is_known_by_their_own_workspace() -> None:
    event = {"type": "app_mention", "user": "U1", "user_team": "T2", "team": "T2", "channel": "C1", "text": "<@U0BOT> help"}
    payload = {"team_id": "T2", "authorizations": [{"team_id": "T1"}], "event_id": "Ev1", "event": event}
    assert parse.workspace(payload) == "T1"
    assert parse.message(payload, None).tenant == "T2"
