"""Which names of the context a value's expressions use, so that a job carries no more than it needs."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec
from jinja2 import nodes

_KINDS = ("outputs", "inputs", "vars")
_FOLLOWS = frozenset({"render", "renderOnce"})


class References(msgspec.Struct, frozen=True):
    """Names used. ``names`` are top-level (``outputs``, ``taskrun``, …); ``outputs`` are task ids, ``inputs`` and
    ``vars`` first-level names; the ``all_`` flags say that something uses the whole of it, or a name not known
    before it runs. ``renders``: it evaluates texts it gets from elsewhere."""

    names: frozenset[str] = frozenset()
    outputs: frozenset[str] = frozenset()
    inputs: frozenset[str] = frozenset()
    vars: frozenset[str] = frozenset()
    all_outputs: bool = False
    all_inputs: bool = False
    all_vars: bool = False
    renders: bool = False

    def __or__(self, other: References) -> References:
        return References(*(mine | theirs for mine, theirs in zip(_fields(self), _fields(other), strict=True)))


def _fields(record: References) -> tuple[Any, ...]:
    return tuple(getattr(record, name) for name in References.__struct_fields__)


NONE = References()


def references(value: Any, variables: Mapping[str, Any] | None = None) -> References:
    """Names used by the expressions of a text, or of all texts in a nested value.

    With ``variables`` (the flow's), what ``render`` can reach through them counts too. A text that can't be read
    refers to nothing: evaluating it says why.
    """
    found = NONE
    for text in _texts(value):
        found |= of_template(text)
    if found.renders and variables:
        found |= msgspec.structs.replace(references(variables), renders=True)
    return found


def _texts(value: Any) -> Any:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _texts(key)
            yield from _texts(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts(item)


@lru_cache(4096)
def of_template(source: str) -> References:
    """Names used by one template."""
    from engine.expressions.errors import ExpressionError
    from engine.expressions.evaluator import syntax_tree
    from engine.expressions.translate import has_expression

    if not has_expression(source):
        return NONE
    try:
        tree = syntax_tree(source)
    except ExpressionError:
        return NONE
    return _of_tree(tree)


def _of_tree(tree: nodes.Node) -> References:
    names: set[str] = set()
    used: dict[str, set[str]] = {kind: set() for kind in _KINDS}
    whole: dict[str, bool] = dict.fromkeys(_KINDS, False)

    def visit(node: nodes.Node) -> None:
        if isinstance(node, nodes.Name):
            names.add(node.name)
            whole[node.name] = True
            return
        kind, key = _first_level(node)
        if kind is None:
            for child in node.iter_child_nodes():
                visit(child)
            return
        names.add(kind)
        if key is None:
            whole[kind] = True
            visit(node.arg)  # type: ignore[attr-defined]
        elif kind in used:
            used[kind].add(key)

    visit(tree)
    if "errorLogs" in names:
        names.add("error")
    return References(
        frozenset(names),
        *(frozenset(used[kind]) for kind in _KINDS),
        *(whole[kind] for kind in _KINDS),
        renders=bool(names & _FOLLOWS),
    )


def _first_level(node: nodes.Node) -> tuple[str | None, str | None]:
    """(top-level name, its attribute) of ``name.attribute`` or ``name['attribute']``; a key not known is ``None``."""
    if isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name):
        return node.node.name, node.attr
    if isinstance(node, nodes.Getitem) and isinstance(node.node, nodes.Name):
        arg = node.arg
        return node.node.name, str(arg.value) if isinstance(arg, nodes.Const) else None
    return None, None
