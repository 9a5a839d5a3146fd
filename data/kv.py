"""Key-value stores, one a namespace: what executions leave for later ones."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from data.blobs import from_json, json_text
from data.database import Database
from data.errors import KeyExists, TooManyKeys, ValueTooLarge
from data.records import KeyValue
from data.tables import key_value
from data.times import from_us, from_us_or_none, now_us
from data.upserts import insert_new, upsert

_MICROSECOND = timedelta(microseconds=1)


class KeyValues(Database):
    """A value that has expired is as good as gone, and goes with the next new key of its namespace."""

    def kv(self, namespace: str, key: str) -> KeyValue | None:
        """The value of a key; ``None`` when there is none, or no more."""
        with self._read() as connection:
            row = connection.execute(_lives(sa.select(key_value)).where(*_is(namespace, key))).one_or_none()
        return None if row is None else _stored(row)

    def kv_list(self, namespace: str, prefix: str = "") -> list[KeyValue]:
        """All values of a namespace whose keys begin with ``prefix``, by key."""
        query = _lives(sa.select(key_value)).where(key_value.c.namespace == namespace)
        if prefix:
            query = query.where(key_value.c.key.startswith(prefix, autoescape=True))
        with self._read() as connection:
            return [_stored(row) for row in connection.execute(query.order_by(key_value.c.key))]

    def kv_set(
        self,
        namespace: str,
        key: str,
        value: Any,
        kind: str,
        *,
        ttl: timedelta | None = None,
        description: str | None = None,
        overwrite: bool = True,
        max_bytes: int = 1_048_576,
        max_keys: int = 100_000,
    ) -> None:
        """Keep ``value``, anything JSON can hold. ``kind`` names its type.

        Raises ``KeyExists`` (only without ``overwrite``), ``ValueTooLarge`` and ``TooManyKeys``.
        """
        text, now = json_text(value), now_us()
        if (size := len(text.encode())) > max_bytes:
            raise ValueTooLarge(namespace, key, size, max_bytes)
        row = {
            "namespace": namespace,
            "key": key,
            "type": kind,
            "value": text,
            "description": description,
            "created_at": now,
            "updated_at": now,
            "expires_at": None if ttl is None else now + ttl // _MICROSECOND,
        }
        with self._write() as connection:
            known = connection.scalar(_lives(sa.select(key_value.c.created_at), now).where(*_is(namespace, key)))
            if known is not None and not overwrite:
                raise KeyExists(namespace, key)
            if known is None:
                _make_room(connection, namespace, now, max_keys)
            statement = upsert(self.dialect, key_value) if overwrite else insert_new(self.dialect, key_value)
            written = connection.execute(statement, row if known is None else {**row, "created_at": known})
            if not overwrite and not written.rowcount:  # somebody else was quicker
                raise KeyExists(namespace, key)

    def kv_delete(self, namespace: str, key: str) -> bool:
        """Forget a key; whether it was there."""
        with self._write() as connection:
            alive = connection.scalar(
                _lives(sa.select(sa.literal(1)).select_from(key_value)).where(*_is(namespace, key))
            )
            connection.execute(sa.delete(key_value).where(*_is(namespace, key)))
        return alive is not None


def _is(namespace: str, key: str) -> tuple[Any, Any]:
    return key_value.c.namespace == namespace, key_value.c.key == key


def _lives(query: Any, now: int | None = None) -> Any:
    expires = key_value.c.expires_at
    return query.where(sa.or_(expires.is_(None), expires > (now_us() if now is None else now)))


def _make_room(connection: sa.Connection, namespace: str, now: int, max_keys: int) -> None:
    own = key_value.c.namespace == namespace
    connection.execute(sa.delete(key_value).where(own, key_value.c.expires_at <= now))
    if connection.scalar(sa.select(sa.func.count()).where(own).select_from(key_value)) >= max_keys:
        raise TooManyKeys(namespace, max_keys)


def _stored(row: Any) -> KeyValue:
    return KeyValue(
        namespace=row.namespace,
        key=row.key,
        type=row.type,
        value=from_json(row.value),
        created_at=from_us(row.created_at),
        updated_at=from_us(row.updated_at),
        expires_at=from_us_or_none(row.expires_at),
        description=row.description,
    )
