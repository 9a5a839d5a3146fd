"""Where requests are greenlets, what takes long runs beside them: nobody else waits for it."""

from __future__ import annotations

import json
import subprocess
import sys
from contextvars import ContextVar

import pytest

from dashboard.threads import in_thread

_AT_WORK = """
from gevent import monkey
monkey.patch_all()
import json
from types import SimpleNamespace
import flask
from dashboard.accounts import Account
from dashboard.callbacks import acting, bulk
from dashboard.callbacks.action_request import Request
from data.audit import ADDRESS
from engine.states import Action, State
from streaming.commands import NotAllowed
from streaming.operations import Preview

here = monkey.get_original("threading", "get_ident")
told = []

def note(what, found):
    def call(*given, **named):
        told.append([what, here() != hub, ADDRESS.get()])
        if isinstance(found, Exception):
            raise found
        return found
    return call

hub = here()
row = SimpleNamespace(namespace="team")
refused = NotAllowed(Action.KILL, State.SUCCESS, "too late")
services = SimpleNamespace(
    operations=SimpleNamespace(preview=note("preview", Preview(Action.KILL, 1, 1)), start=note("start", "op")),
    commands=SimpleNamespace(act=note("act", refused)),
    store=SimpleNamespace(row=lambda one: row, execution=lambda one: None),
)
with flask.Flask("x").test_request_context():
    flask.g._login_user = Account("ada", "operator")
    ADDRESS.set("10.0.0.1")
    many = Request(Action.KILL, ("a",), many=True)
    bulk.preview(services, many, {})
    bulk.started(services, many, {}, None)
    outcome = acting.act(services, Request(Action.KILL, ("a",)), {}, {}, None)
print(json.dumps([told, outcome.refused]))
"""


def test_actions_from_pages_run_beside_the_greenlets() -> None:
    ran = subprocess.run([sys.executable, "-c", _AT_WORK], capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    told, refused = json.loads(ran.stdout)
    assert told == [[what, True, "10.0.0.1"] for what in ("preview", "start", "act")]
    assert (refused, ran.stderr) == ("too late", "")


def test_without_greenlets_it_runs_here() -> None:
    seen: ContextVar[int] = ContextVar("seen")
    in_thread(lambda: seen.set(1))
    assert seen.get() == 1
    with pytest.raises(KeyError):
        in_thread(lambda: {}["nothing"])
