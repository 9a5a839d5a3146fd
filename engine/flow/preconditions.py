"""What a Flow trigger waits for: executions of flows, each in its states, within a time window."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Literal

from pydantic import AliasChoices, Field

from engine.flow.base import FlowId, Id, Labels, Model, Namespace, Text
from engine.flow.conditions import AnyCondition, Condition, States, Subject, has_labels, registered
from engine.flow.windows import TimeWindow
from engine.truth import truth
from engine.upstream import Upstream


class UpstreamFlow(Model):
    """Executions of one flow, or of all flows of a namespace, in some states (any) and with some labels."""

    namespace: Namespace | None = None
    flowId: FlowId | None = None
    states: States = ()
    labels: Labels = {}

    def fits(self, upstream: Upstream) -> bool:
        """Whether it is such an execution."""
        return (
            self.namespace in (None, upstream.namespace)
            and self.flowId in (None, upstream.flow_id)
            and (not self.states or upstream.state in self.states)
            and has_labels(upstream.labels, self.labels)
        )


def _text(value: Any) -> str:
    return str(getattr(value, "value", value))


_TESTS: dict[str, Callable[[Any, str, list[str]], bool]] = {
    "EQUAL_TO": lambda found, value, _: _text(found) == value,
    "NOT_EQUAL_TO": lambda found, value, _: _text(found) != value,
    "IN": lambda found, _, values: _text(found) in values,
    "NOT_IN": lambda found, _, values: _text(found) not in values,
    "STARTS_WITH": lambda found, value, _: _text(found).startswith(value),
    "ENDS_WITH": lambda found, value, _: _text(found).endswith(value),
    "CONTAINS": lambda found, value, _: value in _text(found),
    "REGEX": lambda found, value, _: re.fullmatch(value, _text(found)) is not None,
    "IS_TRUE": lambda found, _, __: truth(found),
    "IS_FALSE": lambda found, _, __: not truth(found),
    "IS_NULL": lambda found, _, __: found in (None, ""),
    "IS_NOT_NULL": lambda found, _, __: found not in (None, ""),
}
FilterType = Literal[
    "EQUAL_TO", "NOT_EQUAL_TO", "IN", "NOT_IN", "STARTS_WITH", "ENDS_WITH", "CONTAINS", "REGEX", "IS_TRUE", "IS_FALSE",
    "IS_NULL", "IS_NOT_NULL",
]  # fmt: skip


class Filter(Model):
    """A test of one thing of an execution; of a template's result where ``field`` is EXPRESSION."""

    field: Literal["FLOW_ID", "NAMESPACE", "STATE", "EXPRESSION"]
    type: FilterType
    value: Text | None = None
    values: tuple[Text, ...] = ()

    def fits(self, subject: Subject, upstream: Upstream) -> bool:
        """Whether the test is passed."""
        if self.field == "EXPRESSION":
            found, value = subject.render(self.value or ""), self.values[0] if self.values else ""
        else:
            found = {"FLOW_ID": upstream.flow_id, "NAMESPACE": upstream.namespace, "STATE": upstream.state}[self.field]
            value = self.value or ""
        return _TESTS[self.type](found, value, list(self.values))


class Where(Model):
    """Tests of an execution: all of them, or one."""

    id: Id
    filters: tuple[Filter, ...] = Field(min_length=1)
    operand: Literal["AND", "OR"] = "AND"

    def fits(self, subject: Subject, upstream: Upstream) -> bool:
        """Whether it is such an execution."""
        results = (one.fits(subject, upstream) for one in self.filters)
        return all(results) if self.operand == "AND" else any(results)


class Preconditions(Model):
    """All of ``flows`` and ``where`` within ``timeWindow``; with ``resetOnSuccess`` each start needs all anew."""

    id: Id
    timeWindow: TimeWindow = TimeWindow()
    resetOnSuccess: bool = True
    flows: tuple[UpstreamFlow, ...] = ()
    where: tuple[Where, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """A name for each thing that is waited for."""
        return (*(f"flow {number}" for number in range(1, len(self.flows) + 1)), *(one.id for one in self.where))

    def met(self, subject: Subject, upstream: Upstream) -> tuple[str, ...]:
        """Names of what this execution fulfils."""
        found = [one.fits(upstream) for one in self.flows] + [one.fits(subject, upstream) for one in self.where]
        return tuple(name for name, fits in zip(self.names, found, strict=True) if fits)


@registered("Multiple")
class MultipleCondition(Condition):
    """Older form of ``preconditions``: all named conditions within a window. It looks at several executions, so it
    stands among the conditions of a Flow trigger, and in no other condition."""

    id: Id
    conditions: dict[str, AnyCondition] = Field(min_length=1)
    timeWindow: TimeWindow = Field(TimeWindow(), validation_alias=AliasChoices("timeWindow", "timeSLA", "sla"))
    resetOnSuccess: bool = True

    @property
    def names(self) -> tuple[str, ...]:
        """A name for each thing that is waited for."""
        return tuple(self.conditions)

    def met(self, subject: Subject, upstream: Upstream) -> tuple[str, ...]:
        """Names of what this execution fulfils."""
        return tuple(name for name, condition in self.conditions.items() if condition.holds(subject))

    def holds(self, subject: Subject) -> bool:
        """One of them: alone it can't see the others."""
        return any(condition.holds(subject) for condition in self.conditions.values())
