"""Files that expressions of a worker may read."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.expressions import ExpressionError, LimitExceeded, Options, evaluate, references
from engine.worker.records import Records
from engine.worker.sources import WorkerSources


@pytest.fixture
def options(tmp_path: Path) -> Options:
    (tmp_path / "files" / "a").mkdir(parents=True)
    (tmp_path / "files" / "a" / "x y.txt").write_text("content é")
    (tmp_path / "outside.txt").write_text("secret")
    return Options(
        max_bytes=1_000, sources=WorkerSources((tmp_path / "files").as_uri(), Records("sqlite:///nowhere.db"))
    )


def test_files_are_read_and_measured(tmp_path: Path, options: Options) -> None:
    context = {"file": f"{(tmp_path / 'files').as_uri()}/a/x y.txt"}
    assert evaluate("{{ read(file) }} {{ fileSize(file) }}", context, options=options) == "content é 10"
    assert evaluate("{{ isFileEmpty(file) }}", context, options=options) is False


@pytest.mark.parametrize("path", ["/../outside.txt", "/a/../../outside.txt", "/%2e%2e/outside.txt", "x/outside.txt"])
def test_nothing_outside_is_read(tmp_path: Path, options: Options, path: str) -> None:
    with pytest.raises(ExpressionError, match="no file of this installation"):
        evaluate("{{ read(file) }}", {"file": (tmp_path / "files").as_uri() + path}, options=options)
    with pytest.raises(ExpressionError, match="no file of this installation"):
        evaluate("{{ read(file) }}", {"file": (tmp_path / "outside.txt").as_uri()}, options=options)


def test_a_file_too_large_is_refused_before_it_is_read(tmp_path: Path, options: Options) -> None:
    (tmp_path / "files" / "large").write_bytes(b"x" * 2_000)
    with pytest.raises(LimitExceeded, match="the file is larger than 1,000 bytes"):
        evaluate("{{ read(file) }}", {"file": f"{(tmp_path / 'files').as_uri()}/large"}, options=options)


def test_a_file_that_is_gone_is_named(tmp_path: Path, options: Options) -> None:
    with pytest.raises(ExpressionError, match=r"gone\.txt' can't be read"):
        evaluate("{{ read(file) }}", {"file": f"{(tmp_path / 'files').as_uri()}/gone.txt"}, options=options)


def test_error_logs_say_what_failed(options: Options) -> None:
    context = {"error": {"taskId": "t", "message": "broken"}}
    assert evaluate("{{ errorLogs()[0].message }}", context, options=options) == "broken"
    assert evaluate("{{ errorLogs() | length }}", {}) == 0
    assert "error" in references("{{ errorLogs() }}").names
