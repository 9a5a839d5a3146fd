"""Which origins may open a live connection; what comes from elsewhere is logged, counted and refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dashboard.refusals import Refusals
from watchfloor.settings import Settings

_ANSWER = "watchfloor.origin"  # in the environment of a request: it is asked twice, and noted once


class LiveOrigins:
    """Asked at each handshake, before anything else of it is read: is this origin ours?"""

    def __init__(self, settings: Settings, refusals: Refusals) -> None:
        self._settings = settings
        self._refusals = refusals

    def __call__(self, origin: str | None, environ: dict[str, Any]) -> bool:
        if _ANSWER not in environ:
            environ[_ANSWER] = origin is None or origin in ours(self._settings, environ)
            if not environ[_ANSWER]:
                why = "A live connection was asked for by another site: expected our own Origin."
                address, facts = environ.get("REMOTE_ADDR"), {"origin": str(origin)[:200], "path": "/live"}
                self._refusals.within_rate("origin", None, why, address=address, **facts)
        return bool(environ[_ANSWER])


def ours(settings: Settings, environ: Mapping[str, Any]) -> set[str]:
    """The public address and that of this process; without a public one the address that was asked, also behind a
    proxy. No page can make a browser send another Host or X-Forwarded header here."""
    if settings.public_url is not None:
        return {settings.public_url.rstrip("/"), f"http://{settings.host}:{settings.port}"}
    scheme, host = environ["wsgi.url_scheme"], environ.get("HTTP_HOST", "")
    proto, forwarded = (environ.get(f"HTTP_X_FORWARDED_{name}") for name in ("PROTO", "HOST"))
    return {f"{scheme}://{host}", f"{_first(proto or scheme)}://{_first(forwarded or host)}"}


def _first(values: str) -> str:
    return values.split(",")[0].strip()
