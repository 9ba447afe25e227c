"""The way out to Teams: one try a call of the Bot Connector, every failure one of a closed set of results; and what `dih check` says."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import aiohttp

from bot.limits import Recent
from bot.outbound import NEVER_LEFT
from bot.teams import render
from bot.teams.book import AddressBook
from bot.teams.network import Network
from bot.teams.parse import is_service
from bot.teams.render import Pictures
from bot.teams.tokens import NoToken, Tokens
from handlers.views import Card, Message
from scheduler.delivery import Ambiguous, BadContent, CredentialsDead, Result, RetryLater, Sent, Target, TargetDead
from storage.addresses import Address


class Refusal(Exception):
    """The Connector's answer where it is no success: its status, its name for the fault, and how long to wait, if it says so."""

    def __init__(self, status: int, code: str = "", seconds: float | None = None) -> None:
        super().__init__(f"{status} {code}")
        self.status, self.code, self.seconds = status, code, seconds


class Strange(Exception):
    """An address that is none of the Connector's: it is never called."""


class Connector:
    """The Bot Connector's REST API, as far as the bot needs it. Each call is made once; it raises Refusal, Strange, NoToken,
    and what aiohttp raises. A conversation that asked us to slow down is not called until then."""

    def __init__(self, network: Network, tokens: Tokens, app_id: str) -> None:
        self._network, self._tokens, self.bot = network, tokens, f"28:{app_id}"
        self._slow: Recent[str, float] = Recent(1000)

    async def post(self, address: Address, content: Mapping[str, Any], *, conversation: str = "", only: str = "") -> str:
        """A new message; returns its id. `conversation`: another than the address's own; `only`: seen by this contact alone."""
        recipient = {"recipient": {"id": only}} if only else {}
        params = {"isTargetedActivity": "true"} if only else None
        path = f"conversations/{quote(conversation or address.conversation, safe='')}/activities"
        return _id(await self._call("POST", address, path, {**content, **recipient}, params=params))

    async def change(self, address: Address, conversation: str, id: str, content: Mapping[str, Any]) -> None:
        """Puts another card where a message of ours stands."""
        path = f"conversations/{quote(conversation, safe='')}/activities/{quote(id, safe='')}"
        await self._call("PUT", address, path, {**content, "id": id})

    async def own_conversation(self, address: Address) -> str:
        """The person's own conversation with the bot; saying so again gives the same one."""
        body = {
            "bot": {"id": self.bot},
            "members": [{"id": address.contact}],
            "isGroup": False,
            "tenantId": address.tenant,
            "channelData": {"tenant": {"id": address.tenant}},
        }
        return _id(await self._call("POST", address, "conversations", body))

    async def member(self, address: Address, conversation: str) -> Mapping[str, Any]:
        """What the roster of a conversation says of somebody in it."""
        path = f"conversations/{quote(conversation, safe='')}/members/{quote(address.contact, safe='')}"
        return await self._call("GET", address, path)

    async def _call(self, method: str, address: Address, path: str, body: object = None, *, params: Any = None) -> Mapping[str, Any]:
        if not is_service(address.service):
            raise Strange
        url, lane = f"{address.service.rstrip('/')}/v3/{path}", "/".join(path.split("/")[:3])
        if (left := (self._slow.get(lane) or 0) - time.monotonic()) > 0:
            raise Refusal(429, "Throttled", max(left, 0.05))
        token = await self._tokens.get()
        try:
            return await self._once(method, url, token, body, params)
        except Refusal as refusal:
            if refusal.status == 429:
                self._slow.keep(lane, time.monotonic() + (refusal.seconds or 1))
            if refusal.status != 401:
                raise
        self._tokens.forget(token)  # it was refused unread, so a second try repeats nothing
        return await self._once(method, url, await self._tokens.get(), body, params)

    async def _once(self, method: str, url: str, token: str, body: object, params: Any) -> Mapping[str, Any]:
        async with self._network.call(method, url, token=token, json=body, params=params) as response:
            if response.status // 100 != 2:
                raise Refusal(response.status, await _code(response), _seconds(response.headers.get("Retry-After")))
            said = await response.json(content_type=None) if response.content_length != 0 else {}
            return said if isinstance(said, Mapping) else {}


def _id(said: Mapping[str, Any]) -> str:
    id = said.get("id")
    if not isinstance(id, str) or not id:
        raise ValueError("the Connector gave no id")
    return id


async def _code(response: aiohttp.ClientResponse) -> str:
    """The Connector's name for a fault, "" where what came back is not its own."""
    try:
        said = await response.json(content_type=None)
        return str(said["error"]["code"])[:60]
    except (ValueError, KeyError, TypeError, aiohttp.ClientError):
        return ""


def _seconds(text: str | None) -> float | None:
    try:
        return max(1.0, float(text or ""))
    except ValueError:
        return None


async def with_conversation(connector: Connector, book: AddressBook, address: Address) -> Address:
    """The address with the person's own conversation, which is begun where it is not known; raises as the Connector does."""
    if address.conversation:
        return address
    begun = replace(address, conversation=await connector.own_conversation(address))
    await book.note(begun)
    return begun


class TeamsSender:
    """Delivers the outbox's messages; implements scheduler.delivery.Sender."""

    def __init__(self, connector: Connector, book: AddressBook, pictures: Callable[[Card], Pictures]) -> None:
        self._connector, self._book, self._pictures = connector, book, pictures

    async def send(self, target: Target, message: Message, *, ticket: str, handle: str | None) -> Result:
        """Posts a message, or changes the one that `handle` ("conversation|activity") names."""
        address = await self._book.find(target.tenant, target.user or target.place or "")
        if address is None or address.gone:
            return TargetDead(reason="Teams: nothing was heard from there" if address is None else "Teams: it takes nothing any more")
        content = render.message(message.card, ticket, self._pictures(message.card))
        try:
            there = await with_conversation(self._connector, self._book, address)
        except Exception as error:
            result = result_of(error)
            return RetryLater(reason=result.reason) if isinstance(result, Ambiguous) else await self._settled(address, result)
        if handle and (changed := await self._change(there, handle, content)) is not None:
            return changed
        return await self._settled(there, await self._post(there, content))

    async def _change(self, address: Address, handle: str, content: Mapping[str, Any]) -> Result | None:
        """The result; None where the message is not there any more, so that a new one is to be posted."""
        conversation, _, id = handle.partition("|")
        try:
            await self._connector.change(address, conversation, id, content)
        except Refusal as refusal:
            if refusal.status == 404:
                return None
            return await self._settled(address, _again(result_of(refusal)))
        except Exception as error:
            return _again(result_of(error))
        return Sent(handle=handle)

    async def _post(self, address: Address, content: Mapping[str, Any]) -> Result:
        try:
            return Sent(handle=f"{address.conversation}|{await self._connector.post(address, content)}")
        except Exception as error:
            return result_of(error)

    async def _settled(self, address: Address, result: Result) -> Result:
        """What takes nothing any more is left alone until it is heard from again."""
        if isinstance(result, TargetDead):
            await self._book.mark_gone(address)
        return result


def _again(result: Result) -> Result:
    """A change that may have been made does no harm when it is made again."""
    return RetryLater(reason=result.reason) if isinstance(result, Ambiguous) else result


def result_of(error: Exception) -> Result:
    """What a failed call means for the message."""
    match error:
        case Refusal(status=429 | 412):
            return RetryLater(reason=f"Teams asked us to slow down: {error.code}", seconds=error.seconds)
        case Refusal(status=403 | 404):
            return TargetDead(reason=f"Teams: {error.code or error.status}")
        case Refusal(status=401):
            return CredentialsDead(reason="Teams refuses our token")
        case Refusal(status=400 | 413 | 405 | 415 | 422):
            return BadContent(reason=f"Teams: {error.code or error.status}")
        case Strange():
            return TargetDead(reason="Teams: the address is none of the Connector's")
        case NoToken(refused=True):
            return CredentialsDead(reason=error.reason)
        case NoToken():
            return RetryLater(reason=error.reason)
        case _ if isinstance(error, NEVER_LEFT):
            return RetryLater(reason="Teams could not be reached")
        case _:
            return Ambiguous(reason=f"no clear answer from Teams: {getattr(error, 'status', '') or type(error).__name__}")


async def teams_report(app_id: str, password: str, tenant: str) -> tuple[bool, list[str]]:
    """(Whether Microsoft lets us in, a sentence for each thing looked at)."""
    try:
        await Tokens(app_id=app_id, password=password, tenant=tenant).get()
    except NoToken as error:
        if error.refused:
            return False, [f"{error.reason}. Look at TEAMS_APP_ID, TEAMS_APP_PASSWORD and TEAMS_APP_TENANT_ID."]
        return False, [f"{error.reason}. Check the network and HTTPS_PROXY."]
    return True, ["Microsoft accepts the Teams app's id and password."]
