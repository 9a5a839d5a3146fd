"""Triggers: when they start what. Pure: clocks, ids and settings are passed in, states and starts come out."""

from engine.trigger_state import Backfill, Met, TriggerState
from engine.triggers.dates import dates, last_date, next_date, next_dates
from engine.triggers.known import Known, Rules, Start, Turn, trigger_key
from engine.triggers.start import created
from engine.triggers.turn import refreshed, take_turn, tick

__all__ = [
    "Backfill",
    "Known",
    "Met",
    "Rules",
    "Start",
    "TriggerState",
    "Turn",
    "created",
    "dates",
    "last_date",
    "next_date",
    "next_dates",
    "refreshed",
    "take_turn",
    "tick",
    "trigger_key",
]
