"""A real store in a folder of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from data import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty, migrated SQLite store."""
    store = Store(f"sqlite:///{tmp_path / 'watchfloor.db'}")
    store.migrate()
    yield store
    store.close()
