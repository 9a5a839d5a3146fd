"""The list as a place to work: filters by chips and in the address, saved views, columns, keys, the palette."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

import pytest
import requests
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from tests.browser.page import Page
from tests.browser.test_live import start
from watchfloor.product import Product

VIEWS = "/api/v1/main/views"
INPUT = ".wf-bar-input"
HREFS = (
    "return [...document.querySelectorAll('.ag-center-cols-container .ag-row a')].map((a) => a.getAttribute('href'))"
)


@pytest.fixture(scope="module")
def runs(product: Product, api: requests.Session) -> tuple[str, str]:
    """Two executions of the namespace ``company.tests``: one that failed, one that is paused."""
    return start(product, api, "failing"), start(product, api, "approval")


def address(page: Page) -> str:
    """The query string, as people read it."""
    return unquote(str(page.script("return location.search")))


def shown(page: Page) -> set[str]:
    """Addresses of the executions in the table."""
    return set(page.script(HREFS))


def press(page: Page, *keys: str) -> None:
    """Press keys wherever the focus is."""
    for key in keys:
        ActionChains(page.driver).send_keys(key).perform()


def lists_only(page: Page, execution_id: str, other: str) -> None:
    """Wait until one of two executions is in the table and the other is not."""
    rows = {f"/executions/{execution_id}", f"/executions/{other}"}
    page.until("the filtered rows", lambda: shown(page) & rows == {f"/executions/{execution_id}"})


def test_a_typed_filter_becomes_a_chip_and_the_address(page: Page, runs: tuple[str, str]) -> None:
    failed, paused = runs
    page.open("/executions?filters[namespace][IN]=company.tests&size=100")
    page.until("both", lambda: {f"/executions/{one}" for one in runs} <= shown(page))
    press(page, "/")
    page.until("the focus", lambda: page.script("return document.activeElement.matches(arguments[0])", INPUT))
    press(page, "state:fail", Keys.ENTER)
    lists_only(page, failed, paused)
    page.shows(".wf-chip[data-field=state]", "FAILED")
    assert "filters[state][IN]=FAILED" in address(page)
    page.driver.back()
    page.until("both again", lambda: {f"/executions/{one}" for one in runs} <= shown(page))
    page.driver.forward()
    lists_only(page, failed, paused)
    assert page.is_same_load()


def test_a_chip_is_edited_and_removed(page: Page, runs: tuple[str, str]) -> None:
    failed, paused = runs
    page.open("/executions?filters[namespace][IN]=company.tests&filters[state][IN]=FAILED&size=100")
    lists_only(page, failed, paused)
    page.click(".wf-chip[data-field=state] .wf-chip-body")
    page.one(".wf-popover input").send_keys("PAUSED", Keys.ENTER)
    page.until("both states", lambda: {f"/executions/{one}" for one in runs} <= shown(page))
    assert "filters[state][IN]=FAILED,PAUSED" in address(page)
    press(page, Keys.ESCAPE)
    page.click(".wf-chip[data-field=namespace] .wf-chip-remove")
    page.until("one chip less", lambda: "namespace" not in address(page))


def test_alternatives_come_from_an_address(page: Page, runs: tuple[str, str]) -> None:
    page.open(
        "/executions?filters[namespace][IN]=company.tests&size=100"
        "&filters[or][0][flowId][EQUALS]=approval&filters[or][1][state][IN]=FAILED"
    )
    page.until("both", lambda: {f"/executions/{one}" for one in runs} <= shown(page))
    page.shows(".wf-group", "or")
    assert page.script("return document.querySelectorAll('.wf-group .wf-chip').length") == 2


def test_what_the_server_refuses_is_said_on_its_chip(page: Page) -> None:
    page.open("/executions?filters[startDate][GREATER_THAN]=tomorrow&filters[state][IN]=FAILED")
    page.one(".wf-chip[data-field=startDate][data-error*='ISO 8601']")
    assert not page.script("return document.querySelector('.wf-chip[data-field=state]').dataset.error")


def test_a_saved_view_opens_from_its_link_in_a_second_browser(
    page: Page, another_page: Callable[[], Page], runs: tuple[str, str], product: Product, api: requests.Session
) -> None:
    failed, paused = runs
    page.open("/executions?filters[namespace][IN]=company.tests&filters[state][IN]=FAILED&columns=state,flow,revision")
    lists_only(page, failed, paused)
    page.click(".wf-view-menu .wf-link-button:last-child")
    page.one(".wf-view-form input").send_keys("Failed tests", Keys.ENTER)
    page.shows(".wf-view-button", "Failed tests")
    view = next(one for one in api.get(product.url + VIEWS, timeout=10).json() if one["name"] == "Failed tests")
    other = another_page()
    other.open(f"/executions?view={view['id']}")
    lists_only(other, failed, paused)
    other.shows(".wf-view-button", "Failed tests")
    other.shows(".wf-chip[data-field=state]", "FAILED")
    assert "revision" in other.text(".ag-header").lower()
    assert "namespace" not in other.text(".ag-header").lower()
    other.click("[data-state=PAUSED]")
    other.shows(".wf-view-button", "edited")
    assert api.delete(f"{product.url}{VIEWS}/{view['id']}", timeout=10).status_code == 204


def test_keys_move_select_and_open(page: Page, runs: tuple[str, str]) -> None:
    page.open("/executions?filters[namespace][IN]=company.tests&filters[state][IN]=FAILED&size=100")
    page.until("rows", lambda: shown(page))
    press(page, "j", "x")
    page.shows(".wf-bulk", "1 execution selected")
    press(page, "x")
    page.until("nothing selected", lambda: page.script("return document.querySelector('.wf-bulk').hidden"))
    press(page, Keys.ENTER)
    page.until("its page", lambda: "from=" in page.driver.current_url)
    page.one("[data-wf-view=execution-header] .wfx-step[aria-label*='in the list']")
    assert page.is_same_load()


def test_the_palette_goes_to_a_flow(page: Page, tmp_path: Path) -> None:
    page.open("/executions")
    ActionChains(page.driver).key_down(Keys.CONTROL).send_keys("k").key_up(Keys.CONTROL).perform()
    page.one(".wf-palette-input").send_keys("approv")
    page.shows(".wf-palette-list", "company.tests")
    press(page, Keys.ENTER)
    page.until("the flow", lambda: page.driver.current_url.endswith("/flows/company.tests/approval"))
    assert page.is_same_load()
