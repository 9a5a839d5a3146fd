"""Files sent from forms: kept whole or not at all, by who may, of a size that is taken."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import fsspec
import pytest

from dashboard.app import create_app
from dashboard.uploads import keep
from data.records import User
from tests.dashboard_stubs import PASSWORD, services

ORIGIN = {"Origin": "http://localhost"}


def client_of(folder: Path, role: str = "admin", **settings: Any) -> Any:
    """A signed-in browser."""
    given = services(folder, **settings)
    given.store.user = lambda name: User(name, role)  # type: ignore[method-assign]
    client = create_app(given.settings, given).server.test_client()
    client.post("/login", data={"name": "admin", "password": PASSWORD}, headers=ORIGIN)
    return client


def stored(folder: Path) -> list[str]:
    """Names of the files in the storage."""
    return sorted(path.name for path in (folder / "files").rglob("*") if path.is_file())


def test_a_file_is_kept_and_known_by_its_address(tmp_path: Path) -> None:
    answer = client_of(tmp_path).put("/uploads/my%20data.csv", data=b"a;b\n" * 1_000, headers=ORIGIN)
    assert answer.status_code == 200
    uri = answer.get_json()["uri"]
    assert uri.startswith((tmp_path / "files" / "inputs").resolve().as_uri())
    assert uri.endswith("/my_data.csv")
    with fsspec.open(uri, "rb") as file:
        assert file.read() == b"a;b\n" * 1_000


@pytest.mark.parametrize("name", ["..%2F..%2Fetc%2Fpasswd", "%2Fabsolute", "...", "a/b", "%00", "ü" * 300])
def test_no_name_leads_out_of_the_storage(tmp_path: Path, name: str) -> None:
    answer = client_of(tmp_path).put(f"/uploads/{name}", data=b"x", headers=ORIGIN)
    assert answer.status_code in (200, 308, 404)
    everything = {path for path in tmp_path.rglob("*") if path.is_file()}
    inside = {path for path in (tmp_path / "files" / "inputs").rglob("*") if path.is_file()}
    assert {path for path in everything - inside if path.read_bytes() == b"x"} == set()


def test_one_that_is_too_large_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    client = client_of(tmp_path, upload_max_bytes=10)
    assert client.put("/uploads/a", data=b"x" * 10, headers=ORIGIN).status_code == 200
    answer = client.put("/uploads/b", data=b"x" * 11, headers=ORIGIN)
    assert answer.status_code == 413
    assert answer.get_json() == {"message": "Files of at most 10 bytes are taken (WATCHFLOOR_UPLOAD_MAX_BYTES)."}
    assert stored(tmp_path) == ["a"]


def test_viewers_and_other_sites_may_not(tmp_path: Path) -> None:
    answer = client_of(tmp_path, role="viewer").put("/uploads/a", data=b"x", headers=ORIGIN)
    assert (answer.status_code, answer.get_json()["message"]) == (
        403,
        "To execute flows and upload files for them you need the role operator; yours is viewer.",
    )
    client = client_of(tmp_path)
    assert client.put("/uploads/a", data=b"x", headers={"Origin": "http://elsewhere.example"}).status_code == 403
    client.post("/logout", headers=ORIGIN)
    assert client.put("/uploads/a", data=b"x", headers=ORIGIN).status_code == 401
    assert stored(tmp_path) == []


def test_a_storage_that_does_not_take_it_is_told(tmp_path: Path) -> None:
    client = client_of(tmp_path)
    (tmp_path / "files").write_text("a file where the folder would be")
    answer = client.put("/uploads/a", data=b"x", headers=ORIGIN)
    assert answer.status_code == 507
    assert "The file storage did not take it" in answer.get_json()["message"]


def test_what_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    class Breaking(BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell():
                raise ConnectionResetError
            return super().read(2)

    with pytest.raises(ConnectionResetError):
        keep(services(tmp_path).settings, "a", Breaking(b"xxxx"))
    assert stored(tmp_path) == []
