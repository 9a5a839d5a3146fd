"""Texts as databases take them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

NUL = "\u2400"  # ␀, the symbol: PostgreSQL refuses the character itself, and SQLite finds nothing behind it
_SHORT = 250  # characters, at most 1,000 bytes: an entry of PostgreSQL's indexes holds 2,700 in all


def without_nul(text: str) -> str:
    """``text`` with a visible symbol for each NUL character."""
    return text.replace("\x00", NUL) if "\x00" in text else text


def short(text: str) -> str:
    """``text`` as an index holds it: a long one is its beginning and its hash, and equals no other one."""
    if len(text) <= _SHORT:
        return without_nul(text)
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    return f"{without_nul(text[: _SHORT - 33])}…{digest}"


def label_pairs(labels: Mapping[str, str]) -> list[tuple[str, str]]:
    """Labels as the tables of labels hold them."""
    return [(short(key), short(value)) for key, value in labels.items()]
