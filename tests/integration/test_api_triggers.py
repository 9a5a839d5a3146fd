"""Triggers and webhooks over REST, against a real store, bus and executor."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.integration.api_world import BASE, PASSWORD, World, running
from tests.waiting import until

CORE = "io.kestra.plugin.core"
TASKS = f"tasks: [{{id: say, type: {CORE}.debug.Return, format: hi}}]\n"
KEY = "a-key-that-nobody-guesses"
NIGHTLY = f"""\
id: nightly
namespace: trig.team
{TASKS}
triggers:
  - id: daily
    type: {CORE}.trigger.Schedule
    cron: "0 3 * * *"
    timezone: Europe/Paris
    stopAfter: [KILLED]
  - id: hourly
    type: {CORE}.trigger.Schedule
    cron: "@hourly"
"""
HOOKED = f"""\
id: hooked
namespace: trig.team
inputs:
  - {{id: order, type: INT}}
{TASKS}
outputs:
  - {{id: order, type: INT, value: "{{{{ inputs.order }}}}"}}
triggers:
  - id: hook
    type: {CORE}.trigger.Webhook
    key: {KEY}
    when: "{{{{ trigger.parameters.skip is not defined }}}}"
    inputs:
      order: "{{{{ trigger.body.order }}}}"
  - id: patient
    type: {CORE}.trigger.Webhook
    key: "{{{{ secret('HOOK_KEY') }}}}"
    wait: true
    returnOutputs: true
    inputs: {{order: 7}}
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, valkey_url: str, module_database_url: str) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("api")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WATCHFLOOR_SECRET_HOOK_KEY", "key-of-the-environment")
        limits = {"backfill_running": 2, "webhook_max_bytes": 1_000}
        with running(folder, valkey_url, module_database_url, NIGHTLY, HOOKED, **limits) as world:
            assert world.executor is not None
            world.executor.flows_changed()
            until(lambda: len(world.store.trigger_states()) == 4)
            yield world


def named(trigger: str, flow: str = "nightly", **more: Any) -> dict[str, Any]:
    return {"namespace": "trig.team", "flowId": flow, "triggerId": trigger, **more}


def backfill(world: World, start: str, end: str | None = None, **more: Any) -> Any:
    asked = {"start": start, "end": end, **more}
    return world.request("PUT", "/triggers/backfill/create", json=named("hourly", backfill=asked))


def state(world: World, trigger: str = "hourly") -> Any:
    found = world.get("/triggers/trig.team/nightly?size=50")["results"]
    return next(one for one in found if one["triggerId"] == trigger)


# -- reading


def test_triggers_are_searched_with_their_states(world: World) -> None:
    page = world.get("/triggers/search?filters[namespace][PREFIX]=trig&size=2&sort=triggerId:asc")
    assert (page["total"], [one["trigger"]["id"] for one in page["results"]]) == (4, ["daily", "hook"])
    daily = page["results"][0]
    assert daily["trigger"]["cron"] == "0 3 * * *"
    due = datetime.fromisoformat(daily["state"]["nextEvaluationDate"])
    assert due > datetime.now(UTC)
    assert (daily["state"]["disabled"], daily["state"]["locked"]) == (False, False)
    assert daily["state"]["stopAfter"] == ["KILLED"]
    assert world.get("/triggers/search?filters[q][EQUALS]=NIGHTLY.hour")["total"] == 1
    first = world.get("/triggers/search?sort=nextEvaluationDate:asc&size=1")["results"][0]
    assert first["state"]["triggerId"] == "hourly"
    assert world.request("GET", "/triggers/search?sort=color:asc").status_code == 400
    assert world.request("GET", "/triggers/search?filters[state][IN]=FAILED").status_code == 400
    assert [one["triggerId"] for one in world.get("/triggers/trig.team/nightly?q=dai")["results"]] == ["daily"]
    assert world.request("GET", "/triggers/trig.team/nothing").status_code == 404
    rows = world.request("GET", "/triggers/export/by-query/csv?filters[flowId][EQUALS]=nightly").get_data(as_text=True)
    assert rows.splitlines()[0].startswith("type,namespace,flowId,triggerId")
    assert len(rows.splitlines()) == 3


# -- the switch


def test_a_trigger_is_switched_off_and_on(world: World) -> None:
    off = world.request("PUT", "/triggers/set-disabled", json=named("daily", disabled=True))
    assert off.status_code == 200, off.get_data(as_text=True)
    assert (off.get_json()["disabled"], off.get_json()["why"]) == (True, "switched off by admin")
    assert "nextEvaluationDate" not in off.get_json()
    on = world.request("PUT", "/triggers/set-disabled", json=named("daily", disabled=False)).get_json()
    assert on["disabled"] is False
    assert on["nextEvaluationDate"]
    assert world.request("PUT", "/triggers/set-disabled", json=named("weekly")).status_code == 404
    assert world.request("PUT", "/triggers/set-disabled", json={"namespace": "x"}).status_code == 400


def test_many_are_switched_and_each_answers_for_itself(world: World) -> None:
    ones = [named("daily"), named("weekly"), named("hourly")]
    answer = world.request("POST", "/triggers/set-disabled/by-triggers", json={"triggers": ones, "disabled": True})
    assert answer.get_json()["totalItems"] == 3
    assert [one["triggerId"] for one in answer.get_json()["failed"]] == ["weekly"]
    assert state(world, "daily")["disabled"]
    assert state(world, "hourly")["disabled"]
    query = "/triggers/set-disabled/by-query?disabled=false&filters[flowId][EQUALS]=nightly"
    assert world.request("POST", query).get_json()["failed"] == []
    assert not state(world, "hourly")["disabled"]


@pytest.mark.parametrize(
    ("query", "body", "deleted"),
    [
        ("", {"filters": [{"field": "FLOW_ID", "operation": "EQUALS", "value": "nothing"}]}, []),
        ("", {"filters": [{"field": "query", "operation": "EQUALS", "value": "hour"}]}, ["hourly"]),
        ("?q=hour", {"filters": [{"field": "flowId", "operation": "IN", "value": ["nightly", "a,b"]}]}, ["hourly"]),
    ],
)
def test_many_are_those_that_match_the_body(world: World, query: str, body: Any, deleted: list[str]) -> None:
    for one in ("daily", "hourly"):
        world.request("PUT", "/triggers/set-disabled", json=named(one, disabled=True))
    answer = world.request("DELETE", f"/triggers/delete/by-query{query}", json=body)
    assert (answer.status_code, answer.get_json()["totalItems"]) == (200, len(deleted))
    assert {one: state(world, one)["disabled"] for one in ("daily", "hourly")} == {
        one: one not in deleted for one in ("daily", "hourly")
    }
    for one in ("daily", "hourly"):
        world.request("PUT", "/triggers/set-disabled", json=named(one, disabled=False))


@pytest.mark.parametrize(
    ("method", "path", "body", "says"),
    [
        ("DELETE", "/triggers/delete/by-query", None, "all triggers there are"),
        ("DELETE", "/triggers/delete/by-query", {}, "all triggers there are"),
        ("POST", "/triggers/set-disabled/by-query?disabled=true", None, "all triggers there are"),
        ("POST", "/triggers/backfill/delete/by-query?flow=nightly", None, "it takes filters[field][OPERATOR]"),
        ("DELETE", "/triggers/delete/by-query", {"filters": [{"field": "flowId"}]}, "operation"),
        ("DELETE", "/triggers/delete/by-query", ["flowId"], "body: expected"),
        ("POST", "/triggers/unlock/by-query", {"filters": [{"field": "x", "operation": "IN", "value": 1}]}, "'x'"),
    ],
)
def test_many_are_never_all_by_mistake(world: World, method: str, path: str, body: Any, says: str) -> None:
    answer = world.request(method, path, **({} if body is None else {"json": body}))
    assert answer.status_code == 400
    assert says in answer.get_json()["message"]


def test_unlock_has_nothing_to_do_and_says_so(world: World) -> None:
    answer = world.request("POST", "/triggers/trig.team/nightly/daily/unlock")
    assert answer.status_code == 409
    assert "never waits" in answer.get_json()["message"]


def test_restart_and_delete(world: World) -> None:
    assert world.request("POST", "/triggers/trig.team/nightly/daily/restart").get_json()["nextEvaluationDate"]
    world.request("PUT", "/triggers/set-disabled", json=named("daily"))
    assert world.request("DELETE", "/triggers/trig.team/nightly/daily").status_code == 204
    assert state(world, "daily")["disabled"] is False


# -- backfill


def test_a_backfill_is_made_held_and_given_up(world: World) -> None:
    labels = [{"key": "why", "value": "repair"}]
    made = backfill(world, "2026-01-01T00:00:00Z", "2026-01-01T10:00:00Z", labels=labels)
    assert made.status_code == 200, made.get_data(as_text=True)
    job = made.get_json()["backfill"]
    assert (job["start"], job["end"], job["paused"], job["started"]) == (
        "2026-01-01T00:00:00Z", "2026-01-01T10:00:00Z", False, 2,
    )  # fmt: skip
    again = backfill(world, "2026-01-01T00:00:00Z")
    assert again.status_code == 409
    assert "going on" in again.get_json()["message"]
    until(lambda: "backfill" not in state(world))
    found = world.get("/executions/search?filters[flowId][EQUALS]=nightly&filters[labels][EQUALS][why]=repair&size=50")
    assert found["total"] == 11
    assert world.request("PUT", "/triggers/backfill/pause", json=named("hourly")).status_code == 409


def test_a_held_backfill_waits(world: World) -> None:
    assert backfill(world, "2026-02-01T00:00:00Z", "2026-02-20T00:00:00Z").status_code == 200
    held = world.request("PUT", "/triggers/backfill/pause", json=named("hourly")).get_json()["backfill"]
    assert held["paused"] is True
    until(lambda: state(world)["backfill"]["running"] == [])
    before = state(world)["backfill"]["started"]
    on = world.request("PUT", "/triggers/backfill/unpause", json=named("hourly")).get_json()["backfill"]
    assert on["paused"] is False
    until(lambda: state(world)["backfill"]["started"] > before)
    assert 0 < state(world)["backfill"]["progress"] < 1
    query = "/triggers/backfill/delete/by-query?filters[flowId][EQUALS]=nightly"
    assert [one["triggerId"] for one in world.request("POST", query).get_json()["failed"]] == ["daily"]
    assert "backfill" not in state(world)


@pytest.mark.parametrize(
    ("start", "end", "status", "why"),
    [
        ("2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z", 422, "start before the end"),
        ("2000-01-01T00:00:00Z", None, 422, "WATCHFLOOR_BACKFILL_MAX_DATES"),
        ("2026-01-01T00:10:00Z", "2026-01-01T00:20:00Z", 409, "no date from"),
        ("2026-01-01T00:00:00Z", "2099-01-01T00:00:00Z", 422, "WATCHFLOOR_BACKFILL_MAX_DATES"),
        ("yesterday", None, 400, "body"),
    ],
)
def test_a_backfill_that_makes_no_sense(world: World, start: str, end: str | None, status: int, why: str) -> None:
    answer = backfill(world, start, end)
    assert answer.status_code == status
    assert why in answer.get_data(as_text=True)


def test_system_labels_are_refused(world: World) -> None:
    labels = [{"key": "system.x", "value": "y"}]
    assert backfill(world, "2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z", labels=labels).status_code == 422


def test_who_may_only_read_changes_nothing(world: World) -> None:
    world.store.save_user("eve", "viewer", PASSWORD)
    answer = world.request("PUT", "/triggers/set-disabled", user="eve", json=named("daily"))
    assert answer.status_code == 403


# -- webhooks


def hook(world: World, path: str = KEY, method: str = "POST", **options: Any) -> Any:
    """A call without any login."""
    return world.client.open(f"{BASE}/executions/webhook/trig.team/hooked/{path}", method=method, **options)


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_webhook_starts_its_flow(world: World, method: str) -> None:
    answer = hook(world, f"{KEY}/orders?from=shop&from=web", method, json={"order": 4}, headers={"X-Request": "r1"})
    assert answer.status_code == 200, answer.get_data(as_text=True)
    given = answer.get_json()
    assert given["trigger"] == {"id": "hook", "type": f"{CORE}.trigger.Webhook"}
    assert given["url"].endswith(f"/executions/{given['id']}")
    item = until(lambda: world.store.load(given["id"]))
    assert item.inputs == {"order": 4}
    assert item.trigger.variables["body"] == {"order": 4}
    assert item.trigger.variables["parameters"] == {"from": ["shop", "web"]}
    assert item.trigger.variables["headers"]["x-request"] == ["r1"]
    assert item.trigger.variables["path"] == "orders"
    until(lambda: world.store.trigger_states("trig.team", "hooked")[0].execution_id == given["id"])


def test_who_called_is_nobodys_business(world: World) -> None:
    answer = hook(world, json={"order": 1}, headers={"Authorization": "Bearer secret", "Cookie": "a=b"})
    item = until(lambda: world.store.load(answer.get_json()["id"]))
    assert not {"authorization", "cookie"} & set(item.trigger.variables["headers"])


def test_a_webhook_that_waits_gives_the_outputs(world: World) -> None:
    answer = hook(world, "key-of-the-environment", "GET")
    assert answer.get_json()["state"]["current"] == "SUCCESS"
    assert answer.get_json()["outputs"] == {"order": 7}


def test_an_unknown_key_tells_nothing(world: World) -> None:
    answers = [hook(world, "another-key"), hook(world, KEY[:-1]), hook(world, "{{ secret('HOOK_KEY') }}")]
    answers.append(world.client.post(f"{BASE}/executions/webhook/trig.team/nothing/{KEY}"))
    answers.append(world.client.post(f"{BASE}/executions/webhook/trig.team/nightly/{KEY}"))
    assert {answer.status_code for answer in answers} == {404}
    assert {answer.get_json()["message"] for answer in answers} == {"There is no webhook at this address."}


def test_conditions_that_do_not_hold_start_nothing(world: World) -> None:
    before = world.get("/executions/search?filters[flowId][EQUALS]=hooked")["total"]
    assert hook(world, f"{KEY}?skip=1", json={"order": 1}).status_code == 204
    assert world.get("/executions/search?filters[flowId][EQUALS]=hooked")["total"] == before


@pytest.mark.parametrize(
    ("options", "status"),
    [({"json": {"order": "many"}}, 422), ({"data": "no json"}, 422), ({"data": b"x" * 2_000}, 413)],
)
def test_calls_that_do_not_fit(world: World, options: dict[str, Any], status: int) -> None:
    assert hook(world, **options).status_code == status


def test_a_webhook_that_is_switched_off_is_409(world: World) -> None:
    world.request("PUT", "/triggers/set-disabled", json=named("hook", "hooked", disabled=True))
    assert hook(world, json={"order": 1}).status_code == 409
    world.request("PUT", "/triggers/set-disabled", json=named("hook", "hooked", disabled=False))
    assert hook(world, json={"order": 1}).status_code == 200


def test_calls_above_the_rate_are_refused(
    tmp_path_factory: pytest.TempPathFactory, valkey_url: str, database_url: str
) -> None:
    with running(tmp_path_factory.mktemp("api"), valkey_url, database_url, webhook_rate="2 per minute") as world:
        codes = [hook(world).status_code for _ in range(3)]
    assert codes == [404, 404, 429]


def test_flows_with_a_limit_are_listed(world: World) -> None:
    source = (
        f"id: narrow\nnamespace: trig.team\nconcurrency: {{limit: 1}}\ntasks: [{{id: p, type: {CORE}.flow.Pause}}]\n"
    )
    assert world.request("POST", "/flows", data=source).status_code == 200
    for _ in range(3):
        world.execute("trig.team/narrow")
    found = until(
        lambda: (one := world.get("/concurrency-limit/search")["results"]) and one[0]["queued"] == 2 and one[0]
    )
    assert found == {"namespace": "trig.team", "flowId": "narrow", "running": 1, "queued": 2, "limit": 1}
