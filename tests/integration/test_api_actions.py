"""Every action on one execution over REST, against a real store, bus and executor."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from engine.states import ACTIONS, Action
from tests.integration.api_world import ASKS, FAILS, FLOW, HANGS, World, running

STEPS = """\
id: steps
namespace: company.steps
inputs:
  - {id: who, type: STRING, defaults: you}
  - {id: token, type: SECRET, required: false}
tasks:
  - {id: first, type: io.kestra.plugin.core.debug.Return, format: "hello {{ inputs.who }} {{ inputs.token }}"}
  - {id: second, type: io.kestra.plugin.core.debug.Return, format: "{{ outputs.first.value }}!"}
  - {id: third, type: io.kestra.plugin.core.debug.Return, format: "{{ outputs.second.value }}?"}
"""
LIMITED = """\
id: limited
namespace: company.steps
concurrency: {limit: 1}
tasks:
  - {id: hang, type: io.kestra.plugin.scripts.shell.Commands, commands: [sleep 100]}
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, valkey_url: str, module_database_url: str) -> Iterator[World]:
    """One for all tests here: each keeps to executions of its own."""
    flows = (FLOW, HANGS, FAILS, ASKS, STEPS, LIMITED)
    with running(tmp_path_factory.mktemp("api"), valkey_url, module_database_url, *flows) as world:
        yield world


def act(world: World, execution_id: str, action: str, status: int = 200, **options: Any) -> Any:
    """An action and its answer."""
    answer = world.request("POST", f"/executions/{execution_id}/actions/{action}", **options)
    assert answer.status_code == status, answer.get_data(as_text=True)
    return answer.get_json()


def done(world: World, flow: str = "company.steps/steps", **options: Any) -> Any:
    """An execution that is over."""
    return world.execute(flow, "?wait=true", **options)


def run_id(item: Any, task: str) -> str:
    """The id of its task run of a task."""
    return next(run["id"] for run in item["taskRunList"] if run["taskId"] == task)


def labels(item: Any) -> dict[str, str]:
    """Its labels."""
    return {label["key"]: label["value"] for label in item["labels"]}


def test_a_replay_is_another_execution(world: World) -> None:
    item = done(world, data={"who": "Ada", "token": "hush"})
    made = act(world, item["id"], "replay?reason=again")
    assert made["id"] != item["id"]
    assert (made["parentId"], made["originalId"]) == (item["id"], item["id"])
    assert labels(made) == {"system.replay": "true"}
    made = world.until(made["id"], "SUCCESS")
    assert made["inputs"] == {"who": "Ada", "token": "******"}
    assert labels(world.get(f"/executions/{item['id']}")) == {"system.replayed": "true"}
    found = world.get(f"/executions/search?filters[parentId][EQUALS]={item['id']}")["results"]
    assert [(one["id"], one["parentId"], one["originalId"]) for one in found] == [(made["id"], item["id"], item["id"])]
    again = act(world, made["id"], "replay")
    assert (again["parentId"], again["originalId"]) == (made["id"], item["id"])
    audit = [(row.action, row.reason, row.after and set(row.after)) for row in world.store.audits(item["id"])]
    assert ("replay", "again", {"new_id"}) in audit


def test_a_replay_from_a_task_takes_over_what_came_before(world: World) -> None:
    item = done(world, data={"token": "hush"})
    made = act(world, item["id"], f"replay?taskRunId={run_id(item, 'second')}")
    made = world.until(made["id"], "SUCCESS")
    attempts = {run["taskId"]: len(run["attempts"]) for run in made["taskRunList"]}
    assert attempts == {"first": 0, "second": 1, "third": 1}
    assert world.get(f"/outputs/{made['id']}/{run_id(made, 'third')}") == {"value": "hello you ******!?"}
    assert not {run["id"] for run in made["taskRunList"]} & {run["id"] for run in item["taskRunList"]}


def test_a_replay_with_other_inputs(world: World) -> None:
    item = done(world, data={"who": "Ada"})
    made = act(world, item["id"], "replay-with-inputs", data={"who": "Bob"})
    made = world.until(made["id"], "SUCCESS")
    assert world.get(f"/outputs/{made['id']}/{run_id(made, 'second')}") == {"value": "hello Bob !"}
    refused = act(world, done(world, "company.team/greet")["id"], "replay-with-inputs", 422, data={"times": "0"})
    assert "at least 1" in refused["message"]
    from_task = f"replay-with-inputs?taskRunId={run_id(item, 'second')}"
    assert "only in a replay from the start" in act(world, item["id"], from_task, 400, data={"who": "x"})["message"]


def test_another_revision(world: World) -> None:
    source = FAILS.replace("id: fails", "id: mended")
    assert world.request("POST", "/flows", data=source).status_code == 200
    item = done(world, "company.other/mended")
    assert item["state"]["current"] == "FAILED"
    source = source.replace("broken", "whole")
    assert world.request("PUT", "/flows/company.other/mended", data=source).status_code == 200
    restarted = act(world, item["id"], "restart?revision=2")
    assert (restarted["parentId"], restarted["flowRevision"]) == (item["id"], 2)
    assert labels(restarted) == {"system.restarted": "true"}
    assert world.until(restarted["id"], "SUCCESS")["metadata"]["attemptNumber"] == 2
    assert world.get(f"/executions/{item['id']}")["state"]["current"] == "FAILED"
    newest = act(world, item["id"], "replay?latestRevision=true")
    assert newest["flowRevision"] == 2
    assert act(world, item["id"], "replay")["flowRevision"] == 1
    for action in ("restart", "replay"):
        assert "no revision 9" in act(world, item["id"], f"{action}?revision=9", 404)["message"]
        assert "whole number from 1" in act(world, item["id"], f"{action}?revision=x", 400)["message"]


def test_breakpoints(world: World) -> None:
    started = world.execute("company.steps/steps", "?breakpoints=second,third")
    item = world.until(started["id"], "BREAKPOINT")
    assert item["breakpoints"] == [{"id": "second"}, {"id": "third"}]
    assert {run["taskId"]: run["state"]["current"] for run in item["taskRunList"]} == {
        "first": "SUCCESS",
        "second": "CREATED",
    }
    unknown = act(world, item["id"], "resume-from-breakpoint?breakpoints=nothing", 400)
    assert "one of first, second, third" in unknown["message"]
    act(world, item["id"], "resume-from-breakpoint")
    world.until(item["id"], "BREAKPOINT")
    act(world, item["id"], "force-run")
    world.until(item["id"], "SUCCESS")
    made = act(world, item["id"], f"replay?taskRunId={run_id(item, 'second')}&breakpoints=second")
    world.until(made["id"], "BREAKPOINT")
    assert world.request("DELETE", f"/executions/{made['id']}/actions/kill").status_code == 200
    world.until(made["id"], "KILLED")
    assert world.request("POST", "/executions/company.steps/steps?breakpoints=x").status_code == 400


def test_out_of_the_queue(world: World) -> None:
    ids = [world.execute("company.steps/limited")["id"] for _ in range(3)]
    world.until(ids[0], "RUNNING")
    for one in ids[1:]:
        world.until(one, "QUEUED")
    assert "RUNNING, CANCELLED, FAILED" in act(world, ids[1], "unqueue?state=SUCCESS", 400)["message"]
    assert act(world, ids[1], "unqueue?state=CANCELLED")["state"]["current"] == "CANCELLED"
    assert act(world, ids[2], "force-run")["state"]["current"] == "RUNNING"
    refused = act(world, ids[2], "unqueue?state=RUNNING", 409)
    assert (refused["state"], refused["allowed"]) == ("RUNNING", ["QUEUED"])
    for one in (ids[0], ids[2]):
        world.request("DELETE", f"/executions/{one}/actions/kill")


def test_states_are_changed(world: World) -> None:
    item = done(world, "company.other/fails")
    broken = run_id(item, "broken")
    changed = act(world, item["id"], "change-status?status=WARNING")
    assert changed["state"]["current"] == "WARNING"
    assert "expected one of" in act(world, item["id"], "change-status?status=RUNNING", 400)["message"]
    assert "expected one of" in act(world, item["id"], "change-status", 400)["message"]
    changed = act(world, item["id"], "state", json={"taskRunId": broken, "state": "SUCCESS"})
    assert {run["taskId"]: run["state"]["current"] for run in changed["taskRunList"]} == {"broken": "SUCCESS"}
    for body in ({"state": "SUCCESS"}, {"taskRunId": broken}, {"taskRunId": broken, "state": "QUEUED"}, ["x"]):
        act(world, item["id"], "state", 400, json=body)
    act(world, item["id"], "state", 409, json={"taskRunId": "nobody", "state": "SUCCESS"})


def test_labels_are_replaced(world: World) -> None:
    item = done(world)
    act(world, item["id"], "replay")
    changed = act(world, item["id"], "labels", json=[{"key": "team", "value": "red"}, {"key": "a", "value": "b"}])
    assert labels(changed) == {"team": "red", "a": "b", "system.replayed": "true"}
    assert labels(act(world, item["id"], "labels", json=[])) == {"system.replayed": "true"}
    assert "system." in act(world, item["id"], "labels", 400, json=[{"key": "system.x", "value": "y"}])["message"]
    for body in ([{"key": "team"}], ["team:red"], "team", [{"key": "team", "value": 7}]):
        act(world, item["id"], "labels", 400, json=body)
    assert labels(world.get(f"/executions/{item['id']}")) == {"system.replayed": "true"}


def test_inputs_of_a_resume_are_looked_at(world: World) -> None:
    id = world.execute("company.other/asks")["id"]
    world.until(id, "PAUSED")
    (found,) = act(world, id, "resume/validate", data={"approved": "perhaps"})["inputs"]
    assert (found["input"]["id"], found["value"]) == ("approved", "perhaps")
    assert "true or false" in found["errors"][0]["message"]
    (found,) = act(world, id, "resume/validate", data={"approved": "true"})["inputs"]
    assert (found["value"], found["errors"]) == (True, [])
    assert world.get(f"/executions/{id}")["state"]["current"] == "PAUSED"
    act(world, id, "resume", data={"approved": "true"})
    world.until(id, "SUCCESS")
    assert act(world, id, "resume/validate", 409)["allowed"] == ["PAUSED"]


def test_a_restart_of_what_went_well(world: World) -> None:
    refused = act(world, done(world)["id"], "restart", 409)
    assert "there is nothing to run again" in refused["message"]


@pytest.mark.parametrize(
    ("action", "path"),
    [
        (Action.PAUSE, "pause"),
        (Action.RESUME, "resume"),
        (Action.FORCE_RUN, "force-run"),
        (Action.UNQUEUE, "unqueue?state=RUNNING"),
        (Action.RESUME_FROM_BREAKPOINT, "resume-from-breakpoint"),
    ],
)
def test_a_state_in_which_it_does_not_work(world: World, action: Action, path: str) -> None:
    item = done(world)
    refused = act(world, item["id"], path, 409)
    assert (refused["action"], refused["state"]) == (action, "SUCCESS")
    assert set(refused["allowed"]) == ACTIONS[action].allowed
    assert refused["message"].endswith("the execution is SUCCESS now.")
    assert act(world, "nobody", path, 404)["message"] == "There is no execution nobody."
