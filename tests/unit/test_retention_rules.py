"""Which rule a namespace has, and which rules are refused."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from engine.retention import Rule, parse_rules, rule_of
from watchfloor.settings import Settings

RULES = parse_rules({"*": {"days": 30}, "company": {"count": 5}, "company.team": {}, "company.team.big": {"days": 0.5}})


@pytest.mark.parametrize(
    ("namespace", "rule"),
    [
        ("elsewhere", Rule(days=30)),
        ("company", Rule(count=5)),
        ("company.other.deep", Rule(count=5)),
        ("companyother", Rule(days=30)),
        ("company.team", Rule()),
        ("company.team.small", Rule()),
        ("company.team.big.child", Rule(days=0.5)),
    ],
)
def test_the_nearest_rule_alone_decides(namespace: str, rule: Rule) -> None:
    assert rule_of(RULES, namespace) == rule


def test_without_a_rule_all_is_kept() -> None:
    assert rule_of({}, "company.team") == Rule()
    assert Rule().age is None
    assert Rule(days=1.5).age == timedelta(hours=36)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("{", "breaks at character 2"),
        ("[1]", "expected JSON like"),
        ({"*": 30}, "expected days, count, or both"),
        ({"*": {"weeks": 3}}, "weeks"),
        ({"*": {"days": 0}}, "days above 0"),
        ({"*": {"days": 1e9}}, "up to 36,500"),
        ({"a": {"count": -1}}, "0 or more, got -1"),
        ({"a": {"count": 1.5}}, "a: expected days, count"),
        ({"a.": {}}, "'a.'"),
    ],
)
def test_a_wrong_rule_says_what_was_expected(given: Any, said: str) -> None:
    with pytest.raises(ValueError, match="expected") as refused:
        parse_rules(given)
    assert said in str(refused.value)


def test_the_setting_is_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHFLOOR_RETENTION", '{"a.b": {"days": 1, "count": 2}}')
    assert Settings().retention == {"a.b": Rule(1, 2)}
    monkeypatch.setenv("WATCHFLOOR_RETENTION", "30 days")
    with pytest.raises(ValidationError, match="expected JSON like"):
        Settings()


@pytest.mark.parametrize(
    ("rule", "words"),
    [(Rule(), "all"), (Rule(2.5), "2.5 days"), (Rule(30, 1000), "30 days and the newest 1,000")],
)
def test_a_rule_in_words(rule: Rule, words: str) -> None:
    assert str(rule) == words
