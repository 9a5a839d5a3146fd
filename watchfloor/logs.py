"""Watchfloor's own logs: one action a line, with its ids.

``action`` is a stable name such as ``event.buried``; ``execution``, ``flow``, ``actor`` and ``took_ms`` mean the same
wherever they are. Standard error gets lines for people or JSON, and a file of each kind of process in the data folder
JSON. Secrets are hidden in both.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from watchfloor.logfile import LogFile
from watchfloor.urls import without_password

if TYPE_CHECKING:
    from watchfloor.settings import Settings

FOLDER = "logs"
HIDDEN = "******"
_SECRET_KEYS = re.compile(r"password|secret|token|authorization|cookie|api_?key", re.IGNORECASE)
_SECRET_NAMES = re.compile(r"WATCHFLOOR_(SECRET_.+|ADMIN_PASSWORD|METRICS_TOKEN)")
_SHORTEST = 6  # shorter values would hide half of every line
_FIRST = ("at", "level", "process", "pid", "action")

Fields = MutableMapping[str, Any]
Processor = Callable[[Any, str, Fields], Any]


def configure(level: str, render: Processor | None = None, *more: Processor) -> None:
    """Write events of at least ``level`` to standard error as ``render`` makes them; ``more`` sees them before."""
    number = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            structlog.processors.format_exc_info,
            hider(os.environ),
            *more,
            render or for_people(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def configure_process(settings: Settings, process: str, *, quiet: bool = False) -> None:
    """The logs of a process: on standard error unless ``quiet``, and in its file."""
    file = LogFile(log_path(settings.data_dir, process), settings.log_file_bytes, settings.log_files)
    render = _dropped if quiet else as_json(process) if settings.log_format == "json" else for_people()
    configure(settings.log_level, render, _written(file, as_json(process)))
    _take_over_library_logs()


def log_path(data_dir: Path, process: str) -> Path:
    """Where a kind of process writes."""
    return data_dir.resolve() / FOLDER / f"{process}.log"


# -- forms


def for_people() -> Processor:
    """``12:30:01 [info] event.buried  id=…``, in colour on a terminal."""
    console = structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), pad_event_to=20, pad_level=False, timestamp_key="at"
    )

    def render(logger: Any, name: str, fields: Fields) -> Any:
        return console(logger, name, {**fields, "at": fields["at"][11:19]})

    return render


def as_json(process: str) -> Processor:
    """One JSON object: what every line has first, then the rest."""
    pid = os.getpid

    def render(_logger: Any, _name: str, fields: Fields) -> str:
        known = {**fields, "action": fields.get("event"), "process": process, "pid": pid()}
        rest = {key: value for key, value in known.items() if key not in (*_FIRST, "event")}
        return json.dumps({**{key: known[key] for key in _FIRST}, **rest}, default=str, ensure_ascii=False)

    return render


def _written(file: LogFile, render: Processor) -> Processor:
    def write(logger: Any, name: str, fields: Fields) -> Fields:
        file.write(str(render(logger, name, fields)))
        return fields

    return write


def _dropped(_logger: Any, _name: str, _fields: Fields) -> Any:
    raise structlog.DropEvent


# -- secrets


def hider(environment: Mapping[str, str]) -> Processor:
    """Hides what is named like a secret, every secret of ``environment`` and passwords in URLs, wherever they are."""
    values = [value for name, value in environment.items() if _SECRET_NAMES.fullmatch(name)]
    secrets = _pattern(form for value in values for form in (value, json.dumps(value)[1:-1], *value.splitlines()))

    def hide(_logger: Any, _name: str, fields: Fields) -> Fields:
        return {key: _hidden(key, value, secrets) for key, value in fields.items()}

    return hide


def _pattern(values: Iterable[str]) -> re.Pattern[str] | None:
    known = sorted({value for value in values if len(value) >= _SHORTEST}, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, known))) if known else None


def _hidden(key: str, value: Any, secrets: re.Pattern[str] | None) -> Any:
    if _SECRET_KEYS.search(key) and value is not None:
        return HIDDEN
    if isinstance(value, str):
        shown = without_password(value) if "//" in value else value
        return secrets.sub(HIDDEN, shown) if secrets is not None else shown
    if isinstance(value, Mapping):
        return {str(name): _hidden(str(name), item, secrets) for name, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_hidden("", item, secrets) for item in value]
    return value if value is None or isinstance(value, (bool, int, float)) else _hidden("", str(value), secrets)


# -- what libraries say


class _Forward(logging.Handler):
    """Warnings and errors of libraries, as lines of ours."""

    def emit(self, record: logging.LogRecord) -> None:
        log = structlog.get_logger()
        say = log.error if record.levelno >= logging.ERROR else log.warning
        say("library.said", library=record.name, message=record.getMessage(), exc_info=record.exc_info or None)


def _take_over_library_logs() -> None:
    root = logging.getLogger()
    if not any(isinstance(handler, _Forward) for handler in root.handlers):
        root.addHandler(_Forward(logging.WARNING))
