"""Fixtures that need nothing, or the real thing: a real Valkey, a real SQLite."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from streaming.bus import Bus
from watchfloor.valkey import valkey_server

# The gate tries the same examples each time; at a desk new ones are looked for.
hypothesis.settings.register_profile("gate", derandomize=True)
if os.environ.get("CI"):
    hypothesis.settings.load_profile("gate")


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
