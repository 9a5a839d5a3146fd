"""A read-only view of YAML: line numbers and quiet colours, made of elements (no HTML from the source is ever used)."""

from __future__ import annotations

import re

from dash import html
from dash.development.base_component import Component

_LINE = re.compile(
    r"(?P<indent>\s*(?:- )*)"
    r"(?:(?P<key>[\w.$/-]+|\"[^\"]*\"|'[^']*')(?P<colon>:)(?=\s|$))?"
    r"(?P<value>.*)"
)
_COMMENT = re.compile(r"(?:^|\s)#.*$")
_PLAIN = re.compile(r"\s*(?:-?\d+(?:\.\d+)?|true|false|null|~)\s*$")


def yaml_view(source: str, element_id: str) -> Component:
    """The source, a line an element, so that a line can be linked to and marked."""
    lines = [_row(number, text) for number, text in enumerate(source.rstrip("\n").split("\n"), start=1)]
    return html.Div(lines, id=element_id, className="wf-yaml", tabIndex="0", role="figure", **{"aria-label": "Source"})


def _row(number: int, text: str) -> Component:
    return html.Div([html.I(str(number)), html.Code(parts(text))], className="wf-yaml-line", id=f"line-{number}")


def parts(text: str) -> list[Component | str]:
    """A line as spans: key, text, number, expression, comment."""
    comment = _COMMENT.search(text) if text.lstrip().startswith("#") else None
    if comment:
        return [html.Span(text, className="c")]
    found = _LINE.match(text)
    if found is None or not found["key"]:
        return _value(text)
    return [found["indent"], html.Span(found["key"], className="k"), ":", *_value(found["value"])]


def _value(text: str) -> list[Component | str]:
    if _PLAIN.match(text):
        return [html.Span(text, className="n")]
    pieces = re.split(r"(\{\{.*?\}\})", text)
    return [html.Span(piece, className="e") if piece.startswith("{{") else piece for piece in pieces if piece]
