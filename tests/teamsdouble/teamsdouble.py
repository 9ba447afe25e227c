"""Plays Microsoft Teams from outside: the Bot Connector a bot calls, the login it fetches tokens from, and the people whose
messages, clicks and dialogs reach it over HTTP.

    async with TeamsDouble("http://127.0.0.1:3978") as teams:
        # start the bot with the environment teams.env()
        ann = teams.user("Ann Lee", "ann@example.org")
        await ann.says("idea")
        card = await ann.card("Share an idea")
        await card.fill({"Title": "Better bins"}).submit()
        await ann.message("Thank you")
        await ann.click(await ann.card("Better bins"), "Support")
        teams.assert_clean()
"""
from __future__ import annotations

import asyncio
import base64
import collections
import concurrent.futures
import contextlib
import copy
import datetime
import functools
import hashlib
import hmac
import itertools
import json
import math
import multiprocessing
import pathlib
import re
import ssl
import tempfile
import time
import uuid
from dataclasses import dataclass, field
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

import aiohttp
import jwt
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from jwt.algorithms import RSAAlgorithm

from tests.teamsdouble import teamscheck
from tests.teamsdouble.teamscheck import ADAPTIVE

ACTIVITY_LIMIT = 15.0  # seconds; then Teams sends the same activity again
INVOKE_LIMIT = 5.0  # seconds; then the person sees an error, and the client tries again
APP_ID = "5f0c8a52-0d3c-4f6e-9a0b-2f6a3b1c7d11"
TENANT = "0b7f5a3e-6c1d-4f4a-8b52-93d1f0a7c2e4"
FOREIGN_TENANT = "f3e1d7c2-9a48-4b61-a5f0-6c2b8d9e1a73"
ISSUER = "https://api.botframework.com"
# per bot and conversation: (calls, seconds), msteams-docs bots/how-to/rate-limit
SEND_WINDOWS = ((7, 1), (8, 2), (60, 30), (1800, 3600))
ROSTER_WINDOWS = ((14, 1), (16, 2), (120, 30), (3600, 3600))
TENANT_WINDOWS = ((50, 1),)
MICROSOFT = ("login.microsoftonline.com", "login.botframework.com", "smba.trafficmanager.net", "api.botframework.com", "token.botframework.com")
GROUPS = {"send": ("send", "reply"), "write": ("send", "reply", "create", "update", "delete"), "roster": ("members", "pagedmembers", "member"),
          "openid": ("openid", "jwks")}
UNREACHABLE = "Unable to reach app. Please try again."

BAD_TOKENS = ("none", "basic", "empty", "malformed", "garbage", "expired", "not_yet", "audience", "issuer", "service_url", "no_service_url",
              "unknown_key", "wrong_key", "alg_none", "hs256", "no_endorsement")
BAD_ACTIVITIES = ("channel", "no_channel", "no_service_url", "evil_service_url", "foreign_tenant", "no_tenant")
BAD_BODIES = ("not_json", "list", "no_body", "no_type", "not_utf8", "content_type")


@functools.cache
def _checking():
    """A process that looks at cards: it takes long, and in a thread it would hold up the bot whose loop is measured."""
    return concurrent.futures.ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))


async def _looked_at(check, *what):
    return await asyncio.get_running_loop().run_in_executor(_checking(), check, *what)


PRIVATE_KEYS = itertools.cycle([rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(6)])  # making one takes long


class Refusal(Exception):
    """An error answer of the connector.  benign: a correct bot can meet it (blocked, uninstalled, busy)."""

    def __init__(self, status, code, message, *, benign=False, headers=None):
        super().__init__(f"{status} {code}: {message}")
        self.status, self.body, self.benign, self.headers = status, {"error": {"code": code, "message": message}}, benign, headers or {}


@dataclass
class Call:
    op: str
    conversation: str = ""
    item: str = ""
    body: dict | None = None
    query: dict = field(default_factory=dict)
    at: float = 0.0
    status: int = 0
    response: object = None
    found: object = None  # what is wrong with an activity


@dataclass
class Fault:
    """kind: 429 412 403 404 413 500 502 503 504 | blocked roster disabled | hang reset garbage.
    applied: Teams does the thing first and only the answer is lost."""
    op: str
    kind: object
    times: int = 1
    retry_after: float = 1
    seconds: float = 30
    applied: bool = False
    where: str | None = None


@dataclass
class Delivery:
    """One activity sent to the bot (several times, when Teams had to repeat it)."""
    status: int | None
    body: str
    took: float
    activity: dict
    attempts: int = 1
    error: str | None = None  # what the person would see, or why the delivery failed
    toast: str | None = None  # the message under a card, or in a dialog that closed
    headers: dict = field(default_factory=dict)
    seq: int = 0

    @property
    def json(self):
        return json.loads(self.body) if self.body.strip() else None


class Conversation:
    def __init__(self, teams, id, kind, tenant, members=(), name=None, team=None):
        self.teams, self.id, self.kind, self.tenant, self.name, self.team = teams, id, kind, tenant, name, team
        self.members: list[User] = list(members)
        self.messages: list[Message] = []
        self.dead = None  # the 403/404 the bot was given last

    @property
    def base(self):
        return self.id.split(";")[0]

    @property
    def installed(self):
        return self.members[0].installed if self.kind == "personal" else self.team.installed if self.team else self._installed

    _installed = True

    def thread(self, message_id):
        return self.teams.conversation(f"{self.base};messageid={message_id}", make=True)

    def account(self):
        a = {"conversationType": self.kind, "tenantId": self.tenant, "id": self.id}
        return a if self.kind == "personal" else {**a, "isGroup": True, **({"name": self.name} if self.name else {})}


class Team:
    def __init__(self, teams, name, members, channels, tenant):
        self.teams, self.name, self.tenant, self.installed = teams, name, tenant, True
        self.group_id = teams.guid("group " + name)
        self.channels: dict[str, Conversation] = {}
        for c in channels:
            cid = f"19:{teams.hex(name + c)}@thread.tacv2"
            self.channels[c] = teams.conversations[cid] = Conversation(teams, cid, "channel", tenant, members, c, self)
        self.id = next(iter(self.channels.values())).id  # a team's id is that of its General channel
        self.members = list(members)

    def __getitem__(self, name):
        return self.channels[name]


class Message:
    def __init__(self, conversation, activity, sender, to=None):
        self.conversation, self.activity, self.sender, self.to = conversation, activity, sender, to
        self.id = activity["id"]
        self.deleted, self.edits, self.reactions = False, [], []
        self.views: dict[str, dict] = {}  # cards a person got as the answer to Action.Execute
        self.seq = next(conversation.teams._seq)

    @property
    def text(self):
        return self.activity.get("text") or ""

    @property
    def cards(self):
        return [a["content"] for a in self.activity.get("attachments") or [] if isinstance(a, dict) and a.get("contentType") == ADAPTIVE
                and isinstance(a.get("content"), dict)]

    @property
    def thread(self):
        return self.conversation if self.conversation.kind != "channel" or ";" in self.conversation.id else self.conversation.thread(self.id)

    def shown(self, user=None):
        """The words a person sees."""
        cards = [self.views[user.id]] if user and user.id in self.views else self.cards
        others = [a["content"] for a in self.activity.get("attachments") or [] if isinstance(a, dict) and a.get("contentType") in teamscheck.CARDS - {ADAPTIVE}]
        old = [c.get(k) for c in others for k in ("title", "subtitle", "text")] + [b.get("title") for c in others for b in c.get("buttons") or []]
        return "\n".join([self.text, *(teamscheck.words(c) for c in cards), *(x for x in old if x)])

    def __repr__(self):
        return f"<Message {self.id} {self.shown()[:60]!r}{' deleted' if self.deleted else ''}>"


class TeamsDouble:
    def __init__(self, bot_url="http://127.0.0.1:3978", app_id=APP_ID, *, app_password="app-secret", tenant=TENANT, path="/api/messages",
                 bot_name="DIH", throttle=True, strict=True, activity_limit=ACTIVITY_LIMIT, invoke_limit=INVOKE_LIMIT, activity_resends=1,
                 invoke_resends=2, token_delay=0.0, token_lifetime=3600, proxy=False, host="127.0.0.1", port=0):
        self.bot_url, self.path, self.app_id, self.app_password, self.tenant = bot_url.rstrip("/"), path, app_id or "", app_password, tenant
        self.bot = {"id": f"28:{self.app_id or 'anonymous-bot'}", "name": bot_name}
        self.throttle, self.strict = throttle, strict
        self.activity_limit, self.invoke_limit = activity_limit, invoke_limit
        self.activity_resends, self.invoke_resends = activity_resends, invoke_resends
        self.token_delay, self.token_lifetime, self.openid_delay = token_delay, token_lifetime, 0.0
        self.proxy, self.host, self.port = proxy, host, port
        self.calls: list[Call] = []
        self.token_calls: list[dict] = []
        self.faults: list[Fault] = []
        self.deliveries: list[Delivery] = []
        self.problems: list[str] = []
        self.warnings: list[str] = []
        self.leaks: list[str] = []  # requests that reached an address no bot should call
        self.users: dict[str, User] = {}
        self.conversations: dict[str, Conversation] = {}
        self.teams: list[Team] = []
        self.attachments: dict[str, dict] = {}
        self.tokens: dict[str, float] = {}
        self.keys: list[dict] = []
        self._windows: dict = collections.defaultdict(collections.deque)
        self._not_before: dict = {}
        self._targeted: dict[str, User] = {}  # ids of targeted activities
        self._answering: list[Conversation] = []  # conversations with a targeted activity still in the bot's hands
        self._seq = itertools.count(1)
        self._last_id = 0
        self._changed = asyncio.Condition()
        self.rotate_key()
        self._unendorsed = self._make_key(["webchat", "directline"])

    # ---------------------------------------------------------------- life
    async def __aenter__(self):
        app = web.Application(client_max_size=8 * 2**20)
        add = app.router.add_route
        add("GET", "/v1/.well-known/openidconfiguration", self._openid)
        add("GET", "/v1/.well-known/keys", self._jwks)
        add("GET", "/common/discovery/instance", self._instances)
        add("GET", "/{tenant}/v2.0/.well-known/openid-configuration", self._authority)
        add("POST", "/{tenant}/oauth2/v2.0/token", self._token)
        v3 = "/emea/v3"
        for method, path, op in (
                ("POST", "/conversations", "create"), ("GET", "/conversations", "list"), ("POST", "/conversations/{conversation}/activities", "send"),
                ("POST", "/conversations/{conversation}/activities/history", "history"), ("POST", "/conversations/{conversation}/activities/{item}", "reply"),
                ("PUT", "/conversations/{conversation}/activities/{item}", "update"), ("DELETE", "/conversations/{conversation}/activities/{item}", "delete"),
                ("GET", "/conversations/{conversation}/activities/{item}/members", "members"), ("GET", "/conversations/{conversation}/members", "members"),
                ("GET", "/conversations/{conversation}/pagedmembers", "pagedmembers"), ("GET", "/conversations/{conversation}/members/{item}", "member"),
                ("POST", "/conversations/{conversation}/attachments", "upload"), ("GET", "/teams/{item}", "team"),
                ("GET", "/teams/{item}/conversations", "channels"), ("GET", "/attachments/{item}", "attachment"),
                ("GET", "/attachments/{item}/views/{view}", "view")):
            add(method, v3 + path, self._route(op))
        add("*", "/{rest:.*}", self._elsewhere)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self.host, self.port)
        await site.start()
        self.port = site._server.sockets[0].getsockname()[1]
        self.url = f"http://{self.host}:{self.port}"
        self.service_url = f"{self.url}/emea/"
        self._dir = tempfile.TemporaryDirectory(prefix="teamsdouble-")
        self._proxy = None
        if self.proxy:
            await self._start_proxy()
        self.http = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        return self

    async def __aexit__(self, *_):
        await self.http.close()
        if self._proxy:
            self._proxy.close()
            for t in list(self._tunnels):
                t.cancel()
        await self._runner.cleanup()
        self._dir.cleanup()

    def env(self):
        """What the bot is told.  proxy=True needs no code in the bot: it calls Microsoft's own addresses, through this proxy.
        proxy="login": the same for keys and tokens only (for connector clients that do not heed HTTPS_PROXY)."""
        e = {"MicrosoftAppId": self.app_id, "MicrosoftAppPassword": self.app_password if self.app_id else "",
             "MicrosoftAppType": "SingleTenant" if self.app_id else "MultiTenant", "MicrosoftAppTenantId": self.tenant if self.app_id else ""}
        if self.app_id:
            e |= {"TEAMS_APP_ID": self.app_id, "TEAMS_APP_PASSWORD": self.app_password, "TEAMS_APP_TENANT_ID": self.tenant}
        if self.proxy:
            p = f"http://{self.host}:{self.proxy_port}"
            return e | {"HTTPS_PROXY": p, "https_proxy": p, "REQUESTS_CA_BUNDLE": self.ca_file, "SSL_CERT_FILE": self.ca_file,
                        "NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"}
        return e | {"TEAMS_OPENID_METADATA_URL": f"{self.url}/v1/.well-known/openidconfiguration", "TEAMS_LOGIN_URL": self.url}

    async def _start_proxy(self):
        """Microsoft's host names, with TLS of our own, behind a CONNECT proxy that lets nothing else out."""
        self.ca_file = _certificates(self._dir.name)
        ctx = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        ctx.load_cert_chain(pathlib.Path(self._dir.name) / "leaf.pem")
        tls = web.TCPSite(self._runner, self.host, 0, ssl_context=ctx)
        await tls.start()
        tls_port = tls._server.sockets[0].getsockname()[1]
        self._tunnels: set = set()

        async def pipe(reader, writer):
            with contextlib.suppress(OSError, asyncio.CancelledError):
                while data := await reader.read(65536):
                    writer.write(data)
                    await writer.drain()
            writer.close()

        async def tunnel(reader, writer):
            task = asyncio.current_task()
            self._tunnels.add(task)
            try:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                method, target = head.split()[:2]
                name = target.rpartition(":")[0] if method == "CONNECT" else target
                if method != "CONNECT" or name not in MICROSOFT:
                    self.leaks.append(f"{method} {target}")
                    self.problem(f"the bot tried to reach {target}")
                    writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                    return
                r2, w2 = await asyncio.open_connection(self.host, tls_port)
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                await asyncio.gather(pipe(reader, w2), pipe(r2, writer))
            except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError, ValueError):
                pass
            finally:
                writer.close()
                self._tunnels.discard(task)
        self._proxy = await asyncio.start_server(tunnel, self.host, 0)
        self.proxy_port = self._proxy.sockets[0].getsockname()[1]
        if self.proxy != "login":
            self.service_url = "https://smba.trafficmanager.net/emea/"

    # ---------------------------------------------------------------- world
    @staticmethod
    def guid(seed):
        return str(uuid.UUID(hashlib.md5(seed.encode()).hexdigest(), version=4))

    @staticmethod
    def hex(seed):
        return hashlib.md5(seed.encode()).hexdigest()

    def new_id(self):
        self._last_id = max(int(time.time() * 1000), self._last_id + 1)
        return str(self._last_id)

    def user(self, name="Ann Lee", email=None, *, tenant=None, installed=True, locale="en-GB", timezone="Europe/London", platform="Web"):
        u = User(self, name, email, tenant or self.tenant, installed, locale, timezone, platform)
        self.users[u.id] = u
        self.conversations[u.chat.id] = u.chat
        return u

    def group(self, name, *members, installed=True):
        cid = f"19:{self.hex(name)}@thread.v2"
        c = self.conversations[cid] = Conversation(self, cid, "groupChat", members[0].tenant, members, name)
        c._installed = installed
        return c

    def team(self, name, *members, channels=("General",), installed=True):
        t = Team(self, name, members, channels, members[0].tenant if members else self.tenant)
        t.installed = installed
        self.teams.append(t)
        return t

    def find_user(self, id):
        for u in self.users.values():
            if id in (u.id, u.aad, f"8:orgid:{u.aad}"):
                return u

    def conversation(self, id, make=False):
        c = self.conversations.get(id)
        if c is None and ";messageid=" in id and (base := self.conversations.get(id.split(";")[0])) and base.kind == "channel":
            root = id.split("=")[1]
            if make or any(m.id == root for t in self.conversations.values() if t.base == base.id for m in t.messages):
                c = self.conversations[id] = Conversation(self, id, "channel", base.tenant, (), base.name, base.team)
                c.members = base.members  # who joins the channel later sees its threads too
        return c

    def sent(self, where=None):
        """The bot's messages that still stand, oldest first."""
        return sorted((m for c in self.conversations.values() if where in (None, c) for m in c.messages if m.sender is None and not m.deleted),
                      key=lambda m: m.seq)

    def duplicates(self):
        """Messages the bot has sent twice to the same conversation (or as two threads of a channel)."""
        seen, out = set(), []
        for m in self.sent():
            c = m.conversation
            key = (c.base if c.id.endswith("=" + m.id) else c.id, m.text, json.dumps(m.activity.get("attachments"), sort_keys=True))
            if key in seen:
                out.append(m)
            seen.add(key)
        return out

    def fault(self, op, kind, times=1, **kw):
        """op: send (send and reply), create, update, delete, roster, member ..., token, openid, write, *"""
        f = Fault(op, kind, times, **kw)
        f.where = getattr(f.where, "id", f.where)
        self.faults.append(f)
        return f

    def problem(self, text):
        self.problems.append(text)

    def warn(self, text):
        if text not in self.warnings:
            self.warnings.append(text)

    def assert_clean(self, warnings=False):
        found = self.problems + (self.warnings if warnings else [])
        assert not found, "Teams would have complained:\n  " + "\n  ".join(found)

    def called(self, op, **match):
        ops = GROUPS.get(op, (op,))
        return [c for c in self.calls if c.op in ops and all(getattr(c, k) == v for k, v in match.items())]

    async def until(self, check, timeout=3.0, what="that"):
        """Waits until check() gives something true; it is tried after every call the bot makes."""
        end = time.monotonic() + timeout
        async with self._changed:
            while not (got := check()):
                left = end - time.monotonic()
                if left <= 0:
                    raise AssertionError(f"Teams saw no {what} within {timeout} s; the bot's last messages: {self.sent()[-3:]}; calls: "
                                         f"{[(c.op, c.status) for c in self.calls][-10:]}; problems: {self.problems[-3:]}")
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(self._changed.wait(), left)
        return got

    # ---------------------------------------------------------------- keys and tokens Teams -> bot
    def _make_key(self, endorsements):
        private = next(PRIVATE_KEYS)
        return {"kid": uuid.uuid4().hex[:26], "private": private, "endorsements": endorsements}

    def rotate_key(self, keep_old=False):
        """A new signing key, as Microsoft publishes one every few weeks."""
        self.keys = (self.keys if keep_old else []) + [self._make_key(["msteams", "skypeforbusiness"])]

    def token(self, kind="good", service_url=None):
        """The bearer token Teams signs a delivery with; kind: good, or one of BAD_TOKENS."""
        key, now = self.keys[-1], int(time.time())
        claims = {"serviceurl": service_url or self.service_url, "nbf": now - 300, "exp": now + 3600, "iss": ISSUER, "aud": self.app_id}
        headers, alg, private = {"kid": key["kid"]}, "RS256", key["private"]
        if kind == "expired":
            claims |= {"nbf": now - 7200, "exp": now - 3600}
        elif kind == "not_yet":
            claims |= {"nbf": now + 3600, "exp": now + 7200}
        elif kind == "audience":
            claims["aud"] = self.guid("another bot")
        elif kind == "issuer":
            claims["iss"] = "https://api.botframework.example"
        elif kind == "service_url":
            claims["serviceurl"] = "https://smba.trafficmanager.net/other/"
        elif kind == "no_service_url":
            del claims["serviceurl"]
        elif kind == "unknown_key":
            headers["kid"], private = uuid.uuid4().hex, self._make_key([])["private"]
        elif kind == "wrong_key":
            private = self._make_key([])["private"]
        elif kind == "no_endorsement":
            headers["kid"], private = self._unendorsed["kid"], self._unendorsed["private"]
        elif kind == "alg_none":
            alg, private = "none", None
        elif kind == "hs256":  # the public key used as a shared secret
            pem = key["private"].public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
            b64 = lambda b: base64.urlsafe_b64encode(b).rstrip(b"=")  # noqa: E731
            head = b64(json.dumps({"alg": "HS256", "typ": "JWT", **headers}).encode()) + b"." + b64(json.dumps(claims).encode())
            return (head + b"." + b64(hmac.new(pem, head, hashlib.sha256).digest())).decode()
        token = jwt.encode(claims, private, algorithm=alg, headers=headers)
        return token[:-40] if kind == "malformed" else token

    def authorization(self, kind="good", service_url=None):
        if kind == "none" or (not self.app_id and kind == "good"):
            return {}
        if kind == "basic":
            return {"Authorization": "Basic " + base64.b64encode(b"a:b").decode()}
        if kind == "empty":
            return {"Authorization": "Bearer "}
        if kind == "garbage":
            return {"Authorization": "Bearer no.token.at-all"}
        return {"Authorization": "Bearer " + self.token(kind, service_url)}

    async def _login(self, request, op):
        call = Call(op, at=time.monotonic())
        self.calls.append(call)
        if f := self._take_fault(call):
            return await self._fail(f, call, request)
        call.status = 200

    async def _openid(self, request):
        if r := await self._login(request, "openid"):
            return r
        await asyncio.sleep(self.openid_delay)
        base = "https://login.botframework.com" if request.secure else self.url
        return web.json_response({"issuer": ISSUER, "authorization_endpoint": "https://invalid.botframework.com", "jwks_uri": base + "/v1/.well-known/keys",
                                  "id_token_signing_alg_values_supported": ["RS256"], "token_endpoint_auth_methods_supported": ["private_key_jwt"]})

    async def _jwks(self, request):
        if r := await self._login(request, "jwks"):
            return r
        keys = [{**json.loads(RSAAlgorithm.to_jwk(k["private"].public_key())), "use": "sig", "kid": k["kid"], "x5t": k["kid"],
                 "endorsements": k["endorsements"]} for k in [*self.keys, self._unendorsed]]
        return web.json_response({"keys": keys})

    async def _instances(self, request):
        return web.json_response({"api-version": "1.1", "tenant_discovery_endpoint": "https://login.microsoftonline.com/common/.well-known/openid-configuration",
                                  "metadata": [{"preferred_network": MICROSOFT[0], "preferred_cache": MICROSOFT[0], "aliases": [MICROSOFT[0]]}]})

    async def _authority(self, request):
        if r := await self._login(request, "authority"):
            return r
        tenant = request.match_info["tenant"]
        if tenant not in (self.tenant, "botframework.com", "organizations", "common"):
            return self._aad(400, "invalid_tenant", f"AADSTS90002: Tenant '{tenant}' not found.")
        base = f"https://login.microsoftonline.com/{tenant}"  # as Microsoft's document has it; MSAL takes nothing but https
        return web.json_response({"token_endpoint": f"{base}/oauth2/v2.0/token", "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                                  "issuer": f"{base}/v2.0", "jwks_uri": f"{base}/discovery/v2.0/keys", "tenant_region_scope": "EU",
                                  "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"]})

    def _aad(self, status, error, text):
        return web.json_response({"error": error, "error_description": text, "error_codes": [int(re.search(r"\d+", text).group())],
                                  "correlation_id": str(uuid.uuid4())}, status=status)

    async def _token(self, request):
        form = {k: v[0] for k, v in parse_qs(await request.text()).items()}
        self.token_calls.append({"tenant": request.match_info["tenant"], **{k: v for k, v in form.items() if k != "client_secret"}})
        if r := await self._login(request, "token"):
            return r
        if self.token_delay:
            await asyncio.sleep(self.token_delay)
        tenant = request.match_info["tenant"]
        wrong = None
        if form.get("grant_type") != "client_credentials":
            wrong = 400, "unsupported_grant_type", "AADSTS70003: The app requested an unsupported grant type."
        elif tenant not in (self.tenant, "botframework.com"):
            wrong = 400, "invalid_request", f"AADSTS90002: Tenant '{tenant}' not found."
        elif form.get("client_id") != self.app_id:
            wrong = 400, "unauthorized_client", f"AADSTS700016: Application with identifier '{form.get('client_id')}' was not found in the directory."
        elif form.get("client_secret") != self.app_password and not form.get("client_assertion"):
            wrong = 401, "invalid_client", "AADSTS7000215: Invalid client secret provided."
        elif form.get("scope") != ISSUER + "/.default":
            wrong = 400, "invalid_scope", f"AADSTS70011: The provided value for scope {form.get('scope')} is not valid."
        if wrong:
            self.problem("token -> " + wrong[2])
            return self._aad(*wrong)
        now = int(time.time())
        token = jwt.encode({"aud": ISSUER, "iss": f"https://sts.windows.net/{tenant}/", "iat": now, "nbf": now, "exp": now + self.token_lifetime,
                            "appid": self.app_id, "tid": tenant, "ver": "1.0", "jti": uuid.uuid4().hex}, self.keys[-1]["private"], algorithm="RS256")
        self.tokens[token] = time.monotonic() + self.token_lifetime
        return web.json_response({"token_type": "Bearer", "expires_in": self.token_lifetime, "ext_expires_in": self.token_lifetime, "access_token": token})

    def revoke_tokens(self):
        """Every token handed out so far is answered 401 from now on."""
        self.tokens = {t: 0.0 for t in self.tokens}

    # ---------------------------------------------------------------- connector
    def _route(self, op):
        async def handler(request):
            return await self._connector(op, request)
        return handler

    async def _elsewhere(self, request):
        await request.read()
        self.leaks.append(f"{request.method} {request.path}")
        self.problem(f"the bot called {request.method} {request.path}" + (" with its token" if "Authorization" in request.headers else ""))
        return web.json_response({"error": {"code": "NotFound", "message": "No such address"}}, status=404)

    async def _connector(self, op, request):
        info = request.match_info
        call = Call(op, info.get("conversation", ""), info.get("item", ""), None, dict(request.query), time.monotonic())
        self.calls.append(call)
        raw, headers = await request.read(), {}
        with contextlib.suppress(ValueError):
            call.body = json.loads(raw) if raw else None
        self._early(call)
        fault = self._take_fault(call)
        if op in ("send", "reply", "update") and isinstance(call.body, dict):
            conversation = self.conversation(call.conversation)
            call.found = await _looked_at(teamscheck.check_activity, call.body, conversation.kind if conversation else "personal")
        if fault and not fault.applied:
            return await self._fail(fault, call, request)
        try:
            self._bearer(request)
            if request.method in ("POST", "PUT") and (request.content_type != "application/json" or not isinstance(call.body, dict)):
                raise Refusal(400, "BadSyntax", "Invalid or missing JSON body")
            self._count(call)
            call.status, call.response = getattr(self, "_do_" + op)(call, info)
        except Refusal as r:
            call.status, call.response, headers = r.status, r.body, r.headers
            if not r.benign:
                self.problem(f"{op} {call.conversation[:24]} -> {r}")
        async with self._changed:
            self._changed.notify_all()
        if fault and call.status // 100 == 2:
            return await self._fail(fault, call, request)
        if isinstance(call.response, bytes):
            return web.Response(body=call.response, content_type="application/octet-stream")
        if call.response is None:
            return web.Response(status=call.status)
        return web.json_response(call.response, status=call.status, headers=headers)

    def _take_fault(self, call):
        for f in self.faults:
            if f.times > 0 and (f.op in ("*", call.op) or call.op in GROUPS.get(f.op, ())) and f.where in (None, call.conversation):
                f.times -= 1
                return f

    FAULTS = {403: ("BotNotInConversationRoster", "The bot is not part of the conversation roster."), 404: ("ConversationNotFound", "Conversation not found."),
              412: ("PreconditionFailed", "Precondition failed, please try again."), 413: ("MessageSizeTooBig", "Message size too large."),
              429: ("Throttled", "Too many requests."), 500: ("ServiceError", "An unexpected error occurred."), 502: ("ServiceError", "Bad gateway."),
              503: ("ServiceError", "Service unavailable."), 504: ("ServiceError", "Gateway timeout."), 401: ("Unauthorized", "Authorization has been denied.")}
    NAMED = {"roster": (403, "BotNotInConversationRoster", "The bot is not part of the conversation roster."),
             "blocked": (403, "ConversationBlockedByUser", "User blocked the conversation with the bot."),
             "disabled": (403, "BotDisabledByAdmin", "The tenant admin disabled this bot.")}

    async def _fail(self, f, call, request):
        async with self._changed:
            self._changed.notify_all()
        if f.kind == "hang":
            call.status = 0
            await asyncio.sleep(f.seconds)
            return web.Response(status=504)
        if f.kind == "reset":
            call.status = 0
            request.transport.abort()
            return web.Response()
        if f.kind == "redirect":
            call.status = 302
            return web.Response(status=302, headers={"Location": "https://evil.example/v3/"})
        if f.kind == "garbage":
            call.status = 200
            return web.Response(text="<html>upstream</html>", content_type="text/html")
        status, code, text = self.NAMED.get(f.kind) or (int(f.kind), *self.FAULTS.get(int(f.kind), ("Error", "Error")))
        call.status, headers = status, {}
        if status == 429:
            headers["Retry-After"] = f"{f.retry_after:g}"
            self._not_before[self._key(call)] = time.monotonic(), time.monotonic() + f.retry_after
        if status in (403, 404) and (c := self.conversation(call.conversation)):
            c.dead = code
        return web.json_response({"error": {"code": code, "message": text}}, status=status, headers=headers)

    def _bearer(self, request):
        if not self.app_id:
            return
        auth = request.headers.get("Authorization", "")
        token = auth[7:] if auth.startswith("Bearer ") else None
        if not token:
            raise Refusal(401, "Unauthorized", "no bearer token")
        if token not in self.tokens:
            raise Refusal(401, "Unauthorized", "a token that was never handed out")
        if self.tokens[token] < time.monotonic():
            raise Refusal(401, "Unauthorized", "the token has expired", benign=True)

    def _key(self, call):
        return ("roster" if call.op in GROUPS["roster"] else "write" if call.op in GROUPS["write"] else call.op), call.conversation

    def _early(self, call):
        told, until = self._not_before.get(self._key(call), (0, 0))
        if told + 0.15 < call.at < until - 0.05:  # calls already on their way do not count
            self.problem(f"{call.op} {call.conversation[:24]}: called again {until - call.at:.2f} s before Retry-After had passed")

    def _count(self, call):
        if not self.throttle or call.op not in GROUPS["write"] + GROUPS["roster"]:
            return
        key, tenant = self._key(call), (c.tenant if (c := self.conversation(call.conversation)) else self.tenant)
        windows = ROSTER_WINDOWS if key[0] == "roster" else SEND_WINDOWS
        for k, limits in ((key, windows), (("tenant", tenant), TENANT_WINDOWS)):
            if k == ("write", ""):
                continue  # creating conversations has no thread to count on
            past = self._windows[k]
            for n, seconds in limits:
                recent = [t for t in past if t > call.at - seconds]
                if len(recent) >= n:
                    wait = max(1, math.ceil(recent[-n] + seconds - call.at))
                    self._not_before[key] = call.at, call.at + wait
                    raise Refusal(429, "Throttled", f"Too many requests: {n} per {seconds} s", benign=True, headers={"Retry-After": str(wait)})
        for k in (key, ("tenant", tenant)):
            self._windows[k].append(call.at)
            while len(self._windows[k]) > 4000:
                self._windows[k].popleft()

    # -- conversations
    def _where(self, call, *, posting=True):
        c = self.conversation(call.conversation)
        if c is None:
            raise Refusal(404, "ConversationNotFound", f"Conversation not found: {call.conversation!r}")
        if posting:
            self._reachable(c)
        return c

    def _reachable(self, c):
        code = None
        if not c.installed:
            code = "BotNotInConversationRoster", "The bot is not part of the conversation roster."
        elif c.kind == "personal" and c.members[0].blocked:
            code = "ConversationBlockedByUser", "User blocked the conversation with the bot."
        if c.dead:
            self.problem(f"sent to {c.id[:24]} again after {c.dead}: a dead target is left alone until its next activity")
        if code:
            c.dead = code[0]
            raise Refusal(403, *code, benign=True)

    def _take(self, call, c, activity, op):
        """Checks what the bot wants shown; -> the activity as Teams keeps it."""
        if (size := teamscheck.message_size(activity)) > teamscheck.MESSAGE_MAX:
            raise Refusal(413, "MessageSizeTooBig", f"Message size too large: {size:,} bytes in UTF-16")
        found = call.found or teamscheck.check_activity(activity, c.kind)
        for p, m in found.warnings:
            self.warn(f"{op}: {m} [{p}]")
        inside = (activity.get("conversation") or {}).get("id")
        if inside and inside != c.id and inside.split(";")[0] != c.base:
            found.error("/conversation/id", f"names {inside[:24]!r}, the address {c.id[:24]!r}", True)
        if (activity.get("from") or {}).get("id") not in (None, self.bot["id"], self.app_id):
            found.error("/from/id", f"{activity['from']['id']!r} is not this bot", True)
        if found.refused:
            raise Refusal(400, "BadSyntax", found.text())
        if found.errors:
            self.problem(f"{op} {c.id[:24]}: {found.text()}")
        return copy.deepcopy(activity)

    def _post(self, call, c, op, reply_to=None):
        activity = self._take(call, c, call.body, op)
        if activity["type"] == "typing":
            return 202, {"id": self.new_id()}
        to = None
        if call.query.get("isTargetedActivity") == "true":
            to = self.find_user((activity.get("recipient") or {}).get("id"))
            if c.kind == "personal" or to is None or to not in c.members:
                raise Refusal(400, "BadArgument", "a targeted message needs a recipient who is a member of this group conversation")
        else:
            asked = self._targeted.get(reply_to or activity.get("replyToId") or "")
            if asked or any(c.base == a.base for a in self._answering):
                self.problem(f"{op} {c.id[:24]}: a targeted (private) command was answered for everybody to see")
        activity["id"] = self.new_id()
        if c.kind == "channel" and ";" not in c.id:
            c = c.thread(activity["id"])
        c.messages.append(Message(c, activity, None, to.id if to else None))
        return 201, {"id": activity["id"]}

    def _do_send(self, call, info):
        return self._post(call, self._where(call), "send")

    def _do_reply(self, call, info):
        return self._post(call, self._where(call), "reply", call.item)

    def _own(self, call, c):
        near = [m for x in self.conversations.values() if x.base == c.base for m in x.messages]
        m = next((m for m in near if m.id == call.item and m.sender is None), None)
        if m is None or m.deleted:
            if m is None:
                self.problem(f"{call.op} {c.id[:24]}: {call.item!r} is not a message of this bot")
            raise Refusal(404, "ActivityNotFoundInConversation", "The activity was not found in the conversation.", benign=True)
        return m

    def _do_update(self, call, info):
        c = self._where(call)
        m = self._own(call, c)
        activity = self._take(call, c, call.body, "update")
        m.edits.append(m.activity)
        m.activity = {**activity, "id": m.id}
        m.views.clear()
        m.seq = next(self._seq)
        return 200, {"id": m.id}

    def _do_delete(self, call, info):
        self._own(call, self._where(call)).deleted = True
        return 200, None

    def _do_create(self, call, info):
        p = call.body
        data = p.get("channelData") if isinstance(p.get("channelData"), dict) else {}
        channel = (data.get("channel") or {}).get("id")
        if (p.get("bot") or {}).get("id") not in (None, self.bot["id"], self.app_id):
            raise Refusal(400, "BadArgument", f"bot.id {p['bot']['id']!r} is not this bot")
        if channel:
            c = self.conversation(channel)
            if c is None or c.kind != "channel":
                raise Refusal(404, "ConversationNotFound", f"no channel {channel!r}")
            if not isinstance(p.get("activity"), dict):
                raise Refusal(400, "BadArgument", "a new channel thread needs an activity")
            call.conversation = c.id
            self._reachable(c)
            call.body = p["activity"]
            status, r = self._post(call, self.conversation(channel.split(";")[0]), "create")
            call.body = p
            return 201, {"id": f"{c.base};messageid={r['id']}", "activityId": r["id"]}
        members = p.get("members") or []
        if p.get("isGroup") or len(members) != 1:
            raise Refusal(400, "BadSyntax", "Incorrect conversation creation parameters: one member, or channelData.channel")
        tenant = (data.get("tenant") or {}).get("id") or p.get("tenantId")
        if not tenant:
            raise Refusal(400, "BadArgument", "no tenant: channelData.tenant.id")
        u = self.find_user(members[0].get("id"))
        if u is None or u.tenant != tenant:
            raise Refusal(403, "ForbiddenOperationException", f"user {members[0].get('id')!r} is not in tenant {tenant}")
        if u.blocked or not u.installed:
            self._reachable(u.chat)
        if p.get("activity"):
            self.warn("create: the activity of a 1:1 create is not documented for Teams; send it afterwards")
        return 201, {"id": u.chat.id}

    def _do_list(self, call, info):
        raise Refusal(405, "NotSupported", "GET /v3/conversations is not supported in Teams")

    def _do_history(self, call, info):
        raise Refusal(405, "NotSupported", "sending a history is not supported in Teams")

    # -- people, places
    def _do_members(self, call, info):
        self.warn("GET members is deprecated in Teams: use pagedmembers")
        return 200, [u.account() for u in self._where(call).members]

    def _do_pagedmembers(self, call, info):
        members = self._where(call).members
        try:
            n = min(500, max(50, int(call.query.get("pageSize") or 200)))  # Teams lifts small pages to 50
            start = int(base64.b64decode(call.query["continuationToken"])) if call.query.get("continuationToken") else 0
        except ValueError:
            raise Refusal(400, "BadArgument", "pageSize or continuationToken") from None
        r = {"members": [u.account() for u in members[start:start + n]]}
        if start + n < len(members):
            r["continuationToken"] = base64.b64encode(str(start + n).encode()).decode()
        return 200, r

    def _do_member(self, call, info):
        u = self.find_user(call.item)
        if u is None or u not in self._where(call).members:
            raise Refusal(404, "MemberNotFoundInConversation", "Member not found in conversation.", benign=True)
        return 200, u.account()

    def _team(self, call):
        t = next((t for t in self.teams if t.id == call.item), None)
        if t is None:
            raise Refusal(404, "NotFound", f"no team {call.item!r}")
        if not t.installed:
            raise Refusal(403, "BotNotInConversationRoster", "The bot is not part of the conversation roster.", benign=True)
        return t

    def _do_team(self, call, info):
        t = self._team(call)
        return 200, {"id": t.id, "name": t.name, "aadGroupId": t.group_id, "type": "standard", "channelCount": len(t.channels), "memberCount": len(t.members)}

    def _do_channels(self, call, info):
        return 200, {"conversations": [{"id": c.id, **({"name": n} if n != "General" else {}), "type": "standard"} for n, c in self._team(call).channels.items()]}

    def _do_upload(self, call, info):
        self._where(call)
        if not isinstance(call.body.get("originalBase64"), str) or not call.body.get("type"):
            raise Refusal(400, "BadArgument", "attachment data needs type and originalBase64")
        aid = self.guid(self.new_id())
        self.attachments[aid] = call.body
        return 201, {"id": aid}

    def _attachment(self, call):
        if call.item not in self.attachments:
            raise Refusal(404, "NotFound", f"no attachment {call.item!r}")
        return self.attachments[call.item]

    def _do_attachment(self, call, info):
        a = self._attachment(call)
        views = [{"viewId": v, "size": len(base64.b64decode(a[k]))} for v, k in (("original", "originalBase64"), ("thumbnail", "thumbnailBase64")) if a.get(k)]
        return 200, {"name": a.get("name"), "type": a["type"], "views": views}

    def _do_view(self, call, info):
        a = self._attachment(call)
        key = info["view"] + "Base64"
        if not a.get(key):
            raise Refusal(404, "NotFound", "no such view")
        return 200, base64.b64decode(a[key])

    # ---------------------------------------------------------------- Teams -> bot
    def activity(self, user, where, type, **fields):
        """An activity as Teams sends it; a field given as None is left out."""
        now = datetime.datetime.now(datetime.timezone.utc)
        data = {"tenant": {"id": where.tenant}}
        if where.team:
            data |= {"team": {"id": where.team.id, "name": where.team.name, "aadGroupId": where.team.group_id}, "channel": {"id": where.base},
                     "teamsTeamId": where.team.id, "teamsChannelId": where.base}
        data |= fields.pop("channelData", None) or {}
        a = {"type": type, "id": self.new_id(), "timestamp": now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
             "localTimestamp": now.astimezone(ZoneInfo(user.timezone)).isoformat(timespec="milliseconds"), "localTimezone": user.timezone,
             "channelId": "msteams", "serviceUrl": self.service_url, "from": {"id": user.id, "name": user.name, "aadObjectId": user.aad},
             "conversation": where.account(), "recipient": dict(self.bot), "locale": user.locale,
             "entities": [{"type": "clientInfo", "locale": user.locale, "country": user.locale[-2:], "platform": user.platform, "timezone": user.timezone}],
             "channelData": data}
        a["entities"] += fields.pop("entities", [])
        return {k: v for k, v in {**a, **fields}.items() if v is not None}

    async def post(self, body, headers=None, timeout=ACTIVITY_LIMIT):
        """One HTTP request to the bot.  -> status or None, text, seconds, reason of failure, headers"""
        h = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "Microsoft-SkypeBotApi (Microsoft-BotFramework/3.0)", **(headers or {})}
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        start = time.monotonic()
        try:
            async with self.http.post(self.bot_url + self.path, data=data, headers=h, allow_redirects=False,
                                      timeout=aiohttp.ClientTimeout(total=timeout)) as r:
                text = await r.text(errors="replace")
                return r.status, text, time.monotonic() - start, None if r.status // 100 == 2 else "http_error", dict(r.headers)
        except asyncio.TimeoutError:
            return None, "", time.monotonic() - start, "http_timeout", {}
        except aiohttp.ClientError:
            return None, "", time.monotonic() - start, "connection_failed", {}

    async def deliver(self, activity, where=None, *, auth="good"):
        """An activity, signed, and sent again as Teams does when no answer came in time."""
        invoke = activity["type"] == "invoke"
        what = activity.get("name") or activity["type"]
        limit, again = (self.invoke_limit, self.invoke_resends) if invoke else (self.activity_limit, self.activity_resends)
        d = Delivery(None, "", 0.0, activity, 0, seq=next(self._seq))
        while True:
            d.attempts += 1
            d.status, d.body, d.took, d.error, d.headers = await self.post(activity, self.authorization(auth), limit)
            if self.strict and d.error:
                self.problem(f"{what}: {d.error} {d.status or ''} after {d.took:.2f} s")
            if d.error != "http_timeout" or d.attempts > again:
                break
        if invoke and d.error:
            d.error = UNREACHABLE
        if invoke and not d.error:
            await self._judge(d)
        self.deliveries.append(d)
        async with self._changed:
            self._changed.notify_all()
        return d

    async def _judge(self, d):
        """The answer to an invoke: what the person sees, and whether Teams can use it."""
        name, body = d.activity.get("name"), None
        if d.status != 200:
            d.error = UNREACHABLE
            self.problem(f"{name}: an invoke needs HTTP 200, not {d.status}")
            return
        try:
            body = d.json
        except ValueError:
            d.error = UNREACHABLE
            self.problem(f"{name}: the answer is not JSON: {d.body[:80]!r}")
            return
        found = await _looked_at(teamscheck.check_invoke, name, body)
        for p, m in found.warnings:
            self.warn(f"{name}: {m} [{p}]")
        if found.errors:
            self.problem(f"{name}: {found.text()}")
        if found.refused:
            d.error = UNREACHABLE
        elif name == "adaptiveCard/action":
            if str(body.get("type", "")).endswith("activity.message"):
                d.toast = body["value"]
            elif (body.get("statusCode") or 200) != 200:
                v = body.get("value")
                d.error = v.get("message") if isinstance(v, dict) else "Something went wrong. Please try again."
        elif isinstance(body, dict) and (body.get("task") or {}).get("type") == "message":
            d.toast = body["task"]["value"]

    async def resend(self, d, new_id=False):
        """The same activity once more: Teams after 15 s without an answer, or (new_id) the client's own second try."""
        a = copy.deepcopy(d.activity)
        if new_id:
            a["id"] = self.new_id()
        return await self.deliver(a)

    async def attack(self, user, kind, text="idea"):
        """One hostile or broken request (BAD_TOKENS, BAD_ACTIVITIES, BAD_BODIES); nothing it meets counts as a problem."""
        a = self.activity(user, user.chat, "message", text=text, textFormat="plain")
        seq, headers = next(self._seq), None
        if kind in BAD_TOKENS:
            headers = self.authorization(kind)
        elif kind == "channel":
            a["channelId"] = "emulator"
        elif kind == "no_channel":
            del a["channelId"]
        elif kind == "no_service_url":
            del a["serviceUrl"]
        elif kind == "evil_service_url":
            a["serviceUrl"] = "https://smba.trafficmanager.net.evil.example/emea/" if self.proxy else f"{self.url}/evil/"
        elif kind == "foreign_tenant":
            a["conversation"]["tenantId"] = FOREIGN_TENANT
            a["channelData"]["tenant"]["id"] = FOREIGN_TENANT
        elif kind == "no_tenant":
            del a["conversation"]["tenantId"], a["channelData"]
        body = {"not_json": b'{"type": "message", ', "list": b"[1]", "no_body": b"", "not_utf8": b'{"type": "\xff\xfe"}'}.get(kind)
        if kind == "no_type":
            del a["type"]
        if headers is None:
            headers = self.authorization("good", a.get("serviceUrl"))
        if kind == "content_type":
            headers["Content-Type"] = "text/plain"
        before = len(self.problems)
        status, text, took, error, h = await self.post(a if body is None else body, headers)
        if kind != "evil_service_url":
            del self.problems[before:]
        return Delivery(status, text, took, a, 1, error, headers=h, seq=seq)

    # -- installation and rosters
    async def install(self, who, by=None, action="add"):
        """The app is added for a person, a group chat or a Team.  -> the two deliveries"""
        user, where = (who, who.chat) if isinstance(who, User) else (by or who.members[0], who)
        if isinstance(where, Team):
            where.installed, where = True, where.channels[next(iter(where.channels))]
        elif where.kind == "personal":
            user.installed = True
        else:
            where._installed = True
        where.dead = None
        data = {"eventType": "teamMemberAdded"} if where.team else {}
        a = await self.deliver(self.activity(user, where, "conversationUpdate", membersAdded=[dict(self.bot)], channelData=data))
        b = await self.deliver(self.activity(user, where, "installationUpdate", action=action,
                                             channelData={"settings": {"selectedChannel": {"id": where.base}}} if where.team else {}))
        return a, b

    async def uninstall(self, who, by=None, action="remove"):
        user, where = (who, who.chat) if isinstance(who, User) else (by or who.members[0], who)
        if isinstance(where, Team):
            where.installed, where = False, where.channels[next(iter(where.channels))]
        elif where.kind == "personal":
            user.installed = False
        else:
            where._installed = False
        a = await self.deliver(self.activity(user, where, "installationUpdate", action=action))
        b = await self.deliver(self.activity(user, where, "conversationUpdate", membersRemoved=[dict(self.bot)],
                                             channelData={"eventType": "teamMemberRemoved"} if where.team else {}))
        return a, b

    async def joins(self, user, where):
        c = where.channels[next(iter(where.channels))] if isinstance(where, Team) else where
        for x in ([where, *where.channels.values()] if isinstance(where, Team) else [c]):
            x.members.append(user)
        return await self.deliver(self.activity(user, c, "conversationUpdate", membersAdded=[{"id": user.id, "aadObjectId": user.aad}],
                                                channelData={"eventType": "teamMemberAdded"} if c.team else {}))

    async def leaves(self, user, where):
        c = where.channels[next(iter(where.channels))] if isinstance(where, Team) else where
        for x in ([where, *where.channels.values()] if isinstance(where, Team) else [c]):
            x.members.remove(user)
        return await self.deliver(self.activity(user, c, "conversationUpdate", membersRemoved=[{"id": user.id, "aadObjectId": user.aad}],
                                                channelData={"eventType": "teamMemberRemoved"} if c.team else {}))


class User:
    def __init__(self, teams, name, email, tenant, installed, locale, timezone, platform):
        seed = f"{name} {email} {tenant} {len(teams.users)}"
        self.teams, self.name, self.email, self.tenant = teams, name, email, tenant
        self.installed, self.blocked, self.locale, self.timezone, self.platform = installed, False, locale, timezone, platform
        self.aad = teams.guid(seed)
        self.id = "29:1" + base64.urlsafe_b64encode(hashlib.sha384(seed.encode()).digest()).decode()[:60]
        cid = "a:1" + base64.urlsafe_b64encode(hashlib.sha384((seed + teams.app_id).encode()).digest()).decode()
        self.chat = Conversation(teams, cid, "personal", tenant, [self])

    def __repr__(self):
        return f"<User {self.name}>"

    def account(self):
        """The roster's TeamsChannelAccount."""
        first, _, last = self.name.partition(" ")
        return {"id": self.id, "objectId": self.aad, "aadObjectId": self.aad, "name": self.name, "givenName": first, "surname": last,
                **({"email": self.email, "userPrincipalName": self.email} if self.email else {}), "tenantId": self.tenant, "userRole": "user"}

    # -- what a person does
    def _place(self, where):
        if where is None:
            return self.chat
        return where.thread if isinstance(where, Message) else where

    async def _send(self, a, where):
        assert where.kind != "personal" or self.installed, f"{self.name} has not got the app"
        where.dead = None
        return await self.teams.deliver(a)

    async def says(self, text, where=None, *, mention=True, space="&nbsp;", **extra):
        """A message: in the chat with the bot, or (naming the bot, without which Teams does not call it) in a group or channel.
        where: a Conversation, or a Message to answer in its thread."""
        t, c = self.teams, self._place(where)
        mid = t.new_id()
        if c.kind != "personal":
            assert self in c.members, f"{self.name} is not in {c.name}"
            if c.kind == "channel" and ";" not in c.id:
                c = c.thread(mid)
            if not mention:
                c.messages.append(Message(c, {"id": mid, "text": text}, self))
                return None
            at = f"<at>{t.bot['name']}</at>"
            extra.setdefault("attachments", [{"contentType": "text/html", "content": f'<p><span itemtype="http://schema.skype.com/Mention" itemscope '
                                              f'itemid="0">{t.bot["name"]}</span>{space}{text}</p>'}])
            text = f"{at}{space}{text}"
            extra["entities"] = [{"type": "mention", "mentioned": dict(t.bot), "text": at}, *extra.get("entities", [])]
        a = t.activity(self, c, "message", **{"id": mid, "text": text, "textFormat": "plain", **extra})
        c.messages.append(Message(c, a, self))
        return await self._send(a, c)

    async def slash(self, text, where):
        """A slash command in a group or channel: only the bot and this person see it (recipient.isTargeted)."""
        t, c = self.teams, self._place(where)
        assert c.kind != "personal", "in a personal chat a command is a plain message"
        a = t.activity(self, c, "message", text=text, textFormat="plain", recipient={**t.bot, "isTargeted": True})
        t._targeted[a["id"]] = self
        t._answering.append(c)
        try:
            return await self._send(a, c)
        finally:
            t._answering.remove(c)

    async def edits(self, d, text):
        """Changes a message said before (messageUpdate)."""
        t = self.teams
        c = t.conversation(d.activity["conversation"]["id"])
        return await self._send(t.activity(self, c, "messageUpdate", id=d.activity["id"], text=text, textFormat="plain",
                                           channelData={"eventType": "editMessage"}), c)

    async def takes_back(self, d):
        """Deletes a message said before (messageDelete)."""
        t = self.teams
        c = t.conversation(d.activity["conversation"]["id"])
        return await self._send(t.activity(self, c, "messageDelete", id=d.activity["id"], channelData={"eventType": "softDeleteMessage"}), c)

    async def reacts(self, message, kind="like", remove=False):
        key = "reactionsRemoved" if remove else "reactionsAdded"
        message.reactions.append((self.id, kind))
        return await self._send(self.teams.activity(self, message.conversation, "messageReaction", replyToId=message.id, **{key: [{"type": kind}]}),
                                message.conversation)

    async def click(self, where, title, answers=None, **kw):
        return await (where.fill(answers) if answers else where).click(title, **kw)

    async def open_dialog(self, where, title):
        got = await where.click(title)
        assert isinstance(got, Dialog), f"{title!r} opened no dialog: {getattr(got, 'toast', None) or getattr(got, 'error', None) or got}"
        return got

    async def message_action(self, command, message, theme="default"):
        """A message action such as 'Save as idea' on a message of anybody (composeExtension/fetchTask)."""
        t, c = self.teams, message.conversation
        sender = message.sender
        payload = {"id": message.id, "replyToId": None, "createdDateTime": datetime.datetime.now(datetime.timezone.utc).isoformat(), "lastModifiedDateTime": None,
                   "messageType": "message", "deleted": False, "subject": None, "summary": None, "importance": "normal", "locale": self.locale,
                   "linkToMessage": f"https://teams.microsoft.com/l/message/{c.base}/{message.id}",
                   "from": {"device": None, "conversation": None,
                            "user": {"userIdentityType": "aadUser", "id": sender.aad, "displayName": sender.name} if sender else None,
                            "application": None if sender else {"applicationIdentityType": "bot", "id": t.app_id, "displayName": t.bot["name"]}},
                   "body": {"contentType": "html", "content": f"<div>{message.text}</div>"}, "attachmentLayout": None, "mentions": [], "reactions": [],
                   "attachments": [{"id": str(i), "contentType": ADAPTIVE, "contentUrl": None, "content": json.dumps(x), "name": None, "thumbnailUrl": None}
                                   for i, x in enumerate(message.cards)]}
        value = {"commandId": command, "commandContext": "message", "requestId": uuid.uuid4().hex, "messagePayload": payload, "context": {"theme": theme}}
        a = t.activity(self, c, "invoke", name="composeExtension/fetchTask", value=value, channelData={"source": {"name": "message"}})
        d = await self._send(a, c)
        return Dialog.of(t, self, c, d, extension=value) or d

    def blocks(self, yes=True):
        self.blocked = yes

    # -- what a person sees
    def sees(self, where=None, after=None):
        """The bot's messages this person can see, newest last."""
        since = getattr(after, "seq", 0) or 0
        c = where and self._place(where)
        return [m for m in self.teams.sent() if m.seq > since and (self in m.conversation.members) and m.to in (None, self.id)
                and (c is None or c.id in (m.conversation.id, m.conversation.base))]

    async def message(self, containing="", timeout=3.0, where=None, after=None):
        """The newest message of the bot with these words (in its text or on its card)."""
        return await self.teams.until(lambda: next((m for m in reversed(self.sees(where, after)) if containing in m.shown(self)), None), timeout,
                                      f"message with {containing!r} for {self.name}")

    async def card(self, containing="", timeout=3.0, where=None, after=None):
        m = await self.teams.until(lambda: next((m for m in reversed(self.sees(where, after)) if m.cards and containing in m.shown(self)), None), timeout,
                                   f"card with {containing!r} for {self.name}")
        return Card(self.teams, self, m)

    async def nothing(self, seconds=0.5, where=None, after=None):
        """Nothing new reaches this person for a while."""
        since = after or Delivery(None, "", 0, {}, seq=next(self.teams._seq))
        await asyncio.sleep(seconds)
        got = self.sees(where, since)
        assert not got, f"{self.name} was sent {got}"


class Form:
    """A card as the person in front of it has it; fill() and click() obey the rules Teams' own client enforces."""

    def __init__(self, teams, user):
        self.teams, self.user = teams, user
        self._reset()

    def _reset(self):
        self.filled: dict[str, str] = {}
        self._toggled: dict[str, bool] = {}
        self._open: set[str] = set()

    content: dict

    def _parts(self):
        """(element, chain of show-cards, visible) of all inputs and actions."""
        inputs, actions = [], []

        def visit(node, path, chain, visible):
            if isinstance(node, list):
                for i, x in enumerate(node):
                    visit(x, f"{path}/{i}", chain, visible)
                return
            if not isinstance(node, dict):
                return
            kind = str(node.get("type"))
            visible = visible and self._toggled.get(node.get("id"), node.get("isVisible", True))
            if kind in teamscheck.INPUTS:
                inputs.append((node, chain, visible))
            if kind.startswith("Action."):
                actions.append((node, chain, visible and node.get("isEnabled", True)))
            if kind == "Action.ShowCard":
                visit(node.get("card"), path + "/card", (*chain, path), visible and path in self._open)
                return
            for key in teamscheck.CHILDREN:
                if key in node and key != "card":
                    visit(node[key], f"{path}/{key}", chain, visible)
        visit(self.content, "", (), True)
        return inputs, actions

    def inputs(self):
        return [el for el, _, visible in self._parts()[0] if visible]

    def actions(self):
        return [a.get("title") or a.get("id") for a, _, visible in self._parts()[1] if visible]

    def errors(self):
        """Words in the colour of a mistake, by which a bot says what was wrong with the answers."""
        return [el["text"] for _, el in teamscheck.walk(self.content) if el.get("color") in ("Attention", "attention") and el.get("text")]

    def fill(self, answers: dict):
        for key, value in answers.items():
            parts = self._parts()[0]
            hits = [(el, v) for el, _, v in parts if key in (el["id"], el.get("label"), el.get("title"), el.get("placeholder"))]
            assert hits, f"no field {key!r}; there are {[el.get('label') or el.get('title') or el['id'] for el, _, v in parts]}"
            assert len(hits) == 1, f"{len(hits)} fields match {key!r}; use the id: {[el['id'] for el, _ in hits]}"
            assert hits[0][1], f"{key!r} is not visible"
            self.filled[hits[0][0]["id"]] = typed(hits[0][0], value)
        return self

    def values(self, chain=()):
        """What the client would send from this card and those around it; refuses what it would refuse."""
        out = {}
        for el, c, visible in self._parts()[0]:
            if c != chain[:len(c)]:
                continue
            name = el.get("label") or el.get("title") or el["id"]
            v = self.filled.get(el["id"], initial(el))
            if el.get("isRequired"):
                assert v not in (None, "") and not (el["type"] == "Input.Toggle" and v == el.get("valueOff", "false")), f"Teams would not send this: {name!r} is required"
            if v not in (None, ""):
                typed(el, v, given=True)
                out[el["id"]] = v
            elif el["type"] in ("Input.Text", "Input.Date", "Input.Time") and self.user.platform == "Web":
                out[el["id"]] = ""  # phones leave an empty field out
        return out

    def _action(self, title, first=False):
        found = self._parts()[1]
        hits = [x for x in found if title in (x[0].get("title"), x[0].get("id"), x[0].get("verb"))]
        assert hits, f"no button {title!r}; there are {[a.get('title') for a, _, _ in found]}"
        shown = [x for x in hits if x[2]]
        assert shown, f"the button {title!r} is hidden or disabled"
        assert first or len(shown) == 1, f"{len(shown)} buttons are called {title!r}"
        return shown[0]

    async def submit(self, title=None):
        """Presses the one button that sends (or the one with that title)."""
        if title is None:
            found = [a for a, _, v in self._parts()[1] if v and a["type"] in ("Action.Submit", "Action.Execute") and a.get("associatedInputs") != "none"
                     and ((a.get("data") or {}).get("msteams") or {}).get("type") is None and a.get("style") != "destructive"]
            assert len(found) == 1, f"which button? {[a.get('title') for a in found]}"
            title = found[0].get("title")
        return await self.click(title)

    async def click(self, title, *, old_client=False, first=False):
        """-> Delivery; Dialog when one opens; the address of Action.OpenUrl; the form itself when only the view changed.
        old_client: Action.Execute falls back to its Action.Submit, as on clients that do not know it.
        first: of several of that name."""
        action, chain, _ = self._action(title, first)
        kind = action["type"]
        if kind == "Action.OpenUrl":
            return action["url"]
        if kind == "Action.ShowCard":
            path = next(p for p, el in teamscheck.walk(self.content) if el.get("title") == action.get("title") and el.get("type") == kind)
            self._open ^= {path}
            return self
        if kind == "Action.ToggleVisibility":
            for t in action["targetElements"]:
                t = t if isinstance(t, dict) else {"elementId": t}
                now = next((self._toggled.get(el["id"], el.get("isVisible", True)) for _, el in teamscheck.walk(self.content) if el.get("id") == t["elementId"]), True)
                self._toggled[t["elementId"]] = t.get("isVisible", not now)
            return self
        if kind == "Action.Execute" and old_client:
            fallback = action.get("fallback")
            assert isinstance(fallback, dict), f"an older client shows no button {title!r}: no fallback"
            action, kind = fallback, fallback["type"]
        data = action.get("data") if isinstance(action.get("data"), dict) else {}
        inputs = {} if action.get("associatedInputs") == "none" else self.values(chain)
        return await self._sent(action, {**copy.deepcopy(data), **inputs})

    async def _sent(self, action, data):
        raise NotImplementedError


class Card(Form):
    """A card in a message."""

    def __init__(self, teams, user, message):
        self.message = message
        self._seen = None
        super().__init__(teams, user)

    @property
    def content(self):
        c = self.message.views.get(self.user.id) or (self.message.cards or [None])[0]
        assert c is not None and not self.message.deleted, "this card is gone"
        if c is not self._seen:  # the bot has put another card in its place
            self._seen = c
            self._reset()
        return c

    @property
    def text(self):
        return teamscheck.words(self.content)

    async def _sent(self, action, data):
        t, u, m = self.teams, self.user, self.message
        c = m.conversation
        if action["type"] == "Action.Execute":
            value = {"action": {"type": "Action.Execute", "title": action.get("title"), "id": action.get("id"), "verb": action.get("verb"), "data": data},
                     "trigger": "manual"}
            value["action"] = {k: v for k, v in value["action"].items() if v is not None}
            return await self._execute(value)
        ms = data.get("msteams") or {}
        if ms.get("type") == "task/fetch":
            a = t.activity(u, c, "invoke", name="task/fetch", replyToId=m.id, value={"data": data, "context": {"theme": "default"}})
            d = await u._send(a, c)
            return Dialog.of(t, u, c, d, reply_to=m.id) or d
        if ms.get("type") in ("messageBack", "imBack"):
            text = ms.get("text") if ms["type"] == "messageBack" else ms["value"]
            value = ms.get("value") if ms["type"] == "messageBack" else None
            if isinstance(value, dict):
                value = {**value, **{k: v for k, v in data.items() if k != "msteams"}}
            shown = ms.get("displayText") if ms["type"] == "messageBack" else text
            a = t.activity(u, c, "message", text=text, value=value, replyToId=m.id, textFormat="plain")
            if shown:
                c.messages.append(Message(c, {"id": a["id"], "text": shown}, u))
            return await u._send(a, c)
        if ms.get("type") == "invoke":
            return await u._send(t.activity(u, c, "invoke", value=ms.get("value"), replyToId=m.id), c)
        return await u._send(t.activity(u, c, "message", value=data, replyToId=m.id, channelData={
            "source": {"name": "message"}, "legacy": {"replyToId": "1:" + t.hex(m.id)[:20]}}), c)

    async def _execute(self, value):
        t, u, m = self.teams, self.user, self.message
        d = await u._send(t.activity(u, m.conversation, "invoke", name="adaptiveCard/action", replyToId=m.id, value=value), m.conversation)
        if not d.error and d.json["type"] == ADAPTIVE:
            m.views[u.id] = d.json["value"]
        return d

    async def refresh(self):
        """The card is looked at: Teams runs its `refresh` action for the people it names."""
        r = self.content.get("refresh") or {}
        assert u_in(self.user, r.get("userIds")), f"the card is not refreshed for {self.user.name}"
        a = r["action"]
        return await self._execute({"action": {k: a[k] for k in ("type", "verb", "data", "title") if k in a}, "trigger": "automatic"})


class Dialog(Form):
    """A dialog (task module): its card, until the bot closes it."""

    def __init__(self, teams, user, where, task, reply_to=None, extension=None):
        self.where, self.reply_to, self.extension, self.open, self.toast = where, reply_to, extension, True, None
        self._take(task)
        super().__init__(teams, user)

    @classmethod
    def of(cls, teams, user, where, d, reply_to=None, extension=None):
        body = d.json if not d.error else None
        task = (body or {}).get("task") or {}
        if task.get("type") == "continue" and "card" in task["value"]:
            return cls(teams, user, where, task["value"], reply_to, extension)

    def _take(self, task):
        self.title, self.task = task.get("title"), task
        self.content = task["card"]["content"]

    @property
    def text(self):
        return teamscheck.words(self.content)

    def close(self):
        self.open = False  # Teams tells the bot nothing

    async def _sent(self, action, data):
        assert self.open, "this dialog is closed"
        t, u = self.teams, self.user
        if self.extension:
            value = {k: v for k, v in self.extension.items() if k != "requestId"} | {"data": data, "requestId": uuid.uuid4().hex}
            a = t.activity(u, self.where, "invoke", name="composeExtension/submitAction", value=value, channelData={"source": {"name": "message"}})
        else:
            a = t.activity(u, self.where, "invoke", name="task/submit", replyToId=self.reply_to, value={"data": data, "context": {"theme": "default"}})
        d = await u._send(a, self.where)
        if d.error:
            return d
        task = ((d.json or {}) if isinstance(d.json, (dict, type(None))) else {}).get("task") or {}
        if task.get("type") == "continue" and "card" in task["value"]:
            self._take(task["value"])
            self._reset()
        else:
            self.open, self.toast = False, d.toast
        return d


def u_in(user, ids):
    return any(i in (user.id, user.aad, f"8:orgid:{user.aad}") for i in ids or [])


def initial(el):
    v = el.get("value")
    if el["type"] == "Input.Toggle":
        return el.get("value", el.get("valueOff", "false"))
    return None if v in (None, "") else f"{v:g}" if isinstance(v, (int, float)) and not isinstance(v, bool) else str(v)


def typed(el, value, given=False):
    """The string Teams sends after a person typed or chose `value`; refuses what the client refuses."""
    kind, name = el["type"], el.get("label") or el.get("title") or el["id"]
    why = el.get("errorMessage")

    def need(ok, what):
        assert ok, f"Teams would refuse {value!r} for {name!r}: {what}" + (f" ({why})" if why else "")
    if kind == "Input.Toggle":
        on, off = el.get("valueOn", "true"), el.get("valueOff", "false")
        if isinstance(value, bool):
            return on if value else off
        need(value in (on, off), f"{on!r} or {off!r}")
        return value
    if kind == "Input.ChoiceSet":
        choices = el.get("choices") or []
        if "choices.data" in el:
            return ",".join(getattr(x, "aad", x) for x in (value if isinstance(value, (list, tuple)) else [value]))
        many = value if isinstance(value, (list, tuple)) else str(value).split(",") if given and el.get("isMultiSelect") else [value]
        need(len(many) == 1 or el.get("isMultiSelect"), "one choice only")
        out = []
        for x in many:
            hit = next((c["value"] for c in choices if x == c["value"]), next((c["value"] for c in choices if x == c["title"]), None))
            need(hit is not None, f"there are {[c['title'] for c in choices]}")
            out.append(hit)
        return ",".join(out)
    text = "" if value is None else str(value)
    if text == "":
        return text
    if kind == "Input.Text":
        need(len(text) <= el.get("maxLength", 10**9), f"more than {el.get('maxLength')} characters")
        need(el.get("isMultiline") or "\n" not in text, "one line only")
        need("regex" not in el or re.search(el["regex"], text), f"does not match {el.get('regex')}")
    elif kind == "Input.Number":
        try:
            n = float(text)
        except ValueError:
            need(False, "not a number")
        need(el.get("min", n) <= n <= el.get("max", n), f"between {el.get('min')} and {el.get('max')}")
    elif kind == "Input.Date":
        need(re.fullmatch(r"\d{4}-\d\d-\d\d", text) and _is(datetime.date.fromisoformat, text), "a date YYYY-MM-DD")
        need(el.get("min", text) <= text <= el.get("max", text), f"between {el.get('min')} and {el.get('max')}")
    elif kind == "Input.Time":
        need(re.fullmatch(r"\d\d:\d\d", text) and _is(datetime.time.fromisoformat, text), "a time HH:MM")
        need(el.get("min", text) <= text <= el.get("max", text), f"between {el.get('min')} and {el.get('max')}")
    return text


def _is(parse, text):
    try:
        return parse(text) is not None
    except ValueError:
        return False


def _certificates(folder):
    """A CA of our own (returned: its file) and leaf.pem for Microsoft's host names."""
    folder, (ca, leaf) = pathlib.Path(folder), _pems()
    (folder / "ca.pem").write_bytes(ca)
    (folder / "leaf.pem").touch(0o600)
    (folder / "leaf.pem").write_bytes(leaf)
    return str(folder / "ca.pem")


@functools.cache
def _pems():
    """(The CA's certificate, the key and certificate of the host names), made once a process."""
    now = datetime.datetime.now(datetime.timezone.utc)

    def make(name, issuer, key, signer, extensions):
        b = x509.CertificateBuilder().subject_name(name).issuer_name(issuer).public_key(key.public_key()).serial_number(x509.random_serial_number())
        b = b.not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=2))
        for e, critical in extensions:
            b = b.add_extension(e, critical)
        return b.sign(signer, hashes.SHA256())
    ca_key, key = next(PRIVATE_KEYS), next(PRIVATE_KEYS)
    ca_name, leaf_name = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, n)]) for n in ("teamsdouble test CA", MICROSOFT[0]))
    ski = x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key())
    usage = dict.fromkeys(("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign",
                           "encipher_only", "decipher_only"), False)
    ca = make(ca_name, ca_name, ca_key, ca_key, [(x509.BasicConstraints(True, 0), True), (ski, False),
                                                  (x509.KeyUsage(**{**usage, "key_cert_sign": True, "crl_sign": True}), True)])
    leaf = make(leaf_name, ca_name, key, ca_key, [
        (x509.SubjectAlternativeName([x509.DNSName(h) for h in MICROSOFT]), False), (x509.BasicConstraints(False, None), True),
        (x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(ski), False), (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
        (x509.KeyUsage(**{**usage, "digital_signature": True, "key_encipherment": True}), True),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)])
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return ca.public_bytes(pem), secret + leaf.public_bytes(pem)
