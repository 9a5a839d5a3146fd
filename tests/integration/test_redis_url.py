"""A Redis server by URL: password, users with few rights, TLS both ways; and what is said when one of them is wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from pydantic import ValidationError

from data import Store
from engine.dispatch import Dispatch
from engine.states import State
from scripts.redisserver import redis_server
from streaming import codec, keys
from streaming.advice import explained
from streaming.bus import Bus
from streaming.messages import Job, TaskEnded
from tests.integration.certificates import Authority
from tests.integration.test_gateway import LIST, web
from tests.waiting import until
from watchfloor.doctor import check_redis
from watchfloor.findings import Verdict
from watchfloor.settings import Settings
from watchfloor.valkey import ValkeyError, wait_for

PASSWORD = "p@ss/w:rd"
QUOTED = "p%40ss%2Fw%3Ard"
ACL = f"watchfloor on >{PASSWORD} ~wf:* &wf:* +@all"


class Server:
    """A server with TLS that asks for a client's certificate, a default user without rights, and one with few."""

    def __init__(self, folder: Path, port: int, authority: Authority, client: tuple[Path, Path]) -> None:
        self.folder, self.port, self.authority, self.client = folder, port, authority, client
        self.url = f"rediss://watchfloor:{QUOTED}@127.0.0.1:{port}/0"

    def settings(self, **changes: Any) -> Settings:
        """Settings that reach it."""
        certificate, key = self.client
        given = {
            "redis_url": self.url,
            "redis_ca_file": self.authority.certificate,
            "redis_cert_file": certificate,
            "redis_key_file": key,
            "data_dir": self.folder,
        }
        return Settings(_env_file=None, **{**given, **changes})


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """As a careful administrator sets one up."""
    folder = tmp_path_factory.mktemp("redis")
    authority = Authority(folder)
    certificate, key = authority.sign("server", "127.0.0.1")
    client = authority.sign("client")
    (folder / "users.acl").write_text(f"user default off\nuser {ACL}\nuser guest on nopass ~other:* &other:* +@all\n")
    query = f"?ssl_ca_certs={authority.certificate}&ssl_certfile={client[0]}&ssl_keyfile={client[1]}"
    with redis_server(
        folder,
        url=f"rediss://watchfloor:{QUOTED}@127.0.0.1:{{port}}/0{query}",
        aclfile=str(folder / "users.acl"),
        tls_cert_file=str(certificate),
        tls_key_file=str(key),
        tls_ca_cert_file=str(authority.certificate),
    ) as port:
        yield Server(folder, port, authority, client)


@pytest.fixture
def bus(server: Server) -> Iterator[Bus]:
    """An empty bus over it."""
    bus = Bus(server.settings().resolved_redis_url)
    for key in bus.redis.keys("wf:*"):
        bus.redis.delete(key)
    yield bus
    bus.close()


def test_the_bus(bus: Bus) -> None:
    with bus.subscription(keys.LIVE) as live:
        until(lambda: live.get(0.1) or live.confirmed)
        cursor = bus.publish_deltas(b"payload")
        assert until(lambda: live.get(0.2)) == (keys.LIVE, f"{cursor}|payload".encode())
    assert bus.length(keys.DELTAS) == 1


def test_jobs_go_through_celery_to_a_worker_and_back(server: Server, bus: Bus) -> None:
    settings = server.settings(kill_grace=1.0)
    environment = {
        "WATCHFLOOR_REDIS_URL": settings.redis_url,
        "WATCHFLOOR_REDIS_CA_FILE": str(settings.redis_ca_file),
        "WATCHFLOOR_REDIS_CERT_FILE": str(settings.redis_cert_file),
        "WATCHFLOOR_REDIS_KEY_FILE": str(settings.redis_key_file),
        "WATCHFLOOR_DATA_DIR": str(server.folder),
        "WATCHFLOOR_WORKER_PROCESSES": "1",
    }
    command = [sys.executable, "-m", "watchfloor.cli", "worker"]
    dispatch = Dispatch(settings)
    with (server.folder / "worker.log").open("wb") as log:
        worker = subprocess.Popen(command, env=os.environ | environment, stdout=log, stderr=log)
    try:
        task = {"id": "t", "type": "io.kestra.plugin.core.debug.Return", "format": "hello"}
        dispatch.submit(Job("execution", "ns", "flow", 1, "run", 1, task, {}))
        ended = until(lambda: [event for event in events(bus) if isinstance(event, TaskEnded)])
        assert (ended[0].state, ended[0].outputs) == (State.SUCCESS, {"value": "hello"})
    finally:
        worker.terminate()
        worker.wait(20)
        dispatch.close()
    assert "redis.away" not in (server.folder / "worker.log").read_text()


def events(bus: Bus) -> list[Any]:
    """All events."""
    return [codec.decode_event(entry.payload) for entry in bus.read(keys.EVENTS, "0-0", count=100, block_ms=None)]


@pytest.mark.parametrize("home", ["sqlite"], indirect=True)
def test_the_gateway(server: Server, bus: Bus, store: Store) -> None:
    with web(server.settings(), store, bus) as world:
        page = world.page()
        page.subscribe("executions", LIST)
        world.executor.announce("e1", State.RUNNING)
        row = until(lambda: page.items("row"))[-1]["row"]
        assert row["state"] == "RUNNING"
        assert until(lambda: page.beats)[-1]["redis"] is None


def test_doctor_finds_it_well(server: Server) -> None:
    found = check_redis(server.settings())
    assert found.verdict is Verdict.OK, found
    assert found.what.startswith("Redis 7.")


WRONG = {
    "password": ({"redis_url": "rediss://watchfloor:not-the-one@127.0.0.1:{port}"}, "mend user and password"),
    "no password": ({"redis_url": "rediss://127.0.0.1:{port}"}, "the server wants a password"),
    "rights": ({"redis_url": "rediss://guest:any@127.0.0.1:{port}"}, "ACL SETUSER"),
    "authority": ({"redis_ca_file": "other"}, "who signed the server's certificate in WATCHFLOOR_REDIS_CA_FILE"),
    "no authority": ({"redis_ca_file": None}, "who signed the server's certificate in WATCHFLOOR_REDIS_CA_FILE"),
    "name": ({"redis_url": "rediss://localhost:{port}"}, "name the server in WATCHFLOOR_REDIS_URL as its certificate"),
    "no certificate": ({"redis_cert_file": None, "redis_key_file": None}, "wants WATCHFLOOR_REDIS_CERT_FILE"),
    "no TLS": (
        {
            "redis_url": "redis://127.0.0.1:{port}",
            "redis_ca_file": None,
            "redis_cert_file": None,
            "redis_key_file": None,
        },
        "rediss:// instead of redis://",
    ),
}


@pytest.mark.parametrize("what", list(WRONG))
def test_what_is_wrong_is_said_with_what_to_do(server: Server, tmp_path: Path, what: str) -> None:
    changes, said = WRONG[what]
    given = {
        name: value.format(port=server.port) if isinstance(value, str) else value for name, value in changes.items()
    }
    if given.get("redis_ca_file") == "other":
        given["redis_ca_file"] = Authority(tmp_path).certificate
    settings = server.settings(**given)
    bus = Bus(settings.resolved_redis_url)
    with pytest.raises(redis.RedisError) as refused:
        bus.length(keys.EVENTS)
    assert said in explained(refused.value)
    bus.close()
    found = check_redis(settings)
    assert found.verdict is Verdict.BAD
    assert said in found.what
    assert "not-the-one" not in found.what
    if what not in ("no TLS", "rights"):
        with pytest.raises(ValkeyError, match="can't be used") as told:
            wait_for(settings.resolved_redis_url)
        assert said in str(told.value)
        assert "not-the-one" not in str(told.value)


def test_a_server_without_tls_is_told_apart(tmp_path: Path) -> None:
    with redis_server(tmp_path) as port:
        settings = Settings(_env_file=None, redis_url=f"rediss://127.0.0.1:{port}", data_dir=tmp_path)
        found = check_redis(settings)
    assert found.verdict is Verdict.BAD
    assert "redis:// instead of rediss://" in found.what


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"redis_url": "localhost:6379"}, "expected redis://"),
        ({"redis_url": "http://localhost"}, "expected redis://"),
        ({"redis_url": "redis://host:many"}, "expected redis://"),
        ({"redis_url": "redis://a", "redis_ca_file": "ca.crt"}, "does not begin with rediss://"),
        ({"redis_url": "rediss://a", "redis_ca_file": "no/such/file"}, "there is no file"),
        ({"database_url": "mysql://a/b"}, "expected postgresql://"),
        ({"database_url": "watchfloor"}, "expected postgresql://"),
    ],
)
def test_settings_that_no_client_takes_are_refused(given: dict[str, str], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Settings(_env_file=None, **given)


def test_the_driver_of_postgresql_is_chosen() -> None:
    for given in ("postgres://u:p@h/d", "postgresql://u:p@h/d", "postgresql+psycopg://u:p@h/d"):
        assert Settings(_env_file=None, database_url=given).database_url == "postgresql+psycopg://u:p@h/d"
