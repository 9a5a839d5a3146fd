"""Actions from the page, on real executions, and who may not."""

from __future__ import annotations

from pathlib import Path

import requests
from selenium.webdriver.common.actions.action_builder import ActionBuilder
from selenium.webdriver.common.keys import Keys

from tests.browser.dialogs import FORM, HEADER, choose, option
from tests.browser.page import Page
from tests.browser.rest import start
from watchfloor.product import Product

NODE = """
const cy = document.getElementById('topology-graph')._cyreg.cy;
const box = cy.container().getBoundingClientRect();
const { x, y } = cy.getElementById(arguments[0]).renderedPosition();
return [box.left + x, box.top + y];
"""


def test_kill_from_the_header_ends_the_execution(
    page: Page, product: Product, api: requests.Session, tmp_path: Path
) -> None:
    execution_id = start(product, api, "gated", gate=str(tmp_path))
    page.open(f"/executions/{execution_id}")
    page.shows(HEADER, "RUNNING")
    page.until("a task that runs", lambda: "first" in page.text("[data-wf-view=overview]"))
    page.click(f"{HEADER} [data-action=kill]")
    page.click("#act-go")
    page.shows(HEADER, "KILLED")
    assert page.is_same_load()


def test_a_paused_approval_takes_its_inputs_on_resume(page: Page, product: Product, api: requests.Session) -> None:
    execution_id = start(product, api, "approval")
    page.open(f"/executions/{execution_id}")
    page.shows(HEADER, "PAUSED")
    page.click(f"{HEADER} [data-action=resume]")
    page.click("#act-go")
    page.shows(HEADER, "SUCCESS")


def test_a_failed_execution_restarts_in_place(page: Page, product: Product, api: requests.Session) -> None:
    execution_id = start(product, api, "failing")
    page.open(f"/executions/{execution_id}")
    page.shows(HEADER, "FAILED")
    page.click(f"{HEADER} [data-action=restart]")
    page.shows("[data-wf-view=overview]", "RESTARTED")
    page.shows(HEADER, "FAILED")


def test_pause_and_labels_from_the_header(page: Page, product: Product, api: requests.Session, tmp_path: Path) -> None:
    execution_id = start(product, api, "gated", gate=str(tmp_path))
    page.open(f"/executions/{execution_id}")
    page.shows(HEADER, "RUNNING")
    page.click(f"{HEADER} [data-action=pause]")
    page.shows(HEADER, "PAUSED")
    choose(page, "labels")
    page.one(f"{FORM} input:not([type=hidden])").send_keys("team:ops", Keys.ENTER)
    page.click("#act-go")
    page.shows(f"{HEADER} .wfx-labels", "ops")
    page.click(f"{HEADER} [data-action=resume]")
    for name in ("first", "second"):
        (tmp_path / name).touch()
    page.shows(HEADER, "SUCCESS")
    choose(page, "change-status")
    option(page, "WARNING")
    page.click("#act-go")
    page.shows(HEADER, "WARNING")
    assert page.is_same_load()


def test_the_queue_is_overruled_from_the_header(
    page: Page, product: Product, api: requests.Session, tmp_path: Path
) -> None:
    first, second, third = [start(product, api, "limited", gate=str(tmp_path)) for _ in range(3)]
    page.open(f"/executions/{second}")
    page.shows(HEADER, "QUEUED")
    page.click(f"{HEADER} [data-action=force-run]")
    page.click("#act-go")
    page.shows(HEADER, "RUNNING")
    page.open(f"/executions/{third}")
    page.shows(HEADER, "QUEUED")
    page.click(f"{HEADER} [data-action=unqueue]")
    option(page, "CANCELLED")
    page.click("#act-go")
    page.shows(HEADER, "CANCELLED")
    (tmp_path / "go").touch()
    page.open(f"/executions/{first}")
    page.shows(HEADER, "SUCCESS")


def test_a_breakpoint_is_left_from_the_header(page: Page, product: Product, api: requests.Session) -> None:
    address = f"{product.url}/api/v1/main/executions/company.tests/quick"
    execution_id = api.post(address, params={"breakpoints": "second"}, files={"": (None, "")}).json()["id"]
    page.open(f"/executions/{execution_id}")
    page.shows(HEADER, "BREAKPOINT")
    page.click(f"{HEADER} [data-action=resume-from-breakpoint]")
    page.click("#act-go")
    page.shows(HEADER, "SUCCESS")
    assert page.is_same_load()


def test_a_node_of_the_topology_has_the_actions_of_its_task_run(
    page: Page, product: Product, api: requests.Session
) -> None:
    execution_id = start(product, api, "failing")
    page.open(f"/executions/{execution_id}/topology")
    page.until("it failed", lambda: page.node_state("breaks") == "FAILED")
    x, y = page.script(NODE, "breaks")
    pointer = ActionBuilder(page.driver)
    pointer.pointer_action.move_to_location(int(x), int(y)).click()
    pointer.perform()
    page.click(".wf-menu [data-action=change-state]")
    option(page, "SUCCESS")
    page.click("#act-go")
    page.until("its new state", lambda: page.node_state("breaks") == "SUCCESS")
    assert page.is_same_load()


def test_what_is_not_allowed_is_greyed_with_the_reason(page: Page, product: Product, api: requests.Session) -> None:
    execution_id = start(product, api, "failing")
    page.open(f"/executions/{execution_id}")
    page.shows(HEADER, "FAILED")
    page.click(f"{HEADER} [data-more]")
    item = page.one(".wf-menu [data-action=pause]")
    assert item.get_attribute("aria-disabled") == "true"
    page.script("arguments[0].focus()", item)
    page.shows(".wf-menu-why", "Pause works in RUNNING; the execution is FAILED now.")


def test_execute_from_the_form(page: Page) -> None:
    page.open("/flows/company.tests/approval")
    page.click(".wf-button.primary")
    page.click("#execute-go")
    page.until("the new execution's page", lambda: "/executions/" in page.driver.current_url)
    page.shows(HEADER, "PAUSED")
