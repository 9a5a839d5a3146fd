"""Frames on the wire: all who get the same frame get the same bytes, read here by another implementation."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from wsproto import ConnectionType
from wsproto.connection import Connection
from wsproto.events import TextMessage
from wsproto.extensions import PerMessageDeflate

from streaming.gateway.wire import Encoded, SharingSocket, Wire, Wires, takes_packed

SIZES = (0, 125, 126, 1_023, 1_024, 65_535, 65_536, 200_000)


def browser(*, packed: bool) -> Connection:
    """The browser's side of a WebSocket, with or without agreed compression."""
    deflate = PerMessageDeflate()
    deflate.finalize("permessage-deflate")
    return Connection(ConnectionType.CLIENT, [deflate] if packed else [])


def read(connection: Connection, data: bytes) -> str:
    connection.receive_data(data)
    events = list(connection.events())
    assert all(isinstance(event, TextMessage) for event in events)
    assert events[-1].message_finished
    return "".join(event.data for event in events)


@pytest.mark.parametrize("packed", [False, True])
def test_what_is_said_is_heard_one_message_after_the_other(packed: bool) -> None:
    connection = browser(packed=packed)
    for size in SIZES:
        text = ("ä→🙂 " * size)[:size]
        assert read(connection, Wire(text).bytes(packed)) == text


def test_a_browser_that_comes_later_reads_the_same_bytes() -> None:
    """No message refers to one before it, though the browser's side would let it."""
    first, second = Wire("one " * 1_000), Wire("one " * 1_000 + "more")
    early, late = browser(packed=True), browser(packed=True)
    assert read(early, first.bytes(True)) == first
    assert read(early, second.bytes(True)) == read(late, second.bytes(True)) == second


def test_large_messages_are_packed_where_that_is_agreed() -> None:
    large, small = Wire("much the same " * 1_000), Wire("short")
    assert len(large.bytes(True)) < len(large) / 10
    assert len(large.bytes(False)) > len(large)
    assert small.bytes(True) == small.bytes(False)
    assert large.bytes(True) is large.bytes(True)


@pytest.mark.parametrize(
    ("offered", "packed"),
    [
        ("permessage-deflate; client_max_window_bits", True),
        ("permessage-deflate", True),
        ("permessage-deflate; server_max_window_bits=10", False),
        ("permessage-deflate; client_max_window_bits=8", False),
        ("", False),
    ],
)
def test_packed_messages_go_only_to_who_takes_any(offered: str, packed: bool) -> None:
    assert takes_packed({"HTTP_SEC_WEBSOCKET_EXTENSIONS": offered}) is packed
    assert takes_packed({}) is False


class Manager:
    def __init__(self) -> None:
        self.callbacks: dict[str, dict[int, Any]] = {}
        self.open = {"a": "engine-a", "b": "engine-b"}

    def eio_sid_from_sid(self, sid: str, namespace: str) -> str | None:
        return self.open.get(sid)


class World:
    """A Socket.IO server that keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, Any]] = []
        self.manager = Manager()
        engine = SimpleNamespace(send_packet=lambda sid, packet: self.sent.append((sid, packet)))
        self.server = SimpleNamespace(manager=self.manager, eio=engine)
        self.wires = Wires(SimpleNamespace(server=self.server), "/live")  # type: ignore[arg-type]


def test_all_who_get_a_frame_get_the_same_packet_and_acknowledge_for_themselves() -> None:
    world, acked = World(), []
    frame = Encoded('{"items":["ü"]}')
    for sid in ("a", "b"):
        world.wires.send(sid, "1", frame, lambda sid=sid: acked.append(sid))
    (first, packet), (second, same) = world.sent
    assert (first, second) == ("engine-a", "engine-b")
    assert packet is same
    assert packet.encode() == '42/live,1["frame","1","{\\"items\\":[\\"ü\\"]}"]'
    world.manager.callbacks["b"][1]()
    world.manager.callbacks["a"][1]("an argument is no harm")
    assert acked == ["b", "a"]


def test_another_name_or_another_frame_is_another_packet_with_a_number_of_its_own() -> None:
    world = World()
    frame = Encoded("{}")
    world.wires.send("a", "1", frame, lambda: None)
    world.wires.send("a", "2", frame, lambda: None)
    world.wires.send("a", "1", Encoded("{}"), lambda: None)
    assert [packet.encode()[:10] for _, packet in world.sent] == [f"42/live,{number}[" for number in (1, 2, 3)]
    assert set(world.manager.callbacks["a"]) == {1, 2, 3}


def test_nothing_is_kept_for_a_connection_that_is_gone() -> None:
    world = World()
    world.wires.send("gone", "1", Encoded("{}"), lambda: None)
    assert world.sent == []
    assert world.manager.callbacks == {}


class Engine:
    """The class of WebSockets of an Engine.IO server, its connection made by the test."""

    def __init__(self, connected: bool = True) -> None:
        self.written = b""
        sock = SimpleNamespace(sendall=self.write)
        self.ws = SimpleNamespace(connected=connected, sock=sock)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> str:
        return "served"

    def write(self, data: bytes) -> None:
        self.written += data

    def close(self) -> None:
        raise BrokenPipeError


class Socket(SharingSocket, Engine):
    pass


def test_a_socket_writes_whole_messages_and_packs_as_agreed() -> None:
    socket = Socket()
    assert socket({"HTTP_SEC_WEBSOCKET_EXTENSIONS": "permessage-deflate"}, None) == "served"
    socket.send(Wire("much the same " * 1_000))
    assert len(socket.written) < 1_000
    assert read(browser(packed=True), socket.written) == "much the same " * 1_000


def test_a_socket_that_is_closed_says_so_and_closes_quietly() -> None:
    with pytest.raises(OSError, match="closed"):
        Socket(connected=False).send("too late")
    socket = Socket()
    socket.close()
    assert socket.ws.connected is False
