"""What comes in broken, malformed or too large is said on the page, harms nothing else, and mends without a reload."""

from __future__ import annotations

import re
from typing import Any

import requests

from streaming import keys
from streaming.bus import Bus
from tests.browser.faults.watch import ends_well, says
from tests.browser.page import Page
from tests.browser.rest import API, log_of, start, state_of
from watchfloor.product import Product

GOOD = """id: mended
namespace: company.tests
tasks:
  - id: one
    type: io.kestra.plugin.core.log.Log
    message: {message}
"""


def test_a_broken_flow_file(page: Page, product: Product, api: requests.Session) -> None:
    path = product.settings.flows_dir / "mended.yaml"
    path.write_text(GOOD.format(message="first"))
    page.open("/flows")
    page.shows("body", "mended")
    path.write_text(GOOD.format(message="second").replace("core.log.Log", "core.log.Lag"))
    page.shows(".wf-problem", "mended.yaml can't be used")
    problem = page.text(".wf-problem")
    assert re.search(r"\b5:\d+", problem), problem
    assert "io.kestra.plugin.core.log.Log" in problem
    execution_id = start(product, api, "mended")
    page.until("its end", lambda: state_of(product, api, execution_id) == "SUCCESS")
    path.write_text(GOOD.format(message="third"))
    page.until("no problem", lambda: not page.text(".wf-problem"))
    assert page.is_same_load()
    execution_id = start(product, api, "mended")
    page.until("its end", lambda: state_of(product, api, execution_id) == "SUCCESS")
    assert "third" in log_of(product, api, execution_id)


def test_a_flow_s_page_follows_its_file(page: Page, product: Product) -> None:
    path = product.settings.flows_dir / "followed.yaml"
    text = GOOD.replace("id: mended", "id: followed")
    page.open("/flows/company.tests/followed/source")
    page.shows(".wf-empty", "There is no such flow")
    path.write_text(text.format(message="first"))
    page.shows(".wf-yaml", "message: first")
    path.write_text(text.format(message="second"))
    page.shows(".wf-yaml", "message: second")
    page.shows(".wf-flow-head", "Revision\n2")
    path.write_text("not a flow")
    page.shows(".wf-problem", "followed.yaml can't be used")
    page.shows(".wf-yaml", "message: second")
    assert page.is_same_load()


def test_a_malformed_event(running_page: Page, product: Product, api: requests.Session, bus: Bus, gated: Any) -> None:
    before = bus.length(keys.DEAD_LETTERS)
    bus.redis.xadd(keys.EVENTS, {"d": b"\xc1 not an event"})
    says(running_page, f"{before + 1} malformed")
    assert running_page.is_live()
    ((_, fields),) = bus.redis.xrevrange(keys.DEAD_LETTERS, count=1)
    assert fields[b"d"] == b"\xc1 not an event"
    assert fields[b"reason"]
    ends_well(running_page, product, api, gated)


# -- what is too large


def test_a_million_log_lines(page: Page, product: Product, api: requests.Session) -> None:
    execution_id = start(product, api, "chatty")
    page.open(f"/executions/{execution_id}")
    page.until("its end", lambda: "SUCCESS" in page.text("[data-wf-view=execution-header]"), 90)
    found = api.get(f"{product.url}{API}/logs/{execution_id}/window?offset=0&limit=1000&order=time", timeout=10).json()
    said = [entry["message"] for entry in found["entries"]]
    assert said[499:501] == ["500", "The log is capped at 500 lines (WATCHFLOOR_TASK_MAX_LOG_LINES): further lines are "
                             "counted, not kept."]  # fmt: skip
    assert "999,500 more lines were not kept (WATCHFLOOR_TASK_MAX_LOG_LINES)." in said
    assert "still here" in said
    page.open(f"/executions/{execution_id}/logs?level=WARN")
    page.shows("[data-wf-view=logs]", "WATCHFLOOR_TASK_MAX_LOG_LINES")


def test_an_output_of_50_mb(page: Page, product: Product, api: requests.Session) -> None:
    execution_id = start(product, api, "huge")
    page.open(f"/executions/{execution_id}")
    page.until("its end", lambda: "FAILED" in page.text("[data-wf-view=execution-header]"), 60)
    page.shows("[data-wf-view=overview]", "WATCHFLOOR_TASK_MAX_OUTPUT_BYTES")
    assert page.is_same_load()
