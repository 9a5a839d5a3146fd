"""Following an execution together with those it is related to, pushed until all of them are over.

Related are those that triggered it or that it was made by or of, and those that it triggered or made; with
``expandAll`` so on from there. Each is told as it is, then at each change of its state. The last event has the id
``end``: it comes when nothing goes on and for a moment nothing new appeared, for a Flow trigger starts right after its
upstream.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Generator, Iterable
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
    return sse.stream(api, _events(api, executionId, wish))


def _events(api: Api, execution_id: str, wish: Wish) -> Generator[str]:
    with api.answers.follow(execution_id) as follower:
        family = Family(api, execution_id, wish, follower)
        news, quiet, was_over, capped = family.look(), False, False, False
        said = time.monotonic()
        while (root := family.root) is not None:
            told = [sse.event("progress", shapes.execution_status(row)) for row in news]
            if family.full and not capped:
                capped = True
                message = f"Only {RELATED_MAX} of the related executions are followed."
                told.append(sse.event("capped", {"message": message}))
            if quiet and not told and was_over and family.over:
                yield sse.event("end", shapes.execution_status(root))
                return
            if not told and time.monotonic() - said >= sse.KEEP_ALIVE_SECONDS:
                told = [sse.KEEP_ALIVE]
            if told:
                yield from told
                said = time.monotonic()
            was_over = family.over
            until = time.monotonic() + _SETTLE if was_over else said + sse.KEEP_ALIVE_SECONDS
            news, quiet = _next(family, follower, until)


def _next(family: Family, follower: Follower, until: float) -> tuple[list[ExecutionRow], bool]:
    """Those that are in another state now, and whether ``until`` then nothing came of the family.

    What is not of it, for the person may not see it or there are too many, makes no difference to what is told when.
    """
    while (left := until - time.monotonic()) > 0:
        try:
            delta = follower.get(left)
        except Behind:
            return family.look(), False
        if delta is None:
            break
        news = family.take(delta.row)
        if delta.row.id in family:
            return news, False
    return family.look(), True


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

    def __contains__(self, execution_id: str) -> bool:
        return execution_id in self._rows

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
        self.full = self.full and len(self._rows) > RELATED_MAX
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
        """What executions triggered or made, and so on, likewise; read only while some of it may join."""
        news = []
        children = partial(self._api.store.children, within=self._wish.within, limit=RELATED_MAX + 1)
        while ids:
            self._api.answers.widen(self._follower, ids, below=True)
            if self.full:
                break
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
