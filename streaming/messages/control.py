"""What processes tell each other (``wf:control``), and the jobs of workers."""

from __future__ import annotations

from typing import Any

import msgspec

from engine.model import Folder


class Kill(msgspec.Struct, frozen=True, tag="kill", tag_field="type"):
    """Told to every worker (``wf:control``): end these attempts (``attempt_id``) of this execution."""

    execution_id: str
    attempts: tuple[str, ...]


class FlowsChanged(msgspec.Struct, frozen=True, tag="flows_changed", tag_field="type"):
    """Told to executors and web processes (``wf:control``): flows were created or updated."""

    flows: tuple[tuple[str, str], ...]


class SignedOut(msgspec.Struct, frozen=True, tag="signed_out", tag_field="type"):
    """Told to every web process (``wf:control``): something ended, and live connections with it.

    ``session`` is the id of a login session, ``user:<name>`` (its rights are others now) or ``token:<id>``.
    """

    session: str


class OperationsChanged(msgspec.Struct, frozen=True, tag="operations_changed", tag_field="type"):
    """Told to the log writer's and every web process (``wf:control``): these bulk operations began or changed state."""

    operations: tuple[str, ...]


Control = Kill | FlowsChanged | SignedOut | OperationsChanged


class JobFolder(msgspec.Struct, frozen=True, omit_defaults=True):
    """The folder of a WorkingDirectory: what the task before ``left`` in it, for the first one ``files`` (name → text
    or URI). ``clear``: the task runs that left something, all of which can go when the job is done."""

    left: Folder | None = None
    files: Any = None
    clear: tuple[str, ...] = ()


class Job(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a worker needs to run one attempt: the task as written, and the values its expressions name.

    ``timeout`` is in seconds. ``context`` is the expression context, already reduced to what the task refers to.
    ``secrets`` are values that nothing may show. ``folder`` is set in a WorkingDirectory.
    """

    execution_id: str
    namespace: str
    flow_id: str
    revision: int
    task_run_id: str
    attempt: int
    task: dict[str, Any]
    context: dict[str, Any]
    timeout: float | None = None
    secrets: tuple[str, ...] = ()
    folder: JobFolder | None = None
