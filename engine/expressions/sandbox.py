"""The Jinja sandbox in which expressions run: strict names, items before attributes, and a table of safe methods."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import Any

from jinja2 import nodes, pass_context
from jinja2.compiler import CodeGenerator
from jinja2.lexer import TokenStream
from jinja2.runtime import Context, LoopContext, Macro, Undefined, missing
from jinja2.sandbox import SandboxedEnvironment
from jinja2.utils import Namespace

from engine.expressions.errors import ExpressionError
from engine.expressions.limits import running
from engine.expressions.operators import BINARY
from engine.expressions.parser import PebbleParser
from engine.expressions.values import Entry, Missing, MissingName, as_text, measure, to_text

_LAZY = {"wf_coalesce": "coalesce", "wf_if_undefined": "if_undefined"}
_LOOP = frozenset({"index", "index0", "revindex0", "first", "last", "length", "previtem", "nextitem", "cycle"})
_DATE = frozenset({"year", "month", "day", "hour", "minute", "second", "microsecond"})


class ExpressionContext(Context):
    """Names are looked up in what the template set, the given mapping (never copied), then the functions."""

    def resolve_or_missing(self, key: str) -> Any:
        if key in self.vars:
            return self.vars[key]
        try:
            return self.parent[key]
        except KeyError:
            return self.environment.globals.get(key, missing)


class _Generator(CodeGenerator):
    """Python source of a template; the two sides of ``??`` become functions, so that only what is needed runs."""

    def visit_Filter(self, node: nodes.Filter, frame: Any) -> None:
        method = _LAZY.get(node.name)
        if method is None:
            super().visit_Filter(node, frame)
            return
        self.write(f"environment.{method}((lambda: ")
        self.visit(node.node, frame)
        self.write("), (lambda: ")
        self.visit(node.args[0], frame)
        self.write("))")


class Sandbox(SandboxedEnvironment):
    """The environment all templates are compiled in."""

    code_generator_class = _Generator
    context_class = ExpressionContext
    intercepted_binops = frozenset(BINARY)

    def __init__(self) -> None:
        super().__init__(undefined=Missing, optimized=False, cache_size=0, finalize=pass_context(_finalize))
        self.globals = {}
        self.filters = {}
        self.tests = {}
        self.methods: dict[type, dict[str, Callable[..., Any]]] = {}

    def read(self, tokens: Iterable[Any]) -> nodes.Template:
        """The syntax tree of tokens."""
        return PebbleParser(self, TokenStream(tokens, None, None)).parse()

    # -- what generated code calls

    @staticmethod
    def concat(parts: Iterable[str]) -> str:
        """Join the pieces of a macro or a filter block, within the cap."""
        budget = running()
        pieces: list[str] = []
        size = 0
        for part in parts:
            size += len(part)
            budget.fits(size)
            pieces.append(part)
        text = "".join(pieces)
        measure(text, budget)
        return text

    @staticmethod
    def coalesce(left: Callable[[], Any], right: Callable[[], Any]) -> Any:
        """``left ?? right``: left unless it is null or missing."""
        value = Sandbox.if_undefined(left, lambda: None)
        return right() if value is None else value

    @staticmethod
    def if_undefined(left: Callable[[], Any], right: Callable[[], Any]) -> Any:
        """``left ??? right``: left unless it is missing."""
        try:
            value = left()
        except MissingName:
            return right()
        return right() if isinstance(value, Undefined) else value

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        for side in (left, right):
            if isinstance(side, Undefined):
                side._fail_with_undefined_error()
        return BINARY[operator](left, right)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """``obj.attribute``: an item of a map, a safe method, or a missing name."""
        kind = type(obj)
        if kind is dict or isinstance(obj, Mapping):
            try:
                return obj[attribute]
            except KeyError:
                return self._method(dict, obj, attribute)
        if isinstance(obj, Undefined):
            return obj
        if kind is Entry and attribute in ("key", "value"):
            return obj.key if attribute == "key" else obj.value
        if kind is Namespace:
            found = obj._Namespace__attrs.get(attribute, missing)
            return Missing(obj=obj, name=attribute) if found is missing else found
        if kind is LoopContext and attribute in _LOOP:
            return getattr(obj, attribute)
        if isinstance(obj, datetime) and attribute in _DATE:
            return getattr(obj, attribute)
        return self._method(str if isinstance(obj, str) else kind, obj, attribute)

    def _method(self, kind: type, obj: Any, attribute: str) -> Any:
        method = self.methods.get(kind, {}).get(attribute)
        return partial(method, obj) if method else Missing(obj=obj, name=attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """``obj[argument]``: an item of a map (numbers find text keys), list or text."""
        if isinstance(argument, Undefined):
            argument._fail_with_undefined_error()
        if isinstance(obj, Undefined):
            return obj
        if isinstance(obj, Mapping):
            return self._of_map(obj, argument)
        if isinstance(obj, (list, tuple, str)):
            if isinstance(argument, str) and argument.lstrip("-").isdigit() and len(argument) < 10:
                argument = int(argument)
            if isinstance(argument, (int, slice)):
                try:
                    return obj[argument]
                except IndexError:
                    return Missing(obj=obj, name=argument)
        return self.getattr(obj, argument) if isinstance(argument, str) else Missing(obj=obj, name=argument)

    @staticmethod
    def _of_map(obj: Mapping[Any, Any], argument: Any) -> Any:
        try:
            return obj[argument]
        except (KeyError, TypeError):
            pass
        try:
            return obj[as_text(argument)]
        except (KeyError, TypeError):
            return Missing(obj=obj, name=argument)

    def is_safe_callable(self, obj: Any) -> bool:
        return type(obj) in (Function, partial, Macro) or type(getattr(obj, "__self__", None)) is LoopContext

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:
        running().tick()
        if isinstance(__obj, Undefined):
            __obj._fail_with_undefined_error()
        if not __self.is_safe_callable(__obj):
            raise ExpressionError("only functions can be called")
        return super().call(__context, __obj, *args, **kwargs)


class Function:
    """A function of expressions: checked arguments, measured result."""

    def __init__(self, name: str, body: Callable[..., Any]) -> None:
        self.name = name
        self.body = body

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.body(*args, **kwargs)


def _finalize(context: Context, value: Any) -> str:
    return to_text(value)
