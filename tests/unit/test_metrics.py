"""Figures for Prometheus: names by its conventions, one valid text of many processes."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from streaming.metrics import Buckets, Meter
from streaming.metrics.exchange import Published, fresh, merged
from streaming.metrics.table import METRICS, PROCESSES, Kind, Spec

OPERATIONS = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()


@pytest.mark.parametrize("spec", METRICS, ids=lambda spec: spec.name)
def test_each_figure_is_named_by_the_conventions_and_documented(spec: Spec) -> None:
    assert re.fullmatch(r"watchfloor_[a-z_]+", spec.name)
    assert spec.name.endswith("_total") is (spec.kind is Kind.COUNTER)
    assert not spec.name.endswith(("_ms", "_millis", "_count", "_sum", "_bucket", "_info"))
    assert spec.process in PROCESSES
    assert list(spec.buckets) == sorted(spec.buckets)
    assert bool(spec.buckets) is (spec.kind is Kind.HISTOGRAM)
    assert spec.help.endswith(".")
    labels = f" ({', '.join(spec.labels)})" if spec.labels else ""
    assert f"| `{spec.name}`{labels} | {spec.process} | {spec.kind} | {spec.help} |" in OPERATIONS


def test_no_figure_is_documented_that_does_not_exist() -> None:
    parts = {"bucket", "sum", "count"}
    named = set(re.findall(r"watchfloor_[a-z_]+", OPERATIONS))
    named = {name.rpartition("_")[0] if name.rpartition("_")[2] in parts else name for name in named}
    assert named <= {spec.name for spec in METRICS}


def test_names_are_given_once() -> None:
    assert len({spec.name for spec in METRICS}) == len(METRICS)


def said(meter: Meter, node: str) -> Published:
    return Published(1.0, meter.process, node, meter.text())


def test_many_processes_give_one_valid_text() -> None:
    one, two, web = Meter("executor"), Meter("executor"), Meter("web")
    one["watchfloor_events_waiting"].set(3)
    one["watchfloor_events_applied_total"].labels("task_started").inc(7)
    two["watchfloor_commit_seconds"].observe(0.02)
    web["watchfloor_http_requests_total"].labels("GET", '/a"b\\c}', "200").inc()
    frames = web.buckets("watchfloor_frame_bytes")
    for size in (100, 256, 257, 5_000_000):
        frames.observe(size)
    text = merged([said(one, "a:1"), said(two, "b:2"), said(web, "c:3")])
    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert text.count("# TYPE watchfloor_events_waiting gauge") == 1
    assert [
        (s.labels["process"], s.labels["node"], s.value) for s in families["watchfloor_events_waiting"].samples
    ] == [
        ("executor", "a:1", 3.0),
        ("executor", "b:2", 0.0),
    ]
    (applied,) = families["watchfloor_events_applied"].samples
    assert (applied.labels["type"], applied.value) == ("task_started", 7.0)
    (request,) = families["watchfloor_http_requests"].samples
    assert request.labels["endpoint"] == '/a"b\\c}'
    sizes = {s.labels.get("le", s.name): s.value for s in families["watchfloor_frame_bytes"].samples}
    assert (sizes["256.0"], sizes["1024.0"], sizes["+Inf"]) == (2.0, 3.0, 4.0)
    assert sizes["watchfloor_frame_bytes_sum"] == 5_000_613
    assert families["process_resident_memory_bytes"].samples[0].value > 1_000_000
    assert not any(name.endswith("_created") for name in families)


def test_every_figure_without_labels_is_there_from_the_start() -> None:
    names = {family.name for process in PROCESSES for family in text_string_to_metric_families(Meter(process).text())}
    wanted = {spec.name.removesuffix("_total") for spec in METRICS if not spec.labels}
    assert wanted <= names


def test_a_look_is_taken_before_each_text() -> None:
    meter = Meter("executor")
    seen = iter((4, 5))
    meter.look(lambda: meter["watchfloor_timers"].set(next(seen)))
    assert "watchfloor_timers 4.0" in meter.text()
    assert "watchfloor_timers 5.0" in meter.text()


def test_the_silent_are_left_out() -> None:

    now = time.time()
    assert [one.node for one in fresh([Published(now - 1, "logs", "a", ""), Published(now - 60, "logs", "b", "")])] == [
        "a"
    ]


def test_buckets_count_up_to_and_including_their_bound() -> None:
    buckets = Buckets((1, 10))
    for value in (0, 1, 2, 10, 11):
        buckets.observe(value)
    assert buckets.cumulative() == [("1.0", 2.0), ("10.0", 4.0), ("+Inf", 5.0)]
    assert buckets.sum == 24
