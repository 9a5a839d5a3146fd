"""Every action on many, through the bar over the list, on real executions: preview, confirm, live result."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.browser.page import Page
from watchfloor.product import Product

API = "/api/v1/main/executions"
BAR = ".wf-bulk"
DIALOG = "#act-step"


class Batch:
    """Executions that share a label, and the list that shows them and no others."""

    def __init__(self, page: Page, product: Product, api: requests.Session, name: str) -> None:
        self.page, self.url, self.api, self.name = page, product.url + API, api, name
        self.ids: list[str] = []

    def start(self, flow: str, *, stops: str = "", **inputs: str) -> str:
        """One more of them; ``stops``: breakpoints."""
        params = {"labels": f"batch:{self.name}", "breakpoints": stops}
        files = {key: (None, value) for key, value in inputs.items()} or {"": (None, "")}
        answer = self.api.post(f"{self.url}/company.tests/{flow}", params=params, files=files)
        answer.raise_for_status()
        self.ids.append(answer.json()["id"])
        return self.ids[-1]

    def all(self) -> list[dict[str, Any]]:
        """All that have the label."""
        params = {"filters[labels][EQUALS][batch]": self.name, "size": 100}
        return list(self.api.get(f"{self.url}/search", params=params).json()["results"])

    def states(self) -> list[str]:
        """The states of those that were started, in their order; nothing for one that is gone."""
        known = {one["id"]: one["state"]["current"] for one in self.all()}
        return [known[one] for one in self.ids if one in known]

    def become(self, *states: str) -> None:
        """Wait until they are so."""
        self.page.until(f"{states}", lambda: self.states() == list(states))

    def select(self) -> None:
        """Select them all in the list."""
        self.page.open(f"/executions?filters[labels][EQUALS][batch]={quote(self.name)}")
        wanted = len(self.all())
        rows = f".wf-grid .ag-center-cols-container .ag-row:nth-child({wanted})"
        self.page.one(rows)
        self.page.click(".ag-header .ag-checkbox-input")
        self.page.shows(f"{BAR} .wf-bulk-count", f"{wanted} execution")

    def ask(self, action: str) -> None:
        """Open the dialog of an action for what is selected."""
        self.page.click(f"{BAR} [data-more]")
        self.page.click(f".wf-menu [data-action={action}]")
        self.page.one(f"{DIALOG} .wf-preview")

    def confirm(self, done: int, of: int) -> None:
        """Confirm, see the operation through, and close."""
        self.page.click("#act-go")
        self.page.shows(f"{DIALOG} .wf-operation", f"{done} of {of} executions done")
        self.page.until("its end", lambda: self.page.one(".wf-operation").get_attribute("data-state") == "DONE")
        self.page.click("#act-cancel")
        self.page.until("no dialog", lambda: not self.page.driver.find_elements(By.CSS_SELECTOR, DIALOG))


@pytest.fixture
def batch(page: Page, product: Product, api: requests.Session, request: pytest.FixtureRequest) -> Batch:
    return Batch(page, product, api, request.node.name[5:30])


def choose(page: Page, label: str, option: str) -> None:
    """Choose in a select of the dialog."""
    page.click(f"{DIALOG} .wf-form input:not([type=hidden])")
    found = page.until(
        option,
        lambda: [one for one in page.driver.find_elements(By.CSS_SELECTOR, "[role=option]") if one.text == option],
    )
    found[0].click()
    assert label in page.text(DIALOG)


def test_pause_resume_and_kill(batch: Batch, tmp_path: Path) -> None:
    for _ in range(2):
        batch.start("gated", gate=str(tmp_path))
    batch.become("RUNNING", "RUNNING")
    batch.select()
    batch.ask("pause")
    batch.page.shows(".wf-preview", "2 will change")
    batch.confirm(2, 2)
    batch.become("PAUSED", "PAUSED")
    batch.page.until("paused rows", lambda: "PAUSED" in batch.page.row_text(batch.ids[0]))
    batch.ask("resume")
    batch.confirm(2, 2)
    batch.become("RUNNING", "RUNNING")
    batch.ask("kill")
    batch.confirm(2, 2)
    batch.become("KILLED", "KILLED")
    batch.page.until("killed rows", lambda: "KILLED" in batch.page.row_text(batch.ids[1]))
    assert batch.page.is_same_load()


def test_restart_says_who_can_not_and_why_and_partly_succeeds(batch: Batch) -> None:
    batch.start("failing")
    batch.start("quick")
    batch.become("FAILED", "SUCCESS")
    batch.select()
    batch.ask("restart")
    batch.page.shows(".wf-preview", "1 will change")
    batch.page.shows(".wf-preview", "the execution is SUCCESS now")
    batch.page.one("#act-reason").send_keys("the disk is back")
    batch.confirm(1, 2)
    attempts = {one["id"]: one["metadata"]["attemptNumber"] for one in batch.all()}
    assert [attempts[one] for one in batch.ids] == [2, 1]


def test_replay_labels_status_and_delete(batch: Batch) -> None:
    for _ in range(2):
        batch.start("failing")
    batch.become("FAILED", "FAILED")
    batch.select()
    batch.ask("replay")
    batch.confirm(2, 2)
    batch.page.until("the replays", lambda: len([one for one in batch.all() if one.get("parentId") in batch.ids]) == 2)
    batch.page.until("their end", lambda: all(one["state"]["current"] == "FAILED" for one in batch.all()))
    batch.select()
    batch.ask("labels")
    field = batch.page.one(f"{DIALOG} .wf-form input:not([type=hidden])")
    field.send_keys("system.replay:no", Keys.ENTER)
    batch.page.click("#act-go")
    batch.page.shows(f"{DIALOG} .wf-form", "are set by Watchfloor")
    field.send_keys(Keys.BACKSPACE, f"batch:{batch.name}", Keys.ENTER, "team:ops", Keys.ENTER)
    batch.confirm(4, 4)
    assert all({"key": "team", "value": "ops"} in one["labels"] for one in batch.all())
    batch.page.until("labels in the list", lambda: "team:ops" in batch.page.row_text(batch.ids[0]))
    batch.ask("change-status")
    choose(batch.page, "New state", "WARNING")
    batch.confirm(4, 4)
    batch.become("WARNING", "WARNING")
    batch.ask("delete")
    batch.confirm(4, 4)
    assert batch.all() == []
    batch.page.shows("#executions-total", "0 executions")


def test_force_run_and_unqueue(batch: Batch, tmp_path: Path) -> None:
    for _ in range(3):
        batch.start("limited", gate=str(tmp_path))
    batch.become("RUNNING", "QUEUED", "QUEUED")
    batch.select()
    batch.ask("unqueue")
    batch.page.shows(".wf-preview", "2 will change")
    choose(batch.page, "New state", "CANCELLED")
    batch.confirm(2, 3)
    batch.become("RUNNING", "CANCELLED", "CANCELLED")
    batch.start("limited", gate=str(tmp_path))
    batch.become("RUNNING", "CANCELLED", "CANCELLED", "QUEUED")
    batch.select()
    batch.ask("force-run")
    batch.page.shows(DIALOG, "twice")
    batch.confirm(1, 4)
    batch.become("RUNNING", "CANCELLED", "CANCELLED", "RUNNING")
    (tmp_path / "go").touch()
    batch.become("SUCCESS", "CANCELLED", "CANCELLED", "SUCCESS")


def test_breakpoints_are_left(batch: Batch) -> None:
    for _ in range(2):
        batch.start("quick", stops="second")
    batch.become("BREAKPOINT", "BREAKPOINT")
    batch.select()
    batch.ask("resume-from-breakpoint")
    batch.page.shows(".wf-preview", "2 will change")
    batch.confirm(2, 2)
    batch.become("SUCCESS", "SUCCESS")


def test_all_that_match_is_sent_as_the_filter(batch: Batch) -> None:
    for _ in range(3):
        batch.start("quick")
    batch.become("SUCCESS", "SUCCESS", "SUCCESS")
    page = batch.page
    page.open(f"/executions?filters[labels][EQUALS][batch]={quote(batch.name)}&size=2")
    page.one(".ag-row:nth-child(2)")
    page.click(".ag-header .ag-checkbox-input")
    page.shows(f"{BAR} [data-wf-all]", "Select all 3 that match")
    page.click(f"{BAR} [data-wf-all]")
    page.shows(BAR, "all 3 executions that match")
    batch.ask("labels")
    page.one(f"{DIALOG} .wf-form input:not([type=hidden])").send_keys(
        f"batch:{batch.name}", Keys.ENTER, "all:yes", Keys.ENTER
    )
    asked = page.script(
        "return JSON.stringify(window.dash_component_api?.getLayout('action-request')?.props?.data ?? null)"
    )
    assert "filters" in asked
    assert '"ids"' not in asked
    batch.confirm(3, 3)
    assert [one["labels"] for one in batch.all()].count([]) == 0
    assert all({"key": "all", "value": "yes"} in one["labels"] for one in batch.all())
