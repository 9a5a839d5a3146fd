"""Watchfloor's own logs: their form, what they hide, and files that move on."""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from watchfloor import logs
from watchfloor.logfile import LogFile
from watchfloor.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    yield Settings(_env_file=None, data_dir=tmp_path)
    structlog.reset_defaults()
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler, logs._Forward)]:
        root.removeHandler(handler)


def lines(settings: Settings, process: str = "web") -> list[dict[str, Any]]:
    return [json.loads(line) for line in logs.log_path(settings.data_dir, process).read_text().splitlines()]


def test_a_line_of_the_file_has_its_action_its_ids_and_who_said_it(settings: Settings) -> None:
    logs.configure_process(settings, "web", quiet=True)
    structlog.get_logger().info("action.requested", execution="e-1", actor="ada", took_ms=3)
    (line,) = lines(settings)
    assert list(line) == ["at", "level", "process", "pid", "action", "execution", "actor", "took_ms"]
    assert (line["level"], line["process"], line["pid"]) == ("info", "web", os.getpid())
    assert (line["action"], line["execution"], line["actor"], line["took_ms"]) == ("action.requested", "e-1", "ada", 3)
    assert line["at"].endswith("Z")


def test_an_exception_is_there_with_its_trace(settings: Settings) -> None:
    logs.configure_process(settings, "web", quiet=True)
    try:
        raise ZeroDivisionError("a bug")
    except ZeroDivisionError:
        structlog.get_logger().exception("event.not_applied", id="1-0")
    (line,) = lines(settings)
    assert line["level"] == "error"
    assert "ZeroDivisionError: a bug" in line["exception"]
    assert "test_logs.py" in line["exception"]


def test_standard_error_is_for_people_or_json(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure_process(settings, "executor")
    structlog.get_logger().warning("commit.slow", took_ms=900)
    said = capsys.readouterr().err
    assert "commit.slow" in said
    assert "took_ms=900" in said
    logs.configure_process(settings.model_copy(update={"log_format": "json"}), "executor")
    structlog.get_logger().warning("commit.slow", took_ms=901)
    assert json.loads(capsys.readouterr().err)["took_ms"] == 901
    assert [line["took_ms"] for line in lines(settings, "executor")] == [900, 901]


def test_below_the_level_nothing_is_said(settings: Settings) -> None:
    logs.configure_process(settings, "web", quiet=True)
    structlog.get_logger().debug("task.submitted")
    assert not logs.log_path(settings.data_dir, "web").exists()


ENVIRONMENT = {
    "WATCHFLOOR_SECRET_KEYS": "line-one\nline-two",
    "WATCHFLOOR_ADMIN_PASSWORD": 'pa"ss-word',
    "HOME": "/root",
}


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({"password": "x"}, {"password": "******"}),
        ({"login_token": "abc", "tokens": None}, {"login_token": "******", "tokens": None}),
        ({"error": "sent line-two to them"}, {"error": "sent ****** to them"}),
        ({"error": 'was pa"ss-word'}, {"error": "was ******"}),
        ({"url": "redis://:hunter2@host/0"}, {"url": "redis://…@host/0"}),
        (
            {"deep": [{"Authorization": "Basic x", "ok": 'pa\\"ss-word'}]},
            {"deep": [{"Authorization": "******", "ok": "******"}]},
        ),
        ({"error": ValueError("line-one")}, {"error": "******"}),
        ({"n": 3, "home": "/root", "none": None}, {"n": 3, "home": "/root", "none": None}),
    ],
)
def test_secrets_never_get_out(given: dict[str, Any], shown: dict[str, Any]) -> None:
    assert logs.hider(ENVIRONMENT)(None, "info", given) == shown


def test_what_libraries_warn_of_is_a_line_too(settings: Settings) -> None:
    logs.configure_process(settings, "worker", quiet=True)
    logging.getLogger("kombu").warning("lost %s", "redis://:hunter2@host")
    (line,) = lines(settings, "worker")
    assert (line["action"], line["library"], line["message"]) == ("library.said", "kombu", "lost redis://…@host")


def test_a_full_file_moves_on_and_the_oldest_is_forgotten(tmp_path: Path) -> None:
    file = LogFile(tmp_path / "a.log", 100, 2)
    for number in range(40):
        file.write(f"line {number:04}")
    file.close()
    kept = [(tmp_path / name).read_text().split("\n")[:-1] for name in ("a.log.2", "a.log.1", "a.log")]
    assert [line for one in kept for line in one] == [
        f"line {number:04}" for number in range(40 - sum(map(len, kept)), 40)
    ]
    assert all(os.path.getsize(tmp_path / name) <= 100 for name in ("a.log", "a.log.1", "a.log.2"))
    assert not (tmp_path / "a.log.3").exists()


def test_many_writers_share_a_file_and_no_line_is_torn_or_lost(tmp_path: Path) -> None:
    def work(name: str) -> None:
        file = LogFile(tmp_path / "a.log", 2_000, 50)
        for number in range(200):
            file.write(f"{name} {number:04} {'x' * 20}")
        file.close()

    threads = [threading.Thread(target=work, args=(f"writer-{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = [line for path in tmp_path.glob("a.log*") for line in path.read_text().splitlines()]
    assert sorted(found) == sorted(f"writer-{n} {i:04} {'x' * 20}" for n in range(4) for i in range(200))


def test_a_folder_that_is_no_folder_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("in the way")
    LogFile(tmp_path / "logs" / "web.log", 1_000, 2).write("lost")
