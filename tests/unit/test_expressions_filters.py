"""Filters and functions, each in Kestra's form."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from engine.expressions import ExpressionError, Options, evaluate

CONTEXT: dict[str, Any] = {
    "flow": {"namespace": "team.a"},
    "d": "2026-03-14T15:09:26.535897Z",
    "people": [{"name": "Ada", "age": 36}, {"name": "Bob", "age": 7}],
    "text": "The Quick  Brown",
    "numbers": [3, 1, 2, 3],
    "map": {"a": 1, "b": [2]},
    "nothing": None,
    "taskrun": {"value": "in"},
    "parents": [{"taskrun": {"value": "out"}}, {"taskrun": {}}],
    "outputs": {"t": {"out": {"in": {"value": 5}}}},
}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("d | date('yyyy-MM-dd HH:mm:ss')", "2026-03-14 15:09:26"),
        ("d | date(\"yyyy-MM-dd'T'HH:mm:ss.SSSXXX\")", "2026-03-14T15:09:26.535Z"),
        ("d | date('EEEE d MMMM yy, h:mm a', timeZone='America/New_York')", "Saturday 14 March 26, 11:09 AM"),
        ("d | date('iso', timeZone='+02:00')", "2026-03-14T17:09:26.535897+02:00"),
        ("'14/03/2026' | date('yyyyMMdd', existingFormat='dd/MM/yyyy')", "20260314"),
        ("1773500966 | date('yyyy-MM-dd HH:mm')", "2026-03-14 15:09"),
        ("'2026-03-14' | date('QQQ w D')", "Q1 11 73"),
        ("d | dateAdd(-1, 'DAYS') | date('yyyy-MM-dd')", "2026-03-13"),
        ("'2026-01-31' | dateAdd(1, 'MONTHS') | date('yyyy-MM-dd')", "2026-02-28"),
        ("d | dateAdd(90, 'MINUTES') | date('HH:mm')", "16:39"),
        ("d | timestamp", 1773500966),
        ("d | timestampMilli", 1773500966535),
        ("now() | date('yyyy')", "2026"),
        ("(now() | date('yyyy-MM-dd')) < (now() | dateAdd(1, 'DAYS') | date('yyyy-MM-dd'))", True),
        ("numbers | first", 3),
        ("numbers | last", 3),
        ("[] | first", None),
        ("map | first", 1),
        ("numbers | length", 4),
        ("nothing | length", 0),
        ("numbers | sort", [1, 2, 3, 3]),
        ("numbers | rsort", [3, 3, 2, 1]),
        ("['b', null, 2, 'a'] | sort", [None, 2, "a", "b"]),
        ("people | sort(attribute='age') | first", {"name": "Bob", "age": 7}),
        ("numbers | distinct", [3, 1, 2]),
        ("[{'a': 1}, {'a': 1}, {'a': true}] | distinct", [{"a": 1}, {"a": True}]),
        ("numbers | join('-')", "3-1-2-3"),
        ("numbers | slice(1, 3)", [1, 2]),
        ("'abcdef' | slice(1, 3)", "bc"),
        ("numbers | chunk(3)", [[3, 1, 2], [3]]),
        ("[[1, [2]], 3] | flatten", [1, 2, 3]),
        ("map | keys", ["a", "b"]),
        ("map | values", [1, [2]]),
        ("map | merge({'b': 3})", {"a": 1, "b": 3}),
        ("numbers | merge([9])", [3, 1, 2, 3, 9]),
        ("numbers | reverse", [3, 2, 1, 3]),
        ("people | map(attribute='name')", ["Ada", "Bob"]),
        ("['a'] | map('upper')", ["A"]),
        ("people | selectattr('age', 'gt', 10) | map(attribute='name')", ["Ada"]),
        ("numbers | sum + (numbers | max)", 12),
        ("people | groupby('name') | keys", ["Ada", "Bob"]),
        ("text | lower", "the quick  brown"),
        ("text | upper", "THE QUICK  BROWN"),
        ("text | capitalize", "The Quick  Brown"),
        ("'  x ' | trim", "x"),
        ("'a,b,c' | split(',')", ["a", "b", "c"]),
        ("'a,b,c' | split(',', 2)", ["a", "b,c"]),
        ("'a1b22c' | split('[0-9]+')", ["a", "b", "c"]),
        ("'a.b|c' | split('.')", ["a", "b|c"]),
        ("text | split('\\s+')", ["The", "Quick", "Brown"]),
        ("text | slugify", "the-quick-brown"),
        ("'Čaj č. 5' | slugify", "caj-c-5"),
        ("'a/b/c' | substringBefore('/')", "a"),
        ("'a/b/c' | substringBeforeLast('/')", "a/b"),
        ("'a/b/c' | substringAfter('/')", "b/c"),
        ("'a/b/c' | substringAfterLast('/')", "c"),
        ("'abc' | substringAfter('x')", ""),
        ("'abc' | substringBefore('x')", "abc"),
        ("text | replace({'Quick': 'Slow', 'Brown': 'Red'})", "The Slow  Red"),
        ("text | replace('The', 'A')", "A Quick  Brown"),
        ("text | replace({'[A-Z]': '_'}, regexp=true)", "_he _uick  _rown"),
        ("'2026-03' | regexReplace('(\\d+)-(\\d+)', '$2/$1')", "03/2026"),
        ("text | startsWith('The') and (text | endsWith('Brown'))", True),
        ("'x' | sha256", "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"),
        ("'a\nb' | indent(2)", "a\n  b"),
        ("'a' | nindent(2)", "\n  a"),
        ("12 | string", "12"),
        ("map | string", '{"a":1,"b":[2]}'),
        ("'12' | number", 12),
        ("'1.5' | number", 1.5),
        ("'12' | number('FLOAT')", 12.0),
        ("1234567.891 | numberFormat('#,##0.00')", "1,234,567.89"),
        ("2.5 | round", 2),
        ("-3 | abs", 3),
        ("nothing | default('d')", "d"),
        ("'' | default('d')", "d"),
        ("gone.far | default('d')", "d"),
        ("map | json", '{"a":1,"b":[2]}'),
        ("people | toJson", '[{"name":"Ada","age":36},{"name":"Bob","age":7}]'),
        ("fromJson('{\"a\": [1, null]}')", {"a": [1, None]}),
        ("map | yaml", "a: 1\nb:\n  - 2\n"),
        (
            "{'k': 'yes', 's': 'a: b', 'list': [{'x': null, 'z': 1}]} | yaml",
            'k: "yes"\ns: "a: b"\nlist:\n  - x: null\n    z: 1\n',
        ),
        ("yaml('a: [1, two]')", {"a": [1, "two"]}),
        ("people | jq('.[].name')", ["Ada", "Bob"]),
        ("people | jq('map(select(.age > 10)) | length') | first", 1),
        ("people | jq('[.[] | {n: .name, older: (.age + 1)}]') | first | last", {"n": "Bob", "older": 8}),
        ("map | jq('.b[0] // 5')", [2]),
        ("map | jq('reduce .b[] as $x (0; . + $x)')", [2]),
        ("'abc' | abbreviate(2)", "..."),
        ("'a b' | urlencode", "a+b"),
        ("'x' | base64encode | base64decode", "x"),
        ("\"it's\" | escapeChar('shell')", "'it'\"'\"'s'"),
        ("currentEachOutput(outputs.t).value", 5),
        ("max(1, 5, 3)", 5),
        ("min([4, 2])", 2),
        ("uuid() | length", 36),
        ("randomInt(1, 2)", 1),
        ("read('file:///x')", "text of file:///x"),
        ("fileSize('file:///x')", 7),
        ("fileURI('a.txt')", "team.a/a.txt"),
        ("kv('key')", "team.a:key"),
        ("kv('gone', errorOnMissing=false) ?? 'd'", "d"),
        ("errorLogs() | length", 1),
        ("env('region', 'none')", "none"),
    ],
)
def test_filter_or_function(expression: str, expected: Any) -> None:
    options = Options(clock=lambda: datetime(2026, 3, 14, tzinfo=UTC), sources=FakeSources())
    value = evaluate("{{ " + expression + " }}", CONTEXT, options=options)
    assert value == expected
    assert type(value) is type(expected)


class FakeSources:
    """Sources that say what they were asked."""

    def kv(self, namespace: str, key: str) -> Any:
        if key == "gone":
            raise KeyError(key)
        return f"{namespace}:{key}"

    def read(self, uri: str) -> str:
        if uri.endswith("gone"):
            raise FileNotFoundError("no such file")
        return f"text of {uri}"

    def file_size(self, uri: str) -> int:
        return 7

    def file_uri(self, namespace: str, path: str) -> str:
        return f"{namespace}/{path}"

    def error_logs(self, context: Mapping[str, Any]) -> list[dict[str, Any]]:
        return [{"message": "broken"}]


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("'soon' | date('yyyy')", "'soon' is not a date"),
        ("d | date('yyyy o')", "'o' is no letter of a date pattern"),
        ("d | date('HH', timeZone='Mars/Base')", "'Mars/Base' is not known"),
        ("d | dateAdd(1, 'FORTNIGHTS')", "'FORTNIGHTS' is not known; there are NANOS"),
        ("d | dateAdd(99999, 'YEARS')", "is no date"),
        ("numbers | chunk(0)", "size of 1 or more"),
        ("'a' | regexReplace('(', '')", "can't be read"),
        ("map | jq('.a |')", "jq can't read"),
        ("map | jq('.a.b.c')", "jq '.a.b.c'"),
        ("read('file:///gone')", "can't be read: no such file"),
        ("kv('gone')", "the key 'gone' is not in the store of 'team.a'"),
        ("currentEachOutput(map)", "no output for the value 'out'"),
        ("randomInt(5, 1)", "the lower first"),
        ("env('REGION')", "WATCHFLOOR_ENV_REGION"),
        ("'a' | startsWith", "startsWith() missing 1 required positional argument"),
        ("uuid(1)", "uuid() takes 0 positional arguments"),
        ("secret('gone')", "WATCHFLOOR_SECRET_GONE"),
        ("'a' + [1]", "can't be joined"),
    ],
)
def test_errors_say_what_was_expected(expression: str, message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        evaluate("{{ " + expression + " }}", CONTEXT, options=Options(sources=FakeSources()))
    assert message in caught.value.message
    assert caught.value.line == 1


def test_sources_are_refused_where_there_are_none() -> None:
    with pytest.raises(ExpressionError, match="kv\\(\\) can't be used here"):
        evaluate("{{ kv('x') }}", CONTEXT)


def test_the_environment_is_not_readable_beyond_its_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHFLOOR_ENV_REGION", "north")
    monkeypatch.setenv("WATCHFLOOR_DATABASE_URL", "hidden")
    assert evaluate("{{ env('region') }} {{ envs.region }} {{ env('REGION') }}", {}) == "north north north"
    for expression in ("env('WATCHFLOOR_DATABASE_URL')", "envs.watchfloor_database_url", "map | jq('env')"):
        with pytest.raises(ExpressionError):
            evaluate("{{ " + expression + " }}", {"map": 1, "envs": {}} if "jq" in expression else {})
