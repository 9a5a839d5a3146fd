"""Following an execution together with those it is related to, pushed until all of them are over.

Related are those that triggered it or that it was made by or of, and those that it triggered or made; with
``expandAll`` so on from there. Each is told as it is, then at each change of its state. The last event has the id
``end``: it comes when nothing goes on and for a moment nothing new appeared, for a Flow trigger starts right after its
upstream.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from functools import partial

import flask
import msgspec

from dashboard.api import shapes, sse
from dashboard.api.context import Api
from dashboard.api.spec import Endpoint, Parameter
from data.namespaces import inside
from engine.states import TERMINAL
from streaming.gateway.answers import Behind, Follower
from streaming.messages import ExecutionRow

RELATED_MAX = 500  # related executions that are followed, the first found; an event says that there are more
_SETTLE = 2.0  # seconds without news in which what follows an end has begun


class Wish(msgspec.Struct, frozen=True):
    """Which relations count: only ``down`` or both ways, ``far`` or the next ones, ``within`` these namespaces."""

    down: bool
    far: bool
    within: tuple[str, ...] | None


def related(api: Api, executionId: str) -> flask.Response:
    """An execution and its relations, at each change of a state."""
    api.exists(executionId)
    wish = Wish(api.boolean("destinationOnly", False), api.boolean("expandAll", False), api.allowed())
    return sse.stream(_events(api, executionId, wish))


def _events(api: Api, execution_id: str, wish: Wish) -> Iterator[str]:
    with api.answers.follow(execution_id) as follower:
        family = Family(api, execution_id, wish, follower)
        news, quiet, was_over, said = family.look(), False, False, False
        while (root := family.root) is not None:
            yield from (sse.event("progress", shapes.execution_status(row)) for row in news)
            if family.full and not said:
                said = True
                yield sse.event("capped", {"message": f"Only {RELATED_MAX} of the related executions are followed."})
            if quiet and not news:
                if was_over and family.over:
                    yield sse.event("end", shapes.execution_status(root))
                    return
                yield sse.KEEP_ALIVE
            was_over = family.over
            news, quiet = _next(family, follower)


def _next(family: Family, follower: Follower) -> tuple[list[ExecutionRow], bool]:
    """Those that are in another state now, and whether for a while nothing came."""
    try:
        delta = follower.get(_SETTLE if family.over else sse.KEEP_ALIVE_SECONDS)
    except Behind:
        return family.look(), False
    return (family.look(), True) if delta is None else (family.take(delta.row), False)


class Family:
    """An execution and those it is related to, each with its newest row.

    ``over``: none of them goes on, tasks after their ends included. ``full``: there are more than may be followed.
    """

    def __init__(self, api: Api, execution_id: str, wish: Wish, follower: Follower) -> None:
        self.over = self.full = False
        self._api, self._id, self._wish, self._follower = api, execution_id, wish, follower
        self._rows: dict[str, ExecutionRow] = {}
        self._open: set[str] = set()

    @property
    def root(self) -> ExecutionRow | None:
        """The execution itself; ``None`` when it is no more."""
        return self._rows.get(self._id)

    def take(self, row: ExecutionRow) -> list[ExecutionRow]:
        """A row that the follower heard of; it and what it brings along, as far as states are new."""
        news, new = self._join([row])
        if self._wish.far:
            news += self._descend(new)
        self.over = not self._open
        return news

    def look(self) -> list[ExecutionRow]:
        """All that the store knows now; those of which states are new."""
        store, ids = self._api.store, list(dict.fromkeys((self._id, *self._rows)))
        found = self._api.read(partial(store.rows, ids))
        for gone in self._rows.keys() - found.keys():
            del self._rows[gone]
            self._open.discard(gone)
        news, _ = self._join(found[one] for one in ids if one in found)
        if self.root is not None:
            news += [] if self._wish.down else self._climb(self.root)
            news += self._descend({self._id} | self._follower.below)
        self.over = not self._open and not self._api.read(partial(store.going_on, list(self._rows)))
        return news

    def _join(self, rows: Iterable[ExecutionRow]) -> tuple[list[ExecutionRow], list[str]]:
        """Take what is newer; rows of which states are new, and the ids of those that were not there before."""
        news, new = [], []
        for row in rows:
            known = self._rows.get(row.id)
            if row.version <= known.version if known else not self._may_join(row):
                continue
            self._rows[row.id] = row
            (self._open.discard if row.state in TERMINAL else self._open.add)(row.id)
            if known is None:
                new.append(row.id)
            if known is None or known.state is not row.state:
                news.append(row)
        return news, new

    def _may_join(self, row: ExecutionRow) -> bool:
        if not inside(row.namespace, self._wish.within):
            return False
        self.full = self.full or len(self._rows) > RELATED_MAX
        return not self.full

    def _climb(self, row: ExecutionRow) -> list[ExecutionRow]:
        """What triggered or made an execution, and so on. Heard of before it is read, so that nothing is missed."""
        news, rows = [], [row]
        while ids := {one for row in rows for one in (row.parent_id, row.triggered_by) if one} - self._rows.keys():
            self._api.answers.widen(self._follower, ids)
            found = self._api.read(partial(self._api.store.rows, list(ids)))
            more, new = self._join(found.values())
            news += more
            rows = [self._rows[one] for one in new] if self._wish.far else []
        return news

    def _descend(self, ids: Collection[str]) -> list[ExecutionRow]:
        """What executions triggered or made, and so on, likewise."""
        news = []
        children = partial(self._api.store.children, within=self._wish.within, limit=RELATED_MAX + 1)
        while ids:
            self._api.answers.widen(self._follower, ids, below=True)
            more, new = self._join(self._api.read(partial(children, *ids)))
            news += more
            ids = new if self._wish.far else ()
        return news


ENDPOINTS = (
    Endpoint(
        "GET", "/executions/{executionId}/follow-dependencies", related,
        "Follow an execution and those it is related to.", "text/event-stream of ExecutionStatusEvent",
        (
            Parameter("destinationOnly", "boolean", "Only what it triggered or made.", "false"),
            Parameter("expandAll", "boolean", "Not the next ones only: all above and below it.", "false"),
        ),
    ),
)  # fmt: skip
