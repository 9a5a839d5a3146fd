"""The design tokens: the one table that the CSS, Mantine, AG Grid, Plotly and Cytoscape read.

``python -m dashboard.components.tokens`` prints ``assets/css/tokens.css``; a test holds the file equal.
Contrast on the panel is at least 4.5:1 for text; a state is colour, shape and letter, never colour alone.
"""

from __future__ import annotations

from typing import Literal

Theme = Literal["dark", "light"]

SURFACES: dict[Theme, dict[str, str]] = {
    "dark": {
        "page": "#0f1419",
        "panel": "#171d24",
        "raised": "#1f2730",
        "hover": "#242d37",
        "border": "#2c3641",
        "border-strong": "#3d4a58",
        "text": "#e6edf3",
        "muted": "#9aa7b5",
        "faint": "#6b7885",
        "accent": "#5aa9f0",
        "accent-text": "#0b1117",
        "accent-soft": "#16304a",
        "selection": "#1b3550",
        "shadow": "rgba(0, 0, 0, 0.45)",
    },
    "light": {
        "page": "#f6f7f9",
        "panel": "#ffffff",
        "raised": "#eef1f4",
        "hover": "#e7ebf0",
        "border": "#d5dbe2",
        "border-strong": "#b4bec9",
        "text": "#1a2027",
        "muted": "#55606d",
        "faint": "#8a95a1",
        "accent": "#0f66bd",
        "accent-text": "#ffffff",
        "accent-soft": "#deebf8",
        "selection": "#d6e7f8",
        "shadow": "rgba(26, 32, 39, 0.16)",
    },
}

STATE_COLOURS: dict[Theme, dict[str, str]] = {
    "dark": {
        "success": "#3ecf9b",
        "running": "#4a9be8",
        "waiting": "#93a1b2",
        "retrying": "#f0b24a",
        "paused": "#dcb4f2",
        "warning": "#f7e36b",
        "failed": "#f2495c",
        "killed": "#b3727a",
        "skipped": "#7a8592",
    },
    "light": {
        "success": "#0f8a5f",
        "running": "#1274d1",
        "waiting": "#66727f",
        "retrying": "#d07f00",
        "paused": "#6b2a8f",
        "warning": "#7d7200",
        "failed": "#b3122a",
        "killed": "#7d4a50",
        "skipped": "#7c8792",
    },
}

# Shades of the accent, light to dark, for Mantine's primary colour.
ACCENT = (
    "#e7f2fd",
    "#cfe4fa",
    "#a5cdf6",
    "#7fb9f3",
    "#5aa9f0",
    "#3b93e2",
    "#2480d3",
    "#0f66bd",
    "#0b5199",
    "#083e77",
)

# Mantine's own ladder of dark greys, from text to page, in our hues.
DARK = (
    "#e6edf3",
    "#c3ced9",
    "#9aa7b5",
    "#6b7885",
    "#2c3641",
    "#242d37",
    "#1f2730",
    "#171d24",
    "#131920",
    "#0f1419",
)

FONT = '"Inter Variable", Inter, system-ui, -apple-system, "Segoe UI", Roboto, sans-serif'
MONO = '"JetBrains Mono Variable", "JetBrains Mono", ui-monospace, "SF Mono", Menlo, Consolas, monospace'

SIZES: dict[str, str] = {
    "font": FONT,
    "mono": MONO,
    "size-xs": "11px",
    "size-s": "12px",
    "size-m": "13px",
    "size-l": "15px",
    "size-xl": "18px",
    "size-xxl": "24px",
    "row": "32px",
    "row-dense": "26px",
    "radius": "4px",
    "rail": "176px",
    "topbar": "44px",
}

# 3840 pixels at a scale of one: the same layout, larger.
WIDE: dict[str, str] = {
    "size-xs": "13px",
    "size-s": "14px",
    "size-m": "15px",
    "size-l": "17px",
    "size-xl": "21px",
    "size-xxl": "28px",
    "row": "36px",
    "row-dense": "30px",
    "rail": "200px",
    "topbar": "50px",
}

# Up to 1100 pixels the rail shows icons only.
NARROW: dict[str, str] = {"rail": "49px"}


def variables(theme: Theme) -> dict[str, str]:
    """CSS custom properties of one theme, without the leading dashes."""
    return SURFACES[theme] | {f"state-{token}": colour for token, colour in STATE_COLOURS[theme].items()}


def css() -> str:
    """The text of ``assets/css/tokens.css``."""
    blocks = [
        _block(":root", SIZES),
        _block(':root,\n:root[data-theme="dark"]', {"scheme": "dark"} | variables("dark")),
        _block(':root[data-theme="light"]', {"scheme": "light"} | variables("light")),
        _media("max-width: 1100px", NARROW),
        _media("min-width: 3000px", WIDE),
    ]
    head = "/* Made by `python -m dashboard.components.tokens`: change the table there. */\n\n"
    return head + "\n\n".join(blocks) + "\n"


def _block(selector: str, values: dict[str, str]) -> str:
    lines = [f"  {'color-scheme' if name == 'scheme' else '--' + name}: {value};" for name, value in values.items()]
    return "\n".join([f"{selector} {{", *lines, "}"])


def _media(condition: str, values: dict[str, str]) -> str:
    inner = _block(":root:root", values).replace("\n", "\n  ")
    return f"@media ({condition}) {{\n  {inner}\n}}"


if __name__ == "__main__":
    print(css(), end="")
