"""Response headers: nothing of ours runs elsewhere, nothing from elsewhere runs here."""

from __future__ import annotations

from collections.abc import Sequence

import flask

from dashboard.index import App

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), midi=(), payment=(), usb=()",
}
"""On every answer. Full screen, wake lock and the clipboard stay allowed: pages use them."""
STRICT_TRANSPORT = "max-age=31536000"
"""For a year this host is asked by https alone; only said by https. Hosts below it are none of our business."""


def register(app: App) -> None:
    """Headers on every answer. The hashes are those of Dash's own inline start script."""

    def add(answer: flask.Response) -> flask.Response:
        if answer.mimetype == "text/html":
            answer.headers.setdefault("Content-Security-Policy", content_policy(app.csp_hashes()))
        for name, value in HEADERS.items():
            answer.headers.setdefault(name, value)
        if flask.request.is_secure:
            answer.headers.setdefault("Strict-Transport-Security", STRICT_TRANSPORT)
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
