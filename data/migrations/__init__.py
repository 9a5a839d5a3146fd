"""Versions of the tables: Alembic scripts, run in this process against an engine."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory


def config() -> Config:
    """Alembic's configuration; there is no ini file."""
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return made


def upgrade(engine: sa.Engine, parts: set[str]) -> None:
    """Bring a database that holds ``parts`` (``state``, ``logs``) to the newest version."""
    settings = config()
    head = ScriptDirectory.from_config(settings).get_current_head()
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        if MigrationContext.configure(connection).get_current_revision() == head:
            return
        settings.attributes.update(connection=connection, parts=parts)
        command.upgrade(settings, "head")
