"""Triggers in the executor, against a real Valkey and a real store, through crashes."""

from __future__ import annotations

import random
import signal
import time
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path

import pytest

from data import Store
from data.filters import Condition, Filters, parse_query_string
from data.records import ExecutionQuery
from data.triggers import write_triggers
from engine.flow import parse
from engine.ids import new_id
from engine.model import Execution, Kind, evolve
from engine.states import TERMINAL, Action, State
from engine.trigger_state import Backfill, TriggerAction, TriggerState, trigger_key
from streaming import codec, keys
from streaming.bus import Bus
from streaming.executor import main as execute
from streaming.load import Synthetic
from streaming.messages import ActionRequested, ExecutionCreated, ExecutionRow, TriggerAnswer, TriggerRequested
from tests.integration.executor_world import Crash, Worker, crashing, executor, running, state_of
from tests.waiting import until
from watchfloor.settings import Settings

CORE = "io.kestra.plugin.core"
TASKS = f"tasks: [{{id: a, type: {CORE}.log.Log, message: hi}}]\n"
DAY = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path, valkey_url: str, database_url: str) -> Settings:
    return Settings(
        data_dir=tmp_path, redis_url=valkey_url, database_url=database_url, flows_dir=tmp_path / "flows",
        backfill_running=2, flow_trigger_max_chain=3,
    )  # fmt: skip


def save(store: Store, flow_id: str, triggers: str = "", more: str = "") -> None:
    triggers = f"triggers: [{{id: t, {triggers}}}]\n" if triggers else ""
    store.save_flow(parse(f"id: {flow_id}\nnamespace: company.team\n{TASKS}{more}{triggers}"))


def scheduled(cron: str) -> str:
    return f'type: {CORE}.trigger.Schedule, cron: "{cron}"'


def after(*flows: str, more: str = "") -> str:
    waited = ", ".join(f"{{namespace: company.team, flowId: {flow}}}" for flow in flows)
    return f"type: {CORE}.trigger.Flow, preconditions: {{id: p, flows: [{waited}]{more}}}"


def created(execution_id: str, flow_id: str) -> ExecutionCreated:
    return ExecutionCreated(f"c-{execution_id}", execution_id, datetime.now(UTC), "company.team", flow_id, 1)


def asked(bus: Bus, action: TriggerAction, flow_id: str = "f", backfill: Backfill | None = None) -> str:
    event_id = new_id()
    key = trigger_key("company.team", flow_id, "t")
    bus.append(TriggerRequested(event_id, key, datetime.now(UTC), action, "ada", backfill))
    return event_id


def answers(bus: Bus) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for entry in bus.read(keys.DELTAS, "0-0", count=10_000, block_ms=None):
        said: tuple[TriggerAnswer, ...] = codec.decode_live(entry.payload).answers
        found.update({answer.event_id: answer.refused for answer in said})
    return found


def state(store: Store, flow_id: str = "f") -> TriggerState:
    (found,) = store.trigger_states("company.team", flow_id)
    return found


def executions(store: Store, flow_id: str = "f") -> list[Execution]:
    """Those of a flow, in the order of their ids."""
    filters = Filters((Condition("flowId", "EQUALS", (flow_id,)),))
    page = store.search(ExecutionQuery(filters, size=500))
    return sorted(store.load_many([row.id for row in page.rows]).values(), key=lambda item: item.id)


def all_over(store: Store, count: int, flow_id: str = "f") -> bool:
    found = executions(store, flow_id)
    return len(found) >= count and all(item.state in TERMINAL for item in found)


def test_a_scheduled_flow_runs_once_a_date(settings: Settings, store: Store, bus: Bus) -> None:
    save(store, "f", scheduled("* * * * * *"))
    with running(executor(settings, store, bus)):
        until(lambda: len(executions(store)) >= 3, "three dates")
    dates = [item.trigger.variables["date"] for item in executions(store) if item.trigger]
    assert len(dates) == len(set(dates))
    assert state(store).execution_id == executions(store)[-1].id


def test_a_schedule_goes_on_where_it_was_when_the_executor_was_killed(
    settings: Settings, store: Store, bus: Bus
) -> None:
    save(store, "f", scheduled("* * * * * *"))
    context = get_context("forkserver")
    context.set_forkserver_preload(["streaming.executor"])
    for turn in range(3):
        process = context.Process(target=execute, args=(settings,))
        process.start()
        try:
            until(lambda turn=turn: len(executions(store)) >= 2 * turn + 2, "some dates")
        finally:
            process.kill()
            process.join()
        assert process.exitcode == -signal.SIGKILL
    dates = [datetime.fromisoformat(item.trigger.variables["date"]) for item in executions(store) if item.trigger]
    assert dates == [dates[0] + timedelta(seconds=n) for n in range(len(dates))]  # none twice, none left out


def test_flow_changes_are_taken_up_at_once(settings: Settings, store: Store, bus: Bus) -> None:
    made = executor(settings, store, bus)
    with running(made):
        save(store, "f", scheduled("0 0 1 1 *"))
        made.flows_changed()
        until(lambda: store.trigger_states() and state(store).next_at, "the first date")
        save(store, "f", scheduled("0 0 2 1 *"))
        made.flows_changed()
        until(lambda: state(store).next_at.day == 2, "the second")
        save(store, "f")
        made.flows_changed()
        until(lambda: store.trigger_states() == [], "none")


def test_a_backfill_comes_in_order_and_never_more_at_a_time(settings: Settings, store: Store, bus: Bus) -> None:
    save(store, "f", scheduled("*/10 * * * *"))
    with running(executor(settings, store, bus)):
        until(store.trigger_states, "the trigger")
        first = asked(bus, TriggerAction.BACKFILL_CREATE, backfill=Backfill("", DAY, DAY + timedelta(hours=1), None))
        again = asked(bus, TriggerAction.BACKFILL_CREATE, backfill=Backfill("", DAY, DAY, None))
        until(lambda: all_over(store, 7), "all to end")
        until(lambda: state(store).backfill is None, "the backfill to end")
    assert answers(bus)[first] is None
    assert "is going on" in str(answers(bus)[again])
    found = executions(store)
    dates = [item.trigger.variables["date"][11:16] for item in found if item.trigger]
    assert dates == ["00:00", "00:10", "00:20", "00:30", "00:40", "00:50", "01:00"]
    assert all(item.labels["system.backfill"] == "true" for item in found)
    assert most_at_once(found) <= 2


def most_at_once(found: list[Execution]) -> int:
    changes = sorted(change for item in found for change in ((item.history[0].date, 1), (item.history[-1].date, -1)))
    counts = [sum(change for _, change in changes[: n + 1]) for n in range(len(changes))]
    return max(counts)


@pytest.mark.parametrize("seed", range(3))
def test_crashes_at_any_point_of_a_backfill_leave_out_no_date_and_run_none_twice(
    settings: Settings, store: Store, bus: Bus, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(store, "f", scheduled("*/5 * * * *"))
    save(store, "g", after("f"))
    dice = random.Random(seed)
    worker = Worker(bus)
    asked(bus, TriggerAction.BACKFILL_CREATE, backfill=Backfill("", DAY, DAY + timedelta(minutes=50), None))
    for target, name, chance in ((store, "commit", 0.1), (bus, "append_all", 0.1), (bus, "publish_deltas", 0.1)):
        monkeypatch.setattr(target, name, crashing(getattr(target, name), chance, dice))
    crashes, deadline = 0, time.monotonic() + 60
    while not (all_over(store, 11) and all_over(store, 11, "g")):
        assert time.monotonic() < deadline
        try:
            alive = executor(settings, store, bus, worker)
            alive._recover()
            for _ in range(20):
                alive.step()
        except Crash:
            crashes += 1
    assert crashes > 3
    dates = [item.trigger.variables["date"][11:16] for item in executions(store) if item.trigger]
    assert dates == [f"00:{minute:02}" for minute in range(0, 55, 5)]
    by = [item.trigger.variables["executionId"] for item in executions(store, "g") if item.trigger]
    assert sorted(by) == [item.id for item in executions(store)]


def test_a_switch_survives_the_executor(settings: Settings, store: Store, bus: Bus) -> None:
    save(store, "f", scheduled("* * * * * *"))
    with running(executor(settings, store, bus)):
        until(lambda: executions(store), "a date")
        asked(bus, TriggerAction.DISABLE)
        until(lambda: state(store).disabled, "it to be off")
        until(lambda: store.position(keys.EVENTS) == bus.last_id(keys.EVENTS), "those of before")
    count = len(executions(store))
    with running(executor(settings, store, bus)):
        again = asked(bus, TriggerAction.RESTART)
        until(lambda: again in answers(bus), "its answer")
        assert state(store).disabled
        assert len(executions(store)) == count
        asked(bus, TriggerAction.ENABLE)
        until(lambda: len(executions(store)) > count, "another date")


def test_a_flow_starts_when_two_others_have_ended_even_over_a_restart(
    settings: Settings, store: Store, bus: Bus
) -> None:
    for name in ("a", "b"):
        save(store, name, more=f"outputs: [{{id: {name}, type: STRING, value: from {name}}}]\n")
    save(store, "f", after("a", "b"))
    bus.append(created("a1", "a"))
    with running(executor(settings, store, bus)):
        until(lambda: store.trigger_states() and state(store).met, "the first of them")
    bus.append(created("b1", "b"))
    with running(executor(settings, store, bus)):
        until(lambda: all_over(store, 1), "it to start")
    (item,) = executions(store)
    assert item.trigger is not None
    assert item.trigger.variables["executionId"] == "b1"
    assert item.trigger.variables["outputs"] == {"a": "from a", "b": "from b"}
    assert state(store).met == {}


def test_flows_that_start_each_other_come_to_an_end(settings: Settings, store: Store, bus: Bus) -> None:
    save(store, "f", after("g"))
    save(store, "g", after("f"))
    bus.append(created("begin", "f"))
    with running(executor(settings, store, bus)):
        until(lambda: any(one.error for one in store.trigger_states()), "the end")
        until(lambda: all_over(store, 2, "f") and all_over(store, 2, "g"), "all to end")
    assert len(executions(store, "f")) + len(executions(store, "g")) == 4
    (error,) = [one.error for one in store.trigger_states() if one.error]
    assert "WATCHFLOOR_FLOW_TRIGGER_MAX_CHAIN" in error


def test_a_flow_trigger_hears_of_an_end_that_a_person_gives(settings: Settings, store: Store, bus: Bus) -> None:
    save(store, "f")
    save(store, "g", f"type: {CORE}.trigger.Flow, states: [FAILED]")
    bus.append(created("begin", "f"))
    with running(executor(settings, store, bus)):
        until(lambda: all_over(store, 1), "the end")
        assert executions(store, "g") == []
        changed = ActionRequested(new_id(), "begin", datetime.now(UTC), Action.CHANGE_STATUS, "ada", state=State.FAILED)
        bus.append(changed)
        until(lambda: all_over(store, 1, "g"), "what hears of it")
    (started,) = executions(store, "g")
    assert started.trigger is not None
    assert (started.trigger.variables["executionId"], started.trigger.variables["state"]) == ("begin", "FAILED")


def test_what_a_flow_trigger_starts_is_a_child_and_a_replay_is_none(settings: Settings, store: Store, bus: Bus) -> None:
    save(store, "f")
    save(store, "g", after("f"))
    bus.append(created("begin", "f"))
    with running(executor(settings, store, bus)):
        until(lambda: all_over(store, 1, "g"), "what it triggers")
        bus.append(ActionRequested(new_id(), "begin", datetime.now(UTC), Action.REPLAY, "ada", new_id="again"))
        until(lambda: all_over(store, 2, "g"), "what the replay triggers")
    listed = {
        text: {(row.flow_id, row.triggered_by, row.parent_id) for row in found(store, text)}
        for text in ("childFilter=CHILD", "childFilter=MAIN", "triggerExecutionId=begin", "filters[parentId][IN]=begin")
    }
    by_begin, by_again = ("g", "begin", None), ("g", "again", None)
    assert listed == {
        "childFilter=CHILD": {by_begin, by_again},
        "childFilter=MAIN": {("f", None, None), ("f", None, "begin")},
        "triggerExecutionId=begin": {by_begin},
        "filters[parentId][IN]=begin": {("f", None, "begin")},
    }
    assert [row.flow_id for row in store.children("begin")] == ["g", "f"]


def found(store: Store, text: str) -> list[ExecutionRow]:
    """Those that filters find, each counted."""
    page = store.search(ExecutionQuery(parse_query_string(text)))
    assert page.total == sum(page.counts.values()) == len(page.rows)
    return page.rows


def test_missed_dates_are_made_up_for_after_a_stop(settings: Settings, store: Store, bus: Bus) -> None:
    save(store, "f", scheduled("*/10 * * * *") + ", recoverMissedSchedules: ALL")
    with running(executor(settings, store, bus)):
        until(store.trigger_states, "the trigger")
    past = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=2)
    made = executor(settings, store, bus)
    late = state(store)
    with store._write() as connection:
        write_triggers(connection, store.dialect, [evolve(late, next_at=past)])
    with running(made):
        until(lambda: all_over(store, 12) and state(store).missed is None, "all of them")
    dates = [datetime.fromisoformat(item.trigger.variables["date"]) for item in executions(store) if item.trigger]
    assert dates == [past + timedelta(minutes=10 * n) for n in range(len(dates))]
    assert len(dates) >= 12


def test_inputs_that_do_not_fit_make_an_execution_that_says_so(settings: Settings, store: Store, bus: Bus) -> None:
    save(store, "f", scheduled("* * * * * *"), more="inputs: [{id: day, type: DATE}]\n")
    with running(executor(settings, store, bus)):
        until(lambda: all_over(store, 1), "a date")
    item = executions(store)[0]
    assert item.state is State.FAILED
    assert item.error == "inputs of trigger t: day: expected a value, came none"


def test_synthetic_executions_start_nothing(settings: Settings, store: Store, bus: Bus) -> None:
    save(store, "f", f"type: {CORE}.trigger.Flow")
    source = Synthetic(seed=1, alive=5)
    events = [source.next_event() for _ in range(300)]
    bus.append_all(events)
    with running(executor(settings, store, bus)):
        until(lambda: state_of(store, events[-1].execution_id), "the last of them")
        until(lambda: store.position(keys.EVENTS) == bus.last_id(keys.EVENTS), "the stream's end")
    assert executions(store) == []


def test_tests_and_playgrounds_start_nothing(settings: Settings, store: Store, bus: Bus) -> None:
    save(store, "f")
    save(store, "g", f"type: {CORE}.trigger.Flow, states: [SUCCESS]")
    kinds = {"try": Kind.TEST, "play": Kind.PLAYGROUND, "real": Kind.NORMAL}
    bus.append_all(evolve(created(name, "f"), kind=kind) for name, kind in kinds.items())
    with running(executor(settings, store, bus)):
        until(lambda: all_over(store, 3), "all three")
        until(lambda: all_over(store, 1, "g"), "what hears of one")
    (started,) = executions(store, "g")
    assert started.trigger is not None
    assert started.trigger.variables["executionId"] == "real"


def test_triggers_work_over_partitions(settings: Settings, store: Store, bus: Bus) -> None:
    save(store, "f", scheduled("*/5 * * * *"))
    save(store, "g", after("f"))
    parts = [settings.model_copy(update={"partitions": 3, "partition": n}) for n in range(3)]
    with ExitStack() as stack:
        buses = [stack.enter_context(closing(Bus.of(part))) for part in parts]
        asked(buses[0], TriggerAction.BACKFILL_CREATE, backfill=Backfill("", DAY, DAY + timedelta(hours=1), None))
        for part, one in zip(parts, buses, strict=True):
            stack.enter_context(running(executor(part, store, one, Worker(one))))
        until(lambda: all_over(store, 13) and all_over(store, 13, "g"), "all of both")
        assert len({buses[0].partitions.of(item.id) for item in executions(store)}) > 1
    assert most_at_once(executions(store)) <= 2
    assert len(executions(store)) == len(executions(store, "g")) == 13
