"""The queue of one worker: jobs whose WorkingDirectory has its folder there. What waits in it too long goes to all."""

from __future__ import annotations

import hashlib

from streaming import keys
from streaming.bus import Bus
from streaming.messages import Job

QUEUE = "jobs"  # of all workers
_IDLE_SECONDS = 86_400


def own_queue(worker: str) -> str:
    """Name of the queue that only ``worker`` takes jobs from."""
    return f"jobs.{hashlib.blake2b(worker.encode(), digest_size=8).hexdigest()}"


def queue_of(job: Job) -> str:
    """Name of the queue a job goes to: in a WorkingDirectory that of the worker that ran the task before."""
    left = job.folder.left if job.folder else None
    return own_queue(left.worker) if left and left.worker else QUEUE


def key_of(queue: str) -> str:
    """Celery's key of a queue."""
    return keys.JOBS.removesuffix(QUEUE) + queue


def expire(bus: Bus, queue: str) -> None:
    """Let what a dead worker's queue holds be forgotten some day; those jobs were given out again long before."""
    bus.redis.expire(key_of(queue), _IDLE_SECONDS)


class OwnQueue:
    """The queue of the worker that this process is. Methods raise ``RedisError`` when Redis is away."""

    def __init__(self, bus: Bus, worker: str) -> None:
        self._redis = bus.redis
        self._key = key_of(own_queue(worker))
        self._waited = False

    def hand_on(self, *, all_of_it: bool = False) -> int:
        """Give jobs to all workers that were here the last time too, ``all_of_it`` at once; how many."""
        count = 0
        if self._waited or all_of_it:
            while self._redis.lmove(self._key, keys.JOBS, "RIGHT", "RIGHT") is not None:
                count += 1
        self._waited = bool(self._redis.llen(self._key))
        return count
