"""The nginx of docs/deploy.md, taken from the page, in front of two web processes; and its systemd units."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
import socketio
from prometheus_client.parser import text_string_to_metric_families
from requests.adapters import HTTPAdapter

from tests.integration.certificates import Authority
from tests.integration.fleet import PASSWORD, Fleet, running
from tests.integration.homes import Homes
from watchfloor.cli import app
from watchfloor.product import free_port
from watchfloor.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "deploy.md").read_text()
AROUND = """
{user}
daemon off;
pid {folder}/nginx.pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
{snippet}
}}
"""
PAUSES = "id: pauses\nnamespace: tests.nginx\ntasks: [{id: wait, type: io.kestra.plugin.core.flow.Pause}]\n"
SOURCES = [f"127.0.1.{number}" for number in range(1, 17)]


def snippet(language: str, which: int = 0) -> str:
    """A block of the page."""
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)[which]


class Front:
    """The proxy's address, what is behind it, and browsers in front of it."""

    def __init__(self, port: int, authority: Authority, fleet: Fleet) -> None:
        self.url, self.authority, self.fleet = f"https://127.0.0.1:{port}", authority, fleet

    def browser(self, source: str = SOURCES[0]) -> requests.Session:
        """A client at its own address."""
        session = requests.Session()
        session.trust_env = False
        session.verify = str(self.authority.certificate)
        session.mount("https://", _From(source))
        return session

    def web_of(self, browser: requests.Session) -> str:
        """Which web process serves a browser: each knows its own figures alone."""
        answer = browser.get(f"{self.url}/metrics", auth=("admin", PASSWORD), timeout=30)
        answer.raise_for_status()
        families = text_string_to_metric_families(answer.text)
        return next(s.labels["node"] for f in families for s in f.samples if s.labels["process"] == "web")


class _From(HTTPAdapter):
    def __init__(self, source: str) -> None:
        self._source = source
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options, source_address=(self._source, 0))


@pytest.fixture(scope="module")
def front(homes: Homes, valkey_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    folder = tmp_path_factory.mktemp("nginx")
    (folder / "flows").mkdir()
    (folder / "flows" / "pauses.yaml").write_text(PAUSES)
    authority = Authority(folder)
    port = free_port()
    with (
        homes.fresh("postgresql", folder) as database_url,
        environ(WATCHFLOOR_PUBLIC_URL=f"https://127.0.0.1:{port}"),
        running(folder, valkey_url, database_url, web=2, executor=1, logs=1) as fleet,
        nginx(authority, port, fleet.ports),
    ):
        made = Front(port, authority, fleet)
        fleet.until(lambda: made.browser().get(f"{made.url}/ready", timeout=10).ok, "the proxy")
        yield made


@contextmanager
def environ(**settings: str) -> Iterator[None]:
    """Settings of what is started in the block."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings.items():
            patch.setenv(name, value)
        yield


@contextmanager
def nginx(authority: Authority, port: int, ports: list[int]) -> Iterator[None]:
    """The documented server for the time of the block, with our ports and certificate."""
    certificate, key = authority.sign("proxy", "127.0.0.1")
    changes = {
        "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
        "/etc/ssl/watchfloor.crt": str(certificate),
        "/etc/ssl/watchfloor.key": str(key),
        "10.0.0.11:8050": f"127.0.0.1:{ports[0]}",
        "10.0.0.12:8050": f"127.0.0.1:{ports[1]}",
    }
    text = snippet("nginx")
    for old, new in changes.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    assert program is not None, "nginx is missing: run `make test` once, or install it"
    with tempfile.TemporaryDirectory(prefix="wf-nginx-") as name:
        user = "user root;" if os.geteuid() == 0 else ""
        config = Path(name) / "nginx.conf"
        config.write_text(AROUND.format(folder=name, snippet=text, user=user))
        log = Path(name) / "log"
        with log.open("wb") as said:
            process = subprocess.Popen([program, "-p", name, "-e", "stderr", "-c", str(config)], stderr=said)
        try:
            yield
        finally:
            assert process.poll() is None, log.read_text()
            process.terminate()
            process.wait(15)


def test_a_browser_stays_with_one_web_process_and_both_have_some(front: Front) -> None:
    served = {}
    for source in SOURCES:
        found = {front.web_of(front.browser(source)) for _ in range(3)}
        assert len(found) == 1, source
        served[source] = found.pop()
    assert len(set(served.values())) == 2


def test_a_login_and_the_live_connection_by_websocket(front: Front) -> None:
    browser = front.browser()
    form = {"name": "admin", "password": PASSWORD}
    answer = browser.post(f"{front.url}/login", form, headers={"Origin": front.url}, allow_redirects=False, timeout=30)
    assert answer.status_code == 302, answer.text
    assert "Secure" in answer.headers["Set-Cookie"]
    page = browser.get(f"{front.url}/executions", allow_redirects=False, timeout=30)
    assert page.status_code == 200

    cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    sslopt = {"ca_certs": str(front.authority.certificate)}
    client = socketio.Client(reconnection=False, http_session=browser, websocket_extra_options={"sslopt": sslopt})
    heard: list[Any] = []
    client.on("heartbeat", heard.append, namespace="/live")
    client.connect(
        front.url, headers={"Cookie": cookie}, namespaces=["/live"], transports=["websocket"], wait_timeout=20
    )
    try:
        front.fleet.until(lambda: len(heard) >= 2, "two heartbeats")
        answer = client.call("subscribe", {"sub": "1", "topic": "stats", "params": {}}, "/live", timeout=15)
        assert answer["ok"], answer
    finally:
        client.disconnect()


def test_server_sent_events_come_while_the_execution_runs(front: Front) -> None:
    execution_id = front.fleet.execute(0, "tests.nginx/pauses")
    front.fleet.until(lambda: front.fleet.shown(0)[execution_id] == "PAUSED", "its pause")
    browser = front.browser()
    browser.auth = ("admin", PASSWORD)
    address = f"{front.url}/api/v1/main/executions/{execution_id}"
    with browser.get(f"{address}/follow", stream=True, timeout=30) as answer:
        events = (json.loads(line[5:]) for line in answer.iter_lines() if line.startswith(b"data:"))
        states = (event["state"]["current"] for event in events if "state" in event)
        assert next(states) == "PAUSED"
        front.browser().delete(f"{address}/actions/kill", auth=browser.auth, timeout=30).raise_for_status()
        assert list(states)[-1] == "KILLED"


def test_without_its_web_process_a_browser_is_served_by_the_other(front: Front) -> None:
    browser = front.browser()
    before = front.web_of(browser)
    serving = psutil.Process(int(before.rpartition(":")[2])).ppid()
    victim = next(name for name in ("web-0", "web-1") if front.fleet.pid(name) == serving)
    front.fleet.kill(victim)
    after = front.web_of(browser)
    assert after != before
    front.fleet.start(victim)
    front.fleet.until(lambda: front.fleet.ready(0) and front.fleet.ready(1), "both ready")


# -- systemd


def units(folder: Path) -> list[Path]:
    """The documented units as files, with our program where the page has the installed one."""
    text = snippet("ini")
    lines = text.splitlines()
    other = snippet("ini", 1).strip()
    assert other.startswith("ExecStart=")
    executor = "\n".join(other if line.startswith("ExecStart=") else line for line in lines)
    made = []
    for name, words in (("watchfloor@", text), ("watchfloor-executor@", executor)):
        ours = words.replace("/opt/watchfloor/.venv", str(ROOT / ".venv")).replace("/opt/watchfloor", str(ROOT))
        path = folder / f"{name}.service"
        path.write_text(ours.replace("/etc/watchfloor.env", "/dev/null"))
        made.append(path)
    return made


def test_the_units_start_what_there_is_and_leave_it_its_time(tmp_path: Path) -> None:
    commands = {command.name or command.callback.__name__ for command in app.registered_commands if command.callback}
    instances = set(re.findall(r"watchfloor@(\w+)", PAGE))
    assert instances == {"web", "logs", "worker"}
    assert instances | {"executor"} <= commands
    for path in units(tmp_path):
        given = dict(line.split("=", 1) for line in path.read_text().splitlines() if "=" in line)
        program, *words = given["ExecStart"].split()
        assert os.access(program, os.X_OK)
        assert words in (["%i"], ["executor", "--partition", "%i"])
        settings = Settings(_env_file=None)
        assert int(given["TimeoutStopSec"]) > settings.stop_grace + settings.kill_grace
        assert given["KillMode"] == "mixed"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not on this machine")
def test_systemd_finds_nothing_wrong_with_the_units(tmp_path: Path) -> None:
    paths = [
        str(path).replace("@.", f"@{instance}.") for path, instance in zip(units(tmp_path), ("web", "0"), strict=True)
    ]
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *paths], capture_output=True, text=True, check=False
    )
    ours = [line for line in (done.stdout + done.stderr).splitlines() if "watchfloor" in line]
    assert (done.returncode, ours) == (0, [])
