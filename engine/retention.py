"""How long executions are kept: rules by namespace. Values in, values out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import msgspec

EVERYWHERE = "*"
_DAYS_MAX = 36_500
_FORM = '{"*": {"days": 30}, "company.team": {"count": 10000}}'


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is kept of each namespace: what ended within ``days``, and the newest ``count`` of what has ended.

    With both, what breaks either goes. With neither, all is kept.
    """

    days: float | None = None
    count: int | None = None

    @property
    def age(self) -> timedelta | None:
        """How long ago an execution may have ended."""
        return None if self.days is None else timedelta(days=self.days)

    def __str__(self) -> str:
        parts = [] if self.days is None else [f"{self.days:g} days"]
        parts += [] if self.count is None else [f"the newest {self.count:,}"]
        return " and ".join(parts) or "all"


Rules = Mapping[str, Rule]


def parse_rules(given: Any) -> dict[str, Rule]:
    """Rules from JSON text, or from what it decodes to; raises ``ValueError`` that says what was expected."""
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except json.JSONDecodeError as error:
            raise ValueError(f"expected JSON like {_FORM}; it breaks at character {error.pos + 1}") from error
    if not isinstance(given, Mapping):
        raise ValueError(f"expected JSON like {_FORM}")
    return {str(namespace): _rule(str(namespace), rule) for namespace, rule in given.items()}


def _rule(namespace: str, given: Any) -> Rule:
    if not namespace or namespace != namespace.strip(". "):
        raise ValueError(f"expected {EVERYWHERE!r} or a namespace like 'company.team', got {namespace!r}")
    try:
        rule = given if isinstance(given, Rule) else msgspec.convert(given, Rule)
    except msgspec.ValidationError as error:
        raise ValueError(f"{namespace}: expected days, count, or both: {error}") from error
    if rule.days is not None and not 0 < rule.days <= _DAYS_MAX:
        raise ValueError(f"{namespace}: expected days above 0 and up to {_DAYS_MAX:,}, got {rule.days:g}")
    if rule.count is not None and rule.count < 0:
        raise ValueError(f"{namespace}: expected a count of 0 or more, got {rule.count}")
    return rule


def rule_of(rules: Rules, namespace: str) -> Rule:
    """The rule for ``namespace``: its own, else the nearest one above it, else that of ``*``. It alone decides."""
    name = namespace
    while name:
        if name in rules:
            return rules[name]
        name = name.rpartition(".")[0]
    return rules.get(EVERYWHERE, Rule())
