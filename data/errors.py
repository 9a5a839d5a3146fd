"""What can go wrong in the record."""

from __future__ import annotations

import msgspec


class DataError(Exception):
    """Base of all errors of this package."""


class StoreUnavailable(DataError):
    """The database can't be reached, is locked or its disk is full: try again.

    Nothing was written, unless the connection was lost in the middle of a commit: then the database alone knows.
    """


class PositionMoved(StoreUnavailable):
    """A commit continues at a position that is not the stored one: nothing was written, start from the stored one.

    Another executor is at work, or an earlier commit was written although its connection was lost.
    """


class MigrationFailed(DataError):
    """The tables could not be brought to this version; they are as they were."""

    def __init__(self, before: str | None, wanted: str, cause: Exception) -> None:
        said = " ".join(str(getattr(cause, "orig", None) or cause).split())
        super().__init__(
            f"The tables stay {'unmade' if before is None else f'at version {before}'}: bringing them to {wanted} "
            f"failed ({said}). The Watchfloor that made them still works with them."
        )


class TablesTooNew(DataError):
    """A newer Watchfloor made the tables."""

    def __init__(self, found: str, newest: str) -> None:
        super().__init__(
            f"The tables are of version {found}, this Watchfloor knows versions up to {newest}: start the newer one, "
            "or go back to a copy of the database from before it."
        )


class Problem(msgspec.Struct, frozen=True):
    """What is wrong with one part of the filters, and where: ``part`` is its name on the wire.

    ``field``, ``op``, ``key`` (of a label) and ``group`` (number of the OR group) as they were given, ``None`` where
    there is none; ``allowed``: what may stand there instead, when that can be listed.
    """

    part: str
    message: str
    field: str | None = None
    op: str | None = None
    key: str | None = None
    group: int | None = None
    allowed: tuple[str, ...] = ()


class FilterError(DataError, ValueError):
    """Filters that can't be read. ``part`` is the first bad part of the query string, ``problems`` are all of them."""

    def __init__(self, part: str, message: str, problems: tuple[Problem, ...] = ()) -> None:
        super().__init__(f"{part}: {message}")
        self.part = part
        self.message = message
        self.problems = problems or (Problem(part, message),)


class RevisionKept(DataError):
    """A revision of a flow that can't be removed; the message says why."""


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
            f"the value of {key!r} of {namespace!r} has {size:,} bytes, {most:,} are allowed (WATCHFLOOR_KV_MAX_BYTES)"
        )


class TooManyKeys(KeyRefused):
    """The namespace has as many keys as it may have."""

    def __init__(self, namespace: str, most: int) -> None:
        super().__init__(f"{namespace!r} has {most:,} keys, no more are allowed (WATCHFLOOR_KV_MAX_KEYS)")


class TooMany(DataError):
    """More executions than one operation may have."""

    def __init__(self, total: int, most: int) -> None:
        super().__init__(
            f"{total:,} executions match, an operation takes {most:,} (WATCHFLOOR_OPERATION_MAX_ITEMS): narrow the "
            "filters"
        )
        self.total = total
        self.most = most


class PersonError(DataError):
    """A user, session or token that is not there, is there already, or can't be changed so."""


class UserNotFound(PersonError):
    """There is no such user."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no user {name!r}.")


class UserExists(PersonError):
    """There is a user of that name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There is a user {name!r} already; choose another name, or change that one.")


class LastAdmin(PersonError):
    """Without this user nobody could manage users."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name!r} is the last admin who can sign in: make another user an admin first.")


class TokenNotFound(PersonError):
    """There is no such token."""

    def __init__(self, token_id: str) -> None:
        super().__init__(f"There is no API token {token_id!r}.")
