"""The store as one person may see it: pages and callbacks read through this.

Who may look at everything gets the store itself. Others get what is in their namespaces; what is elsewhere is not
there. A method that is not named here is not theirs: a new one has to be put in deliberately.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from msgspec import structs

from dashboard.accounts import person
from dashboard.permissions import Verb, namespaces
from dashboard.services import Services
from data.filters import Filters
from data.namespaces import in_namespaces, inside
from data.records import Neighbours

PLAIN = ("ping", "position", "views", "view", "durations", "sessions", "tokens")
"""Methods that tell nothing of a namespace, or that are asked only about what was looked up before."""


def seen(services: Services) -> Services:
    """The services with the store as the person who asks may see it."""
    allowed = namespaces(person(), Verb.READ)
    return services if allowed is None else replace(services, store=SeenStore(services.store, allowed))  # type: ignore[arg-type]


class SeenStore:
    """A store of some namespaces and those below them. Only reads."""

    def __init__(self, store: Any, allowed: tuple[str, ...]) -> None:
        self._store = store
        self._allowed = allowed

    def __getattr__(self, name: str) -> Any:
        if name in PLAIN:
            return getattr(self._store, name)
        raise AttributeError(f"{name} is not there for somebody who may look at some namespaces only")

    def _mine(self, found: Any) -> bool:
        return inside(found.namespace, self._allowed)

    def _one(self, found: Any) -> Any:
        return found if found is not None and self._mine(found) else None

    # -- flows and triggers

    def flows(self, namespace: str | None = None) -> list[Any]:
        return [one for one in self._store.flows(namespace) if self._mine(one)]

    def flow(self, namespace: str, flow_id: str, revision: int | None = None) -> Any:
        return self._store.flow(namespace, flow_id, revision) if inside(namespace, self._allowed) else None

    def revisions(self, namespace: str, flow_id: str) -> list[Any]:
        return self._store.revisions(namespace, flow_id) if inside(namespace, self._allowed) else []

    def flow_problems(self) -> list[Any]:
        return []  # of which namespace a broken file is, nobody knows

    def distinct_namespaces(self, q: str | None = None) -> list[str]:
        return [one for one in self._store.distinct_namespaces(q) if inside(one, self._allowed)]

    def trigger_states(self, *given: Any) -> list[Any]:
        return [one for one in self._store.trigger_states(*given) if self._mine(one)]

    # -- executions

    def row(self, execution_id: str) -> Any:
        return self._one(self._store.row(execution_id))

    def rows(self, ids: Sequence[str]) -> dict[str, Any]:
        return {one: row for one, row in self._store.rows(ids).items() if self._mine(row)}

    def values(self, ids: Sequence[str]) -> dict[str, Any]:
        return self._store.values(list(self.rows(ids)))

    def execution(self, execution_id: str) -> Any:
        return self._one(self._store.execution(execution_id))

    def load(self, execution_id: str) -> Any:
        return self._one(self._store.load(execution_id))

    def children(self, *ids: str, **given: Any) -> list[Any]:
        return [one for one in self._store.children(*ids, **given) if self._mine(one)]

    def neighbours(self, execution_id: str, filters: Filters | None = None, *given: Any) -> Neighbours:
        if self.row(execution_id) is None:
            return Neighbours()
        if filters is None:
            return self._store.neighbours(execution_id)
        return self._store.neighbours(execution_id, in_namespaces(filters, self._allowed), *given)

    def last_of_flow(self, namespace: str, flow_id: str, *given: Any) -> list[Any]:
        return self._store.last_of_flow(namespace, flow_id, *given) if inside(namespace, self._allowed) else []

    def last_of_flows(self, flows: Sequence[tuple[str, str]], *given: Any) -> dict[tuple[str, str], list[Any]]:
        return self._store.last_of_flows([one for one in flows if inside(one[0], self._allowed)], *given)

    def search(self, query: Any, *given: Any) -> Any:
        filters = in_namespaces(query.filters, self._allowed)
        return self._store.search(structs.replace(query, filters=filters), *given)

    def counts(self, filters: Filters, *given: Any) -> Any:
        return self._store.counts(in_namespaces(filters, self._allowed), *given)
