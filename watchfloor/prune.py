"""``watchfloor prune``: what retention doesn't keep, shown or removed now."""

from __future__ import annotations

from threading import Event as Stop
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from watchfloor.settings import Settings

if TYPE_CHECKING:
    from streaming.retention import Due


def prune(settings: Settings, console: Console, *, dry_run: bool) -> int:
    """Show what the rules don't keep and, unless ``dry_run``, have it removed; the exit code."""
    from data import Store
    from streaming.bus import Bus
    from streaming.retention import Chooser

    if not settings.retention:
        console.print("All executions are kept: WATCHFLOOR_RETENTION names no rule.")
        return 0
    store, bus = Store(settings.resolved_database_url), Bus.of(settings)
    try:
        chooser = Chooser(store, bus, settings.retention, settings.retention_step)
        due = chooser.due()
        expired = sum(one.expired for one in due)
        console.print(_table(due))
        if dry_run:
            console.print(f"{expired:,} of {sum(one.ended for one in due):,} ended executions would go.")
            return 0
        gone = chooser.round(Stop()) if expired else 0
    finally:
        store.close()
        bus.close()
    if expired and not gone:
        console.print("No executor answers, so nothing was removed yet: start the product with `watchfloor up`.")
        return 1
    console.print(f"{gone:,} executions are removed; their logs and files go after them.")
    return 0


def _table(due: list[Due]) -> Table:
    table = Table("namespace", "kept", "ended", "to go")
    for column in table.columns[2:]:
        column.justify = "right"
    for one in due:
        table.add_row(one.namespace, str(one.rule), f"{one.ended:,}", f"{one.expired:,}")
    return table
