"""A flow started by the test is seen going through its states, without a reload, in every view and in two browsers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import requests

from tests.browser.page import Page
from tests.browser.rest import EXECUTIONS, start
from watchfloor.product import Product


def test_the_table_shows_each_state_as_it_comes(page: Page, gated: tuple[str, Path]) -> None:
    execution_id, gate = gated
    page.open("/executions?filters[namespace][EQUALS]=company.tests")
    page.until("RUNNING in its row", lambda: "RUNNING" in page.row_text(execution_id))
    assert "SUCCESS" not in page.row_text(execution_id)
    (gate / "first").touch()
    (gate / "second").touch()
    page.until("SUCCESS in its row", lambda: "SUCCESS" in page.row_text(execution_id))
    assert page.is_same_load()


def test_a_new_execution_comes_in_on_top(page: Page, product: Product, api: requests.Session, tmp_path: Path) -> None:
    page.open("/executions?filters[namespace][EQUALS]=company.tests")
    (tmp_path / "first").touch()
    (tmp_path / "second").touch()
    execution_id = start(product, api, "gated", gate=str(tmp_path))
    page.until("its row", lambda: page.row_text(execution_id))
    first = "return document.querySelector('.ag-row[row-index=\"0\"] a').getAttribute('href')"
    assert page.script(first) == f"/executions/{execution_id}"
    page.until("its end", lambda: "SUCCESS" in page.row_text(execution_id))
    assert page.is_same_load()


def test_a_date_to_begin_at_is_shown_until_it_begins(page: Page, product: Product, api: requests.Session) -> None:
    path = f"{product.url}{EXECUTIONS}/company.tests/gated"
    options = {"scheduleDate": "2999-01-01T00:00:00Z"}
    answer = api.post(path, params=options, files={"gate": (None, "nowhere")}, timeout=10)
    execution_id = answer.json()["id"]
    page.open(f"/executions/{execution_id}")
    page.until("the date", lambda: "scheduled for" in page.text(".wfx-header") and "2999" in page.text(".wfx-header"))
    page.shows(".wfx-fact-list", "Begins")
    api.delete(f"{product.url}{EXECUTIONS}/{execution_id}/actions/kill", timeout=10)
    page.until("its end", lambda: "scheduled for" not in page.text(".wfx-header"))
    assert page.is_same_load()


def test_the_gantt_grows_a_row_a_task(page: Page, gated: tuple[str, Path]) -> None:
    execution_id, gate = gated
    page.open(f"/executions/{execution_id}/gantt")
    page.until("first runs", lambda: gantt_state(page, "first") == "RUNNING")
    assert gantt_state(page, "second") is None
    (gate / "first").touch()
    page.until("second runs", lambda: gantt_state(page, "second") == "RUNNING")
    assert gantt_state(page, "first") == "SUCCESS"
    (gate / "second").touch()
    page.until("second ends", lambda: gantt_state(page, "second") == "SUCCESS")
    assert page.is_same_load()


def gantt_state(page: Page, task_id: str) -> str | None:
    """State the Gantt's row of a task shows."""
    found = """
    const row = [...document.querySelectorAll('[data-wf-view=gantt] [data-task]')]
      .find((row) => row.dataset.task === arguments[0] && row.offsetParent);
    return row ? row.dataset.state : null;
    """
    state = page.script(found, task_id)
    return str(state) if state else None


def test_the_topology_recolours(page: Page, gated: tuple[str, Path]) -> None:
    execution_id, gate = gated
    page.open(f"/executions/{execution_id}/topology")
    page.until("first runs", lambda: page.node_state("first") == "RUNNING")
    assert page.node_state("second") in (None, "")
    (gate / "first").touch()
    page.until("second runs", lambda: page.node_state("second") == "RUNNING")
    assert page.node_state("first") == "SUCCESS"
    (gate / "second").touch()
    page.until("second ends", lambda: page.node_state("second") == "SUCCESS")
    assert page.is_same_load()


def test_log_lines_are_on_the_page_while_their_task_runs(page: Page, gated: tuple[str, Path]) -> None:
    execution_id, gate = gated
    page.open(f"/executions/{execution_id}/logs")
    page.shows("[data-wf-view=logs]", "first begins")
    assert "first ends" not in page.text("[data-wf-view=logs]")
    (gate / "first").touch()
    page.shows("[data-wf-view=logs]", "second begins")
    (gate / "second").touch()
    page.shows("[data-wf-view=logs]", "second ends")
    assert page.is_same_load()


def test_two_browsers_see_the_same(page: Page, another_page: Callable[[], Page], gated: tuple[str, Path]) -> None:
    execution_id, gate = gated
    other = another_page()
    for tab in (page, other):
        tab.open("/executions?filters[namespace][EQUALS]=company.tests")
        tab.until("RUNNING in its row", lambda tab=tab: "RUNNING" in tab.row_text(execution_id))
    (gate / "first").touch()
    (gate / "second").touch()
    for tab in (page, other):
        tab.until("SUCCESS in its row", lambda tab=tab: "SUCCESS" in tab.row_text(execution_id))
        assert tab.is_same_load()


def test_the_tab_of_the_browser_says_how_the_page_stands(page: Page, product: Product, api: requests.Session) -> None:
    execution_id = start(product, api, "failing")
    page.open(f"/executions/{execution_id}")
    page.until("its state", lambda: page.driver.title.startswith("✗ 1 failed · failing"))
    icon = "return document.getElementById('wf-favicon').dataset.state"
    assert page.script(icon) == "FAILED"
    page.click(".wf-rail-link[href='/flows']")
    page.until("flows that failed", lambda: page.driver.title.endswith(" failed · Flows · Watchfloor"))
    page.click(".wf-rail-link[href='/operations']")
    page.until("a quiet page", lambda: page.driver.title == "Operations · Watchfloor")
    assert page.script(icon) == ""


def test_the_overview_shows_history_and_the_first_error(page: Page, product: Product, api: requests.Session) -> None:
    execution_id = start(product, api, "failing")
    page.open(f"/executions/{execution_id}")
    page.shows("[data-wf-view=overview]", "FAILED")
    page.shows("[data-wf-view=overview]", "the disk is on fire")
    page.shows("[data-wf-view=execution-header]", "FAILED")
