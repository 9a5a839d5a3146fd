"""Bytes into lines, lines into batches: numbers, caps, cuts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.worker.limits import Limits
from engine.worker.lines import BATCH_LINES, FirstError, Lines, LineSplitter
from streaming.messages import Job, LogBatch, LogLine

JOB = Job("e", "ns", "f", 1, "tr", 2, {"id": "t"}, {})


class Sent:
    """The batches that a log gave out."""

    def __init__(self) -> None:
        self.batches: list[LogBatch] = []

    @property
    def lines(self) -> list[LogLine]:
        return [line for batch in self.batches for line in batch.lines]

    @property
    def messages(self) -> list[str]:
        return [line.message for line in self.lines]


@given(st.lists(st.binary(max_size=40).filter(lambda part: b"\n" not in part), max_size=8), st.data())
def test_lines_do_not_depend_on_how_the_bytes_are_cut(parts: list[bytes], data: st.DataObject) -> None:
    text = b"\n".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=5)))
    splitter = LineSplitter(keep=10, keep_protocol=20)
    seen = []
    for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True):
        seen += splitter.feed(text[start:end])
    seen += splitter.end()
    whole = parts[:-1] + [part for part in parts[-1:] if part]
    kept = [part[: 20 if part.startswith(b"::{") else 10] for part in whole]
    assert seen == list(zip(kept, map(len, whole), strict=True))


def test_an_endless_line_does_not_grow_in_memory() -> None:
    splitter = LineSplitter(keep=100, keep_protocol=200)
    for _ in range(1_000):
        assert splitter.feed(b"x" * 1_000) == []
    assert splitter.end() == [(b"x" * 100, 1_000_000)]


def test_the_first_line_goes_out_at_once_and_later_ones_together() -> None:
    sent = Sent()
    lines = Lines(JOB, sent.batches.append, Limits())
    lines.add("INFO", "one")
    assert sent.messages == ["one"]
    for number in range(BATCH_LINES):
        lines.add("INFO", str(number))
    lines.close()
    assert len(sent.batches) <= 4
    assert [line.number for line in sent.lines] == list(range(1, BATCH_LINES + 2))
    assert (sent.batches[0].task_run_id, sent.batches[0].attempt, sent.batches[0].task_id) == ("tr", 2, "t")


def test_lines_over_the_cap_are_counted_and_said() -> None:
    sent = Sent()
    lines = Lines(JOB, sent.batches.append, Limits(max_lines=3))
    for number in range(1_000):
        lines.add("INFO", str(number))
    lines.close()
    assert sent.messages[:3] == ["0", "1", "2"]
    assert "capped at 3 lines" in sent.messages[3]
    assert "WATCHFLOOR_TASK_MAX_LOG_LINES" in sent.messages[3]
    assert sent.messages[4].startswith("997 more lines")


def test_a_long_line_is_cut_and_says_so() -> None:
    sent = Sent()
    lines = Lines(JOB, sent.batches.append, Limits(max_line_bytes=80))
    lines.add("INFO", "é" * 100)
    assert sent.messages[0].startswith("é" * 40 + " … [cut: 200 bytes")
    assert "WATCHFLOOR_TASK_MAX_LINE_BYTES" in sent.messages[0]


def test_the_log_level_of_a_task_leaves_out_what_is_below() -> None:
    sent = Sent()
    lines = Lines(JOB, sent.batches.append, Limits(), minimum="WARN")
    lines.add("INFO", "quiet")
    lines.add("ERROR", "loud")
    lines.close()
    assert sent.messages == ["loud"]


def test_secrets_are_hidden() -> None:
    sent = Sent()
    lines = Lines(JOB, sent.batches.append, Limits(), hide=lambda text: text.replace("hunter2", "******"))
    lines.add("INFO", "password hunter2")
    assert sent.messages == ["password ******"]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (["cat: x: No such file", "second"], "cat: x: No such file"),
        (["", "  late"], "late"),
        (["Traceback (most recent call last):", '  File "a.py", line 1', "ValueError: no"], "ValueError: no"),
        ([], None),
    ],
)
def test_the_first_error_line_says_what_went_wrong(said: list[str], expected: str | None) -> None:
    first = FirstError()
    for line in said:
        first.see(line)
    assert first.line == expected
