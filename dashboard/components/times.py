"""Times on the page: the server writes UTC, the browser shows its own zone (``assets/js/clientside/times.js``)."""

from __future__ import annotations

from datetime import datetime

from dash import html
from dash.development.base_component import Component


def moment(at: datetime | None, missing: str = "–") -> Component:
    """A ``<time>`` element; ``missing`` stands for no time."""
    if at is None:
        return html.Span(missing, className="wf-muted")
    text = at.isoformat(timespec="seconds").replace("+00:00", "Z")
    return html.Time(text[11:19], dateTime=text, className="wf-time", **{"data-wf-time": text})


def seconds(value: float | None) -> str:
    """A duration as people read it: ``850 ms``, ``12.3s``, ``1m 04s``, ``2h 03m``."""
    if value is None:
        return "–"
    if value < 1:
        return f"{value * 1000:.0f} ms"
    if value < 59.95:
        return f"{value:.1f}s"
    minutes, rest = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h {minutes:02d}m" if hours else f"{minutes}m {rest:02d}s"
