"""A real worker with its pool: jobs through Celery, and what happens when processes or Redis die."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
import redis

from engine.dispatch import Dispatch
from engine.effects import Submit
from engine.model import Folder, evolve
from engine.states import State
from engine.worker.app import TASK_NAME, broker_url, build_app
from engine.worker.queues import QUEUE
from engine.worker.registry import GIVEN_OUT, RUNNING, Journey, Registry, given
from streaming import codec, keys
from streaming.bus import Bus
from streaming.executor.batch import Outbox
from streaming.executor.performer import Performer
from streaming.messages import Event, Job, JobFolder, JobMissed, LogLine, TaskEnded, TaskStarted, WorkerLost
from tests.integration.worker_world import processes_of
from tests.waiting import until
from watchfloor.settings import Settings
from watchfloor.valkey import valkey_command, wait_for

SECONDS = 20


def shell(run: str, *commands: str) -> Job:
    task = {"id": "t", "type": "io.kestra.plugin.scripts.shell.Commands", "commands": list(commands)}
    return Job("execution", "ns", "flow", 1, run, 1, task, {})


class World:
    """A Valkey of its own, a way to give jobs out, and workers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = Settings(data_dir=folder, kill_grace=1)
        self.valkey = self.start_valkey()
        self.bus = Bus(self.settings.resolved_redis_url)
        self.dispatch = Dispatch(self.settings)
        self.workers: list[subprocess.Popen[bytes]] = []

    def start_valkey(self) -> subprocess.Popen[bytes]:
        command = valkey_command(self.folder, self.folder / "valkey.sock")
        self.valkey = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        wait_for(self.settings.resolved_redis_url, self.valkey)
        return self.valkey

    def start_worker(self, processes: int = 1) -> subprocess.Popen[bytes]:
        env = os.environ | {
            "WATCHFLOOR_DATA_DIR": str(self.folder),
            "WATCHFLOOR_KILL_GRACE": "1",
            "WATCHFLOOR_STOP_GRACE": "1",
            "WATCHFLOOR_WORKER_PROCESSES": str(processes),
        }
        log = (self.folder / "worker.log").open("ab")
        command = [sys.executable, "-m", "watchfloor.cli", "worker"]
        worker = subprocess.Popen(command, env=env, stdout=log, stderr=log, start_new_session=True)
        log.close()
        self.workers.append(worker)
        return worker

    def close(self) -> None:
        for worker in self.workers:
            if worker.poll() is None:
                worker.terminate()
                worker.wait(SECONDS)
        self.dispatch.close()
        self.bus.close()
        self.valkey.kill()
        self.valkey.wait()

    def events(self, run: str) -> list[Event]:
        entries = self.bus.read(keys.EVENTS, "0", count=1_000, block_ms=None)
        events = [codec.decode_event(entry.payload) for entry in entries]
        return [event for event in events if getattr(event, "task_run_id", None) == run]

    def lines(self, run: str) -> list[LogLine]:
        entries = self.bus.read(keys.LOGS, "0", count=10_000, block_ms=None)
        batches = [codec.decode_log_batch(entry.payload) for entry in entries]
        return [line for batch in batches if batch.task_run_id == run for line in batch.lines]

    def wait_started(self, run: str) -> None:
        until(lambda: self.lines(run))

    def wait_lost(self, run: str) -> WorkerLost:
        return until(lambda: next((e for e in self.events(run) if isinstance(e, WorkerLost)), None))

    def wait_ended(self, run: str) -> TaskEnded:
        return until(lambda: next((e for e in self.events(run) if isinstance(e, TaskEnded)), None))


@contextmanager
def a_world() -> Iterator[World]:
    with tempfile.TemporaryDirectory(prefix="wf-") as folder:
        world = World(Path(folder))
        try:
            yield world
        except AssertionError:
            print((world.folder / "worker.log").read_text())
            raise
        finally:
            world.close()


@pytest.fixture
def world() -> Iterator[World]:
    with a_world() as world:
        yield world


def lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def pool_process(world: World, run: str) -> int:
    started = next(event for event in world.events(run) if isinstance(event, TaskStarted))
    return int(started.worker_id.rpartition(":")[2])


def test_the_tasks_of_a_folder_run_on_one_worker(world: World) -> None:
    mains = [world.start_worker(), world.start_worker()]
    left = None
    for number in range(4):
        run = f"run{number}"
        world.dispatch.submit(evolve(shell(run, "date >> log", "cat log"), folder=JobFolder(left)))
        left = world.wait_ended(run).folder
        assert left is not None
    parents = {psutil.Process(pool_process(world, f"run{number}")).ppid() for number in range(4)}
    assert len(parents) == 1
    assert parents <= {main.pid for main in mains}
    assert len([line for line in world.lines("run3") if line.level == "INFO"]) == 4


def test_jobs_run_and_a_second_delivery_is_dropped(world: World) -> None:
    world.start_worker(2)
    for run in ("a", "b", "a"):
        world.dispatch.submit(shell(run, "echo hello"))
    for run in ("a", "b"):
        assert world.wait_ended(run).state is State.SUCCESS
        assert [line.message for line in world.lines(run)] == ["hello"]
    until(lambda: world.bus.redis.llen(f"wf:celery:{QUEUE}") == 0)
    world.dispatch.submit(shell("c", "true"))
    world.wait_ended("c")
    assert len(world.events("a")) == 2


def test_a_worker_told_to_stop_lets_its_task_finish(world: World) -> None:
    worker = world.start_worker()
    world.dispatch.submit(shell("a", "echo up", "sleep 0.5", "echo done"))
    world.wait_started("a")
    worker.send_signal(signal.SIGTERM)
    assert world.wait_ended("a").state is State.SUCCESS
    assert worker.wait(SECONDS) == 0


def test_a_worker_told_to_stop_ends_what_takes_longer_and_gives_it_back(world: World) -> None:
    worker = world.start_worker()
    world.dispatch.submit(shell("a", "echo up", "sleep 60"))
    world.wait_started("a")
    world.dispatch.submit(shell("b", "true"))
    os.killpg(worker.pid, signal.SIGTERM)  # as a manager of processes does it
    lost = world.wait_lost("a")
    assert (lost.attempt, lost.stopped) == (1, True)
    assert worker.wait(SECONDS) == 0
    assert processes_of("a:1") == []
    assert world.bus.redis.hlen(RUNNING) == 0
    assert not any(isinstance(event, TaskEnded) for event in world.events("a"))
    assert world.events("b") == []  # nothing new starts
    world.start_worker()
    assert world.wait_ended("b").state is State.SUCCESS


def test_an_attempt_whose_pool_process_was_killed_is_reported_lost(world: World) -> None:
    world.start_worker()
    world.dispatch.submit(shell("a", "echo up", "sleep 60"))
    world.wait_started("a")
    first = processes_of("a:1")
    os.kill(pool_process(world, "a"), signal.SIGKILL)
    lost = world.wait_lost("a")
    assert (lost.attempt, lost.stopped) == (1, False)
    assert first
    assert not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in first)
    until(lambda: world.bus.redis.hlen(RUNNING) == 0)
    world.dispatch.submit(shell("a", "echo up"))  # the same attempt never runs again
    world.dispatch.submit(shell("b", "true"))
    world.wait_ended("b")
    assert not any(isinstance(event, TaskEnded) for event in world.events("a"))


def test_what_outlives_a_killed_worker_is_ended_by_the_next_one(world: World) -> None:
    worker = world.start_worker()
    world.dispatch.submit(shell("a", "echo up", "setsid sleep 60 &", "exec sleep 61"))
    world.wait_started("a")
    until(lambda: len(processes_of("a:1")) == 2)
    pool = pool_process(world, "a")
    worker.kill()
    worker.wait()
    until(lambda: not lives(pool))  # the kernel ends the pool with its worker
    assert len(processes_of("a:1")) == 2
    world.start_worker()
    assert world.wait_lost("a").attempt == 1
    assert processes_of("a:1") == []


def test_what_nobody_knows_any_more_is_ended_by_the_next_worker(world: World) -> None:
    worker = world.start_worker()
    world.dispatch.submit(shell("a", "echo up", "exec sleep 60"))
    world.wait_started("a")
    worker.kill()
    worker.wait()
    world.bus.redis.delete(RUNNING)  # a worker on another machine has told of it meanwhile
    assert len(processes_of("a:1")) == 1
    world.start_worker()
    until(lambda: processes_of("a:1") == [])


def test_a_job_lost_on_its_way_is_asked_for_again(world: World) -> None:
    journey = Journey(world.bus)
    journey.begin([shell("a", "true")])
    world.bus.redis.zincrby(GIVEN_OUT, -60, "execution|a:1")
    world.start_worker()
    missed = until(lambda: next((e for e in world.events("a") if isinstance(e, JobMissed)), None))
    assert (missed.execution_id, missed.attempt) == ("execution", 1)
    journey.begin([shell("b", "true")])
    world.dispatch.submit(shell("b", "true"))
    world.wait_ended("b")
    assert world.bus.redis.zcard(GIVEN_OUT) == 0
    assert not any(isinstance(event, JobMissed) for event in world.events("b"))


def test_a_job_in_the_queue_is_not_lost(world: World) -> None:
    journey = Journey(world.bus)
    journey.begin([shell("a", "true")])
    world.dispatch.submit(shell("a", "true"))
    world.bus.redis.zincrby(GIVEN_OUT, -60, "execution|a:1")
    assert journey.missed(5, 10) == []
    world.bus.redis.set("wf:given-out:newest", time.time())  # a newer one was taken: it has left the queue
    assert [job.task_run_id for job in journey.missed(5, 10)] == ["a"]


@pytest.mark.parametrize("way", ["said twice", "given out again", "to a worker of its own"])
def test_what_is_claimed_out_of_order_makes_none_old_that_waits_in_the_queue(world: World, way: str) -> None:
    job, journey = shell("a", "true"), Journey(world.bus)
    if way == "to a worker of its own":
        job = evolve(job, folder=JobFolder(Folder("file:///a", "worker")))
    else:
        journey.begin([job])
        world.bus.redis.zincrby(GIVEN_OUT, -60, "execution|a:1")
    if way == "given out again":
        journey.end(given(job))
    journey.begin([shell("b", "true")])
    world.dispatch.submit(shell("b", "true"))
    world.bus.redis.zincrby(GIVEN_OUT, -50, "execution|b:1")
    journey.begin([job], again=way == "given out again")
    assert Registry(world.bus, "worker", "process").claim(job, "token") is False
    assert journey.missed(5, 10) == []


def test_what_the_executor_gives_out_again_is_told_from_what_is_new(world: World) -> None:
    effects = (Submit(shell("a", "true")), Submit(shell("b", "true"), again=True))
    Performer(world.bus, world.dispatch).perform(Outbox(b"", effects))
    scores = {name.decode(): score % 1 for name, score in world.bus.redis.zrange(GIVEN_OUT, 0, -1, withscores=True)}
    assert scores == {"execution|a:1": 0.0, "execution|b:1": 0.5}


def test_nothing_is_lost_while_redis_is_away(world: World) -> None:
    world.start_worker()
    gate = world.folder / "gate"
    world.dispatch.submit(shell("a", "echo up", f"until [ -e {gate} ]; do sleep 0.05; done", "seq 1 5000", "echo done"))
    world.wait_started("a")
    world.valkey.kill()
    world.valkey.wait()
    gate.touch()
    until(lambda: processes_of("a:1") == [])
    world.start_valkey()
    assert world.wait_ended("a").state is State.SUCCESS
    assert [line.message for line in world.lines("a")] == ["up", *map(str, range(1, 5001)), "done"]
    world.dispatch.submit(shell("b", "echo again"))
    assert world.wait_ended("b").state is State.SUCCESS


def test_a_job_can_not_be_given_out_while_redis_is_away(world: World) -> None:
    world.valkey.kill()
    world.valkey.wait()
    with pytest.raises(redis.ConnectionError):
        world.dispatch.submit(shell("a", "true"))
    world.start_valkey()
    world.dispatch.submit(shell("a", "true"))
    assert world.bus.redis.llen(f"wf:celery:{QUEUE}") == 1


def test_a_connection_that_answers_no_more_is_given_up(world: World) -> None:
    """Else a worker that reads where nothing comes any more takes no job until somebody restarts it."""
    with build_app(world.settings).connection_for_read() as connection:
        client = connection.default_channel.client
        client.ping()
        world.valkey.send_signal(signal.SIGSTOP)
        try:
            with pytest.raises(connection.connection_errors):
                client.execute_command("BRPOP", "nothing", 0)
        finally:
            world.valkey.send_signal(signal.SIGCONT)


def test_a_malformed_job_is_put_aside(world: World) -> None:
    world.start_worker()
    app = build_app(world.settings)
    app.send_task(TASK_NAME, args=["bm8gam9i"], queue=QUEUE)
    app.close()
    until(lambda: world.bus.length(keys.DEAD_LETTERS) == 1)
    world.dispatch.submit(shell("a", "true"))
    assert world.wait_ended("a").state is State.SUCCESS


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://host:6379/2", "redis://host:6379/2"),
        ("unix:///tmp/a b/v.sock", "redis+socket:///tmp/a%20b/v.sock?virtual_host=0"),
        ("unix:///tmp/v.sock?db=3", "redis+socket:///tmp/v.sock?virtual_host=3"),
    ],
)
def test_addresses_as_celery_spells_them(url: str, expected: str) -> None:
    assert broker_url(url) == expected
