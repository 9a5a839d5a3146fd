"""What counts as false, for every condition alike."""

from __future__ import annotations

from typing import Any

import pytest

from engine.truth import truth


@pytest.mark.parametrize(
    "value", [False, 0, -0.0, None, "false", "False", " FALSE ", "0", "-0", "", "  ", "null", "none"]
)
def test_these_are_false(value: Any) -> None:
    assert truth(value) is False


@pytest.mark.parametrize("value", [True, 1, -1, 0.5, "true", "no", "00", "0.0", "+0", "-1", "nil", [], {}, [0]])
def test_everything_else_is_true(value: Any) -> None:
    assert truth(value) is True
