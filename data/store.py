"""The store: one class over the parts, each a file of its own."""

from __future__ import annotations

from data.audit import Audit
from data.commits import Commits
from data.distinct import Distinct
from data.executions import Executions
from data.flows import Flows
from data.kv import KeyValues
from data.log_marks import LogMarks
from data.log_parts import LogParts
from data.log_search import LogSearch
from data.logins import Logins
from data.metrics import Metrics
from data.neighbours import Neighbouring
from data.operations import Operations
from data.partitions import Partitions
from data.retention import Retention
from data.scans import Scans
from data.selection import Selecting
from data.slots import Slots
from data.triggers import Triggers
from data.users import Users
from data.views import Views


class Store(
    Commits,
    Partitions,
    Executions,
    Neighbouring,
    Distinct,
    Scans,
    Metrics,
    Flows,
    LogMarks,
    LogParts,
    LogSearch,
    KeyValues,
    Slots,
    Triggers,
    Retention,
    Operations,
    Selecting,
    Users,
    Logins,
    Views,
    Audit,
):
    """The record of everything. Safe to share between threads and greenlets.

    Each method is one transaction and raises ``StoreUnavailable`` when the database can't serve it.
    """
