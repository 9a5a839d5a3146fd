"""``GET /list-values?ids=a,b``: what columns of the list show that does not travel live, asked for by rows in sight.

``values``: inputs and outputs of each execution as a short text; ``usual``: the usual duration of each of their flows
in seconds, ``null`` where there is no good run yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import flask

from dashboard.seen import seen
from dashboard.services import Services
from data import Store
from streaming import codec

IDS_MAX = 100
TEXT_MAX = 200  # letters of a cell


def register(server: flask.Flask, services: Services) -> None:
    """The one route."""

    @server.get("/list-values", endpoint="list_values")
    def list_values() -> Any:
        store = seen(services).store
        ids = list(filter(None, flask.request.args.get("ids", "").split(",")))[:IDS_MAX]
        flows = {(row.namespace, row.flow_id) for row in store.rows(ids).values()}
        return {
            "values": {
                one: {"inputs": words(found.inputs), "outputs": words(found.outputs)}
                for one, found in store.values(ids).items()
            },
            "usual": {f"{namespace}/{flow_id}": usual(store, namespace, flow_id) for namespace, flow_id in flows},
        }


def usual(store: Store, namespace: str, flow_id: str) -> float | None:
    """Seconds that half of the last good executions took at the most."""
    known = store.durations(namespace, flow_id).execution
    return known.p50 if known else None


def words(values: Mapping[str, Any]) -> str:
    """``key=value`` of each that there is, in one line that is cut where it is long."""
    known = {key: one for key, one in values.items() if one is not None}
    parts = (f"{key}={one if isinstance(one, str) else codec.to_json(one).decode()}" for key, one in known.items())
    text = " ".join(", ".join(parts).split())
    return text if len(text) <= TEXT_MAX else f"{text[:TEXT_MAX]}…"
