"""Bare bots of bolt, SQLAlchemy and APScheduler: answer at once, after one SELECT, or after a submission's rows in one ORM transaction."""

from __future__ import annotations

import argparse
import asyncio
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from aiohttp import web
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from tests.benchmarks import PATH, SECRET


class Base(DeclarativeBase):
    """The floor's tables."""


class Idea(Base):
    __tablename__ = "floor_ideas"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    need: Mapped[str]
    author: Mapped[str]
    state: Mapped[str]
    at: Mapped[datetime] = mapped_column(sa.DateTime(timezone=True))


class Receipt(Base):
    __tablename__ = "floor_receipts"
    key: Mapped[str] = mapped_column(primary_key=True)
    reference: Mapped[str]
    at: Mapped[datetime] = mapped_column(sa.DateTime(timezone=True))


class Notice(Base):
    __tablename__ = "floor_outbox"
    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    state: Mapped[str]
    args: Mapped[dict[str, str]] = mapped_column(sa.JSON)
    due_at: Mapped[datetime] = mapped_column(sa.DateTime(timezone=True), index=True)


def _engine(url: str) -> Any:
    engine = create_async_engine(url, pool_size=1 if "sqlite" in url else 20, max_overflow=0)
    if "sqlite" in url:

        @sa.event.listens_for(engine.sync_engine, "connect")
        def pragmas(connection: Any, _record: Any) -> None:
            cursor = connection.cursor()
            for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=5000"):
                cursor.execute(f"PRAGMA {pragma}")
            cursor.close()

    return engine


def application(kind: str, url: str, api: str) -> web.Application:
    """The floor's aiohttp application."""
    client = AsyncWebClient(token="xoxb-1", base_url=api)
    bolt = AsyncApp(client=client, signing_secret=SECRET, process_before_response=kind != "documented")
    server = bolt.server(port=1, path=PATH, host="127.0.0.1")
    engine = _engine(url)
    new_session = async_sessionmaker(engine, expire_on_commit=False)

    async def prepare(_app: web.Application) -> None:
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        ticks = AsyncIOScheduler(timezone=UTC)
        ticks.add_job(tick, "interval", seconds=3600)
        ticks.start()

    async def tick() -> None:
        """Nothing is due."""

    @bolt.command("/dih")
    async def help(ack: Any) -> None:
        if kind == "select":
            async with new_session() as session:
                await session.execute(sa.select(Idea).where(Idea.author == "U1").limit(1))
        await ack("What you can do: many things, and here they are.")

    @bolt.view("ideas.submit")
    async def submit(ack: Any, view: dict[str, Any], body: dict[str, Any]) -> None:
        now = datetime.now(UTC)
        typed = [next(iter(field.values())).get("value") or "" for field in view["state"]["values"].values()]
        async with new_session.begin() as session:
            idea = Idea(title=typed[0], need=typed[1], author=body["user"]["id"], state="submitted", at=now)
            session.add(idea)
            await session.flush()
            session.add(Receipt(key=view["id"], reference=f"IDEA-{idea.id}", at=now))
            for kind_of in ("received", "thanks"):
                args = {"idea": str(idea.id)}
                session.add(Notice(key=f"idea:{idea.id}:{kind_of}", kind=kind_of, state="waiting", args=args, due_at=now))
        title = {"type": "plain_text", "text": "Thank you"}
        said = {"type": "section", "text": {"type": "plain_text", "text": f"IDEA-{idea.id} is saved."}}
        await ack(response_action="update", view={"type": "modal", "title": title, "blocks": [said]})

    server.web_app.on_startup.append(prepare)
    return server.web_app


async def _serve(arguments: argparse.Namespace) -> None:
    runner = web.AppRunner(application(arguments.kind, arguments.db, arguments.api), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", arguments.port, backlog=1024).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--kind", choices=("documented", "bolt", "select", "rows"), required=True)
    parser.add_argument("--db", required=True)
    parser.add_argument("--api", required=True)
    parser.add_argument("--port", type=int, required=True)
    asyncio.run(_serve(parser.parse_args()))
