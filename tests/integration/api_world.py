"""The whole way of a request in one process: API, commands, bus, executor, store, gateway; a worker that obeys."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import flask
from flask.testing import FlaskClient
from flask_socketio import SocketIO

from dashboard import api, auth
from dashboard.services import Services
from data import Store
from engine.expressions import render_tree
from engine.ids import new_id
from engine.states import State
from engine.worker.hiding import Hider
from streaming.bus import Bus
from streaming.commands import Commands
from streaming.executor import Executor, environment
from streaming.gateway import Gateway
from streaming.logwriter import LogWriter
from streaming.messages import Job, LogBatch, LogLine, Metric, TaskEnded, TaskStarted
from tests.conformance import check_answer
from tests.threads import in_thread
from tests.waiting import until
from watchfloor.settings import Settings

BASE = "/api/v1/main"
PASSWORD = "a long enough password"

FLOW = """\
id: greet
namespace: company.team
description: Says hello
labels:
  team: data
inputs:
  - id: name
    type: STRING
    defaults: world
  - id: times
    type: INT
    required: false
    min: 1
  - id: token
    type: SECRET
    required: false
  - id: upload
    type: FILE
    required: false
variables:
  greeting: Hello
tasks:
  - id: say
    type: io.kestra.plugin.core.debug.Return
    format: "{{ vars.greeting }} {{ inputs.name }}"
  - id: more
    type: io.kestra.plugin.core.flow.Sequential
    tasks:
      - id: again
        type: io.kestra.plugin.core.debug.Return
        format: "{{ outputs.say.value }}!"
outputs:
  - id: said
    type: STRING
    value: "{{ outputs.again.value }}"
"""
HANGS = """\
id: hangs
namespace: company.other
tasks:
  - id: hang
    type: io.kestra.plugin.scripts.shell.Commands
    commands: [sleep 100]
"""
FAILS = """\
id: fails
namespace: company.other
tasks:
  - id: broken
    type: io.kestra.plugin.scripts.shell.Commands
    commands: ["false"]
"""
ASKS = """\
id: asks
namespace: company.other
tasks:
  - id: approval
    type: io.kestra.plugin.core.flow.Pause
    onResume:
      - id: approved
        type: BOOL
  - id: after
    type: io.kestra.plugin.core.debug.Return
    format: "{{ outputs.approval.onResume.approved }}"
"""


class Worker:
    """Does what a task's id says: ``hang`` starts and waits, ``broken`` fails, anything else gives its format."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self.hanging: dict[str, Job] = {}

    def submit(self, job: Job) -> None:
        """Start the attempt and, unless it hangs, end it."""
        name = job.task["id"]
        self._bus.append(
            TaskStarted(new_id(), job.execution_id, datetime.now(UTC), job.task_run_id, job.attempt, "worker-1")
        )
        self.say(job, 1, f"{name} runs")
        if name == "hang":
            self.hanging[job.execution_id] = job
        elif name == "broken":
            self.say(job, 2, "it broke", "ERROR")
            self.end(job, State.FAILED, error="it broke")
        else:
            self.end(job, State.SUCCESS, value=Hider(job.secrets)(render_tree(job.task.get("format", ""), job.context)))

    def say(self, job: Job, number: int, message: str, level: Any = "INFO") -> None:
        """Write a log line."""
        line = LogLine(number, datetime.now(UTC), level, message)
        self._bus.append_logs(
            LogBatch(
                job.execution_id, job.namespace, job.flow_id, job.task["id"], job.task_run_id, job.attempt, (line,)
            )
        )

    def end(self, job: Job, state: State, value: Any = None, error: str | None = None) -> None:
        """End the attempt."""
        outputs = {} if value is None else {"value": value}
        metrics = (Metric("letters", "counter", float(len(str(value))), {"unit": "letter"}),)
        event = TaskEnded(
            new_id(), job.execution_id, datetime.now(UTC), job.task_run_id, job.attempt, state, outputs, metrics, error
        )
        self._bus.append(event)


class World:
    """What a test of the API works with."""

    def __init__(self, settings: Settings, store: Store, bus: Bus) -> None:
        self.settings, self.store, self.bus = settings, store, bus
        self.worker = Worker(bus)
        self.executor: Executor | None = None
        socketio = SocketIO()
        self.gateway = Gateway(settings, store, bus, socketio)
        commands = Commands(store, bus, self.gateway.answers)
        self.services = Services(settings, store, bus, commands, self.gateway)
        self.server = flask.Flask("watchfloor-test", root_path=str(Path(auth.__file__).parent))
        auth.register(self.server, self.services)
        api.register(self.server, self.services)
        socketio.init_app(self.server, async_mode="threading")
        self.client: FlaskClient = self.server.test_client()

    def request(self, method: str, path: str, user: str = "admin", **options: Any) -> Any:
        """A request of a script, with basic auth; its answer is held against the OpenAPI document."""
        answer = self.client.open(BASE + path, method=method, auth=(user, PASSWORD), **options)
        check_answer(method, BASE + path, answer)
        return answer

    def get(self, path: str, **options: Any) -> Any:
        """A GET that must succeed; its JSON."""
        answer = self.request("GET", path, **options)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return answer.get_json()

    def execute(self, flow: str, query: str = "", **options: Any) -> Any:
        """Execute a flow (``namespace/id``); the answer's JSON."""
        answer = self.request("POST", f"/executions/{flow}{query}", **options)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return answer.get_json()

    def until(self, execution_id: str, state: str) -> Any:
        """The execution once it is in ``state``."""
        return until(lambda: (item := self.get(f"/executions/{execution_id}"))["state"]["current"] == state and item)

    def hanging(self, execution_id: str) -> Job:
        """The job of its task that hangs, once the worker has said its first line."""
        return until(lambda: self.worker.hanging.get(execution_id))

    def events(self, path: str, user: str = "admin") -> Iterator[tuple[str, Any]]:
        """(id, data) of the server-sent events."""
        answer = self.client.get(BASE + path, auth=(user, PASSWORD), buffered=False)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        assert answer.mimetype == "text/event-stream"
        try:
            yield from parsed_events(answer.response)
        finally:
            answer.close()


def parsed_events(chunks: Any) -> Iterator[tuple[str, Any]]:
    """Events of a stream; comments are passed over."""
    text = ""
    for chunk in chunks:
        text += chunk.decode() if isinstance(chunk, bytes) else chunk
        while "\n\n" in text:
            block, _, text = text.partition("\n\n")
            fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
            if fields:
                yield fields["id"], json.loads(fields["data"])


def in_namespace(namespace: str, source: str) -> str:
    """The flow in another namespace."""
    return re.sub("namespace: .*", f"namespace: {namespace}", source)


@contextmanager
def running(folder: Path, valkey_url: str, database_url: str, *flows: str, **changes: Any) -> Iterator[World]:
    """A world with its executor and log writer at work, and these flows in it."""
    settings = Settings(
        data_dir=folder, redis_url=valkey_url, database_url=database_url, flows_dir=folder / "flows", **changes
    )
    store, bus = Store(database_url), Bus(valkey_url)
    bus.redis.flushall()
    store.ensure_admin(PASSWORD)
    world = World(settings, store, bus)
    executor = world.executor = Executor(settings, store, bus, world.worker, environment(settings))
    with world.gateway, in_thread(executor.run), in_thread(LogWriter(store, bus).run):
        for source in flows:
            assert world.request("POST", "/flows", data=source).status_code == 200
        yield world
    store.close()
    bus.close()
