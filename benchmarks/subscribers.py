"""Socket.IO clients that subscribe to the executions topic and acknowledge each frame at once.

They speak just what that needs of the protocol and don't look into frames: in reality each is on a machine of its own,
here they take processor time from what is measured. Arguments: URL, password of admin, filters in their wire form, how
many. Prints ``subscribed`` when all are.
"""

from __future__ import annotations

import base64
import json
import re
import sys
import threading

import websocket

_EVENT = re.compile(r"42/live,(\d+)\[")


def subscribe(url: str, password: str, filters: str) -> websocket.WebSocket:
    """One client, subscribed."""
    basic = base64.b64encode(f"admin:{password}".encode()).decode()
    address = url.replace("http", "ws", 1) + "/socket.io/?EIO=4&transport=websocket"
    client = websocket.create_connection(address, header=[f"Authorization: Basic {basic}"], timeout=15, skip_utf8_validation=True)
    expect(client, "0")
    client.send("40/live,")
    expect(client, "40/live,")
    params = {"filters": filters, "sort": "startDate:desc", "page": 1, "size": 50}
    client.send("42/live,0" + json.dumps(["subscribe", {"sub": "1", "topic": "executions", "params": params}]))
    answer = json.loads(expect(client, "43/live,0"))[0]
    if not answer.get("ok"):
        raise SystemExit(f"expected a subscription, got {answer}")
    client.settimeout(None)
    return client


def expect(client: websocket.WebSocket, prefix: str) -> str:
    """The rest of the next message that begins with ``prefix``."""
    while not (message := str(client.recv())).startswith(prefix):
        acknowledge(client, message)
    return message.removeprefix(prefix)


def acknowledge(client: websocket.WebSocket, message: str) -> None:
    """Answer a frame or a ping."""
    if message == "2":
        client.send("3")
    elif found := _EVENT.match(message):
        client.send(f"43/live,{found.group(1)}[]")


def follow(client: websocket.WebSocket) -> None:
    """Acknowledge whatever comes, until the connection ends."""
    while True:
        acknowledge(client, str(client.recv()))


def main() -> None:
    url, password, filters, count = sys.argv[1:]
    clients = [subscribe(url, password, filters) for _ in range(int(count))]
    threads = [threading.Thread(target=follow, args=(client,), daemon=True) for client in clients]
    for thread in threads:
        thread.start()
    print("subscribed", flush=True)
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
