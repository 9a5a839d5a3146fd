"""When a failed attempt is tried again."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, PlainValidator, SerializeAsAny

from engine.durations import format_duration
from engine.flow.base import Model, Seconds
from engine.flow.kinds import Kinds


class Retry(Model):
    """Keys of every retry. ``maxAttempts`` counts the first try; ``maxDuration`` runs from the first try's start."""

    type: str
    maxAttempts: int | None = Field(None, ge=1)
    maxDuration: Seconds | None = None
    warningOnRetry: bool = False
    behavior: Literal["RETRY_FAILED_TASK", "CREATE_NEW_EXECUTION"] = "RETRY_FAILED_TASK"

    def delay(self, tries: int, fraction: float = 0.5) -> float:
        """Seconds to wait after ``tries`` failed tries. ``fraction`` in [0, 1) is the luck a random retry uses."""
        raise NotImplementedError

    def contradiction(self) -> str | None:
        """What is wrong with its ``maxInterval``, ``None`` when nothing is."""
        return None


RETRIES = Kinds("retry", Retry)
AnyRetry = Annotated[SerializeAsAny[Retry], PlainValidator(RETRIES.read)]


@RETRIES.register("constant")
class ConstantRetry(Retry):
    """Always ``interval``."""

    interval: Seconds

    def delay(self, tries: int, fraction: float = 0.5) -> float:
        return self.interval


@RETRIES.register("exponential")
class ExponentialRetry(Retry):
    """``interval``, then ``delayFactor`` times the one before, up to ``maxInterval``."""

    interval: Seconds
    maxInterval: Seconds
    delayFactor: float = Field(2.0, ge=1)

    def delay(self, tries: int, fraction: float = 0.5) -> float:
        wait = self.interval
        for _ in range(tries - 1):
            if wait >= self.maxInterval or wait == 0 or self.delayFactor == 1:
                break
            wait *= self.delayFactor
        return min(wait, self.maxInterval)

    def contradiction(self) -> str | None:
        return _below("interval", self.interval, self.maxInterval)


@RETRIES.register("random")
class RandomRetry(Retry):
    """Anything between ``minInterval`` and ``maxInterval``."""

    minInterval: Seconds
    maxInterval: Seconds

    def delay(self, tries: int, fraction: float = 0.5) -> float:
        low = min(self.minInterval, self.maxInterval)
        return low + (self.maxInterval - low) * fraction

    def contradiction(self) -> str | None:
        return _below("minInterval", self.minInterval, self.maxInterval)


def _below(name: str, least: float, most: float) -> str | None:
    """What is wrong with a ``maxInterval`` of ``most`` seconds beside a key ``name`` of ``least``."""
    if most >= least:
        return None
    return f"expected at least {format_duration(least)} (`{name}`), came {format_duration(most)}"
