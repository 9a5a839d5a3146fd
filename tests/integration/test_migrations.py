"""Versions of the tables, over both databases: from the first one with data in it, together, and failing half-way."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from benchmarks.chaos.recount import miscounted
from data import Store, migrations
from data.database import logs_url
from data.errors import MigrationFailed, TablesTooNew
from data.filters import parse_query_string
from data.records import ExecutionQuery, LogQuery, User
from engine.model import evolve
from engine.states import State
from streaming import keys
from tests.integration.homes import Homes
from tests.integration.test_store_commits import made, write

VERSIONS = Path(__file__).parent / "versions"
FIRST = json.loads((VERSIONS / "0001.json").read_text())
TWELFTH = json.loads((VERSIONS / "0012.json").read_text())
NOW = datetime(2026, 1, 2, tzinfo=UTC)
SERIAL = {"execution": "seq", "outbox": "id", "metric": "seq", "audit": "seq", "log_run": "key", "log_source": "key"}
BROKEN = '''
"""Makes a table, changes another one, and fails."""

import sqlalchemy as sa
from alembic import context, op

revision = "9999"
down_revision = "{before}"


def upgrade() -> None:
    parts = context.config.attributes["parts"]
    if "state" in parts:
        op.create_table("half_done", sa.Column("id", sa.Integer(), primary_key=True))
        op.add_column("execution", sa.Column("half_done", sa.Text()))
        op.execute("UPDATE execution SET state = 'FAILED'")
        op.drop_table("timer")
    if {part!r} in parts:
        op.execute("INSERT INTO no_such_table VALUES (1)")
'''


@pytest.fixture
def bare_url(home: str, homes: Homes, tmp_path: Path) -> Iterator[str]:
    """A database without a table."""
    with homes.bare(home, tmp_path) as url:
        yield url


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the scripts, to be changed."""
    copy = tmp_path / "migrations"
    shutil.copytree(migrations.FOLDER, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(migrations, "FOLDER", copy)
    return copy


def keep_only(folder: Path, newest: str) -> None:
    """Forget the scripts after ``newest``."""
    for path in (folder / "versions").glob("*.py"):
        if path.name.partition("_")[0] > newest:
            path.unlink()


def fill(store: Store, tables: dict[str, Any]) -> None:
    """Write rows as a version had them."""
    for name, table in tables.items():
        engine = store._logs_engine if name.startswith("log_") else store._engine
        columns = ", ".join(f'"{column}"' for column in table["columns"])
        values = ", ".join(f":v{number}" for number in range(len(table["columns"])))
        with engine.connect().execution_options(writes=True) as connection, connection.begin():
            for row in table["rows"]:
                given = {f"v{n}": bytes.fromhex(v["hex"]) if isinstance(v, dict) else v for n, v in enumerate(row)}
                connection.execute(sa.text(f'INSERT INTO "{name}" ({columns}) VALUES ({values})'), given)
            if store.dialect == "postgresql" and name in SERIAL:
                last = f"SELECT setval(pg_get_serial_sequence('{name}', '{SERIAL[name]}'), {len(table['rows'])})"
                connection.execute(sa.text(last))


def test_the_first_version_with_data_in_it_becomes_the_newest(
    bare_url: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(bare_url)
    keep_only(folder, "0001")
    assert store.migrate() == "0001"
    fill(store, FIRST)
    monkeypatch.undo()
    store.migrate()
    page = store.search(ExecutionQuery(now=NOW))
    assert [row.state for row in page.rows] == [State.SUCCESS, State.FAILED, State.RUNNING]
    assert page.counts == {State.SUCCESS: 1, State.FAILED: 1, State.RUNNING: 1}
    running = page.rows[2]
    for text in ("filters[labels][EQUALS][env]=prod", "filters[q][EQUALS]=env:prod", "filters[state][IN]=RUNNING"):
        assert [row.id for row in store.search(ExecutionQuery(parse_query_string(text), now=NOW)).rows] == [running.id]
    execution = store.load(running.id)
    assert execution is not None
    assert (execution.inputs, execution.labels) == ({"n": 1}, {"env": "prod"})
    assert [run.state for run in execution.task_runs.values()] == [State.RUNNING]
    assert [row.id for row in store.children(running.id)] == [page.rows[0].id]
    assert (store.position(keys.EVENTS), store.position(keys.LOGS)) == ("7-3", "8-1")
    assert [timer.key for timer in store.timers()] == ["timeout"]
    assert [trigger.trigger_id for trigger in store.trigger_states()] == ["often"]
    assert len(store.outbox()) == 1
    assert [metric.value for metric in store.metrics(page.rows[1].id)] == [3.0]
    lines = store.log_window(LogQuery(page.rows[1].id, min_level="ERROR"))
    assert [entry.message for entry in lines.entries] == ["line 3"]
    assert store.check_password("ada", "secret") == User("ada", "operator")
    assert [row.before for row in store.audits()] == [{"state": "RUNNING"}]
    assert [(flow.id, flow.labels) for flow in store.flows()] == [("hello", {"team": "data"})]
    new = made()
    write(store, new)
    assert store.search(ExecutionQuery(now=NOW)).total == 4
    store.close()


@pytest.mark.parametrize("page", [1, 4, 5_000])
def test_who_triggered_is_read_off_what_is_stored(bare_url: str, folder: Path, page: int) -> None:
    """Their labels name them: one, its subflow, what a Flow trigger started after it, replays, a webhook's."""
    script = folder / "versions" / "0013_triggered_by.py"
    later, changed = re.subn(r"(?m)^(_PAGE|_BODIES) = .*$", rf"\1 = {page}", script.read_text())
    assert changed == 2
    keep_only(folder, "0012")
    store = Store(bare_url)
    assert store.migrate() == "0012"
    fill(store, TWELFTH)
    script.write_text(later)
    store.migrate()
    found = {row.labels["name"]: row for row in store.search(ExecutionQuery(now=NOW)).rows}
    main, child = found["main"].id, found["child"].id
    assert {name: row.triggered_by for name, row in found.items() if row.triggered_by} == {
        "child": main, "after": main, "child-replay": main,
    }  # fmt: skip
    assert {name: row.parent_id for name, row in found.items() if row.parent_id} == {
        "child": main, "main-replay": main, "child-replay": child,
    }  # fmt: skip
    for text, names in {
        f"filters[triggerExecutionId][EQUALS]={main}": "child after child-replay",
        f"filters[parentId][EQUALS]={main}": "child main-replay",
        "childFilter=CHILD": "child after child-replay",
        "childFilter=MAIN": "main main-replay hook",
        "childFilter=MAIN&filters[labels][EQUALS][name]=main-replay": "main-replay",
        "childFilter=CHILD&filters[labels][EQUALS][name]=main-replay": "",
        "childFilter=CHILD&filters[q][EQUALS]=after": "after",
    }.items():
        listed = store.search(ExecutionQuery(parse_query_string(text), now=NOW))
        assert {row.labels["name"] for row in listed.rows} == set(names.split()), text
        assert listed.total == sum(listed.counts.values()) == len(names.split()), text
    assert miscounted(bare_url) == []
    again = store.load(found["after"].id)
    assert again is not None
    write(store, evolve(again, version=3, state=State.SUCCESS))
    assert miscounted(bare_url) == []
    store.close()


@pytest.mark.parametrize("part", ["state", "logs"])
def test_a_migration_that_fails_half_way_leaves_the_old_tables_working(
    database_url: str, folder: Path, part: str
) -> None:
    store, before = Store(database_url), migrations.versions()[-1]
    known = made()
    write(store, known)
    (folder / "versions" / "9999_broken.py").write_text(BROKEN.format(before=before, part=part))
    with pytest.raises(MigrationFailed, match=f"stay at version {before}: .* 9999 failed .*no_such_table"):
        store.migrate()
    for url in {sa.make_url(database_url), logs_url(sa.make_url(database_url))}:
        engine = sa.create_engine(url)
        with engine.connect() as connection:
            assert migrations.version_of(connection) == before
            assert "half_done" not in sa.inspect(connection).get_table_names()
        engine.dispose()
    assert store.load(known.id) == known
    assert store.timers() == []
    write(store, made(), position="2-2")
    assert store.search(ExecutionQuery(now=NOW)).counts == {State.RUNNING: 2}
    (folder / "versions" / "9999_broken.py").unlink()
    store.migrate()
    store.close()


def test_those_who_start_together_migrate_once(bare_url: str) -> None:
    context = get_context("forkserver")
    context.set_forkserver_preload(["data", "alembic.command"])
    with context.Pool(4) as pool:
        found = pool.map(migrated, [bare_url] * 8, chunksize=1)
    assert found == [migrations.versions()[-1]] * 8
    store = Store(bare_url)
    with store._engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM alembic_version")) == 1
    store.close()


def migrated(url: str) -> str:
    """In another process: migrate."""
    store = Store(url)
    try:
        return store.migrate()
    finally:
        store.close()


def test_tables_of_a_newer_watchfloor_are_left_alone(database_url: str) -> None:
    store = Store(database_url)
    with store._engine.connect().execution_options(writes=True) as connection, connection.begin():
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '8888'"))
    with pytest.raises(TablesTooNew, match="of version 8888, this Watchfloor knows versions up to"):
        store.migrate()
    store.close()


def test_the_scripts_are_one_line_in_the_order_of_their_names() -> None:
    from alembic.script import ScriptDirectory

    script = ScriptDirectory.from_config(migrations.config())
    assert [found.revision for found in script.walk_revisions()] == migrations.versions()[::-1]
