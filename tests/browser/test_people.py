"""People in a real browser: a viewer is refused, a revoked session's page goes to the login; the content policy."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from selenium.webdriver.common.keys import Keys

from tests.browser.page import Page
from watchfloor.product import Product

PASSWORD = "password of vera"
BASE = "/api/v1/main"


@pytest.fixture
def vera(product: Product, api: requests.Session) -> dict[str, str]:
    """The login session of a viewer of one namespace."""
    user: dict[str, Any] = {"name": "vera", "password": PASSWORD, "role": "none", "grants": {"company.tests": "viewer"}}
    api.delete(f"{product.url}{BASE}/users/vera")
    api.post(f"{product.url}{BASE}/users", json=user).raise_for_status()
    session = requests.Session()
    form = {"name": "vera", "password": PASSWORD}
    session.post(f"{product.url}/login", data=form, headers={"Origin": product.url}).raise_for_status()
    return dict(session.cookies)


def test_no_page_breaks_the_content_policy(page: Page) -> None:
    """A breach is an error of the console, which ``page`` wants to be empty."""
    for path in ("/executions", "/flows", "/operations", "/audit", "/settings/users", "/settings/tokens"):
        page.open(path)
        page.one(".wf-page h1")


def test_password_fields_are_in_forms_that_are_sent_nowhere(page: Page) -> None:
    in_forms = "return [...document.querySelectorAll('input[type=password]')].map((one) => one.form?.method)"
    page.open("/settings/account")
    page.one("input[type=password]").send_keys("not the password", Keys.ENTER)
    assert page.script(in_forms) == ["dialog"] * 3
    page.open("/settings/users")
    page.script("[...document.querySelectorAll('button')].find((one) => one.innerText === 'New user').click()")
    page.one(".mantine-Modal-body input[type=password]").send_keys("x", Keys.ENTER)
    assert page.script(in_forms) == ["dialog"]
    page.open("/flows/company.tests/inputs")
    page.click(".wf-button.primary")
    page.one("#execute-form input[type=password]").send_keys("x", Keys.ENTER)
    assert page.script(in_forms) == ["dialog"]
    assert page.is_same_load()
    assert page.driver.current_url == f"{page.url}/flows/company.tests/inputs"


def test_a_viewer_is_refused_and_is_out_once_its_session_is_revoked(
    page: Page, product: Product, api: requests.Session, vera: dict[str, str]
) -> None:
    page.log_in(vera)
    page.open("/flows")
    page.shows(".wf-page h1", "Flows")
    assert page.script("return [...document.querySelectorAll('.wf-rail-link')].map((link) => link.innerText)") == [
        "Executions",
        "Flows",
        "Operations",
        "Settings",
    ]
    page.open("/audit")
    page.shows(".wf-empty", "you need the role admin everywhere; yours is none")
    post = "return fetch(arguments[0], {method: 'POST'}).then((answer) => answer.status)"
    assert page.script(post, f"{BASE}/executions/company.tests/inputs") == 403
    page.console()  # the refusal itself
    page.open("/settings/sessions")
    page.shows("[data-table=sessions]", "this one")
    page.until("the live connection", page.is_live)
    api.delete(f"{product.url}{BASE}/sessions", params={"user": "vera"}).raise_for_status()
    page.until("the login", lambda: "/login?next=%2Fsettings" in page.driver.current_url)
    assert page.one("#password")
    page.console()  # what the page asked for in between
