"""Figures of our own processes, for Prometheus: ``table`` says which, ``meter`` counts, ``exchange`` merges."""

from streaming.metrics.buckets import Buckets
from streaming.metrics.meter import Meter

__all__ = ["Buckets", "Meter"]
