"""A real store in a home of its own: each test that asks for one runs over SQLite and over PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from data import Store
from scripts.postgresql import postgres
from tests.integration.homes import HOMES, Homes


@pytest.fixture(scope="session")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Homes]:
    """Where databases come from; the PostgreSQL server starts when the first test wants it."""
    with ExitStack() as stack:
        yield Homes(tmp_path_factory.mktemp("template"), lambda: stack.enter_context(postgres()))


@pytest.fixture(scope="module", params=HOMES)
def home(request: pytest.FixtureRequest) -> str:
    """Which of the two databases."""
    return str(request.param)


@pytest.fixture
def database_url(home: str, homes: Homes, tmp_path: Path) -> Iterator[str]:
    """An empty, migrated database; SQLite's is the one of a data folder ``tmp_path``."""
    with homes.fresh(home, tmp_path) as url:
        yield url


@pytest.fixture(scope="module")
def module_database_url(home: str, homes: Homes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The same for all tests of a module."""
    with homes.fresh(home, tmp_path_factory.mktemp("home")) as url:
        yield url


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """An empty store."""
    store = Store(database_url)
    yield store
    store.close()
