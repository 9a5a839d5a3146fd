"""Filters on lists and maps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Any

from jinja2 import Undefined

from engine.expressions.errors import ExpressionError
from engine.expressions.limits import running
from engine.expressions.operators import add
from engine.expressions.values import as_text, each, plain


def items(value: Any) -> list[Any]:
    """A list of the elements: of a list, a map's entries, a text's letters."""
    return value if type(value) is list else list(each(value))


def ticking(values: Iterable[Any]) -> Iterable[Any]:
    """The values, looking at the clock at each."""
    tick = running().tick
    for value in values:
        tick()
        yield value


def first(value: Any) -> Any:
    """The first element; null of nothing."""
    if isinstance(value, Mapping):
        return next((value[key] for key in value), None)
    return value[0] if value else None


def last(value: Any) -> Any:
    """The last element; null of nothing."""
    if isinstance(value, Mapping):
        return value[list(value)[-1]] if value else None
    return value[-1] if value else None


def length(value: Any) -> int:
    """How many elements or letters; 0 for null."""
    if value is None:
        return 0
    return len(as_text(value)) if isinstance(value, (int, float)) else len(value)


def keys(value: Any) -> list[Any]:
    """A map's keys; a list's indexes."""
    return list(value) if isinstance(value, Mapping) else list(range(len(value)))


def values(value: Any) -> list[Any]:
    """A map's values."""
    return [value[key] for key in value] if isinstance(value, Mapping) else list(value)


def merge(value: Any, other: Any) -> Any:
    """Two maps as one (the second wins), or two lists as one."""
    if isinstance(value, Mapping):
        result = {key: value[key] for key in value}
        pairs = other if isinstance(other, Mapping) else {as_text(one): one for one in items(other)}
        result.update({key: pairs[key] for key in pairs})
        return result
    return [*items(value), *(values(other) if isinstance(other, Mapping) else items(other))]


def flatten(value: Any) -> list[Any]:
    """One list of a list of lists, however deep; of a map its values."""
    result: list[Any] = []
    for item in ticking(values(value)):
        if isinstance(item, (list, tuple)):
            result.extend(flatten(item))
        else:
            result.append(item)
    return result


def distinct(value: Any) -> list[Any]:
    """Each element once, in order."""
    seen: set[str] = set()
    result = []
    for item in ticking(items(value)):
        mark = f"{type(item).__name__}:{plain(item, running())!r}"
        if mark not in seen:
            seen.add(mark)
            result.append(item)
    return result


def _order(item: Any) -> tuple[int, Any]:
    if item is None:
        return (0, 0)
    if isinstance(item, (int, float)):
        return (1, item)
    return (2, item) if isinstance(item, str) else (3, repr(plain(item, running())))


def sort(value: Any, attribute: str | None = None, reverse: bool = False) -> list[Any]:
    """Elements in order: null, numbers, texts, the rest by their text."""
    return sorted(items(value), key=lambda item: _order(attribute_of(item, attribute)), reverse=reverse)


def attribute_of(item: Any, path: str | None) -> Any:
    """``a.b`` of an item; null when it is not there."""
    for part in path.split(".") if path else ():
        if isinstance(item, Mapping):
            item = item.get(part)
        elif isinstance(item, (list, tuple)) and part.isdigit() and int(part) < len(item):
            item = item[int(part)]
        else:
            return None
    return item


def chunk(value: Any, size: int) -> list[list[Any]]:
    """Lists of ``size`` elements each."""
    if not isinstance(size, int) or size < 1:
        raise ExpressionError(f"chunk takes a size of 1 or more, got {as_text(size)}")
    source = iter(items(value))
    return list(iter(lambda: list(islice(source, size)), []))


def part(value: Any, start: int | None = None, end: int | None = None) -> Any:
    """``slice(from, to)``: the elements or letters from ``from`` up to, without, ``to``."""
    return (value if isinstance(value, (str, list, tuple)) else items(value))[start:end]


def default(value: Any, other: Any = "", boolean: bool = False) -> Any:
    """``other`` when the value is missing, null or empty."""
    if isinstance(value, Undefined) or value is None:
        return other
    empty = isinstance(value, (str, list, tuple, Mapping)) and not len(value)
    return other if empty or (boolean and not value) else value


def total(value: Any, attribute: str | None = None, start: Any = 0) -> Any:
    """Sum of the elements."""
    result = start
    for item in ticking(items(value)):
        result = add(result, attribute_of(item, attribute))
    return result


def extreme(pick: Callable[..., Any]) -> Callable[..., Any]:
    """``min`` and ``max``, of a list or of several arguments."""

    def choose(*given: Any, attribute: str | None = None) -> Any:
        found = items(given[0]) if len(given) == 1 else list(given)
        return pick(found, key=lambda item: _order(attribute_of(item, attribute)), default=None)

    return choose


def mapped(value: Any, name: str | None = None, *args: Any, attribute: str | None = None, default: Any = None) -> Any:
    """``map('upper')`` applies a filter to each element, ``map(attribute='a.b')`` takes an attribute of each."""
    from engine.expressions.filters import FILTERS

    if name is None:
        found = [attribute_of(item, attribute) for item in ticking(items(value))]
        return [default if one is None else one for one in found]
    if name not in FILTERS:
        raise ExpressionError(f"the filter {name!r} is not known")
    return [FILTERS[name](item, *args) for item in ticking(items(value))]


def chosen(keep: bool, by_attribute: bool) -> Callable[..., list[Any]]:
    """``select``, ``reject``, ``selectattr``, ``rejectattr``."""

    def choose(value: Any, *args: Any) -> list[Any]:
        from engine.expressions.filters import TESTS

        attribute, args = (args[0], args[1:]) if by_attribute else (None, args)
        if args and args[0] not in TESTS:
            raise ExpressionError(f"the test {args[0]!r} is not known")
        test = TESTS[args[0]] if args else lambda item: bool(item)
        found = ticking(items(value))
        return [item for item in found if bool(test(attribute_of(item, attribute), *args[1:])) is keep]

    return choose


def group_by(value: Any, attribute: str) -> dict[str, list[Any]]:
    """Elements by an attribute's text."""
    result: dict[str, list[Any]] = {}
    for item in ticking(items(value)):
        result.setdefault(as_text(attribute_of(item, attribute)), []).append(item)
    return result


def pairs(value: Any) -> list[tuple[Any, Any]]:
    """(key, value) of a map."""
    return [(key, value[key]) for key in value]


FILTERS: dict[str, Callable[..., Any]] = {
    "first": first,
    "last": last,
    "length": length,
    "count": length,
    "keys": keys,
    "values": values,
    "items": pairs,
    "merge": merge,
    "flatten": flatten,
    "distinct": distinct,
    "unique": distinct,
    "sort": sort,
    "rsort": lambda value, attribute=None: sort(value, attribute, reverse=True),
    "reverse": lambda value: value[::-1] if isinstance(value, str) else items(value)[::-1],
    "chunk": chunk,
    "batch": chunk,
    "slice": part,
    "list": lambda value: list(items(value)),
    "sum": total,
    "min": extreme(min),
    "max": extreme(max),
    "map": mapped,
    "select": chosen(True, False),
    "reject": chosen(False, False),
    "selectattr": chosen(True, True),
    "rejectattr": chosen(False, True),
    "groupby": group_by,
    "dictsort": lambda value: sorted(pairs(value), key=lambda pair: _order(pair[0])),
}

METHODS: dict[str, Callable[..., Any]] = {
    "keys": keys,
    "values": values,
    "items": pairs,
    "get": lambda value, key, other=None: value.get(key, other),
}
LIST_METHODS: dict[str, Callable[..., Any]] = {
    "index": lambda value, item: value.index(item),
    "count": lambda value, item: value.count(item),
    "size": length,
}
