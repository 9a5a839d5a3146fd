"""Bytes and back, for every message: the one place that encodes and decodes. MessagePack inside, JSON to browsers."""

from __future__ import annotations

from typing import Any

import immutables
import msgspec

from streaming.messages import Control, Event, Job, Live, LogBatch, LogsCommitted


class DecodeError(ValueError):
    """The bytes are not the expected message. ``payload`` keeps them."""

    def __init__(self, expected: str, payload: bytes, reason: str) -> None:
        super().__init__(f"expected {expected}, got {len(payload)} bytes that are none: {reason}")
        self.payload = payload
        self.reason = reason


def _to_builtin(value: Any) -> Any:
    if isinstance(value, immutables.Map):
        return dict(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    raise NotImplementedError(f"{type(value).__name__} has no wire form")


_msgpack = msgspec.msgpack.Encoder(enc_hook=_to_builtin)
_json = msgspec.json.Encoder(enc_hook=_to_builtin)


def encode(message: Any) -> bytes:
    """MessagePack of any message of ``streaming.messages``."""
    return _msgpack.encode(message)


def to_json(value: Any) -> bytes:
    """JSON of any message or builtin, datetimes as ISO 8601 UTC."""
    return _json.encode(value)


def to_builtins(value: Any) -> Any:
    """Dicts, lists, strings and numbers that any JSON encoder takes (for Dash props and Socket.IO payloads)."""
    return msgspec.to_builtins(value, enc_hook=_to_builtin)


class Decoder:
    """Bytes to one kind of message; raises ``DecodeError``."""

    def __init__(self, kind: Any, name: str) -> None:
        self._decoder = msgspec.msgpack.Decoder(kind)
        self._name = name

    def __call__(self, payload: bytes) -> Any:
        try:
            return self._decoder.decode(payload)
        except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
            raise DecodeError(self._name, payload, str(error)) from error


decode_event = Decoder(Event, "an event")
decode_live = Decoder(Live, "a live message")
decode_control = Decoder(Control, "a control message")
decode_log_batch = Decoder(LogBatch, "a batch of log lines")
decode_logs_committed = Decoder(LogsCommitted, "committed log entries")
decode_job = Decoder(Job, "a job")
