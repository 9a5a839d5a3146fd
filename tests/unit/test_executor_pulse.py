"""What an executor says of the database: refused, silent in a commit or a probe, and back."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from data import StoreUnavailable
from streaming.executor.pulse import Pulse
from streaming.partitions import Partitions


class Database:
    """Says ``problem`` when it is asked, after ``meanwhile``."""

    def __init__(self) -> None:
        self.problem: str | None = None
        self.meanwhile: Any = None

    def probe(self) -> None:
        if self.meanwhile is not None:
            self.meanwhile()
        if self.problem is not None:
            raise StoreUnavailable(self.problem)


class World:
    """A pulse whose time passes when told."""

    def __init__(self) -> None:
        self.seconds = 100.0
        self.database = Database()
        bus: Any = SimpleNamespace(read=lambda *_, **__: [], length=lambda _: 0)
        post: Any = SimpleNamespace(partition=0, partitions=Partitions(1), stream="wf:events", waits=False)
        store: Any = self.database
        self.pulse = Pulse("x", bus, store, post, lambda: "0", clock=lambda: self.seconds)

    def said(self) -> str | None:
        return self.pulse.heartbeat().database

    def later(self, seconds: float) -> str | None:
        self.seconds += seconds
        return self.said()


@pytest.fixture
def world() -> World:
    return World()


def test_a_probe_that_is_refused_and_then_not(world: World) -> None:
    world.database.problem = "locked"
    world.pulse.probe()
    assert world.said() == "locked"
    world.database.problem = None
    world.pulse.probe()
    assert world.said() is None


def test_a_probe_without_an_answer(world: World) -> None:
    heard: list[str | None] = []
    world.database.meanwhile = lambda: heard.extend([world.later(1.9), world.later(1.1)])
    world.pulse.probe()
    assert heard == [None, "has not answered for 3 s"]
    assert world.said() is None


def test_a_commit_without_an_answer(world: World) -> None:
    with world.pulse.commit():
        world.database.problem = "locked by our own commit"
        world.pulse.probe()
        assert world.said() is None
        assert world.later(2.5) == "has not answered for 2 s"
    assert world.said() is None


def test_what_a_probe_finds_beside_a_commit_is_not_told(world: World) -> None:
    def committed() -> None:
        with world.pulse.commit():
            pass

    world.database.problem, world.database.meanwhile = "locked by our own commit", committed
    world.pulse.probe()
    assert world.said() is None
