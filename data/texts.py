"""Texts as databases take them."""

from __future__ import annotations

NUL = "\u2400"  # ␀, the symbol: PostgreSQL refuses the character itself, and SQLite finds nothing behind it


def without_nul(text: str) -> str:
    """``text`` with a visible symbol for each NUL character."""
    return text.replace("\x00", NUL) if "\x00" in text else text
