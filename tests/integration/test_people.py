"""Users, sessions, tokens and the audit in both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from data import Store
from data.audit import ADDRESS, AuditQuery, By
from data.errors import LastAdmin, TokenNotFound, UserExists, UserNotFound
from data.records import User

BY = By("root", "api", "because")
NOW = datetime.now(UTC)


def people(store: Store, *names: str) -> None:
    for name in names:
        store.add_user(User(name, "operator", {"company": "viewer"}), f"password of {name}", BY)


# -- users


def test_a_user_is_made_changed_disabled_and_deleted_and_the_audit_tells_of_it(store: Store) -> None:
    people(store, "ada")
    with pytest.raises(UserExists, match="'ada' already"):
        store.add_user(User("ada", "viewer"), "another", BY)
    assert store.change_user("ada", BY, role="none", grants={"a": "admin", "b.c": "viewer"})
    assert not store.change_user("ada", BY, role="none")
    found = store.user("ada")
    assert found is not None
    assert (found.role, found.grants, found.disabled) == ("none", {"a": "admin", "b.c": "viewer"}, False)
    assert store.check_password("ada", "password of ada") == found
    store.change_user("ada", BY, disabled=True)
    assert store.check_password("ada", "password of ada") is None
    store.delete_user("ada", BY)
    assert store.user("ada") is None
    told = [(row.action, row.before, row.after) for row in reversed(store.audits("ada"))]
    first = {"role": "operator", "grants": {"company": "viewer"}, "disabled": False}
    second = {"role": "none", "grants": {"a": "admin", "b.c": "viewer"}, "disabled": False}
    third = {**second, "disabled": True}
    assert told == [
        ("user-create", None, first),
        ("user-change", first, second),
        ("user-change", second, third),
        ("user-delete", third, None),
    ]
    assert {(row.actor, row.origin, row.reason) for row in store.audits("ada")} == {("root", "api", "because")}


def test_the_last_admin_stays(store: Store) -> None:
    store.ensure_admin("secret secret")
    people(store, "ada")
    for attempt in (
        lambda: store.delete_user("admin", BY),
        lambda: store.change_user("admin", BY, role="operator"),
        lambda: store.change_user("admin", BY, disabled=True),
    ):
        with pytest.raises(LastAdmin, match="make another user an admin first"):
            attempt()
    store.change_user("ada", BY, role="admin")
    store.change_user("ada", BY, disabled=True)
    with pytest.raises(LastAdmin):
        store.delete_user("admin", BY)
    store.change_user("ada", BY, disabled=False)
    store.delete_user("admin", BY)
    assert store.ensure_admin() is None  # there is one, by another name
    assert store.use_login_token(store.make_login_token()) == store.user("ada")


@pytest.mark.parametrize("name", ["nobody", ""])
def test_who_is_not_there_is_named(store: Store, name: str) -> None:
    for attempt in (
        lambda: store.delete_user(name, BY),
        lambda: store.change_user(name, BY, role="viewer"),
        lambda: store.set_password(name, "long enough", BY),
    ):
        with pytest.raises(UserNotFound):
            attempt()


def test_somebody_without_a_password_has_none_that_fits(store: Store) -> None:
    store.add_user(User("olga", "viewer", source="oidc"), None, BY)
    for password in ("", "anything"):
        assert store.check_password("olga", password) is None
    store.set_password("olga", "one of its own", BY)
    assert store.check_password("olga", "one of its own") == store.user("olga")


# -- sessions


def test_a_session_lasts_until_it_is_over_or_ended(store: Store) -> None:
    people(store, "ada", "bob")
    one = store.open_session("ada", 60, "10.0.0.1", "Firefox")
    two = store.open_session("ada", 60, "10.0.0.2", None)
    bob = store.open_session("bob", 60, None, None)
    over = store.open_session("ada", -1, None, None)
    assert store.session_user(one.id) == (one, store.user("ada"))
    assert store.session_user(over.id) is None
    assert store.session_user("made up") is None
    assert {each.id for each in store.sessions("ada")} == {one.id, two.id}
    assert {each.id for each in store.sessions()} == {one.id, two.id, bob.id}
    assert [each.id for each in store.end_sessions(BY, user_name="ada", keep=two.id) if each.id != over.id] == [one.id]
    assert store.session_user(one.id) is None
    assert store.session_user(two.id) is not None
    store.change_user("ada", BY, disabled=True)
    assert store.session_user(two.id) is None
    assert store.session_user(bob.id) == (bob, store.user("bob"))
    store.delete_user("bob", BY)
    assert store.sessions("bob") == []


def test_when_a_session_was_last_seen(store: Store) -> None:
    people(store, "ada")
    one = store.open_session("ada", 3600, None, None)
    later = (NOW + timedelta(minutes=5)).replace(microsecond=0)
    token, _ = store.make_token("ada", "ci", "viewer", None, None, BY)
    store.seen({one.id: later, "gone": later}, {token.id: later})
    assert store.sessions("ada")[0].seen_at == later
    assert store.tokens("ada")[0].used_at == later


# -- tokens


def test_a_token_is_shown_once_kept_hashed_and_good_until_it_ends(store: Store) -> None:
    people(store, "ada", "bob")
    token, text = store.make_token("ada", "ci", "viewer", ("a", "b.c"), NOW + timedelta(days=1), BY)
    assert text.startswith("wf_")
    assert len(text) > 40
    assert token.hint == text[-4:]
    assert store.token_user(text) == (token, store.user("ada"))
    with store._read() as connection:
        kept = "".join(str(row) for row in connection.execute(sa.text("SELECT * FROM api_token")))
    assert text not in kept
    _, old = store.make_token("ada", "old", "viewer", None, NOW - timedelta(seconds=1), BY)
    for wrong in (old, text[:-1], text + "x", "", "wf_", text.upper()):
        assert store.token_user(wrong) is None
    with pytest.raises(TokenNotFound):
        store.revoke_token(token.id, BY, owner="bob")
    store.revoke_token(token.id, BY, owner="ada")
    assert store.token_user(text) is None
    assert [row.action for row in store.audits("ada")][:2] == ["token-revoke", "token-create"]
    assert text not in str(store.audits("ada"))


def test_a_token_of_somebody_who_is_disabled_is_no_good(store: Store) -> None:
    people(store, "ada")
    _, text = store.make_token("ada", "ci", "viewer", None, None, BY)
    store.change_user("ada", BY, disabled=True)
    assert store.token_user(text) is None


# -- the audit


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET actor = 'nobody'",
        "DELETE FROM audit",
        "DELETE FROM audit WHERE seq = 1",
    ],
)
def test_the_audit_only_grows(store: Store, statement: str) -> None:
    store.audit("ada", "kill", "e1")
    with pytest.raises(DBAPIError, match="append-only"):
        with store._write() as connection:
            connection.execute(sa.text(statement))
    assert [row.actor for row in store.audits()] == ["ada"]


def test_no_row_of_the_audit_is_put_in_place_of_another(store: Store) -> None:
    seq = store.audit("ada", "kill", "e1")
    columns = "(seq, at, actor, action, target, origin) VALUES (:seq, 1, 'eve', 'kill', 'e1', 'ui')"
    ways = {"sqlite": [f"INSERT OR REPLACE INTO audit {columns}", f"REPLACE INTO audit {columns}"]}
    upsert = f"INSERT INTO audit {columns} ON CONFLICT (seq) DO UPDATE SET actor = 'eve'"
    for way in (*ways.get(store.dialect, ["TRUNCATE audit"]), upsert):
        with pytest.raises(DBAPIError, match="append-only"):
            with store._write() as connection:
                connection.execute(sa.text(way), {"seq": seq} if ":seq" in way else {})
    assert [row.actor for row in store.audits()] == ["ada"]


def test_the_audit_is_searched(store: Store) -> None:
    token = ADDRESS.set("10.1.2.3")
    store.audit("ada", "kill", "e1", "it was STUCK", before={"state": "RUNNING"}, origin="api")
    ADDRESS.reset(token)
    store.audit("bob", "restart", "e2", after={"flow": "company.team.hello"})
    store.audit("bob", "kill", "f3", origin="cli")
    found = store.audits(query=AuditQuery(actor="bob"))
    assert [row.target for row in found] == ["f3", "e2"]
    assert [row.address for row in store.audits()] == [None, None, "10.1.2.3"]
    for query, targets in (
        (AuditQuery(action="kill"), ["f3", "e1"]),
        (AuditQuery(target="e"), ["e2", "e1"]),
        (AuditQuery(text="stuck"), ["e1"]),
        (AuditQuery(text="Company.TEAM"), ["e2"]),
        (AuditQuery(text="running", actor="bob"), []),
        (AuditQuery(origin="cli"), ["f3"]),
        (AuditQuery(before=found[0].seq), ["e2", "e1"]),
        (AuditQuery(since=NOW - timedelta(hours=1)), ["f3", "e2", "e1"]),
        (AuditQuery(until=NOW - timedelta(hours=1)), []),
        (AuditQuery(text="100%_"), []),
    ):
        assert [row.target for row in store.audits(query=query)] == targets, query
        assert store.audit_total(query, 100) == len(targets)
        assert [row.target for rows in store.iter_audits(query) for row in rows] == targets
    assert store.audit_choices() == {"actor": ["ada", "bob"], "action": ["kill", "restart"]}
