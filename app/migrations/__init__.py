"""Alembic, driven from the command line of the house and from tests; there is no alembic.ini."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config


def config(database_url: str) -> Config:
    """Return Alembic's configuration for `database_url`."""
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent))
    made.set_main_option("path_separator", "os")
    made.attributes["database_url"] = database_url
    return made


def upgrade(database_url: str) -> None:
    """Bring the database to the newest revision; two processes at once are serialised by an advisory lock."""
    command.upgrade(config(database_url), "head")
