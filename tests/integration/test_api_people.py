"""Users, sessions, tokens and the audit over REST, and what somebody of one namespace gets to see."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dashboard.api import ENDPOINTS
from dashboard.api.bulk import BULK
from dashboard.api.spec import Endpoint
from dashboard.live_rights import LiveRights
from dashboard.permissions import Verb
from dashboard.refusals import Refusals
from data.audit import AuditQuery
from data.operation_records import OperationState
from engine.states import State
from tests.integration.api_world import BASE, HANGS, PASSWORD, World, running
from tests.integration.homes import only

ORIGIN = {"Origin": "http://localhost"}
SEEN = "id: open\nnamespace: team.a\ntasks:\n  - {id: say, type: io.kestra.plugin.core.debug.Return, format: hello}\n"
UNSEEN = SEEN.replace("team.a", "secret.b").replace("open", "closed")

pytestmark = only("sqlite")


@pytest.fixture
def world(tmp_path: Path, valkey_url: str, database_url: str) -> Iterator[World]:
    with running(tmp_path, valkey_url, database_url, refusal_rate="10000 per minute") as world:
        yield world


def ok(answer: Any, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return answer.get_json() if answer.data else None


def add(world: World, name: str, role: str = "none", **grants: str) -> None:
    ok(world.request("POST", "/users", json={"name": name, "password": PASSWORD, "role": role, "grants": grants}))


def signed_in(world: World, name: str, device: str = "Firefox") -> Any:
    browser = world.server.test_client()
    headers = {**ORIGIN, "User-Agent": device}
    answer = browser.post("/login", data={"name": name, "password": PASSWORD}, headers=headers)
    assert answer.status_code == 302
    return browser


def test_users_are_managed_by_admins_alone(world: World) -> None:
    add(world, "ada", "operator", team="admin")
    assert ok(world.request("GET", "/users", user="ada"), 403)["message"].endswith(
        "admin everywhere; yours is operator."
    )
    assert ok(world.request("POST", "/users", json={"name": "ada", "password": PASSWORD}), 422)
    for wrong, field in (
        ({"name": "a b", "password": PASSWORD}, "name"),
        ({"name": "bob", "password": "short"}, "password"),
        ({"name": "bob", "password": PASSWORD, "role": "root"}, "role"),
        ({"name": "bob", "password": PASSWORD, "grants": {"a..b": "viewer"}}, "grants"),
    ):
        assert ok(world.request("POST", "/users", json=wrong), 422)["_embedded"]["errors"][0]["path"] == field
    ok(world.request("POST", "/users", json={"name": "bob", "password": PASSWORD, "admin": True}), 400)
    changed = ok(world.request("PUT", "/users/ada?reason=left", json={"role": "viewer", "grants": {}}))
    assert changed == {"name": "ada", "role": "viewer", "grants": {}, "disabled": False, "source": "password"}
    ok(world.request("DELETE", "/users/admin"), 409)
    ok(world.request("PUT", "/users/nobody", json={}), 404)
    ok(world.request("DELETE", "/users/ada"), 204)
    (row, *_) = ok(world.request("GET", "/audit?target=ada&action=user-change"))["results"]
    assert (row["actor"], row["reason"], row["origin"], row["address"]) == ("admin", "left", "api", "127.0.0.1")
    assert (row["before"]["role"], row["after"]["role"]) == ("operator", "viewer")


def test_a_session_that_was_revoked_is_over_at_once(world: World) -> None:
    add(world, "ada", "viewer")
    phone, desk = signed_in(world, "ada", "Phone"), signed_in(world, "ada", "Desk")
    mine = ok(desk.get(f"{BASE}/sessions"))
    assert {one["device"] for one in mine} == {"Phone", "Desk"}
    assert {one["address"] for one in mine} == {"127.0.0.1"}
    lost = next(one["id"] for one in mine if one["device"] == "Phone")
    assert phone.get(f"{BASE}/executions/search").status_code == 200
    ok(desk.delete(f"{BASE}/sessions/{lost}", headers=ORIGIN), 204)
    assert phone.get(f"{BASE}/executions/search").status_code == 401
    assert desk.get(f"{BASE}/executions/search").status_code == 200
    admins = next(one["id"] for one in ok(signed_in(world, "admin").get(f"{BASE}/sessions")))
    ok(desk.delete(f"{BASE}/sessions/{admins}", headers=ORIGIN), 422)
    ok(desk.get(f"{BASE}/sessions?everybody=true"), 403)
    assert ok(world.request("DELETE", "/sessions?user=ada")) == {"ended": 1}
    assert desk.get(f"{BASE}/executions/search").status_code == 401


def test_a_new_password_ends_the_other_sessions(world: World) -> None:
    add(world, "ada", "viewer")
    here, there = signed_in(world, "ada"), signed_in(world, "ada")
    assert world.request("GET", "/executions/search", user="ada").status_code == 200
    path = f"{BASE}/account/password"
    ok(here.put(path, json={"old": "wrong", "new": "a new password"}, headers=ORIGIN), 422)
    ok(here.put(path, json={"old": PASSWORD, "new": "a new password"}, headers=ORIGIN), 204)
    assert here.get(f"{BASE}/executions/search").status_code == 200
    assert there.get(f"{BASE}/executions/search").status_code == 401


def test_a_script_with_the_old_password_is_out_at_once(world: World) -> None:
    add(world, "ada", "viewer")
    here = signed_in(world, "ada")
    assert world.request("GET", "/executions/search", user="ada").status_code == 200
    ok(here.put(f"{BASE}/account/password", json={"old": PASSWORD, "new": "a new password"}, headers=ORIGIN), 204)
    assert world.request("GET", "/executions/search", user="ada").status_code == 401
    assert here.get(f"{BASE}/executions/search").status_code == 200


def test_somebody_disabled_is_out(world: World) -> None:
    add(world, "ada", "viewer")
    browser = signed_in(world, "ada")
    ok(world.request("PUT", "/users/ada", json={"disabled": True}))
    assert browser.get(f"{BASE}/executions/search").status_code == 401
    assert world.request("GET", "/executions/search", user="ada").status_code == 401


def test_a_token_acts_within_its_role_and_ends(world: World) -> None:
    ok(world.request("POST", "/flows", data=SEEN))
    ok(world.request("POST", "/flows", data=UNSEEN))
    made = ok(world.request("POST", "/tokens", json={"name": "ci", "role": "operator", "namespaces": ["team"]}))
    bearer = {"Authorization": f"Bearer {made['token']}"}
    assert "token" not in ok(world.request("GET", "/tokens"))[0]
    ok(world.client.post(f"{BASE}/executions/team.a/open", headers=bearer))
    ok(world.client.post(f"{BASE}/executions/secret.b/closed", headers=bearer), 403)
    assert [one["id"] for one in ok(world.client.get(f"{BASE}/flows/search", headers=bearer))["results"]] == ["open"]
    ok(world.client.get(f"{BASE}/users", headers=bearer), 403)
    for method, path, body in (
        ("POST", "/tokens", {"name": "more", "role": "viewer"}),
        ("PUT", "/account/password", {"old": PASSWORD, "new": "another one"}),
        ("DELETE", "/sessions", None),
    ):
        ok(world.client.open(f"{BASE}{path}", method=method, json=body, headers=bearer), 403)
    (started,) = ok(world.request("GET", "/audit?action=execute&size=1"))["results"]
    assert (started["actor"], started["origin"], started["token"]) == ("admin", "api", f"ci ({made['id']})")
    ok(world.request("POST", "/executions/team.a/open"))
    (by_password,) = ok(world.request("GET", "/audit?action=execute&size=1"))["results"]
    assert by_password["token"] is None
    assert len(ok(world.request("GET", f"/audit?text={made['id']}"))["results"]) == 1
    ok(world.request("DELETE", f"/tokens/{made['id']}"), 204)
    ok(world.client.get(f"{BASE}/flows/search", headers=bearer), 401)


@pytest.mark.parametrize(
    ("wanted", "path"),
    [
        ({"name": "x", "role": "admin"}, "role"),
        ({"name": "x", "role": "none"}, "role"),
        ({"name": "x", "role": "viewer", "namespaces": ["other"]}, "role"),
        ({"name": "x", "role": "viewer", "namespaces": ["team..a"]}, "namespaces"),
        ({"name": "", "role": "viewer"}, "name"),
        ({"name": "x", "role": "viewer", "days": 0}, "days"),
        ({"name": "x", "role": "viewer", "days": 100_000}, "days"),
    ],
)
def test_a_token_has_no_more_than_its_maker(world: World, wanted: dict[str, Any], path: str) -> None:
    add(world, "ada", "none", team="operator")
    answer = ok(world.request("POST", "/tokens", user="ada", json=wanted), 422)
    assert answer["_embedded"]["errors"][0]["path"] == path


def test_whoever_may_see_one_namespace_sees_nothing_of_another(world: World) -> None:
    """Every endpoint that reads, with the ids of what is there and with those of what is not theirs."""
    for source in (SEEN, UNSEEN, HANGS):
        ok(world.request("POST", "/flows", data=source))
    ran = {}
    for namespace, flow in (("team.a", "open"), ("secret.b", "closed")):
        ran[namespace] = ok(world.request("POST", f"/executions/{namespace}/{flow}?wait=true"))["id"]
    add(world, "ada", "none", team="operator")
    assert ok(world.request("GET", "/executions/search", user="ada"))["total"] == 1
    assert ok(world.request("GET", "/executions/search?filters[namespace][PREFIX]=secret.b", user="ada"))["total"] == 0
    assert ok(world.request("GET", "/executions?namespace=secret.b&flowId=closed", user="ada"))["total"] == 0
    assert ok(world.request("GET", "/flows/distinct-namespaces", user="ada")) == ["team.a"]
    theirs = {"namespace": "secret.b", "id": "closed", "flowId": "closed", "executionId": ran["secret.b"]}
    for endpoint in ENDPOINTS:
        if endpoint.open or endpoint.method != "GET" or "follow" in endpoint.path:
            continue
        path = endpoint.path
        for name in endpoint.names:
            path = path.replace(f"{{{name}}}", theirs.get(name, "say"))
        answer = world.request("GET", path, user="ada")
        if set(endpoint.names) & {"namespace", "executionId"}:
            assert answer.status_code in (403, 404), (path, answer.status_code)
        if answer.status_code < 400:
            for hidden in (b"closed", b"secret", ran["secret.b"].encode()):
                assert hidden not in answer.data, (path, hidden)


def test_whoever_acts_on_many_hears_of_another_namespace_what_it_hears_of_nothing(world: World) -> None:
    """Every endpoint that takes ids, with one that is not theirs and with one of nothing: the answers are the same."""
    ok(world.request("POST", "/flows", data=UNSEEN))
    hidden = ok(world.request("POST", "/executions/secret.b/closed?wait=true"))["id"]
    ok(world.request("POST", "/flows", data=SEEN))
    ok(world.request("POST", "/executions/team.a/open?wait=true"))
    add(world, "ada", "none", team="operator")
    asked = [one for one in ENDPOINTS if one.verb is Verb.OPERATIONS and one.path.endswith(("/by-ids", "/preview"))]
    assert len(asked) == 2 * len(BULK)
    for endpoint in asked:
        told = [_told_of(world, endpoint, one) for one in (hidden, "made-up")]
        assert told[0] == told[1], endpoint.path
    assert world.store.row(hidden).state is State.SUCCESS  # type: ignore[union-attr]
    assert world.store.audits(hidden, query=AuditQuery(actor="ada")) == []


def _told_of(world: World, endpoint: Endpoint, execution_id: str) -> str:
    """All that ada is told when she asks for this execution, without the ids of it and of the operation."""
    labels, ids = [{"key": "a", "value": "b"}], [execution_id]
    body: Any = {"ids": ids, "labels": labels} if endpoint.path.endswith("preview") else ids
    if endpoint.path == "/executions/labels/by-ids":
        body = {"executionsId": ids, "executionLabels": labels}
    needed = {"newState": "CANCELLED", "newStatus": "FAILED"}
    query = "&".join(f"{one.name}={needed[one.name]}" for one in endpoint.parameters if one.name in needed)
    answer = world.request(endpoint.method, f"{endpoint.path}?{query}", user="ada", json=body)
    assert answer.status_code == (200 if endpoint.path.endswith("preview") else 202), answer.text
    told, operation = [answer.text], answer.get_json().get("operationId", "none")
    if operation != "none":
        world.store.end_operation(operation, OperationState.DONE)
        path = f"/operations/{operation}"
        for method, of in (("GET", ""), ("GET", "/results"), ("GET", "/results/csv"), ("POST", "/retry")):
            answer = world.request(method, f"{path}{of}", user="ada")
            told.append(f"{answer.status_code} {answer.text}")
    return re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "DATE", "\n".join(told).replace(operation, "OP")).replace(
        execution_id, "ID"
    )


def test_actions_are_refused_where_one_may_only_look(world: World) -> None:
    ok(world.request("POST", "/flows", data=SEEN))
    done = ok(world.request("POST", "/executions/team.a/open?wait=true"))["id"]
    add(world, "ada", "none", team="viewer", other="operator")
    ok(world.request("GET", f"/executions/{done}", user="ada"))
    refused = ok(world.request("POST", f"/executions/{done}/actions/restart", user="ada"), 403)
    assert "operator in team.a; yours is viewer" in refused["message"]
    assert world.store.row(done).state is State.SUCCESS  # type: ignore[union-attr]


def test_the_audit_is_exported_whole(world: World) -> None:
    for number in range(3):
        world.store.audit("ada", "kill", f"=cmd{number}", 'why, "so"', before={"state": "RUNNING"})
    lines = [json.loads(line) for line in world.request("GET", "/audit/export/jsonl?action=kill").text.splitlines()]
    assert [one["target"] for one in lines] == ["=cmd2", "=cmd1", "=cmd0"]
    rows = list(csv.DictReader(io.StringIO(world.request("GET", "/audit/export/csv?action=kill").text)))
    assert [one["target"] for one in rows] == ["'=cmd2", "'=cmd1", "'=cmd0"]
    assert rows[0]["reason"] == 'why, "so"'
    assert ok(world.request("GET", "/audit?action=audit-export"))["results"][0]["after"] == {"action": "kill"}
    assert "since" in ok(world.request("GET", "/audit?since=soon"), 400)["message"]
    page = ok(world.request("GET", "/audit?action=kill&size=2"))
    rest = ok(world.request("GET", f"/audit?action=kill&size=2&before={page['before']}"))
    assert [one["target"] for one in rest["results"]] == ["=cmd0"]
    assert "before" not in rest


def test_live_topics_are_narrowed_and_forged_ones_refused(world: World) -> None:
    from streaming.gateway.topics import parse_topic

    ok(world.request("POST", "/flows", data=SEEN))
    ok(world.request("POST", "/flows", data=UNSEEN))
    mine = ok(world.request("POST", "/executions/team.a/open?wait=true"))["id"]
    other = ok(world.request("POST", "/executions/secret.b/closed?wait=true"))["id"]
    add(world, "ada", "none", team="viewer")
    rights = LiveRights(world.store, Refusals("2 per minute", world.bus, world.services.meter))
    with signed_in(world, "ada") as browser:
        browser.get("/health")
        from flask import request

        assert request.path == "/health"
        narrow = lambda name, **params: rights.narrowed(parse_topic(name, params, 500))  # noqa: E731
        assert narrow("executions", within=["secret.b"]).within == ("team",)
        assert narrow("stats").within == ("team",)
        assert narrow("rows", ids=[mine, other, "made-up"]).ids == (mine,)
        assert narrow("operations").actor == "ada"
        assert narrow("execution", id=mine).id == mine
        for topic, params in (
            ("execution", {"id": other}),
            ("execution", {"id": "made-up"}),
            ("logs", {"execution_id": other}),
            ("operation", {"id": "made-up"}),
        ):
            with pytest.raises(PermissionError):
                narrow(topic, **params)
        rights.refused("secrets", "no such topic")
        rights.refused("secrets", "no such topic")
        with pytest.raises(PermissionError, match="Too many"):
            rights.refused("secrets", "no such topic")
