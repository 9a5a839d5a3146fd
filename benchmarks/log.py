"""First log line of a running task to the page, ms: from the worker reading the line to its pixels in Chromium.

A real flow on a real worker, its Logs tab open before the line is written; the task goes on for a second after it, so
that the line comes while it runs.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import requests

from benchmarks.product import PASSWORD, wait_until
from benchmarks.results import percentiles, write
from scripts.chromium import chromium
from watchfloor.product import Product, running

RUNS = 25
FLOW = """
id: speaks
namespace: company.bench
inputs:
  - id: gate
    type: STRING
tasks:
  - id: say
    type: io.kestra.plugin.scripts.shell.Commands
    commands:
      - while [ ! -e "{{ inputs.gate }}" ]; do sleep 0.02; done
      - echo "spoken at $(date +%s%N) ns"
      - sleep 1
"""
_WATCH = """
window.__seen = null;
const look = () => {
  const match = /spoken at (\\d+) ns/.exec(document.querySelector('[data-wf-view=logs]')?.innerText ?? '');
  if (match) requestAnimationFrame(() => requestAnimationFrame(() => {
    window.__seen = [Number(match[1]) / 1e6, performance.timeOrigin + performance.now()];
  }));
  else requestAnimationFrame(look);
};
look();
"""
_READY = "return window.watchfloor?.live?.status.phase === 'live' && !!document.querySelector('[data-wf-view=logs]')"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    with tempfile.TemporaryDirectory(prefix="wf-") as name, chromium() as driver:
        folder = Path(name)
        (folder / "flows").mkdir()
        (folder / "flows" / "speaks.yaml").write_text(FLOW)
        with running(folder / "data", folder / "flows", WATCHFLOOR_ADMIN_PASSWORD=PASSWORD) as product:
            driver.get(product.login_url)
            samples = [one(product, driver, folder / f"gate-{n}") for n in range(5 if quick else RUNS)]
        write(percentiles("log", "first line of a running task to the page", samples))


def one(product: Product, driver: Any, gate: Path) -> float:
    """One execution: open its logs, let it speak, ms until the line is painted."""
    api = f"{product.url}/api/v1/main/executions"
    answer = requests.post(
        f"{api}/company.bench/speaks", files={"gate": (None, str(gate))}, auth=("admin", PASSWORD), timeout=10
    )
    answer.raise_for_status()
    execution_id = answer.json()["id"]
    driver.get(f"{product.url}/executions/{execution_id}/logs")
    wait_until("a live page", lambda: driver.execute_script(_READY))
    wait_until("a running task", lambda: running_task(api, execution_id))
    driver.execute_script(_WATCH)
    time.sleep(0.2)  # the page has settled; what is timed begins at the line
    gate.touch()
    spoken, painted = wait_until_value(driver)
    return painted - spoken


def running_task(api: str, execution_id: str) -> bool:
    """Whether the execution's task runs."""
    answer = requests.get(f"{api}/{execution_id}", auth=("admin", PASSWORD), timeout=10).json()
    return any(run["state"]["current"] == "RUNNING" for run in answer.get("taskRunList", []))


def wait_until_value(driver: Any) -> tuple[float, float]:
    """(spoken at, painted at) in ms since the epoch, once the line is painted."""
    wait_until("the line on the page", lambda: driver.execute_script("return window.__seen"))
    spoken, painted = driver.execute_script("return window.__seen")
    return float(spoken), float(painted)


if __name__ == "__main__":
    main()
