"""Functions of expressions."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from uuid import UUID

from jinja2 import Undefined

from engine.expressions import dates, formats, lists, operators, secrets
from engine.expressions.errors import ExpressionError, LimitExceeded
from engine.expressions.limits import Sources, running
from engine.expressions.sandbox import Function
from engine.expressions.values import as_text, measure

ENV_PREFIX = "WATCHFLOOR_ENV_"
_RENDER_DEPTH = 10


class Environment(Mapping[str, str]):
    """``envs``: what the environment gives expressions (``WATCHFLOOR_ENV_NAME`` is ``envs.name``), and no more."""

    def __getitem__(self, key: str) -> str:
        return os.environ[ENV_PREFIX + key.upper()]

    def __iter__(self) -> Iterator[str]:
        return (name.removeprefix(ENV_PREFIX).lower() for name in list(os.environ) if name.startswith(ENV_PREFIX))

    def __len__(self) -> int:
        return sum(1 for _ in self)


def env(name: str, default: Any = None) -> Any:
    """A value of ``envs``."""
    given = running().context.get("envs")
    for source in (given, Environment()):
        for key in (name, name.lower()):
            if isinstance(source, Mapping) and key in source:
                return source[key]
    if default is None:
        raise ExpressionError(f"the variable {name!r} is not set; set {ENV_PREFIX}{name.upper()} in the environment")
    return default


def _sources(function: str) -> Sources:
    sources = running().options.sources
    if sources is None:
        raise ExpressionError(f"{function} can't be used here; use it in a task's properties")
    return sources


def _own_namespace() -> str:
    flow = running().context.get("flow") or {}
    return flow.get("namespace", "") if isinstance(flow, Mapping) else ""


def kv(key: str, namespace: str | None = None, errorOnMissing: bool = True) -> Any:
    """Value of a key of the namespace's store."""
    try:
        return _sources("kv()").kv(namespace or _own_namespace(), key)
    except KeyError as error:
        if errorOnMissing:
            raise ExpressionError(
                f"the key {key!r} is not in the store of {namespace or _own_namespace()!r}"
            ) from error
        return None


def _file(work: Callable[[], Any], uri: Any) -> Any:
    try:
        return work()
    except OSError as error:
        raise ExpressionError(f"{as_text(uri)!r} can't be read: {error}") from error


def read(path: Any) -> str:
    """Text of a stored file."""
    return _file(lambda: _sources("read()").read(_address(path)), path)


def file_size(path: Any) -> int:
    """Bytes of a stored file."""
    return _file(lambda: _sources("fileSize()").file_size(_address(path)), path)


def _address(path: Any) -> str:
    """A URI as it is; anything else names a file of the flow's namespace."""
    text = as_text(path)
    return text if "://" in text else _sources("files").file_uri(_own_namespace(), text)


def file_uri(path: str, namespace: str | None = None) -> str:
    """Address of a namespace file."""
    return _file(lambda: _sources("fileURI()").file_uri(namespace or _own_namespace(), path), path)


def error_logs() -> list[Any]:
    """ERROR log entries of the execution so far."""
    context = running().context
    sources = running().options.sources
    if sources is not None:
        return sources.error_logs(context)
    error = context.get("error")
    return [{"level": "ERROR", **error}] if isinstance(error, Mapping) else []


def render(value: Any, recursive: bool = True) -> Any:
    """Evaluate what a text says; again while the result has expressions, when ``recursive``."""
    from engine.expressions.evaluator import render_tree
    from engine.expressions.translate import has_expression

    budget = running()
    budget.depth += 1
    try:
        for _ in range(_RENDER_DEPTH):
            if budget.depth > _RENDER_DEPTH:
                break
            value = render_tree(value, budget.context, options=budget.options)
            if not recursive or not isinstance(value, str) or not has_expression(value):
                return value
    finally:
        budget.depth -= 1
    raise LimitExceeded(f"render() goes deeper than {_RENDER_DEPTH} levels")


def current_each_output(outputs: Any) -> Any:
    """Outputs of a task for the values of the ForEach tasks around the current one."""
    context = running().context
    chain = [context.get("taskrun"), *[_taskrun(parent) for parent in context.get("parents") or ()]]
    values = [run.get("value") for run in chain if isinstance(run, Mapping) and run.get("value") is not None]
    for value in reversed(values):
        if not isinstance(outputs, Mapping) or as_text(value) not in outputs:
            raise ExpressionError(f"there is no output for the value {as_text(value)!r}")
        outputs = outputs[as_text(value)]
    return outputs


def _taskrun(parent: Any) -> Any:
    return parent.get("taskrun") if isinstance(parent, Mapping) else None


def random_int(lower: int, upper: int) -> int:
    """A whole number, ``lower`` included, ``upper`` not."""
    if not isinstance(lower, int) or not isinstance(upper, int) or upper <= lower:
        raise ExpressionError(f"randomInt takes two whole numbers, the lower first, got {lower!r} and {upper!r}")
    return running().chance().randrange(lower, upper)


def uuid() -> str:
    """A UUID of version 4."""
    return str(UUID(int=running().chance().getrandbits(128), version=4))


def range_function(start: Any, end: Any = None, step: int = 1) -> list[Any]:
    """``range(a, b)`` with both included; ``range(n)`` from 0 to n - 1."""
    if end is None:
        return operators.between(0, start - 1) if start > 0 else []
    return operators.between(start, end, step)


def guarded(name: str, body: Callable[..., Any]) -> Function:
    """A function with strict arguments and a measured result."""
    if body.__name__ == "<lambda>":
        body.__name__ = body.__qualname__ = name

    def run(*args: Any, **kwargs: Any) -> Any:
        for arg in (*args, *kwargs.values()):
            if isinstance(arg, Undefined):
                arg._fail_with_undefined_error()
        result = body(*args, **kwargs)
        measure(result, running())
        return result

    return Function(name, run)


FUNCTIONS: dict[str, Function] = {
    name: guarded(name, body)
    for name, body in {
        "now": dates.now,
        "secret": secrets.secret,
        "kv": kv,
        "read": read,
        "fileURI": file_uri,
        "fileSize": file_size,
        "isFileEmpty": lambda path: file_size(path) == 0,
        "render": render,
        "renderOnce": lambda value: render(value, recursive=False),
        "uuid": uuid,
        "randomInt": random_int,
        "errorLogs": error_logs,
        "currentEachOutput": current_each_output,
        "fromJson": formats.from_json,
        "json": formats.from_json,
        "yaml": formats.from_yaml,
        "env": env,
        "range": range_function,
        "min": lists.extreme(min),
        "max": lists.extreme(max),
    }.items()
}
