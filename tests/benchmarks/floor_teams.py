"""A bare bot of CloudAdapter as its documentation has it: answers a message through the connector, and an invoke with a card."""

from __future__ import annotations

import argparse
import asyncio
import os

from aiohttp import web
from botbuilder.core import ActivityHandler, InvokeResponse, TurnContext
from botbuilder.integration.aiohttp import CloudAdapter, ConfigurationBotFrameworkAuthentication
from botbuilder.schema import AdaptiveCardInvokeResponse

CARD = {
    "type": "AdaptiveCard",
    "version": "1.5",
    "body": [{"type": "TextBlock", "text": "What you can do: many things, and here they are."}],
}


class Settings:
    """As the documentation names them."""

    APP_ID = os.environ["TEAMS_APP_ID"]
    APP_PASSWORD = os.environ["TEAMS_APP_PASSWORD"]
    APP_TYPE = "SingleTenant"
    APP_TENANTID = os.environ["TEAMS_APP_TENANT_ID"]


class Bot(ActivityHandler):
    """Answers at once."""

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        await turn_context.send_activity("What you can do: many things, and here they are.")

    async def on_invoke_activity(self, turn_context: TurnContext) -> InvokeResponse:
        """A model as the body: what on_adaptive_card_invoke returns is serialised twice, and answered with 500."""
        kind = "application/vnd.microsoft.card.adaptive"
        return InvokeResponse(status=200, body=AdaptiveCardInvokeResponse(status_code=200, type=kind, value=CARD))


async def _serve(port: int) -> None:
    adapter, bot = CloudAdapter(ConfigurationBotFrameworkAuthentication(Settings())), Bot()

    async def messages(request: web.Request) -> web.Response:
        answer = await adapter.process(request, bot)
        return web.Response(status=200) if answer.status == 201 else answer

    async def healthz(_request: web.Request) -> web.Response:
        return web.Response(text="ok")

    app = web.Application()
    app.router.add_post("/api/messages", messages)
    app.router.add_get("/healthz", healthz)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, backlog=1024).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    asyncio.run(_serve(parser.parse_args().port))
