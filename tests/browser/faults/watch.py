"""What the page says of a fault and when, and that all goes on after it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import requests

from tests.browser.page import Page
from tests.browser.rest import log_of, start
from watchfloor.product import Product

SAID_WITHIN = 3.0  # seconds from a fault to the page saying so
MEASURING = 0.2  # seconds between the fault and our clock, and of the page's own clock; not for the product
PATIENCE = 15.0  # so long is waited to know by how much it was too late
WATCH = """
const lamp = document.querySelector('[data-wf-view=lamp]');
window.__lamp = [[Date.now(), lamp.textContent]];
window.__watching?.disconnect();
window.__watching = new MutationObserver(() => window.__lamp.push([Date.now(), lamp.textContent]));
window.__watching.observe(lamp, {childList: true, subtree: true, characterData: true});
"""
SAID_AFTER: list[float] = []  # what each fault took


def lamp(page: Page) -> str:
    """Everything the lamp says."""
    return str(page.script("return document.querySelector('[data-wf-view=lamp]').textContent"))


def says(page: Page, words: str) -> None:
    """The lamp says ``words`` in time, from now on: the page itself notes when, so that our looking costs nothing."""
    began = time.time()
    page.script(WATCH)
    page.until(f"{words!r} in the lamp", lambda: _said_at(page, words), PATIENCE)
    took = _said_at(page, words) - began
    SAID_AFTER.append(took)
    print(f"\nsaid {words!r} after {took:.2f} s, the longest {max(SAID_AFTER):.2f} s: {lamp(page)!r}")
    assert took <= SAID_WITHIN + MEASURING


def _said_at(page: Page, words: str) -> Any:
    """When the lamp first said ``words``, seconds since the epoch."""
    told = page.script("return window.__lamp")
    return next((at / 1000 for at, text in told if words in text), None)


def recovers(page: Page, seconds: float = 45) -> None:
    """Wait until the page is live again, by itself."""
    began = time.monotonic()
    page.until("live again", page.is_live, seconds)
    assert page.is_same_load()
    print(f"\nlive again after {time.monotonic() - began:.2f} s")


def shows_state(page: Page, execution_id: str, state: str, seconds: float = 45) -> None:
    """Wait until an execution's row in the list shows ``state``."""
    page.until(f"{state} in its row", lambda: state in page.row_text(execution_id), seconds)


def ends_well(page: Page, product: Product, api: requests.Session, gated: tuple[str, Path]) -> None:
    """The execution that runs goes on to its end, a new one runs too, and each of their tasks ran once."""
    execution_id, gate = gated
    (gate / "first").touch()
    (gate / "second").touch()
    shows_state(page, execution_id, "SUCCESS")
    other = start(product, api, "gated", gate=str(gate))
    shows_state(page, other, "SUCCESS")
    assert page.is_same_load()
    for each in (execution_id, other):
        said = log_of(product, api, each)
        assert [text for text in said if "first" in text] == ["first begins", "first ends"]
        assert [text for text in said if "second" in text] == ["second begins", "second ends"]
