"""A small world for the gateway: a store that is the truth, an executor that commits, browsers that fold frames."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

from data.operation_records import Operation
from engine.model import Execution, StateChange
from engine.states import State
from streaming.gateway.hub import Hub, Limits
from streaming.gateway.loader import Loader
from streaming.gateway.order import sort_key
from streaming.gateway.reads import Matcher, OperationPage, Page, Tail, Unavailable
from streaming.gateway.rights import Login, SignedIn
from streaming.gateway.sessions import Sessions
from streaming.gateway.topics import ExecutionsTopic, LogsTopic
from streaming.messages import Deltas, ExecutionDelta, ExecutionRow, LogEntry, LogsCommitted

START = datetime(2026, 1, 1, tzinfo=UTC)


def row(number: int, state: State = State.RUNNING, version: int = 1, **changes: Any) -> ExecutionRow:
    """A row; its start follows from its number."""
    start = START + timedelta(seconds=number)
    return ExecutionRow(
        id=f"e{number:04}",
        version=version,
        namespace=changes.pop("namespace", "company.team"),
        flow_id="flow",
        revision=1,
        state=state,
        start_date=start,
        changed_at=changes.pop("changed_at", start),
        **changes,
    )


class Clock:
    """Seconds that pass only when told to."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)


class FakeReads:
    """The store: rows and log lines, and the position of the last commit."""

    def __init__(self) -> None:
        self.truth: dict[str, ExecutionRow] = {}
        self.lines: list[LogEntry] = []
        self.operations_there: dict[str, Operation] = {}
        self.position = "0-0"
        self.away = False
        self.asked = 0
        self.while_reading: Callable[[], None] | None = None

    def matcher(self, filters: str, within: tuple[str, ...] | None = None) -> Matcher:
        states = parse_qs(filters).get("filters[state][IN]", [""])[0]
        wanted = set(states.split(",")) if states else None
        return lambda row, now: wanted is None or row.state in wanted

    def page(self, topic: ExecutionsTopic, rows: int) -> Page:
        self._ask()
        matches = self.matcher(topic.filters)
        found = sorted((r for r in self.truth.values() if matches(r, START)), key=sort_key(topic.sort))
        first = (topic.page - 1) * topic.size
        counts = Counter(r.state for r in found)
        page = Page(tuple(found[first : first + rows]), len(found), dict(counts), {"wf:events": self.position})
        if self.while_reading is not None:
            self.while_reading()
        return page

    def execution(self, execution_id: str) -> Execution | None:
        self._ask()
        found = self.truth.get(execution_id)
        if found is None:
            return None
        history = (StateChange(found.state, found.start_date),)
        return Execution(found.id, found.namespace, found.flow_id, 1, found.state, history, found.version)

    def rows(self, ids: Any) -> dict[str, ExecutionRow]:
        self._ask()
        return {i: self.truth[i] for i in ids if i in self.truth}

    def operation(self, operation_id: str) -> Operation | None:
        self._ask()
        return self.operations_there.get(operation_id)

    def operations(self, page: int, size: int, actor: str | None = None) -> OperationPage:
        self._ask()
        newest = [*self.operations_there.values()][::-1]
        return OperationPage(tuple(newest[(page - 1) * size : page * size]), len(newest))

    def tail(self, topic: LogsTopic) -> Tail:
        self._ask()
        found = [entry.seq for entry in self.lines if topic.matches(entry)]
        return Tail(len(found), found[-1] if found else 0)

    def lines_after(self, topic: LogsTopic, seq: int, limit: int) -> list[LogEntry]:
        self._ask()
        return [entry for entry in self.lines if entry.seq > seq and topic.matches(entry)][:limit]

    def ping(self) -> None:
        self._ask()

    def _ask(self) -> None:
        self.asked += 1
        if self.away:
            raise Unavailable("file is gone")


class Browser:
    """Folds frames as the page does. It acknowledges when told to."""

    def __init__(self, sessions: Sessions, topic: str, params: dict[str, Any]) -> None:
        self.sessions = sessions
        self.topic, self.params = topic, params
        self.rows: dict[str, Any] = {}
        self.ids: list[str] = []
        self.total = 0
        self.counts: dict[str, int] = {}
        self.lines: dict[int, str] = {}
        self.skipped = 0
        self.frames: list[dict[str, Any]] = []
        self.texts: list[str] = []
        self.snapshots = 0
        self.cursor: str | None = None
        self.mark: str | None = None
        self.waiting: list[Callable[[], None]] = []
        self.sid = f"sid-{id(self)}"
        self.connected = False
        self.answer: dict[str, Any] = {}

    def connect(self) -> None:
        """Connect, resuming where it was."""
        self.sessions.open(self.sid, Login())
        self.connected = True
        self.waiting.clear()
        wish = {"sub": "1", "topic": self.topic, "params": self.params, "cursor": self.cursor, "mark": self.mark}
        answer = self.answer = self.sessions.subscribe(self.sid, wish, self._receive)
        if not answer["ok"]:
            return
        if "snapshot" in answer:
            self.replace(json.loads(answer["snapshot"]))
        for item in json.loads(answer.get("items", "[]")):
            self.fold(item)
        self.cursor, self.mark = answer["cursor"], answer["mark"]

    def cut(self) -> None:
        """The connection is lost, and with it whatever was not acknowledged."""
        self.connected = False
        self.sessions.close(self.sid)

    def _receive(self, sub: str, frame: str, acked: Callable[[], None]) -> None:
        assert self.connected, "a frame to nobody"
        assert not self.waiting, "a second frame before the acknowledgement of the first"
        self.waiting.append(acked)
        self.texts.append(frame)
        body = json.loads(frame)
        self.frames.append(body)
        if "snapshot" in body:
            self.replace(body["snapshot"])
        for item in body.get("items", ()):
            self.fold(item)
        self.cursor, self.mark = body["cursor"], body["mark"]

    def ack(self) -> None:
        """Say that the last frame was painted."""
        while self.waiting:
            self.waiting.pop()()

    def replace(self, snapshot: Any) -> None:
        """Start again from a snapshot."""
        self.snapshots += 1
        if self.topic == "executions":
            self.rows = {r["id"]: r for r in snapshot["rows"]}
            self.ids, self.total, self.counts = snapshot["ids"], snapshot["total"], snapshot["counts"]
        elif self.topic == "execution" and snapshot["row"] is not None:
            self.rows = {snapshot["row"]["id"]: snapshot["row"]}
        elif self.topic == "rows":
            self.rows = {r["id"]: r for r in snapshot["rows"]}

    def fold(self, item: dict[str, Any]) -> None:
        """One item, as the page folds it."""
        match item["t"]:
            case "row" | "execution":
                held = self.rows.get(item["row"]["id"])
                if held is None or held["version"] <= item["row"]["version"]:
                    self.rows[item["row"]["id"]] = item["row"]
            case "gone":
                self.rows.pop(item["id"], None)
            case "window":
                self.ids = item.get("ids", self.ids)
                self.total, self.counts = item["total"], item["counts"]
            case "lines":
                self.lines.update((entry["seq"], entry["message"]) for entry in item["entries"])
            case "skipped":
                self.skipped += item["count"]

    @property
    def shown(self) -> list[tuple[str, str, int]]:
        """The page's rows in order."""
        return [(i, self.rows[i]["state"], self.rows[i]["version"]) for i in self.ids]


class World:
    """Everything together, without sockets, threads or Redis."""

    def __init__(self, interval: float = 0.05, frame_max: int = 2_000, buffer: int = 5_000, bus: Any = None) -> None:
        self.clock = Clock()
        self.reads = FakeReads()
        limits = Limits(interval, frame_max, buffer)
        self.hub = Hub(self.reads, limits, clock=self.clock, now=self.clock.now)
        self.loader = Loader(self.hub, lambda work: work())
        self.sessions = Sessions(self.hub, self.loader, bus, 500, SignedIn())
        self._commits = 0
        self.published: list[tuple[str, Deltas]] = []

    def browser(self, topic: str = "executions", **params: Any) -> Browser:
        """A browser that is connected."""
        browser = Browser(self.sessions, topic, params)
        browser.connect()
        return browser

    def commit(self, *rows: ExecutionRow) -> tuple[str, Deltas]:
        """Write rows to the store; the message that announces them."""
        self._commits += 1
        self.reads.position = f"{self._commits}-0"
        items = tuple(ExecutionDelta(row, self.reads.truth.get(row.id)) for row in rows)
        self.reads.truth.update((row.id, row) for row in rows)
        return f"{1000 + self._commits}-0", Deltas("x", START, items, self.reads.position)

    def remove(self, *ids: str) -> tuple[str, Deltas]:
        """Retention removes rows; the message that says so."""
        self._commits += 1
        self.reads.position = f"{self._commits}-0"
        gone = tuple(self.reads.truth.pop(i) for i in ids)
        return f"{1000 + self._commits}-0", Deltas("x", START, (), self.reads.position, gone)

    def announce(self, *rows: ExecutionRow) -> None:
        """Commit and publish."""
        self.hub.deltas(*self.commit(*rows))
        self.hub.flush()

    def write(self, count: int, execution_id: str = "e0001", level: str = "INFO") -> LogsCommitted:
        """Store log lines; the message that announces them."""
        last = self.reads.lines[-1].seq if self.reads.lines else 0
        entries = tuple(
            LogEntry(
                last + n, execution_id, "company.team", "flow", "task", "tr", 1, n, START, level, f"line {last + n}"
            )
            for n in range(1, count + 1)
        )
        self.reads.lines.extend(entries)
        return LogsCommitted(entries, after_seq=last)

    def later(self, seconds: float = 1.0) -> None:
        """Time passes; what is due is loaded and sent."""
        self.clock.seconds += seconds
        self.loader.turn()
        self.hub.flush()
