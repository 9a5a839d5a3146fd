"""The load of a benchmark, in a process of its own: sends, then prints (execution id, accepted at) of each event.

The last event begins a new execution: every page of the load shows it, so a frame covers all events before it.
"""

from __future__ import annotations

import sys

import msgspec

from streaming.bus import Bus
from streaming.load import Synthetic, load
from streaming.messages import Event


class RecordingBus(Bus):
    """A bus that remembers what it sent."""

    sent: list[tuple[str, float]]

    def append_all(self, events: object) -> int:  # type: ignore[override]
        """Append and remember."""
        batch: list[Event] = list(events)  # type: ignore[call-overload]
        self.sent.extend((event.execution_id, event.at.timestamp()) for event in batch)
        return super().append_all(batch)


def main() -> None:
    url, rate, seconds, seed = sys.argv[1:]
    bus = RecordingBus(url)
    bus.sent = []
    load(bus, float(rate), float(seconds), seed=int(seed))
    bus.append_all([Synthetic(int(seed), 1).next_event()])
    sys.stdout.buffer.write(msgspec.msgpack.encode(bus.sent))


if __name__ == "__main__":
    main()
