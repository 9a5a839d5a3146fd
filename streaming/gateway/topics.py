"""What a browser can subscribe to, with which parameters. Equal topics share one view."""

from __future__ import annotations

from typing import Any

import msgspec

from streaming.gateway.order import normal
from streaming.messages import LEVELS, Level, LogEntry


class TopicError(ValueError):
    """The topic or its parameters are not known; says what was expected."""


class _Topic(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="topic"):
    """Common to all topics."""

    @property
    def name(self) -> str:
        """The topic's name on the wire."""
        return str(self.__struct_config__.tag)


class ExecutionsTopic(_Topic, frozen=True, tag="executions"):
    """A page of the list: ``filters`` in the wire form, ``sort`` like ``startDate:desc``.

    ``within``: only these namespaces and those below them; set by who knows the person's rights.
    """

    filters: str = ""
    sort: str = "startDate:desc"
    page: int = 1
    size: int = 50
    within: tuple[str, ...] | None = None


class ExecutionTopic(_Topic, frozen=True, tag="execution"):
    """One execution: its row, history and task runs."""

    id: str


class RowsTopic(_Topic, frozen=True, tag="rows"):
    """Rows by id: those a page still shows although they have left its window."""

    ids: tuple[str, ...]


class LogsTopic(_Topic, frozen=True, tag="logs"):
    """Log lines of one execution from a level on, of one task, task run or attempt where given."""

    execution_id: str
    min_level: Level = "TRACE"
    task_id: str | None = None
    task_run_id: str | None = None
    attempt: int | None = None

    def matches(self, entry: LogEntry) -> bool:
        """Whether ``entry`` belongs here."""
        return (
            entry.execution_id == self.execution_id
            and LEVELS.index(entry.level) >= LEVELS.index(self.min_level)
            and self.task_id in (None, entry.task_id)
            and self.task_run_id in (None, entry.task_run_id)
            and self.attempt in (None, entry.attempt)
        )


class StatsTopic(_Topic, frozen=True, tag="stats"):
    """Counts by state and the event rate, over everything, or ``within`` some namespaces and those below them."""

    within: tuple[str, ...] | None = None


class OperationTopic(_Topic, frozen=True, tag="operation"):
    """One bulk operation: how far it is."""

    id: str


class OperationsTopic(_Topic, frozen=True, tag="operations"):
    """A page of the bulk operations, the newest first: all, or (set by who knows the rights) those of one ``actor``."""

    page: int = 1
    size: int = 25
    actor: str | None = None


Topic = ExecutionsTopic | ExecutionTopic | RowsTopic | LogsTopic | StatsTopic | OperationTopic | OperationsTopic
TOPICS: tuple[str, ...] = tuple(kind.__struct_config__.tag for kind in Topic.__args__)  # type: ignore[attr-defined]


def parse_topic(name: Any, params: Any, page_size_max: int) -> Topic:
    """The topic that a browser asked for; raises TopicError."""
    given = {key: value for key, value in dict(params or {}).items() if value is not None and key != "after_seq"}
    try:
        topic: Topic = msgspec.convert({**given, "topic": name}, Topic)
    except msgspec.ValidationError as error:
        raise TopicError(f"unknown topic or parameters: {error}") from error
    paged = isinstance(topic, (ExecutionsTopic, OperationsTopic))
    if paged and not (1 <= topic.size <= page_size_max and topic.page >= 1):
        raise TopicError(f"expected page >= 1 and 1 <= size <= {page_size_max}, got {topic.page} and {topic.size}")
    if isinstance(topic, ExecutionsTopic):
        return msgspec.structs.replace(topic, sort=normal(topic.sort))
    if isinstance(topic, RowsTopic) and len(topic.ids) > page_size_max:
        raise TopicError(f"expected at most {page_size_max} ids, got {len(topic.ids)}")
    return topic
