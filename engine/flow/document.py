"""A YAML document as plain values, and where in the text each of them stands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer, ComposerError
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
        self._root = _compose(source, size.max_bytes)
        self._problems: list[Violation] = []
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
            for key, value in _children(node):
                if key.value == step if isinstance(key, ScalarNode) else key == step:
                    block = isinstance(key, ScalarNode) and not isinstance(value, ScalarNode)
                    node, mark = value, key.start_mark if block else value.start_mark
                    break
            else:
                break
        return mark.line + 1, mark.column + 1

    def key_position(self, path: Sequence[str | int]) -> tuple[int, int]:
        """Line and column of the key that ``path`` ends with, or of the nearest thing around it."""
        *around, last = path
        node: Node | None = self._root
        for step in around:
            node = next((v for k, v in _children(node) if _key(k) == step), None) if node else None
        mark = next((k.start_mark for k, _ in _children(node) if isinstance(k, Node) and k.value == last), None)
        return (mark.line + 1, mark.column + 1) if mark else self.position(path)

    def violation(self, path: Sequence[str | int], message: str) -> Violation:
        """A problem with the value at ``path``."""
        return Violation(*self.position(path), path_text(path), message)

    def _problem(self, mark: StringMark, path: Path, message: str) -> None:
        self._problems.append(Violation(mark.line + 1, mark.column + 1, path_text(path), message))

    def _value(self, node: Node, path: Path) -> Any:
        self._left -= 1
        if len(path) > MAX_DEPTH or self._left < 0:
            values = f"{self._most:,} values (WATCHFLOOR_FLOW_MAX_VALUES)"
            most = f"{MAX_DEPTH} levels of nesting" if self._left >= 0 else values
            self._problem(node.start_mark, (), f"expected at most {most}, aliases counted; make the file smaller")
            raise FlowError(self._problems)
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


def _key(key: Node | int) -> str | int | None:
    return key if isinstance(key, int) else key.value if isinstance(key, ScalarNode) else None


def _children(node: Node | None) -> Iterator[tuple[Node | int, Node]]:
    if isinstance(node, MappingNode):
        yield from node.value
    elif isinstance(node, SequenceNode):
        yield from enumerate(node.value)


def _complex_key(key: Node) -> str:
    if isinstance(key, MappingNode):
        return 'expected text, came a mapping as a key; put an expression in quotes: "{{ … }}"'
    return "expected text as a key, came a list"


class _Composer(Composer):
    """Stops at too deep a nesting while it reads, before that costs anything."""

    _depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            mark = self.parser.peek_event().start_mark
            raise ComposerError(None, None, f"expected at most {MAX_DEPTH} levels of nesting", mark)
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


def _compose(source: str, max_bytes: int) -> Node:
    size = len(source.encode("utf-8", "surrogatepass"))
    if size > max_bytes:
        most = f"{max_bytes:,} bytes (WATCHFLOOR_FLOW_MAX_BYTES)"
        raise FlowError([Violation(1, 1, "", f"expected at most {most}, came {size:,}")])
    try:
        yaml = YAML(typ="safe", pure=True)
        yaml.Composer = _Composer
        root = yaml.compose(source)
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
