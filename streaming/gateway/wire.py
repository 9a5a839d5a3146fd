"""Frames on the wire: what many get is encoded, compressed and framed once, and its bytes go to each of them.

Socket.IO numbers what it wants acknowledged for each connection, and compresses for each: that made 200 packets of one
frame. Here the number belongs to the frame, and a compressed message refers to none before it, which any browser
unpacks. That needs nothing of the two libraries but the queue of each connection and the class of its WebSocket.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from itertools import count
from typing import Any

from engineio.packet import MESSAGE, Packet
from flask_socketio import SocketIO

from streaming import codec

_PACK_FROM = 1_024  # characters; below this packing costs more than it saves
_LEVEL = 3
_WHOLE_TEXT, _PACKED = 0x81, 0x40
_SYNC_TAIL = b"\x00\x00\xff\xff"  # left out on the wire: RFC 7692, 7.2.1
_PLAIN_OFFERS = {"permessage-deflate", "permessage-deflate;client_max_window_bits"}
_NUMBERS_FROM = 1  # of acknowledgements; nothing else in the namespace wants any


class Encoded(str):
    """A frame as JSON text. ``packets`` are what was made of it, by the names of subscriptions."""

    packets: dict[str, tuple[int, Packet]]

    def __new__(cls, text: str) -> Encoded:
        """Nothing is made yet."""
        made = super().__new__(cls, text)
        made.packets = {}
        return made


class Wire(str):
    """A text message whose bytes on a WebSocket are made once."""

    _plain: bytes | None = None
    _packed: bytes | None = None

    def bytes(self, packed: bool) -> bytes:
        """The whole message as one unmasked WebSocket frame, compressed where that is agreed and pays."""
        if packed and len(self) >= _PACK_FROM:
            self._packed = self._packed or framed(_pack(self.encode()), _PACKED)
            return self._packed
        self._plain = self._plain or framed(self.encode())
        return self._plain


def _pack(payload: bytes) -> bytes:
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    return (packer.compress(payload) + packer.flush(zlib.Z_SYNC_FLUSH)).removesuffix(_SYNC_TAIL)


def framed(payload: bytes, bits: int = 0) -> bytes:
    """``payload`` as one text message from server to browser: RFC 6455, 5.2."""
    size = len(payload)
    if size < 126:
        length = bytes([size])
    else:
        length = b"\x7e" + size.to_bytes(2, "big") if size < 65_536 else b"\x7f" + size.to_bytes(8, "big")
    return bytes([_WHOLE_TEXT | bits]) + length + payload


def takes_packed(environ: dict[str, Any]) -> bool:
    """Whether the browser of a request to upgrade takes compressed messages of any window.

    What it asks for beyond that is agreed on too, but then messages go as they are, which is always right.
    """
    return environ.get("HTTP_SEC_WEBSOCKET_EXTENSIONS", "").replace(" ", "") in _PLAIN_OFFERS


class SharingSocket:
    """Mixed into Engine.IO's WebSocket class: whole messages, none but ours compressed.

    ``_sock`` is where Engine.IO sets the time after which a silent connection ends; who reads nothing ends by it too.
    """

    ws: Any
    _takes_packed = False

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Serve the connection."""
        self._takes_packed = takes_packed(environ)
        return super().__call__(environ, start_response)  # type: ignore[misc]

    @property
    def _sock(self) -> Any:
        return self.ws.sock

    def send(self, message: str | bytes) -> None:
        """Write one message; raises OSError when the connection is over."""
        if not self.ws.connected:
            raise OSError("the connection is closed")
        if isinstance(message, bytes):
            raise TypeError(f"expected text, got {len(message)} bytes: nothing binary goes to browsers")
        wire = message if isinstance(message, Wire) else Wire(message)
        self.ws.sock.sendall(wire.bytes(self._takes_packed))

    def close(self) -> None:
        """Say goodbye where that still works."""
        try:
            super().close()  # type: ignore[misc]
        except OSError:
            self.ws.connected = False


class Wires:
    """Gives frames to connections of one namespace."""

    def __init__(self, socketio: SocketIO, namespace: str) -> None:
        self._socketio = socketio
        self._namespace = namespace
        self._numbers = count(_NUMBERS_FROM)

    def install(self) -> None:
        """Let every WebSocket from now on share what it sends. Twice is as once."""
        engine = self._socketio.server.eio
        made = engine._async["websocket"]
        if not issubclass(made, SharingSocket):
            shared = type("SharingWebSocket", (SharingSocket, made), {})
            engine._async = {**engine._async, "websocket": shared}

    def send(self, sid: str, sub: str, frame: str, acked: Callable[[], None]) -> None:
        """Give one frame to the connection ``sid``; ``acked`` is called when it was acknowledged."""
        server = self._socketio.server
        engine_sid = server.manager.eio_sid_from_sid(sid, self._namespace)
        if engine_sid is None:
            return
        number, packet = self._packet(sub, frame)
        server.manager.callbacks.setdefault(sid, {})[number] = lambda *_: acked()
        server.eio.send_packet(engine_sid, packet)

    def _packet(self, sub: str, frame: str) -> tuple[int, Packet]:
        packets = frame.packets if isinstance(frame, Encoded) else {}
        found = packets.get(sub)
        if found is None:
            number = next(self._numbers)
            packet = Packet(MESSAGE, "")
            content = codec.to_json(["frame", sub, str(frame)]).decode()
            packet.encode_cache = Wire(f"{MESSAGE}2{self._namespace},{number}{content}")
            found = packets[sub] = (number, packet)
        return found
