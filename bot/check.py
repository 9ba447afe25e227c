"""`dih check`: what is set up, what works and what does not, in plain sentences."""

from __future__ import annotations

from bot.settings import Settings
from storage import people
from storage.database import Database, NoDatabase, WrongSchema


async def report(settings: Settings) -> tuple[bool, list[str]]:
    """(Whether the server can run well, a sentence for each thing looked at)."""
    well, lines = await _database(settings)
    lines.insert(0, "The settings can be read.")
    lines.append(_keys(settings))
    lines.append(f"The web chat is served at {settings.site}.")
    if settings.slack_bot_token is None:
        lines.append("Slack is off: SLACK_BOT_TOKEN and SLACK_SIGNING_SECRET are not set.")
    else:
        from bot.slack.send import slack_report

        slack_well, said = await slack_report(settings.slack_bot_token.get_secret_value(), settings.slack_api_url)
        well = well and slack_well
        lines += said
    if settings.teams_app_id is None:
        lines.append("Teams is off: TEAMS_APP_ID, TEAMS_APP_PASSWORD and TEAMS_APP_TENANT_ID are not set.")
    else:
        from bot.teams.send import teams_report

        assert settings.teams_app_password is not None
        assert settings.teams_app_tenant_id is not None
        password = settings.teams_app_password.get_secret_value()
        teams_well, said = await teams_report(settings.teams_app_id, password, settings.teams_app_tenant_id)
        well = well and teams_well
        lines += said
    return well, lines


async def _database(settings: Settings) -> tuple[bool, list[str]]:
    database = Database(settings.dih_database_url)
    kind = "SQLite" if database.is_sqlite else "PostgreSQL"
    try:
        await database.require_schema()
        async with database.reading() as session:
            administrators = await people.administrators(session)
    except WrongSchema as error:
        return False, [f"The database ({kind}) answers.", str(error)]
    except NoDatabase as error:
        return False, [str(error)]
    finally:
        await database.close()
    lines = [f"The database ({kind}) answers and its tables are up to date."]
    if not administrators:
        lines.append("There is no administrator yet. Type: dih invite name@example.org")
    return True, lines


def _keys(settings: Settings) -> str:
    if settings.dih_secret_keys:
        return "DIH_SECRET_KEYS is set."
    unset = "DIH_SECRET_KEYS is not set: links to files end when the server stops, and several servers would not know each other's."
    return f"{unset} No round of the maturity pulse can be opened."
