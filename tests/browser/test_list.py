"""The list as a place to work: filters by chips and in the address, saved views, columns, keys, the palette."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import requests
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from tests.browser.page import Page
from tests.browser.rest import start
from watchfloor.product import Product

VIEWS = "/api/v1/main/views"
INPUT = ".wf-bar-input"
OVERVIEW = "[data-wf-view=overview]"
HREFS = (
    "return [...document.querySelectorAll('.ag-center-cols-container .ag-row a')].map((a) => a.getAttribute('href'))"
)

ORDER = """
const places = [...document.querySelectorAll('.ag-center-cols-container .ag-row')];
places.sort((a, b) => a.getAttribute('row-index') - b.getAttribute('row-index'));
return places.map((row) => row.querySelector('a').getAttribute('href'));
"""
FAILED_RUNS = "/executions?filters[flowId][EQUALS]=failing&size=100"


@pytest.fixture(scope="module")
def runs(product: Product, api: requests.Session) -> tuple[str, str]:
    """Two executions of the namespace ``company.tests``: one that failed, one that is paused."""
    return start(product, api, "failing"), start(product, api, "approval")


@pytest.fixture(scope="module")
def failed(product: Product, api: requests.Session) -> list[str]:
    """Three executions that failed, the newest first."""
    return [start(product, api, "failing") for _ in range(3)][::-1]


def address(page: Page) -> str:
    """The query string, as people read it."""
    return unquote(str(page.script("return location.search")))


def shown(page: Page) -> set[str]:
    """Addresses of the executions in the table."""
    return set(page.script(HREFS))


def order(page: Page) -> list[str]:
    """Ids of the executions in the table, from its top."""
    return [str(href).rpartition("/")[2] for href in page.script(ORDER)]


def hover(page: Page, selector: str) -> None:
    """Move the pointer there."""
    ActionChains(page.driver).move_to_element(page.one(selector)).perform()


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
    press(page, ".")
    assert "D" in page.one(".wf-menu [data-action=delete]").text
    press(page, Keys.ESCAPE, "S")
    page.one("#act-step #act-go")
    page.click("#act-cancel")
    page.until("no dialog", lambda: page.script("return !document.querySelector('#act-step')"))
    press(page, Keys.ENTER)
    page.until("its page", lambda: "from=" in page.driver.current_url)
    page.one("[data-wf-view=execution-header] .wfx-step[aria-label*='in the list']")
    assert page.is_same_load()


def test_the_order_is_frozen_while_the_pointer_is_in_the_table(
    page: Page, product: Product, api: requests.Session, failed: list[str]
) -> None:
    page.open(FAILED_RUNS)
    page.until("rows", lambda: order(page)[:3] == failed)
    before = order(page)
    hover(page, '.ag-row[row-index="1"] a')
    new = start(product, api, "failing")
    page.shows(".wf-new-chip", "1 new")
    assert order(page) == before
    page.click(".wf-new-chip")
    page.until("the new one on top", lambda: order(page)[0] == new)
    page.until("its end, in a frozen order", lambda: "FAILED" in page.row_text(new))
    newer = start(product, api, "failing")
    page.shows(".wf-new-chip", "1 new")
    press(page, "n")
    page.until("the newer one on top", lambda: order(page)[:2] == [newer, new])
    newest = start(product, api, "failing")
    page.shows(".wf-new-chip", "1 new")
    hover(page, "h1")
    page.until("the newest one on top", lambda: order(page)[0] == newest)
    assert page.is_same_load()


def test_rows_have_buttons_and_a_menu(page: Page, product: Product, api: requests.Session) -> None:
    paused = start(product, api, "approval")
    page.open("/executions?filters[flowId][EQUALS]=approval&filters[state][NOT_IN]=SUCCESS")
    page.until("its row", lambda: "PAUSED" in page.row_text(paused))
    row = f'.ag-row[row-index="{order(page).index(paused)}"]'
    hover(page, f"{row} a")
    assert page.one(f"{row} [data-action=pause]").get_attribute("aria-disabled") == "true"
    page.click(f"{row} [data-action=kill]")
    page.click("#act-go")
    page.until("a killed row", lambda: "KILLED" in page.row_text(paused))
    row = f'.ag-row[row-index="{order(page).index(paused)}"]'
    page.click(f"{row} [data-more]")
    page.click(".wf-menu [data-action=labels]")
    page.one("#act-step .wf-form input:not([type=hidden])").send_keys("seen:yes", Keys.ENTER)
    page.click("#act-go")
    page.until("its label", lambda: "seen:yes" in page.row_text(paused))
    assert page.is_same_load()


def test_keys_of_the_list(page: Page, product: Product, api: requests.Session, failed: list[str]) -> None:
    page.open(FAILED_RUNS)
    page.until("rows", lambda: set(failed) <= set(order(page)))
    press(page, "?")
    page.shows("[role=dialog]", "next, previous row")
    press(page, Keys.ESCAPE)
    page.until("no sheet", lambda: not page.text("[role=dialog]"))
    press(page, "j", "j", "k")
    focused = "return document.activeElement.closest('.ag-row')?.getAttribute('row-index')"
    assert page.script(focused) == "0"
    first = order(page)[0]
    page.until("its end", lambda: "FAILED" in page.row_text(first))
    press(page, "r")
    attempts = f"{product.url}/api/v1/main/executions/{first}"
    page.until("another attempt", lambda: api.get(attempts).json()["metadata"]["attemptNumber"] == 2)
    page.until("its end again", lambda: "FAILED" in page.row_text(first))
    press(page, "e")
    page.until("its log", lambda: f"/executions/{first}/logs?find=" in page.driver.current_url)
    page.shows(".log-row[data-current]", "the disk is on fire")
    page.driver.back()
    page.until("the list", lambda: order(page))
    boxes = '.ag-row[row-index="{}"] .ag-checkbox-input'
    page.click(boxes.format(0))
    last = page.one(boxes.format(2))
    ActionChains(page.driver).key_down(Keys.SHIFT).click(last).key_up(Keys.SHIFT).perform()
    page.shows(".wf-bulk", "3 executions selected")
    assert page.is_same_load()


def test_columns_are_chosen_ordered_and_pinned(page: Page, runs: tuple[str, str]) -> None:
    def line(column: str) -> str:
        return f".wf-column[data-column={column}]"

    page.open("/executions?filters[namespace][IN]=company.tests&columns=state,flow")
    page.until("rows", lambda: shown(page))
    page.click("[data-wf-columns]")
    page.click(f"{line('revision')} input")
    page.shows(".ag-header", "Revision")
    page.until("three in the address", lambda: "columns=state,flow,revision" in address(page))
    ActionChains(page.driver).key_down(Keys.ALT).send_keys(Keys.ARROW_UP).key_up(Keys.ALT).perform()
    page.until("another order", lambda: "columns=state,revision,flow" in address(page))
    page.click(f"{line('state')} .wf-column-pin")
    page.shows(".ag-pinned-left-header", "State")
    page.click(f"{line('revision')} input")
    page.until("one less", lambda: "revision" not in page.text(".ag-header").lower())
    page.click(".wf-columns-box .wf-link-button")
    page.until("the usual ones", lambda: "columns=" not in address(page))
    page.shows(".ag-header", "Namespace")
    assert page.is_same_load()


def test_columns_that_do_not_travel_live(page: Page, product: Product, api: requests.Session, tmp_path: Path) -> None:
    before = start(product, api, "gated", gate=str(tmp_path))
    for name in ("first", "second"):
        (tmp_path / name).touch()
    columns = "columns=state,flow,inputs,outputs,progress"
    page.open(f"/executions?filters[flowId][EQUALS]=gated&filters[state][IN]=SUCCESS,RUNNING&{columns}")
    page.until("its inputs", lambda: f"gate={tmp_path}" in page.row_text(before))
    page.until("its share of the usual", lambda: "×" in page.row_text(before))
    (tmp_path / "first").unlink()
    running = start(product, api, "gated", gate=str(tmp_path))
    page.until("one that goes on", lambda: re.search(r"RUNNING[^%×]*\d+ ?[%×]", page.row_text(running)))
    (tmp_path / "first").touch()
    page.until("its end", lambda: "SUCCESS" in page.row_text(running))
    assert page.is_same_load()


def test_a_view_is_pinned_and_opens_the_list(page: Page, runs: tuple[str, str], product: Product, api: Any) -> None:
    given = {"name": "Paused tests", "query": "filters[namespace][IN]=company.tests&filters[state][IN]=PAUSED"}
    view = api.post(product.url + VIEWS, json=given, timeout=10).json()["id"]
    page.open(f"/executions?view={view}")
    page.click(".wf-view-button")
    menu_line(page, "Pin to the rail")
    page.shows(".wf-rail-view", "Paused tests")
    menu_line(page, "Open the list with it")
    page.shows(".wf-view-list", "default")
    page.open("/executions")
    page.shows(".wf-chip[data-field=state]", "PAUSED")
    page.shows(".wf-view-button", "Paused tests")
    page.click(".wf-chip[data-field=state] .wf-chip-remove")
    page.shows(".wf-view-button", "edited")
    page.click(".wf-rail-view")
    page.shows(".wf-chip[data-field=state]", "PAUSED")
    assert page.is_same_load()
    assert api.delete(f"{product.url}{VIEWS}/{view}", timeout=10).status_code == 204


def menu_line(page: Page, words: str) -> None:
    """Press a line of the menu of views."""
    page.until(words, lambda: words in page.text(".wf-views"))
    page.script(
        "[...document.querySelectorAll('.wf-menu-line')].find((one) => one.innerText.startsWith(arguments[0])).click()",
        words,
    )


def test_the_palette_goes_to_a_flow(page: Page, tmp_path: Path) -> None:
    page.open("/executions")
    ActionChains(page.driver).key_down(Keys.CONTROL).send_keys("k").key_up(Keys.CONTROL).perform()
    page.one(".wf-palette-input").send_keys("approv")
    page.shows(".wf-palette-list", "company.tests")
    press(page, Keys.ENTER)
    page.until("the flow", lambda: page.driver.current_url.endswith("/flows/company.tests/approval"))
    assert page.is_same_load()


COUNT = """
window.__asked = [];
const { fetch, XMLHttpRequest } = window;
window.fetch = (...given) => (window.__asked.push(String(given[0]?.url ?? given[0])), fetch(...given));
const { open } = XMLHttpRequest.prototype;
XMLHttpRequest.prototype.open = function (method, url, ...more) {
  window.__asked.push(String(url));
  return open.call(this, method, url, ...more);
};
"""
IDLE = "const done = arguments[0]; requestIdleCallback(() => requestAnimationFrame(() => done()), { timeout: 5000 });"


def cost(page: Page, act: Callable[[], object], shows: Callable[[], object]) -> list[str]:
    """The requests that something costs, until what it leads to is shown and the page has come to rest."""
    page.script("window.__asked = []")
    act()
    page.until("what it leads to", shows)
    page.driver.execute_async_script(IDLE)
    return [urlsplit(str(address)).path for address in page.script("return window.__asked")]


def test_how_many_requests_a_click_costs(page: Page, runs: tuple[str, str]) -> None:
    """None where the live connection brings it; a callback where the server draws, and values by REST."""
    failed, paused = runs
    page.open("/executions?filters[namespace][IN]=company.tests&size=100")
    page.until("both", lambda: {f"/executions/{one}" for one in runs} <= shown(page))
    page.script(COUNT)
    state = "#executions-counts [data-state=FAILED]:not([data-empty])"
    filtered = cost(page, lambda: page.click(state), lambda: failed in order(page) and paused not in order(page))
    assert filtered == []
    row = f'.ag-row[row-index="{order(page).index(failed)}"] [col-id="namespace"]'
    opened = cost(page, lambda: page.click(row), lambda: "the disk is on fire" in page.text(OVERVIEW))
    assert sorted(opened) == ["/_dash-update-component", f"/api/v1/main/executions/{failed}"]
    tab = "a.wf-tab[href$='/gantt']"
    switched = cost(page, lambda: page.click(tab), lambda: page.text(".gantt-row[data-task=breaks]"))
    assert switched == ["/_dash-update-component"]
    assert page.is_same_load()
