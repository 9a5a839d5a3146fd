"""What starts a flow by itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, PlainValidator, SerializeAsAny

from engine.flow.base import Condition as Template
from engine.flow.base import Id, Labels, Model, Seconds, Text, is_template
from engine.flow.conditions import AnyCondition, Condition, ExecutionFlow, States
from engine.flow.crons import Cron
from engine.flow.kinds import Kinds
from engine.flow.preconditions import MultipleCondition, Preconditions
from engine.model import FLOW_TRIGGER
from engine.states import TERMINAL, State


class Trigger(Model):
    """Keys of every trigger. ``conditions`` and ``when`` (a template) must all hold; after an execution of it that
    ended in one of ``stopAfter`` it is switched off."""

    id: Id
    type: str
    description: Text | None = None
    disabled: bool = False
    inputs: dict[str, Any] = {}
    labels: Labels = {}
    conditions: tuple[AnyCondition, ...] = ()
    when: Template | None = None
    stopAfter: States = ()


TRIGGERS = Kinds("trigger", Trigger, defaults=True)
TRIGGER_TYPES = TRIGGERS.types
AnyTrigger = Annotated[SerializeAsAny[Trigger], PlainValidator(TRIGGERS.read)]
_CORE = "io.kestra.plugin.core.trigger."
_OLD = "io.kestra.core.models.triggers.types."
SHORT_KEY = 12
"""A shorter key of a Webhook can be guessed."""


def _timezone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"expected a time zone such as Europe/Paris, came {name!r}") from error
    return name


@TRIGGERS.register(f"{_CORE}Schedule", f"{_OLD}Schedule")
class Schedule(Trigger):
    """By the clock. ``cron`` has five fields, or six with the seconds first (croniter's ``second_at_beginning``).

    ``recoverMissedSchedules`` says what becomes of dates at which nothing could start; ``None``: what the settings say.
    """

    cron: Cron
    timezone: Annotated[str, AfterValidator(_timezone)] = "UTC"
    withSeconds: bool = False
    recoverMissedSchedules: Literal["ALL", "LAST", "NONE"] | None = None
    lateMaximumDelay: Seconds | None = None


@TRIGGERS.register(f"{_CORE}Webhook", f"{_OLD}Webhook")
class Webhook(Trigger):
    """By a call to the flow's address with ``key``, which may be a template: ``{{ secret('KEY') }}``."""

    key: Annotated[Text, Field(min_length=1)]
    wait: bool = False
    returnOutputs: bool = False


@TRIGGERS.register(FLOW_TRIGGER, f"{_OLD}Flow")
class FlowTrigger(Trigger):
    """By other flows' executions that come to one of ``states``: one that fulfils all ``conditions``, or several that
    together fulfil ``preconditions`` within their time window."""

    states: States = Field(tuple(state for state in State if state in TERMINAL))
    preconditions: Preconditions | None = None

    @property
    def plain(self) -> tuple[Condition, ...]:
        """Conditions on each execution by itself."""
        return tuple(one for one in self.conditions if not isinstance(one, MultipleCondition))

    @property
    def waits(self) -> Preconditions | MultipleCondition | None:
        """What several executions must fulfil together."""
        several = (one for one in self.conditions if isinstance(one, MultipleCondition))
        return self.preconditions or next(several, None)

    @property
    def flows(self) -> frozenset[tuple[str, str]] | None:
        """(namespace, flow) of the only executions it can start by; ``None``: there is no telling."""
        by_name = [(one.namespace, one.flowId) for one in self.plain if isinstance(one, ExecutionFlow)]
        if by_name:
            return frozenset(by_name)
        waits = self.preconditions
        if waits is None or waits.where or not waits.flows:
            return None
        names = frozenset((one.namespace, one.flowId) for one in waits.flows)
        return None if any(None in name for name in names) else names  # type: ignore[return-value]


def trigger_warnings(trigger: Trigger) -> Iterator[tuple[tuple[str, ...], str]]:
    """What is likely not meant so, each with the key it is about."""
    match trigger:
        case Webhook(key=key) if not is_template(key) and len(key) < SHORT_KEY:
            yield ("key",), f"a key of {len(key)} characters can be guessed; whoever knows it starts the flow"
        case FlowTrigger(preconditions=None, conditions=()) if trigger.when is None:
            yield (), "without preconditions or conditions it starts after every execution of every other flow"
