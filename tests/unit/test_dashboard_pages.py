"""Paths, forms, the YAML view, the graph's elements and the list's address: values in, values out."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from dashboard.components import filter_fields, forms, graph
from dashboard.components.times import seconds
from dashboard.components.yamlview import parts, yaml_view
from dashboard.pages import pages
from dashboard.pages.router import route
from data.filters import FIELDS, parse_query_string
from engine.flow import parse
from engine.graph import graph_of
from engine.inputs import InputError, validate_inputs
from engine.layout import layout

ROOT = Path(__file__).resolve().parents[2]

FLOW = """
id: all-inputs
namespace: test.forms
inputs:
  - {id: text, type: STRING, defaults: hello}
  - {id: db.host, type: STRING}
  - {id: count, type: INT, min: 1, max: 9}
  - {id: share, type: FLOAT, required: false}
  - {id: sure, type: BOOL, defaults: true}
  - {id: one, type: SELECT, values: [a, b], defaults: b}
  - {id: some, type: MULTISELECT, values: [a, b, c], defaults: [a]}
  - {id: data, type: JSON, defaults: '{"x": 1}'}
  - {id: when, type: DATETIME, required: false}
  - {id: secret, type: SECRET, required: false, defaults: hush}
  - {id: report, type: FILE, required: false, description: Any CSV.}
  - {id: later, type: STRING, defaults: "{{ now() }}"}
tasks:
  - id: fan
    type: io.kestra.plugin.core.flow.Parallel
    tasks:
      - {id: a, type: io.kestra.plugin.core.log.Log, message: a}
      - {id: b, type: io.kestra.plugin.core.log.Log, message: b}
errors:
  - {id: tell, type: io.kestra.plugin.core.log.Log, message: x}
"""


@pytest.mark.parametrize(
    ("path", "name", "params"),
    [
        ("/executions", "executions", {}),
        ("/executions/", "executions", {}),
        ("/executions/x", "execution", {"id": "x"}),
        ("/executions/x/gantt", "execution", {"id": "x", "tab": "gantt"}),
        ("/executions/other%3A1/logs", "execution", {"id": "other:1", "tab": "logs"}),
        ("/flows/a.b/c/source", "flow", {"namespace": "a.b", "flow": "c", "tab": "source"}),
    ],
)
def test_paths_lead_to_pages(path: str, name: str, params: dict[str, str]) -> None:
    found = route(pages(), path)
    assert found is not None
    assert (found.page.name, found.params) == (name, params)


@pytest.mark.parametrize("path", ["/nothing", "/executions/x/nothing", "/flows/a", "/executions/x/gantt/y"])
def test_other_paths_lead_nowhere(path: str) -> None:
    assert route(pages(), path) is None


def test_tabs_of_one_visit_have_one_key() -> None:
    keys = {route(pages(), f"/executions/x{tab}").key for tab in ("", "/gantt", "/logs")}  # type: ignore[union-attr]
    assert keys == {"execution/x"}
    assert route(pages(), "/executions/y").key not in keys  # type: ignore[union-attr]


def test_each_input_gets_the_control_of_its_type() -> None:
    controls = {control.id["input"]: control for control in forms.form("execute", parse(FLOW).inputs, 1_000)}
    kinds = {name: type(control).__name__ for name, control in controls.items()}
    assert kinds == {
        "text": "TextInput",
        "db.host": "TextInput",
        "count": "NumberInput",
        "share": "NumberInput",
        "sure": "Select",
        "one": "Select",
        "some": "MultiSelect",
        "data": "Textarea",
        "when": "TextInput",
        "secret": "PasswordInput",
        "report": "TextInput",
        "later": "TextInput",
    }
    assert controls["text"].value == "hello"
    assert controls["sure"].value == "true"
    assert controls["some"].value == ["a"]
    assert controls["later"].value == ""
    assert controls["count"].withAsterisk is True
    assert controls["share"].withAsterisk is False


def test_an_untouched_form_gives_the_defaults_and_errors_find_their_control() -> None:
    flow = parse(FLOW)
    controls = forms.form("execute", flow.inputs, 1_000)
    ids = [control.id for control in controls]
    given = forms.values(ids, [control.value for control in controls])
    with pytest.raises(InputError) as caught:
        validate_inputs(flow, given)
    assert set(caught.value.errors) == {"db.host", "count"}
    below = forms.errors(ids, caught.value.errors)
    assert [bool(text) for text in below] == [name["input"] in ("db.host", "count") for name in ids]
    assert validate_inputs(flow, given | {"db.host": "h", "count": 3})["data"] == {"x": 1}


def test_the_default_of_a_secret_stays_on_the_server() -> None:
    control = next(one for one in forms.form("execute", parse(FLOW).inputs, 1_000) if one.id["input"] == "secret")
    assert "hush" not in str(control.to_plotly_json())
    assert forms.values([control.id], [control.value]) == {}


def test_a_file_is_chosen_beside_its_address() -> None:
    control = next(one for one in forms.form("act-inputs", parse(FLOW).inputs, 1_000) if one.id["input"] == "report")
    view = control.rightSection.to_plotly_json()["props"]
    assert view["data-wf-view"] == "file-field"
    assert json.loads(view["data-wf-params"]) == {
        "field": control.id,
        "go": "act-go",
        "max": 1_000,
        "description": "Any CSV.",
    }


def test_a_form_without_inputs_says_so() -> None:
    assert "no inputs" in forms.form("execute", (), 1_000)[0].children


def texts(component: Any) -> str:
    if component is None or isinstance(component, str):
        return component or ""
    children = component if isinstance(component, list) else getattr(component, "children", None)
    return "".join(map(texts, children)) if isinstance(children, list) else texts(children)


@pytest.mark.parametrize(
    "line",
    [
        *("", "id: x", "  - id: a  # why", "# note: this", "key-only:", "a: -1.5", "- x", "text <script>"),
        *('  message: "{{ inputs.x }} rows"', "    url: https://x.example/a:b#c"),
    ],
)
def test_the_yaml_view_shows_each_line_as_it_is(line: str) -> None:
    assert texts(parts(line)) == line


def test_the_yaml_view_numbers_its_lines() -> None:
    view = yaml_view("a: 1\nb: 2\n", "source")
    assert [row.children[0].children for row in view.children] == ["1", "2"]


def test_every_node_and_box_of_the_graph_has_its_place() -> None:
    shape = graph_of(parse(FLOW))
    found = graph.elements(shape, layout(shape))
    ids = [element["data"]["id"] for element in found]
    assert len(ids) == len(set(ids))
    nodes = [element for element in found if element["group"] == "nodes"]
    assert {"fan", "a", "b", "tell", "cluster.fan"} <= {element["data"]["id"] for element in nodes}
    assert all({"x", "y"} == set(element["position"]) for element in nodes)
    edges = [element for element in found if element["group"] == "edges"]
    assert {(edge["data"]["source"], edge["data"]["target"]) for edge in edges} >= {("fan", "a"), ("fan", "b")}
    assert any("error" in edge["classes"] for edge in edges)


@pytest.mark.parametrize(
    ("value", "words"),
    [(None, "–"), (0.0421, "42 ms"), (12.34, "12.3s"), (64.4, "1m 04s"), (59.97, "1m 00s"), (7384, "2h 03m")],
)
def test_durations_read_well(value: float | None, words: str) -> None:
    assert seconds(value) == words


ADDRESSES = [
    "",
    "?filters[state][IN]=FAILED,WARNING&page=2",
    "?filters[labels][EQUALS][env]=prod&filters%5Bstate%5D%5BIN%5D=KILLED&size=100&sort=duration:asc",
    "?filters[q][EQUALS]=a+b%26c%3Dd&filters[flowId][CONTAINS]=%20x%20&page=0&size=-5",
    "?filters[namespace][IN]=a.b,,c&filters[timeRange][EQUALS]=PT1H&filters[state][NOT_IN]=SUCCESS&x=y",
    "?filters[q][EQUALS]=h%C3%A9%20%22quoted%22%20%25%20(x)!*'~&page=7x",
    "?filters[labels][EQUALS]=a.b:c:d&filters[labels][NOT_EQUALS][a%5Db%26]=x%3Dy&labels=env:prod&q=",
    "?filters[flowId][IN]=a%5C,b,c%5C%5Cd&filters[or][0][flowId][EQUALS]=a&filters[or][1][state][IN]=FAILED",
    "?state=FAILED,KILLED&namespace=a.b&startDate=2026-01-31T12:00:00Z&filters[state][IN]=RUNNING",
]


def test_what_the_browser_makes_of_an_address_means_the_same_to_the_server() -> None:
    script = (
        "const { parse, filtersOf } = await import(process.argv[1]);"
        "console.log(JSON.stringify(JSON.parse(process.argv[2]).map((a) => filtersOf(parse(a)))));"
    )
    module = (ROOT / "assets/js/executions/address.js").as_uri()
    node = ROOT / ".venv/bin/node"
    program = str(node) if node.exists() else "node"
    command = [program, "--input-type=module", "-e", script, module, json.dumps(ADDRESSES)]
    answer = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ)
    for address, written in zip(ADDRESSES, json.loads(answer.stdout), strict=True):
        assert parse_query_string(written) == parse_query_string(address)


def test_every_field_and_operator_that_the_server_knows_is_offered_in_words() -> None:
    offered = {field["name"]: dict(field["ops"]) for field in filter_fields.fields()}
    assert {name: list(ops) for name, ops in offered.items()} == {name: list(f.ops) for name, f in FIELDS.items()}
    assert {op for ops in offered.values() for op in ops} <= set(filter_fields.OP_WORDS)
    assert all(field["op"] in dict(field["ops"]) for field in filter_fields.fields())
