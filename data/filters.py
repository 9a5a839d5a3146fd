"""Filters of executions and their one wire form, which the page's address, the REST API and saved views share.

``filters[field][OP]=value``, labels ``filters[labels][OP][key]=value`` or ``filters[labels][OP]=key:value``, lists
comma-joined (a comma within a value is ``\\,``, a backslash ``\\\\``), groups of which one must hold
``filters[or][0][field][OP]=value``, and beside them ``dateFilter``. A list of labels with several keys
(``filters[labels][IN]=env:prod,team:x``) is one group a key. The flat parameters of older clients (``state=FAILED``)
are taken too. ``data.fields`` is the table of fields; ``data.matching`` says what filters mean in Python and
``data.clauses`` in SQL: a property test holds the two together.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice, product
from typing import Any
from urllib.parse import parse_qsl, quote

import msgspec

from data.errors import FilterError, Problem
from data.fields import FIELDS, DateFilter
from data.operators import LISTS, MERGED, Op
from data.patterns import pattern

__all__ = ["FIELDS", "Condition", "DateFilter", "FilterError", "Filters", "Problem", "Reading", "parse", "read"]

CONDITIONS_MAX = 50  # of one set of filters, those in groups included
VALUES_MAX = 1_000  # of one list
_KEY = re.compile(r"filters(?:\[or\]\[(\d{1,6})\])?\[(\w+)\]\[(\w+)\](?:\[(.+)\])?", re.DOTALL)
_DATES = "dateFilter"
_PIECES = re.compile(r"(?:\\[\\,]|[^,])+", re.DOTALL)
_ESCAPED = re.compile(r"\\([\\,])")


class Condition(msgspec.Struct, frozen=True):
    """One condition. ``values`` are as on the wire, never empty; ``key`` is the label's."""

    field: str
    op: Op
    values: tuple[str, ...]
    key: str | None = None


class Filters(msgspec.Struct, frozen=True):
    """Conditions that must all hold, and groups of them of which one must (when there are any).

    With ``dates`` the time range (``timeRange``, ``startDate`` as its beginning, ``endDate`` as its end) is about that
    date; without, each is about its own, and ``timeRange`` about the start.
    """

    conditions: tuple[Condition, ...] = ()
    groups: tuple[tuple[Condition, ...], ...] = ()
    dates: DateFilter | None = None

    @property
    def all(self) -> Iterator[Condition]:
        """Every condition, those in groups too."""
        yield from self.conditions
        for group in self.groups:
            yield from group


_NOTHING = Condition("id", Op.EQUALS, ("-",))  # no execution has this id


class Reading(msgspec.Struct, frozen=True):
    """What could be read: the good conditions, and what is wrong with the others."""

    filters: Filters
    problems: tuple[Problem, ...] = ()


_LEGACY_OPS = {
    "state": Op.IN,
    "namespace": Op.PREFIX,
    "startDate": Op.GREATER_THAN_OR_EQUAL_TO,
    "endDate": Op.LESS_THAN_OR_EQUAL_TO,
}
_LEGACY = (
    *("q", "scope", "namespace", "flowId", "startDate", "endDate", "timeRange", "state", "labels"),
    *("triggerExecutionId", "childFilter"),
)
OTHERS = (_DATES, *_LEGACY)
"""Parameters that filter, beside ``filters[field][OP]``."""


def is_filter(name: str) -> bool:
    """Whether a parameter of this name filters, or means to: what is wrong with it then is told by ``parse``."""
    return name in OTHERS or name.startswith("filters[")


def wanted(condition: Condition) -> list[Any]:
    """The condition's values as what is compared. Raises ``ValueError`` for one that can't be."""
    if condition.op is Op.REGEX:
        return [_expression(value) for value in condition.values]
    convert = FIELDS[condition.field].convert
    return [convert(value) for value in condition.values]


def _expression(value: str) -> str:
    if not value:
        raise ValueError("expected a regular expression, got an empty one")
    pattern(value)
    return value


# -- from the wire


def parse(args: Any) -> Filters:
    """Filters of a query string's (name, value) pairs, a MultiDict or a dict; other parameters are left alone.

    Raises ``FilterError`` with every part that is wrong, what is allowed there, and what came.
    """
    reading = read(args)
    if reading.problems:
        first = reading.problems[0]
        raise FilterError(first.part, first.message, reading.problems)
    return reading.filters


def parse_query_string(text: str) -> Filters:
    """Filters of a query string, with or without its question mark."""
    return parse(parse_qsl(text.removeprefix("?"), keep_blank_values=True))


def read(args: Any) -> Reading:
    """The same without an error: what can be read, and what is wrong with the rest."""
    reader = _Reader()
    for name, value in _pairs(args):
        reader.take(name, value)
    return reader.reading()


def _pairs(args: Any) -> Iterable[tuple[str, str]]:
    if isinstance(args, Mapping):
        return args.items(multi=True) if hasattr(args, "getlist") else args.items()  # type: ignore[call-arg]
    return args


class _Place(msgspec.Struct, frozen=True):
    """Where a condition stands; lists of one place are one condition, others are told apart by ``number``."""

    field: str
    op: Op
    key: str | None
    group: int | None
    number: int


class _Reader:
    """Collects conditions and problems."""

    def __init__(self) -> None:
        self._merged: dict[_Place, list[str]] = {}
        self._problems: list[Problem] = []
        self._dates: DateFilter | None = None

    def take(self, name: str, value: str) -> None:
        """One parameter."""
        try:
            if name == _DATES:
                self._take_dates(value)
            elif name in _LEGACY:
                if value:
                    self._add(name, name, _LEGACY_OPS.get(name, Op.EQUALS), None, None, value)
            elif name.startswith("filters"):
                self._take_condition(name, value)
        except FilterError as error:
            self._problems += error.problems

    def _take_dates(self, value: str) -> None:
        allowed = tuple(DateFilter)
        if value and value not in allowed:
            message = f"expected one of {', '.join(allowed)}, got {value!r}"
            raise _wrong(Problem(_DATES, message, _DATES, allowed=allowed))
        self._dates = DateFilter(value) if value else None

    def _take_condition(self, name: str, value: str) -> None:
        match = _KEY.fullmatch(name)
        if match is None:
            raise _wrong(
                Problem(name, "expected filters[field][OPERATOR]=value or filters[or][0][field][OPERATOR]=value")
            )
        number, field, op, key = match.groups()
        group = None if number is None else int(number)
        if field not in FIELDS:
            message = f"there is no field {field!r}; the fields are {', '.join(FIELDS)}"
            raise _wrong(Problem(name, message, field, op, key, group, tuple(FIELDS)))
        ops = FIELDS[field].ops
        if op not in ops:
            message = f"{field} has no operator {op!r}; it has {', '.join(ops)}"
            raise _wrong(Problem(name, message, field, op, key, group, tuple(ops)))
        self._add(name, field, Op(op), key, group, value)

    def _add(self, name: str, field: str, op: Op, key: str | None, group: int | None, value: str) -> None:
        where = Problem(name, "", field, op, key, group)
        values = split_list(value) if op in LISTS else [value]
        if field != "labels" and key is not None:
            raise _wrong(msgspec.structs.replace(where, message=f"{field} takes no key in brackets"))
        if field == "labels" and key is None:
            pairs = [_label(where, one) for one in values]
            if op not in MERGED:
                ((key, values[0]),) = pairs
        place = _Place(field, op, key, group, 0 if op in MERGED else len(self._merged) + 1)
        self._merged.setdefault(place, []).extend(values)

    def reading(self) -> Reading:
        """What came of it."""
        top = _Level()
        levels: dict[int, _Level] = {}
        for place, values in list(self._merged.items())[:CONDITIONS_MAX]:
            level = top if place.group is None else levels.setdefault(place.group, _Level())
            self._problems += level.take(place, values)
        groups = [group for number in sorted(levels) for group in levels[number].alternatives()]
        if top.either:
            groups = [(*group, *one) for group in groups or [()] for one in top.choices()]
        count = max(len(self._merged), len(top.all) + sum(map(len, groups)))
        if count > CONDITIONS_MAX:
            message = f"expected at most {CONDITIONS_MAX} conditions, got {count}"
            self._problems.append(Problem("filters", message))
        made = tuple(group for group in groups if group)
        return Reading(Filters(tuple(top.all), made, self._dates), tuple(self._problems))


class _Level:
    """What stands beside each other, in a group or outside of all: ``all`` of it must hold, and one of each
    ``either``."""

    def __init__(self) -> None:
        self.all: list[Condition] = []
        self.either: list[list[Condition]] = []

    def take(self, place: _Place, values: list[str]) -> list[Problem]:
        """A condition; what is wrong with it. One about labels of several keys is one for each key."""
        found = _by_key(place, values)
        problems = [problem for one in found if (problem := _check(one, place.group)) is not None]
        if problems:
            return problems
        if place.op is Op.IN and len(found) > 1:
            self.either.append(found)
        else:
            self.all += found
        return []

    def choices(self) -> Iterator[tuple[Condition, ...]]:
        """Every way to take one of each ``either``, few more than may be."""
        return islice(product(*self.either), CONDITIONS_MAX + 1)

    def alternatives(self) -> Iterator[tuple[Condition, ...]]:
        """The groups of which one must hold."""
        return ((*self.all, *choice) for choice in self.choices())


def _by_key(place: _Place, values: list[str]) -> list[Condition]:
    if place.field != "labels" or place.key is not None:
        return [Condition(place.field, place.op, tuple(values), place.key)]
    keys: dict[str, list[str]] = {}
    for value in values:
        key, _, rest = value.partition(":")
        keys.setdefault(key, []).append(rest)
    found = [Condition(place.field, place.op, tuple(some), key) for key, some in keys.items()]
    return found or [Condition(place.field, place.op, ())]


def _label(where: Problem, value: str) -> tuple[str, str]:
    key, colon, rest = value.partition(":")
    if not colon or not key:
        raise _wrong(msgspec.structs.replace(where, message=f"expected a label as key:value, got {value!r}"))
    return key, rest


def _check(condition: Condition, group: int | None) -> Problem | None:
    values = FIELDS[condition.field].values
    where = Problem(_name(condition, group), "", condition.field, condition.op, condition.key, group, values)
    if not 0 < len(condition.values) <= VALUES_MAX:
        few = "expected at least one value" if not condition.values else f"expected at most {VALUES_MAX:,} values"
        return msgspec.structs.replace(where, message=few)
    try:
        wanted(condition)
    except ValueError as error:
        return msgspec.structs.replace(where, message=str(error))
    return None


def _wrong(problem: Problem) -> FilterError:
    return FilterError(problem.part, problem.message, (problem,))


def plain(filters: Filters) -> tuple[Condition, ...]:
    """The conditions, for a list that knows no groups. Raises ``FilterError`` when there are some."""
    if filters.groups:
        raise FilterError("filters[or]", "groups of filters are for executions")
    return filters.conditions


# -- to the wire


def to_query_string(filters: Filters) -> str:
    """The wire form; ``parse_query_string`` gives the same filters back."""
    places: list[tuple[int | None, Condition]] = [(None, c) for c in _distinct(filters.conditions)]
    places += [(number, c) for number, group in enumerate(filters.groups) for c in _distinct(group)]
    parts = [f"{quote(_name(c, group), safe='[]')}={quote(_value(c), safe=',:')}" for group, c in places]
    return "&".join([*parts, *([f"{_DATES}={filters.dates}"] if filters.dates else [])])


def _distinct(conditions: Iterable[Condition]) -> Iterable[Condition]:
    """The same with one list where there are several of one place: on the wire those would be added up."""
    found: dict[object, Condition] = {}
    for number, condition in enumerate(conditions):
        place = (condition.field, condition.op, condition.key) if condition.op in MERGED else number
        known = found.get(place)
        found[place] = condition if known is None else _both(known, condition)
    return found.values()


def _both(one: Condition, other: Condition) -> Condition:
    """Two lists of one place, both of which must hold."""
    if one.op is Op.NOT_IN:
        values = (*one.values, *other.values)
    else:
        values = tuple(value for value in one.values if value in other.values)
    return msgspec.structs.replace(one, values=values) if values else _NOTHING


def _value(condition: Condition) -> str:
    if condition.op not in LISTS:
        return condition.values[0]
    return ",".join(value.replace("\\", "\\\\").replace(",", "\\,") for value in condition.values)


def split_list(value: str) -> list[str]:
    """The values of a list: parted by commas, empty ones left out."""
    return [_ESCAPED.sub(r"\1", piece) for piece in _PIECES.findall(value)]


def _name(condition: Condition, group: int | None = None) -> str:
    key = "" if condition.key is None else f"[{condition.key}]"
    where = "" if group is None else f"[or][{group}]"
    return f"filters{where}[{condition.field}][{condition.op}]{key}"
