"""The pages. ``pages()`` gives them in the order of the rail."""

from __future__ import annotations

from dashboard.pages.router import Page


def pages() -> tuple[Page, ...]:
    """All pages."""
    from dashboard.pages import audit, execution, executions, flow, flows, operations, settings

    return (
        *(executions.PAGE, execution.PAGE, flows.PAGE, flow.PAGE, operations.PAGE, operations.DETAIL),
        *(audit.PAGE, settings.PAGE),
    )
