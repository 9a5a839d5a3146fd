"""Who a worker is, and whether it lives: by the processes of this machine, else by what it says in Redis."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import psutil


def worker_id() -> str:
    """This process as a worker: machine, process id, and when the process began (process ids come back)."""
    process = psutil.Process()
    return f"{machine()}:{process.pid}:{process.create_time():.0f}"


def machine() -> str:
    """Host name and, where there are such, the process-id namespace: within it process ids can be compared."""
    namespace = Path("/proc/self/ns/pid")
    return f"{socket.gethostname()}/{os.stat(namespace).st_ino if namespace.exists() else 0}"


def is_local(worker: str) -> bool:
    """True for a worker whose processes can be seen from here."""
    return worker.rsplit(":", 2)[0] == machine()


def lives_here(worker: str) -> bool:
    """True when the process of a local worker is still there."""
    _, pid, began = worker.rsplit(":", 2)
    try:
        process = psutil.Process(int(pid))
        return f"{process.create_time():.0f}" == began and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
