"""When a failed attempt is tried again."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, PlainValidator, SerializeAsAny

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


@RETRIES.register("random")
class RandomRetry(Retry):
    """Anything between ``minInterval`` and ``maxInterval``."""

    minInterval: Seconds
    maxInterval: Seconds

    def delay(self, tries: int, fraction: float = 0.5) -> float:
        return self.minInterval + max(0.0, self.maxInterval - self.minInterval) * fraction
