"""The folder of a WorkingDirectory, from task to task, with real processes and a real file storage."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest

from engine.model import Folder, evolve
from engine.states import State
from engine.worker.control import Stop
from engine.worker.limits import Limits
from engine.worker.tasks import files
from streaming.bus import Bus
from streaming.messages import Job, JobFolder, TaskEnded
from tests.integration.worker_world import CORE, LIMITS, SCRIPTS, World, job, shell
from tests.waiting import until


class Folders:
    """Runs one task after the other in one folder, as the reducer would."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.left: Folder | None = None
        self.count = 0

    def run(self, task: Job, files: dict[str, str] | None = None) -> TaskEnded:
        """Run the next task; how it ended."""
        ended = self.world.run(self.prepared(task, files))
        self.left = ended.folder or self.left
        return ended

    def prepared(self, task: Job, files: dict[str, str] | None = None) -> Job:
        """``task`` as a task run of its own, in the folder."""
        self.count += 1
        return evolve(task, task_run_id=f"run{self.count}", folder=JobFolder(self.left, files))

    def finish(self, *patterns: str) -> TaskEnded:
        """What the worker does when all tasks are through."""
        clear = tuple(f"run{number}" for number in range(1, self.count + 1))
        task = job(f"{CORE}flow.WorkingDirectory", outputFiles=list(patterns))
        return self.world.run(evolve(task, task_run_id="wd", folder=JobFolder(self.left, clear=clear)))


@pytest.fixture
def make(bus: Bus, tmp_path: Path) -> Iterator[Callable[[Limits], Folders]]:
    worlds: list[World] = []

    def build(limits: Limits = LIMITS) -> Folders:
        worlds.append(World(bus, tmp_path, limits))
        return Folders(worlds[-1])

    yield build
    for world in worlds:
        world.close()


@pytest.fixture
def folders(make: Callable[[Limits], Folders]) -> Folders:
    return make(LIMITS)


def archives(folder: Path) -> list[Path]:
    return sorted(folder.rglob(".folder.tar"))


def test_each_task_finds_what_the_one_before_left(folders: Folders, tmp_path: Path) -> None:
    first = folders.run(
        shell("cat in/data.txt", "mkdir -p a/b", "echo one > a/b/one.txt", "ln -s a/b/one.txt link", "chmod 750 a"),
        {"in/data.txt": "given"},
    )
    assert first.state is State.SUCCESS
    second = folders.run(
        job(f"{SCRIPTS}python.Script", script="print(open('link').read()); open('two.txt', 'w').write('2')")
    )
    assert second.state is State.SUCCESS
    third = folders.run(shell("ls -A", "stat -c %a a"))
    assert folders.world.said("INFO") == ["given", "one", "", "a", "in", "link", "script.sh", "two.txt", "750"]
    assert third.folder is not None
    assert len(archives(tmp_path)) == 3
    ended = folders.finish("*.txt", "a/**/*.txt")
    assert ended.state is State.SUCCESS
    assert set(ended.outputs["outputFiles"]) == {"two.txt", "a/b/one.txt"}
    assert archives(tmp_path) == []


def test_the_scripts_of_tasks_are_not_left_and_hide_no_file_of_that_name(folders: Folders) -> None:
    folders.run(shell("echo mine > script.sh.keep", "mv script.sh.keep script.py"))
    folders.run(shell("cat script.py", "ls"))
    folders.run(job(f"{SCRIPTS}python.Script", script="print('python')"))
    folders.run(shell("cat script.py"))
    assert folders.world.said("INFO") == ["mine", "script.py", "script.sh", "python", "mine"]


def test_a_failed_task_leaves_its_folder_too(folders: Folders) -> None:
    failed = folders.run(shell("echo half > half.txt", "exit 1"))
    assert (failed.state, failed.folder is not None) == (State.FAILED, True)
    assert folders.run(shell("cat half.txt")).state is State.SUCCESS


def test_a_try_again_finds_the_folder_as_it_was_first(folders: Folders) -> None:
    folders.run(shell("mkdir made"))
    again = folders.prepared(shell("mkdir other", "ls"))
    for attempt in (1, 2):
        assert folders.world.run(evolve(again, attempt=attempt)).state is State.SUCCESS
    assert folders.world.said("INFO") == ["made", "other", "script.sh"] * 2


def test_a_killed_task_leaves_nothing(folders: Folders, tmp_path: Path) -> None:
    thread = threading.Thread(target=folders.world.runner.run, args=(folders.prepared(shell("echo up", "sleep 60")),))
    thread.start()
    control = until(lambda: folders.world.lines and folders.world.runner.current)
    control.stop(Stop.KILL)
    thread.join(10)
    ended = folders.world.events[-1]
    assert isinstance(ended, TaskEnded)
    assert (ended.state, ended.folder) == (State.KILLED, None)
    assert archives(tmp_path) == []


def test_a_folder_that_grows_too_large_fails_the_task_and_names_the_setting(make: Callable[[Limits], Folders]) -> None:
    ended = make(Limits(folder_max_bytes=100_000)).run(shell("head -c 200000 /dev/zero > big"))
    assert ended.state is State.FAILED
    assert "WATCHFLOOR_FOLDER_MAX_BYTES" in (ended.error or "")
    assert ended.folder is None


def full_for(times: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk of the file storage has no room for the next so many files."""
    opened, left = fsspec.open, iter(range(times))

    def open_(uri: str, mode: str, **more: Any) -> Any:
        if mode == "wb" and next(left, None) is not None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return opened(uri, mode, **more)

    monkeypatch.setattr(files.fsspec, "open", open_)


def test_while_the_disk_is_full_a_task_waits_for_room(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    full_for(2, monkeypatch)
    ended = folders.run(shell("echo kept > kept.txt", outputFiles=["kept.txt"]))
    assert (ended.state, list(ended.outputs["outputFiles"])) == (State.SUCCESS, ["kept.txt"])
    assert folders.run(shell("cat kept.txt")).state is State.SUCCESS
    assert folders.world.said("INFO")[-1] == "kept"


def test_a_disk_that_stays_full_fails_the_task_and_names_the_setting(
    make: Callable[[Limits], Folders], monkeypatch: pytest.MonkeyPatch
) -> None:
    full_for(100, monkeypatch)
    ended = make(Limits(files_wait=0.6)).run(shell("echo kept > kept.txt"))
    assert ended.state is State.FAILED
    assert "WATCHFLOOR_FILES_WAIT" in (ended.error or "")


def test_a_folder_that_is_gone_or_broken_fails_the_task(folders: Folders, tmp_path: Path) -> None:
    folders.run(shell("true"))
    (archive,) = archives(tmp_path)
    archive.write_bytes(b"x" * 2000)
    assert "can't be read" in (folders.run(shell("true")).error or "")
    archive.unlink()
    assert "is gone" in (folders.run(shell("true")).error or "")
    folders.left = Folder("file:///etc/passwd")
    assert "expected the folder among" in (folders.run(shell("true")).error or "")


def test_no_file_that_matches_is_a_warning_in_the_log(folders: Folders) -> None:
    folders.run(shell("true"))
    ended = folders.finish("*.csv")
    assert (ended.state, ended.outputs) == (State.SUCCESS, {"outputFiles": {}})
    assert folders.world.said("WARN") == ["no file in the folder matches outputFiles: *.csv"]
