"""The caps of one attempt, named after the settings they come from."""

from __future__ import annotations

import msgspec

from watchfloor.settings import Settings


class Limits(msgspec.Struct, frozen=True):
    """How much one attempt may say, give and ask for, and how long it may take to stop. Bytes and seconds."""

    max_lines: int = 100_000
    max_line_bytes: int = 16_384
    max_output_bytes: int = 1_048_576
    kill_grace: float = 10.0
    max_metrics: int = 1_000
    http_max_bytes: int = 268_435_456
    http_max_seconds: float = 600.0
    http_inline_bytes: int = 262_144
    kv_max_bytes: int = 1_048_576
    kv_max_keys: int = 100_000
    folder_max_bytes: int = 1_073_741_824
    files_wait: float = 60.0

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        """The limits that ``settings`` name."""
        return cls(
            max_lines=settings.task_max_log_lines,
            max_line_bytes=settings.task_max_line_bytes,
            max_output_bytes=settings.task_max_output_bytes,
            kill_grace=settings.kill_grace,
            max_metrics=settings.task_max_metrics,
            http_max_bytes=settings.http_max_bytes,
            http_max_seconds=settings.http_max_seconds,
            http_inline_bytes=settings.http_inline_bytes,
            kv_max_bytes=settings.kv_max_bytes,
            kv_max_keys=settings.kv_max_keys,
            folder_max_bytes=settings.folder_max_bytes,
            files_wait=settings.files_wait,
        )
