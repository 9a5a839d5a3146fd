"""Icons and state shapes, drawn on a 16 px grid: one table, made into CSS masks that take the text's colour.

``python -m dashboard.components.icons`` prints ``assets/css/icons.css``; a test holds the file equal.
"""

from __future__ import annotations

from urllib.parse import quote

from dash import html

_LINE = 'fill="none" stroke="black" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round"'
_FULL = 'fill="black" fill-rule="evenodd"'

# name: (attributes, path)
ICONS: dict[str, tuple[str, str]] = {
    "executions": (_LINE, "M2.5 4h11M2.5 8h7M2.5 12h9M12.2 8h1.3"),
    "flows": (_LINE, "M2.5 3h4v3.5h-4zM9.5 9.5h4V13h-4zM4.5 6.5v4.8h5M9.5 4.8H12v4.7"),
    "operations": (_LINE, "M2.5 3.5h2v2h-2zM2.5 10.5h2v2h-2zM7.5 4.5h6M7.5 11.5h6M3.5 5.5v5"),
    "search": (_LINE, "M7 2.8a4.2 4.2 0 1 1 0 8.4a4.2 4.2 0 0 1 0-8.4zM10.2 10.2L13.5 13.5"),
    "sun": (_LINE, "M8 5.2a2.8 2.8 0 1 1 0 5.6a2.8 2.8 0 0 1 0-5.6zM8 1.6v1M8 13.4v1M1.6 8h1M13.4 8h1"
            "M3.5 3.5l.7.7M11.8 11.8l.7.7M3.5 12.5l.7-.7M11.8 4.2l.7-.7"),
    "moon": (_LINE, "M13.2 9.6A5.6 5.6 0 0 1 6.4 2.8A5.6 5.6 0 1 0 13.2 9.6z"),
    "user": (_LINE, "M8 2.5a2.6 2.6 0 1 1 0 5.2a2.6 2.6 0 0 1 0-5.2zM3 13.5c.4-2.8 2.3-4 5-4s4.6 1.2 5 4"),
    "logout": (_LINE, "M6.5 2.5h-4v11h4M6.5 8h7M10.8 5.2L13.5 8l-2.7 2.8"),
    "keyboard": (_LINE, "M1.8 4h12.4v8H1.8zM4.3 6.7h.1M7 6.7h.1M9.7 6.7h.1M12 6.7h.1M5 9.5h6"),
    "menu": (_LINE, "M2.5 4.5h11M2.5 8h11M2.5 11.5h11"),
    "close": (_LINE, "M4 4l8 8M12 4l-8 8"),
    "chevron-down": (_LINE, "M4 6.2L8 10l4-3.8"),
    "chevron-left": (_LINE, "M9.8 4L6 8l3.8 4"),
    "chevron-right": (_LINE, "M6.2 4L10 8l-3.8 4"),
    "copy": (_LINE, "M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3"),
    "check-mark": (_LINE, "M3 8.5l3.2 3.2L13 4.8"),
    "bolt": (_FULL, "M9.2 1.2L3.4 9.1h3.8l-.6 5.7l5.9-8.1H8.6z"),
    "restart": (_LINE, "M3 8a5 5 0 1 0 1.6-3.7M3 2.6v2.9h2.9"),
    "kill": (_FULL, "M3.5 3.5h9v9h-9z"),
    "pause-outline": (_LINE, "M5.5 3.5v9M10.5 3.5v9"),
    "resume": (_LINE, "M4.8 3.2v9.6L12.5 8z"),
    "replay": (_LINE, "M13 8a5 5 0 1 1-1.6-3.7M13 2.6v2.9h-2.9M6.8 5.9v4.2L10.2 8z"),
    "step": (_LINE, "M3.5 3.5v9M6.5 3.8v8.4L13 8z"),
    "unqueue": (_LINE, "M2.5 4h6M2.5 8h4M2.5 12h6M9.5 8h4M11.4 5.9L13.5 8l-2.1 2.1"),
    "swap": (_LINE, "M3 5.5h9.5M10 3l2.6 2.5L10 8M13 10.5H3.5M6 8l-2.6 2.5L6 13"),
    "trash": (_LINE, "M2.8 4.2h10.4M6.2 4V2.5h3.6V4M4.2 4.4l.7 9.1h6.2l.7-9.1M6.7 6.8v4.3M9.3 6.8v4.3"),
    "clock": (_LINE, "M8 2.2a5.8 5.8 0 1 1 0 11.6A5.8 5.8 0 0 1 8 2.2zM8 5v3.2l2.2 1.4"),
    "file": (_LINE, "M4 1.8h5l3 3v9.4H4zM9 1.8v3h3"),
    "alert": (_LINE, "M8 2.2l6.2 11H1.8zM8 6.4v3.2M8 11.4v.1"),
    "download": (_LINE, "M8 2.5v7.2M4.8 6.8L8 10l3.2-3.2M2.8 13.2h10.4"),
    "fit": (_LINE, "M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10"),
    "wrap": (_LINE, "M2.5 4h11M2.5 8h8.5a2.2 2.2 0 1 1 0 4.4H8.6M10 10.8L8.4 12.4L10 14M2.5 12.4h3"),
    "more": (_FULL, "M8 2.4a1.3 1.3 0 1 1 0 2.6a1.3 1.3 0 0 1 0-2.6zM8 6.7a1.3 1.3 0 1 1 0 2.6a1.3 1.3 0 0 1 0-2.6z"
             "M8 11a1.3 1.3 0 1 1 0 2.6A1.3 1.3 0 0 1 8 11z"),
    "code": (_LINE, "M5.2 4.5L1.8 8l3.4 3.5M10.8 4.5L14.2 8l-3.4 3.5"),
    "columns": (_LINE, "M2.5 3h11v10h-11zM6.2 3v10M9.8 3v10"),
    "pin": (_LINE, "M6 2.5h4l-.6 4.6l2.1 2.2h-7l2.1-2.2zM8 9.3v4.2"),
    "grip": (_LINE, "M6 4v.1M6 8v.1M6 12v.1M10 4v.1M10 8v.1M10 12v.1"),
    "tag": (_LINE, "M2.2 2.2h5.4l6.2 6.2l-5.4 5.4L2.2 7.6zM5.2 5.2h.1"),
}  # fmt: skip

# The glyph of a state (engine.states): drawn full, so that it reads at 12 px.
SHAPES: dict[str, tuple[str, str]] = {
    "circle": ('fill="none" stroke="black" stroke-width="2.2"', "M8 3a5 5 0 1 1 0 10A5 5 0 0 1 8 3z"),
    "play": (_FULL, "M4 2.4v11.2L13.6 8z"),
    "cycle": ('fill="none" stroke="black" stroke-width="2.2" stroke-linejoin="round"',
              "M12.9 6A5.2 5.2 0 1 0 13.2 8.6M13.4 2.4v3.9H9.5"),
    "pause": (_FULL, "M3.4 2.6h3.4v10.8H3.4zM9.2 2.6h3.4v10.8H9.2z"),
    "stop": (_FULL, "M3 3h10v10H3z"),
    "check": (_FULL, "M8 1.6a6.4 6.4 0 1 1 0 12.8A6.4 6.4 0 0 1 8 1.6zM7.1 11.3L12 6.1l-1.4-1.3l-3.5 3.7"
              "l-1.7-1.7L4 8.2z"),
    "triangle": (_FULL, "M8 1.4L15 14H1zM7.1 5.8v4h1.8v-4zM7.1 10.9v1.7h1.8v-1.7z"),
    "cross": (_FULL, "M2 2h12v12H2zM5.6 4.3L4.3 5.6L6.7 8l-2.4 2.4l1.3 1.3L8 9.3l2.4 2.4l1.3-1.3L9.3 8l2.4-2.4"
              "l-1.3-1.3L8 6.7z"),
    "slash": ('fill="none" stroke="black" stroke-width="2"', "M8 2.6a5.4 5.4 0 1 1 0 10.8A5.4 5.4 0 0 1 8 2.6z"
              "M4.2 11.8l7.6-7.6"),
}  # fmt: skip


def icon(name: str, *, title: str | None = None) -> html.I:
    """An icon of the table; decoration for screen readers unless it has a title."""
    return html.I(className=f"wf-icon wf-icon-{name}", title=title, **{} if title else {"aria-hidden": "true"})


def shape(name: str) -> html.I:
    """A state's glyph."""
    return html.I(className=f"wf-shape wf-shape-{name}", **{"aria-hidden": "true"})


def css() -> str:
    """The text of ``assets/css/icons.css``."""
    rules = [_rule(f"wf-icon-{name}", *drawing) for name, drawing in ICONS.items()]
    rules += [_rule(f"wf-shape-{name}", *drawing) for name, drawing in SHAPES.items()]
    head = "/* Made by `python -m dashboard.components.icons`: change the table there. */\n"
    return head + "\n".join(rules) + "\n"


def _rule(name: str, attributes: str, path: str) -> str:
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path {attributes} d="{path}"/></svg>'
    data = quote(svg, safe=" =:/(),")
    return f'.{name} {{ --glyph: url("data:image/svg+xml,{data}"); }}'


if __name__ == "__main__":
    print(css(), end="")
