"""What handlers work with: the services, who asks, and the parameters of the request, checked."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import lru_cache
from typing import Any, TypeVar

import flask

from dashboard.accounts import person
from dashboard.api.errors import ApiError
from dashboard.api.logins import Logins
from dashboard.attempts import Rate
from dashboard.exports import Exports
from dashboard.permissions import AnyVerb, Verb, demand, namespaces, narrowed
from dashboard.refusals import TOO_MANY, Refusals
from dashboard.services import Services
from dashboard.threads import in_thread
from data.filters import Filters
from data.records import StoredFlow
from engine.flow import Flow, parse_stored
from engine.model import Execution
from streaming.messages import ExecutionRow

T = TypeVar("T")
_TRUTH = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


class Api:
    """One per app. ``request`` parameters are read in the request's context."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.store = services.store
        self.commands = services.commands
        self.settings = services.settings
        self.exports = Exports(services.bus, services.settings.exports_at_once)
        self.webhook_rate = Rate(services.settings.webhook_rate, services.bus, "webhooks")
        self._refusals = Refusals(services.settings.refusal_rate, services.bus, services.meter)
        self.logins = Logins()
        if services.gateway is not None and hasattr(services.gateway, "on_sign_out"):
            services.gateway.on_sign_out.append(self.logins.end)

    @property
    def person(self) -> Any:
        """Who asks, with its rights."""
        return person()

    @property
    def actor(self) -> str:
        """Who asks."""
        return str(getattr(self.person, "name", "") or "anonymous")

    @property
    def answers(self) -> Any:
        """Where the executor's answers and new rows arrive."""
        gateway = self.services.gateway
        if gateway is None:
            raise ApiError(503, "This process follows no executor, so it can't wait for an answer.")
        return gateway.answers

    def read(self, work: Callable[[], T]) -> T:
        """Run a query, or a command, where it holds up no other request."""
        return in_thread(work)

    # -- rights

    def demand(self, verb: AnyVerb, namespace: str | None = None) -> None:
        """``Forbidden`` (403) unless the person who asks may do this there."""
        demand(self.person, verb, namespace)

    def allowed(self, verb: AnyVerb = Verb.READ) -> tuple[str, ...] | None:
        """The namespaces, with those below them, in which the person who asks may; ``None``: all."""
        return namespaces(self.person, verb)

    def narrowed(self, filters: Filters, verb: AnyVerb = Verb.READ) -> Filters:
        """The filters, within those namespaces."""
        return narrowed(filters, self.person, verb)

    def refused(self, why: str, what: str) -> tuple[int, str]:
        """Note that a request was refused; status and message of the answer."""
        fine = self._refusals.within_rate("rights", self.actor, why, request=what)
        return (403, why) if fine else (429, TOO_MANY)

    # -- things that must be there

    def execution(self, execution_id: str) -> Execution:
        """An execution with its task runs; 404 when there is none."""
        found = self.read(lambda: self.store.load(execution_id))
        if found is None:
            raise ApiError(404, f"There is no execution {execution_id}.")
        return found

    def row(self, execution_id: str) -> ExecutionRow:
        """An execution as lists have it; 404 when there is none."""
        found = self.read(lambda: self.store.row(execution_id))
        if found is None:
            raise ApiError(404, f"There is no execution {execution_id}.")
        return found

    def exists(self, execution_id: str) -> None:
        """404 unless there is such an execution."""
        self.row(execution_id)

    def flow(self, namespace: str, flow_id: str, revision: int | None = None, *, deleted: bool = False) -> StoredFlow:
        """A revision of a flow, of one that was ``deleted`` too if that is asked for; 404 when there is none."""
        found = self.read(lambda: self.store.flow(namespace, flow_id, revision, deleted=deleted))
        if found is not None and revision is not None and not deleted:
            self.flow(namespace, flow_id)
        if found is None:
            which = f"revision {revision} of " if revision is not None else ""
            raise ApiError(404, f"There is no {which}flow {namespace}.{flow_id}.")
        return found

    def flow_of(self, item: Execution | ExecutionRow) -> Flow:
        """The flow in the revision an execution runs; 404 when it is not kept."""
        stored = self.read(lambda: self.store.flow(item.namespace, item.flow_id, item.revision))
        if stored is None:
            which = f"{item.namespace}.{item.flow_id} revision {item.revision}"
            raise ApiError(404, f"The flow of this execution, {which}, is not kept here.")
        return parsed(stored.source)

    # -- parameters of the query

    @staticmethod
    def text(name: str) -> str | None:
        """A parameter as given; ``None`` when it is not there or empty."""
        return flask.request.args.get(name) or None

    @staticmethod
    def integer(name: str, default: int | None = None, least: int | None = None, most: int | None = None) -> Any:
        """A whole number within bounds; 400 for anything else."""
        given = flask.request.args.get(name)
        if not given:
            return default
        bounds = f" from {least}" if least is not None else ""
        bounds += f" to {most}" if most is not None else ""
        try:
            value = int(given)
        except ValueError:
            value = None
        if value is None or (least is not None and value < least) or (most is not None and value > most):
            message = f"expected a whole number{bounds}, got {given!r}"
            raise ApiError(400, f"{name}: {message}", [(message, name)])
        return value

    @staticmethod
    def boolean(name: str, default: bool) -> bool:
        """True or false; 400 for anything else."""
        given = flask.request.args.get(name)
        value = default if not given else _TRUTH.get(given.lower())
        if value is None:
            message = f"expected true or false, got {given!r}"
            raise ApiError(400, f"{name}: {message}", [(message, name)])
        return value

    def sort(self, default: str, fields: Collection[str]) -> tuple[str, bool]:
        """(field, whether it is descending) of the one ``sort`` there may be; 400 for anything else."""
        field, _, direction = (self.sort_text() or default).partition(":")
        if field not in fields or direction not in ("", "asc", "desc"):
            message = f"expected one of {', '.join(fields)} with :asc or :desc, got {self.sort_text()!r}"
            raise ApiError(400, f"sort: {message}", [(message, "sort")])
        return field, direction == "desc"

    @staticmethod
    def sort_text() -> str | None:
        """The one ``sort`` there may be, as it is given; 400 for several."""
        given = [one for one in flask.request.args.getlist("sort") if one]
        if len(given) > 1:
            message = f"expected one, lists are sorted by one field; got {', '.join(given)}"
            raise ApiError(400, f"sort: {message}", [(message, "sort")])
        return given[0] if given else None

    def page(self, default: int = 10) -> tuple[int, int]:
        """(page, size)."""
        most = self.settings.page_size_max
        return self.integer("page", 1, 1, 1_000_000), self.integer("size", min(default, most), 1, most)


@lru_cache(maxsize=256)
def parsed(source: str) -> Flow:
    """The flow of a source that was parsed before."""
    return parse_stored(source)
