"""Hashes of passwords, and where they are made."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread
from typing import Any

from data.passwords import AT_ONCE, NO_PASSWORD, Passwords


def test_a_hash_fits_its_password_alone_and_nothing_fits_no_hash() -> None:
    passwords = Passwords()
    stored = passwords.hash("correct horse")
    assert "correct" not in stored
    assert passwords.fits(stored, "correct horse")
    assert not passwords.fits(stored, "correct horse ")
    assert not passwords.fits("not a hash", "correct horse")
    for password in ("", "anything", NO_PASSWORD):
        assert not passwords.fits(NO_PASSWORD, password)


def test_what_computes_is_offloaded_with_no_hash_as_with_a_wrong_one() -> None:
    done: list[Any] = []
    passwords = Passwords(lambda work: done.append(work()) or done[-1])
    stored = passwords.hash("a")
    passwords.fits(stored, "b")
    counts = []
    for one in (stored, NO_PASSWORD):
        before = len(done)
        passwords.fits(one, "b")
        counts.append(len(done) - before)
    assert counts == [1, 1]


def test_only_so_many_compute_at_once() -> None:
    inside, most = [0], [0]
    full, go = Event(), Event()

    def offload(work: Callable[[], Any]) -> Any:
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        if inside[0] == AT_ONCE:
            full.set()
        go.wait(30)
        inside[0] -= 1
        return "hash"

    passwords = Passwords(offload)
    threads = [Thread(target=passwords.hash, args=("a",)) for _ in range(AT_ONCE + 2)]
    for thread in threads:
        thread.start()
    assert full.wait(30)
    go.set()
    for thread in threads:
        thread.join(30)
    assert most[0] == AT_ONCE
