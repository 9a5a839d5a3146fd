"""Whatever says that a cap is reached names its setting as an operator sets it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from watchfloor.settings import Settings

ROOT = Path(__file__).parents[2]
SOURCES = sorted(
    path for folder in ("dashboard", "data", "engine", "streaming") for path in (ROOT / folder).rglob("*.py")
)
NAMED = re.compile(r"WATCHFLOOR_([A-Z0-9_]*[A-Z0-9])")
FREE = re.compile(r"^(SECRET|ENV|ATTEMPT)(_|$)")
"""Names that are no settings: secrets and variables of flows, and marks of processes."""


def test_every_setting_that_a_text_names_exists() -> None:
    known = {name.upper() for name in Settings.model_fields}
    named = {
        name for path in SOURCES for name in NAMED.findall(path.read_text(encoding="utf-8")) if not FREE.match(name)
    }
    assert named
    assert named <= known


@pytest.mark.parametrize("name", [name for name in Settings.model_fields if "max" in name.split("_")])
def test_no_text_names_a_cap_by_its_field(name: str) -> None:
    told = re.compile(rf"setting {name}\b|\({name}\)[:.;,\"]")
    assert [path.name for path in SOURCES if told.search(path.read_text(encoding="utf-8"))] == []
