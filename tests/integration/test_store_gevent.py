"""The store under gevent, as the web process has it."""

from __future__ import annotations

import subprocess
import sys
import textwrap

from tests.integration.homes import only


def test_many_greenlets_share_a_store(database_url: str) -> None:
    """Patched threads and locks: reads and writes of 60 greenlets all come to an end, each with its own answer."""
    script = textwrap.dedent(f"""
        from gevent import monkey
        monkey.patch_all()
        import gevent
        from data import Store
        from data.records import ExecutionQuery, LogQuery
        from data.seed import seed
        from streaming.messages import LogBatch, LogLine
        from datetime import UTC, datetime
        store = Store({database_url!r}, connections=8, wait=60)
        seed(store, 50)
        now = datetime.now(UTC)
        store.append_logs("1-1", [LogBatch("e", "n", "f", "t", "r", 1, tuple(
            LogLine(n, now, "INFO", f"line {{n}}") for n in range(1, 5_001)))])
        def work(n):
            store.audit(f"user {{n}}", "kill", "e")
            found = store.search(ExecutionQuery()).total, store.log_window(LogQuery("e", q=f"line {{n}}0")).total
            return found, sum(1 for _ in store.iter_logs(LogQuery("e")))
        jobs = [gevent.spawn(work, n) for n in range(60)]
        gevent.joinall(jobs, raise_error=True, timeout=60)
        assert {{job.value[0][0] for job in jobs}} == {{50}}, jobs[0].value
        assert {{job.value[1] for job in jobs}} == {{5_000}}
        assert len(store.audits("e", limit=1000)) == 60
        print("done")
    """)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=100)
    assert done.stdout == "done\n", done.stderr


def test_a_password_is_compared_while_other_greenlets_run(database_url: str) -> None:
    """As the web process wires it: a hash computes for a while, and nobody waits for it but who signs in."""
    script = textwrap.dedent(f"""
        from gevent import monkey
        monkey.patch_all()
        import gevent
        from flask_socketio import SocketIO
        from watchfloor.settings import Settings
        from watchfloor.web import services_of
        store = services_of(Settings(_env_file=None, database_url={database_url!r}), SocketIO()).store
        store.save_user("ada", "viewer", "right")
        during = []
        def check(password):
            during.clear()
            found = store.check_password("ada", password)
            return found and found.name, len(during) > 0
        def tick():
            while True:
                during.append(1)
                gevent.sleep(0.001)
        ticking = gevent.spawn(tick)
        print([check(password) for password in ("right", "wrong")])
        ticking.kill()
    """)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=100)
    assert done.stdout == "[('ada', True), (None, True)]\n", done.stderr


@only("postgresql")
def test_a_long_query_lets_other_greenlets_run(database_url: str) -> None:
    """PostgreSQL's driver waits as greenlets do: the web process needs no threads for it."""
    script = textwrap.dedent(f"""
        from gevent import monkey
        monkey.patch_all()
        import gevent
        import sqlalchemy as sa
        from data import Store
        store, running, together, ticks = Store({database_url!r}), [], [], []
        def sleep():
            with store._read() as connection:
                running.append(1)
                together.append(len(running))
                connection.execute(sa.text("SELECT pg_sleep(1)"))
                running.pop()
        def tick():
            while True:
                ticks.append(1)
                gevent.sleep(0.01)
        ticking = gevent.spawn(tick)
        gevent.joinall([gevent.spawn(sleep) for _ in range(4)], raise_error=True, timeout=60)
        ticking.kill()
        print(max(together), len(ticks) > 4)
    """)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=100)
    assert done.stdout == "4 True\n", done.stderr
