"""The Execute form: a file from the reader's own disk, errors at their fields, secrets that stay secret."""

from __future__ import annotations

from pathlib import Path

import requests
from selenium.webdriver.common.by import By

from tests.browser.page import Page
from watchfloor.product import Product

FORM = "#execute-form"
HEADER = "[data-wf-view=execution-header]"
SECRET = "hunter-2-and-more"


def field(page: Page, label: str) -> str:
    """Selector of the control below a label, marked so that it can be found again."""
    script = """
    const labels = [...document.querySelectorAll(arguments[0] + ' label')];
    const control = document.getElementById(labels.find((one) => one.innerText.startsWith(arguments[1]))?.htmlFor);
    control?.setAttribute('data-test', arguments[1]);
    return Boolean(control);
    """
    page.until(f"the field {label}", lambda: page.script(script, FORM, label))
    return f"{FORM} [data-test={label}]"


def value(page: Page, label: str) -> str:
    """What stands in a field."""
    return str(page.script("return document.querySelector(arguments[0])?.value ?? ''", field(page, label)))


def test_a_file_is_uploaded_and_read_by_the_flow(
    page: Page, product: Product, api: requests.Session, tmp_path: Path
) -> None:
    report = tmp_path / "my report.txt"
    report.write_text("forty-two")
    page.open("/flows/company.tests/inputs")
    page.click(".wf-button.primary")
    page.one(f"{FORM} .wf-file-button")
    page.one(f"{FORM} input[type=file]").send_keys(str(report))
    page.until("the file's address", lambda: value(page, "report").endswith("/my_report.txt"))
    page.shows(FORM, "my report.txt, 9 B")
    page.one(field(page, "token")).send_keys(SECRET)
    page.click("#execute-go")
    page.shows(FORM, "expected a value, came none")  # rows is missing, the rest of the form stays
    assert value(page, "report").endswith("/my_report.txt")
    page.one(field(page, "rows")).send_keys("12")
    page.click("#execute-go")
    page.shows(FORM, "expected at most 9, came 12")
    page.one(field(page, "rows")).send_keys("\b\b3")
    page.click("#execute-go")
    page.until("the new execution's page", lambda: "/executions/" in page.driver.current_url)
    page.shows(HEADER, "SUCCESS")
    page.shows("[data-wf-view=overview]", "9 bytes: forty-two")
    execution_id = page.driver.current_url.rpartition("/")[2]
    _nowhere(page, product, api, execution_id)


def _nowhere(page: Page, product: Product, api: requests.Session, execution_id: str) -> None:
    """The secret is on no page and in no answer; where it was used stars stand."""
    page.shows("[data-wf-view=overview]", "******")
    assert SECRET not in page.driver.page_source
    page.open(f"/executions/{execution_id}/logs")
    page.shows("[data-wf-view=logs]", "the token is ******")
    assert SECRET not in page.driver.page_source
    for path in (f"executions/{execution_id}", f"logs/{execution_id}"):
        answer = api.get(f"{product.url}/api/v1/main/{path}")
        answer.raise_for_status()
        assert SECRET not in answer.text
        assert "******" in answer.text


def test_a_file_that_can_not_be_taken_says_why_at_its_field(page: Page, tmp_path: Path) -> None:
    page.open("/flows/company.tests/inputs")
    page.click(".wf-button.primary")
    page.one(f"{FORM} .wf-file-button")
    large = tmp_path / "large.bin"
    with large.open("wb") as file:
        file.truncate(268_435_457)  # one byte more than the setting, and none of them on the disk
    page.one(f"{FORM} input[type=file]").send_keys(str(large))
    page.shows(FORM, "at most 268.4 MB are taken")
    assert value(page, "report") == ""
    assert page.driver.find_element(By.CSS_SELECTOR, "#execute-go").is_enabled()


def test_the_default_of_a_secret_is_not_in_the_page(page: Page) -> None:
    page.open("/flows/company.tests/inputs")
    page.click(".wf-button.primary")
    page.one(field(page, "token"))
    assert value(page, "token") == ""
    assert "fallback-secret" not in page.text(FORM)
