"""Filters and functions for JSON, YAML and jq."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import jq as libjq
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.scanner import Scanner

from engine.expressions.errors import ExpressionError, LimitExceeded
from engine.expressions.limits import running
from engine.expressions.values import plain, to_json
from engine.expressions.values import to_text as text

_YAML_MAX = 262_144  # characters


def from_json(value: Any) -> Any:
    """The value that a JSON text says."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError) as error:
        raise ExpressionError(f"{value[:60]!r} is not JSON: {error}") from error


def json_filter(value: Any) -> str:
    """``json`` and ``toJson``: compact JSON."""
    return to_json(value)


# -- YAML

_BARE = re.compile(r"[A-Za-z_][\w ./-]*\Z")
_RESERVED = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})


def to_yaml(value: Any) -> str:
    """YAML in block style."""
    budget = running()
    return "".join(_yaml_lines(plain(value, budget), 0))


def _yaml_lines(value: Any, depth: int) -> Any:
    running().tick()
    pad = "  " * depth
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _yaml_item(f"{pad}{_yaml_scalar(key)}:", item, depth)
    elif isinstance(value, list) and value:
        for item in value:
            yield f"{pad}- " + "".join(_yaml_lines(item, depth + 1)).removeprefix(pad + "  ")
    else:
        yield f"{pad}{_yaml_scalar(value)}\n"


def _yaml_item(head: str, item: Any, depth: int) -> Any:
    if isinstance(item, (dict, list)) and item:
        yield head + "\n"
        yield from _yaml_lines(item, depth + 1)
    else:
        yield f"{head} {_yaml_scalar(item)}\n"


def _yaml_scalar(value: Any) -> str:
    if isinstance(value, str) and _BARE.match(value) and value.lower() not in _RESERVED and value == value.strip():
        return value
    return json.dumps(value, ensure_ascii=False)


class _TimedScanner(Scanner):
    """Reads YAML's tokens, looking at the clock at each."""

    def fetch_more_tokens(self) -> Any:
        running().tick()
        return super().fetch_more_tokens()


def from_yaml(value: Any) -> Any:
    """The value that a YAML text says."""
    source = text(value)
    if len(source) > _YAML_MAX:
        raise LimitExceeded(f"a YAML text may have {_YAML_MAX:,} characters")
    reader = YAML(typ="safe", pure=True)
    reader.Scanner = _TimedScanner
    try:
        return plain(reader.load(source), running())
    except (YAMLError, RecursionError) as error:
        raise ExpressionError(f"the text is not YAML: {' '.join(str(error).split())[:300]}") from error


# -- jq: what surely ends at once runs here, all else in a process that can be stopped

_JQ_WORD = re.compile(r'"(?:[^"\\]|\\.)*"|\.\.|\?//|//|[@$]?\w+|\s+|.', re.DOTALL)
_JQ_WORDS = """
    select length keys keys_unsorted values first last type not and or has to_entries from_entries tostring tonumber
    sort sort_by unique unique_by min max min_by max_by add reverse empty if then elif else end true false null
    startswith endswith ltrimstr rtrimstr ascii_downcase ascii_upcase floor join split tojson fromjson contains
    map any all with_entries map_values group_by del flatten error arrays objects strings numbers booleans
"""
_JQ_PLAIN = frozenset(_JQ_WORDS.split())
_JQ_REFUSED = frozenset({"import", "include", "input", "inputs", "env", "$ENV", "input_filename", "debug", "stderr"})
_JQ_LOOPS = frozenset({"map", "any", "all", "with_entries", "map_values", "[]", "..", "flatten", "del"})
_JQ_SIGNS = frozenset('.[](){}|,:?"=!<>+-/; \t\n')
_JQ_STEPS = 2_000_000
_JQ_PROCESS = """
import json, resource, sys
resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
resource.setrlimit(resource.RLIMIT_CPU, (2, 2))
import jq
program, value = json.load(sys.stdin)
print(json.dumps(jq.compile(program).input_value(value).all()))
"""


@lru_cache(512)
def _jq_cost(program: str) -> int | None:
    """How many nested walks over the input a program can make; ``None``: can't tell."""
    depth = 0
    field = False
    words = [word for word in _JQ_WORD.findall(program.replace("[]", " [] ")) if not word.isspace()]
    for before, word in zip(["", *words], words, strict=False):
        field = before == "." and word[0] not in "[."
        if word[0] == '"':
            if "\\(" in word:
                return None
        elif word == ".." or (word == "]" and before == "["):
            depth += 1
        elif word in _JQ_PLAIN and not field:
            depth += word in _JQ_LOOPS
        elif not (field or word.isdigit() or word in _JQ_SIGNS or word == "//" or before in "{,") or word[0] in "$@":
            return None
    return depth


@lru_cache(512)
def _jq_compiled(program: str) -> Any:
    try:
        return libjq.compile(program)
    except ValueError as error:
        raise ExpressionError(f"jq can't read {program!r}: {str(error).splitlines()[0]}") from error


def jq(value: Any, program: str) -> list[Any]:
    """The list of what a jq program gives for a value."""
    if len(program) > 10_000:
        raise LimitExceeded("a jq program may have 10,000 characters")
    if refused := _JQ_REFUSED.intersection(_JQ_WORD.findall(program)):
        raise ExpressionError(f"jq's {', '.join(sorted(refused))} can't be used: it reads from outside of the value")
    budget = running()
    source = plain(value, budget)
    encoded = json.dumps(source)
    cost = _jq_cost(program)
    if cost is None or len(encoded) ** cost > max(_JQ_STEPS, len(encoded)):
        return _jq_apart(program, encoded)
    try:
        found = _jq_compiled(program).input_text(encoded).all()
    except ValueError as error:
        raise ExpressionError(f"jq {program!r}: {error}") from error
    return plain(found, budget)


def _jq_apart(program: str, encoded: str) -> list[Any]:
    budget = running()
    request = f"[{json.dumps(program)}, {encoded}]"
    command = [sys.executable, "-I", "-c", _JQ_PROCESS]
    try:
        done = subprocess.run(
            command, input=request, capture_output=True, text=True, timeout=budget.remaining(), env={}, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise LimitExceeded(f"jq {program!r} took longer than {budget.options.timeout:g} s") from error
    if done.returncode:
        reason = done.stderr.strip().splitlines()
        raise ExpressionError(f"jq {program!r}: {reason[-1] if reason else f'ended with {done.returncode}'}")
    budget.fits(len(done.stdout), "the result of jq")
    return json.loads(done.stdout)


FILTERS: dict[str, Callable[..., Any]] = {
    "json": json_filter,
    "toJson": json_filter,
    "tojson": json_filter,
    "fromJson": from_json,
    "yaml": to_yaml,
    "jq": jq,
}
