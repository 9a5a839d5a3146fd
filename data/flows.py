"""Flows and their revisions, and the files that they come from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from data.blobs import from_json, json_text
from data.database import Database
from data.errors import RevisionKept
from data.records import FlowProblem, StoredFlow
from data.tables import execution, flow, flow_count, flow_file, flow_problem
from data.times import from_us, now_us
from data.upserts import alone, upsert
from engine.states import NON_TERMINAL_EXECUTION

if TYPE_CHECKING:
    from engine.flow import Flow

_RUNNING = [state.value for state in NON_TERMINAL_EXECUTION]
_numbers = sa.select(flow.c.namespace, flow.c.id, sa.func.max(flow.c.revision)).group_by(flow.c.namespace, flow.c.id)
_THERE = (sa.tuple_(flow.c.namespace, flow.c.id, flow.c.revision).in_(_numbers), flow.c.deleted == 0)
"""The newest revisions of flows that are not deleted."""


class Flows(Database):
    """Revisions are never changed: a flow saved with another source gets the next one, and so does one that is deleted,
    so that what runs goes on with the revision it has."""

    def save_flow(self, parsed: Flow) -> int | None:
        """Keep a flow; its new revision, ``None`` when its source is what the newest revision has."""
        with self._write() as connection:
            alone(connection, flow)
            newest = connection.execute(_newest(parsed.namespace, parsed.id)).first()
            if newest is not None and newest.source == parsed.source and not newest.deleted:
                return None
            revision = newest.revision + 1 if newest else 1
            connection.execute(sa.insert(flow), _flow_values(parsed, revision))
        return revision

    def delete_flow(self, namespace: str, flow_id: str) -> int | None:
        """Say in a new revision that a flow is deleted; its number, ``None`` when there is no such flow (any more)."""
        with self._write() as connection:
            alone(connection, flow)
            newest = connection.execute(_newest(namespace, flow_id)).first()
            if newest is None or newest.deleted:
                return None
            revision = newest.revision + 1
            said = {"revision": revision, "updated_at": now_us(), "deleted": 1}
            connection.execute(sa.insert(flow), newest._asdict() | said)
        return int(revision)

    def drop_revisions(self, namespace: str, flow_id: str, revisions: Sequence[int]) -> None:
        """Remove some. Raises ``RevisionKept`` for the newest, and for one that an execution runs or waits in."""
        of_flow = (flow.c.namespace == namespace, flow.c.id == flow_id)
        c = execution.c
        running = sa.select(c.revision).where(c.namespace == namespace, c.flow_id == flow_id, c.state.in_(_RUNNING))
        with self._write() as connection:
            alone(connection, flow)
            newest = connection.scalar(sa.select(sa.func.max(flow.c.revision)).where(*of_flow))
            if newest in revisions:
                raise RevisionKept(f"Revision {newest} of {namespace}.{flow_id} is the newest one, which is kept.")
            used = connection.scalar(running.where(c.revision.in_(revisions)).limit(1))
            if used is not None:
                raise RevisionKept(f"An execution of {namespace}.{flow_id} that has not ended runs revision {used}.")
            connection.execute(sa.delete(flow).where(*of_flow, flow.c.revision.in_(revisions)))

    def flow(
        self, namespace: str, flow_id: str, revision: int | None = None, *, deleted: bool = False
    ) -> StoredFlow | None:
        """A revision of a flow; ``None`` when there is none.

        By default the newest, unless that says that the flow is ``deleted`` and this is not asked for.
        """
        query = _newest(namespace, flow_id)
        if revision is not None:
            query = query.where(flow.c.revision == revision)
        with self._read() as connection:
            found = connection.execute(query).first()
        gone = found is not None and found.deleted and revision is None and not deleted
        return _stored(found) if found and not gone else None

    def flows(self, namespace: str | None = None) -> list[StoredFlow]:
        """The newest revision of every flow that there is, of one namespace and those under it when one is given; by
        name."""
        query = sa.select(flow).where(*_THERE)
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
        of_executions = sa.select(flow_count.c.namespace).where(flow_count.c.grain == 0)
        query = sa.union(sa.select(flow.c.namespace).where(*_THERE), of_executions)
        with self._read() as connection:
            names = sorted(connection.scalars(query))
        return [name for name in names if not q or q.lower() in name.lower()]

    # -- files

    def flow_files(self) -> dict[str, str]:
        """Digests of what was taken last from each file, by its name."""
        with self._read() as connection:
            return {row.file: row.digest for row in connection.execute(sa.select(flow_file))}

    def note_flow_file(self, file: str, digest: str | None) -> None:
        """Keep what was taken from a file; ``None``: it is gone."""
        with self._write() as connection:
            if digest is None:
                connection.execute(sa.delete(flow_file).where(flow_file.c.file == file))
            else:
                connection.execute(upsert(self.dialect, flow_file), {"file": file, "digest": digest})

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
        "deleted": 0,
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
        bool(row.deleted),
    )
