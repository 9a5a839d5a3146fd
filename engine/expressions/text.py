"""Filters on texts and numbers. Each knows before it works how large its result may get."""

from __future__ import annotations

import base64
import hashlib
import re
import shlex
import unicodedata
import urllib.parse
from collections.abc import Callable, Mapping
from typing import Any

import regex

from engine.expressions.errors import ExpressionError, LimitExceeded
from engine.expressions.limits import running
from engine.expressions.operators import bounded_int
from engine.expressions.values import to_text as text

_PATTERN_MAX = 2_000
_JAVA_GROUP = re.compile(r"\\(.)|\$(\d+|\{\w+\})", re.DOTALL)


def compiled(pattern: str) -> Any:
    """A regular expression that obeys the evaluation's deadline."""
    if len(pattern) > _PATTERN_MAX:
        raise LimitExceeded(f"a regular expression may have {_PATTERN_MAX:,} characters")
    try:
        return regex.compile(pattern)
    except regex.error as error:
        raise ExpressionError(f"the regular expression {pattern!r} can't be read: {error}") from error


def matches(value: Any, pattern: str) -> bool:
    """Whether the whole text matches a regular expression."""
    return compiled(pattern).fullmatch(text(value), timeout=running().remaining()) is not None


def regex_replace(value: Any, pattern: str, replacement: str = "") -> str:
    """Replace each match; ``$1`` and ``${name}`` stand for groups."""
    found = compiled(pattern)
    budget = running()
    made = 0

    def expand(match: Any) -> str:
        nonlocal made
        piece = _expand(match, replacement)
        made += len(piece)
        budget.fits(made, "a replacement")
        return piece

    return found.sub(expand, text(value), timeout=budget.remaining())


def _expand(match: Any, replacement: str) -> str:
    def one(part: re.Match[str]) -> str:
        if part[1] is not None:
            return (match.group(int(part[1])) or "") if part[1].isdigit() else part[1]
        name = part[2].strip("{}")
        return match.group(int(name) if name.isdigit() else name) or ""

    try:
        return _JAVA_GROUP.sub(one, replacement)
    except IndexError as error:
        raise ExpressionError(f"the replacement {replacement!r} names a group that is not there") from error


def replace(value: Any, old: Any, new: Any = None, regexp: bool = False) -> str:
    """``replace({'a': 'b'})`` as in Pebble, or ``replace('a', 'b')``; ``regexp`` reads the old ones as patterns."""
    pairs = old if isinstance(old, Mapping) else {old: new}
    result = text(value)
    for one, other in pairs.items():
        if regexp:
            result = regex_replace(result, text(one), text(other))
            continue
        target, by = text(one), text(other)
        running().fits(len(result) + result.count(target) * (len(by) - len(target)), "a replacement")
        result = result.replace(target, by)
    return result


def split(value: Any, separator: str | None = None, limit: int = 0) -> list[str]:
    """Parts between ``separator``; one with a backslash or brackets is read as a regular expression."""
    source = text(value)
    if separator is None:
        return source.split()
    if separator == "":
        return list(source)
    most = limit - 1 if limit > 0 else -1
    if len(separator) > 1 and any(sign in separator for sign in "\\[("):
        parts = compiled(separator).split(source, maxsplit=max(most, 0), timeout=running().remaining())
        return [part or "" for part in parts]
    return source.split(separator, most)


def slugify(value: Any) -> str:
    """Small letters, digits and dashes."""
    folded = unicodedata.normalize("NFKD", text(value)).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", folded).strip("-")


def substring_before(value: Any, separator: str, last: bool = False) -> str:
    """What stands before the first ``separator``; all of it when there is none."""
    head, found, _ = text(value).rpartition(separator) if last else text(value).partition(separator)
    return head if found else text(value)


def substring_after(value: Any, separator: str, last: bool = False) -> str:
    """What stands after the first ``separator``; nothing when there is none."""
    _, found, tail = text(value).rpartition(separator) if last else text(value).partition(separator)
    return tail if found else ""


def indent(value: Any, amount: int = 4, prefix: str = " ", first: bool = False) -> str:
    """Indent all lines but the first."""
    lines = text(value).split("\n")
    running().fits(len(text(value)) + len(lines) * max(amount, 0) * len(prefix), "an indented text")
    pad = prefix * amount
    return "\n".join(
        line if (not number and not first) or not line else pad + line for number, line in enumerate(lines)
    )


def nindent(value: Any, amount: int = 4, prefix: str = " ") -> str:
    """A line break, then all lines indented."""
    return "\n" + indent(value, amount, prefix, first=True)


def abbreviate(value: Any, length: int) -> str:
    """At most ``length`` letters, the end replaced by ``...``."""
    source = text(value)
    return source if len(source) <= length else source[: max(length - 3, 0)] + "..."


def digest(algorithm: str) -> Callable[[Any], str]:
    """A filter that gives the hash of a text in hex."""
    return lambda value: hashlib.new(algorithm, text(value).encode()).hexdigest()


def number(value: Any, kind: str = "") -> int | float:
    """A text as a number; ``kind`` INT or LONG for whole ones, FLOAT or DOUBLE for the others."""
    try:
        if isinstance(value, bool):
            raise ValueError
        if kind.upper() in ("INT", "LONG", "BIGINTEGER"):
            return bounded_int(int(value))
        if kind.upper() in ("FLOAT", "DOUBLE", "BIGDECIMAL"):
            return float(value)
        if isinstance(value, (int, float)):
            return value
        source = text(value).strip()
        return bounded_int(int(source)) if re.fullmatch(r"[+-]?\d+", source) else float(source)
    except (ValueError, TypeError) as error:
        raise ExpressionError(f"{abbreviate(value, 40)!r} is not a number") from error


def number_format(value: Any, pattern: str = "#,##0.###") -> str:
    """A number by a pattern such as ``#,##0.00``."""
    whole, _, fraction = pattern.partition(".")
    least, most = fraction.count("0"), min(len(fraction), 30)
    result = f"{float(number(value)):{',' if ',' in whole else ''}.{most}f}"
    if most > least:
        head, _, tail = result.partition(".")
        tail = tail.rstrip("0").ljust(least, "0")
        result = f"{head}.{tail}" if tail else head
    return result


def rounded(value: Any, precision: int = 0, method: str = "common") -> float | int:
    """A number rounded."""
    import math

    if method in ("ceil", "floor"):
        factor = 10 ** min(max(precision, 0), 15)
        value = getattr(math, method)(number(value) * factor) / factor
    result = round(number(value), min(precision, 30))
    return int(result) if precision <= 0 else result


def escape_char(value: Any, kind: str) -> str:
    """Quote for a shell, or escape quotes: ``single``, ``double``, ``shell``."""
    if kind == "shell":
        return shlex.quote(text(value))
    sign = {"single": "'", "double": '"'}.get(kind)
    if sign is None:
        raise ExpressionError(f"escapeChar takes 'single', 'double' or 'shell', got {kind!r}")
    return text(value).replace(sign, "\\" + sign)


FILTERS: dict[str, Callable[..., Any]] = {
    "lower": lambda value: text(value).lower(),
    "upper": lambda value: text(value).upper(),
    "trim": lambda value, chars=None: text(value).strip(chars),
    "capitalize": lambda value: text(value)[:1].upper() + text(value)[1:],
    "title": lambda value: text(value).title(),
    "string": text,
    "replace": replace,
    "split": split,
    "slugify": slugify,
    "substringBefore": substring_before,
    "substringBeforeLast": lambda value, separator: substring_before(value, separator, last=True),
    "substringAfter": substring_after,
    "substringAfterLast": lambda value, separator: substring_after(value, separator, last=True),
    "startsWith": lambda value, start: text(value).startswith(text(start)),
    "endsWith": lambda value, end: text(value).endswith(text(end)),
    "regexReplace": regex_replace,
    "indent": indent,
    "nindent": nindent,
    "abbreviate": abbreviate,
    "sha1": digest("sha1"),
    "sha256": digest("sha256"),
    "sha512": digest("sha512"),
    "md5": digest("md5"),
    "base64encode": lambda value: base64.b64encode(text(value).encode()).decode(),
    "base64decode": lambda value: base64.b64decode(text(value)).decode("utf-8", "replace"),
    "urlencode": lambda value: urllib.parse.quote_plus(text(value)),
    "urldecode": lambda value: urllib.parse.unquote_plus(text(value)),
    "escapeChar": escape_char,
    "number": number,
    "numberFormat": number_format,
    "numberformat": number_format,
    "int": lambda value, default=0: _or(number, value, default, int),
    "float": lambda value, default=0.0: _or(number, value, default, float),
    "abs": lambda value: abs(number(value)),
    "round": rounded,
}


def _or(read: Callable[[Any], Any], value: Any, default: Any, kind: Callable[[Any], Any]) -> Any:
    try:
        return kind(read(value))
    except (ExpressionError, ValueError, OverflowError):
        return default


METHODS: dict[str, Callable[..., Any]] = {
    "upper": FILTERS["upper"],
    "lower": FILTERS["lower"],
    "strip": FILTERS["trim"],
    "lstrip": lambda value, chars=None: value.lstrip(chars),
    "rstrip": lambda value, chars=None: value.rstrip(chars),
    "split": split,
    "splitlines": lambda value: value.splitlines(),
    "replace": lambda value, old, new: replace(value, old, new),
    "startswith": lambda value, start: value.startswith(start),
    "endswith": lambda value, end: value.endswith(end),
    "title": FILTERS["title"],
    "capitalize": FILTERS["capitalize"],
    "find": lambda value, part: value.find(part),
    "count": lambda value, part: value.count(part),
    "isdigit": lambda value: value.isdigit(),
    "join": lambda value, items: _join(items, value),
    "toUpperCase": FILTERS["upper"],
    "toLowerCase": FILTERS["lower"],
}


def _join(items: Any, separator: Any = "") -> str:
    parts = [text(item) for item in items]
    glue = text(separator)
    running().fits(sum(map(len, parts)) + len(glue) * len(parts), "a joined text")
    return glue.join(parts)


FILTERS["join"] = _join
