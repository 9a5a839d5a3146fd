"""The Dash app: ``create_app(settings, services)``, callable any number of times in one process."""

from __future__ import annotations

from pathlib import Path

import flask

from dashboard import (
    auth,
    callbacks,
    compression,
    flowstate,
    frame,
    health,
    listvalues,
    metrics,
    security,
    statics,
    uploads,
    vendor,
)
from dashboard.index import App
from dashboard.pages import pages as all_pages
from dashboard.services import Services
from watchfloor.settings import Settings

ROOT = Path(__file__).resolve().parent.parent


def create_app(settings: Settings, services: Services) -> App:
    """The app with its pages, callbacks, login, headers and static files. ``app.server`` is the Flask app."""
    server = flask.Flask("watchfloor", root_path=str(ROOT / "dashboard"), static_folder=None)
    compression.register(server, settings.data_dir / "cache" / "gzip")
    auth.register(server, services)
    vendor.register(server)
    statics.register(server)
    health.register(server, services)
    metrics.register(server, services)
    flowstate.register(server, services)
    listvalues.register(server, services)
    uploads.register(server, services)
    app = App(
        name="watchfloor",
        server=server,
        title="Watchfloor",
        update_title="",
        assets_folder=str(ROOT / "assets"),
        assets_ignore=r".*\.(js|json|ts)$",
        use_pages=False,
        serve_locally=True,
        suppress_callback_exceptions=True,
        add_log_handler=False,
        meta_tags=[{"name": "viewport", "content": "width=device-width, initial-scale=1"}],
    )
    pages = all_pages()
    app.layout = lambda: frame.layout(pages, services)
    callbacks.register(app, services, pages)
    security.register(app)
    server.add_url_rule("/", "home", lambda: flask.redirect("/executions"))
    server.before_request(_not_pages)
    return app


def _not_pages() -> flask.Response | None:
    """Dash answers every unknown path with the page; below these there are none."""
    rule = flask.request.url_rule
    if rule is None or rule.rule != "/<path:path>" or not flask.request.path.startswith(("/api/", "/vendor/")):
        return None
    answer = flask.jsonify(message=f"There is nothing at {flask.request.path}.")
    answer.status_code = 404
    return answer
