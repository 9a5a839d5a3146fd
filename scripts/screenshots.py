"""Renders the pictures of the documents from a running product: ``python -m scripts.screenshots [--review FOLDER]``.

Real example flows on real workers. ``--review`` renders every page, dark and light, in several sizes, to look at.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests
from selenium.webdriver.common.by import By

from scripts.chromium import chromium
from watchfloor.product import Product, running

ROOT = Path(__file__).parents[1]
PASSWORD = "a password of the pictures"
API = "/api/v1/main/executions"
SIZES = ((1366, 768), (1920, 1080), (3840, 2160), (390, 844))
LIVE = "return window.watchfloor?.live?.status.phase === 'live' && !document.querySelector('.wf-skeleton')"

DRAWN = {"gantt": ".gantt-plot .barlayer .point", "topology": "canvas"}

# name -> path; "{run}" is an execution that runs, "{bad}" one that failed
PAGES = {
    "executions": "/executions",
    "overview": "/executions/{bad}",
    "gantt": "/executions/{run}/gantt",
    "logs": "/executions/{run}/logs",
    "topology": "/executions/{run}/topology",
    "flows": "/flows",
    "flow": "/flows/examples.data/slow-pipeline",
    "triggers": "/flows/examples.system/machine-health/triggers",
    "operations": "/operations",
    "audit": "/audit",
    "settings": "/settings",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--review", type=Path, help="render every page in every size into this folder")
    review = parser.parse_args().review
    folder = review or ROOT / "docs" / "img"
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="wf-") as data,
        running(Path(data), ROOT / "flows", WATCHFLOOR_ADMIN_PASSWORD=PASSWORD) as product,
    ):
        print("executions run for a minute, so that there is something to see", flush=True)
        bad = execute(product, "examples.ops/failing-backup")
        until("a failed execution", lambda: state(product, bad) == "FAILED")
        time.sleep(60)
        label(product, "examples.system")
        for width, height in SIZES if review else SIZES[1:2]:
            for dark in (True, False):
                shoot(product, folder, width, height, dark, bad, sized=review is not None)


def shoot(product: Product, folder: Path, width: int, height: int, dark: bool, bad: str, *, sized: bool) -> None:
    """All pages in one size and theme."""
    theme = "dark" if dark else "light"
    session = requests.Session()
    form, origin = {"name": "admin", "password": PASSWORD}, {"Origin": product.url}
    answer = session.post(f"{product.url}/login", data=form, headers=origin, timeout=10)
    answer.raise_for_status()
    with chromium(width, height, dark) as driver:
        driver.get(product.url + "/health")
        for name, value in session.cookies.items():
            driver.add_cookie({"name": name, "value": value, "path": "/"})
        for name, path in PAGES.items():
            run = execute(product, "examples.data/slow-pipeline") if "{run}" in path else ""
            time.sleep(12 if run else 0)  # far enough to show some of it done and some of it running
            driver.get(product.url + path.format(run=run, bad=bad))
            until("a live page", lambda: driver.execute_script(LIVE))
            until("it to be drawn", lambda: driver.find_elements(By.CSS_SELECTOR, DRAWN.get(name, "body")))  # noqa: B023
            time.sleep(1.5)
            file = folder / (f"{name}-{theme}-{width}.png" if sized else f"{name}-{theme}.png")
            driver.save_screenshot(str(file))
            print(file.name, *problems(driver), flush=True)


def problems(driver: Any) -> list[str]:
    """What the console complains of."""
    return [entry["message"] for entry in driver.get_log("browser")]


def execute(product: Product, flow: str) -> str:
    """Start a flow; its execution's id."""
    answer = requests.post(f"{product.url}{API}/{flow}", files={"": (None, "")}, auth=("admin", PASSWORD), timeout=10)
    answer.raise_for_status()
    return str(answer.json()["id"])


def label(product: Product, namespace: str) -> None:
    """Label all executions of a namespace in one operation."""
    address = f"{product.url}{API}/labels/by-query?filters[namespace][EQUALS]={namespace}"
    answer = requests.post(address, json=[{"key": "shift", "value": "night"}], auth=("admin", PASSWORD), timeout=10)
    answer.raise_for_status()


def state(product: Product, execution_id: str) -> str | None:
    """State of an execution, ``None`` before it is known."""
    answer = requests.get(f"{product.url}{API}/{execution_id}", auth=("admin", PASSWORD), timeout=10)
    return str(answer.json()["state"]["current"]) if answer.ok else None


def until(what: str, condition: Callable[[], object], seconds: float = 60) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:.0f} s for {what}")
        time.sleep(0.1)


if __name__ == "__main__":
    main()
