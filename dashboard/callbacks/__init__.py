"""What happens when somebody does something: one module a concern, each ``register(app, services)``."""

from __future__ import annotations

import dash

from dashboard.callbacks import actions, asking, audit, execute, lists, panels, routing, settings, triggers
from dashboard.pages.router import Page
from dashboard.services import Services


def register(app: dash.Dash, services: Services, pages: tuple[Page, ...]) -> None:
    """All callbacks of the app."""
    routing.register(app, services, pages)
    actions.register(app, services)
    execute.register(app, services)
    triggers.register(app, services)
    lists.register(app)
    panels.register(app, services)
    settings.register(app, services)
    audit.register(app, services)
    asking.guard(app, services)
