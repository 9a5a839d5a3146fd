"""Two web processes of one product: a logout and the count of wrong passwords hold in both."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import Request

import pytest
import socketio

from data import Store
from tests.integration.test_web import ROOT, answers, fetch, free_port, opener
from tests.waiting import until
from watchfloor.valkey import valkey_server

RATE = 4


class Webs:
    """Addresses of the two, and what they share."""

    def __init__(self, addresses: list[str], store: Store) -> None:
        self.addresses, self.store = addresses, store

    def cookie(self, address: str) -> str:
        """A new login session."""
        status, headers, _ = fetch(f"{address}/login/{self.store.make_login_token()}")
        assert status == 302
        return headers["Set-Cookie"].split(";")[0]

    def post(self, address: str, path: str, cookie: str = "", **form: str) -> int:
        headers = {"Origin": address, "Cookie": cookie}
        request = Request(address + path, data=urlencode(form).encode(), headers=headers, method="POST")
        try:
            with opener().open(request, timeout=10) as answer:
                return int(answer.status)
        except OSError as error:
            code = getattr(error, "code", None)
            if code is None:
                raise
            error.close()  # type: ignore[attr-defined]
            return int(code)


@pytest.fixture(scope="module")
def webs(tmp_path_factory: pytest.TempPathFactory, module_database_url: str) -> Iterator[Webs]:
    folder = tmp_path_factory.mktemp("webs")
    store = Store(module_database_url)
    store.ensure_admin("secret")
    processes, addresses = [], []
    with valkey_server(folder / "v") as url, (folder / "web.log").open("wb") as log:
        for _ in range(2):
            port = free_port()
            environment = os.environ | {
                "WATCHFLOOR_DATA_DIR": str(folder),
                "WATCHFLOOR_DATABASE_URL": module_database_url,
                "WATCHFLOOR_REDIS_URL": url,
                "WATCHFLOOR_PORT": str(port),
                "WATCHFLOOR_LOGIN_RATE": f"{RATE} per minute",
            }
            command = [sys.executable, "-m", "watchfloor.web"]
            processes.append(subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log))
            addresses.append(f"http://127.0.0.1:{port}")
        try:
            for address in addresses:
                until(lambda address=address: answers(f"{address}/health"))
            yield Webs(addresses, store)
        finally:
            for process in processes:
                process.terminate()
            for process in processes:
                process.wait(15)
            store.close()


def connected(address: str, cookie: str) -> socketio.Client:
    client = socketio.Client(reconnection=False)
    client.connect(address, headers={"Cookie": cookie}, namespaces=["/live"], transports=["websocket"], wait_timeout=20)
    return client


def test_a_logout_ends_the_live_connections_of_that_login_in_every_process(webs: Webs) -> None:
    here, there = webs.addresses
    mine, other = webs.cookie(here), webs.cookie(here)
    pages = [connected(here, mine), connected(there, mine), connected(there, other)]
    try:
        assert all(page.connected for page in pages)
        assert webs.post(here, "/logout", mine) == 302
        until(lambda: not pages[0].connected and not pages[1].connected, seconds=10)
        assert pages[2].connected
        assert pages[2].call("clock", namespace="/live", timeout=10)
    finally:
        for page in pages:
            page.disconnect()


def test_wrong_passwords_are_counted_over_both_processes(webs: Webs, tmp_path: Path) -> None:
    codes = [webs.post(webs.addresses[n % 2], "/login", name="admin", password="wrong") for n in range(RATE + 2)]
    assert codes == [401] * RATE + [429, 429]
