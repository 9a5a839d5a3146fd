"""Notices: what was asked for, and what was refused and why. And who asks."""

from __future__ import annotations

from typing import Any

from flask_login import current_user


def notice(title: str, message: str, *, bad: bool = False) -> dict[str, Any]:
    """A notification; a bad one stays until it is closed."""
    return {
        "action": "show",
        "id": f"notice-{title}-{message}"[:120],
        "title": title,
        "message": message,
        "color": "var(--state-failed)" if bad else "var(--accent)",
        "autoClose": False if bad else 4000,
        "className": "wf-notice wf-notice-bad" if bad else "wf-notice",
    }


def short(execution_id: str) -> str:
    """An id as people read it: cut in the middle, as the browser cuts it."""
    return execution_id if len(execution_id) <= 13 else f"{execution_id[:4]}…{execution_id[-8:]}"


def count(number: int) -> str:
    """A count as people read it, with thin spaces, as the browser writes it."""
    return f"{number:,}".replace(",", "\u202f")


def actor() -> str:
    """Name of the signed-in user, for the audit."""
    return getattr(current_user, "name", None) or "unknown"
