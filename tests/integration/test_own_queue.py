"""Jobs of a WorkingDirectory go to the worker that has its folder, and elsewhere when that one is busy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.dispatch import Dispatch
from engine.model import Folder
from engine.worker.queues import OwnQueue, key_of, own_queue
from streaming import keys
from streaming.bus import Bus
from streaming.messages import Job, JobFolder
from watchfloor.settings import Settings

WORKER = "host/1:2:3"


def job(worker: str | None) -> Job:
    folder = JobFolder(Folder("file:///a", worker)) if worker else None
    return Job("execution", "ns", "flow", 1, "run", 1, {"id": "t"}, {}, folder=folder)


@pytest.fixture
def submit(bus: Bus, valkey_url: str, tmp_path: Path) -> Iterator[Callable[[Job], None]]:
    dispatch = Dispatch(Settings(data_dir=tmp_path, redis_url=valkey_url))
    yield dispatch.submit
    dispatch.close()


def waiting(bus: Bus) -> tuple[int, int]:
    """How many jobs wait for any worker, and for this one."""
    return bus.redis.llen(keys.JOBS), bus.redis.llen(key_of(own_queue(WORKER)))


def test_a_job_goes_to_the_worker_that_has_its_folder(bus: Bus, submit: Callable[[Job], None]) -> None:
    submit(job(None))
    submit(job(WORKER))
    assert waiting(bus) == (1, 1)
    assert bus.redis.ttl(key_of(own_queue(WORKER))) > 0


def test_what_waits_for_a_busy_worker_goes_to_all_at_the_second_look(bus: Bus, submit: Callable[[Job], None]) -> None:
    own = OwnQueue(bus, WORKER)
    submit(job(WORKER))
    submit(job(WORKER))
    assert own.hand_on() == 0
    assert waiting(bus) == (0, 2)
    assert own.hand_on() == 2
    assert waiting(bus) == (2, 0)
    assert own.hand_on() == 0


def test_a_worker_that_ends_leaves_nothing_in_its_queue(bus: Bus, submit: Callable[[Job], None]) -> None:
    submit(job(WORKER))
    assert OwnQueue(bus, WORKER).hand_on(all_of_it=True) == 1
    assert waiting(bus) == (1, 0)
