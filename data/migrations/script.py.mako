"""${message}"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context, op

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    """Ask ``context.config.attributes["parts"]`` which of ``state`` and ``logs`` this database holds."""
    ${upgrades if upgrades else "pass"}
