"""``watchfloor up``: every process of the Procfile and, unless a server was named, an embedded Valkey."""

from __future__ import annotations

import fcntl
import os
import shlex
import signal
import socket
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import structlog
from honcho.environ import parse_procfile
from rich.console import Console

from watchfloor.logs import configure_process
from watchfloor.settings import TLS_FILES, Settings
from watchfloor.supervisor import Supervisor
from watchfloor.urls import without_password

log = structlog.get_logger()

ROOT = Path(__file__).resolve().parent.parent
PROCFILE = ROOT / "Procfile"
STATE_FILE = "up.json"
VALKEY = "valkey"
STAGES = (("web", "worker"), ("executor", "logs"), (VALKEY,))
_LATE = ("logs", "worker")  # the first row needs neither: they load once the executor has
_LATE_SECONDS = 10.0
_SPARE = 5.0
_NOTE_AGAIN = 1.0


class UpError(RuntimeError):
    """The product can't be started; the message says what to do."""


class Running(msgspec.Struct):
    """What ``up`` writes down about itself: for ``doctor`` and ``run``."""

    pid: int
    url: str
    processes: dict[str, int] = {}


class Note:
    """Keeps ``running`` written down in a folder. A full disk is no reason to end everything: it is tried again."""

    def __init__(self, folder: Path, running: Running, again: float = _NOTE_AGAIN) -> None:
        self._path = folder / STATE_FILE
        self._running = running
        self._again = again
        self._lock = threading.Lock()

    def started(self, name: str, pid: int) -> None:
        """A process was started."""
        with self._lock:
            self._running.processes[name] = pid
        self._write()

    def _write(self) -> None:
        try:
            with self._lock:
                _write(self._path, msgspec.json.encode(self._running))
        except OSError as error:
            log.error("state.not_written", reason=str(error))
            later = threading.Timer(self._again, self._write)
            later.daemon = True
            later.start()


def up(settings: Settings, console: Console) -> int:
    """Start everything and stay until Ctrl-C or SIGTERM; the exit code."""
    settings = with_port(settings)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    configure_process(settings, "up", quiet=True)
    with only_one(settings.data_dir):
        try:
            return _run(settings, console)
        finally:
            (settings.data_dir / STATE_FILE).unlink(missing_ok=True)


def _run(settings: Settings, console: Console) -> int:
    began = time.monotonic()
    running = Running(os.getpid(), public_url(settings))
    supervisor = make_supervisor(settings, running)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: supervisor.stop())
    with _stopped_on_error(settings, supervisor):
        console.print(f"Starting {', '.join(supervisor.names)}")
        supervisor.start(*(name for name in supervisor.names if name not in _LATE))
        from watchfloor.valkey import look_after, wait_for  # not at the top: the client takes a while to load

        if settings.redis_url is None:
            console.print(f"Starting the embedded Valkey (data in {settings.data_dir})")
            add_valkey(settings, supervisor)
            supervisor.start(VALKEY)
            home = (settings.data_dir.resolve(), supervisor.stopping)
            threading.Thread(target=look_after, args=home, daemon=True).start()
        wait_for(settings.resolved_redis_url)
        prepare(settings, console)
        threading.Thread(target=_announce, args=(settings, console, supervisor, began), daemon=True).start()
        beats = threading.Event()
        threading.Thread(target=_hear_executor, args=(settings, beats), daemon=True).start()
        supervisor.pass_lines_on(until=beats.is_set)
        supervisor.start(*_LATE)
    supervisor.loop()
    console.print("All processes have ended.")
    return 0


def make_supervisor(settings: Settings, running: Running) -> Supervisor:
    """The processes of the Procfile, with the settings in their environment."""

    note = Note(settings.data_dir, running)
    stages = [[one for name in stage for one in replicas(name, "", settings)] for stage in STAGES]
    supervisor = Supervisor(stages, settings.stop_grace + settings.kill_grace + _SPARE, on_start=note.started)
    env = environment(settings)
    for name, command in parse_procfile(PROCFILE.read_text()).processes.items():
        for one, line in replicas(name, command, settings).items():
            supervisor.add_process(one, line, env=env, cwd=str(ROOT))
    return supervisor


def add_valkey(settings: Settings, supervisor: Supervisor) -> None:
    """The embedded server, which the Procfile doesn't name."""
    from watchfloor.valkey import valkey_command

    home = settings.data_dir.resolve()
    command = [*valkey_command(home, home / "valkey.sock"), "--logfile", str(home / "valkey.log")]
    supervisor.add_process(VALKEY, shlex.join(command), env=environment(settings), cwd=str(ROOT))


def replicas(name: str, command: str, settings: Settings) -> dict[str, str]:
    """The processes that a line of the Procfile stands for: of executors there is one a partition."""
    if name != "executor" or settings.partitions == 1:
        return {name: command}
    numbers = range(settings.partitions)
    return {f"{name}-{n}" if n else name: f"{command} --partition {n}" for n in numbers}


def environment(settings: Settings) -> dict[str, str]:
    """The environment of the processes: absolute paths, the port (``envs.url`` to flows), this interpreter first."""
    folder = str(Path(sys.executable).parent)
    return {
        **os.environ,
        "PATH": os.pathsep.join([folder, os.environ.get("PATH", os.defpath)]),
        "PYTHONUNBUFFERED": "1",
        "WATCHFLOOR_HOST": settings.host,
        "WATCHFLOOR_PORT": str(settings.port),
        "WATCHFLOOR_ENV_URL": public_url(settings),  # {{ envs.url }} in flows
        "WATCHFLOOR_DATA_DIR": str(settings.data_dir.resolve()),
        "WATCHFLOOR_FLOWS_DIR": str(settings.flows_dir.resolve()),
        "WATCHFLOOR_REDIS_URL": settings.resolved_redis_url,
        **{f"WATCHFLOOR_{name.upper()}": str(path) for name in TLS_FILES if (path := getattr(settings, name))},
        "WATCHFLOOR_DATABASE_URL": settings.resolved_database_url,
        "WATCHFLOOR_PARTITIONS": str(settings.partitions),
    }


def prepare(settings: Settings, console: Console) -> None:
    """Bring the database's tables up to date and make the user ``admin``."""
    from data import Store

    console.print("Preparing the database")
    store = Store(settings.resolved_database_url)
    try:
        store.migrate()
        given = settings.admin_password.get_secret_value() if settings.admin_password else None
        made = store.ensure_admin(given)
    finally:
        store.close()
    if made is not None:
        console.print(
            f"User [bold]admin[/] was made with the password [bold]{made}[/] "
            "(shown once; WATCHFLOOR_ADMIN_PASSWORD sets your own at the first start)."
        )


def _hear_executor(settings: Settings, beats: threading.Event) -> None:
    """Set ``beats`` at an executor's first message, at the latest after ``_LATE_SECONDS``."""
    from redis.exceptions import RedisError

    from streaming import keys
    from streaming.bus import Bus

    bus, deadline = Bus.of(settings), time.monotonic() + _LATE_SECONDS
    try:
        with bus.subscription(keys.LIVE) as live:
            while time.monotonic() < deadline and live.get(timeout=0.5) is None:
                pass
    except RedisError as error:
        log.warning("executor.not_heard", reason=str(error))
    finally:
        bus.close()
        beats.set()


def _announce(settings: Settings, console: Console, supervisor: Supervisor, began: float) -> None:
    if not wait_for_web(settings, 60, supervisor.stopping):
        if not supervisor.stopping():
            console.print("[bold red]The web process does not answer.[/] Its lines above say why.")
        return
    console.print(f"Watchfloor answers after {time.monotonic() - began:.1f} s. Open (works once, for 15 minutes):")
    console.print(f"\n  {public_url(settings)}/login/{login_token(settings)}\n", soft_wrap=True, highlight=False)


def login_token(settings: Settings) -> str:
    """A fresh one-time login token of ``admin``."""
    from data import Store

    store = Store(settings.resolved_database_url)
    try:
        return store.make_login_token()
    finally:
        store.close()


def wait_for_web(settings: Settings, seconds: float, stopping: Any = lambda: False) -> bool:
    """True once ``/health`` answers, false after ``seconds`` or when ``stopping()``."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not stopping():
        if web_answers(settings):
            return True
        time.sleep(0.05)
    return False


def web_answers(settings: Settings) -> bool:
    """True when the web process answers ``/health`` now."""
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://{host}:{settings.port}/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def public_url(settings: Settings) -> str:
    """The address to open in a browser."""
    if settings.public_url:
        return settings.public_url.rstrip("/")
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host
    return f"http://{host}:{settings.port}"


def with_port(settings: Settings) -> Settings:
    """The settings with a port that is free: 0 becomes one, a taken one is refused."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise UpError(
                f"{settings.host}:{settings.port} can't be listened on ({error.strerror}): choose another with "
                "--port or WATCHFLOOR_PORT (0 takes a free one), or stop what listens there."
            ) from error
        return settings.model_copy(update={"port": probe.getsockname()[1]})


@contextmanager
def only_one(data_dir: Path) -> Iterator[None]:
    """Hold the data folder's lock: two products in one folder would destroy each other's data."""
    with (data_dir / "up.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UpError(
                f"Another `watchfloor up` runs with the data folder {data_dir.resolve()}: stop it, or choose another "
                "folder with --data-dir or WATCHFLOOR_DATA_DIR."
            ) from error
        yield


def read_state(data_dir: Path) -> Running | None:
    """What a running ``up`` wrote down; ``None`` when none runs."""
    try:
        return msgspec.json.decode((data_dir / STATE_FILE).read_bytes(), type=Running)
    except (OSError, msgspec.DecodeError, msgspec.ValidationError):
        return None


@contextmanager
def _stopped_on_error(settings: Settings, supervisor: Supervisor) -> Iterator[None]:
    try:
        yield
    except BaseException as error:
        supervisor.stop()
        supervisor.stop()  # at once: what was started waits for what is missing
        supervisor.loop()
        from data.errors import DataError  # not at the top: the store takes half a second to load
        from watchfloor.valkey import ValkeyError

        if isinstance(error, ValkeyError):
            raise UpError(str(error)) from error
        if isinstance(error, DataError):
            raise UpError(f"{without_password(settings.resolved_database_url)} can't be used: {error}") from error
        raise


def _write(path: Path, content: bytes) -> None:
    part = path.with_suffix(".part")
    part.write_bytes(content)
    part.replace(path)
