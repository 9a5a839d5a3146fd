"""Every figure, declared once: the processes make theirs from this table, docs/operations.md is held against it."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Kind(StrEnum):
    """COUNTER only rises, GAUGE is true now, HISTOGRAM counts what was observed by size."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Spec(msgspec.Struct, frozen=True):
    """A figure of one kind of process. ``buckets`` are a histogram's upper bounds, in the unit its name ends with."""

    name: str
    process: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


EXECUTOR, LOGS, WORKER, WEB = PROCESSES = ("executor", "logs", "worker", "web")
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
_EVENTS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
BYTES = (256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576)

METRICS: tuple[Spec, ...] = (
    Spec("watchfloor_events_applied_total", EXECUTOR, Kind.COUNTER, "Events applied, by type.", ("type",)),
    Spec("watchfloor_events_waiting", EXECUTOR, Kind.GAUGE, "Events accepted and not yet applied."),
    Spec("watchfloor_event_lag_seconds", EXECUTOR, Kind.GAUGE, "Age of the oldest event not yet applied."),
    Spec("watchfloor_events_buried_total", EXECUTOR, Kind.COUNTER, "Events put aside, malformed or not applicable."),
    Spec("watchfloor_reduce_seconds", EXECUTOR, Kind.HISTOGRAM, "Time to apply one batch of events.", (), _SECONDS),
    Spec("watchfloor_commit_seconds", EXECUTOR, Kind.HISTOGRAM, "Time of one commit.", (), _SECONDS),
    Spec("watchfloor_commit_events", EXECUTOR, Kind.HISTOGRAM, "Events in one commit.", (), _EVENTS),
    Spec("watchfloor_emit_seconds", EXECUTOR, Kind.HISTOGRAM, "Time to announce a commit and give out its jobs.", (),
         _SECONDS),
    Spec("watchfloor_task_attempts_total", EXECUTOR, Kind.COUNTER, "Task attempts that ended, by state.", ("state",)),
    Spec("watchfloor_retention_removed_total", EXECUTOR, Kind.COUNTER, "Executions removed by retention."),
    Spec("watchfloor_timers", EXECUTOR, Kind.GAUGE, "Timers that are set."),
    Spec("watchfloor_executions_cached", EXECUTOR, Kind.GAUGE, "Executions kept in memory."),
    Spec("watchfloor_task_runs_cached", EXECUTOR, Kind.GAUGE, "Task runs of these."),
    Spec("watchfloor_log_lines_total", LOGS, Kind.COUNTER, "Log lines stored."),
    Spec("watchfloor_log_batches_waiting", LOGS, Kind.GAUGE, "Batches of log lines not yet stored."),
    Spec("watchfloor_log_batches_buried_total", LOGS, Kind.COUNTER, "Malformed batches of log lines put aside."),
    Spec("watchfloor_log_commit_seconds", LOGS, Kind.HISTOGRAM, "Time of one commit of log lines.", (), _SECONDS),
    Spec("watchfloor_retention_waiting", LOGS, Kind.GAUGE, "Removed executions with parts still to clear away."),
    Spec("watchfloor_worker_slots", WORKER, Kind.GAUGE, "Tasks this worker can run at once."),
    Spec("watchfloor_worker_busy", WORKER, Kind.GAUGE, "Tasks this worker runs."),
    Spec("watchfloor_up", WEB, Kind.GAUGE, "1 when the part answers, 0 when it does not.", ("part",)),
    Spec("watchfloor_jobs_waiting", WEB, Kind.GAUGE, "Task attempts that no worker has taken yet."),
    Spec("watchfloor_dead_letters", WEB, Kind.GAUGE, "Malformed messages kept with their bytes and the reason."),
    Spec("watchfloor_browsers", WEB, Kind.GAUGE, "Live connections."),
    Spec("watchfloor_subscribers", WEB, Kind.GAUGE, "Subscriptions of all live connections, by topic.", ("topic",)),
    Spec("watchfloor_views", WEB, Kind.GAUGE, "Views, each shared by all who look at the same."),
    Spec("watchfloor_frame_bytes", WEB, Kind.HISTOGRAM, "Size of the frames sent.", (), BYTES),
    Spec("watchfloor_flush_seconds", WEB, Kind.HISTOGRAM, "Time to make and send frames that are due.", (), _SECONDS),
    Spec("watchfloor_left_out_total", WEB, Kind.COUNTER, "Log lines and changes left out at a cap."),
    Spec("watchfloor_undecodable_total", WEB, Kind.COUNTER, "Live messages that could not be decoded."),
    Spec("watchfloor_http_requests_total", WEB, Kind.COUNTER, "Requests answered.", ("method", "endpoint", "status")),
    Spec("watchfloor_http_request_seconds", WEB, Kind.HISTOGRAM, "Time to answer a request.", ("endpoint",), _SECONDS),
    Spec("watchfloor_login_failures_total", WEB, Kind.COUNTER, "Logins refused, by what was tried.", ("way",)),
    Spec("watchfloor_refusals_total", WEB, Kind.COUNTER, "Requests refused, by why.", ("way",)),
)  # fmt: skip
