"""Bulk operations on real servers: partial success, a fixed selection, stop, retry, and a runner that is killed."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from threading import Event as Stop

import pytest

from data import Store
from data.audit import AuditQuery
from data.operation_records import Operation, OperationState, Result
from engine.flow import parse
from engine.ids import new_id
from engine.states import Action, State
from streaming import codec, keys
from streaming.bus import Bus
from streaming.commands import Commands
from streaming.messages import ActionDetails, Deltas, ExecutionCreated
from streaming.operations import OperationEnded, OperationRefused, Operations, Rights, Selection, runner
from streaming.operations.runner import NO_ANSWER, Runner
from tests.integration.executor_world import executor, running, state_of
from tests.threads import in_thread
from tests.waiting import until
from watchfloor.settings import Settings

WAITS = """
id: waits
namespace: company.team
tasks:
  - id: pause
    type: io.kestra.plugin.core.flow.Pause
"""
PAUSED = "filters[state][IN]=PAUSED"


class World:
    """A store, a bus, and an executor that is at work when it is wanted."""

    def __init__(self, tmp_path: Path, valkey_url: str, database_url: str) -> None:
        self.settings = Settings(
            data_dir=tmp_path, redis_url=valkey_url, database_url=database_url, flows_dir=tmp_path / "flows"
        )
        self.store, self.bus = Store(database_url), Bus(valkey_url)
        self.bus.redis.flushall()
        self.store.save_flow(parse(WAITS))
        self.operations = Operations(self.store, self.bus, max_ids=1_000, max_items=1_000)

    def executing(self) -> object:
        """The executor at work for the time of a block."""
        return running(executor(self.settings, self.store, self.bus))

    def ask(self, count: int) -> list[str]:
        """Ask for executions; their ids."""
        ids = [new_id() for _ in range(count)]
        made = [ExecutionCreated(new_id(), i, datetime.now(UTC), "company.team", "waits", 1) for i in ids]
        self.bus.append_all(made)
        return ids

    def paused(self, count: int) -> list[str]:
        """Executions that wait; the executor must be at work."""
        ids = self.ask(count)
        until(lambda: all(state_of(self.store, i) is State.PAUSED for i in ids), "paused executions")
        return ids

    def start(self, action: Action, selection: Selection, **details: object) -> str:
        """Start an operation."""
        return self.operations.start(action, selection, ActionDetails(**details), actor="ada", reason="drill")

    def ended(self, operation_id: str, state: OperationState = OperationState.DONE) -> Operation:
        """The operation once it has ended."""
        until(lambda: self.operations.get(operation_id).state is state, f"the operation {state}")
        return self.operations.get(operation_id)

    def results(self, operation_id: str) -> dict[str, Result]:
        """Result by execution."""
        _, items = self.store.operation_results(operation_id, size=1_000)
        return {item.execution_id: item.result for item in items}

    def answers(self) -> Counter[str]:
        """How often each execution was acted on, over all commits."""
        commits = [
            codec.decode_live(entry.payload) for entry in self.bus.read(keys.DELTAS, "0-0", count=10_000, block_ms=None)
        ]
        deltas = [commit for commit in commits if isinstance(commit, Deltas)]
        return Counter(item.row.id for commit in deltas for item in commit.items for _ in item.answers)


@pytest.fixture
def world(tmp_path: Path, valkey_url: str, database_url: str) -> Iterator[World]:
    world = World(tmp_path, valkey_url, database_url)
    yield world
    world.store.close()
    world.bus.close()


@contextmanager
def at_work(world: World) -> Iterator[Runner]:
    """A runner in a thread."""
    made = Runner(world.store, world.bus, most=100, keep_days=1)
    with in_thread(made.run):
        yield made


def run(redis_url: str, database_url: str) -> None:
    """In another process: run operations."""
    Runner(Store(database_url), Bus(redis_url), most=20, keep_days=1).run(Stop())


def test_each_execution_has_a_result_of_its_own(world: World) -> None:
    with world.executing(), at_work(world):
        ids = world.paused(5)
        first = world.start(Action.KILL, Selection.of_ids(ids[:2]))
        assert world.ended(first).done == 2
        selection = Selection.of_ids([*ids, "nothing-1", "nothing-2", ids[0]])
        preview = world.operations.preview(Action.KILL, selection)
        assert (preview.total, preview.done, preview.unknown) == (7, 3, ("nothing-1", "nothing-2"))
        (reason,) = preview.refused
        assert (reason.count, set(reason.examples)) == (2, set(ids[:2]))
        operation = world.ended(world.start(Action.KILL, selection))
    assert (operation.done, operation.refused, operation.unknown, operation.left) == (3, 2, 2, 0)
    _, items = world.store.operation_results(operation.id, Result.REFUSED)
    assert {item.execution_id for item in items} == set(ids[:2])
    assert items[0].why == reason.why
    assert [state_of(world.store, i) for i in ids] == [State.KILLED] * 5
    audit = world.store.audits(operation.id)[0]
    assert (audit.action, audit.actor, audit.reason, audit.after["total"]) == ("bulk-kill", "ada", "drill", 7)


def test_the_audit_says_of_each_execution_who_changed_it_when_the_operation_is_long_forgotten(world: World) -> None:
    labels = {"team": "data"}
    with world.executing(), at_work(world):
        ids = world.paused(3)
        relabelled = world.start(Action.LABELS, Selection.of_ids(ids), labels=labels)
        world.ended(relabelled)
        killed = world.start(Action.KILL, Selection.of_ids([*ids[:2], "nothing"]))
        world.ended(killed)
        deleted = world.start(Action.DELETE, Selection.of_ids(ids), removes=("logs",))
        assert world.ended(deleted).refused == 1
    for operation_id in (relabelled, killed, deleted):
        while world.store.forget_operation_step(operation_id):
            pass
    expected = [
        ("delete", deleted, {"state": "KILLED"}, {"removes": ["logs"]}),
        ("kill", killed, {"state": "PAUSED"}, {"state": "KILLED"}),
        ("labels", relabelled, {"labels": {}}, {"labels": labels}),
    ]
    for one, rows in zip(ids, (expected, expected, expected[2:]), strict=True):
        found = world.store.audits(query=AuditQuery(target=one))
        assert [(row.action, row.origin, row.before, row.after) for row in found] == rows
        assert {(row.actor, row.reason) for row in found} == {("ada", "drill")}
    assert world.store.audits("nothing") == []


def test_the_audit_says_what_the_executor_refused(world: World) -> None:
    commands = Commands(world.store, world.bus)
    with world.executing():
        (one,) = world.paused(1)
    for reason in ("first", "second"):
        commands.act(Action.RESUME, one, actor="ada", reason=reason)
    with world.executing():
        until(lambda: state_of(world.store, one) is State.SUCCESS, "the end")
        until(lambda: len(world.store.audits(one)) == 3, "the refusal")
    refused, *asked = world.store.audits(one)
    assert [(row.reason, row.origin, row.before) for row in asked] == [
        ("second", "ui", {"state": "PAUSED"}),
        ("first", "ui", {"state": "PAUSED"}),
    ]
    assert (refused.action, refused.actor, refused.reason, refused.origin) == ("resume", "ada", "second", "executor")
    assert "the execution is SUCCESS now" in refused.after["refused"]


def test_the_selection_of_a_filter_is_fixed_when_it_is_confirmed(world: World) -> None:
    with world.executing():
        before = world.paused(3)
        operation_id = world.start(Action.KILL, Selection.of_filters(PAUSED))
        after = world.paused(2)
        with at_work(world):
            assert world.ended(operation_id).total == 3
    assert [state_of(world.store, i) for i in before] == [State.KILLED] * 3
    assert [state_of(world.store, i) for i in after] == [State.PAUSED] * 2
    preview = world.operations.preview(Action.RESUME, Selection.of_filters(""))
    assert (preview.total, preview.done, preview.refused[0].count) == (5, 2, 3)
    with pytest.raises(OperationRefused, match="none does now"):
        world.start(Action.KILL, Selection.of_filters("filters[state][IN]=RUNNING"))


def test_a_stopped_operation_leaves_the_rest_and_the_retry_does_it(world: World) -> None:
    with world.executing():
        ids = world.paused(200)
    with at_work(world) as made:
        operation_id = world.start(Action.RESUME, Selection.of_ids(ids))
        until(lambda: made.pace.outstanding > 0, "some that are told of")
        world.operations.stop(operation_id, actor="ada")
        with pytest.raises(OperationEnded, match="still runs"):
            world.operations.retry(operation_id, actor="ada")
        with world.executing():
            stopped = world.ended(operation_id, OperationState.STOPPED)
            assert 0 < stopped.done < 200
            assert Counter(world.results(operation_id).values()) == {
                Result.DONE: stopped.done,
                Result.STOPPED: 200 - stopped.done,
            }
            with pytest.raises(OperationEnded, match="this one is STOPPED"):
                world.operations.stop(operation_id, actor="ada")
            again = world.ended(world.operations.retry(operation_id, actor="ada"))
            assert (again.retry_of, again.total, again.done) == (operation_id, stopped.left, stopped.left)
            with pytest.raises(OperationRefused, match="Nothing of it"):
                world.operations.retry(again.id, actor="ada")
            until(lambda: all(state_of(world.store, i) is State.SUCCESS for i in ids), "all resumed")
    assert set(world.answers().values()) == {1}


def test_a_runner_that_is_killed_leaves_nothing_out_and_nothing_is_done_twice(world: World, database_url: str) -> None:
    context = get_context("forkserver")  # real processes, but the modules are imported once for all of them
    context.set_forkserver_preload(["tests.integration.test_operations"])
    redis_url = world.settings.resolved_redis_url
    with world.executing():
        ids = world.paused(240)
        operation_id = world.start(Action.KILL, Selection.of_ids(ids))
        for share in (30, 100):
            process = context.Process(target=run, args=(redis_url, database_url))
            process.start()
            until(lambda share=share: world.operations.get(operation_id).answered >= share, "a part of it")
            process.kill()
            process.join()
            assert process.exitcode == -signal.SIGKILL
        assert world.operations.get(operation_id).left > 0
        with at_work(world):
            operation = world.ended(operation_id)
    assert (operation.done, operation.refused, operation.unknown) == (240, 0, 0)
    assert world.answers() == dict.fromkeys(ids, 1)
    rows = world.store.audits(query=AuditQuery(origin=operation_id), limit=1_000)
    assert Counter(row.target for row in rows) == dict.fromkeys(ids, 1)


def test_what_a_runner_before_told_is_none_of_what_the_next_one_waits_for(world: World) -> None:
    with world.executing():
        ids = world.paused(120)
    operation_id = world.start(Action.KILL, Selection.of_ids(ids))
    Runner(world.store, world.bus, most=100, keep_days=1).step()  # and no more is heard of it
    with at_work(world) as runner:
        until(lambda: runner._running, "it to wait")
        with world.executing():
            operation = world.ended(operation_id)
    assert (operation.done, operation.refused, operation.unknown) == (120, 0, 0)
    assert world.answers() == dict.fromkeys(ids, 1)


def test_what_got_lost_on_the_way_is_told_again_and_at_last_given_up(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "_STALLED", 0.2)
    with world.executing(), at_work(world):
        ids = world.paused(4)
        told = monkeypatch.setattr(world.bus, "append_all", lambda events: len(list(events)))
        assert told is None
        operation = world.ended(world.start(Action.KILL, Selection.of_ids(ids)))
    assert operation.refused == 4
    assert {item.why for item in world.store.operation_results(operation.id)[1]} == {NO_ANSWER}


def test_what_somebody_may_not_act_on_is_refused_before_it_is_asked_for(world: World) -> None:
    rights = Rights(
        everywhere=False,
        reads=lambda namespace: namespace != "secret",
        refuses=lambda namespace: f"not in {namespace}",
    )
    with world.executing(), at_work(world):
        ids = world.paused(2)
        selection = Selection.of_ids([*ids, "nothing"])
        preview = world.operations.preview(Action.KILL, selection, rights=rights)
        assert [(reason.why, reason.count) for reason in preview.refused] == [("not in company.team", 2)]
        operation_id = world.operations.start(Action.KILL, selection, actor="bob", rights=rights)
        operation = world.ended(operation_id)
    assert (operation.refused, operation.unknown, operation.done) == (2, 1, 0)
    assert [state_of(world.store, i) for i in ids] == [State.PAUSED] * 2


def test_what_somebody_may_not_look_at_is_answered_as_what_is_not_there(world: World) -> None:
    rights = Rights(everywhere=False, reads=lambda namespace: False)
    with world.executing(), at_work(world):
        ids = world.paused(2)
        selection = Selection.of_ids([*ids, "nothing"])
        operation_id = world.operations.start(Action.DELETE, selection, actor="bob", rights=rights)
        operation = world.ended(operation_id)
        with pytest.raises(OperationRefused, match="Nothing of it"):
            world.operations.retry(operation_id, actor="bob", rights=rights)
    assert (operation.unknown, operation.refused, operation.done) == (3, 0, 0)
    assert {item.why for item in world.store.operation_results(operation_id)[1]} == {None}
    assert [state_of(world.store, i) for i in ids] == [State.PAUSED] * 2
