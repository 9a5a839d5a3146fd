"""``GET /flow-state``: what the flows pages ask for now and then, because flows and schedules have no live topic.

``stamp`` differs once flows, revisions or broken files do; ``next`` says when each flow runs next. With
``?flow=namespace/flow``, ``flow`` differs once that flow's revision or the problems of its file do, and is empty when
there is none; with ``?triggers=namespace/flow``, ``triggers`` differs once something of its triggers does.
"""

from __future__ import annotations

from typing import Any

import flask

from dashboard.pages import flow, flow_triggers
from dashboard.pages.flows import next_runs, stamp
from dashboard.pages.router import Visit
from dashboard.seen import seen
from dashboard.services import Services


def register(server: flask.Flask, services: Services) -> None:
    """The one route."""

    @server.get("/flow-state", endpoint="flow_state")
    def flow_state() -> Any:
        own = seen(services)
        store = own.store
        due = next_runs(Visit(own, "/flows", {}))
        namespace, _, flow_id = flask.request.args.get("triggers", "").rpartition("/")
        name = flask.request.args.get("flow")
        return {
            "flow": flow.stamp(store, name) if name else None,
            "triggers": flow_triggers.stamp(store, namespace, flow_id) if flow_id else None,
            "stamp": stamp(store.flows(), store.flow_problems()),
            "next": {f"{namespace}/{flow_id}": at.isoformat() for (namespace, flow_id), at in due.items()},
        }
