"""Pebble's way of writing into the tokens Jinja's parser reads, each with its line and column.

A position is one integer (``line << 16 | column``), so that Jinja carries it wherever it carries a line number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from jinja2.lexer import Token

from engine.expressions.errors import ExpressionError
from engine.expressions.limits import MAX_TOKENS

_OPEN = re.compile(r"\{\{|\{%|(?<!\$)\{#(?=.*?#\})", re.DOTALL)
_RAW = re.compile(r"\{%-?\s*(raw|verbatim)\s*(-?)%\}")
_END = {"raw": re.compile(r"\{%(-?)\s*endraw\s*(-?)%\}"), "verbatim": re.compile(r"\{%(-?)\s*endverbatim\s*(-?)%\}")}
_TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<name>[^\W\d]\w*)
    |(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?[lL]?)
    |(?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    |(?P<operator>\?\?\?|\?\?|\*\*|//|==|!=|>=|<=|\|\||&&|\.\.|[-+*/%~|.,:;?()\[\]{}=<>])""",
    re.VERBOSE | re.DOTALL,
)
_OPERATORS = {
    "???": "if_undefined", "??": "coalesce", "?": "question", "..": "range", "**": "pow", "//": "floordiv",
    "==": "eq", "!=": "ne", ">=": "gteq", "<=": "lteq", ">": "gt", "<": "lt", "=": "assign",
    "+": "add", "-": "sub", "*": "mul", "/": "div", "%": "mod", "~": "tilde", "|": "pipe", ".": "dot",
    ",": "comma", ":": "colon", ";": "semicolon", "(": "lparen", ")": "rparen", "[": "lbracket",
    "]": "rbracket", "{": "lbrace", "}": "rbrace",
}  # fmt: skip
_WORDS = {"null": "none", "NULL": "none", "elseif": "elif"}
_SIGNS = {"||": "or", "&&": "and"}
_CLOSES = {")": "(", "]": "[", "}": "{"}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", "'": "'", '"': '"', "/": "/"}
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_MAX_NESTING = 60


def has_expression(text: str) -> bool:
    """Whether ``text`` is more than text."""
    return "{{" in text or "{%" in text


def position(line: int, column: int) -> int:
    """Line and column as one integer."""
    return line << 16 | min(column, 0xFFFF)


def line_column(place: int | None) -> tuple[int, int]:
    """Line and column of a position."""
    return (place >> 16, place & 0xFFFF) if place and place > 0xFFFF else (place or 0, 0)


def tokens(source: str) -> list[Token]:
    """Jinja's tokens of a template in Pebble or Jinja style."""
    result: list[Token] = []
    for token in _Reader(source).read():
        result.append(token)
        if len(result) > MAX_TOKENS:
            raise ExpressionError(f"a template may have {MAX_TOKENS:,} tokens", *line_column(token.lineno))
    return result


class _Reader:
    def __init__(self, source: str) -> None:
        self.source = source
        self.at = 0
        self.trim_next = False
        self._line = 1
        self._line_start = 0
        self._counted = 0

    def place(self, index: int) -> int:
        """Position of ``index``; indexes must rise."""
        newlines = self.source.count("\n", self._counted, index)
        if newlines:
            self._line += newlines
            self._line_start = self.source.rfind("\n", 0, index) + 1
        self._counted = max(index, self._counted)
        return position(self._line, index - self._line_start + 1)

    def fail(self, message: str, index: int) -> ExpressionError:
        return ExpressionError(message, *line_column(self.place(index)))

    def read(self) -> Iterator[Token]:
        while self.at < len(self.source):
            opening = _OPEN.search(self.source, self.at)
            end = opening.start() if opening else len(self.source)
            trim = bool(opening) and self.source.startswith("-", end + 2)
            yield from self.text(self.at, end, trim)
            if opening is None:
                return
            yield from self.tag(opening.group(), end)

    def text(self, start: int, end: int, trim: bool) -> Iterator[Token]:
        text = self.source[start:end]
        if self.trim_next:
            text = text.lstrip()
        if trim:
            text = text.rstrip()
        self.trim_next = False
        if text:
            yield Token(self.place(start), "data", text)

    def tag(self, opening: str, start: int) -> Iterator[Token]:
        raw = _RAW.match(self.source, start)
        if opening == "{#":
            end = self.source.index("#}", start)
            self.trim_next = self.source[end - 1] == "-"
            self.at = end + 2
        elif raw:
            yield from self.verbatim(raw, start)
        else:
            kind, closing = ("variable", "}}") if opening == "{{" else ("block", "%}")
            place = self.place(start)
            self.at = start + 2 + self.source.startswith("-", start + 2)
            yield Token(place, f"{kind}_begin", opening)
            yield from self.expression(closing, place)
            yield Token(self.place(self.at - 2), f"{kind}_end", closing)

    def verbatim(self, raw: re.Match[str], start: int) -> Iterator[Token]:
        end = _END[raw[1]].search(self.source, raw.end())
        if end is None:
            raise self.fail(f"'{{% {raw[1]} %}}' has no '{{% end{raw[1]} %}}'", start)
        self.trim_next = raw[2] == "-"
        yield from self.text(raw.end(), end.start(), end[1] == "-")
        self.trim_next = end[2] == "-"
        self.at = end.end()

    def expression(self, closing: str, opened: int) -> Iterator[Token]:
        open_brackets: list[str] = []
        before = ""
        while True:
            if not open_brackets and self.ends(closing):
                return
            match = _TOKEN.match(self.source, self.at)
            if match is None:
                raise self.unreadable(closing, opened)
            self.at = match.end()
            text = match.group()
            if match.lastgroup == "space":
                continue
            place = self.place(match.start())
            if before == "." and match.lastgroup == "number" and not text.isdigit():
                text = text.split(".")[0]  # a.0.b
                self.at = match.start() + len(text)
            self.nest(open_brackets, text, match)
            yield _token(match.lastgroup or "", text, place, before)
            before = text

    def nest(self, brackets: list[str], text: str, match: re.Match[str]) -> None:
        if text in ("(", "[", "{"):
            brackets.append(text)
            if len(brackets) > _MAX_NESTING:
                raise self.fail(f"brackets are nested deeper than {_MAX_NESTING}", match.start())
        elif text in _CLOSES and (not brackets or brackets.pop() != _CLOSES[text]):
            raise self.fail(f"'{text}' closes nothing", match.start())

    def ends(self, closing: str) -> bool:
        for trim, mark in ((False, closing), (True, "-" + closing)):
            if self.source.startswith(mark, self.at):
                self.trim_next = trim
                self.at += len(mark)
                return True
        return False

    def unreadable(self, closing: str, opened: int) -> ExpressionError:
        if self.at >= len(self.source):
            opening = "{{" if closing == "}}" else "{%"
            return ExpressionError(f"'{opening}' is never closed by '{closing}'", *line_column(opened))
        sign = self.source[self.at]
        what = "a text that is never closed" if sign in "\"'" else f"unexpected {sign!r}"
        return self.fail(what, self.at)


def _token(group: str, text: str, place: int, before: str) -> Token:
    if group == "name":
        return Token(place, "name", text if before == "." else _WORDS.get(text, text))
    if group == "string":
        return Token(place, "string", unescape(text[1:-1]))
    if group == "number":
        return _number(text.rstrip("lL"), place)
    if text in _SIGNS:
        return Token(place, "name", _SIGNS[text])
    return Token(place, _OPERATORS[text], text)


def _number(text: str, place: int) -> Token:
    if text.isdigit():
        if len(text) > 1000:
            raise ExpressionError("a number has more than 1,000 digits", *line_column(place))
        return Token(place, "integer", int(text))  # type: ignore[arg-type]
    return Token(place, "float", float(text))  # type: ignore[arg-type]


def unescape(text: str) -> str:
    r"""``\n``, ``\t``, ``\uXXXX``, quotes and backslashes; any other backslash stays (``\d`` of a pattern)."""

    def replace(match: re.Match[str]) -> str:
        sign = match[1]
        if len(sign) > 1:
            return chr(int(sign[1:], 16))
        return _ESCAPES.get(sign, match[0])

    return _ESCAPE.sub(replace, text) if "\\" in text else text
