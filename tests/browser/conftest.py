"""The whole product, started as a user would, and a real Chromium whose console must stay empty."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import requests
from selenium.webdriver import Chrome

from scripts.chromium import chromium, options
from tests.browser.page import Page
from tests.browser.rest import PASSWORD, admin, login, start
from watchfloor.product import Product, running


def pytest_setup_options() -> Any:
    """dash[testing]'s browser: headless, with the Chromium that is installed."""
    return options()


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """``watchfloor up`` over the flows of the tests."""
    flows = Path(__file__).parent / "flows"
    with running(tmp_path_factory.mktemp("wf"), flows, WATCHFLOOR_ADMIN_PASSWORD=PASSWORD) as product:
        yield product


@pytest.fixture(scope="session")
def api() -> requests.Session:
    """The REST API as admin, of any product."""
    return admin()


@pytest.fixture(scope="session")
def cookies(product: Product) -> dict[str, str]:
    """A login session."""
    return login(product)


@pytest.fixture
def gated(product: Product, api: requests.Session, tmp_path: Path) -> tuple[str, Path]:
    """A started execution of the flow ``gated``: its id, and the folder in which its gates appear."""
    return start(product, api, "gated", gate=str(tmp_path)), tmp_path


@pytest.fixture
def page(dash_br: Any, product: Product, cookies: dict[str, str]) -> Iterator[Page]:
    """A logged-in browser."""
    page = Page(dash_br.driver, product.url)
    page.log_in(cookies)
    yield page
    page.assert_console_empty()


@pytest.fixture
def another_page(product: Product, cookies: dict[str, str]) -> Iterator[Callable[[], Page]]:
    """Further browsers, logged in too."""
    with ExitStack() as stack:
        pages: list[Page] = []

        def make() -> Page:
            driver: Chrome = stack.enter_context(chromium())
            pages.append(Page(driver, product.url))
            pages[-1].log_in(cookies)
            return pages[-1]

        yield make
        for page in pages:
            page.assert_console_empty()
