"""Actions of an execution, asked for on its page."""

from __future__ import annotations

from selenium.webdriver.common.by import By

from tests.browser.page import Page

HEADER = "[data-wf-view=execution-header]"
DIALOG = "#act-step"
FORM = f"{DIALOG} .wf-form"


def choose(page: Page, action: str) -> None:
    """Ask for an action by the header's menu of all."""
    page.click(f"{HEADER} [data-more]")
    page.click(f".wf-menu [data-action={action}]")


def option(page: Page, text: str) -> None:
    """Choose in the select of the dialog."""
    page.click(f"{FORM} input:not([type=hidden]):not([type=checkbox])")
    found = page.until(
        text, lambda: [one for one in page.driver.find_elements(By.CSS_SELECTOR, "[role=option]") if one.text == text]
    )
    found[0].click()
