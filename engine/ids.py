"""Identifiers: time-sortable for executions and events, derived for task runs."""

from __future__ import annotations

import hashlib
import os
import time
from datetime import datetime


def new_id(now_ms: int | None = None) -> str:
    """A UUIDv7 (RFC 9562): 48 bits of Unix milliseconds, then random, so that ids sort by time."""
    ms = time.time_ns() // 1_000_000 if now_ms is None else now_ms
    return _uuid7(ms, os.urandom(10))


def dated_id(ms: int, *parts: object) -> str:
    """A UUIDv7 of the Unix milliseconds ``ms`` whose other bits follow from ``parts``: the same for the same parts."""
    return _uuid7(ms, hashlib.blake2b(_joined(parts), digest_size=10).digest())


def _uuid7(ms: int, bits: bytes) -> str:
    value = (ms & 0xFFFFFFFFFFFF) << 80 | int.from_bytes(bits, "big")
    value = value & ~(0xF << 76) | (0x7 << 76)
    value = value & ~(0x3 << 62) | (0x2 << 62)
    digits = f"{value:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _joined(parts: tuple[object, ...]) -> bytes:
    return "\x1f".join("" if part is None else str(part) for part in parts).encode()


def derived_id(*parts: object) -> str:
    """An id that is the same for the same parts: what makes applying an event twice harmless."""
    return hashlib.blake2b(_joined(parts), digest_size=11).hexdigest()


def task_run_id(execution_id: str, parent_id: str | None, task_id: str, value: str | None = None) -> str:
    """Id of the task run of ``task_id`` under ``parent_id`` for the ForEach value ``value``."""
    return derived_id(execution_id, parent_id, task_id, value)


def successor_id(execution_id: str, retried_at: datetime) -> str:
    """Id of the execution that took the place of one which was RETRIED at that moment."""
    return dated_id(int(retried_at.timestamp() * 1000), "retried", execution_id)


def attempt_id(task_run_id: str, number: int) -> str:
    """Name of one attempt of a task run: what is claimed, listed as running and killed."""
    return f"{task_run_id}:{number}"
