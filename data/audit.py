"""The audit: who did what to what. Rows are only ever added."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from data.blobs import from_json, json_text
from data.database import Database
from data.records import AuditRow
from data.tables import audit
from data.times import from_us, now_us


class Audit(Database):
    """There is no method that changes or removes a row."""

    def audit(
        self,
        actor: str,
        action: str,
        target: str,
        reason: str | None = None,
        before: Any = None,
        after: Any = None,
        origin: str = "ui",
    ) -> int:
        """Add a row; its number. ``before`` and ``after`` are anything JSON can hold."""
        row = {
            "at": now_us(),
            "actor": actor,
            "action": action,
            "target": target,
            "reason": reason,
            "before": None if before is None else json_text(before),
            "after": None if after is None else json_text(after),
            "origin": origin,
        }
        with self._write() as connection:
            return connection.execute(sa.insert(audit), row).inserted_primary_key[0]

    def audits(self, target: str | None = None, *, limit: int = 100, before_seq: int | None = None) -> list[AuditRow]:
        """The newest rows first, of one target when it is given, older than ``before_seq`` when that is given."""
        query = sa.select(audit).order_by(audit.c.seq.desc()).limit(limit)
        if target is not None:
            query = query.where(audit.c.target == target)
        if before_seq is not None:
            query = query.where(audit.c.seq < before_seq)
        with self._read() as connection:
            return [_row(row) for row in connection.execute(query)]


def _row(row: Any) -> AuditRow:
    before, after = (None if text is None else from_json(text) for text in (row.before, row.after))
    return AuditRow(row.seq, from_us(row.at), row.actor, row.action, row.target, row.origin, row.reason, before, after)
