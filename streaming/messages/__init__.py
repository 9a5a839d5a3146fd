"""Every message that crosses a process boundary: frozen, tagged, one closed union a direction.

Events go in (``wf:events``), one ``Deltas`` a commit comes out (``wf:deltas`` and ``wf:live``), log lines travel on
their own (``wf:logs`` in, ``wf:live:logs`` out). ``None`` means "not known" or "not set", never "unchanged".
All are imported from here.
"""

from __future__ import annotations

from streaming.messages.control import (
    Control,
    FlowsChanged,
    Job,
    JobFolder,
    Kill,
    OperationsChanged,
    SignedOut,
)
from streaming.messages.deltas import (
    Answer,
    Deltas,
    ExecutionDelta,
    ExecutionRow,
    Heartbeat,
    Live,
    TriggerAnswer,
)
from streaming.messages.events import (
    ActionDetails,
    ActionRequested,
    Copied,
    ExecutionCreated,
    ExecutionExpired,
    ExecutionReported,
    Id,
    JobMissed,
    Metric,
    Removable,
    SubflowEnded,
    TaskEnded,
    TaskReported,
    TaskStarted,
    TimerFired,
    WorkerLost,
)
from streaming.messages.logs import (
    LEVELS,
    Level,
    LogBatch,
    LogEntry,
    LogLine,
    LogsCommitted,
)
from streaming.messages.neighbours import (
    Decision,
    SlotAsked,
    SlotDecided,
    SlotEvent,
    SlotFreed,
    SlotLimited,
    TriggerCalled,
    TriggerEnded,
    TriggerEvent,
    TriggerRequested,
    UpstreamChanged,
)

Event = (
    ExecutionCreated
    | TaskStarted
    | TaskEnded
    | WorkerLost
    | JobMissed
    | SubflowEnded
    | TimerFired
    | ActionRequested
    | SlotAsked
    | SlotFreed
    | SlotLimited
    | SlotDecided
    | TriggerRequested
    | TriggerCalled
    | TriggerEnded
    | UpstreamChanged
    | ExecutionReported
    | TaskReported
    | ExecutionExpired
)

__all__ = [
    "LEVELS",
    "ActionDetails",
    "ActionRequested",
    "Answer",
    "Control",
    "Copied",
    "Decision",
    "Deltas",
    "Event",
    "ExecutionCreated",
    "ExecutionDelta",
    "ExecutionExpired",
    "ExecutionReported",
    "ExecutionRow",
    "FlowsChanged",
    "Heartbeat",
    "Id",
    "Job",
    "JobFolder",
    "JobMissed",
    "Kill",
    "Level",
    "Live",
    "LogBatch",
    "LogEntry",
    "LogLine",
    "LogsCommitted",
    "Metric",
    "OperationsChanged",
    "Removable",
    "SignedOut",
    "SlotAsked",
    "SlotDecided",
    "SlotEvent",
    "SlotFreed",
    "SlotLimited",
    "SubflowEnded",
    "TaskEnded",
    "TaskReported",
    "TaskStarted",
    "TimerFired",
    "TriggerAnswer",
    "TriggerCalled",
    "TriggerEnded",
    "TriggerEvent",
    "TriggerRequested",
    "UpstreamChanged",
    "WorkerLost",
]
