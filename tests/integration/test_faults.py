"""The fault harness itself: that it sees what goes wrong, and a short seed of it on the real product."""

from __future__ import annotations

import json
import socket
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from benchmarks.chaos.fold import ListFold, LogFold, OneFold
from benchmarks.chaos.mix import NAMES, NAMESPACE, draw, watched
from benchmarks.chaos.outcome import Outcome, differences
from benchmarks.chaos.proxy import proxy_to
from benchmarks.chaos.recount import miscounted
from benchmarks.chaos.rest import unrest
from benchmarks.chaos.world import NoDisk
from benchmarks.faults import Case, Verdict, one
from data import Store, tables
from data.records import Commit, Timer
from engine.model import Execution, StateChange, TaskRun, evolve
from engine.states import State
from engine.worker.registry import RUNNING
from streaming import codec, keys
from streaming.bus import Bus
from streaming.messages import LogBatch, LogLine
from streaming.rows import row_of

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def outcome(state: str = "SUCCESS", lines: list[str] | None = None, **more: Any) -> Outcome:
    run = {"task": "a", "state": state, "attempts": [state], "lines": [lines or ["up", "done"]]}
    return Outcome({"0-flow": {"flow": "flow", "state": state, "task_runs": [run]}}, more.pop("twice", []), 0, **more)


@pytest.mark.parametrize(
    ("got", "words"),
    [
        (outcome("FAILED"), "state 'FAILED', expected 'SUCCESS'"),
        (outcome(lines=["up"]), "a: lines [['up']], expected [['up', 'done']]"),
        (outcome(lines=["up", "up", "done"]), "a: lines"),
        (outcome(twice=["run:1"]), "attempt run:1 ran twice"),
        (outcome(wrong=["1 timers"]), "1 timers"),
        (outcome(kept={"a": 1}), "key-value store {'a': 1}, expected {}"),
        (Outcome({}, [], 0), "0-flow: missing"),
    ],
)
def test_what_is_not_as_in_the_undisturbed_run_is_told(got: Outcome, words: str) -> None:
    assert differences(outcome(), outcome()) == []
    assert any(words in said for said in differences(outcome(), got))


def test_a_seed_gives_the_same_executions_each_time() -> None:
    assert draw(1, 40, 3.0) == draw(1, 40, 3.0) != draw(2, 40, 3.0)
    assert {planned.flow for planned in draw(1, 40, 3.0)} == set(NAMES)
    assert len(watched(draw(1, 40, 3.0))) == len(NAMES)


def test_the_proxy_holds_and_cuts(tmp_path: Path) -> None:
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(tmp_path / "s"))
    server.listen()

    def echo() -> None:
        peer, _ = server.accept()
        with peer:
            while data := peer.recv(100):
                peer.sendall(data)

    thread = threading.Thread(target=echo)
    thread.start()
    with proxy_to(tmp_path / "s") as proxy, socket.create_connection(("127.0.0.1", proxy.port)) as client:
        client.sendall(b"one")
        assert client.recv(100) == b"one"
        proxy.hold(0.2)
        client.settimeout(0.05)
        client.sendall(b"two")
        with pytest.raises(TimeoutError):
            client.recv(100)
        client.settimeout(5)
        assert client.recv(100) == b"two"
        proxy.cut()
        with pytest.raises(ConnectionResetError):
            client.recv(100) or (_ for _ in ()).throw(ConnectionResetError)
    thread.join(5)
    server.close()


RUN = TaskRun("r1", "a", State.SUCCESS, (StateChange(State.SUCCESS, NOW),))


def ended(version: int = 1) -> Execution:
    history = (StateChange(State.CREATED, NOW), StateChange(State.SUCCESS, NOW))
    labels = {"team": "chaos"}
    execution = Execution("e1", NAMESPACE, "sequence", 1, State.SUCCESS, history, version, NOW, labels=labels)
    return evolve(execution, task_runs=execution.task_runs.set(RUN.id, RUN))


def commit(store: Store, **more: Any) -> None:
    written = {"executions": [ended()], "task_runs": [("e1", RUN)]}
    store.commit(Commit(stream=keys.EVENTS, position="1-0", **{**written, **more}))


@pytest.mark.parametrize("table", [tables.flow_count, tables.text_count, tables.task_count, tables.label_count])
def test_a_count_that_is_not_what_there_is_is_told(store: Store, database_url: str, table: sa.Table) -> None:
    commit(store)
    assert miscounted(database_url) == []
    engine = sa.create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(sa.update(table).values(n=table.c.n + 1))
    engine.dispose()
    said = miscounted(database_url)
    assert said
    assert all(words.startswith(table.name) and words.endswith("is 2, there are 1") for words in said)


@pytest.mark.parametrize(
    ("left", "words"),
    [
        ({"outbox": b"x"}, "1 rows in the outbox"),
        ({"timers_set": [Timer("e1", "sla", NOW)]}, "1 timers"),
        ({"executions": [evolve(ended(), state=State.RUNNING)]}, "1 executions that have not ended"),
    ],
)
def test_what_a_run_leaves_in_the_store_is_told(store: Store, bus: Bus, left: dict[str, Any], words: str) -> None:
    commit(store)
    assert unrest(store, bus) == []
    commit(store, **left)
    assert unrest(store, bus) == [words]


def test_what_a_run_leaves_in_redis_is_told(store: Store, bus: Bus) -> None:
    bus.redis.hset(RUNNING, "r1:1", b"")
    bus.redis.rpush(keys.JOBS, b"")
    bus.redis.xadd(keys.LOGS, {"d": b""})
    assert unrest(store, bus) == ["1 stream of log lines not stored", "1 attempts that run", "1 jobs in the queue"]


def shown(execution: Execution) -> Any:
    return json.loads(codec.to_json(row_of(execution)))


def test_a_page_that_missed_a_change_is_told(store: Store) -> None:
    commit(store, executions=[ended(version=2)])
    rows, one_of = ListFold(NAMESPACE), OneFold("e1")
    window = {"rows": [shown(ended())], "ids": ["e1"], "total": 1, "counts": {"SUCCESS": 1}}
    rows.begin(window)
    one_of.begin({"row": shown(ended()), "task_runs": [json.loads(codec.to_json(RUN))]})
    assert len(rows.differences(store)) == len(one_of.differences(store)) == 1
    rows.take({"t": "row", "row": shown(ended(version=2))})
    one_of.take({"t": "execution", "row": shown(ended(version=2))})
    assert rows.differences(store) == one_of.differences(store) == []
    rows.take({"t": "window", "total": 2, "counts": {"SUCCESS": 2}})
    one_of.take({"t": "dropped", "version": 3, "ids": ["r1"]})
    assert len(rows.differences(store)) == 2
    assert len(one_of.differences(store)) == 1


def test_a_page_that_missed_a_line_or_has_one_twice_is_told(store: Store) -> None:
    lines = tuple(LogLine(number, NOW, "INFO", f"line {number}") for number in (1, 2, 3))
    entries = store.append_logs("1-0", [LogBatch("e1", NAMESPACE, "sequence", "a", "r1", 1, lines)])
    first, second, third = (json.loads(codec.to_json(entry)) for entry in entries)
    log = LogFold("e1")
    log.begin({"total": 1, "last_seq": first["seq"]})
    log.take({"t": "lines", "entries": [third]})
    assert len(log.differences(store)) == 1
    log.take({"t": "lines", "entries": [second]})
    assert log.differences(store) == []
    log.take({"t": "lines", "entries": [second]})
    assert len(log.differences(store)) == 1


def disturbed(seed: int, executions: int) -> Verdict:
    try:
        return one(seed, Case(executions))
    except NoDisk:  # whoever runs this may mount nothing
        return one(seed, Case(executions, without=("disk",)))


def test_a_disturbed_run_ends_as_an_undisturbed_one() -> None:
    verdict = disturbed(7, 20)
    assert verdict.said == []
    assert verdict.got is not None
    assert verdict.happened.keys() >= {"executor", "worker", "logs", "web", "pool", "valkey", "cut", "hold", "page"}
    assert verdict.answers["snapshot"]
