"""The processes of the product under test."""

from __future__ import annotations

import psutil

from engine.worker.processes import MARK
from watchfloor.product import Product
from watchfloor.up import read_state


def pid_of(product: Product, name: str) -> int:
    """The process of this name among those ``up`` runs."""
    state = read_state(product.settings.data_dir)
    assert state is not None
    return state.processes[name]


def pool_process(product: Product, mark: str) -> int | None:
    """The process of the worker's pool that runs the attempt ``mark``."""
    for pool in psutil.Process(pid_of(product, "worker")).children():
        try:
            if any(child.environ().get(MARK) == mark for child in pool.children()):
                return pool.pid
        except psutil.Error:
            continue
    return None
