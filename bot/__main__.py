"""The `dih` command: run, demo, migrate, check, invite, messages, manifest."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from bot import VERSION, logs

if TYPE_CHECKING:
    from bot.settings import Settings
    from storage.database import Database

T = TypeVar("T")
DEMO = Path(".demo")

app = typer.Typer(help="The chatbot of the Dorset Innovation Hub.", no_args_is_help=True, add_completion=False)
manifest = typer.Typer(help="App manifests, generated from the commands of the bot.", no_args_is_help=True)
app.add_typer(manifest, name="manifest")


def main() -> None:
    """The console script."""
    gc.disable()  # nothing that a start loads is garbage; a server collects once it serves, any other command ends soon
    app(prog_name="dih")


def _settings() -> Settings:
    from bot.settings import SettingsFaults, load

    try:
        return load()
    except SettingsFaults as faults:
        raise _stop("The settings need mending:", *(f"- {fault}" for fault in faults.faults)) from None


def _stop(*lines: str) -> typer.Exit:
    for line in lines:
        typer.echo(line, err=True)
    return typer.Exit(1)


def _do(work: Coroutine[Any, Any, T]) -> T:
    """Runs work that ends with a sentence instead of a traceback where somebody at the keyboard can mend the cause."""
    from storage.database import AlreadyServed, NoDatabase, WrongSchema

    try:
        return asyncio.run(work)
    except (WrongSchema, AlreadyServed, NoDatabase) as error:
        raise _stop(str(error)) from None
    except OSError as error:
        raise _stop(f"The server cannot listen there: {error.strerror}. Is it running already?") from None


@app.command()
def run() -> None:
    """Serve Slack, Teams and the web chat until stopped."""
    logs.set_up()
    _do(_serve(_settings()))


async def _serve(settings: Settings, *, demo: bool = False) -> None:
    from bot.app import Server
    from storage.database import Database

    database = Database(settings.dih_database_url, settings.keys)
    try:
        await database.require_schema()
        database.serve_alone()
        server = Server(settings, database, personas=await _personas(settings, database) if demo else ())
        stopped = asyncio.Event()
        for name in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(name, stopped.set)
        await server.start()
        gc.freeze()  # what a server has loaded it keeps: no collection need look at it again
        gc.enable()
        try:
            typer.echo(f"The bot is serving {settings.site}")
            await stopped.wait()
        finally:
            await server.stop()
    finally:
        await database.close()


@app.command()
def demo() -> None:
    """Serve the web chat with sample data, in a database of its own under .demo; choose there who to be."""
    logs.set_up()
    DEMO.mkdir(exist_ok=True)
    own = {
        "DIH_DATABASE_URL": f"sqlite:///{DEMO / 'dih.db'}",
        "DIH_SECRET_KEYS": _demo_key(),
        "SLACK_BOT_TOKEN": "",
        "SLACK_SIGNING_SECRET": "",
        "TEAMS_APP_ID": "",
        "TEAMS_APP_PASSWORD": "",
        "TEAMS_APP_TENANT_ID": "",
        "DIH_ADMINS": "",
    }
    os.environ.update(own)
    _do(_demo(_settings()))


def _demo_key() -> str:
    from cryptography.fernet import Fernet

    path = DEMO / "secret.key"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_bytes(Fernet.generate_key())
    return path.read_text()


async def _demo(settings: Settings) -> None:
    from storage.database import Database
    from storage.schema import migrate

    database = Database(settings.dih_database_url)
    await migrate(database)
    await database.close()
    await _serve(settings, demo=True)


async def _personas(settings: Settings, database: Database) -> tuple[Any, ...]:
    from bot.web.receive import Persona
    from handlers.pulse import kept, wheel
    from storage import sample

    words = kept.words_of(wheel.illustrative())
    async with database.transaction() as session:
        people = await sample.load(session, wheel=words, now=settings.clock()())
    return tuple(Persona(slug=each.slug, label=each.label, person_id=each.person_id) for each in people)


@app.command()
def migrate() -> None:
    """Bring the database to the schema of this program; safe to type on several servers at once."""
    _do(_migrate(_settings()))
    typer.echo("The database is up to date.")


async def _migrate(settings: Settings) -> None:
    from storage.database import Database
    from storage.schema import migrate

    database = Database(settings.dih_database_url)
    try:
        await migrate(database)
    finally:
        await database.close()


@app.command()
def check() -> None:
    """Say in plain sentences what is set up, what works and what does not."""
    from bot.check import report

    well, lines = _do(report(_settings()))
    for line in lines:
        typer.echo(line)
    if not well:
        raise typer.Exit(1)


@app.command()
def invite(
    email: Annotated[str, typer.Argument(help="Their e-mail address.")],
    name: Annotated[str, typer.Option(help="Their name, where the hub does not know them yet.")] = "",
) -> None:
    """Print a one-time link to the web chat. The first person invited becomes an administrator."""
    from bot.operations import invite

    if "@" not in email:
        raise _stop("That is not an e-mail address. Type: dih invite name@example.org")
    for line in _do(invite(_settings(), email, name)):
        typer.echo(line)


@app.command()
def messages(
    requeue: Annotated[int, typer.Option(help="The number of a message to send again.")] = 0,
) -> None:
    """List messages that did not arrive, or send one again."""
    from bot.operations import messages

    for line in _do(messages(_settings(), requeue)):
        typer.echo(line)


@manifest.command("slack")
def manifest_slack() -> None:
    """Print the Slack app manifest for this server's address."""
    from handlers.registry import ROUTES
    from manifests.slack import slack_manifest

    typer.echo(slack_manifest(ROUTES, _settings().site), nl=False)


@manifest.command("teams")
def manifest_teams(
    out: Annotated[Path, typer.Option(help="The file to write.", dir_okay=False)] = Path("dih-teams.zip"),
    slash_commands: Annotated[bool, typer.Option("--slash-commands", help="Offer the commands after “/” too (schema 1.29).")] = False,
) -> None:
    """Write the Teams app package for this server's address, to be uploaded in the Teams admin centre."""
    from handlers.registry import ROUTES
    from manifests.teams import teams_package

    settings = _settings()
    if settings.teams_app_id is None:
        raise _stop(
            "TEAMS_APP_ID is not set. Set it to the Application (client) ID of the app registration: docs/teams.md goes through it."
        )
    if not settings.secure:
        raise _stop(f"DIH_PUBLIC_URL must be an https:// address, for Teams opens no other. The site is now {settings.site}.")
    package = teams_package(ROUTES, settings.site, settings.teams_app_id, VERSION, slash_commands=slash_commands)
    try:
        out.write_bytes(package)
    except OSError as error:
        raise _stop(f"{out} cannot be written: {error.strerror}.") from None
    typer.echo(f"{out} is the Teams app of {settings.site}, version {VERSION}. Upload it in the Teams admin centre.")


if __name__ == "__main__":
    main()
