"""The figures of one process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import prometheus_client
from prometheus_client.core import HistogramMetricFamily, Metric

from streaming.metrics.buckets import Buckets
from streaming.metrics.table import METRICS, Kind, Spec

_MAKE = {
    Kind.COUNTER: prometheus_client.Counter,
    Kind.GAUGE: prometheus_client.Gauge,
    Kind.HISTOGRAM: prometheus_client.Histogram,
}


class Meter:
    """All figures that ``table`` declares for ``process``, in a registry of its own: two fit in one interpreter.

    ``meter["watchfloor_events_waiting"].set(3)``; the methods are those of ``prometheus_client``. ``look`` adds a
    function that is called before each ``text``, for what is true at a moment.
    """

    def __init__(self, process: str) -> None:
        prometheus_client.disable_created_metrics()
        self.process = process
        self.registry = prometheus_client.CollectorRegistry()
        prometheus_client.ProcessCollector(registry=self.registry)
        self._looks: list[Callable[[], None]] = []
        self._specs = {spec.name: spec for spec in METRICS if spec.process == process}
        self._made: dict[str, Any] = {}
        self._totals: dict[str, float] = {}

    def __getitem__(self, name: str) -> Any:
        made = self._made.get(name)
        if made is None:
            made = self._made[name] = self._make(self._specs[name])
        return made

    def _make(self, spec: Spec) -> Any:
        options: dict[str, Any] = {"buckets": spec.buckets} if spec.buckets else {}
        return _MAKE[spec.kind](spec.name, spec.help, spec.labels, registry=self.registry, **options)

    def buckets(self, name: str) -> Buckets:
        """A histogram without labels for what happens very often."""
        spec = self._specs[name]
        made = self._made[name] = Buckets(spec.buckets)
        self.registry.register(_Collector(spec, made))
        return made

    def count_to(self, name: str, total: float) -> None:
        """Raise a counter without labels to ``total``, for what counts itself."""
        self[name].inc(max(0.0, total - self._totals.get(name, 0.0)))
        self._totals[name] = max(total, self._totals.get(name, 0.0))

    def look(self, look: Callable[[], None]) -> None:
        """Call ``look`` before each ``text``; what it can't find out it leaves as it was."""
        self._looks.append(look)

    def text(self) -> str:
        """All figures in Prometheus' text format. Those without a label are there from the start."""
        for name, spec in self._specs.items():
            if not spec.labels:
                self[name]
        for look in self._looks:
            look()
        return prometheus_client.generate_latest(self.registry).decode()


class _Collector:
    """Shows ``Buckets`` to a registry."""

    def __init__(self, spec: Spec, buckets: Buckets) -> None:
        self._spec = spec
        self._buckets = buckets

    def collect(self) -> Iterator[Metric]:
        """The one family."""
        yield HistogramMetricFamily(
            self._spec.name, self._spec.help, buckets=self._buckets.cumulative(), sum_value=self._buckets.sum
        )
