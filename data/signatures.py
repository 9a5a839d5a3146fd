"""Signatures: what many executions have in common. Lists are filtered and counted by them instead of one by one.

A signature is a combination of namespace, flow, revision, kind, being a child, trigger, labels and error. Executions
have a few thousand of them, however many executions there are, unless labels or errors differ each time.
"""

from __future__ import annotations

import hashlib
from typing import Any

from data.texts import without_nul
from engine.model import SYSTEM_PREFIX, evolve
from streaming.messages import ExecutionRow

ERROR_CAP = 1_000  # characters of an error that free text is looked for in
LABEL_END, VALUE_START = "\x1e", "\x1f"
_CLEAN = str.maketrans({"\x00": "\u2400", LABEL_END: "\u241e", VALUE_START: "\u241f"})


def text_of(row: ExecutionRow) -> str:
    """What free text is looked for in, in lower case: a line each for namespace, flow, labels, trigger and error.

    Labels of the system's own are left out, and what is over the cap of an error: so few texts differ.
    """
    labels = (f"{key}:{value}" for key, value in sorted(row.labels.items()) if not key.startswith(SYSTEM_PREFIX))
    error = (row.error or "")[:ERROR_CAP]
    text = "\n".join((row.namespace, row.flow_id, *labels, row.trigger_id or "", error))
    return text.lower().replace("\x00", "")


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
        before.error == after.error
        and before.labels == after.labels
        and before.revision == after.revision
        and before.trigger_id == after.trigger_id
        and before.parent_id == after.parent_id
        and before.kind == after.kind
        and before.flow_id == after.flow_id
        and before.namespace == after.namespace
    )


def signature_of(row: ExecutionRow) -> dict[str, Any]:
    """The row of ``search_text``. Its key is 63 bits of a hash, so that it needs no look-up."""
    columns: dict[str, Any] = {
        "text": text_of(row),
        "namespace": row.namespace,
        "flow_id": row.flow_id,
        "revision": row.revision,
        "kind": row.kind.value,
        "child": int(row.parent_id is not None),
        "trigger_id": None if row.trigger_id is None else without_nul(row.trigger_id),
        "labels": labels_of(row),
    }
    whole = "\x1d".join(map(str, columns.values())).encode("utf-8", "surrogatepass")
    return {"key": int.from_bytes(hashlib.blake2b(whole, digest_size=8).digest()) >> 1, **columns}


def keys_of(row: ExecutionRow) -> set[int]:
    """Keys of the signatures the execution is known to have had: with its error, and before it."""
    return {signature_of(row)["key"], signature_of(evolve(row, error=None))["key"]}
