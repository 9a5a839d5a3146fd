"""Roles in namespaces, sessions and API tokens; an audit that the database itself only lets grow."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context, op

revision = "0008"
down_revision = "0007"

_Text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_REFUSED = "the audit is append-only"


def upgrade() -> None:
    """Sessions of before are in no table: everybody signs in once more."""
    if "state" not in context.config.attributes["parts"]:
        return
    _users()
    _sessions()
    op.add_column("audit", sa.Column("address", _Text, nullable=True))
    op.create_index("ix_audit_actor", "audit", ["actor", "seq"])
    op.create_index("ix_audit_action", "audit", ["action", "seq"])
    op.create_index("ix_audit_at", "audit", ["at"])
    if op.get_bind().dialect.name == "sqlite":
        _append_only_sqlite()
    else:
        _append_only_postgresql()


def _users() -> None:
    op.add_column("wf_user", sa.Column("disabled", sa.SmallInteger(), nullable=False, server_default="0"))
    op.add_column("wf_user", sa.Column("source", _Text, nullable=False, server_default="password"))
    op.create_table(
        "wf_grant",
        sa.Column("user", _Text, nullable=False),
        sa.Column("namespace", _Text, nullable=False),
        sa.Column("role", _Text, nullable=False),
        sa.PrimaryKeyConstraint("user", "namespace"),
        sqlite_with_rowid=False,
    )


def _sessions() -> None:
    op.create_table(
        "login_session",
        sa.Column("id", _Text, nullable=False),
        sa.Column("user", _Text, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("address", _Text, nullable=True),
        sa.Column("device", _Text, nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_login_session_user", "login_session", ["user"])
    op.create_table(
        "api_token",
        sa.Column("id", _Text, nullable=False),
        sa.Column("digest", _Text, nullable=False),
        sa.Column("hint", _Text, nullable=False),
        sa.Column("name", _Text, nullable=False),
        sa.Column("user", _Text, nullable=False),
        sa.Column("role", _Text, nullable=False),
        sa.Column("namespaces", _Text, nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_api_token_digest", "api_token", ["digest"], unique=True)
    op.create_index("ix_api_token_user", "api_token", ["user"])


def _append_only_sqlite() -> None:
    for what in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER audit_no_{what.lower()} BEFORE {what} ON audit "
            f"BEGIN SELECT RAISE(ABORT, '{_REFUSED}'); END"
        )
    op.execute(  # INSERT OR REPLACE would take a row's place without a DELETE
        "CREATE TRIGGER audit_no_replace BEFORE INSERT ON audit WHEN EXISTS (SELECT 1 FROM audit WHERE seq = NEW.seq) "
        f"BEGIN SELECT RAISE(ABORT, '{_REFUSED}'); END"
    )


def _append_only_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_REFUSED}'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit "
        "FOR EACH ROW EXECUTE FUNCTION audit_append_only()"
    )
    op.execute(
        "CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()"
    )
