"""Names of everything Watchfloor keeps in Redis."""

from engine.ids import attempt_id

EVENTS = "wf:events"  # stream: events in, trimmed to what is not yet applied; of the first partition
DELTAS = "wf:deltas"  # stream, capped: what each commit changed; its ids are the cursor
LIVE = "wf:live"  # channel: the same messages, each with its stream id, and heartbeats
LOGS = "wf:logs"  # stream: log lines in, trimmed to what is not yet stored
LIVE_LOGS = "wf:live:logs"  # channel: log entries that are in the store now
CONTROL = "wf:control"  # channel: kills, changed flows
JOBS = "wf:celery:jobs"  # list: task attempts that no worker has taken yet; Celery's own
DEAD_LETTERS = "wf:dead-letters"  # stream, capped: malformed messages with their bytes and the reason


def events(partition: int) -> str:
    """Stream of a partition's events."""
    return f"{EVENTS}:{partition}" if partition else EVENTS


def lease(stream: str) -> str:
    """Key of who reads a stream, for as long as it says so."""
    return f"wf:lease:{stream}"


def claim(task_run_id: str, attempt: int) -> str:
    """Key a worker sets once to own an attempt."""
    return f"wf:claim:{attempt_id(task_run_id, attempt)}"


def buried(stream: str, entry_id: str) -> str:
    """Key that says an entry of a stream was put aside."""
    return f"wf:buried:{stream}:{entry_id}"


def export(export_id: str) -> str:
    """Key of how far an export is."""
    return f"wf:export:{export_id}"


def export_cancelled(export_id: str) -> str:
    """Key that says an export is not wanted any more."""
    return f"wf:export:{export_id}:cancelled"


def kill(execution_id: str) -> str:
    """Key of an execution's killed attempts (``attempt_id``), for a worker that was not listening when it was said."""
    return f"wf:kill:{execution_id}"
