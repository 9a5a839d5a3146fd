"""Set labels: those that people set are replaced, those that Watchfloor set stay."""

from __future__ import annotations

from engine.model import SYSTEM_PREFIX
from engine.reducer.draft import Draft
from streaming.messages import ActionRequested


def set_labels(draft: Draft, event: ActionRequested) -> str | None:
    """Replace the labels of an execution in any state."""
    labels = labels_after(draft.execution.labels, event.labels, draft.env.max_labels)
    if isinstance(labels, str):
        return labels
    draft.set(labels=labels)
    return None


def labels_after(known: dict[str, str], given: dict[str, str] | None, limit: int) -> dict[str, str] | str:
    """All labels once people set ``given``; why that can't be, as a text."""
    if given is None:
        return "Expected the labels that are to take the place of those that people set; none came (empty: none stay)."
    if wrong := sorted(key for key in given if key.startswith(SYSTEM_PREFIX) or not key.strip()):
        named = ", ".join(repr(key) for key in wrong)
        return (
            f"Expected labels with a name that doesn't begin with {SYSTEM_PREFIX!r} (Watchfloor's own); came {named}."
        )
    labels = {**given, **{key: value for key, value in known.items() if key.startswith(SYSTEM_PREFIX)}}
    if len(labels) > limit:
        return (
            f"Expected at most {limit:,} labels (WATCHFLOOR_EXECUTION_MAX_LABELS), this would make {len(labels):,} "
            "with those that Watchfloor set."
        )
    return labels
