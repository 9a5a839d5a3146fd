"""Evaluating: compiled once, run within a budget, every failure an ``ExpressionError`` with its place."""

from __future__ import annotations

import difflib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import datetime
from random import Random
from typing import Any

from jinja2 import Template, nodes
from jinja2.exceptions import TemplateError, TemplateSyntaxError
from jinja2.runtime import LoopContext, Macro, Undefined, missing
from jinja2.utils import Namespace
from msgspec.structs import replace

from engine.expressions import filters, functions, lists, text
from engine.expressions.errors import ExpressionError, LimitExceeded
from engine.expressions.limits import DEFAULT, Budget, Options, enter, leave, nested
from engine.expressions.parser import share_assignments
from engine.expressions.sandbox import ExpressionContext, Function, Sandbox
from engine.expressions.translate import has_expression, line_column, tokens
from engine.expressions.values import Entry, Missing, MissingName, plain

_CACHE_ENTRIES = 4_096
_CACHE_LONGEST = 65_536
_RESULT = "wf_result"


def _sandbox() -> Sandbox:
    sandbox = Sandbox()
    sandbox.globals.update(functions.FUNCTIONS, envs=functions.Environment())
    sandbox.filters.update({**filters.FILTERS, **filters.HIDDEN})
    sandbox.tests.update(filters.TESTS)
    guard = filters.guarded
    sandbox.methods = {
        kind: {name: guard(name, body) for name, body in table.items()}
        for kind, table in ((str, text.METHODS), (dict, lists.METHODS), (list, lists.LIST_METHODS))
    }
    return sandbox


_SANDBOX = _sandbox()


class Compiled:
    """A template ready to run. ``native``: it is one ``{{ expression }}`` and gives its value as it is."""

    __slots__ = ("native", "places", "root", "template")

    def __init__(self, source: str) -> None:
        tree = syntax_tree(source)
        self.places = _places(tree)
        expression = _single(tree)
        self.native = expression is not None
        if expression is not None:
            tree.body = [nodes.Assign(nodes.Name(_RESULT, "store", lineno=1), expression, lineno=1)]
        code = _compile(tree)
        self.template = Template.from_code(_SANDBOX, code, {})
        self.root = self.template.root_render_func

    def run(self, context: Mapping[str, Any], budget: Budget) -> Any:
        """The value for a context."""
        scope = ExpressionContext(_SANDBOX, context, None, {})  # type: ignore[arg-type]
        if not self.native:
            return _SANDBOX.concat(self.root(scope))
        for _ in self.root(scope):
            pass
        return _result(scope.vars[_RESULT], budget)


def _result(value: Any, budget: Budget) -> Any:
    kind = type(value)
    if kind in (bool, int, float) or value is None:
        return value
    if isinstance(value, Undefined):
        value._fail_with_undefined_error()
    if isinstance(value, (Function, Macro, LoopContext, Namespace)):
        raise ExpressionError(f"a {kind.__name__.lower()} can't be a result")
    return plain(str(value) if kind is Entry else value, budget)


def syntax_tree(source: str) -> nodes.Template:
    """Jinja's tree of a template; ``ExpressionError`` when it can't be read."""
    try:
        tree = share_assignments(_SANDBOX.read(tokens(source)))
    except TemplateSyntaxError as error:
        raise ExpressionError(error.message or "the template can't be read", *line_column(error.lineno)) from error
    except RecursionError as error:
        raise LimitExceeded("the expression is nested too deeply") from error
    _check_names(tree)
    return tree


def _check_names(tree: nodes.Template) -> None:
    for kind, table, what in ((nodes.Filter, _SANDBOX.filters, "filter"), (nodes.Test, _SANDBOX.tests, "test")):
        for node in tree.find_all(kind):
            if node.name not in table:
                known = [name for name in table if not name.startswith("wf_")]
                raise ExpressionError(
                    f"the {what} {node.name!r} is not known{_near(node.name, known)}", *line_column(node.lineno)
                )


def _compile(tree: nodes.Template) -> Any:
    try:
        return _SANDBOX.compile(tree)
    except (RecursionError, MemoryError, SyntaxError) as error:
        raise LimitExceeded("the expression is nested too deeply") from error
    except TemplateError as error:
        raise ExpressionError(str(error), *line_column(getattr(error, "lineno", 0))) from error


def _single(tree: nodes.Template) -> nodes.Expr | None:
    if len(tree.body) == 1 and isinstance(tree.body[0], nodes.Output) and len(tree.body[0].nodes) == 1:
        (node,) = tree.body[0].nodes
        return None if isinstance(node, nodes.TemplateData) else node
    return None


def _places(tree: nodes.Template) -> dict[str, int]:
    """Where each name and attribute is first used."""
    places: dict[str, int] = {}
    for node in tree.find_all((nodes.Name, nodes.Getattr, nodes.Getitem, nodes.Output)):
        if isinstance(node, nodes.Name):
            name = node.name
        elif isinstance(node, nodes.Getattr):
            name = f".{node.attr}"
        elif isinstance(node, nodes.Getitem):
            name = f".{node.arg.value}" if isinstance(node.arg, nodes.Const) else "[]"
        else:
            name = ""
        if node.lineno:
            places[name] = min(places.get(name, node.lineno), node.lineno)
    return places


_cache: OrderedDict[str, Compiled] = OrderedDict()


def compiled(source: str) -> Compiled:
    """The compiled template, from the cache when it was used before."""
    found = _cache.get(source)
    if found is None:
        found = Compiled(source)
        if len(source) <= _CACHE_LONGEST:
            _cache[source] = found
            while len(_cache) > _CACHE_ENTRIES:
                _cache.pop(next(iter(_cache)), None)
    return found


def evaluate(template: str, context: Mapping[str, Any], *, options: Options = DEFAULT) -> Any:
    """The value of a template: as it is when the template is one ``{{ expression }}``, else text.

    ``context`` may resolve names on demand; it is never copied. Raises ``ExpressionError``.
    """
    if not isinstance(template, str) or not has_expression(template):
        return template
    outer = nested()
    if outer is not None and outer.context is context:
        return _run(compiled(template), context, outer)
    budget = Budget(options, context)
    token = enter(budget)
    try:
        return _run(compiled(template), context, budget)
    finally:
        leave(token)


def evaluate_at(
    template: str,
    context: Mapping[str, Any],
    now: datetime,
    chance: Callable[[], Random] | None = None,
    *,
    options: Options = DEFAULT,
) -> Any:
    """``evaluate`` with a given clock and chance: what decides how a flow goes on must be the same when done again."""
    return evaluate(template, context, options=replace(options, clock=lambda: now, chance=chance))


def _run(ready: Compiled, context: Mapping[str, Any], budget: Budget) -> Any:
    try:
        return ready.run(context, budget)
    except MissingName as error:
        raise _missing(error.undefined, ready, context) from None
    except ExpressionError as error:
        if error.line:
            raise
        raise type(error)(error.message, *_place(error, ready)) from error.__cause__
    except RecursionError as error:
        raise LimitExceeded("the expression calls itself too deeply", *_place(error, ready)) from None
    except TimeoutError as error:
        message = f"the expression took longer than {budget.options.timeout:g} s"
        raise LimitExceeded(message, *_place(error, ready)) from None
    except (TemplateError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise ExpressionError(_reason(error), *_place(error, ready)) from error


def _reason(error: Exception) -> str:
    if isinstance(error, ZeroDivisionError):
        return "division by zero"
    if isinstance(error, KeyError):
        return f"the key {error} is not there"
    return str(error).replace("NoneType", "null").replace("'dict'", "'map'") or type(error).__name__


def _place(error: BaseException, ready: Compiled) -> tuple[int, int]:
    """Line and column of the statement the error came from, else of the template's first expression."""
    trace = error.__traceback__
    found = 0
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "<template>":
            found = ready.template.get_corresponding_lineno(trace.tb_lineno)
        trace = trace.tb_next
    return line_column(found if found > 0xFFFF else ready.places.get("", 0) or min(ready.places.values(), default=0))


def _missing(undefined: Missing, ready: Compiled, context: Mapping[str, Any]) -> ExpressionError:
    name, holder = undefined.name, undefined.holder
    if holder is missing:
        known = [str(key) for key in [*context, *_SANDBOX.globals]]
        place = ready.places.get(str(name), 0)
        return ExpressionError(f"'{name}' is not defined{_near(str(name), known)}", *line_column(place))
    place = ready.places.get(f".{name}", 0) or ready.places.get("[]", 0)
    path = next((key for key in ready.places if key and not key.startswith((".", "["))), "")
    where = f" in {path}" if path and isinstance(holder, Mapping) and context.get(path) is holder else ""
    known = [str(key) for key, _ in zip(holder, range(1000), strict=False)] if isinstance(holder, Mapping) else []
    what = "null" if holder is None else "" if isinstance(holder, Mapping) else f"a {type(holder).__name__}"
    of = f" of {what}" if what else where
    return ExpressionError(f"'{name}'{of} is not defined{_near(str(name), known)}", *line_column(place))


def _near(name: str, known: list[str]) -> str:
    matches = difflib.get_close_matches(name, known, n=3, cutoff=0.6)
    dashed = [one for one in known if "-" in one and one.startswith(f"{name}-")]
    if dashed:
        return f"; ids with dashes are written ['{dashed[0]}']"
    if matches:
        return f"; did you mean {' or '.join(matches)}?"
    return f"; there are {', '.join(sorted(known)[:8])}" if known and len(known) <= 8 else ""


def render_tree(value: Any, context: Mapping[str, Any], *, options: Options = DEFAULT) -> Any:
    """``value`` with every template in it evaluated, keys too."""
    if isinstance(value, str):
        return evaluate(value, context, options=options)
    if isinstance(value, dict):
        return {
            evaluate(key, context, options=options) if isinstance(key, str) else key: render_tree(
                item, context, options=options
            )
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [render_tree(item, context, options=options) for item in value]
    return value
