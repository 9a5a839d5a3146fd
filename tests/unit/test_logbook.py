"""What ``doctor`` reads in the logs."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from watchfloor import doctor
from watchfloor.logbook import TOPICS, read, troubles
from watchfloor.settings import Settings

NOW = datetime.now(UTC)


def write(folder: Path, *lines: Any, name: str = "executor.log") -> None:
    folder.mkdir(exist_ok=True)
    with (folder / name).open("a") as file:
        for line in lines:
            file.write(line if isinstance(line, str) else json.dumps(line))
            file.write("\n")


def line(action: str, minutes_ago: float = 1, level: str = "warning", **fields: Any) -> dict[str, Any]:
    at = (NOW - timedelta(minutes=minutes_ago)).isoformat().replace("+00:00", "Z")
    return {"at": at, "level": level, "process": "executor", "pid": 1, "action": action, **fields}


LINES = {
    "errors": line("task.crashed", level="error", exception="Traceback\nZeroDivisionError: a bug"),
    "restarts": line("process.died", level="error", name="worker", code=-9, ran_s=61.5),
    "buried events": line("event.buried", id="1-0", reason="not an event"),
    "slow commits": line("commit.slow", took_ms=1234, events=50),
    "lag": line("lag.high", lag_s=7.5),
    "database away": line("database.back", away_s=12.5),
    "Redis away": line("redis.away", error="Connection refused", away_s=0.0),
    "lost workers": line("attempt.worker_lost", task_run="run-1", attempt=1, of="host:77"),
    "missed jobs": line("job.missed", task_run="run-2", attempt=3),
    "refused logins": line("login.failed", actor="root", address="10.0.0.9", way="password"),
}
WORDS = {
    "errors": "executor: task.crashed: ZeroDivisionError: a bug",
    "restarts": "worker ended with code -9 after 61.5 s",
    "buried events": "1-0: not an event",
    "slow commits": "1,234 ms for 50 events",
    "lag": "7.5 s behind",
    "database away": "back after 12.5 s",
    "Redis away": "redis.away: Connection refused",
    "lost workers": "host:77 died with attempt 1 of task run run-1",
    "missed jobs": "attempt 3 of task run run-2 came to no worker",
    "refused logins": "root from 10.0.0.9 by password",
}


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_each_trouble_is_found_by_its_action_and_says_what_to_do(topic: Any, tmp_path: Path) -> None:
    write(tmp_path, line("executor.started", level="info"), LINES[topic.name], line("retention.round", level="info"))
    (found,) = troubles(list(read(tmp_path)))
    assert (found.topic, found.count) == (topic, 1)
    assert WORDS[topic.name] in found.newest[0]
    assert topic.mend.endswith(".")


def test_what_is_old_or_no_line_of_ours_is_left_out(tmp_path: Path) -> None:
    write(tmp_path, line("lag.high", minutes_ago=60 * 25, lag_s=1), "no json {", "[1]", '"text"', line("lag.over"))
    assert troubles(list(read(tmp_path))) == []


def test_files_that_moved_on_are_read_too_and_equal_lines_are_told_once(tmp_path: Path) -> None:
    write(tmp_path, *(line("event.buried", minutes_ago=n, id="1-0", reason="bad") for n in (9, 8, 7)), name="a.log.1")
    write(tmp_path, line("event.buried", minutes_ago=2, id="2-0", reason="bad"), name="a.log")
    (found,) = troubles(list(read(tmp_path)))
    assert found.count == 4
    assert [words.split("  ", 1)[1] for words in found.newest] == ["2-0: bad", "1-0: bad (3 times)"]


def test_doctor_prints_it_and_the_past_breaks_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "CHECKS", {})
    settings, console = Settings(_env_file=None, data_dir=tmp_path), Console(record=True, width=200)
    write(tmp_path / "logs", line("executor.started", level="info"))
    assert doctor.doctor(settings, console) == 0
    assert "Nothing bad in the logs" in console.export_text()
    write(tmp_path / "logs", *LINES.values())
    assert doctor.doctor(settings, console) == 0
    said = console.export_text()
    for words in WORDS.values():
        assert words in said
    assert "→ Nothing was lost." in said
