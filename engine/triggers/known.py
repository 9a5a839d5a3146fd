"""What a trigger's turn is given, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from engine.flow import Flow, FlowTrigger, Schedule, Subject, Trigger
from engine.trigger_state import TriggerState, trigger_key
from engine.truth import truth
from engine.upstream import Upstream
from streaming.messages import ExecutionCreated

Evaluate = Callable[[str, Mapping[str, Any], datetime], Any]
"""Template, what it sees, and the moment it is looked at."""


class Rules(msgspec.Struct, frozen=True):
    """Settings of triggers. ``missed_after`` in seconds: a date is missed when nothing could start so long."""

    schedules: bool = True
    recover: str = "LAST"
    missed_after: float = 60.0
    backfill_running: int = 10
    chain_max: int = 20


class Start(msgspec.Struct, frozen=True):
    """An execution that a trigger starts. ``inputs`` and ``labels`` are added to the trigger's own."""

    key: tuple[str, ...]
    at: datetime
    variables: dict[str, Any]
    execution_id: str
    inputs: dict[str, Any] = {}
    labels: dict[str, str] = {}
    chain: int = 0
    notify: bool = False


class Turn(msgspec.Struct, frozen=True):
    """What becomes of a trigger: its state, what it starts (``given``: as it was asked for), and why a request is
    refused. ``again``: there is more to do at once."""

    state: TriggerState
    starts: tuple[Start, ...] = ()
    given: tuple[ExecutionCreated, ...] = ()
    refused: str | None = None
    again: bool = False


class Known(msgspec.Struct, frozen=True):
    """A trigger with the flow it is in, and what is needed to look at it."""

    flow: Flow
    revision: int
    trigger: Trigger
    evaluate: Evaluate
    rules: Rules = Rules()

    @property
    def key(self) -> str:
        """The id that its events carry."""
        return trigger_key(self.flow.namespace, self.flow.id, self.trigger.id)

    @property
    def enabled(self) -> bool:
        """Whether the flow file lets it start anything, and the settings do."""
        off = self.flow.disabled or self.trigger.disabled
        return not off and (self.rules.schedules or not isinstance(self.trigger, Schedule))

    @property
    def rule(self) -> str:
        """What the dates of a Schedule follow from."""
        return f"{self.trigger.cron} {self.trigger.timezone}" if isinstance(self.trigger, Schedule) else ""

    def context(self, variables: Mapping[str, Any], labels: Mapping[str, str] | None = None) -> dict[str, Any]:
        """What its templates see."""
        flow = self.flow
        return {
            "trigger": dict(variables),
            "flow": {"id": flow.id, "namespace": flow.namespace, "revision": self.revision},
            "namespace": {"id": flow.namespace},
            "vars": flow.variables,
            "labels": dict(labels if labels is not None else flow.labels),
        }

    def render(self, text: str, context: Mapping[str, Any], now: datetime) -> Any:
        """A template filled in. Raises ``ValueError``."""
        try:
            return self.evaluate(text, context, now)
        except Exception as error:  # the evaluator runs the flow author's code: whatever it raises is the flow's error
            raise ValueError(str(error) or type(error).__name__) from error

    def holds(self, variables: Mapping[str, Any], now: datetime, date: datetime | None = None) -> bool:
        """Whether ``conditions`` and ``when`` do. Raises ``ValueError`` when one can't be evaluated."""
        return self._all(self.subject(variables, now, date))

    def met(self, upstream: Upstream, variables: Mapping[str, Any]) -> tuple[str, ...]:
        """For a Flow trigger: names of what this execution fulfils; one without preconditions has one name, ``""``."""
        trigger = self.trigger
        if not isinstance(trigger, FlowTrigger) or upstream.state not in trigger.states:
            return ()
        if (upstream.namespace, upstream.flow_id) == (self.flow.namespace, self.flow.id):
            return ()  # a flow never starts itself
        subject = self.subject(variables, upstream.at, upstream=upstream)
        if not self._all(subject):
            return ()
        return trigger.waits.met(subject, upstream) if trigger.waits else ("",)

    def subject(
        self,
        variables: Mapping[str, Any],
        now: datetime,
        date: datetime | None = None,
        upstream: Upstream | None = None,
    ) -> Subject:
        """What its conditions look at."""
        context = self.context(variables)
        if upstream is not None:  # of what is looked at, as conditions of other products see it
            context |= upstream_context(upstream)
        zone = ZoneInfo(self.trigger.timezone) if isinstance(self.trigger, Schedule) else UTC
        return Subject(lambda text: self.render(text, context, now), date.astimezone(zone) if date else None, upstream)

    def _all(self, subject: Subject) -> bool:
        trigger = self.trigger
        plain = trigger.plain if isinstance(trigger, FlowTrigger) else trigger.conditions
        if not all(condition.holds(subject) for condition in plain):
            return False
        return trigger.when is None or truth(subject.render(trigger.when))


def upstream_context(upstream: Upstream) -> dict[str, Any]:
    """Names that mean the execution that is looked at, and its flow."""
    return {
        "flow": {"id": upstream.flow_id, "namespace": upstream.namespace, "revision": upstream.revision},
        "namespace": {"id": upstream.namespace},
        "execution": {"id": upstream.execution_id, "state": upstream.state.value},
        "labels": upstream.labels,
        "outputs": upstream.outputs,
    }
