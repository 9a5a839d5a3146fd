"""The executor process: reducer, timers, schedules, flow files, heartbeat."""

from __future__ import annotations

from contextlib import nullcontext
from functools import partial
from threading import Event as Stop

from data import Store
from engine.dispatch import Dispatch
from engine.expressions import Options, evaluate_at, known_secrets
from engine.reducer import Env
from streaming import codec, keys
from streaming.bus import Bus
from streaming.executor.flowfiles import FlowFiles
from streaming.executor.loop import Executor
from streaming.messages import FlowsChanged
from streaming.metrics.exchange import publish_until
from streaming.process import background, retry_redis, retry_store, settle_memory, stop_on_signals
from watchfloor.settings import Settings

__all__ = ["Executor", "FlowFiles", "main"]


def environment(settings: Settings) -> Env:
    """The reducer's limits and its evaluator."""
    return Env(
        evaluate=partial(evaluate_at, options=Options(settings.expression_timeout, settings.expression_max_bytes)),
        kill_grace=settings.kill_grace,
        foreach_max_values=settings.foreach_max_values,
        max_task_runs=settings.execution_max_task_runs,
        subflow_max_depth=settings.subflow_max_depth,
        subflow_max_executions=settings.subflow_max_executions,
        loop_max_iterations=settings.loop_max_iterations,
        loop_max_duration=settings.loop_max_duration,
        max_labels=settings.execution_max_labels,
        secrets=known_secrets(),
        max_resubmits=settings.task_max_resubmits,
        max_attempts=settings.task_max_attempts,
    )


def main(settings: Settings, stop: Stop | None = None) -> None:
    """Run one executor until SIGTERM or SIGINT."""
    stop = stop or stop_on_signals()
    store = Store(settings.resolved_database_url, **settings.database_pool)
    bus = Bus.of(settings)
    files = FlowFiles(settings.flows_dir, store, bus, settings.flow_size)
    executor = Executor(settings, store, bus, Dispatch(settings), environment(settings))
    retry_store(store.migrate, stop)
    first = settings.partition == 0  # the one that looks after the flow files
    with (
        background("pulse", executor.pulse.beat_until, stop),
        background("probe", executor.pulse.probe_until, stop),
        background("flow-files", files.watch, stop, lambda: executor.works) if first else nullcontext(),
        background("control", _listen, bus, executor, stop),
        background("metrics", publish_until, bus, executor.figures.meter, stop),
    ):
        settle_memory()
        try:
            executor.run(stop)
        finally:
            stop.set()
    store.close()
    bus.close()


def _listen(bus: Bus, executor: Executor, stop: Stop) -> None:
    def listen() -> None:
        with bus.subscription(keys.CONTROL) as control:
            executor.flows_changed()  # whatever was said while nobody listened
            while not stop.is_set():
                message = control.get(timeout=0.5)
                if message and isinstance(codec.decode_control(message[1]), FlowsChanged):
                    executor.flows_changed()

    retry_redis(listen, stop)
