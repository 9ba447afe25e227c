"""Brings the tables to the schema this code needs; several replicas may try at once."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from storage.database import Database

MIGRATIONS = Path(__file__).parent / "migrations"


def _config(connection: sa.Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config


async def migrate(database: Database, revision: str = "head") -> None:
    """Upgrades to `revision` in one transaction; whoever comes second finds the work done. Raises as `refuse_newer`."""
    await database.refuse_newer()
    async with database.migrating() as session:
        await session.run_sync(lambda connection: command.upgrade(_config(connection), revision))


async def downgrade(database: Database, revision: str = "-1") -> None:
    """Takes the last revision back."""
    async with database.migrating() as session:
        await session.run_sync(lambda connection: command.downgrade(_config(connection), revision))
