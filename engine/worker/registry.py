"""Who runs what: the claim of an attempt, and the list of running attempts that a dead worker leaves behind."""

from __future__ import annotations

import msgspec

from engine.ids import attempt_id
from streaming import codec, keys
from streaming.bus import Bus
from streaming.messages import Job, LogBatch

CLAIM_SECONDS = 604_800
RUNNING = "wf:running"  # hash: "<task run>:<attempt>" → Entry
_ALIVE = "wf:worker:"
LINES = "wf:running:lines"  # hash: "<task run>:<attempt>" → number of the last line given out


# One atomic step, so that a claimed attempt is always in the list of running ones.
_CLAIM = """
if not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'EX', ARGV[2]) and redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return false
end
redis.call('HSET', KEYS[2], ARGV[3], ARGV[4])
return {redis.call('SISMEMBER', KEYS[4], ARGV[3]), redis.call('HGET', KEYS[3], ARGV[3]) or '0'}
"""


# One atomic step: the attempt is free to be claimed again, and still in the list, under the name of who gave it out.
_RELEASE = """
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
redis.call('DEL', KEYS[2])
return 1
"""


class Claim(msgspec.Struct, frozen=True):
    """An attempt that is ours. ``first_line`` is the last line number a dead worker used for it."""

    killed: bool
    first_line: int


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """One running attempt: which worker has it, the job itself, and how many workers died while they had it."""

    worker: str
    payload: bytes
    losses: int = 0

    @property
    def job(self) -> Job:
        """The job."""
        job: Job = codec.decode_job(self.payload)
        return job


_decode_entry = msgspec.msgpack.Decoder(Entry).decode


def attempt_of(job: Job) -> str:
    """Name of the job's attempt, in the hashes and among the killed."""
    return attempt_id(job.task_run_id, job.attempt)


class Registry:
    """The claims and running attempts of one worker. Methods raise ``RedisError`` when Redis is away."""

    def __init__(self, bus: Bus, worker: str) -> None:
        self._redis = bus.redis
        self._claim = bus.redis.register_script(_CLAIM)
        self._release = bus.redis.register_script(_RELEASE)
        self._worker = worker

    def claim(self, job: Job, token: str, losses: int) -> Claim | None:
        """Take the attempt; ``None`` when somebody else has or had it. ``token`` makes asking twice harmless."""
        entry = msgspec.msgpack.encode(Entry(self._worker, codec.encode(job), losses))
        args = [token, CLAIM_SECONDS, attempt_of(job), entry]
        answer = self._claim(
            keys=[keys.claim(job.task_run_id, job.attempt), RUNNING, LINES, keys.kill(job.execution_id)], args=args
        )
        return None if answer is None else Claim(bool(answer[0]), int(answer[1]))

    def said(self, batch: LogBatch) -> None:
        """Note the numbers that ``batch`` uses, before it is sent."""
        self._redis.hset(LINES, attempt_id(batch.task_run_id or "", batch.attempt), str(batch.lines[-1].number))

    def ended(self, job: Job) -> None:
        """The attempt is over and all about it was sent."""
        pipe = self._redis.pipeline(transaction=True)
        pipe.hdel(RUNNING, attempt_of(job))
        pipe.hdel(LINES, attempt_of(job))
        pipe.srem(keys.kill(job.execution_id), attempt_of(job))
        pipe.execute()

    def release(self, job: Job, entry: Entry) -> Entry | None:
        """Free an attempt whose worker died; its entry from now on, ``None`` when another worker was quicker."""
        mine = Entry(self._worker, entry.payload, entry.losses + 1)
        encode = msgspec.msgpack.encode
        freed = self._release(
            keys=[RUNNING, keys.claim(job.task_run_id, job.attempt)],
            args=[attempt_of(job), encode(entry), encode(mine)],
        )
        return mine if freed else None

    def entry(self, job: Job) -> Entry | None:
        """The entry of one attempt, while it runs."""
        found = self._redis.hget(RUNNING, attempt_of(job))
        return None if found is None else _decode_entry(found)

    def claimed(self, job: Job) -> bool:
        """True when somebody has or had the attempt."""
        return bool(self._redis.exists(keys.claim(job.task_run_id, job.attempt)))

    def running(self) -> list[Entry]:
        """All running attempts of all workers."""
        return [_decode_entry(entry) for entry in self._redis.hvals(RUNNING)]

    def announce(self, seconds: int) -> None:
        """Say that this worker lives."""
        self._redis.set(_ALIVE + self._worker, 1, ex=seconds)

    def withdraw(self) -> None:
        """Say that this worker ends."""
        self._redis.delete(_ALIVE + self._worker)

    def announced(self, worker: str) -> bool:
        """True when ``worker`` said lately that it lives."""
        return bool(self._redis.exists(_ALIVE + worker))
