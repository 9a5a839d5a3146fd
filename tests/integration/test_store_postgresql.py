"""PostgreSQL going away, refusing, and coming back; and what it has to do as SQLite does."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
import sqlalchemy as sa

from data import Store, StoreUnavailable
from data.counts import Counting
from data.database import make_engine, transaction
from data.records import ExecutionQuery, LogQuery
from data.texts import NUL
from engine.states import State
from scripts.postgresql import Cluster, postgres
from streaming.messages import LogBatch, LogLine
from tests.integration.test_store_commits import made, write

NOW = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A server of our own, that may be stopped."""
    with postgres() as cluster:
        store = Store(cluster.create("watchfloor"))
        store.migrate()
        store.close()
        yield cluster


@pytest.fixture
def here(cluster: Cluster) -> Iterator[Store]:
    """A store on it."""
    store = Store(cluster.url("watchfloor"))
    yield store
    store.close()


@pytest.mark.parametrize("end", [Cluster.stop, Cluster.kill, lambda c: c.stop(signal.SIGQUIT)])
def test_a_server_that_was_away_is_used_again_at_the_first_try(
    cluster: Cluster, here: Store, end: Callable[[Cluster], None]
) -> None:
    with here._read(), here._read(), here._write():  # several connections in the pool
        pass
    here.probe()
    end(cluster)
    for use in (here.ping, here.probe, here.make_login_token):
        with pytest.raises(StoreUnavailable, match="connection"):
            use()
    cluster.start()
    for use in (here.ping, here.probe, here.make_login_token):
        use()
    with here._read(), here._read(), here._write():
        pass


def test_a_server_that_goes_in_the_middle_is_unavailable(cluster: Cluster, here: Store) -> None:
    def die_between_statements() -> None:
        with here._write() as connection:
            connection.execute(sa.text("SELECT 1"))
            cluster.stop()
            connection.execute(sa.text("SELECT 1"))

    try:
        with pytest.raises(StoreUnavailable, match=r"terminating connection|closed the connection"):
            die_between_statements()
    finally:
        cluster.start()
    here.ping()


def test_one_connection_ended_by_the_server_is_not_noticed(cluster: Cluster, here: Store) -> None:
    here.ping()
    cluster.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = 'watchfloor'")
    here.ping()


def test_no_connections_left(cluster: Cluster, here: Store) -> None:
    cluster.execute("ALTER DATABASE watchfloor CONNECTION LIMIT 0")
    cluster.execute("CREATE USER guest")
    cluster.execute("GRANT ALL ON DATABASE watchfloor TO guest")
    guest = Store(cluster.url("watchfloor").replace("//watchfloor@", "//guest@"))
    try:
        with pytest.raises(StoreUnavailable, match="too many connections"):
            guest.ping()
    finally:
        guest.close()
        cluster.execute("ALTER DATABASE watchfloor CONNECTION LIMIT -1")


def test_a_pool_in_use_says_which_setting(cluster: Cluster) -> None:
    engine = make_engine(sa.make_url(cluster.url("watchfloor")), connections=1, wait=0.05)
    with transaction(engine), pytest.raises(StoreUnavailable, match="WATCHFLOOR_DATABASE_CONNECTIONS"):
        with transaction(engine):
            pass
    with transaction(engine) as connection:
        assert connection.scalar(sa.text("SELECT 1")) == 1
    engine.dispose()


def test_a_server_that_takes_no_writes(cluster: Cluster) -> None:
    cluster.execute("ALTER DATABASE watchfloor SET default_transaction_read_only = on")
    store = Store(cluster.url("watchfloor"))
    try:
        store.ping()
        with pytest.raises(StoreUnavailable, match=r"read-only.*connect to the primary"):
            store.probe()
        with pytest.raises(StoreUnavailable, match=r"read-only.*connect to the primary"):
            store.make_login_token()
    finally:
        store.close()
        cluster.execute("ALTER DATABASE watchfloor SET default_transaction_read_only = off")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("/watchfloor?", "/nothing?"), 'database "nothing" does not exist'),
        (("//watchfloor@", "//nobody@"), 'role "nobody" does not exist'),
        (("/watchfloor?", "/postgres?"), "`watchfloor migrate` makes them"),
    ],
)
def test_what_is_wrong_with_the_url_is_said(cluster: Cluster, change: tuple[str, str], said: str) -> None:
    store = Store(cluster.url("watchfloor").replace(*change))
    with pytest.raises(StoreUnavailable, match=said):
        store.ping()
    store.close()


# -- over both


def test_a_page_its_total_and_its_counts_are_of_one_moment(
    store: Store, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Store(database_url)
    write(store, made())
    counted = Counting.count

    def count_and_let_others_write(self: Counting, *args: object) -> object:
        found = counted(self, *args)  # type: ignore[arg-type]
        write(other, made(State.SUCCESS), position="2-2")
        return found

    monkeypatch.setattr(Counting, "count", count_and_let_others_write)
    page = store.search(ExecutionQuery(now=NOW))
    assert (len(page.rows), page.total, page.counts) == (1, 1, {State.RUNNING: 1})
    assert page.positions == {"wf:events": "1-1"}
    monkeypatch.undo()
    assert store.search(ExecutionQuery(now=NOW)).total == 2
    other.close()


def test_a_nul_is_written_as_its_symbol(store: Store) -> None:
    given = made(State.FAILED, labels={"a": "b\x00c"}, error="bo\x00om")
    write(store, given)
    assert store.load(given.id) == given
    line = LogLine(1, NOW, "INFO", "before\x00after")
    (entry,) = store.append_logs("1-1", [LogBatch("e", "n", "f", "t", "tr", 1, (line,))])
    assert entry.message == f"before{NUL}after"
    assert store.log_window(LogQuery("e", q="after")).entries == [entry]
    store.audit("ada", "kill", "e", reason="because\x00")
    assert store.audits()[0].reason in (f"because{NUL}", "because\x00")


def test_flows_saved_at_the_same_time_get_each_its_revision(store: Store, database_url: str) -> None:
    threads = [threading.Thread(target=save, args=(database_url, number)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [flow.revision for flow in store.revisions("company.team", "busy")] == list(range(1, 9))


def save(url: str, number: int) -> None:
    """Another process's way of saving a flow."""
    given = SimpleNamespace(id="busy", namespace="company.team", source=f"n: {number}", description=None, labels={})
    given.disabled = False
    store = Store(url)
    store.save_flow(given)  # type: ignore[arg-type]
    store.close()


def test_two_log_writers_give_no_seq_twice(store: Store, database_url: str) -> None:
    """One has not ended yet when the next one has started."""
    threads = [threading.Thread(target=append, args=(database_url, run)) for run in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.last_log_seq() == 4 * 20
    assert [store.log_window(LogQuery("e", task_run_id=f"tr-{run}")).total for run in range(4)] == [20] * 4


def append(url: str, run: int) -> None:
    """Another log writer."""
    store = Store(url)
    for number in range(20):
        line = LogLine(number, NOW, "INFO", f"line {number}")
        store.append_logs("1-1", [LogBatch("e", "n", "f", "t", f"tr-{run}", 1, (line,))])
    store.close()
