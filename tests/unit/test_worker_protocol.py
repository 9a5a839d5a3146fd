"""Protocol lines of scripts."""

from __future__ import annotations

import pytest

from engine.worker.protocol import ProtocolError, body_of, parse
from streaming.messages import Metric


def test_outputs_and_metrics_are_read() -> None:
    body = body_of('::{"outputs": {"rows": 3}, "metrics": [{"name": "m", "type": "timer", "value": "PT1M"}]}::')
    assert body is not None
    assert parse(body) == ({"rows": 3}, [Metric("m", "timer", 60.0)])


def test_a_metric_is_a_counter_unless_it_says_otherwise() -> None:
    _, metrics = parse('{"metrics": [{"name": "m", "value": 2, "tags": {"page": 1}}]}')
    assert metrics == [Metric("m", "counter", 2.0, {"page": "1"})]


@pytest.mark.parametrize("line", ["hello", "::hello::", ":: {} ::", "::{1}", "x ::{}::"])
def test_other_lines_are_no_protocol(line: str) -> None:
    assert body_of(line) is None


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("{oops}", "expected JSON"),
        ('{"outputs": [1]}', "expected an object in outputs"),
        ('{"metrics": {"a": 1}}', "expected a list in metrics"),
        ('{"metrics": [{"value": 1}]}', "expected a metric with name"),
        ('{"metrics": [{"name": "m", "value": "fast"}]}', "expected a metric with name"),
        ('{"metrics": [{"name": "m", "type": "gauge", "value": 1}]}', "counter or timer"),
    ],
)
def test_what_is_wrong_is_said(body: str, expected: str) -> None:
    with pytest.raises(ProtocolError, match=expected):
        parse(body)
