"""Actions on executions: what a button or a row asks for, carried out by the commands, answered by a notice.

The change itself comes to the page as a delta; a notice says what was asked for and what was refused.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import dash
from dash import Input, Output, State, no_update, set_props
from redis.exceptions import RedisError

from dashboard.callbacks.notices import actor, notice, only_looks, short
from dashboard.callbacks.resume import asked_for
from dashboard.ids import Confirm, Frame, Resume
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


def register(app: dash.Dash, services: Services) -> None:
    """A request goes through a dialog when it destroys or needs inputs, else it is done at once."""

    @app.callback(
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
        request = read(pending if who == Confirm.GO else asked)
        if who == Confirm.CANCEL:
            return False, None, no_update, no_update, ""
        if who == Confirm.GO:
            _tell(perform(services, request, actor(), reason) if request and not only_looks() else [])
            return False, None, no_update, no_update, ""
        if request is not None and (why := only_looks()):
            _tell([notice(f"{ACTIONS[request.action].title} refused", why, bad=True)])
        elif request is not None and ACTIONS[request.action].danger:
            return True, asked, *question(request), ""
        elif request is not None:
            _at_once(services, request)
        return (no_update,) * 5


def _at_once(services: Services, request: Request) -> None:
    """Do it, or show the form that a paused task asks for."""
    from data import StoreUnavailable

    try:
        form = request.action is Action.RESUME and len(request.ids) == 1 and asked_for(services, request.ids[0])
    except StoreUnavailable:
        form = ()
    if form:
        set_props(Resume.PENDING, {"data": {"id": request.ids[0], "at": time.time()}})
    else:
        _tell(perform(services, request, actor(), None))


def _tell(notices: list[dict[str, Any]]) -> None:
    set_props(Frame.NOTIFICATIONS, {"sendNotifications": notices})


def question(request: Request) -> tuple[str, str]:
    """Title and text of the dialog."""
    title = f"{ACTIONS[request.action].title} {request.subject}?"
    text = "Tasks that run get SIGTERM, after the grace period SIGKILL; what has not started never will. Subflows too."
    return title, text
