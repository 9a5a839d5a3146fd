"""Watchfloor's own logs: one event a line, ``action key=value …``."""

from __future__ import annotations

import logging
import sys

import structlog


def configure(level: str) -> None:
    """Write structlog's events of at least ``level`` to stderr, in colour on a terminal."""
    number = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    colors = sys.stderr.isatty()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False),
            structlog.dev.ConsoleRenderer(colors=colors, pad_event_to=20, pad_level=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
