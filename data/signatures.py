"""Signatures: what many executions have in common. Lists are filtered and counted by them instead of one by one.

A signature is a combination of namespace, flow, revision, kind, being a child (triggered by another execution), trigger
and labels. Executions have a few thousand of them, however many executions there are, unless labels differ each time.
Errors do differ: their texts are kept apart, each once.
"""

from __future__ import annotations

import hashlib
from typing import Any

from data.texts import without_nul
from engine.model import SYSTEM_PREFIX
from streaming.messages import ExecutionRow

ERROR_CAP = 1_000  # characters of an error that free text is looked for in
LABEL_END, VALUE_START = "\x1e", "\x1f"
_CLEAN = str.maketrans({"\x00": "\u2400", LABEL_END: "\u241e", VALUE_START: "\u241f"})


def text_of(row: ExecutionRow) -> str:
    """What free text is looked for in, in lower case: a line each for namespace, flow, labels and trigger.

    Labels of the system's own are left out: so few texts differ.
    """
    labels = (f"{key}:{value}" for key, value in sorted(row.labels.items()) if not key.startswith(SYSTEM_PREFIX))
    text = "\n".join((row.namespace, row.flow_id, *labels, row.trigger_id or ""))
    return text.lower().replace("\x00", "")


def error_of(row: ExecutionRow) -> str:
    """The error as free text is looked for in it, up to its cap; empty when there is none."""
    return row.error[:ERROR_CAP].lower().replace("\x00", "") if row.error else ""


def error_key(error: str) -> int | None:
    """Key of the text of an error; ``None`` of the empty one."""
    return _hash(error) if error else None


def _hash(text: str) -> int:
    """63 bits of a hash, so that a key needs no look-up."""
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()) >> 1


def clean(text: str) -> str:
    """A label's key or value as the column of labels holds it."""
    return text.translate(_CLEAN) if not text.isprintable() else text


def label_start(key: str) -> str:
    """What stands before the value of a label in the column of labels."""
    return f"{LABEL_END}{clean(key)}{VALUE_START}"


def labels_of(row: ExecutionRow) -> str:
    """The column of labels: those of the system's own are left out."""
    own = sorted((key, value) for key, value in row.labels.items() if not key.startswith(SYSTEM_PREFIX))
    return "".join(label_start(key) + clean(value) for key, value in own) + LABEL_END if own else ""


def pairs_of(labels: str) -> list[tuple[str, str]]:
    """The (key, value) of a column of labels."""
    parts = (part.partition(VALUE_START) for part in labels.split(LABEL_END) if part)
    return [(key, value) for key, _, value in parts]


def same(before: ExecutionRow, after: ExecutionRow) -> bool:
    """Whether both have one signature for sure: asked at each change, so the likeliest difference comes first."""
    return (
        before.labels == after.labels
        and before.revision == after.revision
        and before.trigger_id == after.trigger_id
        and before.triggered_by == after.triggered_by
        and before.kind == after.kind
        and before.flow_id == after.flow_id
        and before.namespace == after.namespace
    )


def signature_of(row: ExecutionRow) -> dict[str, Any]:
    """The row of ``search_text``."""
    columns: dict[str, Any] = {
        "text": text_of(row),
        "namespace": row.namespace,
        "flow_id": row.flow_id,
        "revision": row.revision,
        "kind": row.kind.value,
        "child": int(row.triggered_by is not None),
        "trigger_id": None if row.trigger_id is None else without_nul(row.trigger_id),
        "labels": labels_of(row),
    }
    return {"key": _hash("\x1d".join(map(str, columns.values()))), **columns}
