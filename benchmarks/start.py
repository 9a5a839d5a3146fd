"""Second start of ``watchfloor up`` to the first live row in a real Chromium, ms.

The first start makes the database; it isn't counted. The browser is running and logged in already, as a wall's is.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import requests

from benchmarks.product import wait_until
from benchmarks.results import percentiles, write
from scripts.chromium import chromium
from watchfloor.product import free_port, running

STARTS = 5
FLOW = """
id: every-second
namespace: company.bench
tasks:
  - id: say
    type: io.kestra.plugin.core.log.Log
    message: hello
triggers:
  - id: clock
    type: io.kestra.plugin.core.trigger.Schedule
    cron: "* * * * * *"
    withSeconds: true
"""
_LIVE_ROW = """
return window.watchfloor?.live?.status.phase === 'live' && document.querySelectorAll('.ag-row[row-id]').length > 0
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    with tempfile.TemporaryDirectory(prefix="wf-") as name, chromium() as driver:
        folder, port = Path(name), free_port()
        (folder / "flows").mkdir()
        (folder / "flows" / "every-second.yaml").write_text(FLOW)
        cookies = first_start(folder, port)
        write(
            percentiles(
                "start",
                "second start to first live row",
                [next_start(folder, port, driver, cookies) for _ in range(2 if quick else STARTS)],
            )
        )


def first_start(folder: Path, port: int) -> dict[str, str]:
    """Make the database; a login session that outlives the process."""
    with running(folder / "data", folder / "flows", port=port) as product:
        session = requests.Session()
        session.get(product.login_url).raise_for_status()
        return dict(session.cookies)


def next_start(folder: Path, port: int, driver: Any, cookies: dict[str, str]) -> float:
    """One start, ms until a row is live."""
    begun = time.monotonic()
    with running(folder / "data", folder / "flows", port=port) as product:
        driver.get(product.url + "/health")
        for key, value in cookies.items():
            driver.add_cookie({"name": key, "value": value, "path": "/"})
        driver.get(product.url + "/executions")
        wait_until("a live row", lambda: driver.execute_script(_LIVE_ROW))
        return (time.monotonic() - begun) * 1000


if __name__ == "__main__":
    main()
