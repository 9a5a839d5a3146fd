"""The file storage, in memory and in a folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from data.errors import FileNotFound
from data.files import FileInfo, Files


@pytest.fixture(params=["file", "memory"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> Files:
    return Files((tmp_path / "files").as_uri() if request.param == "file" else f"memory://{tmp_path}")


def test_a_file_comes_back(files: Files) -> None:
    files.write("e1/task/report.csv", b"a,b\n")
    assert files.read("e1/task/report.csv") == b"a,b\n"
    assert files.info("e1/task/report.csv") == FileInfo("e1/task/report.csv", 4)


def test_files_are_listed_and_removed_by_folder(files: Files) -> None:
    for path in ("e1/b", "e1/a/c", "e2/a"):
        files.write(path, b"x")
    assert [info.path for info in files.list("e1")] == ["e1/a/c", "e1/b"]
    files.delete("e1")
    files.delete("e1")
    assert files.list("e1") == []
    assert files.read("e2/a") == b"x"


def test_what_is_not_there_is_named(files: Files) -> None:
    with pytest.raises(FileNotFound, match="no file e1/nothing"):
        files.read("e1/nothing")
    with pytest.raises(FileNotFound, match="no file e1/nothing"):
        files.info("e1/nothing")


@pytest.mark.parametrize("path", ["../x", "a/../../x", "/etc/passwd", ""])
def test_a_path_never_leads_out(files: Files, path: str) -> None:
    with pytest.raises(ValueError, match="expected a relative path"):
        files.read(path)
