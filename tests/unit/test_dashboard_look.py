"""One table of tokens, icons and shapes: what is generated from it is what is in the files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dashboard.components import graph, icons, theme, tokens
from engine.states import STATES

ASSETS = Path(__file__).resolve().parents[2] / "assets"


def test_the_css_files_are_what_the_tables_say() -> None:
    assert (ASSETS / "css/tokens.css").read_text() == tokens.css()
    assert (ASSETS / "css/icons.css").read_text() == icons.css()


def test_every_state_has_its_colour_and_its_shape() -> None:
    for info in STATES.values():
        assert info.shape in icons.SHAPES
        for name in ("dark", "light"):
            assert info.token in tokens.STATE_COLOURS[name]


def test_css_names_only_known_colours() -> None:
    known = set(tokens.variables("dark")) | set(tokens.SIZES)
    for path in (ASSETS / "css").glob("*.css"):
        text = path.read_text()
        own = set(re.findall(r"--([\w-]+)\s*:", text))
        used = set(re.findall(r"var\(--([\w-]+)", text))
        foreign = {name for name in used if name.startswith(("state-", "size-")) and name not in known | own}
        assert not foreign, f"{path.name}: {foreign}"


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("name", ["dark", "light"])
def test_text_and_states_can_be_read(name: tokens.Theme) -> None:
    surface = tokens.SURFACES[name]
    for ground in ("page", "panel", "raised", "hover", "selection"):
        assert contrast(surface["text"], surface[ground]) >= 4.5
    for ground in ("page", "panel", "raised"):
        assert contrast(surface["muted"], surface[ground]) >= 4.5
    assert contrast(surface["accent-text"], surface["accent"]) >= 4.5
    assert contrast(surface["accent"], surface["panel"]) >= 4.5
    for colour in tokens.STATE_COLOURS[name].values():
        assert contrast(colour, surface["panel"]) >= (4.5 if name == "dark" else 3)


def test_the_themes_of_the_parts_use_the_tokens() -> None:
    assert theme.mantine()["colors"]["dark"][9] == tokens.SURFACES["dark"]["page"]
    assert "var(--panel)" in theme.ag_grid()["function"]
    assert theme.plotly_template("light")["layout"]["font"]["color"] == tokens.SURFACES["light"]["text"]
    rules = {rule["selector"]: rule["style"] for rule in graph.stylesheet("light")}
    assert rules['node[state = "FAILED"]']["border-color"] == tokens.STATE_COLOURS["light"]["failed"]
