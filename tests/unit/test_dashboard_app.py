"""The app as it is served: its page, headers, static files and compression."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest

from dashboard import statics, vendor
from dashboard.app import create_app
from dashboard.compression import FILES_KEPT, Compression
from engine.states import ACTIONS, State
from tests.dashboard_stubs import PASSWORD, services


@pytest.fixture
def client(tmp_path: Path) -> Any:
    given = services(tmp_path)
    client = create_app(given.settings, given).server.test_client()
    client.post("/login", data={"name": "admin", "password": PASSWORD}, headers={"Origin": "http://localhost"})
    return client


def test_two_apps_fit_in_one_process(tmp_path: Path) -> None:
    given = services(tmp_path)
    first, second = (create_app(given.settings, given) for _ in range(2))
    assert first.server is not second.server
    assert len(first.callback_map or {}) == len(second.callback_map or {})


def test_the_page_tells_its_modules_who_and_what(client: Any) -> None:
    html = client.get("/executions").text
    config = json.loads(re.search(r'id="wf-config">(.*?)</script>', html)[1])  # type: ignore[index]
    assert (config["user"], config["role"]) == ("admin", "admin")
    assert [state["state"] for state in config["states"]] == [state.value for state in State]
    kill = next(action for action in config["actions"] if action["action"] == "kill")
    assert set(kill["allowed"]) == {state.value for state in ACTIONS["kill"].allowed}
    assert f'<script type="module" src="/js/{statics.version()}/main.js">' in html


def test_the_policy_lets_our_scripts_run_and_no_others(client: Any) -> None:
    answer = client.get("/executions")
    policy = answer.headers["Content-Security-Policy"]
    scripts = next(part for part in policy.split("; ") if part.startswith("script-src"))
    assert "unsafe" not in scripts
    for inline in re.findall(r"<script(?![^>]*(?:src=|application/json))[^>]*>(.*?)</script>", answer.text, re.S):
        import base64
        import hashlib

        digest = base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in scripts, inline[:80]


def test_every_answer_says_what_a_browser_must_not_do_with_it(client: Any) -> None:
    for path in ("/executions", "/health", "/api/v1/main/nothing"):
        headers = client.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "SAMEORIGIN"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert "camera=()" in headers["Permissions-Policy"]
        assert not re.search("fullscreen|wake-lock|clipboard", headers["Permissions-Policy"])


def test_only_https_asks_for_https(client: Any) -> None:
    assert "Strict-Transport-Security" not in client.get("/login").headers
    answer = client.get("/login", base_url="https://localhost")
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"


def test_every_address_in_the_page_is_our_own(client: Any) -> None:
    html = client.get("/executions").text
    for address in re.findall(r'(?:src|href)="([^"]+)"', html):
        assert address.startswith("/"), address
        with client.get(address) as answer:
            assert answer.status_code == 200, address


def test_libraries_and_fonts_come_from_here(client: Any) -> None:
    for name in vendor.FILES:
        with client.get(f"/vendor/{name}") as answer:
            assert answer.status_code == 200
    for name in vendor.FONTS:
        with client.get(f"/vendor/fonts/{name}") as answer:
            assert answer.data[:4] == b"wOF2"
    for wrong in ("/vendor/package.json", "/vendor/fonts/x.woff2", "/vendor/..%2Fpackage.json"):
        with client.get(wrong) as answer:
            assert answer.status_code == 404


def test_what_is_large_travels_compressed(client: Any) -> None:
    html = client.get("/executions").text
    bundle = re.search(r'src="(/_dash-component-suites/dash/dash-renderer[^"]+)"', html)[1]  # type: ignore[index]
    plain = client.get(bundle)
    packed = client.get(bundle, headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in packed.headers["Vary"]
    assert len(packed.data) < len(plain.data) / 2
    assert gzip.decompress(packed.data) == plain.data
    assert "max-age=31536000" in packed.headers["Cache-Control"]


def test_packed_bundles_are_kept_on_disk_and_old_ones_go(tmp_path: Path) -> None:
    compression = Compression(tmp_path)
    first = compression._bundle(b"x" * 2_000)
    (kept,) = tmp_path.iterdir()
    kept.write_bytes(b"what was packed before")
    assert compression._bundle(b"x" * 2_000) == b"what was packed before" != first
    for number in range(FILES_KEPT + 5):
        compression._bundle(f"{number}".encode() * 1_000)
    Compression(tmp_path)
    assert len(list(tmp_path.iterdir())) == FILES_KEPT


def test_layout_and_dependencies_can_be_built(client: Any) -> None:
    layout = client.get("/_dash-layout").text
    for part in ('"id":"page"', '"data-wf-view":"lamp"', '"id":"action-request"', '"id":"notifications"'):
        assert part in layout
    assert client.get("/_dash-dependencies").status_code == 200


def test_scripts_are_kept_until_one_changes(client: Any) -> None:
    with client.get(f"/js/{statics.version()}/main.js") as answer:
        assert "immutable" in answer.headers["Cache-Control"]
        assert answer.mimetype == "text/javascript"
    with client.get("/js/other/main.js") as answer:
        assert answer.headers["Cache-Control"] == "no-cache"
    for wrong in ("/js/x/nothing.js", "/js/x/../app.py", "/js/x/%2e%2e/css/base.css"):
        assert client.get(wrong).status_code in (404, 302)


def test_large_chunks_are_sent_again_only_when_they_changed(client: Any) -> None:
    for path in statics.PREFETCH:
        with client.get(path, headers={"Accept-Encoding": "gzip"}) as answer:
            assert answer.status_code == 200, path
            tag = answer.headers["ETag"]
        with client.get(path, headers={"Accept-Encoding": "gzip", "If-None-Match": tag}) as answer:
            assert (answer.status_code, answer.data) == (304, b""), path
