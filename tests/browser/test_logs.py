"""Reading a log that is longer than the screen: finding, both orders, following, saving."""

from __future__ import annotations

from pathlib import Path

import requests
from selenium.webdriver.common.keys import Keys

from tests.browser.page import Page
from tests.browser.rest import start
from watchfloor.product import Product

LOGS = "[data-wf-view=logs]"
PANE = f"{LOGS} .log-pane"


def press(page: Page, words: str) -> None:
    """Press the button of the toolbar that is called so."""
    page.click(f'{LOGS} .log-tools [aria-label="{words}"]')


def test_a_long_log_is_searched_followed_and_saved(
    page: Page, product: Product, api: requests.Session, tmp_path: Path
) -> None:
    execution_id = start(product, api, "wordy", gate=str(tmp_path))
    page.open(f"/executions/{execution_id}/logs")
    page.shows(".log-foot", "300 lines")
    find = page.one(f"{LOGS} .log-tools input[type=search]")
    find.send_keys("line 29", Keys.ENTER)
    page.shows(".log-hits", "2 / 11")
    find.send_keys(Keys.SHIFT, Keys.ENTER)
    page.shows(".log-hits", "1 / 11")
    page.shows(PANE, "line 29.")
    assert "find=line+29" in page.driver.current_url
    assert "line 300." not in page.text(PANE)
    (tmp_path / "go").touch()
    page.shows(".log-new", "new lines")
    page.click(".log-new")
    page.shows(PANE, "late 5.")
    page.until("nothing unseen", lambda: page.script("return document.querySelector('.log-new').hidden"))
    press(page, "All lines in the order they came")
    page.shows(PANE, "the needle")
    assert "view=time" in page.driver.current_url
    assert page.text(PANE).index("late 5.") < page.text(PANE).index("the needle")
    page.driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    press(page, "Copy, download, open and close all")
    labels = "[...document.querySelectorAll('.wf-menu button')]"
    page.script(f"{labels}.find((one) => one.innerText.startsWith('Download all')).click()")
    (saved,) = page.until("the file", lambda: list(tmp_path.glob("*.log")) or list(tmp_path.glob("*.txt")))
    lines = saved.read_text().splitlines()
    assert [line.rpartition("line ")[2] for line in lines if "line " in line] == [f"{n}." for n in range(1, 301)]
    assert lines[-1].endswith("the needle")
    assert page.is_same_load()
