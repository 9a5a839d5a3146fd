"""Actions from the page, on real executions, and who may not."""

from __future__ import annotations

from pathlib import Path

import requests

from tests.browser.page import Page
from tests.browser.test_live import start
from watchfloor.product import Product

HEADER = "[data-wf-view=execution-header]"


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
