"""The database goes away while it is open: told at once, nothing is written elsewhere, and it comes back by itself."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import pytest

from data import Store
from data.database import PROBE_BUSY_MS
from data.errors import StoreUnavailable
from tests.integration.homes import only


@only("sqlite")
def test_a_file_that_is_gone_is_told_and_not_made_anew(store: Store, tmp_path: Path) -> None:
    path, away = tmp_path / "watchfloor.db", tmp_path / "away.db"
    store.ping()
    store.audit("ada", "kill", "x")
    path.rename(away)
    for use in (store.ping, store.probe, store.make_login_token):
        with pytest.raises(StoreUnavailable, match="unable to open"):
            use()
    assert not path.exists()
    away.rename(path)
    store.probe()
    assert [entry.actor for entry in store.audits()] == ["ada"]


def test_a_store_that_was_never_made_is_away(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'none' / 'watchfloor.db'}")
    with pytest.raises(StoreUnavailable):
        store.ping()
    assert list(tmp_path.iterdir()) == []
    store.migrate()
    store.ping()
    store.close()


@only("sqlite")
@pytest.mark.parametrize("how", ["BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"])
def test_the_probe_tells_a_lock_soon_while_reading_goes_on(store: Store, tmp_path: Path, how: str) -> None:
    store.probe()
    lock = sqlite3.connect(tmp_path / "watchfloor.db", isolation_level=None)
    lock.execute(how)
    began = time.monotonic()
    with pytest.raises(StoreUnavailable, match="locked"):
        store.probe()
    assert time.monotonic() - began < PROBE_BUSY_MS / 1000 + 1
    store.ping()
    lock.execute("ROLLBACK")
    store.probe()
    lock.close()
