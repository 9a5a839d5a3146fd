"""A YAML document as plain values, and where in the text each of them stands."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer
from ruamel.yaml.error import MarkedYAMLError, StringMark, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from engine.flow.errors import FlowError, Violation, path_text
from engine.flow_size import USUAL, FlowSize

MAX_DEPTH = 100
_PREFIX = "tag:yaml.org,2002:"
Path = tuple[str | int, ...]


class Document:
    """``data`` are the values as dicts, lists, strings, numbers, booleans and None. Dates stay strings."""

    def __init__(self, source: str, size: FlowSize = USUAL) -> None:
        self._root = _compose(source, size)
        self._problems: list[Violation] = []
        self._known: dict[int, dict[str | int, _Child]] = {}
        self._left = self._most = size.max_values
        self.data = self._value(self._root, ())
        if self._problems:
            raise FlowError(self._problems)

    def position(self, path: Sequence[str | int]) -> tuple[int, int]:
        """Line and column, from 1, of the value at ``path``, or of the nearest thing around it that exists.

        A mapping or list inside a mapping is placed at its key, which is where people look for it.
        """
        node, mark = self._root, self._root.start_mark
        for step in path:
            key, value = self._child(node, step)
            if value is None:
                break
            block = key is not None and not isinstance(value, ScalarNode)
            node, mark = value, key.start_mark if block else value.start_mark
        return mark.line + 1, mark.column + 1

    def key_position(self, path: Sequence[str | int]) -> tuple[int, int]:
        """Line and column of the key that ``path`` ends with, or of the nearest thing around it."""
        key, node = None, self._root
        for step in path:
            key, node = self._child(node, step) if node is not None else _NO_CHILD
        return (key.start_mark.line + 1, key.start_mark.column + 1) if key is not None else self.position(path)

    def violation(self, path: Sequence[str | int], message: str) -> Violation:
        """A problem with the value at ``path``."""
        return Violation(*self.position(path), path_text(path), message)

    def _child(self, node: Node, step: str | int) -> _Child:
        """Key and value at ``step``. Each node's are sorted once: many places are asked for in one list."""
        known = self._known.get(id(node))
        if known is None:
            known = self._known[id(node)] = _children(node)
        return known.get(step, _NO_CHILD)

    def _problem(self, mark: StringMark, path: Path, message: str) -> None:
        self._problems.append(Violation(mark.line + 1, mark.column + 1, path_text(path), message))

    def _value(self, node: Node, path: Path) -> Any:
        self._left -= 1
        if len(path) > MAX_DEPTH or self._left < 0:
            raise FlowError([*self._problems, _too_much(node.start_mark, None if self._left >= 0 else self._most)])
        if isinstance(node, MappingNode):
            return self._mapping(node, path)
        if isinstance(node, SequenceNode):
            return [self._value(child, (*path, index)) for index, child in enumerate(node.value)]
        return self._scalar(node, path)

    def _mapping(self, node: MappingNode, path: Path) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        own: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, ScalarNode):
                self._problem(node.start_mark, path, _complex_key(key))
            elif key.value == "<<" and not key.style:
                merged = {**self._merge(value, path), **merged}
            elif key.value in own:
                self._problem(key.start_mark, (*path, key.value), f"the key {key.value!r} stands here twice; keep one")
            else:
                own[key.value] = self._value(value, (*path, key.value))
        return {**merged, **own}

    def _merge(self, node: Node, path: Path) -> dict[str, Any]:
        parts = node.value if isinstance(node, SequenceNode) else [node]
        values = [self._value(part, (*path, "<<")) for part in reversed(parts)]
        if not all(isinstance(value, dict) for value in values):
            self._problem(node.start_mark, (*path, "<<"), "expected a mapping to merge here")
            return {}
        return {key: value for part in values for key, value in part.items()}

    def _scalar(self, node: ScalarNode, path: Path) -> Any:
        tag = str(node.tag)
        if not tag.startswith(_PREFIX) or "python" in tag:
            self._problem(node.start_mark, path, f"the tag {tag.replace(_PREFIX, '!!')} is not known; remove it")
            return None
        reader = _READERS.get(tag.removeprefix(_PREFIX))
        try:
            return reader(node.value) if reader else node.value
        except (ValueError, KeyError) as error:
            self._problem(node.start_mark, path, f"can't read {node.value!r}: {error}; put it in quotes")
            return None


def _integer(text: str) -> int:
    digits = text.replace("_", "")
    number = int(digits, 0) if digits.lstrip("+-")[:2].lower() in ("0x", "0o", "0b") else int(digits)
    if not -(2**63) <= number < 2**63:
        raise ValueError("expected an integer of at most 64 bits")
    return number


def _float(text: str) -> float:
    return float(text.replace("_", "").replace(".inf", "inf").replace(".nan", "nan").replace(".NaN", "nan").lower())


_BOOLEANS = {"true": True, "false": False}
_READERS = {
    "int": _integer,
    "float": _float,
    "bool": lambda text: _BOOLEANS[text.lower()],
    "null": lambda text: None,
}


_Child = tuple[ScalarNode | None, Node | None]
_NO_CHILD: _Child = (None, None)


def _children(node: Node) -> dict[str | int, _Child]:
    """Key (none in a list) and value of each thing in a node; of a key that stands twice, the first."""
    if isinstance(node, MappingNode):
        return {key.value: (key, value) for key, value in reversed(node.value) if isinstance(key, ScalarNode)}
    return {index: (None, value) for index, value in enumerate(node.value)} if isinstance(node, SequenceNode) else {}


def _complex_key(key: Node) -> str:
    if isinstance(key, MappingNode):
        return 'expected text, came a mapping as a key; put an expression in quotes: "{{ … }}"'
    return "expected text as a key, came a list"


def _too_much(mark: StringMark, values: int | None) -> Violation:
    """More than ``values`` of them, or too deep a nesting."""
    most = f"{MAX_DEPTH} levels of nesting" if values is None else f"{values:,} values (WATCHFLOOR_FLOW_MAX_VALUES)"
    message = f"expected at most {most}, aliases counted; make the file smaller"
    return Violation(mark.line + 1, mark.column + 1, "", message)


class _Composer(Composer):
    """Stops at too many values and too deep a nesting while it reads, before those cost anything."""

    def __init__(self, most: int, loader: Any) -> None:
        super().__init__(loader)
        self._left = self._most = most
        self._depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        is_key = index is None and parent is not None
        self._left -= not is_key
        self._depth += 1
        if self._depth > MAX_DEPTH or self._left < 0:
            mark = self.parser.peek_event().start_mark
            raise FlowError([_too_much(mark, None if self._left >= 0 else self._most)])
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


def _compose(source: str, size: FlowSize) -> Node:
    came = len(source.encode("utf-8", "surrogatepass"))
    if came > size.max_bytes:
        most = f"{size.max_bytes:,} bytes (WATCHFLOOR_FLOW_MAX_BYTES)"
        raise FlowError([Violation(1, 1, "", f"expected at most {most}, came {came:,}")])
    try:
        yaml = YAML(typ="safe", pure=True)
        yaml.Composer = partial(_Composer, size.max_values)
        root = yaml.compose(source)
    except FlowError:
        raise
    except ReaderError as error:
        raise FlowError([_reader_violation(source, error)]) from error
    except MarkedYAMLError as error:
        raise FlowError([_syntax_violation(error)]) from error
    except (YAMLError, ValueError) as error:
        raise FlowError([Violation(1, 1, "", f"not YAML: {error}")]) from error
    if root is None:
        raise FlowError([Violation(1, 1, "", "the file is empty; expected a flow with id, namespace and tasks")])
    return root


def _syntax_violation(error: MarkedYAMLError) -> Violation:
    mark = error.problem_mark or error.context_mark
    context = f"{error.context}, " if error.context else ""
    hint = _HINTS.get((error.problem or "").split(",")[0], "")
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    return Violation(line, column, "", f"not YAML: {context}{error.problem or 'unreadable'}{hint}")


_HINTS = {
    "mapping values are not allowed here": "; text that holds a colon and a space needs quotes",
    "found character '\\t' that cannot start any token": "; indent with spaces, not tabs",
    "but found another document": "; one file is one flow: remove the line ---",
    "expected <block end>": "; the indentation differs from the line before",
}


def _reader_violation(source: str, error: ReaderError) -> Violation:
    before = source[: error.position]
    line, column = before.count("\n") + 1, error.position - before.rfind("\n")
    return Violation(
        line, column, "", f"the character U+{_code_point(error.character):04X} can't stand in YAML; remove it"
    )


def _code_point(character: str | int) -> int:
    return character if isinstance(character, int) else ord(character[0])
