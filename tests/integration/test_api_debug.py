"""Expressions evaluated in an execution: values, errors with their place, and no way to a secret."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.api_world import FAILS, FLOW, PASSWORD, World, running
from tests.integration.homes import only

pytestmark = only("sqlite")
SECRET = "s3cret-value"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, valkey_url: str, module_database_url: str) -> Iterator[World]:
    """A world with its flows."""
    with running(tmp_path_factory.mktemp("api"), valkey_url, module_database_url, FLOW, FAILS) as world:
        yield world


@pytest.fixture(scope="module")
def item(world: World) -> Any:
    """An execution that has ended."""
    form = {"name": "Ada", "token": SECRET}
    return world.execute("company.team/greet", "?wait=true&labels=env:prod", data=form)


def evaluate(world: World, item: Any, expression: str, task_id: str | None = None) -> Any:
    """The answer to an expression, in a task's run when one is given."""
    run = next((run["id"] for run in item["taskRunList"] if run["taskId"] == task_id), None)
    path = f"/executions/{item['id']}/actions/eval" + (f"/{run}" if run else "")
    answer = world.request("POST", path, data=expression, content_type="text/plain")
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_json()


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("{{ outputs.say.value }}", "Hello Ada"),
        ("{{ inputs.name | upper }} {{ labels.env }}", "ADA prod"),
        ("{{ outputs }}", {"say": {"value": "Hello Ada"}, "again": {"value": "Hello Ada!"}}),
        ("{{ [1, 2] | length + 1 }}", 3),
        ("{{ execution.state }}", "SUCCESS"),
        ("no expression", "no expression"),
    ],
)
def test_values(world: World, item: Any, expression: str, value: Any) -> None:
    assert evaluate(world, item, expression)["value"] == value


def test_in_a_task_run(world: World, item: Any) -> None:
    assert evaluate(world, item, "{{ task.id }} {{ parent.taskrun.taskId }}", "again")["result"] == "again more"


@pytest.mark.parametrize(
    ("expression", "message", "line"),
    [
        ("first\n{{ outputs.nope.value }}", "'nope'", 2),
        ("{{ 1 / 0 }}", "division by zero", 1),
        ("{{ outputs. }}", "", 1),
        ("{{ range(0, 100000000) | length }}", "", 1),
        ("{{ kv('x') }}", "", 1),
        ("{{ read('file:///etc/passwd') }}", "", 1),
    ],
)
def test_what_is_wrong_and_where(world: World, item: Any, expression: str, message: str, line: int) -> None:
    found = evaluate(world, item, expression)
    assert message in found["error"]
    assert found["error"] in found["stackTrace"]
    assert found["line"] == line
    assert "result" not in found


@pytest.mark.parametrize(
    "expression",
    [
        "{{ inputs.token }}",
        "{{ inputs.token | upper }}",
        "{{ inputs.token | split('') | join('-') }}",
        "{{ inputs.token | base64encode }}",
        "{{ secret('MINE') | reverse }}",
        "{{ render('{{ secret(\"MINE\") | slice(0, 4) }}') }}",
        "{{ envs }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ secret.__globals__ }}",
        "{{ secret.body.__globals__ }}",
        "{% for x in inputs %}{{ x }}{% endfor %}",
    ],
)
def test_no_secret_in_whatever_form(world: World, item: Any, expression: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHFLOOR_SECRET_MINE", SECRET)
    text = str(evaluate(world, item, expression)).lower()
    for form in (SECRET, SECRET[::-1], SECRET[:4], "-".join(SECRET), "czNjcmV0".lower()):
        assert form not in text


def test_who_asks_for_what_is_not_there(world: World, item: Any) -> None:
    path = f"/executions/{item['id']}/actions/eval"
    assert world.request("POST", f"{path}/nope", data="{{ 1 }}").status_code == 404
    assert world.request("POST", "/executions/nope/actions/eval", data="{{ 1 }}").status_code == 404
    assert world.request("POST", path, data="  ").status_code == 400
    assert world.request("POST", path, data=b"\xff").status_code == 400
    assert world.request("POST", path, data="x" * 70_000).status_code == 413
    world.store.save_user("watcher", "viewer", PASSWORD)
    assert world.request("POST", path, user="watcher", data="{{ 1 }}").status_code == 403
