"""What is away, silent or killed is said on the page, harms nothing else, and mends without a reload."""

from __future__ import annotations

import os
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import requests

from engine.ids import attempt_id
from tests.browser.faults.watch import ends_well, lamp, recovers, says, shows_state
from tests.browser.page import Page
from tests.browser.processes import pid_of, pool_process
from tests.browser.rest import API, EXECUTIONS, log_of, start
from watchfloor.product import Product


@contextmanager
def locked(product: Product) -> Iterator[None]:
    """Another process's write transaction that doesn't end."""
    lock = sqlite3.connect(product.settings.data_dir / "watchfloor.db", isolation_level=None, timeout=5)
    lock.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        lock.execute("ROLLBACK")
        lock.close()


@contextmanager
def unreachable(product: Product) -> Iterator[None]:
    """The file is where nobody looks for it."""
    path = product.settings.data_dir / "watchfloor.db"
    away = path.with_suffix(".away")
    path.rename(away)
    try:
        yield
    finally:
        away.rename(path)


@contextmanager
def frozen(product: Product) -> Iterator[None]:
    """Redis is there and says nothing."""
    pid = pid_of(product, "valkey")
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@contextmanager
def killed(product: Product) -> Iterator[None]:
    """Redis ends at once; ``up`` starts it again."""
    os.kill(pid_of(product, "valkey"), signal.SIGKILL)
    yield


@pytest.mark.parametrize(
    ("fault", "words", "action"),
    [
        (locked, "database away", "database.away"),
        (unreachable, "database away", "database.away"),
        (frozen, "Redis away", "redis.away"),
    ],
)
def test_database_or_redis_away(
    running_page: Page,
    product: Product,
    api: requests.Session,
    gated: Any,
    fault: Callable[..., Any],
    words: str,
    action: str,
) -> None:
    before = len(product.output)
    with fault(product):
        says(running_page, words)
        (gated[1] / "first").touch()
        running_page.until(
            "the executor's own trouble", lambda: any(action in line for line in product.output[before:]), 30
        )
        assert words in lamp(running_page)
    recovers(running_page)
    ends_well(running_page, product, api, gated)


def away_then_back(page: Page, product: Product, go: Callable[[], Any]) -> None:
    """What ``go`` leads to is said to be away while the database is, and is asked for again by itself."""
    with unreachable(product):
        says(page, "database away")
        go()
        page.shows(".wf-empty", "The database can't be reached")
        page.script("window.__notReloaded = true")
    recovers(page)


def test_what_is_opened_while_the_database_is_away_comes_back(
    page: Page, product: Product, api: requests.Session
) -> None:
    execution_id = start(product, api, "failing")
    api.post(f"{product.url}{API}/views", json={"name": "Failures", "query": "", "pinned": True}, timeout=10)
    page.open(f"/executions/{execution_id}")
    page.shows("[data-wf-view=execution-header]", "FAILED")
    away_then_back(page, product, lambda: page.click("a.wf-tab[href$='/gantt']"))
    page.one(".gantt-row[data-task=breaks]")
    away_then_back(page, product, lambda: page.click(".wf-rail-link[href='/flows']"))
    page.shows(".wf-flows", "approval")
    away_then_back(page, product, lambda: page.driver.get(f"{product.url}/executions/{execution_id}"))
    page.shows("[data-wf-view=overview]", "the disk is on fire")
    page.shows(".wf-rail-view", "Failures")


def test_an_execution_that_is_accepted_late_appears_on_its_page(page: Page, product: Product) -> None:
    page.open("/flows/company.tests/quick")
    page.click(".wf-flow-head button")
    page.one("#execute-form input")
    pid = pid_of(product, "executor")
    os.kill(pid, signal.SIGSTOP)
    try:
        page.click("#execute-go")
        page.shows(".wf-empty", "There is no such execution")
    finally:
        os.kill(pid, signal.SIGCONT)
    page.shows("[data-wf-view=execution-header]", "SUCCESS")
    assert page.is_same_load()


def test_redis_killed(running_page: Page, product: Product, api: requests.Session, gated: Any) -> None:
    with killed(product):
        (gated[1] / "first").touch()
        says(running_page, "Redis away")
    recovers(running_page)
    ends_well(running_page, product, api, gated)


def test_web_killed(running_page: Page, product: Product, api: requests.Session, gated: Any) -> None:
    os.kill(pid_of(product, "web"), signal.SIGKILL)
    says(running_page, "reconnecting")
    (gated[1] / "first").touch()
    recovers(running_page)
    ends_well(running_page, product, api, gated)


def test_executor_killed(running_page: Page, product: Product, api: requests.Session, gated: Any) -> None:
    pid = pid_of(product, "executor")
    os.kill(pid, signal.SIGSTOP)  # `up` is so quick to start another one that nothing would be seen
    says(running_page, "executor silent")
    (gated[1] / "first").touch()
    os.kill(pid, signal.SIGKILL)
    recovers(running_page)
    assert pid_of(product, "executor") != pid
    ends_well(running_page, product, api, gated)


def test_worker_process_killed(running_page: Page, product: Product, api: requests.Session, gated: Any) -> None:
    execution_id, gate = gated
    (first,) = api.get(f"{product.url}{EXECUTIONS}/{execution_id}", timeout=10).json()["taskRunList"]
    pool = running_page.until("the task's process", lambda: pool_process(product, attempt_id(first["id"], 1)))
    os.kill(pool, signal.SIGKILL)
    running_page.until("the next attempt", lambda: pool_process(product, attempt_id(first["id"], 2)), 30)
    for name in ("first", "second"):
        (gate / name).touch()
    shows_state(running_page, execution_id, "SUCCESS")
    (first, _) = api.get(f"{product.url}{EXECUTIONS}/{execution_id}", timeout=10).json()["taskRunList"]
    assert [attempt["state"]["current"] for attempt in first["attempts"]] == ["RESUBMITTED", "SUCCESS"]
    assert log_of(product, api, execution_id).count("first ends") == 1
