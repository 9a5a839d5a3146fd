"""The partition an executor works on: that it is the only one there, and that all agree how many there are."""

from __future__ import annotations

import time

import structlog

from data import Store
from data.records import Commit
from streaming import codec
from streaming.bus import Bus
from streaming.executor.batch import decode_outbox
from streaming.executor.performer import Performer
from streaming.lease import RENEW, Holder, Lease, holders
from streaming.partitions import Partitions

log = structlog.get_logger()

LOOK_LEFT = 5.0  # seconds between looks at the streams of partitions that are no more
_CHUNK = 1_000  # events moved at once


class Post:
    """One partition of several. ``held`` says each turn whether this executor is the one that works on it.

    Redis keeps the lease, so that a second executor waits. What makes a mistake harmless is the store: it takes a
    commit only from who goes on at the stored position, under the stored number of partitions.
    """

    def __init__(
        self, partition: int, partitions: Partitions, store: Store, bus: Bus, performer: Performer, holder: Holder
    ) -> None:
        self.partition = partition
        self.partitions = partitions
        self.stream = partitions.streams[partition]
        self._store = store
        self._bus = bus
        self._performer = performer
        self._lease = Lease(bus, self.stream, holder)
        self._held = False
        self._renew_at = 0.0
        self._left: tuple[str, ...] = ()
        self._left_at = 0.0
        self._told: object = None
        self.waits = False  # whether another executor was at work here at the last look

    def owns(self, subject_id: str) -> bool:
        """Whether an execution, a gate or a trigger is at home here."""
        return self.partitions.of(subject_id) == self.partition

    def held(self, *, doubt: bool = False) -> bool:
        """Take or keep the post; ``doubt``: something says that another one may be at work. Asks once a second."""
        now = time.monotonic()
        if doubt:
            self._held = False
        elif self._held and now < self._renew_at:
            return True
        self._renew_at = now + RENEW
        before, self._held = self._held, False
        self._held = self._keep() if before else self._begin()
        return self._held

    def leave(self) -> None:
        """Work here no more."""
        self._held = False
        self._lease.give_back()

    def _keep(self) -> bool:
        other = self._lease.take()
        self.waits = other is not None
        if other is None:
            self._move_rest()
            return True
        log.warning("executor.replaced", partition=self.partition, by=other.name)
        return False

    def _begin(self) -> bool:
        other = self._lease.take()
        self.waits = other is not None
        if other is not None:
            self._tell_waits(other)
            return False
        if not self._agreed():
            self.waits = True
            self._lease.give_back()
            return False
        self._left_at = 0.0
        self._told = None
        self._move_rest()
        return True

    def _tell_waits(self, other: Holder) -> None:
        if other.partitions != self.partitions.count:
            self._tell_differs(other)
        elif self._told != other:
            self._told = other
            log.info("executor.waits", partition=self.partition, works=other.name)

    # -- how many partitions there are

    def _agreed(self) -> bool:
        """Whether all take there to be as many partitions; who is alone may say that there are others now."""
        streams = self._store.event_streams()
        ours = self.partitions.streams
        self._left = tuple(stream for stream in streams if stream not in ours) if self.partition == 0 else ()
        if set(streams.values()) == {len(ours)} and set(ours) <= streams.keys():
            return True
        for other in holders(self._bus, tuple({*streams, *ours})).values():
            if other.partitions != len(ours):
                self._tell_differs(other)
                return False
        self._store.divide_events(ours)
        if streams and max(streams.values()) != len(ours):
            log.warning("partitions.changed", before=max(streams.values()), now=len(ours))
        return True

    def _tell_differs(self, other: Holder) -> None:
        if self._told != other:
            self._told = other
            log.error(
                "partitions.differ",
                here=self.partitions.count,
                there=other.partitions,
                works=other.name,
                mend="set WATCHFLOOR_PARTITIONS to the same everywhere; to change it, stop all executors first",
            )

    # -- streams of partitions that are no more

    def _move_rest(self) -> None:
        """Give what is in streams that are read no more to those that are; the first partition does so for all."""
        if time.monotonic() < self._left_at:
            return
        self._left_at = time.monotonic() + LOOK_LEFT
        for stream in self._left:
            done = self._perform_rest(stream)
            position = self._store.position(stream)
            while entries := self._bus.read(stream, position, count=_CHUNK, block_ms=None):
                moved = 0
                for entry in entries:
                    try:
                        self._bus.append(codec.decode_event(entry.payload))
                        moved += 1
                    except codec.DecodeError as error:
                        self._bus.bury(stream, entry, error.reason)
                done = self._note(stream, position, entries[-1].id, done)
                position = entries[-1].id
                log.warning("partitions.moved", stream=stream, events=moved)
            if done:
                self._note(stream, position, position, done)
            self._bus.trim(stream, position)

    def _perform_rest(self, stream: str) -> list[int]:
        rows = self._store.outbox(stream)
        for row in rows:
            self._performer.perform(decode_outbox(row.payload))
        return [row.id for row in rows]

    def _note(self, stream: str, after: str, position: str, done: list[int]) -> list[int]:
        self._store.commit(
            Commit(stream=stream, position=position, after=after, outbox_done=done, partitions=self.partitions.count)
        )
        return []
