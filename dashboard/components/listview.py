"""What a list's address asks for: the same reading as the browser's (``assets/js/clientside/filters.js``; a test holds
them equal), so that the page comes with its controls filled in and its first subscription is the right one."""

from __future__ import annotations

from urllib.parse import parse_qsl, quote

import msgspec

STATES, NAMESPACES = "filters[state][IN]", "filters[namespace][IN]"
FLOW, TEXT, RANGE = "filters[flowId][CONTAINS]", "filters[q][EQUALS]", "filters[timeRange][EQUALS]"
_CONTROLLED = frozenset({STATES, NAMESPACES, FLOW, TEXT, RANGE})
_READABLE = "-_.!~*'(),:/[]@"


class ListView(msgspec.Struct, frozen=True):
    """Values of the controls; ``other``: filters that no control stands for, as they were written."""

    states: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    flow: str = ""
    text: str = ""
    range: str | None = None
    other: tuple[tuple[str, str], ...] = ()
    sort: str = "startDate:desc"
    page: int = 1
    size: int = 50

    def filters(self) -> str:
        """The filters alone, in the wire form and in one order."""
        pairs = [
            (STATES, ",".join(self.states)),
            (NAMESPACES, ",".join(self.namespaces)),
            (FLOW, self.flow.strip()),
            (TEXT, self.text.strip()),
            (RANGE, self.range or ""),
        ]
        return "&".join(_pair(*pair) for pair in [*(pair for pair in pairs if pair[1]), *self.other])


def parse(search: str) -> ListView:
    """The view that an address' query string names."""
    pairs = parse_qsl(search.removeprefix("?"), keep_blank_values=True)
    first = dict(reversed(pairs))
    return ListView(
        states=_list(first.get(STATES)),
        namespaces=_list(first.get(NAMESPACES)),
        flow=first.get(FLOW, ""),
        text=first.get(TEXT, ""),
        range=first.get(RANGE),
        other=tuple((key, value) for key, value in pairs if key.startswith("filters[") and key not in _CONTROLLED),
        sort=first.get("sort", "startDate:desc"),
        page=_count(first.get("page"), 1),
        size=_count(first.get("size"), 50),
    )


def _list(value: str | None) -> tuple[str, ...]:
    return tuple(part for part in (value or "").split(",") if part)


def _count(value: str | None, other: int) -> int:
    digits = value or ""
    return max(1, int(digits) or other) if digits.isascii() and digits.isdigit() else other


def _pair(key: str, value: str) -> str:
    return f"{quote(key, safe=_READABLE)}={quote(value, safe=_READABLE)}"
