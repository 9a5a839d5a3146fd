"""Actions whose dialog has a form, on real executions; and a viewer, whom page and server refuse."""

from __future__ import annotations

from collections.abc import Callable

import requests
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from data import Store
from tests.browser.dialogs import DIALOG, HEADER, choose, option
from tests.browser.page import Page
from tests.browser.rest import PASSWORD, start, state_of
from watchfloor.product import Product

RELATED = ".relations:not([hidden])"


def test_a_replay_takes_changed_inputs_and_leads_to_the_new_execution(
    page: Page, product: Product, api: requests.Session
) -> None:
    source = start(product, api, "quick", word="before")
    page.open(f"/executions/{source}")
    page.shows(HEADER, "SUCCESS")
    page.script("document.body.dispatchEvent(new KeyboardEvent('keydown', {key: 'R', bubbles: true}))")
    page.one(f"{DIALOG} #act-inputs input")
    word = page.one(f"{DIALOG} #act-inputs input")
    assert word.get_attribute("value") == "before"
    word.send_keys(Keys.CONTROL, "a")
    word.send_keys("after")
    page.click("#act-go")
    page.click(".wf-notice-link")
    page.until("the new execution's page", lambda: source not in page.driver.current_url)
    page.shows("[data-wf-view=overview]", "after")
    page.shows(HEADER, "SUCCESS")
    assert page.is_same_load()


def test_execute_again_begins_with_the_same_inputs_and_replays_are_seen_on_the_overview(
    page: Page, product: Product, api: requests.Session
) -> None:
    source = start(product, api, "quick", word="once")
    page.open(f"/executions/{source}")
    page.shows(HEADER, "SUCCESS")
    page.click(f"{HEADER} [data-execute-again]")
    assert page.one("#execute-form input").get_attribute("value") == "once"
    page.click("#execute-go")
    page.until("the new execution's page", lambda: source not in page.driver.current_url)
    page.shows("[data-wf-view=overview]", "once")
    page.driver.back()
    page.until("the first one's page", lambda: source in page.driver.current_url)
    page.shows(HEADER, "SUCCESS")
    assert not page.text(RELATED)
    answer = api.post(f"{product.url}/api/v1/main/executions/{source}/actions/replay", timeout=10)
    assert answer.status_code == 200, answer.text
    page.shows(RELATED, "replay")
    page.shows(RELATED, "SUCCESS")
    assert page.is_same_load()


def test_a_task_run_is_changed_from_the_gantt_and_the_execution_deleted_while_it_is_looked_at(
    page: Page, product: Product, api: requests.Session
) -> None:
    failed = start(product, api, "failing")
    page.open(f"/executions/{failed}/gantt")
    page.shows(HEADER, "FAILED")
    page.click(".gantt-row[data-task=breaks] .gantt-name")
    page.click(".wf-menu [data-action=change-state]")
    option(page, "SUCCESS")
    page.click("#act-go")
    page.until(
        "a changed row", lambda: page.one(".gantt-row[data-task=breaks]").get_attribute("data-state") == "SUCCESS"
    )
    choose(page, "delete")
    page.click("#act-go")
    page.shows(HEADER, "removed")
    page.click(f"{HEADER} [data-more]")
    assert page.one(".wf-menu [data-action=replay]").get_attribute("aria-disabled") == "true"


def test_what_still_runs_is_deleted_once_the_dialog_is_told_so(
    page: Page, product: Product, api: requests.Session
) -> None:
    paused = start(product, api, "approval")
    page.open(f"/executions/{paused}")
    page.shows(HEADER, "PAUSED")
    choose(page, "delete")
    page.click("#act-go")
    page.shows(DIALOG, "the execution is PAUSED now")
    page.click(f"{DIALOG} input[value=include_non_terminated]")
    page.click("#act-go")
    page.shows(HEADER, "removed")


def test_a_viewer_is_refused_by_the_page_and_by_the_server(
    another_page: Callable[[], Page], product: Product, api: requests.Session
) -> None:
    store = Store(product.settings.resolved_database_url)
    store.save_user("watcher", "viewer", PASSWORD)
    store.close()
    paused = start(product, api, "approval")
    page = another_page()
    page.log_in(_session(product))
    page.open(f"/executions/{paused}")
    page.shows(HEADER, "PAUSED")
    kill = f"{HEADER} [data-action=kill]"
    page.until("it to be grey", lambda: page.one(kill).get_attribute("aria-disabled") == "true")
    button = page.one(kill)
    assert "you need the role operator in company.tests; yours is viewer" in (button.get_attribute("title") or "")
    button.click()
    assert not page.driver.find_elements(By.CSS_SELECTOR, DIALOG)
    forged = {"action": "kill", "ids": [paused], "at": 1}
    page.script("dash_clientside.set_props('action-request', {data: arguments[0]})", forged)
    page.shows(".wf-notice-bad", "yours is viewer")
    many = {"action": "kill", "filters": "", "count": 1, "many": True, "at": 2}
    page.script("dash_clientside.set_props('action-request', {data: arguments[0]})", many)
    page.until("a second refusal", lambda: len(page.driver.find_elements(By.CSS_SELECTOR, ".wf-notice-bad")) == 2)
    assert state_of(product, api, paused) == "PAUSED"


def _session(product: Product) -> dict[str, str]:
    session = requests.Session()
    form, origin = {"name": "watcher", "password": PASSWORD}, {"Origin": product.url}
    session.post(f"{product.url}/login", data=form, headers=origin, timeout=10).raise_for_status()
    return dict(session.cookies)
