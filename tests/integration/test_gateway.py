"""The gateway on a real Valkey, a real store and real Socket.IO connections."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import flask
import pytest
import socketio
from flask_socketio import SocketIO
from werkzeug.serving import make_server

from data import Store
from data.records import Commit
from engine.model import Execution, Kind, StateChange
from engine.states import Action, State
from streaming import codec, keys
from streaming.bus import Bus
from streaming.gateway import NAMESPACE, Gateway
from streaming.gateway.rights import Login, SignedIn
from streaming.messages import Answer, Deltas, ExecutionDelta, Heartbeat, LogBatch, LogLine, LogsCommitted
from streaming.rows import row_of
from tests.waiting import until
from watchfloor.settings import Settings
from watchfloor.valkey import valkey_server

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Executor:
    """Commits and announces like the real one."""

    def __init__(self, store: Store, bus: Bus) -> None:
        self.store, self.bus = store, bus
        self.stop = threading.Event()
        self._events = 0
        self._known: dict[str, Execution] = {}

    def commit(self, execution_id: str, state: State, *answers: Answer) -> Deltas:
        """Write one change."""
        self._events += 1
        before = self._known.get(execution_id)
        history = (*(before.history if before else ()), StateChange(state, datetime.now(UTC)))
        version = before.version + 1 if before else 1
        execution = Execution(
            execution_id, "company.team", "flow", 1, state, history, version, datetime.now(UTC), Kind.NORMAL
        )
        self._known[execution_id] = execution
        position = f"{self._events}-0"
        self.store.commit(Commit(stream=keys.EVENTS, position=position, executions=[execution]))
        delta = ExecutionDelta(row_of(execution), row_of(before) if before else None, answers=answers)
        return Deltas("executor", datetime.now(UTC), (delta,), position)

    def announce(self, execution_id: str, state: State, *answers: Answer) -> str:
        """Write and publish one change; its cursor."""
        return self.bus.publish_deltas(codec.encode(self.commit(execution_id, state, *answers)))

    def beat(self) -> None:
        """Beat until stopped."""
        while not self.stop.wait(0.3):
            try:
                self.bus.publish_heartbeat(Heartbeat("executor", datetime.now(UTC)))
            except Exception as error:  # the server may be away: that is what is tested
                last = error  # noqa: F841


class Page:
    """A browser's side of the protocol."""

    def __init__(self, address: str, headers: dict[str, str]) -> None:
        self.client = socketio.Client(reconnection=False)
        self.frames: list[dict[str, Any]] = []
        self.beats: list[dict[str, Any]] = []
        self.client.on("frame", self._frame, namespace=NAMESPACE)
        self.client.on("heartbeat", self.beats.append, namespace=NAMESPACE)
        self.client.connect(address, headers=headers, namespaces=[NAMESPACE], transports=["websocket"])

    def _frame(self, sub: str, text: str) -> None:
        self.frames.append(json.loads(text))

    def subscribe(self, topic: str, params: dict[str, Any], **resume: Any) -> dict[str, Any]:
        wish = {"sub": "1", "topic": topic, "params": params, **resume}
        return self.client.call("subscribe", wish, namespace=NAMESPACE, timeout=10)

    def items(self, tag: str) -> list[dict[str, Any]]:
        return [item for frame in self.frames for item in frame.get("items", ()) if item["t"] == tag]

    def close(self) -> None:
        self.client.eio.ws.shutdown()  # at once, without a goodbye


class World:
    """One web process, in this one."""

    def __init__(self, address: str, gateway: Gateway, executor: Executor, clock: list[datetime]) -> None:
        self.address, self.gateway, self.executor, self.clock = address, gateway, executor, clock
        self.pages: list[Page] = []

    def page(self, user: str = "anna") -> Page:
        page = Page(self.address, {"X-User": user})
        self.pages.append(page)
        return page


@contextmanager
def web(settings: Settings, store: Store, bus: Bus) -> Iterator[World]:
    app = flask.Flask("test")
    sockets = SocketIO(app, async_mode="threading")

    class Annas(SignedIn):
        def login(self) -> Login | None:
            hours = {"anna": None, "short": 1}
            user = flask.request.headers.get("X-User", "")
            return Login(until=hours[user] and NOW + timedelta(hours=hours[user])) if user in hours else None

    executor = Executor(store, bus)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    clock = [NOW]
    with Gateway(settings, store, bus, sockets, rights=Annas(), now=lambda: clock[0]) as gateway:
        threads = [threading.Thread(target=server.serve_forever), threading.Thread(target=executor.beat)]
        for thread in threads:
            thread.start()
        world = World(f"http://127.0.0.1:{server.server_port}", gateway, executor, clock)
        try:
            yield world
        finally:
            for page in world.pages:
                page.close()
            executor.stop.set()
            server.shutdown()
            for thread in threads:
                thread.join(10)
            server.server_close()


@pytest.fixture
def world(valkey_url: str, bus: Bus, store: Store, tmp_path: Path) -> Iterator[World]:
    with web(Settings(redis_url=valkey_url, data_dir=tmp_path), store, bus) as world:
        until(lambda: world.gateway.hub.cursor)
        yield world


LIST = {"filters": "", "sort": "startDate:desc", "page": 1, "size": 10}


def test_who_is_not_logged_in_is_refused(world: World) -> None:
    with pytest.raises(socketio.exceptions.ConnectionError):
        world.page("nobody")


def test_a_live_connection_ends_with_the_login_it_is_there_by(world: World) -> None:
    short, ever = world.page("short"), world.page()
    until(lambda: short.beats and ever.beats)
    assert short.client.connected
    world.clock[0] = NOW + timedelta(hours=1)
    until(lambda: not short.client.connected)
    beats = len(ever.beats)
    until(lambda: len(ever.beats) > beats)
    assert len(world.gateway.sessions) == 1


def test_a_change_goes_from_the_commit_to_the_page(world: World) -> None:
    world.executor.announce("e1", State.RUNNING)
    page = world.page()
    answer = page.subscribe("executions", LIST)
    assert json.loads(answer["snapshot"])["total"] == 1
    cursor = world.executor.announce("e1", State.SUCCESS)
    row = until(lambda: page.items("row"))[-1]["row"]
    assert (row["state"], row["version"]) == ("SUCCESS", 2)
    assert page.frames[-1]["cursor"] == cursor
    assert until(lambda: page.items("window"))[-1]["counts"] == {"SUCCESS": 1}


def test_the_heartbeat_says_that_the_executor_is_silent(world: World) -> None:
    page = world.page()
    until(lambda: page.beats and page.beats[-1]["executor"] is None)
    world.executor.stop.set()
    stopped = time.monotonic()
    until(lambda: page.beats[-1]["executor"])
    assert time.monotonic() - stopped < 3


def test_an_answer_reaches_who_waits_for_it(world: World) -> None:
    timer = threading.Timer(0.1, world.executor.announce, ("e1", State.KILLING, Answer("event-1", Action.KILL)))
    timer.start()
    assert world.gateway.answers.wait("event-1", 5) == Answer("event-1", Action.KILL)
    timer.join()


def test_log_lines_come_as_they_are_stored(world: World, store: Store, bus: Bus) -> None:
    page = world.page()
    assert json.loads(page.subscribe("logs", {"execution_id": "e1"})["snapshot"]) == {"total": 0, "last_seq": 0}
    batch = LogBatch("e1", "company.team", "flow", "task", "tr", 1, (LogLine(1, NOW, "INFO", "hello"),))
    bus.publish_logs(LogsCommitted(tuple(store.append_logs("1-0", [batch]))))
    (item,) = until(lambda: page.items("lines"))
    assert [entry["message"] for entry in item["entries"]] == ["hello"]


def test_an_execution_is_resumed_from_the_stream_by_a_new_process(
    valkey_url: str, bus: Bus, store: Store, tmp_path: Path
) -> None:
    settings = Settings(redis_url=valkey_url, data_dir=tmp_path)
    with web(settings, store, bus) as first:
        page = first.page()
        page.subscribe("execution", {"id": "e1"})
        first.executor.announce("e1", State.CREATED)
        seen = until(lambda: page.frames)[-1]
        executor = first.executor
    executor.announce("e1", State.RUNNING)
    executor.announce("e2", State.RUNNING)
    executor.announce("e1", State.SUCCESS)
    with web(settings, store, bus) as second:
        answer = second.page().subscribe("execution", {"id": "e1"}, cursor=seen["cursor"], mark=seen["mark"])
        assert "snapshot" not in answer
        assert [item["row"]["state"] for item in json.loads(answer["items"])] == ["SUCCESS"]
        forgotten = second.page().subscribe("execution", {"id": "e1"}, cursor="1-1")
        assert json.loads(forgotten["snapshot"])["row"]["state"] == "SUCCESS"


def test_redis_away_is_told_and_what_was_missed_comes_after(tmp_path: Path, store: Store) -> None:
    folder = tmp_path / "valkey"
    with valkey_server(folder) as url:
        bus = Bus(url)
        settings = Settings(redis_url=url, data_dir=tmp_path)
        started = web(settings, store, bus)
        world = started.__enter__()
        until(lambda: world.gateway.hub.cursor)
        page = world.page()
        page.subscribe("executions", LIST)
        world.executor.announce("e1", State.RUNNING)
        until(lambda: page.items("row"))
    try:
        gone = time.monotonic()
        until(lambda: page.beats and page.beats[-1]["redis"])
        assert time.monotonic() - gone < 3
        late = world.executor.commit("e1", State.SUCCESS)
        with valkey_server(folder):
            bus.publish_deltas(codec.encode(late))
            until(lambda: page.items("row")[-1]["row"]["state"] == "SUCCESS")
            until(lambda: page.beats[-1]["redis"] is None)
            world.executor.announce("e2", State.RUNNING)
            until(lambda: page.items("window")[-1]["total"] == 2)
    finally:
        started.__exit__(None, None, None)
        bus.close()


def test_the_gateway_leaves_no_thread_behind(world: World) -> None:
    world.gateway.stop()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("gateway-")]
