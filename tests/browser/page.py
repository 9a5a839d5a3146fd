"""One browser tab of Watchfloor: where tests look and click. It waits for conditions, never for time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

T = TypeVar("T")

_ALWAYS_SAID = "You have set a custom wheel sensitivity"  # dash-cytoscape says so of its own default
_MARK = "window.__notReloaded = true"
_TOPOLOGY_STATE = """
for (const element of document.querySelectorAll('[data-wf-view=topology] *')) {
  if (element._cyreg) return element._cyreg.cy.getElementById(arguments[0]).data('state') ?? null;
}
return null;
"""


class Page:
    """A tab."""

    def __init__(self, driver: Chrome, url: str) -> None:
        self.driver = driver
        self.url = url

    def log_in(self, cookies: dict[str, str]) -> None:
        """Take over a login session, in place of the one before."""
        self.driver.get(self.url + "/health")
        self.driver.delete_all_cookies()
        for name, value in cookies.items():
            self.driver.add_cookie({"name": name, "value": value, "path": "/"})

    def open(self, path: str) -> None:
        """Open a page, wait until it is live, and mark it so that a reload would show."""
        self.driver.get(self.url + path)
        self.until("a live page", self.is_live)
        self.driver.execute_script(_MARK)

    def is_live(self) -> bool:
        """Whether the page's connection is live."""
        return self.script("return window.watchfloor?.live?.status.phase") == "live"

    def is_same_load(self) -> bool:
        """Whether the page was not loaded anew since ``open``."""
        return bool(self.script("return window.__notReloaded"))

    def script(self, source: str, *args: Any) -> Any:
        """Run JavaScript in the page."""
        return self.driver.execute_script(source, *args)

    def until(self, what: str, condition: Callable[[], T], seconds: float = 90) -> T:
        """The first true value of ``condition()``; fails naming ``what`` and what the page showed."""
        deadline = time.monotonic() + seconds
        while True:
            value = condition()
            if value:
                return value
            if time.monotonic() > deadline:
                raise AssertionError(f"waited {seconds:.0f} s for {what}; the page shows:\n{self.text('body')[:3000]}")
            time.sleep(0.03)

    def text(self, selector: str) -> str:
        """Text of the first element that matches, empty when there is none."""
        return str(self.script("return document.querySelector(arguments[0])?.innerText ?? ''", selector))

    def one(self, selector: str) -> WebElement:
        """The first element that matches, waited for."""
        return self.until(selector, lambda: (self.driver.find_elements(By.CSS_SELECTOR, selector) or [None])[0])

    def click(self, selector: str) -> None:
        """Click the first element that matches."""
        self.one(selector).click()

    def shows(self, selector: str, text: str) -> None:
        """Wait until the first element that matches contains ``text``."""
        self.until(f"{text!r} in {selector}", lambda: text in self.text(selector))

    def row_text(self, execution_id: str) -> str:
        """Text of an execution's row in the list."""
        found = "return document.querySelector(arguments[0])?.closest('.ag-row').innerText ?? ''"
        return str(self.script(found, f'.ag-row a[href="/executions/{execution_id}"]'))

    def node_state(self, task_id: str) -> str | None:
        """State that the topology shows for a task."""
        return self.script(_TOPOLOGY_STATE, task_id)

    def console(self) -> list[str]:
        """Warnings and errors of the console since the last call."""
        entries = [f"{entry['level']}: {entry['message']}" for entry in self.driver.get_log("browser")]
        return [entry for entry in entries if _ALWAYS_SAID not in entry]

    def assert_console_empty(self) -> None:
        """The console has nothing to complain of."""
        complaints = self.console()
        assert not complaints, "\n".join(complaints)
