"""An execution as others see it that wait for it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from engine.states import State


class Upstream(msgspec.Struct, frozen=True, omit_defaults=True):
    """An execution as a Flow trigger sees it, the moment it came to ``state``. ``chain`` says how many Flow triggers,
    one after the other, led to it."""

    execution_id: str
    namespace: str
    flow_id: str
    revision: int
    state: State
    start_date: datetime
    at: datetime
    labels: dict[str, str] = {}
    outputs: dict[str, Any] = {}
    chain: int = 0
