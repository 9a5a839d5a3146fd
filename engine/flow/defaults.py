"""``pluginDefaults``: values that a flow gives to all its tasks and triggers of a type, or of the types below it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

Path = tuple[str | int, ...]
KEY = "pluginDefaults"


class Default(NamedTuple):
    """One well-formed item of the list, at its ``index``."""

    index: int
    type: str
    values: dict[str, Any]
    forced: bool

    def fits(self, name: str) -> bool:
        """Whether it is for the type ``name``."""
        return name == self.type or name.startswith(f"{self.type.removesuffix('.')}.")


class Defaults:
    """All of a flow's. The longer a type, the more it counts; of equal ones the later.

    ``names_of(type)`` gives all names a type has or had.
    """

    def __init__(self, given: Any, names_of: Callable[[str], Iterable[str]]) -> None:
        self._names_of = names_of
        items = enumerate(given if isinstance(given, list) else [])
        found = [
            Default(index, item["type"], item["values"], item.get("forced") is True)
            for index, item in items
            if isinstance(item, dict) and isinstance(item.get("type"), str) and isinstance(item.get("values"), dict)
        ]
        self._items = sorted(found, key=lambda one: len(one.type))

    def __bool__(self) -> bool:
        return bool(self._items)

    def __iter__(self) -> Iterator[Default]:
        return iter(self._items)

    def fill(self, own: dict[str, Any]) -> dict[str, Any]:
        """``own`` keys over the defaults for its type, and under those that are forced.

        Mappings are merged key by key.
        """
        below: dict[str, Any] = {}
        above: dict[str, Any] = {}
        for item in self._of(own):
            if item.forced:
                above = merged(above, item.values)
            else:
                below = merged(below, item.values)
        return merged(merged(below, own), above) if below or above else own

    def origin(self, data: Any, path: Path) -> Path:
        """Where the value at ``path`` is written: among the defaults if it came from there."""
        found = path
        for cut in range(len(path)):
            if isinstance(data, dict):
                found = self._written(data, path, cut) or found
            data = _step(data, path[cut])
        return found

    def _written(self, own: dict[str, Any], path: Path, cut: int) -> Path | None:
        rest = path[cut:]
        for item in reversed(list(self._of(own))):
            if _has(item.values, rest) and (item.forced or not _has(own, rest)):
                return (KEY, item.index, "values", *rest)
        return None

    def _of(self, own: Mapping[str, Any]) -> Iterator[Default]:
        names = tuple(self._names_of(own["type"])) if isinstance(own.get("type"), str) else ()
        return (item for item in self._items if any(item.fits(name) for name in names))


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """``below`` with the keys of ``above``, mappings merged."""
    result = dict(below)
    for key, value in above.items():
        known = result.get(key)
        result[key] = merged(known, value) if isinstance(known, Mapping) and isinstance(value, Mapping) else value
    return result


def _step(data: Any, step: str | int) -> Any:
    if isinstance(data, dict):
        return data.get(step)
    return data[step] if isinstance(data, list) and isinstance(step, int) and step < len(data) else None


def _has(values: Any, path: Path) -> bool:
    """Whether the first key of ``path`` is there, and where it is a mapping, the next ones."""
    for step in path:
        if not isinstance(values, dict):
            return True
        if step not in values:
            return False
        values = values[step]
    return True
