"""A database without any table."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from storage.database import database_url as with_driver


@pytest.fixture
def empty_url(database_url: str) -> str:
    """The URL of a database that nobody has migrated."""
    path = with_driver(database_url).database or ""
    if database_url.startswith("sqlite"):
        Path(path).unlink()
        return database_url
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return database_url
