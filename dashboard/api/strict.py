"""What would widen an action by mistake: a misspelt parameter, or no filter at all."""

from __future__ import annotations

from collections.abc import Iterable

from dashboard.api.errors import ApiError
from dashboard.api.spec import FILTERS, Endpoint
from data.filters import OTHERS, Filters, is_filter


def check(endpoint: Endpoint, given: Iterable[str]) -> None:
    """400 that names each parameter that a ``strict`` endpoint does not take, and those that it does."""
    if not endpoint.strict:
        return
    known = [one.name for one in endpoint.parameters if one.where == "query"]
    filters = FILTERS in endpoint.parameters
    unknown = [name for name in dict.fromkeys(given) if name not in known and not (filters and is_filter(name))]
    if unknown:
        takes = ", ".join((*known, *(OTHERS if filters else ()))) or "none"
        parts = [(f"there is no parameter {name!r} here; it takes {takes}", name) for name in unknown]
        raise ApiError(400, f"{unknown[0]}: {parts[0][0]}.", parts)


def some(filters: Filters, what: str) -> Filters:
    """The filters; 400 when there are none, so that all there are would match."""
    if not any(filters.all):
        message = f"expected at least one filter: without any it would be all {what} there are"
        raise ApiError(400, f"filters: {message}.", [(message, "filters")])
    return filters
