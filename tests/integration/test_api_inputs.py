"""Inputs by REST: every type of a form, errors by field, files and their cap."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest

from tests.integration.api_world import World, running

FLOW = """\
id: typed
namespace: company.team
inputs:
  - {id: text, type: STRING, validator: "[a-z]+"}
  - {id: number, type: INT, min: 1, max: 9}
  - {id: share, type: FLOAT, required: false}
  - {id: sure, type: BOOL, required: false}
  - {id: one, type: SELECT, values: [a, b], required: false}
  - {id: some, type: MULTISELECT, values: [a, b, c], required: false}
  - {id: list, type: ARRAY, itemType: INT, required: false}
  - {id: data, type: JSON, required: false}
  - {id: tree, type: YAML, required: false}
  - {id: day, type: DATE, after: "2020-01-01", required: false}
  - {id: wait, type: DURATION, required: false}
  - {id: mail, type: EMAIL, required: false}
  - {id: where, type: URI, required: false}
  - {id: db.host, type: STRING, required: false}
  - {id: pin, type: SECRET, validator: "[0-9]+", required: false}
  - {id: file, type: FILE, required: false}
tasks:
  - {id: hang, type: io.kestra.plugin.core.log.Log, message: x}
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, valkey_url: str, module_database_url: str) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("inputs")
    with running(folder, valkey_url, module_database_url, FLOW, upload_max_bytes=20_000) as world:
        yield world


def send(world: World, **fields: Any) -> Any:
    """The answer to a form."""
    return world.request("POST", "/executions/company.team/typed", data={"text": "a", "number": "1"} | fields)


def test_a_form_is_read_by_the_types_of_its_inputs(world: World) -> None:
    given = {
        "share": "0.5",
        "sure": "on",
        "one": "b",
        "some": ["a", "c"],
        "list": "[1, 2]",
        "data": '{"x": null}',
        "tree": "x: [1, two]",
        "day": "2026-02-28",
        "wait": "PT5M",
        "mail": "ada@example.org",
        "where": "https://example.org/x",
        "db.host": "h",
        "pin": "1234",
    }
    inputs = send(world, **given).get_json()["inputs"]
    assert inputs == {
        "text": "a",
        "number": 1,
        "share": 0.5,
        "sure": True,
        "one": "b",
        "some": ["a", "c"],
        "list": [1, 2],
        "data": {"x": None},
        "tree": {"x": [1, "two"]},
        "day": "2026-02-28",
        "wait": "PT5M",
        "mail": "ada@example.org",
        "where": "https://example.org/x",
        "db": {"host": "h"},
        "pin": "******",
        "file": None,
    }


def test_each_field_that_is_wrong_is_named_and_secrets_stay_secret(world: World) -> None:
    wrong = {"text": "A", "number": "12", "one": "z", "list": "[x]", "day": "2019-12-31", "mail": "ada", "pin": "abc9"}
    answer = send(world, **wrong)
    assert answer.status_code == 422
    errors = {one["path"]: one["message"] for one in answer.get_json()["_embedded"]["errors"]}
    assert set(errors) == {f"inputs.{name}" for name in wrong}
    assert errors["inputs.number"] == "expected at most 9, came 12"
    assert errors["inputs.pin"] == "expected text matching [0-9]+, came ******"
    assert "abc9" not in answer.get_data(as_text=True)


def test_a_file_part_is_kept_and_its_address_is_the_value(world: World) -> None:
    file = (io.BytesIO(b"a;b\n" * 1_000), "../re port.csv")
    uri = send(world, file=file).get_json()["inputs"]["file"]
    assert uri.endswith("/re_port.csv")
    with fsspec.open(uri, "rb") as stored:
        assert stored.read() == b"a;b\n" * 1_000


def test_a_form_that_is_too_large_is_413_and_keeps_nothing(world: World) -> None:
    folder = Path(world.settings.data_dir) / "files" / "inputs"
    before = list(folder.rglob("*"))
    answer = send(world, file=(io.BytesIO(b"x" * 20_001), "large"))
    assert answer.status_code == 413
    assert list(folder.rglob("*")) == before
