"""How large a flow file may be."""

from __future__ import annotations

import sys

import msgspec


class FlowSize(msgspec.Struct, frozen=True):
    """The most bytes a flow file may have, and the most values (keys aside) that its YAML may come to."""

    max_bytes: int = 2_097_152
    max_values: int = 100_000


USUAL = FlowSize()
ANY = FlowSize(sys.maxsize, sys.maxsize)
"""Of what was accepted once."""
