"""Jinja's parser with Pebble's operators and precedences on top.

From loose to tight: ``? :``, or, and, not, comparisons (with ``contains``, ``matches``, ``is``), ``+ -``, ``* / %``,
``**``, ``|`` filters, then ``~``, ``??``, ``???`` and ``..``. Hidden filters (``wf_…``) carry what Jinja has no node
for.
"""

from __future__ import annotations

from typing import Any

from jinja2 import nodes
from jinja2.lexer import TokenStream
from jinja2.parser import Parser

TAGS = frozenset({"for", "if", "set", "macro", "filter", "with", "call", "print"})
SCOPE = "wf_scope"
_COMPARISONS = frozenset({"eq", "ne", "lt", "lteq", "gt", "gteq"})
_WORDS = {"contains": "wf_contains", "matches": "wf_matches"}
_TIGHT = {"tilde": "wf_concat", "coalesce": "wf_coalesce", "if_undefined": "wf_if_undefined", "range": "wf_range"}
_FROM_ZERO = {"index": "index0", "revindex": "revindex0", "index1": "index"}


def apply(name: str, node: nodes.Expr, *args: nodes.Expr, lineno: int | None = None) -> nodes.Filter:
    """A filter applied to a node."""
    return nodes.Filter(node, name, list(args), [], None, None, lineno=lineno or node.lineno)


class _Given:
    """An environment for as long as a parser is made: it has the tokens already."""

    def __init__(self, environment: Any, stream: TokenStream) -> None:
        self._environment = environment
        self._stream = stream

    def _tokenize(self, *args: Any) -> TokenStream:
        return self._stream

    def iter_extensions(self) -> Any:
        return self._environment.iter_extensions()


class PebbleParser(Parser):
    """Reads the tokens of ``translate.tokens``."""

    def __init__(self, environment: Any, stream: TokenStream) -> None:
        super().__init__(_Given(environment, stream), "")
        self.environment = environment

    def parse_statement(self) -> Any:
        token = self.stream.current
        if token.type != "name" or token.value not in TAGS:
            known = ", ".join(sorted(TAGS))
            self.fail(f"'{{% {token.value} %}}' is not known; there are: {known}", token.lineno)
        return super().parse_statement()

    def parse_for(self) -> nodes.For:
        node = super().parse_for()
        if node.recursive:
            self.fail("recursive loops are not supported", node.lineno)
        node.iter = apply("wf_each", node.iter)
        return node

    def parse_condexpr(self) -> nodes.Expr:
        node = super().parse_condexpr()
        if not self.stream.skip_if("question"):
            return node
        then = self.parse_condexpr()
        self.stream.expect("colon")
        return nodes.CondExpr(node, then, self.parse_condexpr(), lineno=node.lineno)

    def parse_compare(self) -> nodes.Expr:
        left = self._tests(self.parse_math1())
        operands: list[nodes.Operand] = []
        while (token := self.stream.current).type != "eof":
            if token.type in _COMPARISONS:
                operator = token.type
            elif token.test_any("name:equals", "name:in"):
                operator = "eq" if token.value == "equals" else "in"
            elif token.test("name:not") and self.stream.look().test("name:in"):
                next(self.stream)
                operator = "notin"
            elif token.type == "name" and token.value in _WORDS:
                next(self.stream)
                left = apply(_WORDS[token.value], _compared(left, operands), self.parse_math1(), lineno=token.lineno)
                operands = []
                continue
            else:
                break
            next(self.stream)
            operands.append(nodes.Operand(operator, self._tests(self.parse_math1()), lineno=token.lineno))
        return _compared(left, operands)

    def _tests(self, node: nodes.Expr) -> nodes.Expr:
        while self.stream.current.test("name:is"):
            node = self.parse_test(node)
        return node

    def parse_math1(self) -> nodes.Expr:
        return self._binary({"add": nodes.Add, "sub": nodes.Sub}, self.parse_math2)

    def parse_math2(self) -> nodes.Expr:
        table = {"mul": nodes.Mul, "div": nodes.Div, "floordiv": nodes.FloorDiv, "mod": nodes.Mod}
        return self._binary(table, self.parse_pow)

    def parse_pow(self) -> nodes.Expr:
        return self._binary({"pow": nodes.Pow}, self.parse_unary)

    def _binary(self, table: dict[str, Any], operand: Any) -> nodes.Expr:
        left = operand()
        while (kind := table.get(self.stream.current.type)) is not None:
            lineno = next(self.stream).lineno
            left = kind(left, operand(), lineno=lineno)
        return left

    def parse_unary(self, with_filter: bool = True) -> nodes.Expr:
        node = self._operand()
        if with_filter:
            node = self.parse_filter_expr(node)
        return node

    def _operand(self) -> nodes.Expr:
        token = self.stream.current
        if token.type in ("sub", "add"):
            next(self.stream)
            kind = nodes.Neg if token.type == "sub" else nodes.Pos
            return kind(self._operand(), lineno=token.lineno)
        return self._tight(self.parse_postfix(self.parse_primary()))

    def _tight(self, node: nodes.Expr) -> nodes.Expr:
        while (name := _TIGHT.get(self.stream.current.type)) is not None:
            lineno = next(self.stream).lineno
            sign = self.stream.current.type
            other = self._operand() if sign in ("sub", "add") else self.parse_postfix(self.parse_primary())
            node = apply(name, node, other, lineno=lineno)
        return node

    def parse_filter_expr(self, node: nodes.Expr) -> nodes.Expr:
        while True:
            kind = self.stream.current.type
            if kind == "pipe":
                node = self.parse_filter(node)  # type: ignore[assignment]
            elif kind in ("lparen", "lbracket", "dot"):
                node = self.parse_postfix(node)
            elif kind in _TIGHT:
                node = self._tight(node)
            else:
                return node

    def parse_subscript(self, node: nodes.Expr) -> nodes.Getattr | nodes.Getitem:
        place = self.stream.look().lineno if self.stream.current.type == "dot" else self.stream.current.lineno
        result = super().parse_subscript(node)
        result.lineno = place
        if isinstance(result, nodes.Getattr) and isinstance(node, nodes.Name) and node.name == "loop":
            result.attr = _FROM_ZERO.get(result.attr, result.attr)
        return result

    def parse_list(self) -> Any:
        return _measured(super().parse_list())

    def parse_dict(self) -> Any:
        return _measured(super().parse_dict())

    def parse_tuple(self, simplified: bool = False, **options: Any) -> Any:
        node = super().parse_tuple(simplified, **options)
        return node if simplified else _measured(node)


def _compared(left: nodes.Expr, operands: list[nodes.Operand]) -> nodes.Expr:
    return nodes.Compare(left, operands, lineno=left.lineno) if operands else left


def _measured(node: nodes.Expr) -> nodes.Expr:
    if isinstance(node, nodes.Dict):
        parts = [part for pair in node.items for part in (pair.key, pair.value)]
    elif isinstance(node, (nodes.List, nodes.Tuple)):
        parts = node.items
    else:
        return node
    return node if all(isinstance(part, nodes.Const) for part in parts) else apply("wf_measured", node)


def share_assignments(template: nodes.Template) -> nodes.Template:
    """Let ``set`` inside a loop change the variable set before the loop, as Pebble does.

    Names set both inside and outside of loops move to a namespace that the whole template shares.
    """
    inside = {assign.target.name for loop in template.find_all(nodes.For) for assign in _assigned(loop)}
    if not inside:
        return template
    shared = {assign.target.name for assign in _assigned(template, stop=nodes.For)} & inside
    if not shared:
        return template
    _share(template, shared)
    scope = nodes.Assign(nodes.Name(SCOPE, "store", lineno=1), apply("wf_namespace", nodes.Const(None, lineno=1)))
    scope.lineno = 1
    template.body.insert(0, scope)
    return template


def _assigned(node: nodes.Node, stop: type[nodes.Node] | None = None) -> list[nodes.Assign]:
    found: list[nodes.Assign] = []
    for child in node.iter_child_nodes():
        if stop is not None and isinstance(child, stop):
            continue
        if isinstance(child, nodes.Assign) and isinstance(child.target, nodes.Name):
            found.append(child)
        elif not isinstance(child, nodes.Macro):
            found.extend(_assigned(child, stop))
    return found


def _share(node: nodes.Node, shared: set[str]) -> None:
    for field, value in list(node.iter_fields()):
        if isinstance(value, list):
            setattr(node, field, [_shared(item, shared) for item in value])
        else:
            setattr(node, field, _shared(value, shared))


def _shared(value: Any, shared: set[str]) -> Any:
    if not isinstance(value, nodes.Node) or isinstance(value, nodes.Macro):
        return value
    if isinstance(value, nodes.Name) and value.name in shared:
        if value.ctx == "store":
            return nodes.NSRef(SCOPE, value.name, lineno=value.lineno)
        scope = nodes.Name(SCOPE, "load", lineno=value.lineno)
        here = nodes.Getattr(scope, value.name, "load", lineno=value.lineno)
        return apply("wf_if_undefined", here, value)
    if isinstance(value, nodes.For):
        targets = {name.name for name in [value.target, *value.target.find_all(nodes.Name)] if hasattr(name, "name")}
        value.iter = _shared(value.iter, shared)
        shared = shared - targets
        value.body = [_shared(item, shared) for item in value.body]
        value.else_ = [_shared(item, shared) for item in value.else_]
        return value
    _share(value, shared)
    return value
