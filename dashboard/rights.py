"""What a person may see and do of many executions at once, for ``streaming.operations``."""

from __future__ import annotations

from typing import Any

from dashboard.permissions import Verb, may, narrowed, refusal
from data.operation_records import Operation
from engine.states import Action
from streaming.operations import Rights


def rights_of(person: Any, action: Action) -> Rights:
    """The person's rights over executions, namespace by namespace."""
    return Rights(
        everywhere=may(person, action) and may(person, Verb.READ),
        narrow=lambda filters: narrowed(filters, person, Verb.READ),
        reads=lambda namespace: may(person, Verb.READ, namespace),
        refuses=lambda namespace: refusal(person, action, namespace),
    )


def may_see(person: Any, operation: Operation) -> bool:
    """Its results name executions of any namespace: for those who may read all, and for who started it."""
    return may(person, Verb.READ) or getattr(person, "name", None) == operation.actor
