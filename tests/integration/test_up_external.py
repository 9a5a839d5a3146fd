"""``watchfloor up`` on servers of others: PostgreSQL and Redis with passwords and TLS; and when they refuse it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from data import Store
from engine.states import State
from tests.integration.test_database_url import Server as DatabaseServer
from tests.integration.test_database_url import database, database_server
from tests.integration.test_redis_url import Server, server
from tests.integration.test_up import run, write
from watchfloor.product import Product, running

__all__ = ["database", "database_server", "server"]


@pytest.fixture(scope="module")
def environment(database_server: DatabaseServer, database: str, server: Server) -> dict[str, str]:
    """Settings that name both servers, each with TLS and a password; the database has no tables yet."""
    certificate, key = server.client
    return {
        "WATCHFLOOR_DATABASE_URL": database_server.url(database),
        "WATCHFLOOR_REDIS_URL": server.url,
        "WATCHFLOOR_REDIS_CA_FILE": str(server.authority.certificate),
        "WATCHFLOOR_REDIS_CERT_FILE": str(certificate),
        "WATCHFLOOR_REDIS_KEY_FILE": str(key),
    }


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="wf-") as folder:
        (Path(folder) / "flows").mkdir()
        yield Path(folder)


@pytest.fixture(scope="module")
def product(folder: Path, environment: dict[str, str]) -> Iterator[Product]:
    write(folder / "flows", "known")
    with running(folder / "data", folder / "flows", **environment) as product:
        yield product


def cli(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """A command with these settings."""
    env = os.environ | environment | {"COLUMNS": "400"}
    command = [sys.executable, "-m", "watchfloor.cli", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=env, check=False)


def test_a_flow_runs_and_is_in_postgresql(
    product: Product, folder: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    done = run(write(folder, "here"), "--data-dir", str(folder / "data"), "-l", "who=test")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "rediss://…@127.0.0.1" in done.stdout
    assert "begun" in done.stdout
    store = Store(environment["WATCHFLOOR_DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://"))
    (row,) = store.last_of_flow("tests.up", "here")
    assert (row.state, row.labels["who"]) == (State.SUCCESS, "test")
    store.close()
    assert list((folder / "data").glob("*.db")) == []
    assert not (folder / "data" / "valkey.sock").exists()


def test_doctor_finds_it_well(product: Product, folder: Path, environment: dict[str, str]) -> None:
    port = {"WATCHFLOOR_PORT": str(product.settings.port)}
    done = cli(environment | port, "doctor", "--data-dir", str(folder / "data"), "--flows", str(folder / "flows"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "tables of version" in done.stdout
    assert "Redis 7" in done.stdout


def test_migrate_says_the_version(product: Product, environment: dict[str, str]) -> None:
    done = cli(environment, "migrate")
    assert (done.returncode, "The tables are of version 0" in done.stdout) == (0, True), done.stderr


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"WATCHFLOOR_REDIS_URL": "rediss://watchfloor:not-the-one@127.0.0.1:{port}/0"}, "mend user and password"),
        ({"WATCHFLOOR_DATABASE_URL": "postgresql://me:my-secret@127.0.0.1:1/none"}, "can't be used: connection"),
    ],
)
def test_up_says_what_is_refused_and_ends(
    server: Server, environment: dict[str, str], tmp_path: Path, changes: dict[str, str], said: str
) -> None:
    given = {name: value.format(port=server.port) for name, value in changes.items()}
    done = cli(environment | given, "up", "--port", "0", "--data-dir", str(tmp_path / "d"), "--flows", str(tmp_path))
    assert done.returncode == 1, done.stdout + done.stderr
    assert said in done.stderr
    assert "not-the-one" not in done.stdout + done.stderr
    assert "my-secret" not in done.stdout + done.stderr
