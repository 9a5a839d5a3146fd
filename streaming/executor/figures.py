"""What an executor counts and times, and what of it is worth a line in the log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import structlog

from engine.model import Execution, Kind
from engine.states import TERMINAL
from streaming.messages import Event, TaskEnded
from streaming.metrics import Meter

log = structlog.get_logger()

SLOW_COMMIT = 0.5  # seconds
LAG_HIGH = 2.0  # seconds behind
LAG_OVER = 0.5


class Figures:
    """Called by the executor as it goes; a few microseconds a batch."""

    def __init__(self) -> None:
        self.meter = Meter("executor")
        self._behind = False

    def applied(self, events: Iterable[Event], seconds: float) -> None:
        """A batch of events was applied."""
        kinds: Counter[type] = Counter()
        ended: Counter[str] = Counter()
        for event in events:
            kinds[type(event)] += 1
            if isinstance(event, TaskEnded):
                ended[event.state.value] += 1
        for kind, n in kinds.items():
            self.meter["watchfloor_events_applied_total"].labels(kind.__struct_config__.tag).inc(n)
        for state, n in ended.items():
            self.meter["watchfloor_task_attempts_total"].labels(state).inc(n)
        self.meter["watchfloor_reduce_seconds"].observe(seconds)

    def committed(self, events: int, removed: int, seconds: float) -> None:
        """A batch is in the store."""
        self.meter["watchfloor_commit_seconds"].observe(seconds)
        self.meter["watchfloor_commit_events"].observe(events)
        if removed:
            self.meter["watchfloor_retention_removed_total"].inc(removed)
        if seconds > SLOW_COMMIT:
            log.warning("commit.slow", events=events, took_ms=round(seconds * 1000))

    def moved(self, before: Execution | None, after: Execution) -> None:
        """An execution changed. What is reported from elsewhere is not noted."""
        if after.kind is Kind.SYNTHETIC or (before is not None and before.state is after.state):
            return
        said = {"execution": after.id, "flow": f"{after.namespace}.{after.flow_id}", "state": after.state.value}
        if before is None:
            log.debug("execution.created", **said)
        elif after.state in TERMINAL:
            took = (after.history[-1].date - after.start_date).total_seconds()
            log.debug("execution.ended", **said, error=after.error, took_ms=round(took * 1000))

    def emitted(self, seconds: float) -> None:
        """A batch is announced, its jobs are given out."""
        self.meter["watchfloor_emit_seconds"].observe(seconds)

    def buried(self) -> None:
        """An event was put aside."""
        self.meter["watchfloor_events_buried_total"].inc()

    def lag(self, seconds: float) -> None:
        """How far behind the executor is now, told each second."""
        self.meter["watchfloor_event_lag_seconds"].set(seconds)
        if not self._behind and seconds > LAG_HIGH:
            self._behind = True
            log.warning("lag.high", lag_s=round(seconds, 1))
        elif self._behind and seconds < LAG_OVER:
            self._behind = False
            log.info("lag.over")
