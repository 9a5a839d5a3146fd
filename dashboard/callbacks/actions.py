"""Actions on executions: what a button or a row asks for, carried out by the commands, answered by a notice.

The change itself comes to the page as a delta; a notice says what was asked for and what was refused.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import dash
from dash import Input, Output, State, no_update
from flask_login import current_user
from redis.exceptions import RedisError

from dashboard.ids import Confirm, Frame
from dashboard.services import Services
from engine.states import ACTIONS, Action

MAX_IDS = 1_000


@dataclass(frozen=True)
class Request:
    """A checked ``action-request``: what to do, and to which executions."""

    action: Action
    ids: tuple[str, ...]

    @property
    def subject(self) -> str:
        """What it is done to, in words."""
        return f"execution {short(self.ids[0])}" if len(self.ids) == 1 else f"{len(self.ids)} executions"


def short(execution_id: str) -> str:
    """An id as people read it: its random end, which differs, not its time, which does not."""
    return execution_id if len(execution_id) <= 12 else f"{execution_id[:4]}…{execution_id[-6:]}"


def read(data: Any) -> Request | None:
    """The request in the store's data; ``None`` for anything else."""
    if not isinstance(data, dict) or not isinstance(data.get("ids"), list):
        return None
    try:
        action = Action(data.get("action"))
    except ValueError:
        return None
    ids = tuple(dict.fromkeys(str(one) for one in data["ids"][:MAX_IDS]))
    return Request(action, ids) if ids else None


def notice(title: str, message: str, *, bad: bool = False, key: str | None = None) -> dict[str, Any]:
    """A notification; a bad one stays until it is closed."""
    return {
        "action": "show",
        "id": key or f"notice-{title}-{message}"[:120],
        "title": title,
        "message": message,
        "color": "var(--state-failed)" if bad else "var(--accent)",
        "autoClose": False if bad else 4000,
        "className": "wf-notice wf-notice-bad" if bad else "wf-notice",
    }


def perform(services: Services, request: Request, actor: str, reason: str | None) -> list[dict[str, Any]]:
    """Do it, one execution at a time: one that can't be acted on stops no other. The notices that say so."""
    refused = [(one, why) for one in request.ids if (why := _act(services, request.action, one, actor, reason))]
    return _notices(request, refused)


def _act(services: Services, action: Action, execution_id: str, actor: str, reason: str | None) -> str | None:
    """Why it was refused, ``None`` when it was asked for."""
    from data import StoreUnavailable
    from streaming.commands import CommandError

    try:
        services.commands.act(action, execution_id, actor=actor, reason=reason or None)
    except CommandError as error:
        return str(error)
    except (StoreUnavailable, RedisError):
        return "The database or Redis can't be reached; nothing was changed. Try again when the lamp is green."
    return None


def _notices(request: Request, refused: list[tuple[str, str]]) -> list[dict[str, Any]]:
    title = ACTIONS[request.action].title
    done = len(request.ids) - len(refused)
    notices = []
    if done:
        what = request.subject if not refused else f"{done} of {len(request.ids)} executions"
        notices.append(notice(f"{title} asked for", what[0].upper() + what[1:]))
    if refused:
        notices.append(notice(f"{title} refused", _reasons(refused), bad=True))
    return notices


def _reasons(refused: Iterable[tuple[str, str]]) -> str:
    """Each reason once, with how many executions it holds for."""
    by_reason: dict[str, list[str]] = {}
    for one, why in refused:
        by_reason.setdefault(why, []).append(one)
    return " ".join(f"{short(ids[0])}{f' and {len(ids) - 1} more' if len(ids) > 1 else ''}: {why}"
                    for why, ids in by_reason.items())  # fmt: skip


def actor() -> str:
    """Name of the signed-in user, for the audit."""
    return getattr(current_user, "name", None) or "unknown"


def register(app: dash.Dash, services: Services) -> None:
    """A request goes through the dialog when it destroys, else at once."""

    @app.callback(
        Output(Frame.NOTIFICATIONS, "sendNotifications"),
        Output(Confirm.MODAL, "opened"),
        Output(Confirm.PENDING, "data"),
        Output(Confirm.TITLE, "children"),
        Output(Confirm.TEXT, "children"),
        Output(Confirm.REASON, "value"),
        Input(Frame.ACTION_REQUEST, "data"),
        Input(Confirm.GO, "n_clicks"),
        Input(Confirm.CANCEL, "n_clicks"),
        State(Confirm.PENDING, "data"),
        State(Confirm.REASON, "value"),
        prevent_initial_call=True,
    )
    def act(asked: Any, _go: int | None, _cancel: int | None, pending: Any, reason: str | None) -> Any:
        who = dash.ctx.triggered_id
        if who == Confirm.CANCEL:
            return no_update, False, None, no_update, no_update, ""
        if who == Confirm.GO:
            request = read(pending)
            notices = perform(services, request, actor(), reason) if request else no_update
            return notices, False, None, no_update, no_update, ""
        request = read(asked)
        if request is None:
            return (no_update,) * 6
        if ACTIONS[request.action].danger:
            return no_update, True, asked, *question(request), ""
        return perform(services, request, actor(), None), *(no_update,) * 5


def question(request: Request) -> tuple[str, str]:
    """Title and text of the dialog."""
    title = f"{ACTIONS[request.action].title} {request.subject}?"
    text = "Tasks that run get SIGTERM, after the grace period SIGKILL; what has not started never will. Subflows too."
    return title, text
