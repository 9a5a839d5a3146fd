"""What the log files say happened lately, for ``watchfloor doctor``."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

LATELY = timedelta(hours=24)
_TAIL_BYTES = 5_000_000  # of each file: the newest
_SHOWN = 3

Line = dict[str, Any]


class Topic(msgspec.Struct, frozen=True):
    """Lines that tell of one kind of trouble: what it is called, which they are, what they say, what to do."""

    name: str
    of: Callable[[Line], bool]
    say: Callable[[Line], str]
    mend: str


def _actions(*names: str) -> Callable[[Line], bool]:
    return lambda line: line.get("action") in names


def _is_error(line: Line) -> bool:
    return line.get("level") == "error" and line.get("action") not in _TOLD


def _error(line: Line) -> str:
    words = str(line.get("exception") or line.get("error") or line.get("message") or "").strip().splitlines()
    return f"{line.get('process')}: {line.get('action')}: {words[-1] if words else 'no details'}"


def _ms(line: Line) -> str:
    return f"{line.get('took_ms', 0):,} ms for {line.get('events', 0):,} events"


_TOLD = {"process.died", "event.buried", "log_batch.buried", "event.not_applied"}
TOPICS: tuple[Topic, ...] = (
    Topic("errors", _is_error, _error, "Look for the action in the files of the logs folder, and report it."),
    Topic("restarts", _actions("process.died"),
          lambda line: f"{line.get('name')} ended with code {line.get('code')} after {line.get('ran_s', 0):g} s",
          "-9 is the kernel's: see whether memory ran out. Other codes: the errors of that process say why."),
    Topic("buried events", _actions("event.buried", "log_batch.buried", "event.not_applied"),
          lambda line: f"{line.get('id')}: {line.get('reason') or _error(line)}",
          "Their bytes are kept in wf:dead-letters: XRANGE shows them. Whoever sends them speaks another version."),
    Topic("slow commits", _actions("commit.slow"), _ms,
          "The disk or the database is slow: move WATCHFLOOR_DATA_DIR to a local SSD, or see what else writes there."),
    Topic("lag", _actions("lag.high"), lambda line: f"the executor was {line.get('lag_s', 0):g} s behind",
          "More came than it could apply: slow commits? else fewer events, or a faster machine."),
    Topic("database away", _actions("database.away", "database.back"),
          lambda line: f"back after {line['away_s']:g} s" if line["action"] == "database.back" else _error(line),
          "Nothing was lost. See the database's own log for these times; for SQLite, the disk's room."),
    Topic("Redis away", _actions("redis.away", "redis.back"),
          lambda line: f"back after {line['away_s']:g} s" if line["action"] == "redis.back" else _error(line),
          "Nothing was lost. See the server's own log for these times (valkey.log in the data folder)."),
    Topic("lost workers", _actions("attempt.worker_lost"),
          lambda line: f"{line.get('of')} died with attempt {line.get('attempt')} of task run {line.get('task_run')}",
          "The attempt was given to another worker. See whether memory ran out where it died, or who killed it."),
    Topic("missed jobs", _actions("job.missed"),
          lambda line: f"attempt {line.get('attempt')} of task run {line.get('task_run')} came to no worker",
          "It was given out again. See whether a worker died, or Redis lost data (append-only file, memory policy)."),
    Topic("refused logins", _actions("login.failed"),
          lambda line: f"{line.get('actor') or 'somebody'} from {line.get('address')} by {line.get('way')}",
          "Many from one address: somebody guesses. WATCHFLOOR_LOGIN_RATE bounds them."),
)  # fmt: skip


class Trouble(msgspec.Struct, frozen=True):
    """What was found of a topic: how often, and the newest in words."""

    topic: Topic
    count: int
    newest: tuple[str, ...]


def read(folder: Path, now: datetime | None = None, lately: timedelta = LATELY) -> Iterator[Line]:
    """The lines of the last time, oldest first within a file; what is no line of ours is skipped."""
    since = ((now or datetime.now(UTC)) - lately).isoformat()
    for path in sorted(folder.glob("*.log*"), key=lambda path: (path.name.partition(".")[0], path.stat().st_mtime)):
        for text in _tail(path):
            try:
                line = json.loads(text)
            except ValueError:
                continue
            if isinstance(line, dict) and str(line.get("at", "")) >= since:
                yield line


def _tail(path: Path) -> Iterator[str]:
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - _TAIL_BYTES))
        if size > _TAIL_BYTES:
            file.readline()
        for raw in file:
            yield raw.decode("utf-8", "replace")


def troubles(lines: Iterable[Line]) -> list[Trouble]:
    """What there is of each topic, the newest lines in words; equal ones once."""
    of: dict[str, list[Line]] = {}
    for line in lines:
        for topic in TOPICS:
            if topic.of(line):
                of.setdefault(topic.name, []).append(line)
    return [Trouble(topic, len(of[topic.name]), tuple(_newest(topic, of[topic.name]))) for topic in TOPICS
            if topic.name in of]  # fmt: skip


def _newest(topic: Topic, lines: Iterable[Line]) -> Iterator[str]:
    said: Counter[str] = Counter()
    last: dict[str, str] = {}
    for line in lines:
        words = topic.say(line)
        said[words] += 1
        last[words] = max(last.get(words, ""), str(line.get("at")))
    for words in sorted(last, key=last.__getitem__, reverse=True)[:_SHOWN]:
        times = f" ({said[words]} times)" if said[words] > 1 else ""
        yield f"{last[words][:19].replace('T', ' ')}  {words}{times}"
