"""Who a worker or one of its processes is, and whether it lives: by the processes of this machine, else by what it
says in Redis."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import sys
from pathlib import Path

import psutil

_CLOCK_SHIFT = 2.0  # seconds by which the same process's beginning may be told differently
_PR_SET_PDEATHSIG = 1


def worker_id() -> str:
    """This process: machine, process id, and when the process began (process ids come back)."""
    process = psutil.Process()
    return f"{machine()}:{process.pid}:{process.create_time():.0f}"


def machine() -> str:
    """Host name and, where there are such, the kernel's start and the process-id namespace.

    Within it process ids can be compared; machines of the same name are told apart.
    """
    namespace, boot = Path("/proc/self/ns/pid"), Path("/proc/sys/kernel/random/boot_id")
    start = boot.read_text()[:8] if boot.exists() else ""
    return f"{socket.gethostname()}/{start}{os.stat(namespace).st_ino if namespace.exists() else 0}"


def is_local(worker: str) -> bool:
    """True for a worker whose processes can be seen from here."""
    return worker.rsplit(":", 2)[0] == machine()


def lives_here(worker: str) -> bool:
    """True when the process of a local worker is still there."""
    try:
        _, pid, began = worker.rsplit(":", 2)
        process = psutil.Process(int(pid))
        same = abs(process.create_time() - float(began)) <= _CLOCK_SHIFT
        return same and process.status() != psutil.STATUS_ZOMBIE
    except (psutil.Error, ValueError):
        return False


def die_with_parent() -> None:
    """Let the kernel end this process when the one that forked it is gone. Call it first thing after the fork.

    Linux only; elsewhere nothing happens. It counts the thread that forked: that must be the parent's main thread.
    """
    if sys.platform != "linux":
        return
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent or parent == 1:  # it went before it was asked for
        os.kill(os.getpid(), signal.SIGKILL)
