"""Flow files: the model, and the way from text to it with every error at its line.

``parse(source)`` gives a Flow or raises FlowError; ``parse_stored`` is for what was accepted once. A task type is one
class registered in TASK_TYPES.
"""

from engine.flow.base import is_template
from engine.flow.conditions import CONDITION_TYPES, Subject
from engine.flow.errors import FlowError, Violation
from engine.flow.flowables import (
    AllowFailure,
    Dag,
    ForEach,
    If,
    LoopUntil,
    Parallel,
    Pause,
    Sequential,
    Subflow,
    Switch,
    WorkingDirectory,
)
from engine.flow.http import HttpDownload, HttpRequest
from engine.flow.inputs import INPUT_TYPES, Input
from engine.flow.model import Concurrency, Flow, Output, Place, Sla
from engine.flow.moments import DateInput, DatetimeInput, DurationInput, TimeInput
from engine.flow.parse import parse, parse_stored
from engine.flow.retry import Retry
from engine.flow.runnable import (
    Fail,
    Log,
    OutputValues,
    PythonCommands,
    PythonScript,
    Return,
    Script,
    ShellCommands,
    ShellScript,
    Sleep,
)
from engine.flow.structures import ArrayInput, FileInput, JsonInput, UriInput, YamlInput
from engine.flow.tasks import TASK_TYPES, Container, Flowable, Task
from engine.flow.triggers import TRIGGER_TYPES, FlowTrigger, Schedule, Trigger, Webhook

__all__ = [
    "CONDITION_TYPES",
    "INPUT_TYPES",
    "TASK_TYPES",
    "TRIGGER_TYPES",
    "AllowFailure",
    "ArrayInput",
    "Concurrency",
    "Container",
    "Dag",
    "DateInput",
    "DatetimeInput",
    "DurationInput",
    "Fail",
    "FileInput",
    "Flow",
    "FlowError",
    "FlowTrigger",
    "Flowable",
    "ForEach",
    "HttpDownload",
    "HttpRequest",
    "If",
    "Input",
    "JsonInput",
    "Log",
    "LoopUntil",
    "Output",
    "OutputValues",
    "Parallel",
    "Pause",
    "Place",
    "PythonCommands",
    "PythonScript",
    "Retry",
    "Return",
    "Schedule",
    "Script",
    "Sequential",
    "ShellCommands",
    "ShellScript",
    "Sla",
    "Sleep",
    "Subflow",
    "Subject",
    "Switch",
    "Task",
    "TimeInput",
    "Trigger",
    "UriInput",
    "Violation",
    "Webhook",
    "WorkingDirectory",
    "YamlInput",
    "is_template",
    "parse",
    "parse_stored",
]
