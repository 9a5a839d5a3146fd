"""Socket.IO clients that subscribe to the executions topic and acknowledge each frame at once.

Arguments: URL, password of admin, filters in their wire form, how many. Prints ``subscribed`` when all are.
"""

from __future__ import annotations

import base64
import sys

import socketio


def subscribe(url: str, password: str, filters: str) -> socketio.Client:
    """One client, subscribed."""
    client = socketio.Client()
    client.on("frame", lambda *_: None, namespace="/live")  # returning is the acknowledgement
    basic = base64.b64encode(f"admin:{password}".encode()).decode()
    client.connect(
        url,
        headers={"Authorization": f"Basic {basic}"},
        namespaces=["/live"],
        transports=["websocket"],
        wait_timeout=15,
    )
    params = {"filters": filters, "sort": "startDate:desc", "page": 1, "size": 50}
    answer = client.call("subscribe", {"sub": "1", "topic": "executions", "params": params}, namespace="/live")
    if not answer.get("ok"):
        raise SystemExit(f"expected a subscription, got {answer}")
    return client


def main() -> None:
    url, password, filters, count = sys.argv[1:]
    clients = [subscribe(url, password, filters) for _ in range(int(count))]
    print("subscribed", flush=True)
    for client in clients:
        client.wait()


if __name__ == "__main__":
    main()
