"""The embedded server's append-only file, kept on the disk with room behind its end."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
import redis

from watchfloor.valkey import keep_room, look_after, valkey_command, wait_for


def test_room_is_kept_behind_the_end_and_the_size_stays(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 1000)
    with path.open("rb+") as file:
        keep_room(file.fileno())
    assert path.read_bytes() == b"x" * 1000
    assert path.stat().st_blocks * 512 >= 16 * 1024 * 1024


def test_a_file_that_has_no_room_says_why(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    try:
        with pytest.raises(OSError, match="Illegal seek"):
            keep_room(writing)
    finally:
        os.close(reading)
        os.close(writing)


def test_what_a_killed_server_acknowledged_is_there_again(tmp_path: Path) -> None:
    socket = tmp_path / "v.sock"
    url = f"unix://{socket}"
    for value in (None, b"1", b"2"):
        with subprocess.Popen(valkey_command(tmp_path, socket), stdout=subprocess.DEVNULL) as process:
            wait_for(url)
            looks = iter([False, True])
            look_after(tmp_path, lambda looks=looks: next(looks))
            with redis.Redis.from_url(url) as client:
                assert client.get("n") == value
                client.incr("n")
            process.kill()
