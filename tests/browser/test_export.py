"""Everything that a list shows, as a file that the browser saves, by somebody who may only look."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars
import pytest
import requests

from data import Store
from data.seed import seed
from tests.browser.page import Page
from tests.browser.rest import PASSWORD
from watchfloor.product import Product

MANY = 4_000
RUN = ".wf-export-run"


@pytest.fixture(scope="module")
def viewer(product: Product) -> Iterator[dict[str, str]]:
    """A past to export, and the login session of a viewer."""
    store = Store(product.settings.resolved_database_url)
    seed(store, MANY, 11, now=datetime(2026, 2, 1, tzinfo=UTC))
    store.save_user("looker", "viewer", PASSWORD)
    session = requests.Session()
    origin = {"Origin": product.url}
    session.post(
        f"{product.url}/login", data={"name": "looker", "password": PASSWORD}, headers=origin
    ).raise_for_status()
    yield dict(session.cookies)
    store.close()


@pytest.fixture
def saving(page: Page, viewer: dict[str, str], tmp_path: Path) -> Callable[[str], list[Path]]:
    """The page as the viewer, saving files; gives those of an ending that are whole."""
    page.driver.delete_all_cookies()
    page.log_in(viewer)
    page.driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    return lambda ending: list(tmp_path.glob(f"executions-*.{ending}"))


def choose(page: Page, label: str) -> None:
    """Choose a format in the menu of the button."""
    page.click(".wf-export > .wf-button")
    page.until("the menu", lambda: label in page.text(".wf-menu"))
    page.script(
        "[...document.querySelectorAll('.wf-menu button')].find((one) => one.innerText.includes(arguments[0])).click()",
        label,
    )


def test_a_viewer_saves_what_the_filters_match(page: Page, saving: Callable[[str], list[Path]]) -> None:
    page.open("/executions?filters[labels][EQUALS][team]=crm&filters[state][IN]=SUCCESS&sort=startDate:asc")
    choose(page, "CSV")
    page.until("its end", lambda: page.script(f"return document.querySelector('{RUN}')?.dataset.state") == "SUCCESS")
    (path,) = page.until("the file", lambda: saving("csv"))
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) > 200
    assert {row["state"] for row in rows} == {"SUCCESS"}
    assert all("team:crm" in row["labels"] for row in rows)
    assert [row["startDate"] for row in rows] == sorted(row["startDate"] for row in rows)
    assert f"{len(rows):,} rows".replace(",", "") in "".join(page.text(RUN).split("\u2009")).replace("\u202f", "")
    assert page.is_same_load()


def test_parquet_holds_the_same_rows(page: Page, saving: Callable[[str], list[Path]]) -> None:
    page.open("/executions?filters[labels][EQUALS][team]=crm&filters[state][IN]=FAILED")
    page.until("the total", lambda: page.text("#executions-total"))
    total = int("".join(filter(str.isdigit, page.text("#executions-total"))))
    choose(page, "Parquet")
    (path,) = page.until("the file", lambda: saving("parquet"))
    rows = polars.read_parquet(path)
    assert rows.height == total > 0
    assert set(rows["state"]) == {"FAILED"}


def test_an_export_is_cancelled(page: Page, saving: Callable[[str], list[Path]], product: Product) -> None:
    page.open("/executions")
    page.driver.execute_cdp_cmd("Network.enable", {})
    slow: dict[str, Any] = {"offline": False, "latency": 0, "downloadThroughput": 20_000, "uploadThroughput": -1}
    page.driver.execute_cdp_cmd("Network.emulateNetworkConditions", slow)
    choose(page, "JSON Lines")
    page.shows(RUN, "of")
    page.click(f"{RUN} button")
    page.until("its end", lambda: page.script(f"return document.querySelector('{RUN}')?.dataset.state") == "CANCELLED")
    assert not saving("jsonl")
