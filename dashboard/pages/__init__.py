"""The pages, in the order of the rail."""

from __future__ import annotations

from dashboard.pages import execution, executions
from dashboard.pages.router import Page

PAGES: tuple[Page, ...] = (executions.PAGE, execution.PAGE)
