"""A headless Chromium for tests, benchmarks and pictures."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--enable-precise-memory-info",
    "--js-flags=--expose-gc",
)


class ChromiumMissing(RuntimeError):
    """There is no Chromium or no driver for it."""


def found(name: str) -> str:
    """Where the program is; raises ChromiumMissing."""
    path = shutil.which(name)
    if path is None:
        raise ChromiumMissing(f"expected {name} on PATH, found none: run `make test` once, or install it by apt")
    return path


def options(width: int = 1366, height: int = 768, dark: bool = True) -> Options:
    """Options of a window of this size that asks for the dark or the light theme."""
    chosen = Options()
    chosen.binary_location = found("chromium")
    for flag in (*_FLAGS, f"--window-size={width},{height}"):
        chosen.add_argument(flag)
    if dark:
        chosen.add_argument("--blink-settings=preferredColorScheme=0")
    chosen.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return chosen


@contextmanager
def chromium(width: int = 1366, height: int = 768, dark: bool = True) -> Iterator[webdriver.Chrome]:
    """A browser with a fresh profile, closed at the end."""
    driver = webdriver.Chrome(service=Service(found("chromedriver")), options=options(width, height, dark))
    try:
        yield driver
    finally:
        driver.quit()
