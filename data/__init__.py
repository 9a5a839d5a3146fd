"""The record: tables, store, filters, metrics, files."""

from data.errors import StoreUnavailable
from data.store import Store

__all__ = ["Store", "StoreUnavailable"]
