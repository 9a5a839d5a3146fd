"""The pages of bulk operations, on real executions."""

from __future__ import annotations

import os
import signal
from typing import Any

import requests

from tests.browser.page import Page
from tests.browser.processes import pid_of
from tests.browser.rest import API, start, state_of
from watchfloor.product import Product

BADGE = ".wf-ops-title .state-badge"


def paused(product: Product, api: requests.Session, count: int) -> list[str]:
    """Executions that wait for an approval."""
    return [start(product, api, "approval") for _ in range(count)]


def begin(product: Product, api: requests.Session, ids: list[str]) -> str:
    """An operation that kills; its id."""
    answer: Any = api.delete(f"{product.url}{API}/executions/kill/by-ids", params={"reason": "drill"}, json=ids)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["operationId"])


def test_an_operation_comes_into_the_open_list_and_opens_with_a_result_per_row(
    page: Page, product: Product, api: requests.Session
) -> None:
    page.open("/operations")
    ids = paused(product, api, 3)
    page.until("paused executions", lambda: all(state_of(product, api, one) == "PAUSED" for one in ids))
    operation_id = begin(product, api, [*ids, "nothing-at-all"])
    row = f'tr[data-id="{operation_id}"]'
    page.shows(row, "DONE")
    text = page.text(row)
    assert "Kill 4 executions" in text
    assert "drill · 4 executions chosen one by one" in text
    page.click(f"{row} a")
    page.shows(BADGE, "DONE")
    page.until(
        "four rows", lambda: page.script("return document.querySelectorAll('.wf-ops-rows tbody tr').length") == 4
    )
    page.click(".wf-count[data-result=unknown]")
    page.shows(".wf-ops-rows tbody", "nothing-at-all")
    page.until("one row", lambda: page.script("return document.querySelectorAll('.wf-ops-rows tbody tr').length") == 1)
    href = page.one("a[download]").get_attribute("href")
    lines = api.get(str(href)).text.splitlines()
    assert [line.split(",")[2] for line in lines] == ["result", "done", "done", "done", "unknown"]
    assert page.is_same_load()


def test_what_was_refused_is_tried_again_by_a_button(page: Page, product: Product, api: requests.Session) -> None:
    (one,) = paused(product, api, 1)
    page.until("a paused execution", lambda: state_of(product, api, one) == "PAUSED")
    begin(product, api, [one])
    page.until("the end", lambda: state_of(product, api, one) == "KILLED")
    operation_id = begin(product, api, [one])
    page.open(f"/operations/{operation_id}")
    page.shows(".wf-ops-rows tbody", "refused")
    page.click(".wf-ops-title .wf-button:not(.danger)")
    page.until("another operation", lambda: operation_id not in page.driver.current_url)
    page.shows(".wf-ops-facts", "Retry of")
    page.shows(BADGE, "DONE")
    assert page.is_same_load()


def test_an_operation_is_stopped_by_a_button(page: Page, product: Product, api: requests.Session) -> None:
    ids = paused(product, api, 2)
    page.until("paused executions", lambda: all(state_of(product, api, one) == "PAUSED" for one in ids))
    page.open("/operations")
    executor = pid_of(product, "executor")
    os.kill(executor, signal.SIGSTOP)  # so that it can't be through before the button is pressed
    try:
        operation_id = begin(product, api, ids)
        page.click(f'tr[data-id="{operation_id}"] a')
        page.click(".wf-ops-title .wf-button.danger")
        page.until("it stops", lambda: page.text(BADGE) in ("STOPPING", "STOPPED"))
    finally:
        os.kill(executor, signal.SIGCONT)
    page.shows(BADGE, "STOPPED")
    assert page.is_same_load()
