"""The fault harness itself: that it sees what goes wrong, and a short seed of it on the real product."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest

from benchmarks.chaos.mix import NAMES, draw
from benchmarks.chaos.outcome import Outcome, differences
from benchmarks.chaos.proxy import proxy_to
from benchmarks.faults import one


def outcome(state: str = "SUCCESS", lines: list[str] | None = None, twice: list[str] | None = None) -> Outcome:
    run = {"task": "a", "state": state, "attempts": [state], "lines": [lines or ["up", "done"]]}
    return Outcome({"0-flow": {"flow": "flow", "state": state, "task_runs": [run]}}, twice or [], 0)


@pytest.mark.parametrize(
    ("got", "words"),
    [
        (outcome("FAILED"), "state 'FAILED', expected 'SUCCESS'"),
        (outcome(lines=["up"]), "a: lines [['up']], expected [['up', 'done']]"),
        (outcome(lines=["up", "up", "done"]), "a: lines"),
        (outcome(twice=["run:1"]), "attempt run:1 ran twice"),
        (Outcome({}, [], 0), "0-flow: missing"),
    ],
)
def test_what_is_not_as_in_the_undisturbed_run_is_told(got: Outcome, words: str) -> None:
    assert differences(outcome(), outcome()) == []
    assert any(words in said for said in differences(outcome(), got))


def test_a_seed_gives_the_same_executions_each_time() -> None:
    assert draw(1, 40, 3.0) == draw(1, 40, 3.0) != draw(2, 40, 3.0)
    assert {planned.flow for planned in draw(1, 40, 3.0)} == set(NAMES)


def test_the_proxy_holds_and_cuts(tmp_path: Path) -> None:
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(tmp_path / "s"))
    server.listen()

    def echo() -> None:
        peer, _ = server.accept()
        with peer:
            while data := peer.recv(100):
                peer.sendall(data)

    thread = threading.Thread(target=echo)
    thread.start()
    with proxy_to(tmp_path / "s") as proxy, socket.create_connection(("127.0.0.1", proxy.port)) as client:
        client.sendall(b"one")
        assert client.recv(100) == b"one"
        proxy.hold(0.2)
        client.settimeout(0.05)
        client.sendall(b"two")
        with pytest.raises(TimeoutError):
            client.recv(100)
        client.settimeout(5)
        assert client.recv(100) == b"two"
        proxy.cut()
        with pytest.raises(ConnectionResetError):
            client.recv(100) or (_ for _ in ()).throw(ConnectionResetError)
    thread.join(5)
    server.close()


def test_a_disturbed_run_ends_as_an_undisturbed_one() -> None:
    said, got, _ = one(7, 20, None)
    assert said == []
    assert got is not None
