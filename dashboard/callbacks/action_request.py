"""What the page asks for: an action on one execution, on one of its task runs, or on many at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dashboard.callbacks.notices import count, short
from engine.states import ACTIONS, Action


@dataclass(frozen=True)
class Request:
    """A checked ``action-request``: what to do, and to which executions: ``ids``, or those that match ``filters``."""

    action: Action
    ids: tuple[str, ...] = ()
    filters: str | None = None
    task_run_id: str | None = None
    many: bool = False
    count: int = 1

    @property
    def command(self) -> Action:
        """What the engine is asked for: one task run goes on by a change of its own state, whatever else still runs."""
        return Action.CHANGE_STATE if self.action is Action.RESUME and self.task_run_id else self.action

    @property
    def id(self) -> str:
        """The one execution."""
        return self.ids[0]

    @property
    def subject(self) -> str:
        """What it is done to, in words."""
        if not self.many:
            return f"execution {short(self.id)}"
        return f"{count(self.count)} execution{'s' if self.count != 1 else ''}"


def read(data: Any) -> Request | None:
    """The request in the store's data; ``None`` for anything else. How many ids an operation takes it says itself."""
    if not isinstance(data, dict):
        return None
    try:
        action = Action(data.get("action"))
    except ValueError:
        return None
    many = bool(data.get("many"))
    if many and not ACTIONS[action].bulk:
        return None
    if many and isinstance(filters := data.get("filters"), str):
        return Request(action, filters=filters, many=True, count=_count(data.get("count")))
    ids = data.get("ids")
    if not isinstance(ids, list) or not ids or (len(ids) > 1 and not many):
        return None
    task_run = data.get("taskRun")
    chosen = tuple(dict.fromkeys(str(one) for one in ids))
    return Request(action, chosen, None, str(task_run) if task_run else None, many, len(chosen))


def _count(value: Any) -> int:
    return value if isinstance(value, int) and value >= 0 else 0
