"""What can go wrong in the record."""

from __future__ import annotations


class DataError(Exception):
    """Base of all errors of this package."""


class StoreUnavailable(DataError):
    """The database can't be reached, is locked or its disk is full: nothing was written, try again."""


class FilterError(DataError, ValueError):
    """A filter that isn't known. ``part`` is the part of the query string it is about."""

    def __init__(self, part: str, message: str) -> None:
        super().__init__(f"{part}: {message}")
        self.part = part
        self.message = message


class FileNotFound(DataError):
    """There is no such file in the file storage."""


class KeyRefused(DataError):
    """A value that a namespace's key-value store does not take."""


class KeyExists(KeyRefused):
    """The key has a value, and overwriting was not wanted."""

    def __init__(self, namespace: str, key: str) -> None:
        super().__init__(f"the key {key!r} of {namespace!r} has a value already, and overwrite is false")


class ValueTooLarge(KeyRefused):
    """The value has more bytes than one may have."""

    def __init__(self, namespace: str, key: str, size: int, most: int) -> None:
        super().__init__(
            f"the value of {key!r} of {namespace!r} has {size:,} bytes, {most:,} are allowed (setting kv_max_bytes)"
        )


class TooManyKeys(KeyRefused):
    """The namespace has as many keys as it may have."""

    def __init__(self, namespace: str, most: int) -> None:
        super().__init__(f"{namespace!r} has {most:,} keys, no more are allowed (setting kv_max_keys)")
