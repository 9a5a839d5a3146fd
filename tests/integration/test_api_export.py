"""Exports over the API: whole files, and what happens when nobody wants them any more."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import polars as pl
import psutil
import pytest

from data.seed import seed
from tests.integration.api_world import BASE, PASSWORD, World, running
from tests.integration.homes import only
from tests.waiting import until

pytestmark = only("sqlite")

MANY = 3_000  # more than fits into a pipe: an export of all of them waits for its reader
ALL = "/executions/export/by-query"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, valkey_url: str, module_database_url: str) -> Iterator[World]:
    """A world with some past."""
    with running(tmp_path_factory.mktemp("api"), valkey_url, module_database_url, exports_at_once=1) as world:
        seed(world.store, MANY, 5, now=datetime(2026, 3, 1, tzinfo=UTC))
        world.store.save_user("watcher", "viewer", PASSWORD)
        yield world


@pytest.fixture
def open_export(world: World) -> Iterator[Any]:
    """An export of everything that somebody has begun to read."""
    answer = world.client.get(f"{BASE}{ALL}/csv?export=somebody-reads", auth=("admin", PASSWORD), buffered=False)
    assert answer.status_code == 200
    next(answer.response)
    yield answer
    answer.close()
    world.bus.redis.delete("wf:export:somebody-reads", "wf:export:somebody-reads:cancelled")


def test_csv_has_what_the_search_has(world: World) -> None:
    query = "filters[state][IN]=FAILED,WARNING&filters[labels][EQUALS][team]=crm&sort=state.duration:desc"
    found = world.get(f"/executions/search?{query}&size=500")
    answer = world.request("GET", f"{ALL}/csv?{query}&columns=id,state,labels&export=a-whole-one")
    assert answer.mimetype == "text/csv"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="executions-')
    head, *rows = csv.reader(io.StringIO(answer.get_data(as_text=True), newline=""))
    assert head == ["id", "state", "labels"]
    assert [row[0] for row in rows] == [one["id"] for one in found["results"]]
    assert len(rows) == found["total"] > 5
    told = world.get("/executions/export/a-whole-one")
    assert (told["state"], told["rows"], told["total"]) == ("SUCCESS", len(rows), len(rows))
    assert told["bytes"] == len(answer.get_data())


def test_all_of_them_in_every_format(world: World) -> None:
    text = world.request("GET", f"{ALL}/csv?sort=id:asc").get_data(as_text=True)
    ids = [row["id"] for row in csv.DictReader(io.StringIO(text, newline=""))]
    assert len(set(ids)) == MANY
    lines = world.request("GET", f"{ALL}/jsonl?sort=id:asc").get_data().splitlines()
    assert [json.loads(line)["id"] for line in lines] == ids
    frame = pl.read_parquet(io.BytesIO(world.request("GET", f"{ALL}/parquet?sort=id:asc").get_data()))
    assert frame["id"].to_list() == ids
    assert frame["startDate"].dtype == pl.Datetime("us", "UTC")


def test_a_viewer_may(world: World) -> None:
    answer = world.request("GET", f"{ALL}/jsonl?filters[state][IN]=KILLED", user="watcher")
    assert answer.status_code == 200
    assert all(json.loads(line)["state"] == "KILLED" for line in answer.get_data().splitlines())


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("columns=id,salary", "columns"),
        ("filters[colour][EQUALS]=red", "filters[colour][EQUALS]"),
        ("sort=colour:asc", "sort"),
        ("export=../etc", "export"),
    ],
)
def test_what_cannot_be_read_is_refused_before_a_byte_is_sent(world: World, query: str, path: str) -> None:
    answer = world.request("GET", f"{ALL}/csv?{query}")
    assert answer.status_code == 400
    assert answer.get_json()["_embedded"]["errors"][0]["path"] == path


def test_a_client_that_goes_away_ends_the_export(world: World, open_export: Any) -> None:
    assert world.get("/executions/export/somebody-reads")["state"] == "RUNNING"
    assert exporters()
    open_export.close()
    told = world.get("/executions/export/somebody-reads")
    assert told["state"] == "CANCELLED"
    assert told["rows"] < MANY == told["total"]
    assert not exporters()


def test_one_that_is_cancelled_does_not_end_like_a_whole_one(world: World, open_export: Any) -> None:
    assert world.request("DELETE", "/executions/export/somebody-reads").get_json()["state"] == "CANCELLED"
    with pytest.raises(Exception, match="ended too early"):
        b"".join(open_export.response)
    assert world.get("/executions/export/somebody-reads")["state"] == "CANCELLED"
    until(lambda: not exporters())


def test_the_export_of_another_is_nobodys_business(world: World, open_export: Any) -> None:
    for method in ("GET", "DELETE"):
        assert world.request(method, "/executions/export/somebody-reads", user="watcher").status_code == 404
    assert world.request("GET", f"{ALL}/csv?export=somebody-reads").status_code == 409


def test_no_more_than_there_may_be_at_once(world: World, open_export: Any) -> None:
    refused = world.request("GET", f"{ALL}/csv")
    assert refused.status_code == 503
    assert "1 exports are being made" in refused.get_json()["message"]
    open_export.close()
    assert world.request("GET", f"{ALL}/csv?filters[state][IN]=KILLED").status_code == 200


def exporters() -> list[psutil.Process]:
    """Processes of ours that make an export."""
    ours = psutil.Process().children()
    return [one for one in ours if one.status() != psutil.STATUS_ZOMBIE and "data.exporter" in one.cmdline()]
