"""Triggers of a flow: the switch and the backfill form, on a real schedule."""

from __future__ import annotations

from typing import Any

import requests

from tests.browser.page import Page
from watchfloor.product import Product

PATH = "/flows/company.tests/nightly/triggers"
CARD = "[data-wf-trigger=hourly]"


def state(product: Product, api: requests.Session) -> dict[str, Any]:
    answer = api.get(f"{product.url}/api/v1/main/triggers/company.tests/nightly", timeout=10)
    answer.raise_for_status()
    return answer.json()["results"][0]


def test_the_switch_turns_a_trigger_off_and_on(page: Page, product: Product, api: requests.Session) -> None:
    page.open(PATH)
    page.until("its dates", lambda: len(page.driver.find_elements("css selector", f"{CARD} ol time")) == 4)
    page.script("document.querySelector(arguments[0]).click()", f"{CARD} input[role=switch]")
    page.shows(CARD, "switched off by admin")
    assert state(product, api)["disabled"] is True
    page.script("document.querySelector(arguments[0]).click()", f"{CARD} input[role=switch]")
    page.until("it to be on", lambda: "switched off" not in page.text(CARD))
    assert state(product, api)["disabled"] is False
    assert page.is_same_load()


def test_a_switch_moved_elsewhere_moves_here_too(page: Page, product: Product, api: requests.Session) -> None:
    page.open(PATH)
    asked = {"namespace": "company.tests", "flowId": "nightly", "triggerId": "hourly"}
    url = f"{product.url}/api/v1/main/triggers/set-disabled"
    api.put(url, json={**asked, "disabled": True}, timeout=10).raise_for_status()
    page.shows(CARD, "switched off by admin")
    api.put(url, json={**asked, "disabled": False}, timeout=10).raise_for_status()
    page.until("it to be on", lambda: "switched off" not in page.text(CARD))


def test_a_backfill_from_the_form(page: Page, product: Product, api: requests.Session) -> None:
    page.open(PATH)
    page.click(f"{CARD} .wf-button")
    page.shows(".mantine-Modal-body", "in Europe/Paris")
    page.click("#backfill-go")
    page.shows(".mantine-Modal-body", "expected a date, came none")
    fields = page.driver.find_elements("css selector", ".mantine-Modal-body input[type=datetime-local]")
    set_value = """
    const [input, value] = arguments;
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set.call(input, value);
    input.dispatchEvent(new Event('input', {bubbles: true}));
    """
    for field, value in zip(fields, ("2026-01-01T09:00", "2026-01-01T11:30"), strict=True):
        page.script(set_value, field, value)
    page.click("#backfill-go")
    page.until("the form to close", lambda: not page.driver.find_elements("css selector", ".mantine-Modal-body input"))
    query = "filters[flowId][EQUALS]=nightly&filters[labels][EQUALS][system.backfill]=true&size=10"
    found = page.until(
        "three executions",
        lambda: (
            (rows := api.get(f"{product.url}/api/v1/main/executions/search?{query}", timeout=10).json()["results"])
            and len(rows) == 3
            and rows
        ),
    )
    items = [api.get(f"{product.url}/api/v1/main/executions/{row['id']}", timeout=10).json() for row in found]
    dates = sorted(item["trigger"]["variables"]["date"] for item in items)
    assert [date[11:16] for date in dates] == ["08:00", "09:00", "10:00"]
    page.until("its end", lambda: "backfill" not in state(product, api))
    page.shows(CARD, "SUCCESS")
    assert page.is_same_load()


def test_an_execution_leads_to_its_trigger(page: Page, product: Product, api: requests.Session) -> None:
    row = api.get(f"{product.url}/api/v1/main/executions/search?filters[flowId][EQUALS]=nightly&size=1", timeout=10)
    page.open(f"/executions/{row.json()['results'][0]['id']}")
    page.click(f'[data-wf-view=overview] a[href="{PATH}"]')
    page.shows(CARD, "0 * * * *")
