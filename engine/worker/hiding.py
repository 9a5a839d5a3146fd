"""What must not be said: the secrets that one attempt knows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from engine.expressions import forms_of, mask_tree


class Hider:
    """Takes secrets out of texts and nested values; an attempt adds those it learns of while it runs."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._given: tuple[str, ...] = tuple(secrets)
        self._forms = forms_of(self._given)

    def add(self, *secrets: str) -> None:
        """Hide these too."""
        self._given += secrets
        self._forms = forms_of(self._given)

    def __call__(self, value: Any) -> Any:
        return mask_tree(value, self._forms) if self._forms else value
