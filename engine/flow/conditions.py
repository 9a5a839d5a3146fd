"""Conditions of triggers: what must hold of a date, or of an execution that came to a state, for a trigger to start."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import msgspec
from pydantic import BeforeValidator, Field, PlainValidator, SerializeAsAny

from engine.flow.base import Condition as Template
from engine.flow.base import FlowId, Labels, Model, Namespace, Text
from engine.flow.kinds import Kinds
from engine.states import State
from engine.truth import truth
from engine.upstream import Upstream


class Subject(msgspec.Struct, frozen=True):
    """What a condition looks at: a date of a Schedule, in its time zone, or an execution.

    ``render`` fills in templates. A condition that needs what isn't there does not hold.
    """

    render: Callable[[str], Any]
    date: datetime | None = None
    upstream: Upstream | None = None


class Condition(Model):
    """Keys of every condition."""

    type: str

    def holds(self, subject: Subject) -> bool:
        """Whether it holds. Raises ``ValueError`` when a template of it can't be evaluated."""
        raise NotImplementedError


CONDITIONS = Kinds("condition", Condition)
CONDITION_TYPES = CONDITIONS.types
AnyCondition = Annotated[SerializeAsAny[Condition], PlainValidator(CONDITIONS.read)]
_NEW, _OLD = "io.kestra.plugin.core.condition.", "io.kestra.core.models.conditions.types."
_Register = Callable[[type[Condition]], type[Condition]]


def registered(name: str) -> _Register:
    """Class decorator: a condition under the names it ever had."""
    name, older = ("MultipleCondition", name) if name == "Multiple" else (name, name)
    return CONDITIONS.register(f"{_NEW}{name}", f"{_NEW}{older}Condition", f"{_OLD}{older}Condition")


def _states(value: Any) -> Any:
    return value if isinstance(value, (list, tuple)) else [value]


States = Annotated[tuple[State, ...], BeforeValidator(_states)]


def under(namespace: str, prefix: str) -> bool:
    """Whether a namespace is ``prefix`` or below it."""
    return namespace == prefix or namespace.startswith(f"{prefix}.")


def has_labels(labels: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    """Whether all ``wanted`` labels are there."""
    return all(labels.get(key) == value for key, value in wanted.items())


# -- of anything


@registered("Expression")
class Expression(Condition):
    """A template that is true."""

    expression: Template

    def holds(self, subject: Subject) -> bool:
        return truth(subject.render(self.expression))


@registered("Not")
class Not(Condition):
    """None of its conditions holds."""

    conditions: tuple[AnyCondition, ...] = Field(min_length=1)

    def holds(self, subject: Subject) -> bool:
        return not any(condition.holds(subject) for condition in self.conditions)


@registered("Or")
class Or(Condition):
    """One of its conditions holds."""

    conditions: tuple[AnyCondition, ...] = Field(min_length=1)

    def holds(self, subject: Subject) -> bool:
        return any(condition.holds(subject) for condition in self.conditions)


# -- of a date

_DAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
Day = Literal["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"]


class DateCondition(Condition):
    """A condition on a date: by default the one the trigger is due at."""

    date: Text | None = None

    def holds(self, subject: Subject) -> bool:
        moment = self._moment(subject)
        return moment is not None and self.fits(moment)

    def _moment(self, subject: Subject) -> datetime | None:
        if self.date is None:
            return subject.date
        found = subject.render(self.date)
        moment = found if isinstance(found, datetime) else datetime.fromisoformat(str(found))
        zone = subject.date.tzinfo if subject.date is not None else UTC
        return moment.astimezone(zone) if moment.tzinfo else moment.replace(tzinfo=zone)

    def fits(self, moment: datetime) -> bool:
        """Whether ``moment`` is such a date."""
        raise NotImplementedError


@registered("DayWeek")
class DayWeek(DateCondition):
    """A day of the week."""

    dayOfWeek: Day

    def fits(self, moment: datetime) -> bool:
        return _DAYS[moment.weekday()] == self.dayOfWeek


@registered("Weekend")
class Weekend(DateCondition):
    """Saturday or Sunday."""

    def fits(self, moment: datetime) -> bool:
        return moment.weekday() >= 5


@registered("DayWeekInMonth")
class DayWeekInMonth(DateCondition):
    """The first, second, third, fourth or last such day of a month."""

    dayOfWeek: Day
    dayInMonth: Literal["FIRST", "SECOND", "THIRD", "FOURTH", "LAST"]

    def fits(self, moment: datetime) -> bool:
        if _DAYS[moment.weekday()] != self.dayOfWeek:
            return False
        if self.dayInMonth == "LAST":
            return _next_week(moment.date()).month != moment.month
        return (moment.day - 1) // 7 == ("FIRST", "SECOND", "THIRD", "FOURTH").index(self.dayInMonth)


def _next_week(day: date) -> date:
    return date.fromordinal(day.toordinal() + 7)


def _time(value: Any) -> Any:
    """A time of day; one with an offset (``16:19:12Z``) is meant in that offset."""
    return time.fromisoformat(value) if isinstance(value, str) else value


Time = Annotated[time, BeforeValidator(_time)]


@registered("TimeBetween")
class TimeBetween(DateCondition):
    """A time of day after one and before another."""

    after: Time | None = None
    before: Time | None = None

    def fits(self, moment: datetime) -> bool:
        return (self.after is None or _at(moment, self.after) < moment) and (
            self.before is None or moment < _at(moment, self.before)
        )


def _at(moment: datetime, clock: time) -> datetime:
    zone = clock.tzinfo or moment.tzinfo
    return datetime.combine(moment.astimezone(zone).date(), clock.replace(tzinfo=zone))


@registered("DateTimeBetween")
class DateTimeBetween(DateCondition):
    """A moment after one and before another."""

    after: datetime | None = None
    before: datetime | None = None

    def fits(self, moment: datetime) -> bool:
        return (self.after is None or _aware(self.after, moment) < moment) and (
            self.before is None or moment < _aware(self.before, moment)
        )


def _aware(given: datetime, like: datetime) -> datetime:
    return given if given.tzinfo else given.replace(tzinfo=like.tzinfo or ZoneInfo("UTC"))


# -- of an execution


class ExecutionCondition(Condition):
    """A condition on the execution that a Flow trigger looks at."""

    def holds(self, subject: Subject) -> bool:
        return subject.upstream is not None and self.fits(subject.upstream)

    def fits(self, upstream: Upstream) -> bool:
        """Whether it is such an execution."""
        raise NotImplementedError


@registered("ExecutionStatus")
class ExecutionStatus(ExecutionCondition):
    """Its state."""

    in_: States = Field((), alias="in")
    notIn: States = ()

    def fits(self, upstream: Upstream) -> bool:
        return (not self.in_ or upstream.state in self.in_) and upstream.state not in self.notIn


@registered("ExecutionFlow")
class ExecutionFlow(ExecutionCondition):
    """Its flow."""

    namespace: Namespace
    flowId: FlowId

    def fits(self, upstream: Upstream) -> bool:
        return (upstream.namespace, upstream.flow_id) == (self.namespace, self.flowId)


@registered("ExecutionNamespace")
class ExecutionNamespace(ExecutionCondition):
    """Its namespace; ``prefix: true`` is an older word for ``comparison: PREFIX``."""

    namespace: Text
    comparison: Literal["EQUALS", "PREFIX", "SUFFIX"] | None = None
    prefix: bool = False

    def fits(self, upstream: Upstream) -> bool:
        match self.comparison or ("PREFIX" if self.prefix else "EQUALS"):
            case "PREFIX":
                return upstream.namespace.startswith(self.namespace)
            case "SUFFIX":
                return upstream.namespace.endswith(self.namespace)
        return upstream.namespace == self.namespace


@registered("ExecutionLabels")
class ExecutionLabels(ExecutionCondition):
    """Its labels: all of these."""

    labels: Labels

    def fits(self, upstream: Upstream) -> bool:
        return has_labels(upstream.labels, self.labels)


@registered("ExecutionOutputs")
class ExecutionOutputs(Expression):
    """A template over ``trigger.outputs`` that is true."""
