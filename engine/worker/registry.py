"""Who runs what: jobs given out, the claim of an attempt, and the list of running attempts."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from engine.ids import attempt_id
from engine.worker.queues import QUEUE, queue_of
from streaming import codec, keys
from streaming.bus import Bus
from streaming.messages import Job

CLAIM_SECONDS = 604_800
RUNNING = "wf:running"  # hash: "<task run>:<attempt>" → Entry
# sorted set: "<execution>|<task run>:<attempt>" by when, in the server's seconds; half a second more: out of order
GIVEN_OUT = "wf:given-out"
_NEWEST = "wf:given-out:newest"  # of the claimed ones, when the newest was given out
_ALIVE = "wf:worker:"


# One atomic step, so that a claimed attempt is always in the list of running ones.
_CLAIM = """
local given = redis.call('ZSCORE', KEYS[4], ARGV[5])
if given then
  redis.call('ZREM', KEYS[4], ARGV[5])
  local whole = tonumber(given) % 1 == 0
  if whole and tonumber(redis.call('GET', KEYS[5]) or '0') < tonumber(given) then redis.call('SET', KEYS[5], given) end
end
if not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'EX', ARGV[2]) and redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return false
end
redis.call('HSET', KEYS[2], ARGV[3], ARGV[4])
return redis.call('SISMEMBER', KEYS[3], ARGV[3])
"""

# Jobs leave their queue in the order they came: one that is still unclaimed when much newer ones are, or when the queue
# is empty, was lost on its way. What goes beside the queue, or out again so that one of two copies is claimed, says
# nothing of the others.
_MISSED = """
local time = redis.call('TIME')
local before = tonumber(time[1]) - tonumber(ARGV[1])
if redis.call('LLEN', KEYS[3]) > 0 then
  before = math.min(before, tonumber(redis.call('GET', KEYS[2]) or '0') - tonumber(ARGV[1]))
end
return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', before, 'LIMIT', 0, ARGV[2])
"""

_GIVE = """
local now = redis.call('TIME')[1]
for place = 1, #ARGV, 2 do
  redis.call('ZADD', KEYS[1], 'NX', ARGV[place] == '1' and now + 0.5 or now, ARGV[place + 1])
end
"""


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """One running attempt: which worker has it, the job itself, and which process of the worker runs it."""

    worker: str
    payload: bytes
    process: str = ""

    @property
    def job(self) -> Job:
        """The job."""
        job: Job = codec.decode_job(self.payload)
        return job


_decode_entry = msgspec.msgpack.Decoder(Entry).decode


class Given(msgspec.Struct, frozen=True):
    """A job that was given out and that no worker has claimed."""

    execution_id: str
    task_run_id: str
    attempt: int

    @property
    def name(self) -> str:
        """Its name in the sorted set."""
        return f"{self.execution_id}|{attempt_id(self.task_run_id, self.attempt)}"

    @classmethod
    def of(cls, name: bytes) -> Given:
        """The one of this name."""
        execution_id, _, attempt = name.decode().rpartition("|")
        task_run_id, _, number = attempt.rpartition(":")
        return cls(execution_id, task_run_id, int(number))


def given(job: Job) -> Given:
    """The job as one that was given out."""
    return Given(job.execution_id, job.task_run_id, job.attempt)


def attempt_of(job: Job) -> str:
    """Name of the job's attempt, in the hash and among the killed."""
    return attempt_id(job.task_run_id, job.attempt)


class Journey:
    """Jobs on their way to the workers. Methods raise ``RedisError`` when Redis is away."""

    def __init__(self, bus: Bus) -> None:
        self._redis = bus.redis
        self._give = bus.redis.register_script(_GIVE)
        self._missed = bus.redis.register_script(_MISSED)

    def begin(self, jobs: Sequence[Job], *, again: bool = False) -> None:
        """These are about to be given out, or once more (``again``). Said twice, the first time counts."""
        told = [(int(again or queue_of(job) != QUEUE), given(job).name) for job in jobs]
        self._give(keys=[GIVEN_OUT], args=[word for pair in told for word in pair])

    def missed(self, seconds: float, count: int) -> list[Given]:
        """Up to ``count`` of those that were lost on the way ``seconds`` ago or earlier."""
        found = self._missed(keys=[GIVEN_OUT, _NEWEST, keys.JOBS], args=[seconds, count])
        return [Given.of(name) for name in found]

    def end(self, job: Given) -> None:
        """It is waited for no more."""
        self._redis.zrem(GIVEN_OUT, job.name)


class Registry:
    """The claims and running attempts of one process. Methods raise ``RedisError`` when Redis is away.

    ``worker`` is the worker that the process belongs to, ``process`` itself.
    """

    def __init__(self, bus: Bus, worker: str, process: str) -> None:
        self._redis = bus.redis
        self._claim = bus.redis.register_script(_CLAIM)
        self._worker = worker
        self._process = process

    @property
    def worker(self) -> str:
        """The worker that the process belongs to."""
        return self._worker

    def claim(self, job: Job, token: str) -> bool | None:
        """Take the attempt; whether it was killed meanwhile, ``None`` when somebody else has or had it.

        ``token`` makes asking twice harmless.
        """
        entry = msgspec.msgpack.encode(Entry(self._worker, codec.encode(job), self._process))
        claim, kill = keys.claim(job.task_run_id, job.attempt), keys.kill(job.execution_id)
        answer = self._claim(
            keys=[claim, RUNNING, kill, GIVEN_OUT, _NEWEST],
            args=[token, CLAIM_SECONDS, attempt_of(job), entry, given(job).name],
        )
        return None if answer is None else bool(answer)

    def ended(self, job: Job) -> None:
        """The attempt is over and all about it was sent."""
        pipe = self._redis.pipeline(transaction=True)
        pipe.hdel(RUNNING, attempt_of(job))
        pipe.srem(keys.kill(job.execution_id), attempt_of(job))
        pipe.execute()

    def running(self) -> list[Entry]:
        """All running attempts of all workers."""
        return [_decode_entry(entry) for entry in self._redis.hvals(RUNNING)]

    def entry(self, job: Job) -> Entry | None:
        """The entry of one attempt, while it runs."""
        found = self._redis.hget(RUNNING, attempt_of(job))
        return None if found is None else _decode_entry(found)

    def announce(self, seconds: int) -> None:
        """Say that this worker lives."""
        self._redis.set(_ALIVE + self._worker, 1, ex=seconds)

    def withdraw(self) -> None:
        """Say that this worker ends."""
        self._redis.delete(_ALIVE + self._worker)

    def announced(self, worker: str) -> bool:
        """True when ``worker`` said lately that it lives."""
        return bool(self._redis.exists(_ALIVE + worker))
