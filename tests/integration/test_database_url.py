"""A PostgreSQL server by URL, as docs/deploy.md recommends: a password, TLS; and what is said when one is wrong."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from data import Store, StoreUnavailable
from scripts.postgresql import USER, Cluster
from tests.integration.certificates import Authority
from watchfloor.doctor import check_database
from watchfloor.findings import Verdict
from watchfloor.settings import Settings

PASSWORD = "p@ss/w:rd"
RULES = "local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n"


class Server:
    """A server that lets nobody in without TLS and the password; from the socket the tests look after it."""

    def __init__(self, folder: Path) -> None:
        self.authority = Authority(folder)
        certificate, key = self.authority.sign("database", "127.0.0.1")
        options = {"ssl": "on", "ssl_cert_file": str(certificate), "ssl_key_file": str(key)}
        self.cluster = Cluster(folder, options | {"fsync": "off", "password_encryption": "scram-sha-256"})
        for path in (certificate, key):
            os.chown(path, (owner := folder.stat()).st_uid, owner.st_gid)
        key.chmod(0o600)
        (folder / "data" / "pg_hba.conf").write_text(RULES)

    def url(self, database: str, **changes: str) -> str:
        """The address in the form of docs/deploy.md; ``changes`` replace its parts, or options of its query."""
        password = changes.pop("password", PASSWORD)
        query = {"sslmode": "verify-full", "sslrootcert": str(self.authority.certificate)} | changes
        made = sa.URL.create("postgresql", USER, password, "127.0.0.1", self.cluster.port, database, query)
        return made.render_as_string(hide_password=False)


@pytest.fixture(scope="module")
def database_server() -> Iterator[Server]:
    """As a careful administrator sets one up."""
    with tempfile.TemporaryDirectory(prefix="wf-pg-") as name:
        server = Server(Path(name))
        try:
            server.cluster.start()
            server.cluster.execute(f"ALTER USER {USER} PASSWORD '{PASSWORD}'")
            yield server
        finally:
            server.cluster.stop()


@pytest.fixture(scope="module")
def database(database_server: Server) -> str:
    """A database without a table."""
    database_server.cluster.create("watchfloor")
    return "watchfloor"


def settings(url: str) -> Settings:
    return Settings(_env_file=None, database_url=url)


def test_every_connection_of_the_store_is_encrypted(database_server: Server, database: str) -> None:
    store = Store(settings(database_server.url(database)).resolved_database_url)
    store.migrate()
    store.ping()
    store.probe()
    with psycopg.connect(database_server.cluster.conninfo(database)) as connection:
        ours = connection.execute(
            "SELECT ssl, version FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)"
            " WHERE application_name = 'watchfloor'"
        ).fetchall()
    assert len(ours) >= 2
    assert {(ssl, version) for ssl, version in ours} == {(True, "TLSv1.3")}
    store.close()


def test_doctor_finds_it_well_and_shows_no_password(database_server: Server, database: str) -> None:
    found = check_database(settings(database_server.url(database)))
    assert found.verdict is not Verdict.BAD, found
    assert "p%40ss" not in found.what
    assert PASSWORD not in found.what


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"password": "not the one"}, "mend user and password in WATCHFLOOR_DATABASE_URL"),
        ({"sslmode": "disable"}, "no encryption"),
        ({"sslrootcert": "{other}"}, "certificate verify failed"),
        ({"sslrootcert": "/nowhere/ca.crt"}, "/nowhere/ca.crt"),
    ],
)
def test_what_is_wrong_is_said_without_the_password(
    database_server: Server, database: str, tmp_path: Path, changes: dict[str, str], said: str
) -> None:
    other = Authority(tmp_path).certificate
    url = database_server.url(database, **{key: value.format(other=other) for key, value in changes.items()})
    store = Store(settings(url).resolved_database_url)
    with pytest.raises(StoreUnavailable, match=said) as raised:
        store.ping()
    store.close()
    found = check_database(settings(url))
    assert (found.verdict, said in found.what) == (Verdict.BAD, True), found
    assert "not the one" not in f"{raised.value}{found.what}"


def test_a_certificate_of_another_host_is_refused(database_server: Server, database: str) -> None:
    url = database_server.url(database).replace("@127.0.0.1", "@localhost")
    store = Store(settings(url).resolved_database_url)
    with pytest.raises(StoreUnavailable, match="does not match host name"):
        store.ping()
    store.close()
