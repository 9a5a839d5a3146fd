"""A worker's way to the database: for key-value stores and the lines of the log, never for what executions do."""

from __future__ import annotations

from data import Store


class Records:
    """Opens the store when it is first asked for: few tasks need it."""

    def __init__(self, database_url: str) -> None:
        self._url = database_url
        self._store: Store | None = None

    @property
    def store(self) -> Store:
        """The store."""
        if self._store is None:
            self._store = Store(self._url)
        return self._store

    def close(self) -> None:
        """Close what was opened."""
        if self._store is not None:
            self._store.close()
            self._store = None
