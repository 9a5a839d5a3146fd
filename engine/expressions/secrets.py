"""Secrets: read from the environment, hidden wherever a value is shown."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from typing import Any

from engine.expressions.errors import ExpressionError

PREFIX = "WATCHFLOOR_SECRET_"
HIDDEN = "******"
_SHORTEST = 3  # shorter values are no secrets, and hiding them would hide everything


def secret(name: str) -> str:
    """Value of a secret; its name is not case-sensitive."""
    for key in (name, name.upper()):
        value = os.environ.get(PREFIX + key)
        if value is not None:
            return value
    raise ExpressionError(f"the secret {name!r} is not set; set {PREFIX}{name.upper()} in the environment")


def known_secrets() -> tuple[str, ...]:
    """Values of all secrets of the environment, as ``forms_of`` gives them."""
    return forms_of(value for name, value in os.environ.items() if name.startswith(PREFIX))


def forms_of(values: Iterable[str]) -> tuple[str, ...]:
    """Secrets as they may appear in texts, the longest first."""
    forms: set[str] = set()
    for value in values:
        forms.update((value, value.strip(), json.dumps(value)[1:-1], *value.splitlines()))
    return tuple(sorted((form for form in forms if len(form) >= _SHORTEST), key=len, reverse=True))


def mask(text: str, secrets: Iterable[str]) -> str:
    """``text`` with every secret hidden; ``secrets`` as ``known_secrets`` gives them."""
    for value in secrets:
        if value in text:
            text = text.replace(value, HIDDEN)
    return text


def mask_tree(value: Any, secrets: Iterable[str]) -> Any:
    """A nested value with every secret hidden, in keys too."""
    secrets = tuple(secrets)
    if not secrets:
        return value
    if isinstance(value, str):
        return mask(value, secrets)
    if isinstance(value, dict):
        return {mask(key, secrets) if isinstance(key, str) else key: mask_tree(item, secrets)
                for key, item in value.items()}  # fmt: skip
    if isinstance(value, (list, tuple)):
        return [mask_tree(item, secrets) for item in value]
    return value
