"""Our ES modules below ``/js/<version>/``: a browser keeps them for a year, a changed file makes another version.

``/assets/js/…`` serves the same files as they are now. Files that Dash serves without a fingerprint are asked for
again each time, but only sent when they changed.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import flask

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = ROOT / "assets" / "js"
_YEAR = 365 * 86_400

# Large chunks that Dash fetches when the first table or Gantt is drawn: fetched before, while nothing else is going on.
PREFETCH = (
    "/_dash-component-suites/dash_ag_grid/async-community.js",
    "/_dash-component-suites/dash/dcc/async-graph.js",
    "/_dash-component-suites/plotly/package_data/plotly.min.js",
)


def modules() -> list[str]:
    """Paths of our ES modules; the scripts in ``clientside`` are none."""
    paths = (path.relative_to(SCRIPTS).as_posix() for path in SCRIPTS.rglob("*.js"))
    return sorted(path for path in paths if not path.startswith("clientside/"))


def version() -> str:
    """A word that is another one once any script is."""
    digest = hashlib.blake2b(digest_size=6)
    for path in sorted(SCRIPTS.rglob("*.js")):
        known = path.stat()
        digest.update(f"{path.relative_to(SCRIPTS)}:{known.st_mtime_ns}:{known.st_size}\n".encode())
    return digest.hexdigest()


def register(server: flask.Flask) -> None:
    """The route, and the caching of what others serve."""

    @server.get("/js/<asked>/<path:name>", endpoint="scripts")
    def scripts(asked: str, name: str) -> flask.Response:
        answer = flask.send_from_directory(SCRIPTS, name, mimetype="text/javascript", conditional=True)
        answer.headers["Cache-Control"] = f"private, max-age={_YEAR}, immutable" if asked == version() else "no-cache"
        return answer

    server.after_request(_cache)


def _cache(answer: flask.Response) -> flask.Response:
    request = flask.request
    if answer.status_code != 200 or request.method != "GET":
        return answer
    if request.path.startswith("/assets/") and "m" in request.args:  # Dash names a style sheet's time of change
        answer.headers["Cache-Control"] = f"private, max-age={_YEAR}, immutable"
    elif request.path.startswith("/_dash-component-suites/") and not answer.cache_control.max_age:
        answer.headers["Cache-Control"] = "no-cache"
        if answer.get_etag()[0]:
            answer.make_conditional(request)
    return answer
