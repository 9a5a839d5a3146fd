"""``watchfloor run FLOW.yaml``: execute a flow file and follow it in the terminal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import psutil
import redis
from rich.console import Console

from engine.states import State
from streaming import codec, keys
from streaming.bus import Bus, split_live
from streaming.messages import Heartbeat
from watchfloor.follow import Follower
from watchfloor.settings import TLS_FILES, Settings
from watchfloor.up import environment, public_url, read_state
from watchfloor.urls import without_password
from watchfloor.valkey import valkey_server, wait_for

if TYPE_CHECKING:
    from data import Store
    from engine.flow import Flow

ACTOR = "run"
BROKEN = 2
EXIT_CODES = {
    State.SUCCESS: 0,
    State.WARNING: 0,
    State.FAILED: 1,
    State.KILLED: 130,
    State.CANCELLED: 130,
}
_HEARTBEAT_WAIT = 2.5


class Options(msgspec.Struct, frozen=True):
    """What the command line said. ``resume`` goes on wherever it pauses; ``alone`` takes a private engine."""

    inputs: dict[str, str] = {}
    labels: dict[str, str] = {}
    resume: bool = False
    alone: bool = False


def run(settings: Settings, path: Path, options: Options, console: Console) -> int:
    """Execute the flow file at ``path`` and print what happens; the exit code."""
    from engine.flow import FlowError, parse

    try:
        flow = parse(path.read_text(encoding="utf-8"), settings.flow_size)
    except FlowError as error:
        for found in error.violations:
            console.print(f"{path}:{found.line}:{found.column}: {found.message}", markup=False, soft_wrap=True)
        return BROKEN
    except UnicodeDecodeError as error:
        console.print(f"{path}: expected UTF-8 text, got {error}", markup=False)
        return BROKEN
    if not options.alone and product_runs(settings):
        console.print(
            f"Running {flow.namespace}.{flow.id} in the product at {without_password(settings.resolved_redis_url)}"
        )
        return _execute(settings, flow, options, console, hint=f"Resume it on {public_url(settings)}")
    console.print("No product runs here: starting a private engine.")
    with private_engine(settings, path) as own:
        return _execute(own, flow, options, console, hint="Start it with --resume to go on by itself")


def product_runs(settings: Settings) -> bool:
    """True when ``up`` runs with this data folder, or an executor's heartbeat comes through Redis."""
    state = read_state(settings.data_dir)
    if state is not None and psutil.pid_exists(state.pid):
        wait_for(settings.resolved_redis_url)
        return True
    bus = Bus.of(settings)
    try:
        with bus.subscription(keys.LIVE) as subscription:
            end = time.monotonic() + _HEARTBEAT_WAIT
            while time.monotonic() < end:
                heard = subscription.get(0.2)
                if heard and isinstance(codec.decode_live(split_live(heard[1])[1]), Heartbeat):
                    return True
    except redis.RedisError:
        return False
    finally:
        bus.close()
    return False


def _execute(settings: Settings, flow: Flow, options: Options, console: Console, *, hint: str) -> int:
    from data import Store
    from engine.inputs import InputError
    from streaming.commands import CommandError, Commands
    from streaming.flow_commands import FlowCommands

    store = Store(settings.resolved_database_url)
    bus = Bus.of(settings)
    commands = Commands(store, bus)
    try:
        with bus.subscription(keys.LIVE, keys.LIVE_LOGS) as subscription:
            while subscription.get(0.05) is not None:  # both confirmations, so that nothing is missed
                pass
            _, revision = FlowCommands(store, bus, settings.flow_size).save(flow.source, actor=ACTOR, origin="cli")
            execution_id = commands.execute(
                flow.namespace,
                flow.id,
                actor=ACTOR,
                inputs=dict(options.inputs),
                labels=options.labels,
                revision=revision,
                origin="cli",
            )
            console.print(f"Execution {execution_id}", markup=False)
            follower = Follower(execution_id, subscription, store, bus, console)
            return EXIT_CODES[_until_end(follower, commands, options, console, hint)]
    except InputError as error:
        for name, message in error.errors.items():
            console.print(f"--input {name}: {message}", markup=False)
        return BROKEN
    except CommandError as error:
        console.print(str(error), markup=False)
        return BROKEN
    finally:
        store.close()
        bus.close()


def _until_end(follower: Follower, commands: Any, options: Options, console: Console, hint: str) -> State:
    from engine.states import Action
    from streaming.commands import CommandError

    with _interrupts() as interrupts:
        killed, told = "", None
        while (state := follower.step()) is None or state not in EXIT_CODES:
            if interrupts and killed != follower.execution_id:
                killed = follower.execution_id
                console.print("Killing it (Ctrl-C again leaves it alone)")
                with suppress(CommandError):
                    commands.act(Action.KILL, follower.execution_id, actor=ACTOR, reason="Ctrl-C", origin="cli")
            if len(interrupts) > 1:
                return State.KILLED
            if state is State.PAUSED and told != follower.version:
                told = follower.version
                if options.resume:
                    with suppress(CommandError):
                        commands.act(Action.RESUME, follower.execution_id, actor=ACTOR, origin="cli")
                else:
                    console.print(f"It is paused. {hint}; Ctrl-C kills it.", markup=False)
        follower.finish()
        follower.summary()
        return state


@contextmanager
def _interrupts() -> Iterator[list[int]]:
    """The SIGINTs and SIGTERMs that came so far."""
    came: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, lambda got, _: came.append(got)) for number in numbers}
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def private_engine(settings: Settings, path: Path) -> Iterator[Settings]:
    """An engine of its own in a temporary folder: Valkey, store, executor, log writer and one worker.

    The flow files beside ``path`` are known to it as subflows; schedules start nothing.
    """
    with tempfile.TemporaryDirectory(prefix="wf-run-") as folder:
        home = Path(folder)
        with valkey_server(home) as url:
            changes = {"data_dir": home, "redis_url": url, "database_url": None, "flows_dir": home / "flows"}
            changes |= {**dict.fromkeys(TLS_FILES), "partitions": 1, "partition": 0}
            own = Settings(**{**settings.model_dump(), **changes, "schedules": False})
            with _worker(own, home):
                _store(own, path).close()
                with _threads(own):
                    yield own


def _store(settings: Settings, path: Path) -> Store:
    from data import Store
    from engine.flow import FlowError, parse

    store = Store(settings.resolved_database_url)
    store.migrate()
    for beside in sorted({*path.parent.glob("*.yaml"), *path.parent.glob("*.yml")} - {path}):
        with suppress(FlowError, OSError, UnicodeDecodeError):
            store.save_flow(parse(beside.read_text(encoding="utf-8"), settings.flow_size))
    return store


@contextmanager
def _worker(settings: Settings, home: Path) -> Iterator[None]:
    env = environment(settings) | {"WATCHFLOOR_LOG_LEVEL": "WARNING"}
    with (home / "worker.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "watchfloor.cli", "worker"],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            yield
        finally:
            _end(process, settings)


def _end(process: subprocess.Popen[bytes], settings: Settings) -> None:
    """End the worker: in peace while a task runs, else at once, for nothing of it is kept."""
    from engine.worker.registry import RUNNING

    with redis.Redis.from_url(settings.resolved_redis_url) as client, suppress(subprocess.TimeoutExpired):
        if client.hlen(RUNNING):
            process.terminate()
            process.wait(settings.kill_grace + 5)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def _threads(settings: Settings) -> Iterator[None]:
    """The executor and the log writer, in this process."""
    from streaming.executor import main as execute
    from streaming.logwriter import main as write_logs
    from watchfloor.logs import configure

    configure("CRITICAL")
    stop = threading.Event()
    threads = [threading.Thread(target=work, args=(settings, stop), daemon=True) for work in (execute, write_logs)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(10)
