"""Settings, commands and the wiring of Watchfloor's processes."""

__version__ = "0.1.0"
