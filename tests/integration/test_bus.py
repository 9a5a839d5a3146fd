"""The bus against a real server."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from contextlib import closing
from datetime import UTC, datetime

from engine.model import Kind
from engine.states import State
from streaming import codec, keys
from streaming.bus import Bus, Read, split_live
from streaming.messages import Deltas, ExecutionReported, Heartbeat

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def reported(number: int) -> ExecutionReported:
    return ExecutionReported(f"e{number}", "x", NOW, "company.team", "flow", State.RUNNING, Kind.SYNTHETIC)


def test_events_are_read_in_the_order_they_were_appended(bus: Bus) -> None:
    bus.append_all(reported(n) for n in range(10))
    entries = bus.read(keys.EVENTS, "0-0", count=100, block_ms=None)
    assert [codec.decode_event(entry.payload).event_id for entry in entries] == [f"e{n}" for n in range(10)]
    assert bus.last_id(keys.EVENTS) == entries[-1].id


def test_a_published_delta_carries_its_stream_id(bus: Bus) -> None:
    with bus.subscription(keys.LIVE) as live:
        while live.get(0.01) is not None:
            pass
        cursor = bus.publish_deltas(codec.encode(Deltas("x", NOW, ())))
        message = live.get(2) or live.get(2)
    assert message is not None
    assert split_live(message[1]) == (cursor, codec.encode(Deltas("x", NOW, ())))
    assert bus.read(keys.DELTAS, "0-0", count=1, block_ms=None)[0].id == cursor


def test_commits_kept_for_browsers_take_no_more_memory_than_they_may(valkey_url: str) -> None:
    with closing(Bus(valkey_url, deltas_max_bytes=1_000_000)) as bus:
        bus.redis.flushall()
        cursors = [bus.publish_deltas(b"x" * 10_000) for _ in range(300)]
        bus.bound_deltas()
        kept = [entry.id for entry in bus.read(keys.DELTAS, "0-0", count=300, block_ms=None)]
        assert bus.redis.memory_usage(keys.DELTAS) < 1_100_000
        assert kept == cursors[-len(kept) :]
        assert len(kept) > 50
        bus.bound_deltas()
        assert bus.redis.xlen(keys.DELTAS) == len(kept)


def test_a_heartbeat_has_no_cursor(bus: Bus) -> None:
    with bus.subscription(keys.LIVE) as live:
        bus.publish_heartbeat(Heartbeat("x", NOW))
        messages = [live.get(0.5), live.get(0.5)]
    payload = next(message[1] for message in messages if message)
    cursor, encoded = split_live(payload)
    assert cursor == ""
    assert codec.decode_live(encoded) == Heartbeat("x", NOW)


def test_a_buried_entry_keeps_its_bytes_and_the_reason(bus: Bus) -> None:
    bus.bury(keys.EVENTS, Read("1-1", b"\xff\x00"), "not an event")
    ((_, fields),) = bus.redis.xrange(keys.DEAD_LETTERS)
    assert fields == {b"stream": b"wf:events", b"id": b"1-1", b"reason": b"not an event", b"d": b"\xff\x00"}


def test_an_entry_is_put_aside_once(bus: Bus) -> None:
    for entry in (Read("1-0", b"\xc1"), Read("1-0", b"\xc1"), Read("2-0", b"\xc1")):
        bus.bury(keys.EVENTS, entry, "not an event")
    buried = [fields for _, fields in bus.redis.xrange(keys.DEAD_LETTERS)]
    assert [(fields[b"id"], fields[b"d"], fields[b"reason"]) for fields in buried] == [
        (b"1-0", b"\xc1", b"not an event"),
        (b"2-0", b"\xc1", b"not an event"),
    ]


def test_a_real_thread_beside_greenlets_has_connections_of_its_own(valkey_url: str) -> None:
    """As requests of the web process have it: what is opened among greenlets can't be waited for in another thread."""
    script = textwrap.dedent(f"""
        from gevent import monkey
        monkey.patch_all()
        from gevent import get_hub
        from streaming.bus import Bus
        bus = Bus({valkey_url!r})
        def wait():
            return bus.redis.blpop("nothing", 0.2)
        for run in (lambda work: work(), get_hub().threadpool.apply, lambda work: work()):
            assert run(wait) is None
        bus.close()
        print("done")
    """)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.stdout == "done\n", done.stderr
