"""The caps of one attempt, named after the settings they come from."""

from __future__ import annotations

import msgspec

from watchfloor.settings import Settings


class Limits(msgspec.Struct, frozen=True):
    """How much one attempt may say and give, and how long it may take to stop. Bytes and seconds."""

    max_lines: int = 100_000
    max_line_bytes: int = 16_384
    max_output_bytes: int = 1_048_576
    kill_grace: float = 10.0
    max_metrics: int = 1_000

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        """The limits that ``settings`` name."""
        return cls(
            max_lines=settings.task_max_log_lines,
            max_line_bytes=settings.task_max_line_bytes,
            max_output_bytes=settings.task_max_output_bytes,
            kill_grace=settings.kill_grace,
        )
