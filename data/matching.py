"""What filters mean in Python: whether a row is in a list. ``data.clauses`` says the same in SQL."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from data.fields import FIELDS, ID_END, ID_START, DateFilter, needle, since
from data.filters import Condition, Filters, wanted
from data.operators import NEGATIONS, OPERATORS, Op
from data.signatures import error_of, text_of
from streaming.messages import ExecutionRow

Test = Callable[[ExecutionRow, datetime], bool]
_LOWS = frozenset({Op.GREATER_THAN, Op.GREATER_THAN_OR_EQUAL_TO})
_HIGHS = frozenset({Op.LESS_THAN, Op.LESS_THAN_OR_EQUAL_TO})


def matches(filters: Filters, row: ExecutionRow, now: datetime) -> bool:
    """Whether an execution is in the list that ``filters`` make at the moment ``now``."""
    return all(test(row, now) for test in _tests(filters))


@lru_cache(maxsize=512)
def _tests(filters: Filters) -> tuple[Test, ...]:
    ranged = [c for c in filters.conditions if is_of_range(c, filters.dates)]
    tests = [_test(c) for c in filters.conditions if c not in ranged]
    if ranged:
        tests.append(_range_test(ranged, filters.dates))
    if filters.groups:
        tests.append(_any([_every([_test(c) for c in group]) for group in filters.groups]))
    return tuple(tests)


def _every(tests: Sequence[Test]) -> Test:
    return lambda row, now: all(test(row, now) for test in tests)


def _any(tests: Sequence[Test]) -> Test:
    return lambda row, now: any(test(row, now) for test in tests)


def _test(condition: Condition) -> Test:
    return _SPECIAL.get(condition.field, _plain_test)(condition)


def _plain_test(condition: Condition) -> Test:
    value, test, values = FIELDS[condition.field].value, OPERATORS[condition.op].test, wanted(condition)
    assert value is not None
    return lambda row, now: test(value(row), values)


def _text_test(condition: Condition) -> Test:
    text, part = condition.values[0].strip(), needle(condition.values[0])
    return lambda row, now: part in text_of(row) or part in error_of(row) or finds_id(row.id, text)


def finds_id(execution_id: str, text: str) -> bool:
    """Whether free text means this id: its beginning (the time in it makes a shorter one useless) or its end."""
    begins = len(text) >= ID_START and execution_id.startswith(text)
    return begins or (len(text) >= ID_END and execution_id.endswith(text))


def _label_test(condition: Condition) -> Test:
    op, values, key = condition.op, wanted(condition), condition.key
    test = OPERATORS[NEGATIONS.get(op, op)].test
    asked = op not in NEGATIONS
    return lambda row, now: test(row.labels.get(key or ""), values) is asked


def _back_test(condition: Condition) -> Test:
    (back,) = wanted(condition)
    return lambda row, now: row.start_date >= since(now, back)


_SPECIAL: dict[str, Callable[[Condition], Test]] = {"q": _text_test, "labels": _label_test, "timeRange": _back_test}


# -- the time range, when it is about one date or either


def is_of_range(condition: Condition, dates: DateFilter | None) -> bool:
    """Whether it is a part of the time range that ``dates`` is about."""
    if dates is None:
        return False
    bound = {"startDate": _LOWS, "endDate": _HIGHS}.get(condition.field, frozenset())
    return condition.field == "timeRange" or condition.op in bound


def columns_of(dates: DateFilter | None) -> tuple[str, ...]:
    """The fields that the time range is about: all of it about one of them."""
    both = ("startDate", "endDate")
    return {DateFilter.END_DATE: both[1:], DateFilter.START_OR_END_DATE: both}.get(dates or "", both[:1])  # type: ignore[call-overload]


def _range_test(ranged: Sequence[Condition], dates: DateFilter | None) -> Test:
    bounds = [_bound(c) for c in ranged]
    values = [FIELDS[name].value for name in columns_of(dates)]

    def test(row: ExecutionRow, now: datetime) -> bool:
        return any(all(bound(value(row), now) for bound in bounds) for value in values if value is not None)

    return test


def _bound(condition: Condition) -> Callable[[Any, datetime], bool]:
    values = wanted(condition)
    if condition.field == "timeRange":
        return lambda date, now: date is not None and date >= since(now, values[0])
    test = OPERATORS[condition.op].test
    return lambda date, now: test(date, values)
