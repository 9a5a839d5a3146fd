"""Files of an execution over the API, and paths that lead elsewhere."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import polars as pl
import pytest

from tests.integration.api_world import FLOW, World, running
from tests.integration.homes import only

pytestmark = only("sqlite")
TABLE = b"id,name\n1,Ada\n2,Grace\n"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, valkey_url: str, module_database_url: str) -> Iterator[World]:
    """A world with a flow."""
    with running(tmp_path_factory.mktemp("api"), valkey_url, module_database_url, FLOW) as world:
        yield world


@pytest.fixture(scope="module")
def item(world: World) -> Any:
    """An execution with an uploaded file, one that a task left, one of another execution, and a link out."""
    item = world.execute("company.team/greet", "?wait=true", data={"upload": (io.BytesIO(b"given"), "given.txt")})
    folder = folder_of(world, item["id"])
    (folder / "run" / "1").mkdir(parents=True)
    (folder / "run" / "1" / "table.csv").write_bytes(TABLE)
    (folder / "run" / "1" / "ü x.txt").write_bytes(b"text")
    other = folder_of(world, "other")
    other.mkdir()
    (other / "theirs.txt").write_bytes(b"of another execution")
    outside = world.settings.data_dir / "secret-key"
    outside.write_text("nobody's business")
    (folder / "link").symlink_to(outside)
    return item


def folder_of(world: World, execution_id: str) -> Path:
    """Where the files of an execution are."""
    return world.settings.data_dir / "files" / "company.team" / "greet" / execution_id


def ask(world: World, item: Any, path: str, what: str = "") -> Any:
    """The answer to a question for a file."""
    return world.request("GET", f"/executions/{item['id']}/file{what}?path={quote(path, safe='')}")


PARQUET = io.BytesIO()
pl.DataFrame({"id": [1, 2], "name": ["Ada", None]}).write_parquet(PARQUET)


@pytest.mark.parametrize(
    ("name", "content", "rows"),
    [
        ("a.csv", TABLE, [{"id": "1", "name": "Ada"}, {"id": "2", "name": "Grace"}]),
        ("a.tsv", TABLE.replace(b",", b"\t"), [{"id": "1", "name": "Ada"}, {"id": "2", "name": "Grace"}]),
        ("a.csv", b"a,b\n1\n2,3,4\n", [{"a": "1", "b": None}, {"a": "2", "b": "3"}]),
        ("a.jsonl", b'{"a": 1}\n[2]\n', [{"a": 1}, [2]]),
        ("a.parquet", PARQUET.getvalue(), [{"id": 1, "name": "Ada"}, {"id": 2, "name": None}]),
        ("many.csv", b"a\n" + b"x\n" * 100_000, [{"a": "x"}] * 100_000),
        ("empty.csv", b"", []),
    ],
)
def test_a_table_as_json_lines(world: World, item: Any, name: str, content: bytes, rows: list[Any]) -> None:
    (folder_of(world, item["id"]) / name).write_bytes(content)
    answer = world.request("GET", f"/executions/{item['id']}/file?path={name}&format=JSONL")
    assert (answer.status_code, answer.mimetype) == (200, "application/x-ndjson")
    assert [json.loads(line) for line in answer.text.splitlines()] == rows
    assert answer.headers["Content-Disposition"].endswith('.jsonl"')


@pytest.mark.parametrize(
    ("query", "status", "says"),
    [
        ("path=run/1/table.csv&format=ION", 400, "format: expected JSONL"),
        ("path=run/1/%C3%BC+x.txt&format=JSONL", 422, "expected a table"),
        ("path=broken.parquet&format=JSONL", 422, "broken.parquet: "),
        ("path=link&format=JSONL", 404, "is no file"),
    ],
)
def test_what_is_no_table_is_refused(world: World, item: Any, query: str, status: int, says: str) -> None:
    (folder_of(world, item["id"]) / "broken.parquet").write_bytes(b"PAR1 nothing of it")
    answer = world.request("GET", f"/executions/{item['id']}/file?{query}")
    assert answer.status_code == status
    assert says in answer.get_json()["message"]


def test_a_file_by_its_address_and_by_its_path(world: World, item: Any) -> None:
    uri = (folder_of(world, item["id"]) / "run/1/table.csv").as_uri()
    for path in (uri, "run/1/table.csv", "/run/1/table.csv"):
        answer = ask(world, item, path)
        assert answer.status_code == 200
        assert answer.get_data() == TABLE
        assert answer.mimetype == "application/octet-stream"
        assert answer.headers["Content-Disposition"] == 'attachment; filename="table.csv"'
    assert ask(world, item, "run/1/ü x.txt").headers["Content-Disposition"] == 'attachment; filename="_ x.txt"'
    assert ask(world, item, item["inputs"]["upload"]).get_data() == b"given"


def test_metas_and_preview(world: World, item: Any) -> None:
    metas = ask(world, item, "run/1/table.csv", "/metas").get_json()
    assert metas == {"size": len(TABLE), "fileName": "table.csv", "contentType": "text/csv"}
    seen = ask(world, item, "run/1/table.csv", "/preview").get_json()
    assert seen["content"] == [{"id": "1", "name": "Ada"}, {"id": "2", "name": "Grace"}]
    assert (seen["type"], seen["extension"], seen["truncated"]) == ("LIST", "csv", False)
    path = f"/executions/{item['id']}/file/preview?path=run/1/table.csv"
    assert len(world.get(f"{path}&maxRows=1")["content"]) == 1
    assert world.request("GET", f"{path}&maxRows=0").status_code == 400
    assert (
        world.request("GET", f"/executions/{item['id']}/file/preview?path=run/1/%C3%BC%20x.txt&encoding=no").status_code
        == 400
    )


@pytest.mark.parametrize(
    "path",
    [
        "../other/theirs.txt",
        "run/../../other/theirs.txt",
        "run/%2e%2e/%2e%2e/other/theirs.txt",
        "..\\other\\theirs.txt",
        "{files}/company.team/greet/other/theirs.txt",
        "{files}/company.team/greet/{id}/../other/theirs.txt",
        "{files}/company.team/greet/{id}/%2e%2e/other/theirs.txt",
        "{files}/inputs/../company.team/greet/other/theirs.txt",
        "file:///etc/passwd",
        "/etc/passwd",
        "//etc/passwd",
        "link",
        "run",
        "",
        "run/1/table.csv/more",
        "run/1/none.csv",
        "http://127.0.0.1:1/x",
        "local:///etc/passwd",
        "filecache::file:///etc/passwd",
        "run/1/table.csv\0.txt",
    ],
)
def test_no_path_leads_to_another_file(world: World, item: Any, path: str) -> None:
    path = path.format(files=world.settings.resolved_files_url, id=item["id"])
    for what in ("", "/metas", "/preview"):
        answer = ask(world, item, path, what)
        assert answer.status_code == (404 if path else 400), answer.get_data(as_text=True)
        assert "theirs" not in answer.get_data(as_text=True).replace("theirs.txt", "")
