"""Lists over 1,000,000 executions, in SQLite and in PostgreSQL: a page with its total and its counts by state.

The past is written by the seed. Each case asks for the first page, as the list does: every single filter field with
several values each, every sort, three fields combined, free text, OR groups, dates by end and by either; beside them
values of a field, and the executions before and after one in a filtered list. The first round of each case is not
counted: it finds what it needs on the disk.
"""

from __future__ import annotations

import argparse
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.results import percentiles, write
from data import Store
from data.distinct import SUGGESTED
from data.filters import Filters, parse_query_string
from data.pages import SORTS
from data.records import ExecutionQuery
from data.seed import seed
from scripts.postgresql import Cluster

PAST = 1_000_000
QUICK_PAST = 20_000
SIZE = 50
ROUNDS = 5
NOW = datetime(2026, 11, 22, 20, tzinfo=UTC)  # of the seed, so that a kept past stays the same
SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}  # nothing is kept but the past
EXAMPLES: dict[str, tuple[str, ...]] = {
    "q": ("[EQUALS]=billing", "[EQUALS]=refused", "[EQUALS]=items/17", "[EQUALS]=env:stage", "[EQUALS]=nothing+at+all"),
    "namespace": ("[IN]=synthetic.web", "[PREFIX]=synthetic", "[NOT_IN]=synthetic.ml", "[CONTAINS]=ing", "[REGEX]=ml$"),
    "flowId": ("[EQUALS]=web-sync", "[NOT_EQUALS]=web-sync", "[CONTAINS]=load", "[STARTS_WITH]=crm", "[REGEX]=^c.*t$"),
    "flowRevision": ("[EQUALS]=2", "[NOT_EQUALS]=2", "[GREATER_THAN]=1", "[IN]=1,3", "[EQUALS]=9"),
    "state": ("[IN]=FAILED,WARNING", "[NOT_IN]=SUCCESS", "[EQUALS]=SUCCESS", "[IN]=RUNNING", "[NOT_EQUALS]=FAILED"),
    "kind": ("[EQUALS]=SYNTHETIC", "[IN]=NORMAL", "[NOT_EQUALS]=NORMAL", "[IN]=TEST", "[NOT_IN]=SYNTHETIC"),
    "scope": ("[EQUALS]=USER", "[EQUALS]=SYSTEM", "[NOT_EQUALS]=SYSTEM"),
    "childFilter": ("[EQUALS]=CHILD", "[EQUALS]=MAIN"),
    "labels": ("[EQUALS][env]=prod", "[IN][team]=web,ml", "[NOT_EQUALS][env]=prod", "[CONTAINS][team]=il",
               "[EQUALS][system.synthetic]=true", "[REGEX][team]=^(ml|w.b)$"),
    "timeRange": ("[EQUALS]=PT1H", "[EQUALS]=PT24H", "[EQUALS]=PT168H", "[EQUALS]=PT720H", "[EQUALS]=PT8760H"),
    "startDate": ("[GREATER_THAN]=2026-11-10T10:10:10Z", "[LESS_THAN]=2026-11-01T05:05:05Z",
                  "[GREATER_THAN_OR_EQUAL_TO]=2026-10-25T00:00:30Z"),
    "endDate": ("[GREATER_THAN]=2026-11-10T10:10:10Z", "[LESS_THAN]=2026-11-01T05:05:05Z",
                "[GREATER_THAN_OR_EQUAL_TO]=2026-10-25T00:00:30Z"),
    "triggerId": ("[EQUALS]=hook", "[NOT_EQUALS]=hook", "[IN]=hook,schedule", "[CONTAINS]=oo", "[EQUALS]=none"),
    "triggerExecutionId": ("[EQUALS]={parent}", "[NOT_EQUALS]={parent}", "[STARTS_WITH]={parent8}", "[ENDS_WITH]={end}",
                           "[CONTAINS]={middle}"),
    "parentId": ("[EQUALS]={parent}", "[NOT_IN]={parent},x", "[STARTS_WITH]={parent8}"),
    "originalId": ("[EQUALS]={id}", "[NOT_EQUALS]={id}", "[STARTS_WITH]={id18}", "[ENDS_WITH]={end}"),
    "id": ("[EQUALS]={id}", "[NOT_IN]={id},x", "[STARTS_WITH]={id18}", "[ENDS_WITH]={end}"),
    "taskId": ("[EQUALS]=notify", "[EQUALS]=check", "[NOT_EQUALS]=notify", "[IN]=fetch,load", "[REGEX]=^t"),
}  # fmt: skip
TOGETHER: dict[str, tuple[str, ...]] = {
    "three combined": (
        "filters[namespace][PREFIX]=synthetic.web&filters[state][IN]=FAILED&filters[timeRange][EQUALS]=PT168H",
        "filters[state][IN]=FAILED,WARNING&filters[labels][EQUALS][env]=stage&filters[timeRange][EQUALS]=PT168H",
        "filters[labels][EQUALS][env]=prod&filters[labels][EQUALS][team]=ml&filters[state][EQUALS]=SUCCESS",
        "filters[flowId][CONTAINS]=load&filters[triggerId][EQUALS]=hook&filters[timeRange][EQUALS]=PT24H",
        "filters[state][NOT_IN]=SUCCESS&filters[flowRevision][EQUALS]=1&filters[childFilter][EQUALS]=CHILD",
        "filters[q][EQUALS]=refused&filters[namespace][IN]=synthetic.crm&filters[timeRange][EQUALS]=PT168H",
        "filters[state][EQUALS]=SUCCESS&filters[labels][EQUALS][env]=prod&filters[timeRange][EQUALS]=PT720H",
        "filters[namespace][IN]=synthetic.web&filters[taskId][EQUALS]=check&filters[state][IN]=FAILED",
        "filters[triggerExecutionId][STARTS_WITH]=019&filters[state][IN]=FAILED&filters[labels][EQUALS][env]=prod",
    ),
    "OR groups": (
        "filters[or][0][flowId][EQUALS]=web-sync&filters[or][1][state][IN]=FAILED",
        "filters[or][0][labels][EQUALS][team]=ml&filters[or][1][q][EQUALS]=refused&filters[timeRange][EQUALS]=PT24H",
        "filters[or][0][flowId][CONTAINS]=web&filters[or][0][state][IN]=FAILED&filters[or][1][kind][EQUALS]=NORMAL",
    ),
    "by end, by start or end": (
        "filters[timeRange][EQUALS]=PT24H&dateFilter=END_DATE",
        "filters[timeRange][EQUALS]=PT168H&dateFilter=START_OR_END_DATE",
        "filters[timeRange][EQUALS]=PT24H&dateFilter=START_OR_END_DATE&filters[state][IN]=FAILED",
        "filters[timeRange][EQUALS]=PT24H&dateFilter=END_DATE&filters[labels][EQUALS][env]=prod",
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", choices=["SQLite", "PostgreSQL"])
    parser.add_argument("--past", type=Path, help="keep the past in this folder, and take it from there again")
    parser.add_argument("--case", help="only cases with this in their name")
    options = parser.parse_args()
    past = QUICK_PAST if options.quick else PAST
    with ExitStack() as stack:
        folder = options.past or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wf-")))
        for name, home in (("SQLite", sqlite_home), ("PostgreSQL", postgresql_home)):
            if options.only in (None, name):
                with home(folder / name.lower()) as url, filled(url, past) as store:
                    measure(name, store, options.case or "")


@contextmanager
def sqlite_home(folder: Path) -> Iterator[str]:
    """URL of a database in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    yield f"sqlite:///{folder / 'watchfloor.db'}"


@contextmanager
def postgresql_home(folder: Path) -> Iterator[str]:
    """URL of a database in a server of our own, whose files are in ``folder``."""
    new = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    cluster = Cluster(folder, SETTINGS)
    try:
        cluster.start()
        yield cluster.create("watchfloor") if new else cluster.url("watchfloor")
    finally:
        cluster.stop(signal.SIGINT)


@contextmanager
def filled(url: str, past: int) -> Iterator[Store]:
    """A store with at least ``past`` executions."""
    store = Store(url)
    try:
        store.migrate()
        if sum(store.counts(Filters()).values()) < past:
            seed(store, past, now=NOW)
        yield store
    finally:
        store.close()


def measure(name: str, store: Store, wanted: str) -> None:
    """Every case of one database; prints its figures."""
    for case, works in cases(store).items():
        if wanted in case:
            samples = [taken(work) for work in works for work in (work,) * (ROUNDS + 1)]
            counted = [ms for number, ms in enumerate(samples) if number % (ROUNDS + 1)]
            write(percentiles("query", f"{name}: {case}", counted))


def taken(work: Callable[[], object]) -> float:
    """Milliseconds that it took."""
    begun = time.perf_counter()
    work()
    return (time.perf_counter() - begun) * 1000


def cases(store: Store) -> dict[str, list[Callable[[], object]]]:
    """What is asked, by the name of its case."""
    words = known_ids(store)
    made: dict[str, list[Callable[[], object]]] = {"no filter": [listing(store)]}
    for field, examples in EXAMPLES.items():
        made[field] = [listing(store, f"filters[{field}]{one.format(**words)}") for one in examples]
    for sort in SORTS:
        made[f"sorted by {sort}"] = [
            listing(store, filters, f"{sort}:{way}")
            for filters in ("", "filters[state][IN]=FAILED", "filters[labels][EQUALS][team]=ml")
            for way in ("asc", "desc")
        ]
    made["page in the middle"] = [listing(store, filters, page=page) for filters, page in (
        ("", 10_000), ("filters[labels][EQUALS][env]=prod", 6_000), ("filters[state][IN]=FAILED", 400),
    )]  # fmt: skip
    for case, queries in TOGETHER.items():
        made[case] = [listing(store, one.format(**words)) for one in queries]
    made["values of a field"] = [lambda f=field: store.distinct(f, now=NOW) for field in SUGGESTED]  # type: ignore[misc]
    made["values of a field, filtered"] = [
        lambda f=field: store.distinct(f, parse_query_string(TOGETHER["three combined"][1]), now=NOW)  # type: ignore[misc]
        for field in SUGGESTED
    ]
    made["neighbours in a list"] = [
        lambda q=query, s=sort: store.neighbours(words["id"], parse_query_string(q), s, now=NOW)  # type: ignore[misc]
        for query in ("", "filters[state][IN]=FAILED", *TOGETHER["three combined"][1:3])
        for sort in ("startDate:desc", "duration:asc")
    ]
    return made


def known_ids(store: Store) -> dict[str, str]:
    """Ids that are there, and parts of them."""
    some = store.search(ExecutionQuery(page=300, size=SIZE, now=NOW)).rows[0].id
    children = parse_query_string("filters[childFilter][EQUALS]=CHILD")
    parent = store.search(ExecutionQuery(children, page=30, size=SIZE, now=NOW)).rows[0].parent_id or ""
    return {"id": some, "id18": some[:18], "end": some[-6:], "parent": parent, "parent8": parent[:13],
            "middle": parent[20:30]}  # fmt: skip


def listing(store: Store, filters: str = "", sort: str = "startDate:desc", page: int = 1) -> Callable[[], object]:
    """Ask for a page."""
    query = ExecutionQuery(parse_query_string(filters), sort, page, SIZE, NOW)
    return lambda: store.search(query)


if __name__ == "__main__":
    main()
