"""Socket.IO clients that subscribe to the executions topic and acknowledge each frame at once, all in one loop.

In reality each is on a machine of its own, here they take processor time from what is measured: so they speak just what
that needs of the protocols (compression too, as browsers do) and look for nothing but the cursor in a frame.

Arguments: URL, the header that says who they are, filters in their wire form, how many; ``--stall``: once subscribed
they read nothing any more. Prints ``subscribed`` when all are. When its input ends, what came since its first line goes
out as MessagePack: per client (cursor, received at) of each frame.
"""

from __future__ import annotations

import json
import re
import selectors
import socket
import sys
import time
import zlib
from collections.abc import Iterator
from urllib.parse import urlsplit

import msgspec

_EVENT = re.compile(rb"42/live,(\d+)\[")
_CURSOR = re.compile(rb'\\"cursor\\":\\"(\d+-\d+)')
_UPGRADE = (
    "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n{header}\r\n\r\n"
)
_FORGETS = b"server_no_context_takeover"
_TEXT, _PACKED = 0x81, 0xC1  # first byte of a whole text message, as it is and compressed
_TAIL = b"\x00\x00\xff\xff"
_START = 600  # bytes of a frame that hold its cursor


class Client:
    """One connection. ``frames`` are the (cursor, received at) of what came."""

    def __init__(self, url: str, header: str) -> None:
        address = urlsplit(url)
        self.frames: list[tuple[str, float]] = []
        self.socket = socket.create_connection((address.hostname, address.port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(_UPGRADE.format(host=address.netloc, header=header).encode())
        self._buffer = bytearray()
        while b"\r\n\r\n" not in self._buffer:
            self._read()
        answer, _, rest = bytes(self._buffer).partition(b"\r\n\r\n")
        if b" 101 " not in answer.split(b"\r\n")[0]:
            raise SystemExit(f"expected a websocket, got {answer[:200]!r}")
        self._buffer = bytearray(rest)
        self._forgets = _FORGETS in answer
        self._inflate = zlib.decompressobj(-15)

    def _read(self) -> None:
        chunk = self.socket.recv(262_144)
        if not chunk:
            raise SystemExit("expected an open connection, the server closed one")
        self._buffer += chunk

    def send(self, text: str | bytes) -> None:
        """One text message, masked by zeros."""
        payload = text.encode() if isinstance(text, str) else text
        size = len(payload)
        length = bytes([0x80 | size]) if size < 126 else bytes([0xFE]) + size.to_bytes(2, "big")
        self.socket.sendall(bytes([_TEXT]) + length + bytes(4) + payload)

    def _messages(self) -> Iterator[bytes]:
        """The whole messages that are there; of compressed ones the start, where that can be had alone."""
        buffer = self._buffer
        while len(buffer) >= 2:
            first, size, start = buffer[0], buffer[1], 2
            if size >= 126:
                start = 4 if size == 126 else 10
                size = int.from_bytes(buffer[2:start], "big")
            if len(buffer) < start + size:
                return
            payload = bytes(buffer[start : start + size])
            del buffer[: start + size]
            if first == _PACKED:
                yield self._unpacked(payload)
            elif first == _TEXT:
                yield payload
            else:
                raise SystemExit(f"expected a whole text message, got one that begins with {first:#x}")

    def _unpacked(self, payload: bytes) -> bytes:
        if self._forgets:
            return zlib.decompressobj(-15).decompress(payload, _START)
        return self._inflate.decompress(payload + _TAIL)

    def expect(self, prefix: bytes) -> bytes:
        """The rest of the next message that begins with ``prefix``; frames before it are acknowledged."""
        while True:
            for message in self._messages():
                if message.startswith(prefix):
                    return message.removeprefix(prefix)
                self.take(message)
            self._read()

    def turn(self) -> None:
        """Take what came."""
        self._read()
        for message in self._messages():
            self.take(message)

    def take(self, message: bytes) -> None:
        """Answer a frame or a ping."""
        if message == b"2":
            self.send(b"3")
        elif found := _EVENT.match(message):
            if cursor := _CURSOR.search(message, 0, _START):
                self.frames.append((cursor[1].decode(), time.time()))
            self.send(b"43/live,%s[]" % found[1])

    def subscribe(self, filters: str) -> None:
        """Begin to look at the newest executions."""
        self.expect(b"0")
        self.send("40/live,")
        self.expect(b"40/live,")
        params = {"filters": filters, "sort": "startDate:desc", "page": 1, "size": 50}
        self.send("42/live,0" + json.dumps(["subscribe", {"sub": "1", "topic": "executions", "params": params}]))
        answer = self.expect(b"43/live,0")
        if b'"ok":true' not in answer[:_START]:
            raise SystemExit(f"expected a subscription, got {answer[:_START]!r}")


def follow(clients: list[Client]) -> None:
    """Acknowledge whatever comes, until the input ends."""
    with selectors.EpollSelector() as selector:
        for client in clients:
            selector.register(client.socket, selectors.EVENT_READ, client)
        selector.register(sys.stdin.buffer.raw, selectors.EVENT_READ)  # type: ignore[attr-defined]
        while True:
            for key, _ in selector.select():
                if key.data is not None:
                    key.data.turn()
                elif not sys.stdin.buffer.raw.read(1):  # type: ignore[attr-defined]
                    return
                else:
                    for client in clients:
                        client.frames.clear()


def main() -> None:
    url, header, filters, count, *options = sys.argv[1:]
    clients = []
    for _ in range(int(count)):
        clients.append(Client(url, header))
        clients[-1].subscribe(filters)
    print("subscribed", flush=True)
    if "--stall" in options:
        sys.stdin.read()
        return
    follow(clients)
    sys.stdout.buffer.write(msgspec.msgpack.encode([client.frames for client in clients]))


if __name__ == "__main__":
    main()
