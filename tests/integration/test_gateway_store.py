"""What the gateway keeps from deltas alone equals what the real store says, for every sort and many filters."""

from __future__ import annotations

import random
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from data import Store
from data.filters import parse_query_string
from data.pages import SORTS
from data.records import Commit, ExecutionQuery
from engine.model import Execution, StateChange
from engine.states import TERMINAL, State
from streaming import keys
from streaming.gateway.hub import Hub, Limits
from streaming.gateway.loader import Loader
from streaming.gateway.order import FIELDS
from streaming.gateway.sessions import Sessions
from streaming.gateway.storereads import StoreReads
from streaming.messages import Deltas, ExecutionDelta
from streaming.rows import row_of

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
from tests.unit.gateway_world import Browser, Clock, SignedIn

START = datetime.now(UTC) - timedelta(hours=1)
STATES = [State.CREATED, State.RUNNING, State.PAUSED, State.SUCCESS, State.FAILED]
FILTERS = [
    "",
    "filters[state][IN]=RUNNING,FAILED",
    "filters[namespace][IN]=ns1&filters[flowId][CONTAINS]=ow2",
    "filters[q][EQUALS]=boom",
    "filters[labels][EQUALS][team]=a",
    "filters[or][0][flowId][REGEX]=0$&filters[or][1][state][IN]=FAILED",
    "filters[timeRange][EQUALS]=P1D&dateFilter=START_OR_END_DATE&filters[flowRevision][EQUALS]=1",
]


def changed(known: dict[str, Execution], number: int, chance: random.Random) -> Execution:
    """The execution ``number`` after one more event."""
    before = known.get(f"e{number:03}")
    state = chance.choice(STATES)
    at = START + timedelta(seconds=number, milliseconds=17 * (before.version if before else 0))
    history = (*(before.history if before else ()), StateChange(state, at))
    return Execution(
        f"e{number:03}",
        f"ns{number % 3}",
        f"flow{number % 4}",
        1,
        state,
        history,
        before.version + 1 if before else 1,
        at,
        labels={"team": "ab"[number % 2]},
        error="boom" if state in TERMINAL and number % 2 else None,
    )


def test_the_gateway_sorts_by_what_the_store_sorts_by() -> None:
    assert set(FIELDS) == set(SORTS)


@pytest.mark.parametrize("seed", range(3))
def test_lists_kept_by_deltas_are_the_store_s(store: Store, seed: int) -> None:
    chance, clock = random.Random(seed), Clock()
    hub = Hub(StoreReads(store), Limits(), clock=clock, now=lambda: datetime.now(UTC))
    loader = Loader(hub, lambda work: work())
    sessions = Sessions(hub, loader, None, 500, SignedIn())  # type: ignore[arg-type]
    asks = [{"sort": f"{field}:{way}", "filters": "", "size": 7} for field in SORTS for way in ("asc", "desc")]
    asks += [
        {"sort": "startDate:desc", "filters": filters, "size": 7, "page": page}
        for filters in FILTERS
        for page in (1, 2)
    ]
    browsers = [Browser(sessions, "executions", ask) for ask in asks]
    for browser in browsers:
        browser.connect()
    known: dict[str, Execution] = {}
    for step in range(1, 60):
        numbers = {chance.randrange(40) for _ in range(chance.randrange(1, 4))}
        after = [changed(known, number, chance) for number in sorted(numbers)]
        items = tuple(ExecutionDelta(row_of(e), row_of(known[e.id]) if e.id in known else None) for e in after)
        known.update((e.id, e) for e in after)
        store.commit(Commit(stream=keys.EVENTS, position=f"{step}-0", executions=after))
        hub.deltas(f"{1000 + step}-0", Deltas("x", START, items, f"{step}-0"))
        if chance.random() < 0.5:
            clock.seconds += 0.06
            hub.flush()
            for browser in browsers:
                browser.ack()
    for _ in range(3):
        clock.seconds += 11
        loader.turn()
        hub.flush()
        for browser in browsers:
            browser.ack()
    for ask, browser in zip(asks, browsers, strict=True):
        query = ExecutionQuery(parse_query_string(ask["filters"]), ask["sort"], ask.get("page", 1), ask["size"])
        page = store.search(query)
        assert browser.ids == [row.id for row in page.rows], ask
        assert browser.shown == [(row.id, row.state.value, row.version) for row in page.rows], ask
        assert browser.total == page.total, ask
        assert {state: n for state, n in browser.counts.items() if n} == {
            s.value: n for s, n in page.counts.items() if n
        }
