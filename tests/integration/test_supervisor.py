"""The supervisor with real processes."""

from __future__ import annotations

import threading
from typing import Any

from watchfloor.supervisor import Supervisor


class Gone:
    """A terminal that was closed."""

    def __init__(self) -> None:
        self.asked = threading.Event()

    def write(self, message: Any) -> None:
        self.asked.set()
        raise BrokenPipeError(32, "Broken pipe")


def test_it_ends_what_it_started_though_nobody_reads_the_lines_any_more() -> None:
    printer, pids = Gone(), {}
    supervisor = Supervisor([["talker"]], 5.0, on_start=pids.__setitem__, printer=printer)
    supervisor.add_process("talker", "sh -c 'while true; do echo line; sleep 0.05; done'")
    supervisor.start("talker")
    threading.Thread(target=lambda: printer.asked.wait(30) and supervisor.stop(), daemon=True).start()
    supervisor.loop()
    assert printer.asked.is_set()
    assert list(pids) == ["talker"]
