"""From an action being pressed to what it does: to its state on another browser, and to the last process being gone.

``pressed → state``, ms: two real browsers have the page of the same execution open; one presses Pause and Resume in
turn, a sample is from that press to the state's pixels in the other one.

``kill``, ms: of a running shell task with four children, from the request to the end of the last of its processes;
those that ignore SIGTERM have the grace time, which is taken off.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psutil
import requests

from benchmarks.product import PASSWORD, wait_until
from benchmarks.results import percentiles, value, write
from engine.worker.processes import MARK
from scripts.chromium import chromium
from watchfloor.product import Product, running

ROUNDS = 40
KILLS = 15
GRACE = 2.0
NAMESPACE = "company.bench"
CHILDREN = 4
FAMILY = f"for n in $(seq {CHILDREN}); do (while true; do sleep 1000; done) & done; wait"
FLOWS = {"heeds": FAMILY, "ignores": f"trap '' TERM; {FAMILY}"}
_HEADER = "[data-wf-view=execution-header]"
_READY = f"return window.watchfloor?.live?.status.phase === 'live' && !!document.querySelector('{_HEADER}')"
_CAN = f"return document.querySelector('{_HEADER} [data-action={{}}]')?.getAttribute('aria-disabled') !== 'true'"
_PRESS = f"""
const at = performance.timeOrigin + performance.now();
document.querySelector('{_HEADER} [data-action=' + arguments[0] + ']').click();
return at;
"""
_WATCH = f"""
window.__seen = null;
const wanted = arguments[0];
const look = () => {{
  if (document.querySelector('{_HEADER}').innerText.includes(wanted)) requestAnimationFrame(() => {{
    requestAnimationFrame(() => {{ window.__seen = performance.timeOrigin + performance.now(); }});
  }});
  else requestAnimationFrame(look);
}};
look();
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wf-")))
        (folder / "flows").mkdir()
        for name, command in FLOWS.items():
            (folder / "flows" / f"{name}.yaml").write_text(_flow(name, command))
        settings = {"WATCHFLOOR_ADMIN_PASSWORD": PASSWORD, "WATCHFLOOR_KILL_GRACE": str(GRACE)}
        product = stack.enter_context(running(folder / "data", folder / "flows", **settings))
        api = Api(product)
        drivers = [stack.enter_context(chromium()) for _ in range(2)]
        dice = random.Random(options.seed)
        press(product, api, drivers, 5 if options.quick else ROUNDS, dice)
        for name, grace in (("heeds", 0.0), ("ignores", GRACE)):
            kill(api, name, grace, 3 if options.quick else KILLS, dice)


def _flow(name: str, command: str) -> str:
    task = {"id": "work", "type": "io.kestra.plugin.scripts.shell.Commands", "commands": [command]}
    return json.dumps({"id": name, "namespace": NAMESPACE, "tasks": [task]})


class Api:
    """The REST API, as far as this needs it."""

    def __init__(self, product: Product) -> None:
        self._base = f"{product.url}/api/v1/main/executions"
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.auth = ("admin", PASSWORD)

    def start(self, flow: str) -> str:
        """A new execution whose task runs, with all its processes."""
        answer = self._session.post(f"{self._base}/{NAMESPACE}/{flow}", files={"": (None, "")}, timeout=30)
        answer.raise_for_status()
        return answer.json()["id"]

    def task_run(self, execution_id: str) -> str | None:
        """The id of its one task run once that runs."""
        item = self._session.get(f"{self._base}/{execution_id}", timeout=30).json()
        return next((run["id"] for run in item.get("taskRunList", ()) if run["state"]["current"] == "RUNNING"), None)

    def kill(self, execution_id: str) -> None:
        """Ask for a kill."""
        self._session.delete(f"{self._base}/{execution_id}/actions/kill", timeout=30).raise_for_status()


def press(product: Product, api: Api, drivers: list[Any], rounds: int, dice: random.Random) -> None:
    """One browser presses, the other one shows."""
    execution_id = api.start("heeds")
    wait_until("a running task", lambda: api.task_run(execution_id))
    log_in(product, drivers)
    for driver in drivers:
        driver.get(f"{product.url}/executions/{execution_id}")
        wait_until("a live page", lambda driver=driver: driver.execute_script(_READY), 120)
    presses, shows = drivers
    samples = []
    for action, state in [("pause", "PAUSED"), ("resume", "RUNNING")] * rounds:
        wait_until(f"{action} being allowed", lambda action=action: presses.execute_script(_CAN.format(action)))
        time.sleep(dice.uniform(0.05, 0.25))  # in no step with heartbeats
        shows.execute_script(_WATCH, state)
        at = presses.execute_script(_PRESS, action)
        wait_until(f"{state} on the other page", lambda: shows.execute_script("return window.__seen"))
        samples.append(shows.execute_script("return window.__seen") - at)
    api.kill(execution_id)
    write(percentiles("action", "pressed → state on another browser", samples))


def log_in(product: Product, drivers: list[Any]) -> None:
    """One session for all: the link of the start works once."""
    first, *others = drivers
    first.get(product.login_url)
    for driver in others:
        driver.get(f"{product.url}/health")
        for cookie in first.get_cookies():
            driver.add_cookie({"name": cookie["name"], "value": cookie["value"], "path": "/"})


def kill(api: Api, flow: str, grace: float, times: int, dice: random.Random) -> None:
    """End executions of ``flow``, and look when the last process of each is gone."""
    samples, left = [], 0
    for _ in range(times):
        execution_id = api.start(flow)
        wait_until("a running task", lambda execution_id=execution_id: api.task_run(execution_id))
        mark = f"{api.task_run(execution_id)}:1"
        wait_until("its processes", lambda mark=mark: len(processes_of(mark)) > CHILDREN)
        time.sleep(dice.uniform(0.0, 0.2))
        family = processes_of(mark)
        begun = time.monotonic()
        api.kill(execution_id)
        gone = wait_for_end(family, begun + grace + 10)
        samples.append((gone - begun - grace) * 1000)
        left += len(processes_of(mark))
    case = f"kill of a shell task with children, {'after the grace time' if grace else 'which heed SIGTERM'}"
    write(percentiles("action", case, samples))
    write(value("action", f"{case}: processes left", left, "processes", times))


def processes_of(mark: str) -> list[psutil.Process]:
    """All that live of an attempt, found by the mark in their environment."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == mark and _lives(process):
                found.append(process)
        except psutil.Error:
            continue
    return found


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def wait_for_end(family: list[psutil.Process], deadline: float) -> float:
    """The moment at which the last of ``family`` was gone, or the deadline."""
    while time.monotonic() < deadline and any(_lives(process) for process in family):
        time.sleep(0.005)
    return time.monotonic()


if __name__ == "__main__":
    main()
