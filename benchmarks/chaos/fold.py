"""What a page knows of a topic after its snapshots and items, and whether the store says the same."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from data import Store
from data.filters import Condition, Filters
from data.operators import Op
from data.records import ExecutionQuery, LogQuery
from engine.model import TaskRun
from streaming.messages import ExecutionRow

SHOWN = 300  # rows of the list, more than a run has executions


class Fold(ABC):
    """Common to all topics."""

    topic: ClassVar[str]

    def __init__(self, **params: Any) -> None:
        self.params = params

    @abstractmethod
    def begin(self, snapshot: Any) -> None:
        """Begin with a snapshot."""

    @abstractmethod
    def take(self, item: dict[str, Any]) -> None:
        """Fold an item in."""

    @abstractmethod
    def differences(self, store: Store) -> list[str]:
        """In words, what the store says otherwise."""

    def _differs(self, what: str, known: Any, stored: Any) -> list[str]:
        name = f"the page's {self.topic} {self.params.get('id') or self.params.get('execution_id') or ''}".rstrip()
        return [] if known == stored else [f"{name}: {what} {known!r}, in the store {stored!r}"]


class ListFold(Fold):
    """The list of a namespace: its rows, their order, the total and the state counts."""

    topic = "executions"

    def __init__(self, namespace: str) -> None:
        self._query = Filters((Condition("namespace", Op.EQUALS, (namespace,)),))
        super().__init__(filters=f"filters[namespace][EQUALS]={namespace}", page=1, size=SHOWN)
        self.begin({"rows": [], "ids": [], "total": 0, "counts": {}})

    def begin(self, snapshot: Any) -> None:
        self._rows = {row["id"]: row for row in snapshot["rows"]}
        self._ids: list[str] = snapshot["ids"]
        self._total, self._counts = snapshot["total"], snapshot["counts"]

    def take(self, item: dict[str, Any]) -> None:
        match item["t"]:
            case "row":
                self._rows[item["row"]["id"]] = item["row"]
            case "window":
                self._ids = item.get("ids") or self._ids
                self._total, self._counts = item["total"], item["counts"]

    def differences(self, store: Store) -> list[str]:
        page = store.search(ExecutionQuery(self._query, size=SHOWN))
        counts = {str(state): n for state, n in page.counts.items() if n}
        said = self._differs("total", self._total, page.total) + self._differs("counts", self._counts, counts)
        said += self._differs("rows", sorted(self._ids), sorted(row.id for row in page.rows))
        for row in page.rows:
            said += self._differs(f"row {row.id}", _row(self._rows.get(row.id)), _of_row(row))
        return said


class OneFold(Fold):
    """One execution: its row and task runs."""

    topic = "execution"

    def __init__(self, execution_id: str) -> None:
        super().__init__(id=execution_id)
        self.begin({"row": None, "task_runs": []})

    def begin(self, snapshot: Any) -> None:
        self._row = snapshot["row"]
        self._base = (self._row or {}).get("version", 0)
        self._runs = {run["id"]: (self._base, run) for run in snapshot["task_runs"]}

    def take(self, item: dict[str, Any]) -> None:
        match item["t"]:
            case "execution" if self._row is None or item["row"]["version"] >= self._row["version"]:
                self._row = item["row"]
            case "task_run":
                run = item["task_run"]
                if self._runs.get(run["id"], (self._base,))[0] <= item["version"]:
                    self._runs[run["id"]] = item["version"], run
            case "dropped":
                for gone in item["ids"]:
                    self._runs.pop(gone, None)

    def differences(self, store: Store) -> list[str]:
        execution = store.load(self.params["id"])
        row = store.row(self.params["id"])
        if execution is None or row is None:
            return self._differs("row", _row(self._row), None)
        runs = {id: _run(run) for id, (_, run) in self._runs.items()}
        stored = {run.id: _of_run(run) for run in execution.task_runs.values()}
        return self._differs("row", _row(self._row), _of_row(row)) + self._differs("task runs", runs, stored)


class LogFold(Fold):
    """The log of one execution: what came, and the ranges that a page would read from the store."""

    topic = "logs"

    def __init__(self, execution_id: str) -> None:
        super().__init__(execution_id=execution_id)
        self._lines: dict[int, str] = {}
        self._told: list[tuple[int, int]] = []
        self._twice: list[int] = []

    def begin(self, snapshot: Any) -> None:
        self._told.append((max(self._lines, default=0) + 1, snapshot["last_seq"]))

    def take(self, item: dict[str, Any]) -> None:
        if item["t"] == "skipped":
            self._told.append((item["first_seq"], item["last_seq"]))
            return
        for entry in item["entries"]:
            if entry["seq"] in self._lines:
                self._twice.append(entry["seq"])
            self._lines[entry["seq"]] = entry["message"]

    def differences(self, store: Store) -> list[str]:
        stored = {entry.seq: entry.message for entry in store.iter_logs(LogQuery(self.params["execution_id"]))}
        wanted = {seq: text for seq, text in stored.items() if seq in self._lines or not self._is_told(seq)}
        return self._differs("lines", self._lines, wanted) + self._differs("lines that came twice", self._twice, [])

    def _is_told(self, seq: int) -> bool:
        return any(first <= seq <= last for first, last in self._told)


def _row(row: dict[str, Any] | None) -> Any:
    return row and (row["version"], row["state"], row.get("labels", {}), row.get("error"), row.get("last_task"))


def _of_row(row: ExecutionRow) -> Any:
    return row.version, str(row.state), row.labels, row.error, row.last_task


def _run(run: dict[str, Any]) -> Any:
    return run["state"], [attempt["state"] for attempt in run.get("attempts", ())]


def _of_run(run: TaskRun) -> Any:
    return str(run.state), [str(attempt.state) for attempt in run.attempts]
