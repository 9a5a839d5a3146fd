"""Partitions of the events: those of one execution (or gate, or trigger) always go to the same stream.

Pure. ``WATCHFLOOR_PARTITIONS`` says how many there are, and must be the same for all processes.
"""

from __future__ import annotations

from functools import cached_property
from zlib import crc32

from streaming import keys


class Partitions:
    """``count`` partitions, each with a stream; there is one executor a partition."""

    def __init__(self, count: int = 1) -> None:
        self.count = count

    def of(self, subject_id: str) -> int:
        """The partition that an execution, a gate or a trigger is at home in."""
        return crc32(subject_id.encode("utf-8", "surrogatepass")) % self.count if self.count > 1 else 0

    def stream(self, subject_id: str) -> str:
        """The stream its events go to."""
        return self.streams[self.of(subject_id)] if self.count > 1 else keys.EVENTS

    @cached_property
    def streams(self) -> tuple[str, ...]:
        """The streams of all partitions, in their order."""
        return tuple(keys.events(partition) for partition in range(self.count))
