"""Delete on real servers: the row and what is ticked goes, what is not stays, and what comes late does no harm."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event as Stop

import pytest

from data import Store
from data.files import Files
from data.records import LogQuery
from engine.flow import parse
from engine.ids import new_id
from engine.model import Execution
from engine.states import Action, State
from streaming import codec, keys, retention
from streaming.bus import Bus
from streaming.messages import ActionRequested, Answer, Deltas, ExecutionCreated, TaskEnded
from tests.integration.executor_world import executor, running, state_of
from tests.integration.test_retention import commit, executing, made, speak, sweeper
from tests.waiting import until
from watchfloor.settings import Settings

WAITS = (
    "id: waits\nnamespace: company.team\ntasks: [{id: ask, type: io.kestra.plugin.core.flow.Pause, pauseDuration: P1D}]"
)


@pytest.fixture
def settings(tmp_path: Path, valkey_url: str, database_url: str) -> Settings:
    return Settings(
        data_dir=tmp_path, redis_url=valkey_url, database_url=database_url, flows_dir=tmp_path, schedules=False
    )


@pytest.fixture(autouse=True)
def _brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "_REST_MAX", 0.01)


def delete(bus: Bus, execution_id: str, *removes: str, insist: bool = False) -> str:
    """Ask for it; the id of the event."""
    event_id, at = new_id(), datetime.now(UTC)
    fields = {"removes": removes, "include_non_terminated": insist}
    bus.append(ActionRequested(event_id, execution_id, at, Action.DELETE, "ada", **fields))  # type: ignore[arg-type]
    return event_id


def deltas(bus: Bus) -> list[Deltas]:
    """All commits so far."""
    return [codec.decode_live(entry.payload) for entry in bus.read(keys.DELTAS, "0-0", count=1_000, block_ms=None)]


def answers(bus: Bus) -> dict[str, Answer]:
    """What was said of executions that are no more, by event."""
    return {answer.event_id: answer for one in deltas(bus) for answer in one.absent}


def lines_of(store: Store, execution: Execution) -> int:
    return store.log_tail(LogQuery(execution.id)).total


@pytest.mark.parametrize("removes", [(), ("logs",), ("logs", "metrics", "files")])
def test_what_is_ticked_goes_and_the_rest_stays(
    settings: Settings, store: Store, bus: Bus, removes: tuple[str, ...]
) -> None:
    gone, other = made(1, 2), made(2, 2)
    commit(store, gone, other)
    for execution in (gone, other):
        speak(store, execution, 20)
    files = Files(settings.resolved_files_url)
    path = f"{gone.namespace}/{gone.flow_id}/{gone.id}/report.txt"
    files.write(path, b"figures")
    store.audit("ada", "delete", gone.id, "old", origin="ui")
    with executing(settings, store, bus):
        asked = delete(bus, gone.id, *removes)
        until(lambda: store.row(gone.id) is None, "the row to go")
        again = delete(bus, gone.id)
        late = TaskEnded(new_id(), gone.id, datetime.now(UTC), "tr-1", 1, State.SUCCESS)
        bus.append(late)
        until(lambda: {asked, again} <= answers(bus).keys(), "both answers")
    assert sweeper(settings, store, bus).sweep(Stop()) == 1
    assert (answers(bus)[asked].refused, answers(bus)[again].refused) == (None, f"There is no execution {gone.id}.")
    assert [row.id for one in deltas(bus) for row in one.removed] == [gone.id]
    assert store.load(gone.id) is None
    assert store.task_runs_of(gone.id, 10) == []
    assert store.ended_by_namespace() == {"company.team": 1}
    assert {
        "logs": lines_of(store, gone) == 0,
        "metrics": store.metrics(gone.id) == [],
        "files": not files.list(path.rpartition("/")[0]),
    } == {part: part in removes for part in ("logs", "metrics", "files")}
    assert (lines_of(store, other), len(store.metrics(other.id)), store.row(other.id) is not None) == (20, 1, True)
    assert [(row.origin, row.after) for row in store.audits(gone.id)] == [
        ("executor", {"refused": f"There is no execution {gone.id}."}),
        ("ui", None),
    ]
    assert store.pruned_waiting() == 0


def test_lines_that_come_after_it_went_go_too(
    settings: Settings, store: Store, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "SETTLED", timedelta(seconds=2))
    fresh = made(1, 0)
    fresh = made(int((datetime.now(UTC) - fresh.start_date).total_seconds()) + 1, 0)
    commit(store, fresh)
    speak(store, fresh, 5)
    with executing(settings, store, bus):
        delete(bus, fresh.id, "logs", "metrics", "files")
        until(lambda: store.row(fresh.id) is None, "the row to go")
    broom = sweeper(settings, store, bus)
    assert broom.sweep(Stop()) == 1
    assert (lines_of(store, fresh), store.pruned_waiting()) == (0, 1)
    speak(store, fresh, 3)
    assert lines_of(store, fresh) == 3
    until(lambda: broom.sweep(Stop()) == 1, "the second time")
    assert (lines_of(store, fresh), store.pruned_waiting()) == (0, 0)


def test_what_has_not_ended_is_killed_first(settings: Settings, store: Store, bus: Bus) -> None:
    store.save_flow(parse(WAITS))
    with running(executor(settings, store, bus)):
        bus.append(ExecutionCreated("c-x", "x", datetime.now(UTC), "company.team", "waits", 1))
        until(lambda: state_of(store, "x") is State.PAUSED, "the pause")
        assert [timer.execution_id for timer in store.timers()] == ["x"]
        refused = delete(bus, "x")
        until(lambda: refused in {a.event_id for d in deltas(bus) for i in d.items for a in i.answers}, "the refusal")
        assert state_of(store, "x") is State.PAUSED
        asked = delete(bus, "x", "logs", insist=True)
        until(lambda: store.row("x") is None, "its end")
        until(lambda: asked in answers(bus), "the answer")
    assert answers(bus)[asked].refused is None
    assert store.timers() == []
