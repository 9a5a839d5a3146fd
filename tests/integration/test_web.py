"""The web process as it is run: gunicorn with gevent, a real database, a real Valkey, a real socket."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, OpenerDirector, ProxyHandler, Request, build_opener

import pytest
import redis
import socketio

from data import Store
from tests.waiting import until

ROOT = Path(__file__).resolve().parents[2]


class _Stay(HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def opener() -> OpenerDirector:
    return build_opener(ProxyHandler({}), _Stay)


def fetch(url: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    try:
        with opener().open(Request(url, headers=headers), timeout=10) as answer:
            return answer.status, dict(answer.headers), answer.read()
    except HTTPError as error:
        with error:
            return error.code, dict(error.headers), error.read()


def answers(url: str) -> bool:
    try:
        return fetch(url)[0] == 200
    except OSError:
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def web(valkey_url: str, module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """(address, data folder, process) of a running web process."""
    folder, port = tmp_path_factory.mktemp("web"), free_port()
    store = Store(module_database_url)
    store.ensure_admin("secret")
    with closing(redis.from_url(valkey_url)) as server:
        server.flushall()  # rates are counted there
    environment = os.environ | {
        "WATCHFLOOR_DATA_DIR": str(folder),
        "WATCHFLOOR_REDIS_URL": valkey_url,
        "WATCHFLOOR_DATABASE_URL": module_database_url,
        "WATCHFLOOR_PORT": str(port),
        "WATCHFLOOR_LOGIN_RATE": "1000 per minute",
    }
    log = (folder / "web.log").open("wb")
    process = subprocess.Popen([sys.executable, "-m", "watchfloor.web"], cwd=ROOT, env=environment, stderr=log)
    try:
        address = f"http://127.0.0.1:{port}"
        until(lambda: answers(f"{address}/health") or process.poll() is not None)
        assert process.poll() is None, (folder / "web.log").read_text()
        yield address, store, process
    finally:
        process.terminate()
        process.wait(15)
        log.close()
        store.close()


def session(web: Any) -> str:
    """The cookie of a session begun by a one-time link."""
    address, store, _ = web
    status, headers, _ = fetch(f"{address}/login/{store.make_login_token()}")
    assert (status, headers["Location"]) == (302, "/executions")
    return headers["Set-Cookie"].split(";")[0]


def test_it_has_its_database_and_its_bus_and_misses_the_rest(web: Any) -> None:
    status, _, body = fetch(f"{web[0]}/ready")
    told = json.loads(body)
    assert (status, told["status"]) == (503, "unready")
    assert [name for name, part in told["parts"].items() if part["state"] == "ok"] == ["database", "redis"]


def test_a_one_time_link_opens_the_pages(web: Any) -> None:
    cookie = session(web)
    status, _, body = fetch(f"{web[0]}/executions", Cookie=cookie)
    assert status == 200
    assert b'/main.js"></script>' in body
    assert fetch(f"{web[0]}/executions")[0] == 302


def test_the_live_connection_wants_a_session(web: Any) -> None:
    client = socketio.SimpleClient()
    with pytest.raises(socketio.exceptions.ConnectionError):
        client.connect(web[0], namespace="/live", transports=["websocket"])
    client.disconnect()


def refused(web: Any, way: str) -> float:
    """How many of a kind were refused so far, as the figures of the process tell."""
    text = fetch(f"{web[0]}/metrics", Cookie=session(web))[2].decode()
    lines = (line for line in text.splitlines() if line.startswith("watchfloor_refusals_total{"))
    return sum(float(line.split()[-1]) for line in lines if f'way="{way}"' in line)


@pytest.mark.parametrize(("cookie", "way"), [(None, "login"), ("watchfloor=eyJ4IjoxfQ.made.up", "session")])
def test_a_live_connection_of_nobody_is_counted(web: Any, cookie: str | None, way: str) -> None:
    headers = {"Cookie": cookie} if cookie else {}
    before = refused(web, way)
    client = socketio.SimpleClient()
    with pytest.raises(socketio.exceptions.ConnectionError):
        client.connect(web[0], headers=headers, namespace="/live", transports=["websocket"])
    client.disconnect()
    assert refused(web, way) == before + 1


def test_the_live_connection_answers_and_beats(web: Any) -> None:
    with socketio.SimpleClient() as client:
        client.connect(web[0], headers={"Cookie": session(web)}, namespace="/live", transports=["websocket"])
        ack = client.call("subscribe", {"sub": "1", "topic": "executions", "params": {}}, timeout=10)
        assert ack["ok"] is True
        received = {client.receive(timeout=10)[0] for _ in range(3)}
        assert "heartbeat" in received


def test_a_foreign_page_gets_no_live_connection(web: Any) -> None:
    cookie, handshake = session(web), f"{web[0]}/socket.io/?EIO=4&transport=polling"
    assert fetch(handshake, Cookie=cookie, Origin=web[0])[0] == 200
    before = refused(web, "origin")
    assert fetch(handshake, Cookie=cookie, Origin="http://elsewhere.example")[0] == 400
    assert refused(web, "origin") == before + 1


def test_the_first_page_is_quick_the_second_time(web: Any) -> None:
    """What never changes is kept by the browser for a year."""
    cookie = session(web)
    body = fetch(f"{web[0]}/executions", Cookie=cookie)[2].decode()
    bundles = [part.split('"')[0] for part in body.split('src="')[1:] if part.startswith("/_dash-component-suites")]
    assert len(bundles) > 5
    for bundle in bundles:
        status, headers, _ = fetch(web[0] + bundle, Cookie=cookie)
        assert (status, "max-age=31536000" in headers["Cache-Control"]) == (200, True), bundle


def test_it_stops_when_asked_even_with_a_browser_on_it(web: Any) -> None:
    """Must be last: the process is gone after it."""
    address, _, process = web
    with socketio.SimpleClient() as client:
        client.connect(address, headers={"Cookie": session(web)}, namespace="/live", transports=["websocket"])
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
