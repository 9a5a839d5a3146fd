"""Paths to pages. A page is a record with a layout function; nothing registers itself when imported."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from dash.development.base_component import Component

from dashboard.permissions import AnyVerb, Verb
from dashboard.services import Services


@dataclass(frozen=True)
class Visit:
    """One visit of a page: the names in its path, its query string (with the ``?``) and the services."""

    services: Services
    path: str
    params: Mapping[str, str]
    search: str = ""


@dataclass(frozen=True)
class Page:
    """A page. ``pattern`` holds ``<name>`` parts; an optional last ``<tab>`` belongs to the same visit: going from tab
    to tab keeps the page. ``title`` is that of the browser's tab, ``rail`` its place in the left rail, if any.
    ``verb``: what one must be allowed to see it."""

    name: str
    pattern: str
    title: Callable[[Visit], str]
    layout: Callable[[Visit], Component]
    icon: str | None = None
    rail: str | None = None
    tabs: tuple[str, ...] = ()
    verb: AnyVerb = Verb.READ

    def match(self, path: str) -> dict[str, str] | None:
        """The names in ``path``, or ``None`` when it is another page's."""
        found = re.fullmatch(_regex(self.pattern, self.tabs), path.rstrip("/") or "/")
        if found is None:
            return None
        return {name: unquote(value) for name, value in found.groupdict().items() if value is not None}


def _regex(pattern: str, tabs: tuple[str, ...]) -> str:
    body = re.sub(r"<(\w+)>", r"(?P<\1>[^/]+)", pattern)
    return body + (rf"(?:/(?P<tab>{'|'.join(map(re.escape, tabs))}))?" if tabs else "")


@dataclass(frozen=True)
class Route:
    """Where a path leads: the page, the names in the path, and the key that stays while only the tab changes."""

    page: Page
    params: dict[str, str]

    @property
    def key(self) -> str:
        """Equal for two paths of one visit."""
        return "/".join([self.page.name, *(value for name, value in self.params.items() if name != "tab")])


def route(pages: tuple[Page, ...], path: str) -> Route | None:
    """The first page whose pattern fits ``path``."""
    for page in pages:
        params = page.match(path)
        if params is not None:
            return Route(page, params)
    return None


def rail_of(pages: tuple[Page, ...]) -> list[Page]:
    """The pages of the left rail, in order."""
    return [page for page in pages if page.rail is not None]
