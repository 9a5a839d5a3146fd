"""Response headers: nothing of ours runs elsewhere, nothing from elsewhere runs here."""

from __future__ import annotations

from collections.abc import Sequence

import flask

from dashboard.index import App


def register(app: App) -> None:
    """Headers on every answer. The hashes are those of Dash's own inline start script."""

    def add(answer: flask.Response) -> flask.Response:
        if answer.mimetype == "text/html":
            answer.headers.setdefault("Content-Security-Policy", content_policy(app.csp_hashes()))
        answer.headers.setdefault("X-Content-Type-Options", "nosniff")
        answer.headers.setdefault("X-Frame-Options", "SAMEORIGIN")
        answer.headers.setdefault("Referrer-Policy", "same-origin")
        return answer

    app.server.after_request(add)


def content_policy(script_hashes: Sequence[str]) -> str:
    """The content security policy. Styles may be inline (Mantine, AG Grid and Plotly write them); 'unsafe-eval' is
    needed by no component of ours, so it is not allowed."""
    scripts = " ".join(["'self'", *script_hashes])
    return (
        f"default-src 'self'; script-src {scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
        "font-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'self'"
    )
