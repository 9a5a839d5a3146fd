"""ISO 8601 durations."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.durations import DurationError, format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("PT0S", 0),
        ("PT5S", 5),
        ("PT1.5S", 1.5),
        ("PT0,25S", 0.25),
        ("PT1M", 60),
        ("PT1H30M", 5_400),
        ("P1D", 86_400),
        ("P1DT1H1M1.5S", 90_061.5),
        ("P2W", 1_209_600),
        ("-PT5S", -5),
        ("pt5s", 5),
        (" PT5S ", 5),
        (2.5, 2.5),
        (3, 3),
    ],
)
def test_seconds(text: str | float, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text",
    ["", "P", "PT", "P1DT", "5s", "PT5", "P1M", "P1Y", "PT5S\n5", "PT-5S", "PT٥S", True, None, [], math.nan, math.inf],
)
def test_what_is_no_duration_says_what_was_expected_and_what_came(text: object) -> None:
    with pytest.raises(DurationError, match=r"expected .* came"):
        parse_duration(text)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "PT0S"),
        (5, "PT5S"),
        (64.5, "PT1M4.5S"),
        (86_400, "P1D"),
        (90_061, "P1DT1H1M1S"),
        (3_600, "PT1H"),
        (0.000_001, "PT0.000001S"),
        (59.999_999_9, "PT1M"),
        (-1.25, "-PT1.25S"),
        (-0.000_000_1, "PT0S"),
    ],
)
def test_text(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@given(st.integers(min_value=-(10**14), max_value=10**14))
def test_text_and_back_is_the_same(micros: int) -> None:
    seconds = micros / 1_000_000
    assert parse_duration(format_duration(seconds)) == pytest.approx(seconds, abs=1e-6, rel=1e-12)
