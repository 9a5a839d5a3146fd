"""The example flows, each executed for real in the product they come with; and synthetic load beside them."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from data import Store
from data.records import ExecutionQuery
from engine.flow import Flow, parse
from engine.states import TERMINAL, State
from streaming.messages import ExecutionRow
from tests.waiting import until
from watchfloor.product import Product, running

FLOWS = Path(__file__).parents[2] / "flows"
EXAMPLES = [parse(path.read_text()) for path in sorted(FLOWS.glob("*.yaml"))]
PASSWORD = "a password of the examples"
GOOD = {State.SUCCESS, State.WARNING}
ENDS = {"failing-backup": {State.FAILED}}
"""States in which an example may end, where that is not a good one."""
INPUTS = {
    "dashboard-uptime": {"base_url": "{url}", "slowest": "60"},
    "probe-dashboard": {"base_url": "{url}", "slowest": "PT1M"},
    "flaky-delivery": {"refusals": "0"},
    "slow-pipeline": {"steps": "1"},
}
"""What an example is told so that its end is no matter of chance, or of a machine that does other things too."""
API = "/api/v1/main/executions"


@pytest.fixture(scope="module")
def product() -> Iterator[Product]:
    with (
        tempfile.TemporaryDirectory(prefix="wf-") as folder,
        running(Path(folder), FLOWS, WATCHFLOOR_ADMIN_PASSWORD=PASSWORD) as product,
    ):
        yield product


@pytest.fixture(scope="module")
def store(product: Product) -> Iterator[Store]:
    store = Store(product.settings.resolved_database_url)
    yield store
    store.close()


@pytest.fixture(scope="module")
def started(product: Product) -> dict[str, str]:
    """An execution of each example, all at once; example -> id."""
    return {flow.id: _start(product, flow) for flow in EXAMPLES}


def _post(product: Product, path: str, **fields: str) -> Any:
    files = {name: (None, value) for name, value in fields.items()} or {"": (None, "")}
    answer = requests.post(f"{product.url}{API}/{path}", files=files, auth=("admin", PASSWORD), timeout=30)
    answer.raise_for_status()
    return answer.json() if answer.content else None


def _start(product: Product, flow: Flow) -> str:
    own = {name: text.format(url=product.url) for name, text in INPUTS.get(flow.id, {}).items()}
    return str(_post(product, f"{flow.namespace}/{flow.id}", **own)["id"])


@pytest.mark.parametrize("flow", EXAMPLES, ids=lambda flow: flow.id)
def test_runs_to_its_end(flow: Flow, product: Product, store: Store, started: dict[str, str]) -> None:
    def state() -> State | None:
        row = store.row(started[flow.id])
        if row is not None and row.state is State.PAUSED:
            _post(product, f"{row.id}/actions/resume")
        return row.state if row is not None and row.state in TERMINAL else None

    assert until(state, seconds=120) in ENDS.get(flow.id, GOOD), store.row(started[flow.id])


def cli(*options: str) -> str:
    """What a command says."""
    done = subprocess.run(
        [sys.executable, "-m", "watchfloor.cli", *options], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_load_goes_through_the_real_stream(product: Product, store: Store) -> None:
    said = cli("load", "--rate", "40", "--seconds", "2", "--alive", "5", "--data-dir", str(product.settings.data_dir))
    assert "Sent 80 events" in said
    until(lambda: any(row.labels.get("system.synthetic") for row in _newest(store)))


def test_seed_writes_a_past(tmp_path: Path) -> None:
    said = cli("seed", "--executions", "150", "--seed", "3", "--data-dir", str(tmp_path))
    assert "Done in" in said
    store = Store(f"sqlite:///{tmp_path / 'watchfloor.db'}")
    found = store.search(ExecutionQuery())
    store.close()
    assert found.total == 150
    assert all(row.labels.get("system.synthetic") for row in found.rows)


def _newest(store: Store) -> list[ExecutionRow]:
    return list(store.search(ExecutionQuery(size=100)).rows)
