"""Actions on many executions at once: previewed, confirmed, then done one by one in the background.

``Operations`` is what pages and the API use: it fixes the selection and writes the operation down. ``Runner``, in the
process of the log writer, tells the executor of its executions, never more at a time than others' events can bear.
The executor writes each one's result in the commit that changes it, so that whoever is killed, nothing is done twice.
"""

from streaming.operations.asked import (
    EVERYTHING,
    OperationEnded,
    OperationNotFound,
    OperationRefused,
    Preview,
    Reason,
    Rights,
    Selection,
)
from streaming.operations.service import Operations

__all__ = [
    "EVERYTHING",
    "OperationEnded",
    "OperationNotFound",
    "OperationRefused",
    "Operations",
    "Preview",
    "Reason",
    "Rights",
    "Selection",
]
