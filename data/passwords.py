"""Argon2 hashes of passwords, made and compared where that holds up nobody else."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from threading import BoundedSemaphore
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

NO_PASSWORD = ""  # no hash: nothing fits it
AT_ONCE = 2  # a hash takes 64 MB and all it gets of the processor; more wait
_hasher = PasswordHasher()

Offload = Callable[[Callable[[], Any]], Any]


def directly(work: Callable[[], Any]) -> Any:
    """Do it here and now."""
    return work()


class Passwords:
    """``offload`` runs what computes for a while, where it stops no greenlet, and gives its result."""

    def __init__(self, offload: Offload = directly) -> None:
        self._offload = offload
        self._turn = BoundedSemaphore(AT_ONCE)
        self._unknown: str | None = None

    def hash(self, password: str) -> str:
        """What is kept of a password."""
        with self._turn:
            return str(self._offload(lambda: _hasher.hash(password)))

    def fits(self, stored: str, password: str) -> bool:
        """Whether it is the password of the hash. With no hash the answer takes as long."""
        if self._unknown is None:
            self._unknown = self.hash(secrets.token_urlsafe(8))
        compared = stored if stored != NO_PASSWORD else self._unknown
        with self._turn:
            return bool(self._offload(lambda: _verified(compared, password))) and stored != NO_PASSWORD


def _verified(stored: str, password: str) -> bool:
    try:
        return _hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False
