"""Every component id, made here and nowhere else: constants a page, functions for ids that carry a value."""

from __future__ import annotations

from typing import Any


class Frame:
    """What stands on every page."""

    URL = "url"
    PAGE = "page"
    VISIT = "page-visit"
    PAGE_KEY = "page-key"
    AGAIN = "page-again"
    RAIL = "rail"
    SAVED_VIEWS = "saved-views"
    NOTIFICATIONS = "notifications"
    KEYS_SHEET = "keys-sheet"
    KEYS_BUTTON = "keys-button"
    ACTION_REQUEST = "action-request"
    MANTINE = "mantine"


class Act:
    """The dialog of an action: what it does, its details, why it is done; then, for many, how far it is."""

    MODAL = "act-modal"
    PENDING = "act-pending"
    TITLE = "act-title"
    STEP = "act-step"
    TEXT = "act-text"
    PREVIEW = "act-preview"
    FORM = "act-form"
    INPUTS = "act-inputs"
    REASON = "act-reason"
    ERROR = "act-error"
    GO = "act-go"
    CANCEL = "act-cancel"


class Executions:
    """The list."""

    VIEW = "executions-view"
    BAR = "executions-bar"
    VIEWS = "executions-views"
    GRID = "executions-grid"
    COUNTS = "executions-counts"
    TOTAL = "executions-total"
    PAGER = "executions-pager"
    BULK = "executions-bulk"
    CHIP_NEW = "executions-new"
    EMPTY = "executions-empty"
    FILTER_ERROR = "filter-error"
    EXPORT = "executions-export"


class Execution:
    """One execution."""

    HEADER = "execution-header"
    TABS = "execution-tabs"
    PANEL = "execution-panel"
    ID = "execution-id"
    GANTT = "gantt-graph"
    TOPOLOGY = "topology-graph"
    LOGS = "logs-pane"
    OVERVIEW = "overview-pane"
    STRIP = "execution-strip"


class Operations:
    """The bulk operations, and one of them."""

    LIST = "operations-list"
    DETAIL = "operation-detail"


class Flows:
    """The list of flows."""

    BODY = "flows-body"
    STAMP = "flows-stamp"
    VIEW = "flows-view"


class Flow:
    """One flow."""

    REF = "flow-ref"
    TOP = "flow-top"
    STAMP = "flow-stamp"
    TABS = "flow-tabs"
    PANEL = "flow-panel"
    SOURCE = "flow-source"
    TOPOLOGY = "flow-topology"
    EXECUTE = "flow-execute"


class Execute:
    """The form that starts an execution."""

    MODAL = "execute-modal"
    AGAIN = "execute-again"
    FLOW = "execute-flow"
    FORM = "execute-form"
    GO = "execute-go"
    CANCEL = "execute-cancel"
    ERROR = "execute-error"
    LABELS = "execute-labels"


class Triggers:
    """The triggers of one flow."""

    BODY = "triggers-body"
    STAMP = "triggers-stamp"


class Backfill:
    """The form of a backfill. FROM, TO and LABELS are fields of it, beside the flow's inputs."""

    MODAL = "backfill-modal"
    TRIGGER = "backfill-trigger"
    FORM = "backfill-form"
    GO = "backfill-go"
    CANCEL = "backfill-cancel"
    ERROR = "backfill-error"
    FROM = "backfill from"
    TO = "backfill to"
    LABELS = "backfill labels"


ACT = "act"
"""The form of an action's details."""
ACT_INPUTS = "act-inputs"
"""The form of the inputs that an action asks for."""


class People:
    """Settings of people: users, tokens, sessions, one's own account."""

    PANEL = "people-panel"
    MODAL = "people-modal"
    PENDING = "people-pending"
    FORM = "people-form"
    ERROR = "people-error"
    GO = "people-go"
    DELETE = "people-delete"
    CANCEL = "people-cancel"
    TOKEN = "people-token"
    ACCOUNT_GO = "account-go"
    ACCOUNT_ERROR = "account-error"


class Audit:
    """Who did what to what."""

    BODY = "audit-body"
    EXPORT = "audit-export"
    REFRESH = "audit-refresh"
    OLDER = "audit-older"
    AGAIN = "audit-again"
    LAST = "audit-last"


FORM_BUTTONS = {"execute": Execute.GO, ACT_INPUTS: Act.GO, "backfill": Backfill.GO}
"""The button that sends each form."""


def form_field(form: str, input_id: Any) -> dict[str, Any]:
    """The control of one input of a form; ``input_id`` may be ``MATCH`` or ``ALL``."""
    return {"type": "field", "form": form, "input": input_id}


def people_field(name: Any) -> dict[str, Any]:
    """A field of a form about people."""
    return {"type": "people-field", "name": name}


def people_button(what: Any, which: Any) -> dict[str, Any]:
    """A button that does something to a user, a token or a session."""
    return {"type": "people-do", "what": what, "which": which}


def audit_field(field: Any) -> dict[str, Any]:
    """A filter of the audit."""
    return {"type": "audit-field", "field": field}


def execute_button(flow: Any) -> dict[str, Any]:
    """A button that opens the form of ``namespace/flow``."""
    return {"type": "execute", "flow": flow}


def trigger_switch(trigger: Any) -> dict[str, Any]:
    """The switch of ``namespace/flow/trigger``."""
    return {"type": "trigger-switch", "trigger": trigger}


def trigger_button(action: Any, trigger: Any) -> dict[str, Any]:
    """A button that does something to ``namespace/flow/trigger``."""
    return {"type": "trigger-do", "action": action, "trigger": trigger}


def backfill_button(trigger: Any) -> dict[str, Any]:
    """A button that opens the form of a backfill."""
    return {"type": "trigger-backfill", "trigger": trigger}


def rail_link(name: Any) -> dict[str, Any]:
    """A link of the rail."""
    return {"type": "rail", "page": name}


def tab_link(page: Any, tab: Any) -> dict[str, Any]:
    """A tab of a page."""
    return {"type": "tab", "page": page, "tab": tab}
