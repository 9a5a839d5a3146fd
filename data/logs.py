"""Log lines: appended by the log writer alone."""

from __future__ import annotations

from data.log_append import LogAppends


class Logs(LogAppends):
    """Everything about log lines."""
