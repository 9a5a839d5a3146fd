"""What the dashboard may use of the rest: the one way from a page or a callback to the world."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from streaming.metrics import Meter
from watchfloor.settings import Settings

if TYPE_CHECKING:
    from dashboard.attempts import Attempts
    from data.files import Files
    from data.store import Store
    from streaming.bus import Bus
    from streaming.commands import Commands
    from streaming.flow_commands import FlowCommands
    from streaming.operations import Operations
    from streaming.trigger_commands import TriggerCommands


@dataclass(frozen=True)
class Services:
    """The parts a web process is wired from.

    ``gateway`` is the live side, ``files`` the file storage, ``meter`` counts for Prometheus.
    """

    settings: Settings
    store: Store
    bus: Bus
    commands: Commands
    gateway: Any = None
    files: Files | None = None
    meter: Meter = field(default_factory=lambda: Meter("web"))

    @cached_property
    def attempts(self) -> Attempts:
        """Wrong passwords and tokens: who may not try now."""
        from dashboard.attempts import Attempts

        return Attempts(self.settings.login_rate, self.bus)

    @property
    def triggers(self) -> TriggerCommands:
        """What may be asked of triggers."""
        from streaming.trigger_commands import TriggerCommands

        return TriggerCommands(self.store, self.bus, self.gateway.answers if self.gateway else None)

    @property
    def flows(self) -> FlowCommands:
        """What may be made of flows."""
        from streaming.flow_commands import FlowCommands

        return FlowCommands(self.store, self.bus, self.settings.flow_size)

    @property
    def operations(self) -> Operations:
        """Actions on many executions at once."""
        from streaming.operations import Operations

        most, ids = self.settings.operation_max_items, self.settings.bulk_max_ids
        return Operations(self.store, self.bus, max_ids=ids, max_items=most)
