"""Flows and their revisions, and flow files that can't be used."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from data.blobs import from_json, json_text
from data.database import Database
from data.records import FlowProblem, StoredFlow
from data.tables import flow, flow_problem
from data.times import from_us, now_us
from data.upserts import alone, upsert

if TYPE_CHECKING:
    from engine.flow import Flow


class Flows(Database):
    """Revisions are never changed: a flow saved with another source gets the next one."""

    def save_flow(self, parsed: Flow) -> int | None:
        """Keep a flow; its new revision, ``None`` when its source is what the newest revision has."""
        with self._write() as connection:
            alone(connection, flow)
            newest = connection.execute(_newest(parsed.namespace, parsed.id)).first()
            if newest is not None and newest.source == parsed.source:
                return None
            revision = newest.revision + 1 if newest else 1
            connection.execute(sa.insert(flow), _flow_values(parsed, revision))
        return revision

    def flow(self, namespace: str, flow_id: str, revision: int | None = None) -> StoredFlow | None:
        """A revision of a flow, the newest by default; ``None`` when there is none."""
        query = _newest(namespace, flow_id)
        if revision is not None:
            query = query.where(flow.c.revision == revision)
        with self._read() as connection:
            found = connection.execute(query).first()
        return _stored(found) if found else None

    def flows(self, namespace: str | None = None) -> list[StoredFlow]:
        """The newest revision of every flow, of one namespace and those under it when one is given; by name."""
        newest = sa.select(flow.c.namespace, flow.c.id, sa.func.max(flow.c.revision)).group_by(
            flow.c.namespace, flow.c.id
        )
        query = sa.select(flow).where(sa.tuple_(flow.c.namespace, flow.c.id, flow.c.revision).in_(newest))
        if namespace is not None:
            under = flow.c.namespace.startswith(f"{namespace}.", autoescape=True)
            query = query.where(sa.or_(flow.c.namespace == namespace, under))
        with self._read() as connection:
            return [_stored(row) for row in connection.execute(query.order_by(flow.c.namespace, flow.c.id))]

    def revisions(self, namespace: str, flow_id: str) -> list[StoredFlow]:
        """All revisions of a flow, oldest first."""
        query = sa.select(flow).where(flow.c.namespace == namespace, flow.c.id == flow_id).order_by(flow.c.revision)
        with self._read() as connection:
            return [_stored(row) for row in connection.execute(query)]

    def distinct_namespaces(self, q: str | None = None) -> list[str]:
        """Namespaces that flows or executions are in, sorted; those that contain ``q`` when it is given."""
        from data.tables import flow_count

        query = sa.union(sa.select(flow.c.namespace), sa.select(flow_count.c.namespace).where(flow_count.c.grain == 0))
        with self._read() as connection:
            names = sorted(connection.scalars(query))
        return [name for name in names if not q or q.lower() in name.lower()]

    # -- files that can't be used

    def save_flow_problem(self, problem: FlowProblem) -> None:
        """Keep what is wrong with a file; replaces what was known of the same file."""
        row = {"file": problem.file, "violations": json_text(_plain(problem.violations)), "seen_at": now_us()}
        with self._write() as connection:
            connection.execute(upsert(self.dialect, flow_problem), row)

    def clear_flow_problem(self, file: str) -> None:
        """The file is good again, or gone."""
        with self._read() as connection:
            known = connection.scalar(sa.select(flow_problem.c.file).where(flow_problem.c.file == file))
        if known is None:
            return
        with self._write() as connection:
            connection.execute(sa.delete(flow_problem).where(flow_problem.c.file == file))

    def flow_problems(self) -> list[FlowProblem]:
        """All files that can't be used; violations as dicts with line, column, path, message."""
        with self._read() as connection:
            rows = connection.execute(sa.select(flow_problem).order_by(flow_problem.c.file)).all()
        return [FlowProblem(row.file, tuple(from_json(row.violations)), from_us(row.seen_at)) for row in rows]


def _newest(namespace: str, flow_id: str) -> Any:
    query = sa.select(flow).where(flow.c.namespace == namespace, flow.c.id == flow_id)
    return query.order_by(flow.c.revision.desc()).limit(1)


def _plain(violations: Iterable[Any]) -> list[dict[str, Any]]:
    names = ("line", "column", "path", "message")
    return [v if isinstance(v, dict) else {name: getattr(v, name) for name in names} for v in violations]


def _flow_values(parsed: Flow, revision: int) -> dict[str, Any]:
    return {
        "namespace": parsed.namespace,
        "id": parsed.id,
        "revision": revision,
        "source": parsed.source,
        "updated_at": now_us(),
        "disabled": int(bool(parsed.disabled)),
        "description": parsed.description,
        "labels": json_text(dict(parsed.labels or {})),
    }


def _stored(row: Any) -> StoredFlow:
    return StoredFlow(
        row.namespace,
        row.id,
        row.revision,
        row.source,
        from_us(row.updated_at),
        bool(row.disabled),
        row.description,
        from_json(row.labels),
    )
