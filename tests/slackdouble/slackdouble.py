"""Plays Slack from outside: the Web API a bot calls, and the users whose commands, clicks and forms reach it over HTTP.

    async with SlackDouble(app_url="http://127.0.0.1:3000", signing_secret="s") as slack:
        # start the app with SLACK_API_URL=slack.api_url  SLACK_BOT_TOKEN=slack.bot_token  SLACK_SIGNING_SECRET=s
        ann = slack.user("Ann Lee", "ann@example.org")
        await ann.command("/dih idea")
        modal = await ann.modal()
        await modal.fill({"Title": "A thing"}).submit()
        dm = await ann.dm(containing="Thank you")
        await ann.click(dm, "like")
        slack.assert_clean()
"""
from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import itertools
import json
import re
import time
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlencode, urlparse

import aiohttp
from aiohttp import web

from tests.slackdouble import slackcheck

ACK_LIMIT = 3.0  # seconds Slack waits for an HTTP 200
RETRY_DELAYS = (0, 60, 300)  # Events API: at once, after 1 minute, after 5 minutes

# required and optional arguments of each method (docs.slack.dev, August 2026)
ARGS = {
    "auth.test": "", "team.info": "-domain -team",
    "chat.postMessage": "channel -as_user -attachments -blocks -icon_emoji -icon_url -link_names -markdown_text -metadata -mrkdwn "
                        "-parse -reply_broadcast -text -thread_ts -unfurl_links -unfurl_media -username",
    "chat.postEphemeral": "channel user -as_user -attachments -blocks -icon_emoji -icon_url -link_names -markdown_text -parse -text "
                          "-thread_ts -username",
    "chat.update": "channel ts -as_user -attachments -blocks -file_ids -link_names -markdown_text -metadata -parse -reply_broadcast -text",
    "views.open": "view -trigger_id -interactivity_pointer", "views.push": "view -trigger_id -interactivity_pointer",
    "views.update": "view -view_id -external_id -hash", "views.publish": "user_id view -hash -interactivity_pointer",
    "conversations.open": "-channel -return_im -users -prevent_creation",
    "conversations.list": "-cursor -exclude_archived -limit -team_id -types",
    "users.info": "user -include_locale", "users.lookupByEmail": "email", "users.list": "-cursor -include_locale -limit -team_id",
    "files.getUploadURLExternal": "length filename -snippet_type -alt_txt -alt_text",
    "files.completeUploadExternal": "files -channel_id -thread_ts -channels -initial_comment -blocks -username -icon_url -icon_emoji",
    "files.info": "file -count -cursor -limit -page",
    "reactions.add": "channel name timestamp",
    "oauth.v2.access": "-client_id -client_secret -code -code_verifier -redirect_uri -grant_type -refresh_token -assertion",
}
BOOL = {"as_user", "link_names", "mrkdwn", "reply_broadcast", "unfurl_links", "unfurl_media", "return_im", "include_locale",
        "exclude_archived", "prevent_creation"}
NUMBER = {"limit", "length"}
JSON_ARGS = {"blocks", "attachments", "metadata", "view", "files", "file_ids"}
SCOPES = {"chat.postMessage": "chat:write", "chat.postEphemeral": "chat:write", "chat.update": "chat:write",
          "conversations.open": "im:write", "conversations.list": "channels:read", "users.info": "users:read",
          "users.list": "users:read", "users.lookupByEmail": "users:read.email", "team.info": "team:read",
          "files.getUploadURLExternal": "files:write", "files.completeUploadExternal": "files:write", "files.info": "files:read",
          "reactions.add": "reactions:write"}
# answers that a correct app can meet (a user left, Slack is busy); every other error is a fault of the app
BENIGN = {"ratelimited", "account_inactive", "token_revoked", "users_not_found", "user_not_found", "already_reacted", "invalid_code"}


class Answer(Exception):
    def __init__(self, error, messages=(), **extra):
        self.body = {"ok": False, "error": error, **extra}
        if messages:
            self.body["response_metadata"] = {"messages": [f"[ERROR] {m} [json-pointer:{p}]" for p, m in messages]}


@dataclass
class Call:
    method: str
    args: dict
    token: str | None
    at: float
    status: int = 200
    response: dict | None = None


@dataclass
class Fault:
    """kind: ratelimited | http_500 | hang | reset | garbage | any Slack error code."""
    method: str
    kind: str
    times: int = 1
    retry_after: int = 1
    seconds: float = 30


@dataclass
class Delivery:
    """One HTTP request to the app (or several, when Slack had to repeat an event)."""
    status: int | None
    body: str
    ack: float
    payload: dict
    attempts: int = 1
    error: str | None = None  # what the user would see, if anything
    headers: dict = field(default_factory=dict)

    @property
    def json(self):
        return json.loads(self.body) if self.body.strip().startswith(("{", "[")) else None


class SlackDouble:
    def __init__(self, app_url="http://127.0.0.1:3000", signing_secret="secret", *, path="/slack/events", team_id="T0TEAM0001",
                 app_id="A0APP00001", bot_token="xoxb-1000-2000-double", client_id="1000.2000", client_secret="client-secret",
                 scopes=None, trigger_ttl=3.0, retry_delays=RETRY_DELAYS, host="127.0.0.1", port=0, strict_acks=True):
        self.app_url, self.path, self.signing_secret = app_url.rstrip("/"), path, signing_secret
        self.team = {"id": team_id, "name": "Double Team", "domain": "double"}
        self.app_id, self.bot_token, self.client_id, self.client_secret = app_id, bot_token, client_id, client_secret
        self.scopes = set(scopes) if scopes is not None else set(SCOPES.values()) | {"commands", "chat:write.public"}
        self.trigger_ttl, self.retry_delays, self.strict_acks = trigger_ttl, retry_delays, strict_acks
        self.host, self.port = host, port
        self.tokens = {bot_token: "active"}
        self.calls: list[Call] = []
        self.faults: list[Fault] = []
        self.deliveries: list[Delivery] = []
        self.problems: list[str] = []
        self.users: dict[str, User] = {}
        self.channels: dict[str, dict] = {}
        self.messages: dict[str, list[dict]] = {}
        self.ephemerals: list[dict] = []
        self.views: dict[str, dict] = {}
        self.stacks: dict[str, list[str]] = {}
        self.homes: dict[str, dict] = {}
        self.files: dict[str, dict] = {}
        self.ready_after: float = 1  # how often files.info is asked before a file is ready; math.inf for never
        self._triggers: dict[str, dict] = {}
        self._responses: dict[str, dict] = {}
        self._codes: dict[str, dict] = {}
        self._n = itertools.count(1)
        self._ts = 0.0
        self._changed = asyncio.Condition()
        self.bot = User(self, "U0BOT00001", "dih", "DIH", None, is_bot=True)
        self.bot_id = "B0BOT00001"
        self.users[self.bot.id] = self.bot

    # ---------------------------------------------------------------- life
    async def __aenter__(self):
        app = web.Application(client_max_size=64 * 2**20)
        app.router.add_route("*", "/api/{method}", self._api)
        app.router.add_post("/upload/{file}", self._upload)
        app.router.add_post("/response/{id}", self._response_url)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self.host, self.port)
        await site.start()
        self.port = site._server.sockets[0].getsockname()[1]
        self.url = f"http://{self.host}:{self.port}"
        self.http = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        return self

    async def __aexit__(self, *_):
        await self.http.close()
        await self._runner.cleanup()

    @property
    def api_url(self):
        return f"{self.url}/api/"

    def env(self, oauth=False):
        """What the app is told.  With SLACK_CLIENT_ID in its environment Bolt turns OAuth on by itself and ignores the token."""
        e = {"SLACK_API_URL": self.api_url, "SLACK_SIGNING_SECRET": self.signing_secret}
        return e | ({"SLACK_CLIENT_ID": self.client_id, "SLACK_CLIENT_SECRET": self.client_secret} if oauth else {"SLACK_BOT_TOKEN": self.bot_token})

    # ---------------------------------------------------------------- world
    def _id(self, letter):
        return f"{letter}{next(self._n):010d}"

    def ts(self):
        self._ts = max(time.time(), self._ts + 0.000001)
        return f"{self._ts:.6f}"

    def user(self, real_name="Ann Lee", email=None, **profile):
        u = User(self, self._id("U"), re.sub(r"\W+", ".", real_name.lower()), real_name, email, profile=profile)
        self.users[u.id] = u
        return u

    def channel(self, name, *members, bot=True):
        c = {"id": self._id("C"), "name": name, "is_channel": True, "is_im": False, "is_archived": False, "is_private": False,
             "members": [m.id for m in members] + ([self.bot.id] if bot else [])}
        self.channels[c["id"]] = c
        return c["id"]

    def dm_channel(self, user_id):
        for c in self.channels.values():
            if c.get("is_im") and c["user"] == user_id:
                return c["id"]
        c = {"id": self._id("D"), "is_im": True, "user": user_id, "is_org_shared": False, "is_archived": False, "created": int(time.time()),
             "members": [user_id, self.bot.id], "name": "directmessage"}
        self.channels[c["id"]] = c
        return c["id"]

    def trigger(self, user_id, view_id=None):
        n = next(self._n)
        t = f"{n}.{int(time.time() * 1000)}.{hashlib.md5(str(n).encode()).hexdigest()}"
        self._triggers[t] = {"user": user_id, "at": time.monotonic(), "used": False, "view": view_id}
        return t

    def response_url(self, user_id, channel, message=None):
        key = f"{next(self._n)}-{hashlib.md5(str(time.time()).encode()).hexdigest()[:16]}"
        self._responses[key] = {"user": user_id, "channel": channel, "message": message, "used": 0, "at": time.monotonic()}
        return f"{self.url}/response/{key}"

    def fault(self, method, kind, times=1, **kw):
        f = Fault(method, kind, times, **kw)
        self.faults.append(f)
        return f

    def problem(self, text):
        self.problems.append(text)

    def assert_clean(self):
        assert not self.problems, "Slack would have complained:\n  " + "\n  ".join(self.problems)

    def called(self, method, **match):
        return [c for c in self.calls if c.method == method and all(c.args.get(k) == v for k, v in match.items())]

    def last_view(self, user):
        stack = self.stacks.get(user.id) or []
        return Modal(self, user, stack[-1]) if stack else None

    async def until(self, check, timeout=3.0, what="that"):
        """Waits until check() gives something true; it is tried after every call the app makes."""
        end = time.monotonic() + timeout
        async with self._changed:
            while not (got := check()):
                left = end - time.monotonic()
                if left <= 0:
                    raise AssertionError(f"Slack saw no {what} within {timeout} s; calls: {[c.method for c in self.calls][-10:]}; "
                                         f"problems: {self.problems[-3:]}")
                try:
                    await asyncio.wait_for(self._changed.wait(), left)
                except asyncio.TimeoutError:
                    pass
        return got

    # ---------------------------------------------------------------- Web API
    async def _args(self, request):
        args = {k: v for k, v in request.query.items()}
        kind = request.content_type
        raw = await request.read()
        if request.method == "POST" and raw:
            if kind == "application/json":
                try:
                    args.update(json.loads(raw))
                except ValueError:
                    raise Answer("invalid_json") from None
            elif kind in ("application/x-www-form-urlencoded", "multipart/form-data"):
                args.update((await request.post()).items())
            else:
                raise Answer("invalid_post_type")
        for k in list(args):
            v = args[k]
            if k in JSON_ARGS and isinstance(v, str):
                try:
                    args[k] = json.loads(v)
                except ValueError:
                    if k == "blocks":
                        raise Answer("invalid_blocks_format") from None
                    raise Answer("invalid_arguments", [("/" + k, "invalid JSON")]) from None
            elif k in BOOL and isinstance(v, str):
                args[k] = v in ("true", "1")
            elif k in NUMBER and isinstance(v, str) and v.isdigit():
                args[k] = int(v)
        return args

    async def _api(self, request):
        method = request.match_info["method"]
        auth = request.headers.get("Authorization", "")
        token = auth[7:] if auth.startswith("Bearer ") else None
        call = Call(method, {}, token, time.time())
        self.calls.append(call)
        headers = {"x-oauth-scopes": ",".join(sorted(self.scopes)), "x-slack-req-id": f"{next(self._n):032x}"}
        for f in self.faults:
            if f.method in (method, "*") and f.times > 0:
                f.times -= 1
                try:
                    call.args = await self._args(request)
                except Answer:
                    pass
                async with self._changed:
                    self._changed.notify_all()
                return await self._fail(f, call, request, headers)
        try:
            call.args = args = await self._args(request)
            token = call.token = token or args.pop("token", None)
            if method not in ARGS:
                raise Answer("unknown_method", req_method=method)
            if method != "oauth.v2.access":
                self._authorise(method, token)
            self._check_args(method, args)
            if method == "oauth.v2.access" and auth.startswith("Basic "):
                cid, _, sec = base64.b64decode(auth[6:]).decode().partition(":")
                args = {"client_id": cid, "client_secret": sec, **args}
            call.response = {"ok": True, **getattr(self, "_" + method.replace(".", "_"))(args)}
        except Answer as a:
            call.response = a.body
            if a.body["error"] not in BENIGN:
                detail = "; ".join((a.body.get("response_metadata") or {}).get("messages", []))
                self.problem(f"{method} -> {a.body['error']} {detail}".strip())
        async with self._changed:
            self._changed.notify_all()
        return web.json_response(call.response, headers=headers)

    async def _fail(self, f, call, request, headers):
        if f.kind == "ratelimited":
            call.status, call.response = 429, {"ok": False, "error": "ratelimited"}
            return web.json_response(call.response, status=429, headers={**headers, "Retry-After": str(f.retry_after)})
        if f.kind == "http_500":
            call.status = 500
            return web.Response(status=500, text="<html><body>Internal Server Error</body></html>", content_type="text/html")
        if f.kind == "garbage":
            return web.Response(text="<html>upstream</html>", content_type="text/html")
        if f.kind == "hang":
            call.status = 0
            await asyncio.sleep(f.seconds)
            return web.Response(status=504)
        if f.kind == "reset":
            call.status = 0
            request.transport.abort()
            return web.Response()
        call.response = {"ok": False, "error": f.kind}
        return web.json_response(call.response, headers=headers)

    def _authorise(self, method, token):
        if not token:
            raise Answer("not_authed")
        state = self.tokens.get(token)
        if state is None:
            raise Answer("invalid_auth")
        if state != "active":
            raise Answer(state)
        need = SCOPES.get(method)
        if need and need not in self.scopes:
            raise Answer("missing_scope", needed=need, provided=",".join(sorted(self.scopes)))

    def _check_args(self, method, args):
        names = ARGS[method].split()
        missing = [n for n in names if not n.startswith("-") and args.get(n) in (None, "")]
        if missing:
            raise Answer("invalid_arguments", [("", f"missing required field: {n}") for n in missing])
        for k in set(args) - {n.lstrip("-") for n in names} - {"token", "team_id"}:  # Bolt's client sends team_id with every call
            self.problem(f"{method}: argument `{k}` is not one that Slack documents")
        for k, v in args.items():
            want = bool if k in BOOL else int if k in NUMBER else (dict, list) if k in JSON_ARGS else str
            if v is not None and not isinstance(v, want) or (want is int and isinstance(v, bool)):
                raise Answer("invalid_arguments", [("/" + k, f"must provide a {getattr(want, '__name__', 'json value')}")])

    # -- messages
    def _where(self, channel, posting=True):
        if channel in self.users:
            return self.dm_channel(channel)
        cid = channel if channel in self.channels else next((c["id"] for c in self.channels.values()
                                                             if "#" + c["name"] == channel or c["name"] == channel), None)
        if cid is None:
            raise Answer("channel_not_found")
        c = self.channels[cid]
        if c["is_archived"]:
            raise Answer("is_archived")
        if posting and self.bot.id not in c["members"] and "chat:write.public" not in self.scopes:
            raise Answer("not_in_channel")
        return cid

    def _content(self, method, args):
        text, blocks, atts, md = (args.get(k) for k in ("text", "blocks", "attachments", "markdown_text"))
        if md is not None and (text or blocks):
            raise Answer("markdown_text_conflict")
        if not (text or blocks or atts or md):
            raise Answer("no_text")
        if blocks is not None:
            found = slackcheck.check_blocks(blocks, "message") or self._check_files(blocks)
            if found:
                raise Answer("invalid_blocks", found, errors=[f"{m} [json-pointer:{p}]" for p, m in found])
            if not text:
                self.problem(f"{method}: blocks without `text`: notifications and screen readers get nothing")
        if atts:
            if len(atts) > 100:
                raise Answer("too_many_attachments")
            found = slackcheck.check_attachments(atts)
            if found:
                raise Answer("invalid_attachments", found)
        if method == "chat.update" and text and len(text) > 4000:
            raise Answer("msg_too_long")
        if text and len(text) > 40000:
            self.problem(f"{method}: text of {len(text)} characters is cut at 40,000")
            text = text[:40000]
        return {"text": text or md or "", **({"blocks": self._settle(blocks)} if blocks else {}), **({"attachments": atts} if atts else {})}

    def _settle(self, blocks):
        """Slack hands blocks back with the ids and defaults it filled in."""
        blocks = json.loads(json.dumps(blocks))

        def visit(x):
            if isinstance(x, list):
                for y in x:
                    visit(y)
            elif isinstance(x, dict):
                if x.get("type") == "plain_text":
                    x.setdefault("emoji", True)
                if x.get("type") == "mrkdwn":
                    x.setdefault("verbatim", False)
                for y in x.values():
                    visit(y)
        visit(blocks)
        for b in blocks:
            b.setdefault("block_id", f"b{next(self._n)}")
            for _, el in slackcheck.elements(b):
                if el.get("type") != "image":
                    el.setdefault("action_id", f"a{next(self._n)}")
        return blocks

    def _bot_message(self, content, **extra):
        return {"type": "message", "user": self.bot.id, "bot_id": self.bot_id, "app_id": self.app_id, "team": self.team["id"],
                "ts": self.ts(), **content, **extra}

    def _auth_test(self, a):
        return {"url": f"https://{self.team['domain']}.slack.com/", "team": self.team["name"], "user": self.bot.name,
                "team_id": self.team["id"], "user_id": self.bot.id, "bot_id": self.bot_id, "is_enterprise_install": False}

    def _team_info(self, a):
        return {"team": {**self.team, "email_domain": "", "icon": {"image_default": True}}}

    def _chat_postMessage(self, a):
        cid = self._where(a["channel"])
        content = self._content("chat.postMessage", a)
        m = self._bot_message(content)
        if a.get("thread_ts"):
            m["thread_ts"] = a["thread_ts"]
        if a.get("metadata"):
            m["metadata"] = a["metadata"]
        self.messages.setdefault(cid, []).append(m)
        return {"channel": cid, "ts": m["ts"], "message": m}

    def _chat_postEphemeral(self, a):
        cid = self._where(a["channel"])
        if a["user"] not in self.channels[cid]["members"]:
            raise Answer("user_not_in_channel")
        m = self._bot_message(self._content("chat.postEphemeral", a), **({"thread_ts": a["thread_ts"]} if a.get("thread_ts") else {}))
        self.ephemerals.append({**m, "channel": cid, "to": a["user"]})
        return {"message_ts": m["ts"]}

    def find(self, channel, ts):
        return next((m for m in self.messages.get(channel, []) if m["ts"] == ts), None)

    def _chat_update(self, a):
        if a["channel"] not in self.channels:
            raise Answer("channel_not_found")  # a user id will not do here
        m = self.find(a["channel"], a["ts"])
        if m is None:
            raise Answer("message_not_found")
        if m["user"] != self.bot.id:
            raise Answer("cant_update_message")
        content = self._content("chat.update", a)
        if "blocks" not in a and "blocks" in m and a.get("text"):
            m.pop("blocks")
        m.update(content, edited={"user": self.bot.id, "ts": self.ts()})
        return {"channel": a["channel"], "ts": a["ts"], "text": m["text"], "message": {k: v for k, v in m.items() if k not in ("ts", "reactions")}}

    def _reactions_add(self, a):
        cid = self._where(a["channel"], posting=False)
        m = self.find(cid, a["timestamp"])
        if m is None:
            raise Answer("message_not_found")
        if not re.fullmatch(r"[a-z0-9_+'-]+(::[a-z0-9-]+)?", a["name"]):
            raise Answer("invalid_name")
        rs = m.setdefault("reactions", [])
        if any(r["name"] == a["name"] and self.bot.id in r["users"] for r in rs):
            raise Answer("already_reacted")
        rs.append({"name": a["name"], "users": [self.bot.id], "count": 1})
        return {}

    # -- views
    def _view(self, view, kind, user_id, **extra):
        if isinstance(view, dict) and view.get("type") != kind and view.get("type") in ("modal", "home"):
            raise Answer("invalid_arguments", [("/view/type", f"unsupported type: {view['type']}")])
        found = slackcheck.check_view(view) or self._check_files(view["blocks"], "/view/blocks")
        if found:
            raise Answer("invalid_arguments", found)
        if len(json.dumps(view)) > 250_000:
            raise Answer("view_too_large")
        ext = view.get("external_id")
        if ext and any(v.get("external_id") == ext and v["id"] != extra.get("id") for v in self.views.values()):
            raise Answer("duplicate_external_id")
        vid = extra.pop("id", None) or self._id("V")
        v = {"id": vid, "team_id": self.team["id"], "type": kind, "blocks": self._settle(view["blocks"]),
             "private_metadata": view.get("private_metadata", ""), "callback_id": view.get("callback_id", ""),
             "external_id": ext or "", "state": {"values": {}}, "hash": f"{time.time():.0f}.{next(self._n):08d}",
             "clear_on_close": view.get("clear_on_close", False), "notify_on_close": view.get("notify_on_close", False),
             "title": view.get("title"), "close": view.get("close"), "submit": view.get("submit"), "previous_view_id": None,
             "root_view_id": vid, "app_id": self.app_id, "bot_id": self.bot_id, "app_installed_team_id": self.team["id"], **extra}
        for k in ("title", "close", "submit"):
            if v[k]:
                v[k] = {"emoji": True, **v[k]}
        if kind == "home":
            v["title"] = v["title"] or {"type": "plain_text", "text": "View Title", "emoji": True}
        self.views[vid] = v
        self._owner = user_id
        return v

    def _trigger(self, a):
        t = self._triggers.get(a.get("trigger_id") or "")
        if t is None:
            raise Answer("invalid_arguments", [("/trigger_id", "invalid `trigger_id`")])
        if t["used"]:
            raise Answer("exchanged_trigger_id")
        if time.monotonic() - t["at"] > self.trigger_ttl:
            raise Answer("expired_trigger_id")
        return t

    def _views_open(self, a):
        t = self._trigger(a)
        v = self._view(a["view"], "modal", t["user"])
        t["used"] = True
        self.stacks[t["user"]] = [v["id"]]
        return {"view": v}

    def _views_push(self, a):
        t = self._trigger(a)
        stack = self.stacks.get(t["user"]) or []
        if not stack:
            raise Answer("not_found")
        if len(stack) >= 3:
            raise Answer("push_limit_reached")
        v = self._view(a["view"], "modal", t["user"], previous_view_id=stack[-1], root_view_id=stack[0])
        t["used"] = True
        stack.append(v["id"])
        return {"view": v}

    def _views_update(self, a):
        old = self.views.get(a.get("view_id") or "") or next((v for v in self.views.values() if a.get("external_id")
                                                              and v["external_id"] == a["external_id"]), None)
        if old is None or not any(old["id"] in s for s in self.stacks.values()):
            raise Answer("not_found")
        if a.get("hash") and a["hash"] != old["hash"]:
            raise Answer("hash_conflict")
        return {"view": self._replace(old, a["view"])}

    def _replace(self, old, view):
        return self._view(view, old["type"], None, id=old["id"], previous_view_id=old["previous_view_id"], root_view_id=old["root_view_id"])

    def _views_publish(self, a):
        if a["user_id"] not in self.users:
            raise Answer("invalid_arguments", [("/user_id", "user not found")])
        old = self.homes.get(a["user_id"])
        if a.get("hash") and old and a["hash"] != old["hash"]:
            raise Answer("hash_conflict")
        v = self._view(a["view"], "home", a["user_id"], **({"id": old["id"]} if old else {}))
        self.homes[a["user_id"]] = v
        return {"view": v}

    # -- people, places
    def _conversations_open(self, a):
        if a.get("channel"):
            return {"channel": {"id": self._where(a["channel"])}}
        ids = [u for u in (a.get("users") or "").split(",") if u]
        if not ids:
            raise Answer("users_list_not_supplied")
        if len(ids) > 8:
            raise Answer("too_many_users")
        if any(u not in self.users for u in ids):
            raise Answer("user_not_found")
        if len(ids) > 1:
            raise NotImplementedError("group DMs")
        cid = self.dm_channel(ids[0])
        return {"no_op": True, "already_open": True,
                "channel": {k: v for k, v in self.channels[cid].items() if k != "members"} if a.get("return_im") else {"id": cid}}

    def _page(self, items, a):
        limit, start = a.get("limit") or 1000, 0
        if a.get("cursor"):
            try:
                start = int(base64.b64decode(a["cursor"]).decode().removeprefix("next:"))
            except ValueError:
                raise Answer("invalid_cursor") from None
        end = start + limit
        cursor = base64.b64encode(f"next:{end}".encode()).decode() if end < len(items) else ""
        return items[start:end], {"next_cursor": cursor}

    def _conversations_list(self, a):
        types = (a.get("types") or "public_channel").split(",")
        if bad := set(types) - {"public_channel", "private_channel", "mpim", "im"}:
            raise Answer("invalid_types", [("/types", f"invalid type {bad}")])
        items = [{**{k: v for k, v in c.items() if k != "members"}, "is_member": self.bot.id in c["members"], "num_members": len(c["members"])}
                 for c in self.channels.values() if ("im" if c["is_im"] else "public_channel") in types]
        page, meta = self._page(items, a)
        return {"channels": page, "response_metadata": meta}

    def _users_info(self, a):
        if a["user"] not in self.users:
            raise Answer("user_not_found")
        return {"user": self.users[a["user"]].object()}

    def _users_lookupByEmail(self, a):
        for u in self.users.values():
            if u.email and u.email.lower() == a["email"].lower() and not u.deleted:
                return {"user": u.object()}
        raise Answer("users_not_found")

    def _users_list(self, a):
        page, meta = self._page([u.object() for u in self.users.values()], a)
        return {"members": page, "cache_ts": int(time.time()), "response_metadata": meta}

    # -- files
    def _files_getUploadURLExternal(self, a):
        if not a["length"]:
            raise Answer("missing_argument")
        fid = self._id("F")
        self.files[fid] = {"id": fid, "name": a["filename"], "length": a["length"], "content": None, "complete": False}
        return {"upload_url": f"{self.url}/upload/{fid}", "file_id": fid}

    async def _upload(self, request):
        f = self.files.get(request.match_info["file"])
        self.calls.append(call := Call("upload", {"file": request.match_info["file"]}, None, time.time()))
        for fault in self.faults:
            if fault.method == "upload" and fault.times > 0:
                fault.times -= 1
                return await self._fail(fault, call, request, {})
        if f is None:
            return web.Response(status=404)
        if request.content_type == "multipart/form-data":
            part = next(iter((await request.post()).values()))
            f["content"] = part.file.read() if hasattr(part, "file") else part.encode()
        else:
            f["content"] = await request.read()
        if len(f["content"]) != f["length"]:
            self.problem(f"upload of {f['name']}: {len(f['content'])} bytes came, {f['length']} were announced")
        return web.Response(text=f"OK - {len(f['content'])}")

    def _files_completeUploadExternal(self, a):
        done = []
        for item in a["files"]:
            f = self.files.get(item.get("id"))
            if f is None or f["content"] is None:
                raise Answer("file_not_found")
            done.append((f, item))
        channels = [c for c in ([a["channel_id"]] if a.get("channel_id") else (a.get("channels") or "").split(",")) if c]
        if any(c not in self.channels for c in channels):
            raise Answer("channel_not_found")  # ids only: neither a name nor a user
        for f, item in done:
            f.update(complete=True, title=item.get("title") or f["name"], channels=channels)
        for c in channels:
            self.messages.setdefault(c, []).append(self._bot_message({"text": a.get("initial_comment") or ""}, subtype="file_share",
                                                                     files=[{"id": f["id"], "name": f["name"], "title": f["title"]} for f, _ in done]))
        return {"files": [{"id": f["id"], "title": f["title"], "name": f["name"]} for f, _ in done]}

    def _files_info(self, a):
        f = self.files.get(a["file"])
        if f is None or not f["complete"]:
            raise Answer("file_not_found")
        f["asked"] = f.get("asked", 0) + 1
        return {"file": {"id": f["id"], "name": f["name"], "title": f["title"], "mimetype": "image/png" if self._is_ready(f) else "",
                         "filetype": "png" if self._is_ready(f) else "", "size": f["length"], "channels": f["channels"]}}

    def _is_ready(self, f):
        """Slack looks at a file in its own time: until then it has no type, and no block can show it."""
        return f["complete"] and f.get("asked", 0) >= self.ready_after

    def _check_files(self, blocks, at="/blocks"):
        """Blocks may show only files that are there, ready, and pictures."""
        return [(f"{at}/{i}/slack_file", "invalid slack file") for i, b in enumerate(blocks) if b.get("type") == "image" and "slack_file" in b
                and not ((f := self.files.get(b["slack_file"].get("id"))) and self._is_ready(f) and f["content"].startswith(b"\x89PNG"))]

    # -- installation
    def _oauth_v2_access(self, a):
        if a.get("client_id") != self.client_id:
            raise Answer("invalid_client_id")
        if a.get("client_secret") != self.client_secret:
            raise Answer("bad_client_secret")
        code = self._codes.pop(a.get("code") or "", None)
        if code is None:
            raise Answer("invalid_code")
        if (a.get("redirect_uri") or code["redirect_uri"]) != code["redirect_uri"]:
            raise Answer("bad_redirect_uri")
        self.tokens[self.bot_token] = "active"
        return {"app_id": self.app_id, "authed_user": {"id": code["user"]}, "scope": ",".join(sorted(self.scopes)), "token_type": "bot",
                "access_token": self.bot_token, "bot_user_id": self.bot.id, "team": {"id": self.team["id"], "name": self.team["name"]},
                "enterprise": None, "is_enterprise_install": False}

    async def _response_url(self, request):
        r = self._responses.get(request.match_info["id"])
        body = await request.json()
        call = Call("response_url", body, None, time.time())
        self.calls.append(call)
        for f in self.faults:
            if f.method == "response_url" and f.times > 0:
                f.times -= 1
                failed = await self._fail(f, call, request, {})
                failed.set_status(404 if failed.status == 200 else failed.status)
                return failed
        if r is None or time.monotonic() - r["at"] > 1800 or r["used"] >= 5:
            self.problem("response_url: unknown, older than 30 minutes or used more than 5 times")
            return web.json_response({"ok": False, "error": "expired_url" if r and r["used"] < 5 else "used_url"}, status=404)
        r["used"] += 1
        try:
            if body.get("delete_original"):
                if r["message"]:
                    self.messages[r["channel"]] = [m for m in self.messages[r["channel"]] if m["ts"] != r["message"]]
                return web.Response(text="ok")
            content = self._content("response_url", {k: body.get(k) for k in ("text", "blocks", "attachments")})
        except Answer as a:
            self.problem(f"response_url -> {a.body}")
            return web.json_response(a.body, status=400)
        finally:
            async with self._changed:
                self._changed.notify_all()
        if body.get("replace_original") and r["message"] and self.find(r["channel"], r["message"]):
            self.find(r["channel"], r["message"]).update(content)
        elif body.get("response_type") == "in_channel":
            if r["message"] and body.get("replace_original") is not False:
                self.problem("response_url: in_channel without replace_original=false takes the place of the message")
            thread = {"thread_ts": body["thread_ts"]} if body.get("thread_ts") else {}
            self.messages.setdefault(r["channel"], []).append(self._bot_message(content, **thread))
        else:
            self.ephemerals.append({**self._bot_message(content), "channel": r["channel"], "to": r["user"]})
        async with self._changed:
            self._changed.notify_all()
        return web.Response(text="ok")

    # ---------------------------------------------------------------- Slack -> app
    def sign(self, body: str, timestamp=None, secret=None):
        timestamp = str(int(time.time() if timestamp is None else timestamp))
        mac = hmac.new((secret or self.signing_secret).encode(), f"v0:{timestamp}:{body}".encode(), hashlib.sha256).hexdigest()
        return {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": "v0=" + mac}

    async def post(self, body: str, content_type: str, headers=None, timeout=ACK_LIMIT):
        """One signed request, as Slack makes it.  -> (status or None, text, seconds, reason of failure)"""
        h = {"Content-Type": content_type, "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)", "Accept": "application/json,*/*",
             "Accept-Encoding": "gzip,deflate", **self.sign(body), **(headers or {})}
        start = time.monotonic()
        try:
            async with self.http.post(self.app_url + self.path, data=body.encode(), headers=h, allow_redirects=False,
                                      timeout=aiohttp.ClientTimeout(total=timeout)) as r:
                text = await r.text()
                return r.status, text, time.monotonic() - start, None if r.status // 100 == 2 else "http_error", dict(r.headers)
        except asyncio.TimeoutError:
            return None, "", time.monotonic() - start, "http_timeout", {}
        except aiohttp.ClientError:
            return None, "", time.monotonic() - start, "connection_failed", {}

    async def interact(self, payload, form=None):
        """Interactions and slash commands: one try only, and the user sees an error after 3 seconds."""
        body = urlencode(form) if form else urlencode({"payload": json.dumps(payload)})
        status, text, took, reason, headers = await self.post(body, "application/x-www-form-urlencoded")
        d = Delivery(status, text, took, payload, headers=headers)
        if reason:
            d.error = ("operation_timeout" if reason == "http_timeout" else "dispatch_failed") if form else "We had some trouble connecting. Try again?"
            if self.strict_acks:
                self.problem(f"{payload.get('type') or payload.get('command')}: {reason} {status or ''} after {took:.2f} s; the user sees: {d.error}")
        self.deliveries.append(d)
        return d

    def envelope(self, event, **extra):
        return {"token": "verification-token", "team_id": self.team["id"], "context_team_id": self.team["id"], "context_enterprise_id": None,
                "api_app_id": self.app_id, "event": event, "type": "event_callback", "event_id": self._id("Ev"), "event_time": int(time.time()),
                "authorizations": [{"enterprise_id": None, "team_id": self.team["id"], "user_id": self.bot.id, "is_bot": True,
                                    "is_enterprise_install": False}],
                "is_ext_shared_channel": False, "event_context": f"4-{next(self._n)}", **extra}

    async def event(self, event, envelope=None):
        """An Events API delivery, repeated with X-Slack-Retry-* until the app answers 2xx (or says X-Slack-No-Retry)."""
        payload = envelope or self.envelope(event)
        body = json.dumps(payload)
        status, text, took, reason, headers = await self.post(body, "application/json")
        d = Delivery(status, text, took, payload, headers=headers)
        for num, delay in enumerate(self.retry_delays, 1):
            if not reason or headers.get("X-Slack-No-Retry") == "1":
                break
            if self.strict_acks:
                self.problem(f"event {event.get('type')}: {reason} {status or ''} after {took:.2f} s")
            await asyncio.sleep(delay)
            status, text, took, reason, headers = await self.post(
                body, "application/json", {"X-Slack-Retry-Num": str(num), "X-Slack-Retry-Reason": reason})
            d.attempts, d.status, d.body, d.headers = num + 1, status, text, headers
        d.error = reason
        self.deliveries.append(d)
        return d

    async def retry(self, delivery, num=1, reason="http_timeout"):
        """The same event once more, as when Slack never saw the first answer."""
        return await self.post(json.dumps(delivery.payload), "application/json", {"X-Slack-Retry-Num": str(num), "X-Slack-Retry-Reason": reason})

    async def verify_url(self):
        challenge = hashlib.md5(str(time.time()).encode()).hexdigest()
        status, text, *_ = await self.post(json.dumps({"token": "verification-token", "challenge": challenge, "type": "url_verification"}), "application/json")
        try:
            got = json.loads(text).get("challenge")
        except ValueError:
            got = text
        return status == 200 and got == challenge

    async def uninstall(self):
        """The workspace removes the app: its token dies, then the two events come."""
        self.tokens[self.bot_token] = "account_inactive"
        a = await self.event({"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [self.bot.id]}})
        b = await self.event({"type": "app_uninstalled"})
        return a, b

    async def install(self, user, start="/slack/install"):
        """The browser's part of OAuth v2: the app's install page, Slack's consent, the app's redirect URI."""
        async with self.http.get(self.app_url + start, allow_redirects=False) as r:
            page, cookies = await r.text(), "; ".join(f"{k}={m.value}" for k, m in r.cookies.items())
            link = r.headers.get("Location") or re.search(r'https://slack\.com/oauth/v2/authorize\?[^"\'\s>]+', page).group(0).replace("&amp;", "&")
        q = {k: v[0] for k, v in parse_qs(urlparse(link).query).items()}
        assert q.get("client_id") == self.client_id, q
        code = f"{next(self._n)}.{time.time():.0f}"
        redirect = q.get("redirect_uri") or self.app_url + "/slack/oauth_redirect"
        self._codes[code] = {"user": user.id, "redirect_uri": redirect}
        async with self.http.get(redirect, params={"code": code, "state": q.get("state", "")}, headers={"Cookie": cookies}, allow_redirects=False) as r:
            return r.status, await r.text(), q


class User:
    def __init__(self, slack, id, name, real_name, email, is_bot=False, profile=None):
        self.slack, self.id, self.name, self.real_name, self.email, self.is_bot = slack, id, name, real_name, email, is_bot
        self.deleted, self.profile, self.tz = False, profile or {}, "Europe/London"

    def object(self):
        """users.info's user object."""
        first, _, last = self.real_name.partition(" ")
        return {"id": self.id, "team_id": self.slack.team["id"], "name": self.name, "deleted": self.deleted, "real_name": self.real_name,
                "tz": self.tz, "tz_label": "Greenwich Mean Time", "tz_offset": 0, "is_admin": False, "is_owner": False, "is_bot": self.is_bot,
                "is_app_user": False, "updated": int(time.time()),
                "profile": {"real_name": self.real_name, "real_name_normalized": self.real_name, "display_name": first, "display_name_normalized": first,
                            "first_name": first, "last_name": last, "team": self.slack.team["id"],
                            **({"email": self.email} if self.email and "users:read.email" in self.slack.scopes else {}), **self.profile}}

    def _who(self):
        return {"id": self.id, "username": self.name, "name": self.name, "team_id": self.slack.team["id"]}

    def _base(self, kind):
        s = self.slack
        return {"type": kind, "user": self._who(), "api_app_id": s.app_id, "token": "verification-token",
                "team": {"id": s.team["id"], "domain": s.team["domain"]}, "enterprise": None, "is_enterprise_install": False}

    @property
    def im(self):
        return self.slack.dm_channel(self.id)

    # -- what a person does
    async def command(self, line, channel=None):
        s = self.slack
        cid = channel or self.im
        command, _, text = line.partition(" ")
        form = {"token": "verification-token", "team_id": s.team["id"], "team_domain": s.team["domain"], "channel_id": cid,
                "channel_name": s.channels[cid]["name"], "user_id": self.id, "user_name": self.name, "command": command, "text": text,
                "api_app_id": s.app_id, "is_enterprise_install": "false", "response_url": s.response_url(self.id, cid), "trigger_id": s.trigger(self.id)}
        d = await s.interact(form, form)
        if d.status == 200 and d.body:
            reply = d.json if isinstance(d.json, dict) else {"text": d.body}
            try:
                content = s._content("ack of " + command, reply)
                if reply.get("response_type") == "in_channel":
                    s.messages.setdefault(cid, []).append(s._bot_message(content))
                else:
                    s.ephemerals.append({**s._bot_message(content), "channel": cid, "to": self.id})
            except Answer as a:
                s.problem(f"ack of {command} -> {a.body}")
        return d

    async def say(self, text, channel=None, thread_ts=None):
        """A message: in the DM with the app (message.im), or in a channel (app_mention when it names the bot)."""
        s = self.slack
        cid = channel or self.im
        ts = s.ts()
        m = {"type": "message", "user": self.id, "text": text, "ts": ts, "client_msg_id": hashlib.md5(ts.encode()).hexdigest(), "team": s.team["id"],
             "blocks": [{"type": "rich_text", "block_id": f"b{next(s._n)}", "elements": [
                 {"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}]}]}
        if thread_ts:
            m["thread_ts"] = thread_ts
        s.messages.setdefault(cid, []).append(m)
        mention = f"<@{s.bot.id}>" in text
        im = s.channels[cid]["is_im"]
        return await s.event({**m, **({} if im else {"type": "app_mention"} if mention else {}), "channel": cid, "event_ts": ts,
                              **({"channel_type": "im"} if im else {} if mention else {"channel_type": "channel"})})

    async def open_home(self, tab="home"):
        s = self.slack
        ev = {"type": "app_home_opened", "user": self.id, "channel": self.im, "tab": tab, "event_ts": s.ts()}
        if tab == "home" and self.id in s.homes:
            ev["view"] = s.homes[self.id]
        return await s.event(ev)

    # -- what a person sees
    async def modal(self, timeout=3.0, title=None):
        """The modal on top of this person's screen (waits for one)."""
        def look():
            m = self.slack.last_view(self)
            return m if m and (title is None or m.view["title"]["text"] == title) else None
        return await self.slack.until(look, timeout, f"modal {title or ''} for {self.name}")

    async def dm(self, containing="", timeout=3.0, after=None):
        """The newest message of the app in this person's DM that has that text (in text or blocks)."""
        return await self.message(self.im, containing, timeout, after)

    async def message(self, channel, containing="", timeout=3.0, after=None):
        def look():
            return next((m for m in reversed(self.slack.messages.get(channel, []))
                         if m["user"] == self.slack.bot.id and containing in json.dumps(m, ensure_ascii=False) and (not after or m["ts"] > after)), None)
        m = await self.slack.until(look, timeout, f"message with {containing!r} in {channel}")
        return {**m, "channel": channel}

    async def ephemeral(self, containing="", timeout=3.0):
        return await self.slack.until(lambda: next((m for m in reversed(self.slack.ephemerals) if m["to"] == self.id and containing in json.dumps(
            m, ensure_ascii=False)), None), timeout, f"ephemeral with {containing!r}")

    async def home(self, containing="", timeout=3.0):
        return await self.slack.until(lambda: (h := self.slack.homes.get(self.id)) and containing in json.dumps(h, ensure_ascii=False) and h, timeout, "home")

    async def click(self, where, action_id, choice=None, block_id=None):
        """Uses an interactive element of a message, a Modal or the Home tab (a view dict)."""
        s = self.slack
        view = where.view if isinstance(where, Modal) else where if where.get("type") in ("home", "modal") else None
        blocks = (view or where).get("blocks") or []
        hits = [(b, el) for b in blocks for _, el in slackcheck.elements(b)
                if el.get("action_id") == action_id and block_id in (None, b.get("block_id"))]
        assert hits, f"no element {action_id!r}; there are {[el.get('action_id') for b in blocks for _, el in slackcheck.elements(b)]}"
        assert len(hits) == 1, f"{len(hits)} elements are called {action_id!r}; give block_id"
        block, el = hits[0]
        action = {"action_id": action_id, "block_id": block["block_id"], "type": el["type"], "action_ts": s.ts()}
        if el["type"] == "button":
            action.update({k: el[k] for k in ("text", "value", "style", "url") if k in el})
        else:
            value = element_value(el, choice)
            action.update({k: v for k, v in value.items() if k != "type"})
        p = self._base("block_actions") | {"actions": [action]}
        if view:
            p |= {"container": {"type": "view", "view_id": view["id"]}, "trigger_id": s.trigger(self.id, view["id"]),
                  "view": {**view, "state": {"values": where.values() if isinstance(where, Modal) else {}}}}
        else:
            cid = where["channel"]
            stored = s.find(cid, where["ts"])
            p |= {"container": {"type": "message", "message_ts": where["ts"], "channel_id": cid, "is_ephemeral": stored is None,
                                **({"thread_ts": where["thread_ts"]} if where.get("thread_ts") else {})},
                  "trigger_id": s.trigger(self.id), "channel": {"id": cid, "name": s.channels[cid]["name"]}, "state": {"values": {}},
                  "message": {k: v for k, v in (stored or where).items() if k not in ("channel", "to")},
                  "response_url": s.response_url(self.id, cid, where["ts"])}
        return await s.interact(p)


class Modal:
    """A modal as the person in front of it has it; fill() obeys the rules Slack's own client would enforce."""

    def __init__(self, slack, user, view_id):
        self.slack, self.user, self.id, self.filled = slack, user, view_id, {}

    @property
    def view(self):
        return self.slack.views[self.id]

    @property
    def open(self):
        return self.id in (self.slack.stacks.get(self.user.id) or [])

    def inputs(self):
        return [b for b in self.view["blocks"] if b["type"] == "input"]

    def _find(self, key):
        hits = [b for b in self.inputs() if key in (b["block_id"], b["element"]["action_id"], b["label"]["text"])]
        assert len(hits) == 1, f"{len(hits)} fields match {key!r}; there are {[b['label']['text'] for b in self.inputs()]}"
        return hits[0]

    def fill(self, answers: dict):
        for key, value in answers.items():
            b = self._find(key)
            self.filled[b["block_id"]] = element_value(b["element"], value)
        return self

    def values(self):
        out = {}
        for b in self.inputs():
            out[b["block_id"]] = {b["element"]["action_id"]: self.filled.get(b["block_id"]) or initial_value(b["element"])}
        return out

    async def submit(self):
        s, view = self.slack, self.view
        assert self.open, "this modal is no longer on the screen"
        for b in self.inputs():
            v = self.filled.get(b["block_id"]) or initial_value(b["element"])
            assert b.get("optional") or not empty(v), f"Slack would not let {b['label']['text']!r} be empty"
        p = self.user._base("view_submission") | {"trigger_id": s.trigger(self.user.id, view["id"]), "response_urls": [],
                                                  "view": {**view, "state": {"values": self.values()}}}
        d = await s.interact(p)
        if d.error is None:
            self._obey(d)
        return d

    def _obey(self, d):
        """What Slack does with the answer to a view_submission."""
        s, stack = self.slack, self.slack.stacks[self.user.id]
        self.errors = None
        if d.status != 200:
            s.problem(f"view_submission: HTTP {d.status}")
            return
        if not d.body.strip():
            stack.remove(self.id)
            return
        r = d.json
        action = r.get("response_action") if isinstance(r, dict) else None
        try:
            if action == "errors":
                ids = {b["block_id"] for b in self.inputs()}
                wrong = [k for k in r.get("errors") or {"": ""} if k not in ids]
                if wrong or not all(isinstance(v, str) and v for v in r["errors"].values()):
                    raise Answer("errors must name input blocks of the view", [("/errors", str(wrong))])
                self.errors = r["errors"]
            elif action == "update":
                s._replace(self.view, r["view"])
            elif action == "push":
                if len(stack) >= 3:
                    raise Answer("push_limit_reached")
                v = s._view(r["view"], "modal", self.user.id, previous_view_id=self.id, root_view_id=stack[0])
                stack.append(v["id"])
            elif action == "clear":
                stack.clear()
            else:
                raise Answer("unknown response_action")
        except (Answer, KeyError, AttributeError) as e:
            d.error = "We had some trouble connecting. Try again?"
            s.problem(f"view_submission answered {d.body[:200]} -> {getattr(e, 'body', e)}")

    async def close(self):
        s, view = self.slack, self.view
        stack = s.stacks[self.user.id]
        if view["clear_on_close"]:
            stack.clear()
        else:
            stack.remove(self.id)
        if view["notify_on_close"]:
            return await s.interact(self.user._base("view_closed") | {"view": {**view, "state": {"values": {}}}, "is_cleared": view["clear_on_close"]})


def _option(el, choice):
    pool = list(el.get("options") or []) + [o for g in el.get("option_groups") or [] for o in g["options"]]
    for o in pool:
        if choice in (o.get("value"), o["text"]["text"]):
            return o
    raise AssertionError(f"{choice!r} is not offered; there are {[o['text']['text'] for o in pool]}")


def element_value(el, v):
    """state.values of one element, after a person chose v."""
    t = el["type"]
    if t in ("plain_text_input", "email_text_input", "url_text_input", "number_input"):
        v = str(v)
        if t == "plain_text_input":
            assert len(v) >= el.get("min_length", 0), f"Slack would refuse fewer than {el['min_length']} characters"
            assert len(v) <= el.get("max_length", 3000), f"Slack would refuse more than {el.get('max_length', 3000)} characters"
        if t == "number_input":
            n = float(v)
            assert el["is_decimal_allowed"] or n == int(n), "Slack would refuse a decimal"
            assert float(el.get("min_value", n)) <= n <= float(el.get("max_value", n)), "Slack would refuse this number"
        if t == "email_text_input":
            assert re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", v), "Slack would refuse this address"
        if t == "url_text_input":
            assert re.match(r"https?://\S+\.\S+", v), "Slack would refuse this URL"
        return {"type": t, "value": v or None}
    if t in ("static_select", "radio_buttons", "overflow"):
        return {"type": t, "selected_option": _option(el, v)}
    if t in ("multi_static_select", "checkboxes"):
        assert len(v) <= el.get("max_selected_items", 1000), "Slack would refuse so many"
        return {"type": t, "selected_options": [_option(el, x) for x in v]}
    if t in ("external_select", "multi_external_select"):
        o = [{"text": {"type": "plain_text", "text": str(x), "emoji": True}, "value": str(x)} for x in (v if isinstance(v, list) else [v])]
        return {"type": t, **({"selected_options": o} if t.startswith("multi") else {"selected_option": o[0]})}
    if t == "datepicker":
        time.strptime(v, "%Y-%m-%d")
        return {"type": t, "selected_date": v}
    if t == "timepicker":
        return {"type": t, "selected_time": v}
    if t == "datetimepicker":
        return {"type": t, "selected_date_time": int(v)}
    if t == "rich_text_input":
        return {"type": t, "rich_text_value": {"type": "rich_text", "elements": [
            {"type": "rich_text_section", "elements": [{"type": "text", "text": v}]}]}}
    if t == "file_input":
        return {"type": t, "files": v}
    for kind in ("user", "conversation", "channel"):
        if t == kind + "s_select":
            return {"type": t, "selected_" + kind: getattr(v, "id", v)}
        if t == f"multi_{kind}s_select":
            return {"type": t, f"selected_{kind}s": [getattr(x, "id", x) for x in v]}
    raise NotImplementedError(t)


def initial_value(el):
    """state.values of one element that nobody touched."""
    t = el["type"]
    if t in ("plain_text_input", "email_text_input", "url_text_input", "number_input"):
        return {"type": t, "value": el.get("initial_value")}
    if t in ("checkboxes", "multi_static_select", "multi_external_select"):
        return {"type": t, "selected_options": el.get("initial_options", [])}
    for a, b in (("datepicker", "date"), ("timepicker", "time")):
        if t == a:
            return {"type": t, "selected_" + b: el.get("initial_" + b)}
    if t == "datetimepicker":
        return {"type": t, "selected_date_time": el.get("initial_date_time")}
    if t == "file_input":
        return {"type": t, "files": []}
    if t == "rich_text_input":
        return {"type": t, "rich_text_value": el.get("initial_value")}
    for kind in ("user", "conversation", "channel"):
        if t == kind + "s_select":
            return {"type": t, "selected_" + kind: el.get("initial_" + kind)}
        if t == f"multi_{kind}s_select":
            return {"type": t, f"selected_{kind}s": el.get(f"initial_{kind}s", [])}
    return {"type": t, "selected_option": el.get("initial_option")}


def empty(v):
    return not next((x for k, x in v.items() if k != "type"), None)
