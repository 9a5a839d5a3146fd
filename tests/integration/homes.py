"""Fresh databases of both kinds: each a copy of one that was migrated once."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

import pytest
import sqlalchemy as sa

from data import Store
from scripts.postgresql import Cluster

HOMES = ("sqlite", "postgresql")
FILES = ("watchfloor.db", "watchfloor-logs.db")
_TEMPLATE = "template_watchfloor"


def only(home: str) -> pytest.MarkDecorator:
    """For a test that is about one of the two."""
    return pytest.mark.parametrize("home", [home], indirect=True)


class Homes:
    """Gives out databases; ``start`` starts the PostgreSQL server when the first one of its kind is wanted."""

    def __init__(self, folder: Path, start: Callable[[], Cluster]) -> None:
        self._folder = folder
        self._start = start
        self._numbers = itertools.count(1)

    @contextmanager
    def fresh(self, home: str, folder: Path) -> Iterator[str]:
        """URL of an empty, migrated database for the time of the block; SQLite's files are in ``folder``."""
        if home == "sqlite":
            for name in FILES:
                shutil.copy(self._sqlite / name, folder / name)
            yield sqlite_url(folder)
            return
        name = f"wf_{next(self._numbers)}"
        url = self.postgresql.create(name, _TEMPLATE)
        try:
            yield url
        finally:
            self.postgresql.drop(name)

    @contextmanager
    def bare(self, home: str, folder: Path) -> Iterator[str]:
        """URL of a database without a table."""
        if home == "sqlite":
            yield sqlite_url(folder)
            return
        name = f"wf_{next(self._numbers)}"
        try:
            yield self.postgresql.create(name)
        finally:
            self.postgresql.drop(name)

    @contextmanager
    def away(self, url: str) -> Iterator[None]:
        """A database that nobody can use, until the block ends."""
        name = sa.make_url(url).database
        assert name is not None
        if url.startswith("sqlite"):
            files = [Path(name).with_name(file) for file in FILES]
            for path in files:
                path.rename(f"{path}.away")
            try:
                yield
            finally:
                for path in files:
                    Path(f"{path}.away").rename(path)
            return
        self.postgresql.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        self.postgresql.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        try:
            yield
        finally:
            self.postgresql.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')

    @cached_property
    def postgresql(self) -> Cluster:
        """The server, with its template migrated."""
        cluster = self._start()
        _migrate(cluster.create(_TEMPLATE))
        return cluster

    @cached_property
    def _sqlite(self) -> Path:
        _migrate(sqlite_url(self._folder))
        return self._folder


def sqlite_url(folder: Path) -> str:
    """The database in ``folder`` that settings with this data folder mean."""
    return f"sqlite:///{folder / FILES[0]}"


def _migrate(url: str) -> None:
    store = Store(url)
    store.migrate()
    store.close()
