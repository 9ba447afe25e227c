"""Getting in and out, and posts that are not from our own page."""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa

from storage import accounts, people
from storage.database import Database
from storage.people import AccountKey
from tests.conftest import FakeClock
from tests.web.conftest import Bot
from tests.web.window import Window

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
}


def command(window: Window, words: str = "idea") -> list[tuple[str, str]]:
    """What sending these words from the box posts."""
    form = window.page.select_one("form.box")
    assert form is not None
    return [(name, words if name == "text" else value) for name, value in window.fields(form)]


async def count(database: Database, table: str) -> int:
    """How many rows a table has."""
    async with database.reading() as session:
        found: int = await session.scalar(sa.text(f"SELECT count(*) FROM {table}"))
        return found


async def test_without_a_session_the_page_says_how_to_get_in(bot: Bot) -> None:
    window = bot.window()
    await window.goes()
    assert window.status == 200
    assert "Send me the word “web” there" in window.words
    assert "Slack" not in window.words, "a channel that may be off"
    assert "dih invite you@example.org" in window.words
    await window.posts("/say", [("text", "idea"), ("ticket", "t"), ("proof", "")])
    assert window.status == 401
    await window.goes("/new")
    assert window.status == 401
    assert await count(bot.database, "history") == 0


@pytest.mark.parametrize(
    ("path", "says"), [("/privacy", "the people who run the server can read the database"), ("/terms", "not a clinical")]
)
async def test_anybody_can_read_what_is_kept_and_what_the_bot_is_for(bot: Bot, demo: Bot, path: str, says: str) -> None:
    for each in (bot, demo):
        window = each.window()
        await window.goes(path)
        assert window.status == 200
        assert says in window.words.lower()
        assert {link["href"] for link in window.page.select("footer a")} == {"/privacy", "/terms"}
        assert HEADERS.items() <= dict(window.headers).items()


async def test_looking_at_a_link_spends_nothing_and_posting_spends_it_once(bot: Bot) -> None:
    link = await bot.link(await bot.person("Ann Lee"))
    scanner, ann, thief = bot.window(), bot.window(), bot.window()
    for _ in range(3):
        await scanner.goes(link)
        assert scanner.status == 200
        assert not scanner.http.cookie_jar
    await ann.goes(link)
    await ann.presses("Sign in")
    assert ann.landed[0] == (303, "/")
    assert "Ann Lee" in ann.words
    await thief.goes(link)
    assert thief.status == 410
    assert "This link was used, or is too old" in thief.words
    await thief.posts(link, [])
    assert thief.status == 410
    assert not thief.http.cookie_jar


@pytest.mark.parametrize("token", ["x", "%00", "a" * 3000, "%ED%A0%80", "..%2F..%2Fetc"])
async def test_an_unknown_link_opens_nothing(bot: Bot, token: str) -> None:
    window = bot.window()
    await window.goes(f"/sign-in/{token}")
    assert window.status == 410
    await window.posts(f"/sign-in/{token}", [])
    assert window.status == 410


async def test_a_link_is_too_old_after_a_day(bot: Bot, clock: FakeClock) -> None:
    link = await bot.link(await bot.person("Ann Lee"))
    clock.forward(hours=24, seconds=1)
    window = bot.window()
    await window.posts(link, [])
    assert window.status == 410
    assert await count(bot.database, "sessions") == 0


async def test_guessing_links_is_slowed_down(bot: Bot) -> None:
    link = await bot.link(await bot.person("Ann Lee"))
    window = bot.window()
    for _ in range(20):
        await window.posts("/sign-in/guess", [])
    await window.posts(link, [])
    assert window.status == 429
    bot.clock.forward(minutes=1)
    await window.posts(link, [])
    assert "Ann Lee" in window.words


async def test_signing_out_ends_the_session_everywhere(bot: Bot, ann: Window) -> None:
    cookies = {each.key: each.value for each in ann.http.cookie_jar}
    await ann.presses("Sign out")
    assert "You are signed out" in ann.words
    assert not ann.http.cookie_jar
    ann.http.cookie_jar.update_cookies(cookies)
    await ann.goes()
    assert "You are not signed in on this device" in ann.words


async def test_an_idle_session_ends_and_a_used_one_lasts(bot: Bot, ann: Window, clock: FakeClock) -> None:
    for _ in range(4):
        clock.forward(days=6)
        await ann.goes()
        assert "Ann Lee" in ann.words
    clock.forward(days=7, minutes=11)
    await ann.goes()
    assert "You are not signed in" in ann.words


async def test_the_cookie_is_for_this_site_alone(bot: Bot, database: Database, clock: FakeClock) -> None:
    link = await bot.link(await bot.person("Ann Lee"))
    plain = bot.window()
    async with plain.http.post(f"{plain.site}{link}", allow_redirects=False) as answer:
        cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("dih_session=")
    assert all(part in cookie for part in ("HttpOnly", "SameSite=Lax", "Path=/"))
    assert "Secure" not in cookie
    async with database.reading() as session:
        stored = str((await session.execute(sa.text("SELECT * FROM sessions"))).all())
    assert cookie.partition("=")[2].partition(";")[0] not in stored


async def test_over_https_the_cookie_and_the_headers_say_so(database: Database, clock: FakeClock) -> None:
    bot = Bot(database, clock, secure=True)
    await bot.start()
    window = bot.window()
    link = await bot.link(await bot.person("Ann Lee"))
    async with window.http.post(f"{window.site}{link}", allow_redirects=False) as answer:
        cookie, headers = answer.headers["Set-Cookie"], answer.headers
    await bot.stop()
    assert cookie.startswith("__Host-dih_session=")
    assert all(part in cookie for part in ("HttpOnly", "SameSite=Lax", "Path=/", "Secure"))
    assert headers["Strict-Transport-Security"].startswith("max-age=")


async def test_every_page_carries_the_headers(bot: Bot, ann: Window) -> None:
    link = await bot.link(await bot.person("Bob Hay"))
    for path in ("/", "/new", link, "/sign-in/x", "/static/dih.css", "/static/none"):
        await ann.goes(path)
        wanted = dict(HEADERS)
        if path == "/static/dih.css":
            wanted["Cache-Control"] = "public, max-age=86400"
            assert ann.headers["Content-Type"].startswith("text/css")
        assert {name: ann.headers[name] for name in wanted} == wanted, path
        assert "Strict-Transport-Security" not in ann.headers


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://["},
        {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
    ],
)
async def test_a_post_from_another_site_does_nothing(bot: Bot, ann: Window, headers: dict[str, str]) -> None:
    await ann.goes()
    await ann.posts("/say", command(ann), headers)
    assert ann.status == 403
    assert "Nothing was done" in ann.words
    await ann.posts(await bot.link(await bot.person("Bob Hay")), [], headers)
    assert ann.status == 403
    assert await count(bot.database, "history") == 0


async def test_our_own_page_may_post_with_the_origin_null_that_no_referrer_brings(ann: Window) -> None:
    await ann.goes()
    await ann.posts("/say", command(ann, "me"), {"Origin": "null", "Sec-Fetch-Site": "same-origin"})
    await ann.sees("Who I think you are")


@pytest.mark.parametrize("path", ["/say", "/press", "/submit", "/close", "/sign-out"])
async def test_a_post_without_proof_or_with_somebody_elses_does_nothing(bot: Bot, ann: Window, kay: Window, path: str) -> None:
    await ann.types("idea")
    await kay.goes()
    foreign = dict(command(kay))["proof"]
    before = await count(bot.database, "history")
    mine = [(name, value) for name, value in ann.fields(ann.form) if name != "proof"]
    for proof in ([], [("proof", "")], [("proof", foreign)], [("proof", "😀")]):
        await ann.posts(path, [*mine, ("text", "me"), ("do", "{}"), *proof])
        assert ann.status == 403
    assert await count(bot.database, "history") == before
    await ann.goes()
    assert "Ann Lee" in ann.words


RUBBISH = [
    b"",
    b"\xff\xfe\x00",
    b"proof=%ff&ticket=%00",
    b"&".join(b"a=1" for _ in range(2000)),
    b'{"json": true}',
]


@pytest.mark.parametrize("body", RUBBISH)
@pytest.mark.parametrize("path", ["/say", "/press", "/submit", "/close"])
async def test_rubbish_is_answered_politely(bot: Bot, ann: Window, path: str, body: bytes, caplog: pytest.LogCaptureFixture) -> None:
    await ann.goes()
    for kind in ("application/x-www-form-urlencoded", "text/plain; charset=nonsense", "multipart/form-data"):
        async with ann.http.post(f"{ann.site}{path}", data=body, headers={"Content-Type": kind}) as answer:
            assert answer.status in (400, 403), await answer.text()
    assert not [record for record in caplog.records if record.exc_info]


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "nonsense"])
@pytest.mark.parametrize("path", ["/say", "/press", "/submit", "/close", "/sign-out", "/sign-in/none"])
async def test_a_body_in_an_encoding_is_refused_without_a_fault(
    bot: Bot, ann: Window, path: str, encoding: str, caplog: pytest.LogCaptureFixture
) -> None:
    await ann.goes()
    await ann.posts(path, command(ann), {"Content-Encoding": encoding})
    assert (ann.status, ann.words) == (400, "Send the body without a Content-Encoding.")
    assert not caplog.records
    assert await count(bot.database, "history") == 0


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/press", [("do", "[]")]),
        ("/press", [("do", "null")]),
        ("/press", [("do", "[" * 5000)]),
        ("/press", [("do", '{"action":"ideas.open","args":{"idea":4}}')]),
        ("/press", [("do", '{"action":"../x","args":{}}')]),
        ("/press", [("do", '{"action":"ideas.open","args":{"idea":"1"}}'), ("ticket", "")]),
        ("/submit", [("form", '{"action":"ideas.submit"}')]),
        ("/say", [("text", "me"), ("ticket", "a b\x00")]),
    ],
)
async def test_what_our_page_never_sends_is_not_read(bot: Bot, ann: Window, path: str, fields: list[tuple[str, str]]) -> None:
    await ann.goes()
    proof = dict(command(ann))["proof"]
    given = {"proof": proof, "ticket": "t", "item": "9" * 40, **dict(fields)}
    await ann.posts(path, list(given.items()))
    assert ann.status == 400
    assert "Nothing was done" in ann.words
    assert await count(bot.database, "history") == 0


@pytest.mark.parametrize(
    "do",
    [
        '{"action":"ideas.open","args":{}}',
        '{"action":"ideas.open","args":{"idea":"99999999999999999999"}}',
        '{"action":"ideas.page","args":{"offset":"x"}}',
        '{"action":"ideas.open","args":{"idea":"\\u0000\\ud83d"}}',
    ],
)
async def test_a_button_with_odd_arguments_is_answered_politely(ann: Window, do: str) -> None:
    await ann.goes()
    await ann.posts("/press", [("proof", dict(command(ann))["proof"]), ("ticket", "t"), ("item", "x"), ("do", do)])
    assert ann.status == 200
    assert ann.landed[0][0] == 303
    assert "Sorry" not in ann.words


@pytest.mark.parametrize("place", ["web", "C0123456", "9990000018", "idea\u0000"])
async def test_nobody_can_make_a_place_of_something_in_the_web_chat(bot: Bot, place: str) -> None:
    head = await bot.signed_in(await bot.person("Grace Hope", administrator=True))
    form = json.dumps({"action": "places.set", "args": {"place": place}})
    ours = [("proof", dict(command(head))["proof"]), ("ticket", "t"), ("item", "")]
    await head.posts("/submit", [*ours, ("form", form), ("field.group", "core_team")])
    assert "Here, only you and I can read." in head.words
    assert await count(bot.database, "places") == 0
    assert await count(bot.database, "audit") == 0


async def test_a_body_over_the_limit_is_too_long(ann: Window) -> None:
    await ann.goes()
    await ann.posts("/say", command(ann, "x" * 300_000))
    assert ann.status == 413
    assert "That is too long" in ann.words


async def test_more_than_the_limit_is_refused_and_the_form_stays_as_typed(database: Database, clock: FakeClock) -> None:
    bot = Bot(database, clock, per_minute=2)
    await bot.start()
    ann = await bot.signed_in(await bot.person("Ann Lee"))
    await ann.types("idea")
    await ann.types("me")
    await ann.fills({"Title": "Sensors that notice a fall"})
    assert ann.status == 422
    await ann.sees("Slow down a little")
    assert await ann.typed("Title") == "Sensors that notice a fall"
    await bot.stop()


async def test_signing_in_by_web_gives_a_web_account_and_keeps_one_person(bot: Bot, database: Database) -> None:
    id = await bot.person("Ann Lee")
    for _ in range(2):
        ann = await bot.signed_in(id)
        await ann.types("me")
        await ann.sees("Ann Lee")
    async with database.reading() as session:
        assert [account.key.channel for account in await people.accounts_of(session, id)] == ["web"]
        assert len(await people.list_people(session)) == 1


async def test_after_two_people_became_one_their_page_is_still_theirs(bot: Bot, database: Database, clock: FakeClock) -> None:
    first, second = await bot.person("Ann Lee"), await bot.person("Ann")
    one, two = await bot.signed_in(first), await bot.signed_in(second)
    await one.types("help")
    async with database.transaction() as session:
        await accounts.merge(session, keep=second, gone=first, now=clock())
    await one.types("me")
    await two.types("me")
    await one.sees("Who I think you are")
    async with database.reading() as session:
        assert [person.id for person in await people.list_people(session)] == [second]
        owner = await people.find_by_account(session, AccountKey(channel="web", tenant="", user=str(first)))
    assert owner is not None
    assert owner.id == second


async def test_ones_own_link_is_shown_once_and_not_kept(bot: Bot, ann: Window, database: Database) -> None:
    await ann.types("web")
    link = ann.page.find("a", string="Open the web chat")
    assert link is not None
    token = str(link["href"]).rpartition("/")[2]
    async with database.reading() as session:
        stored = str((await session.execute(sa.text("SELECT content FROM history"))).all())
    assert token not in stored
    assert len([item for item in ann.items() if "Your link to the web chat" in item.get_text()]) == 1
    await ann.goes()
    assert "Your link to the web chat" in ann.words
    other = bot.window()
    await other.goes(f"/sign-in/{token}")
    await other.presses("Sign in")
    assert "Ann Lee" in other.words


async def test_a_forged_cookie_opens_nothing(bot: Bot) -> None:
    window = bot.window()
    for value in ("x", "a" * 4000, "%00"):
        window.http.cookie_jar.update_cookies({"dih_session": value})
        await window.goes()
        assert "You are not signed in" in window.words
