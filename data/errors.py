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
