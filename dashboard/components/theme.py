"""Mantine's theme, AG Grid's theme and Plotly's template, all from the tokens."""

from __future__ import annotations

from typing import Any

from dashboard.components.tokens import ACCENT, DARK, FONT, MONO, STATE_COLOURS, SURFACES, Theme

# Mantine components that take the small size.
DENSE = (
    *("Button", "TextInput", "PasswordInput", "Select", "MultiSelect", "NumberInput", "Textarea", "JsonInput"),
    *("Checkbox", "Switch", "DateInput", "DateTimePicker", "TimeInput", "TagsInput", "SegmentedControl"),
    *("Pagination", "InputWrapper"),
)


def mantine() -> dict[str, Any]:
    """Theme of ``dmc.MantineProvider``: dense, small radius, our greys and accent."""
    return {
        "primaryColor": "accent",
        "primaryShade": {"light": 7, "dark": 4},
        "autoContrast": True,
        "luminanceThreshold": 0.36,
        "colors": {"accent": list(ACCENT), "dark": list(DARK)},
        "fontFamily": FONT,
        "fontFamilyMonospace": MONO,
        "defaultRadius": 4,
        "radius": {"xs": "3px", "sm": "4px", "md": "6px", "lg": "8px", "xl": "12px"},
        "fontSizes": {"xs": "11px", "sm": "13px", "md": "13px", "lg": "15px", "xl": "18px"},
        "spacing": {"xs": "8px", "sm": "12px", "md": "16px", "lg": "20px", "xl": "28px"},
        "headings": {"fontFamily": FONT, "fontWeight": "600"},
        "cursorType": "pointer",
        "respectReducedMotion": True,
        "components": {name: {"defaultProps": {"size": "xs"}} for name in DENSE},
    }


def ag_grid() -> dict[str, str]:
    """The ``theme`` grid option: every colour is a CSS variable, so that a change of theme needs no new grid."""
    params = {
        "backgroundColor": "var(--panel)",
        "foregroundColor": "var(--text)",
        "textColor": "var(--text)",
        "accentColor": "var(--accent)",
        "borderColor": "var(--border)",
        "chromeBackgroundColor": "var(--panel)",
        "headerBackgroundColor": "var(--panel)",
        "headerTextColor": "var(--muted)",
        "oddRowBackgroundColor": "var(--panel)",
        "rowHoverColor": "var(--hover)",
        "selectedRowBackgroundColor": "var(--selection)",
        "fontFamily": "inherit",
        "headerFontFamily": "inherit",
        "browserColorScheme": "inherit",
    }
    words = ", ".join(f"{name}: '{value}'" for name, value in params.items())
    sizes = (
        "fontSize: 'var(--size-m)', headerFontSize: 'var(--size-xs)', headerFontWeight: 600, "
        "rowHeight: 'var(--row)', headerHeight: 'var(--row)', spacing: 4, cellHorizontalPadding: 10, "
        "borderRadius: 0, wrapperBorderRadius: 0, wrapperBorder: false, columnBorder: false, "
        "headerColumnBorder: false, checkboxBorderRadius: 3, iconSize: 13"
    )
    return {"function": f"themeQuartz.withParams({{{words}, {sizes}}})"}


def plotly_template(theme: Theme) -> dict[str, Any]:
    """A Plotly template: transparent, hair-line grid, our type; the state colours are its colourway."""
    surface = SURFACES[theme]
    axis = {
        "gridcolor": surface["border"],
        "linecolor": surface["border"],
        "zerolinecolor": surface["border"],
        "tickcolor": surface["border"],
        "tickfont": {"size": 11, "color": surface["muted"]},
        "title": {"font": {"size": 11, "color": surface["muted"]}},
        "automargin": True,
    }
    return {
        "layout": {
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "font": {"family": FONT, "size": 12, "color": surface["text"]},
            "colorway": list(STATE_COLOURS[theme].values()),
            "xaxis": axis,
            "yaxis": axis,
            "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
            "hoverlabel": {
                "bgcolor": surface["raised"],
                "bordercolor": surface["border-strong"],
                "font": {"family": FONT, "size": 12, "color": surface["text"]},
            },
            "showlegend": False,
            "dragmode": "pan",
        }
    }
