"""What starts a flow by itself."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from croniter import croniter
from croniter.croniter import CroniterError
from pydantic import AfterValidator, PlainValidator, SerializeAsAny

from engine.flow.base import Id, Labels, Model, Text
from engine.flow.kinds import Kinds


class Trigger(Model):
    """Keys of every trigger. ``fires`` is false for kinds that are read but don't start anything in this version."""

    fires: ClassVar[bool] = False

    id: Id
    type: str
    description: Text | None = None
    disabled: bool = False
    inputs: dict[str, Any] = {}
    labels: Labels = {}


TRIGGERS = Kinds("trigger", Trigger)
TRIGGER_TYPES = TRIGGERS.types
AnyTrigger = Annotated[SerializeAsAny[Trigger], PlainValidator(TRIGGERS.read)]
_CORE = "io.kestra.plugin.core.trigger."
_OLD = "io.kestra.core.models.triggers.types."


def _cron(text: str) -> str:
    fields = len(text.split())
    if not text.startswith("@") and fields not in (5, 6):
        raise ValueError(f"expected a cron of 5 fields (or 6, seconds first), came {fields} fields: {text!r}")
    try:
        croniter(text, second_at_beginning=True)
    except (CroniterError, ValueError, KeyError) as error:
        raise ValueError(f"expected a cron such as `*/5 * * * *` or `@daily`, came {text!r}: {error}") from error
    return text


def _timezone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"expected a time zone such as Europe/Paris, came {name!r}") from error
    return name


@TRIGGERS.register(f"{_CORE}Schedule", f"{_OLD}Schedule")
class Schedule(Trigger):
    """By the clock. ``cron`` has five fields, or six with the seconds first (croniter's ``second_at_beginning``)."""

    fires: ClassVar[bool] = True

    cron: Annotated[str, AfterValidator(_cron)]
    timezone: Annotated[str, AfterValidator(_timezone)] = "UTC"
    withSeconds: bool = False


@TRIGGERS.register(f"{_CORE}Webhook", f"{_OLD}Webhook")
class Webhook(Trigger):
    """By a call to the flow's address with ``key``."""

    key: Text


@TRIGGERS.register(f"{_CORE}Flow", f"{_OLD}Flow")
class FlowTrigger(Trigger):
    """By the end of other flows' executions."""

    conditions: Any = None
    preconditions: Any = None
