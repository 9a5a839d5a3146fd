"""http.Request and http.Download against a real server, also one that never ends its answer."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest

from engine.model import evolve
from engine.states import State
from engine.worker.control import Stop
from streaming import codec
from streaming.bus import Bus
from streaming.messages import Job, TaskEnded
from tests.integration.certificates import Authority
from tests.integration.web_server import Server, serving
from tests.integration.worker_world import CORE, LIMITS, World, job

REQUEST, DOWNLOAD = f"{CORE}http.Request", f"{CORE}http.Download"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture
def world(bus: Bus, tmp_path: Path) -> Iterator[World]:
    world = World(bus, tmp_path, LIMITS)
    yield world
    world.close()


def limited(bus: Bus, folder: Path, **limits: Any) -> World:
    """A world with other limits."""
    values = {name: getattr(LIMITS, name) for name in LIMITS.__struct_fields__}
    return World(bus, folder, type(LIMITS)(**(values | limits)))


def echoed(world: World, server: Server, **properties: Any) -> dict[str, Any]:
    """What the server got."""
    ended = world.run(job(REQUEST, uri=f"{server.url}/echo", **properties))
    assert ended.state is State.SUCCESS, ended.error
    return json.loads(ended.outputs["body"])


def content(uri: str) -> bytes:
    with fsspec.open(uri, "rb") as file:
        return file.read()


def test_a_request_gives_code_headers_body_and_uri(world: World, server: Server) -> None:
    ended = world.run(job(REQUEST, uri="{{ inputs.base }}/ok", context={"inputs": {"base": server.url}}))
    assert ended.state is State.SUCCESS
    assert ended.outputs["code"] == 200
    assert ended.outputs["body"] == '{"fine": true}'
    assert ended.outputs["uri"] == f"{server.url}/ok"
    assert ended.outputs["headers"]["x-twice"] == ["a"]
    assert world.said("INFO")[0].startswith(f"GET {server.url}/ok answered 200 OK: 14 bytes in ")
    assert {one.name: one.type for one in ended.metrics} == {
        "response.length": "counter",
        "response.duration": "timer",
    }


def test_a_body_is_read_in_the_charset_it_says(world: World, server: Server) -> None:
    assert world.run(job(REQUEST, uri=f"{server.url}/latin")).outputs["body"] == "café"


@pytest.mark.parametrize(
    ("properties", "method", "body", "kind"),
    [
        ({"method": "post", "body": '{"a": {{ 1 + 1 }} }'}, "POST", '{"a": 2 }', "application/json"),
        ({"method": "PUT", "body": "hi", "contentType": "text/plain"}, "PUT", "hi", "text/plain"),
        ({"method": "POST", "body": {"a": [1, None]}}, "POST", '{"a":[1,null]}', "application/json"),
        ({"method": "PATCH", "body": "x", "headers": {"content-type": "text/csv"}}, "PATCH", "x", "text/csv"),
        (
            {"method": "POST", "formData": {"user": "Ann & Bob", "n": 1}},
            "POST",
            "user=Ann+%26+Bob&n=1",
            "application/x-www-form-urlencoded",
        ),
        ({"method": "DELETE"}, "DELETE", "", None),
    ],
)
def test_what_is_sent(
    world: World, server: Server, properties: dict[str, Any], method: str, body: str, kind: str | None
) -> None:
    got = echoed(world, server, **properties)
    assert (got["method"], got["body"], got["headers"].get("content-type")) == (method, body, kind)


def test_parameters_and_headers_are_sent(world: World, server: Server) -> None:
    got = echoed(world, server, params={"q": "a b", "tag": ["x", "y"]}, headers={"X-Who": "{{ 40 + 2 }}"})
    assert got["query"] == {"q": ["a b"], "tag": ["x", "y"]}
    assert got["headers"]["x-who"] == "42"


def test_a_multipart_form_carries_stored_files(world: World, server: Server) -> None:
    stored = f"{world.files_url}/inputs/1/data.csv"
    with fsspec.open(stored, "wb", auto_mkdir=True) as file:
        file.write(b"a;b")
    form = {"who": "Ann", "plain": stored, "named": {"name": "other.csv", "content": stored}}
    body = echoed(world, server, method="POST", contentType="multipart/form-data", formData=form)["body"]
    assert 'name="who"\r\n\r\nAnn' in body
    assert 'name="plain"; filename="data.csv"\r\n\r\na;b' in body
    assert 'name="named"; filename="other.csv"\r\n\r\na;b' in body


@pytest.mark.parametrize(
    "options",
    [
        {"auth": {"type": "BASIC", "username": "ann", "password": "open sesame"}},
        {"basicAuthUser": "ann", "basicAuthPassword": "open sesame"},
    ],
)
def test_basic_auth_is_sent_and_never_shown(world: World, server: Server, options: dict[str, Any]) -> None:
    ended = world.run(job(REQUEST, uri=f"{server.url}/echo", options=options))
    assert json.loads(ended.outputs["body"])["headers"]["authorization"] == "Basic ******"


def test_a_name_and_password_in_the_address_are_sent_and_never_shown(world: World, server: Server) -> None:
    address = server.url.replace("://", "://ann:open-sesame@")
    ended = world.run(job(REQUEST, uri=f"{address}/echo"))
    assert json.loads(ended.outputs["body"])["headers"]["authorization"] == "Basic ******"
    assert b"sesame" not in codec.encode(ended)
    assert "sesame" not in "".join(line.message for line in world.lines)


def test_tokens_are_never_shown(world: World, server: Server) -> None:
    got = echoed(world, server, options={"auth": {"type": "BEARER", "token": "tok-123"}})
    assert got["headers"]["authorization"] == "Bearer ******"


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("X-API-Key", "key-123", "******"),
        ("Authorization", "Token abc-def", "Token ******"),
        ("Cookie", "session=abc; other=def", "******"),
    ],
)
def test_a_header_that_proves_who_asks_is_hidden(
    world: World, server: Server, name: str, value: str, shown: str
) -> None:
    assert echoed(world, server, headers={name: value})["headers"][name.lower()] == shown


@pytest.mark.parametrize(
    ("path", "options", "state"),
    [
        ("status/404", {}, State.FAILED),
        ("status/404", {"allowFailed": True}, State.SUCCESS),
        ("status/404", {"allowedResponseCodes": [404, 410]}, State.SUCCESS),
        ("status/404", {"allowedResponseCodes": ["{{ 400 + 10 }}"]}, State.FAILED),
        ("redirect/ok", {}, State.SUCCESS),
        ("redirect/status/500", {}, State.FAILED),
        ("redirect/ok", {"followRedirects": "{{ false }}"}, State.SUCCESS),
        ("loop", {}, State.FAILED),
    ],
)
def test_which_answers_are_failures(
    world: World, server: Server, path: str, options: dict[str, Any], state: State
) -> None:
    assert world.run(job(REQUEST, uri=f"{server.url}/{path}", options=options)).state is state


def test_a_bad_answer_says_what_came_and_keeps_its_outputs(world: World, server: Server) -> None:
    ended = world.run(job(REQUEST, uri=f"{server.url}/status/503"))
    assert ended.error == f"GET {server.url}/status/503 answered 503 Service Unavailable: the reason why"
    assert ended.outputs["code"] == 503
    assert ended.outputs["body"] == "the   reason\n why"


def test_a_redirect_shows_where_it_ended(world: World, server: Server) -> None:
    assert world.run(job(REQUEST, uri=f"{server.url}/redirect/text/end")).outputs["uri"] == f"{server.url}/text/end"
    stays = job(REQUEST, uri=f"{server.url}/redirect/ok", options={"followRedirects": False})
    assert world.run(evolve(stays, attempt=2)).outputs["code"] == 302


def test_a_large_body_is_kept_as_a_file(bus: Bus, tmp_path: Path, server: Server) -> None:
    world = limited(bus, tmp_path, http_inline_bytes=100)
    try:
        small = world.run(job(REQUEST, uri=f"{server.url}/bytes/100"))
        assert small.outputs["body"] == "b" * 100
        assert "bodyUri" not in small.outputs
        large = world.run(evolve(job(REQUEST, uri=f"{server.url}/bytes/101"), attempt=2))
        assert large.outputs["body"] is None
        assert content(large.outputs["bodyUri"]) == b"b" * 101
    finally:
        world.close()


@pytest.mark.parametrize("kind", [REQUEST, DOWNLOAD])
def test_an_answer_without_end_is_bounded_in_size(bus: Bus, tmp_path: Path, server: Server, kind: str) -> None:
    world = limited(bus, tmp_path, http_max_bytes=1_000_000)
    try:
        ended = world.run(job(kind, uri=f"{server.url}/endless"))
    finally:
        world.close()
    assert ended.state is State.FAILED
    said = "the answer has more than 1,000,000 bytes (WATCHFLOOR_HTTP_MAX_BYTES)"
    assert ended.error == f"GET {server.url}/endless: {said}"
    assert not list(tmp_path.rglob("endless"))


@pytest.mark.parametrize("path", ["drip", "silent"])
@pytest.mark.parametrize("kind", [REQUEST, DOWNLOAD])
def test_an_answer_without_end_is_bounded_in_time(
    bus: Bus, tmp_path: Path, server: Server, kind: str, path: str
) -> None:
    world = limited(bus, tmp_path, http_max_seconds=0.2)
    try:
        ended = world.run(job(kind, uri=f"{server.url}/{path}"))
    finally:
        world.close()
    assert ended.state is State.FAILED
    assert ended.error == f"GET {server.url}/{path}: took longer than 0.2 s (WATCHFLOOR_HTTP_MAX_SECONDS)"


@pytest.mark.parametrize("path", ["drip", "silent"])
def test_a_kill_ends_a_request_that_waits(world: World, server: Server, path: str) -> None:
    server.waiting.clear()
    given = job(REQUEST, uri=f"{server.url}/{path}")
    thread = threading.Thread(target=world.runner.run, args=(given,))
    thread.start()
    assert server.waiting.wait(10)
    begun = time.monotonic()
    control = world.runner.current
    assert control is not None
    control.stop(Stop.KILL)
    thread.join(10)
    assert time.monotonic() - begun < 2
    assert isinstance(world.events[-1], TaskEnded)
    assert world.events[-1].state is State.KILLED


def test_the_tasks_own_timeout_ends_a_request(world: World, server: Server) -> None:
    ended = world.run(job(REQUEST, uri=f"{server.url}/drip", timeout=0.2))
    assert (ended.state, ended.error) == (State.FAILED, "timed out after 0.2 s")


def test_a_read_that_idles_is_given_up(world: World, server: Server) -> None:
    options = {"timeout": {"readIdleTimeout": "PT0.1S"}}
    ended = world.run(job(REQUEST, uri=f"{server.url}/silent", options=options))
    assert ended.error is not None
    assert "timed out" in ended.error.lower()


@pytest.mark.parametrize(
    ("properties", "error"),
    [
        ({"uri": "ftp://example.org/x"}, "uri: expected an address such as https://example.org/data"),
        ({"uri": "http:///x"}, "uri: expected an address"),
        ({"uri": "http://127.0.0.1:9/", "method": "BREW"}, "method: expected one of GET, POST"),
        ({"uri": "http://127.0.0.1:9/", "options": {"auth": {"type": "NTLM"}}}, "options.auth.type: expected BASIC or"),
        ({"uri": "http://127.0.0.1:9/", "headers": ["x"]}, "headers: expected a map, got list"),
        ({"uri": "http://127.0.0.1:9/", "options": {"allowedResponseCodes": ["many"]}}, "options.allowedResponseCodes"),
        ({"uri": "http://127.0.0.1:9/", "options": {"timeout": {"connectTimeout": "soon"}}}, "soon"),
        ({"uri": "http://127.0.0.1:9/"}, "GET http://127.0.0.1:9/: Connection refused"),
        ({"uri": "http://no-such-host.invalid/"}, "GET http://no-such-host.invalid/: "),
    ],
)
def test_bad_input_is_named(world: World, properties: dict[str, Any], error: str) -> None:
    ended = world.run(job(REQUEST, **properties))
    assert ended.state is State.FAILED
    assert ended.error is not None
    assert error in ended.error


def test_an_answer_that_ends_too_soon_is_no_success(world: World, server: Server) -> None:
    ended = world.run(job(DOWNLOAD, uri=f"{server.url}/short"))
    assert ended.state is State.FAILED
    assert "1,000 bytes" in (ended.error or "") or "IncompleteRead" in (ended.error or "")


def test_a_download_is_a_file_of_the_attempt(world: World, server: Server) -> None:
    ended = world.run(job(DOWNLOAD, uri=f"{server.url}/bytes/70000"))
    assert ended.state is State.SUCCESS
    assert (ended.outputs["code"], ended.outputs["length"]) == (200, 70_000)
    assert ended.outputs["uri"] == f"{world.files_url}/ns/flow/execution/run/1/70000"
    assert content(ended.outputs["uri"]) == b"b" * 70_000


@pytest.mark.parametrize(
    ("path", "properties", "name"),
    [
        ("named", {}, "re_port.csv"),
        ("bytes/3", {"saveAs": "../up/{{ 'da' }}ta.bin"}, "data.bin"),
        ("bytes/3", {}, "3"),
    ],
)
def test_how_a_download_is_named(
    world: World, server: Server, path: str, properties: dict[str, Any], name: str
) -> None:
    ended = world.run(job(DOWNLOAD, uri=f"{server.url}/{path}", **properties))
    assert ended.outputs["uri"].rpartition("/run/1/")[2] == name


def test_an_empty_download_fails_unless_that_is_wanted(world: World, server: Server) -> None:
    ended = world.run(job(DOWNLOAD, uri=f"{server.url}/empty"))
    assert (ended.state, ended.outputs["length"]) == (State.FAILED, 0)
    empty = evolve(job(DOWNLOAD, uri=f"{server.url}/empty", failOnEmptyResponse=False), attempt=2)
    assert world.run(empty).state is State.SUCCESS


def test_a_bad_answer_is_not_kept_as_a_file(world: World, server: Server) -> None:
    ended = world.run(job(DOWNLOAD, uri=f"{server.url}/status/404"))
    assert ended.state is State.FAILED
    assert "uri" not in ended.outputs


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[Server]:
    """A server whose certificate only our own authority knows: ``ca.crt`` beside the files."""
    certificate, key = Authority(tmp_path).sign("server", "127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with serving(context) as server:
        yield server


def test_a_certificate_is_checked(
    world: World, secure: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = job(REQUEST, uri=f"{secure.url}/ok")
    ended = world.run(given)
    assert ended.state is State.FAILED
    assert "CERTIFICATE_VERIFY_FAILED" in (ended.error or "")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.crt"))
    assert world.run(evolve(given, attempt=2)).state is State.SUCCESS


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_any_certificate_may_be_taken(world: World, secure: Server) -> None:
    options = {"ssl": {"insecureTrustAllCertificates": True}}
    assert world.run(job(REQUEST, uri=f"{secure.url}/ok", options=options)).state is State.SUCCESS


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
@pytest.mark.parametrize("path", ["drip", "silent"])
def test_an_encrypted_answer_without_end_is_ended_too(bus: Bus, tmp_path: Path, secure: Server, path: str) -> None:
    world = limited(bus, tmp_path, http_max_seconds=0.5)
    options = {"ssl": {"insecureTrustAllCertificates": True}}
    try:
        ended = world.run(job(REQUEST, uri=f"{secure.url}/{path}", options=options))
    finally:
        world.close()
    assert ended.error == f"GET {secure.url}/{path}: took longer than 0.5 s (WATCHFLOOR_HTTP_MAX_SECONDS)"


def test_a_proxy_is_asked_with_its_password_which_is_never_shown(world: World, server: Server) -> None:
    port = server.url.rpartition(":")[2]
    proxy = {"address": "127.0.0.1", "port": port, "username": "ann", "password": "open-sesame"}
    ended = world.run(job(REQUEST, uri="http://elsewhere.invalid/echo", options={"proxy": proxy}))
    assert ended.state is State.SUCCESS, ended.error
    got = json.loads(ended.outputs["body"])["headers"]
    assert (got["host"], got["proxy-authorization"]) == ("elsewhere.invalid", "Basic ******")


def test_secrets_of_the_job_are_hidden_in_what_comes_back(world: World, server: Server) -> None:
    given: Job = evolve(job(REQUEST, uri=f"{server.url}/text/hunter-2-x"), secrets=("hunter-2",))
    ended = world.run(given)
    assert ended.outputs["body"] == "******-x"
    assert ended.outputs["uri"] == f"{server.url}/text/******-x"
