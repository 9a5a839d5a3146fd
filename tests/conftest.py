"""Fixtures that need nothing, or the real thing: a real Valkey, a real SQLite."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from streaming.bus import Bus
from watchfloor.valkey import valkey_server


@pytest.fixture(scope="session")
def valkey_url() -> Iterator[str]:
    """A real server for the whole session."""
    with tempfile.TemporaryDirectory(prefix="wf-") as folder, valkey_server(Path(folder)) as url:
        yield url


@pytest.fixture
def bus(valkey_url: str) -> Iterator[Bus]:
    """An empty bus."""
    bus = Bus(valkey_url)
    bus.redis.flushall()
    yield bus
    bus.close()
