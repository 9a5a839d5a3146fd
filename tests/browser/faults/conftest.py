"""A product of its own that is hurt, and pages that watch it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from streaming.bus import Bus
from tests.browser.faults.watch import shows_state
from tests.browser.page import Page
from tests.browser.rest import PASSWORD, login
from watchfloor.product import Product, running

FLOWS = Path(__file__).parents[1] / "flows"
NETWORK = re.compile(r"net::ERR_|WebSocket|websocket|responded with a status of 50\d")


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """``watchfloor up`` over flows that are written to; logs are capped early."""
    home = tmp_path_factory.mktemp("wf")
    shutil.copytree(FLOWS, home / "flows")
    with running(
        home / "data",
        home / "flows",
        WATCHFLOOR_ADMIN_PASSWORD=PASSWORD,
        WATCHFLOOR_TASK_MAX_LOG_LINES="500",
        WATCHFLOOR_KILL_GRACE="2",
    ) as product:
        yield product


@pytest.fixture(scope="module")
def cookies(product: Product) -> dict[str, str]:
    """A login session."""
    return login(product)


@pytest.fixture
def page(dash_br: Any, product: Product, cookies: dict[str, str]) -> Iterator[Page]:
    """A logged-in browser whose console may tell of requests that failed, and of nothing else."""
    page = Page(dash_br.driver, product.url)
    page.log_in(cookies)
    yield page
    assert [entry for entry in page.console() if not NETWORK.search(entry)] == []


@pytest.fixture
def bus(product: Product) -> Iterator[Bus]:
    """The product's own Redis."""
    bus = Bus(product.settings.resolved_redis_url)
    yield bus
    bus.close()


@pytest.fixture
def running_page(page: Page, gated: tuple[str, Path]) -> Page:
    """The list, live, with a running execution in it."""
    page.open("/executions?filters[namespace][EQUALS]=company.tests")
    shows_state(page, gated[0], "RUNNING")
    page.until("a live page", page.is_live)
    return page
