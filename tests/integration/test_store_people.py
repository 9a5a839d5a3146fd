"""Users, login links, the audit, flows and their files."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import sqlalchemy as sa

from data import Store, people_tables
from data.records import FlowProblem, User


def flow(id: str, source: str, namespace: str = "company.team", **fields: object) -> SimpleNamespace:
    known = {"description": None, "labels": {}, "disabled": False}
    return SimpleNamespace(id=id, namespace=namespace, source=source, **(known | fields))


# -- users


def test_the_first_start_makes_an_admin_with_a_password(store: Store) -> None:
    password = store.ensure_admin()
    assert password is not None
    assert len(password) >= 12
    assert store.ensure_admin() is None
    assert store.check_password("admin", password) == User("admin", "admin")
    assert store.user("admin") == User("admin", "admin")
    assert store.user("nobody") is None


def test_a_given_admin_password_is_not_told_and_not_replaced(store: Store) -> None:
    assert store.ensure_admin("first secret") is None
    assert store.ensure_admin("second secret") is None
    assert store.check_password("admin", "second secret") is None
    assert store.check_password("admin", "first secret") == User("admin", "admin")


@pytest.mark.parametrize(("name", "password"), [("ada", "wrong"), ("ada", ""), ("eve", "right")])
def test_a_wrong_name_or_password_is_nobody(store: Store, name: str, password: str) -> None:
    store.save_user("ada", "operator", "right")
    assert store.check_password(name, password) is None
    assert store.check_password("ada", "right") == User("ada", "operator")


def test_passwords_are_kept_as_argon2_and_can_be_changed(store: Store) -> None:
    store.save_user("ada", "operator", "old")
    store.save_user("ada", "viewer", "new")
    assert store.check_password("ada", "old") is None
    assert store.check_password("ada", "new") == User("ada", "viewer")
    with store._read() as connection:
        assert connection.scalar(sa.select(people_tables.user.c.password)).startswith("$argon2id$")


def test_a_login_link_works_once_and_not_too_late(store: Store) -> None:
    store.ensure_admin("secret")
    token = store.make_login_token()
    assert store.use_login_token(token) == User("admin", "admin")
    assert store.use_login_token(token) is None
    assert store.use_login_token("made up") is None
    assert store.use_login_token(store.make_login_token(seconds=-1)) is None


# -- audit


def test_the_audit_keeps_who_did_what(store: Store) -> None:
    store.audit("ada", "kill", "e1", "stuck", before={"state": "RUNNING"}, origin="api")
    store.audit("bob", "restart", "e2")
    (row,) = store.audits("e1")
    assert (row.actor, row.action, row.reason, row.before, row.after, row.origin) == (
        ("ada", "kill", "stuck", {"state": "RUNNING"}, None, "api")
    )
    newest = store.audits(limit=1)
    assert [r.target for r in newest] == ["e2"]
    assert [r.target for r in store.audits(before_seq=newest[0].seq)] == ["e1"]


# -- flows


def test_a_flow_gets_a_revision_only_when_its_source_changed(store: Store) -> None:
    assert store.save_flow(flow("hello", "one", labels={"a": "b"}, description="Says hello.")) == 1
    assert store.save_flow(flow("hello", "one")) is None
    assert store.save_flow(flow("hello", "two", disabled=True)) == 2
    assert store.save_flow(flow("hello", "one")) == 3
    newest = store.flow("company.team", "hello")
    assert newest is not None
    assert (newest.revision, newest.source, newest.disabled) == (3, "one", False)
    second = store.flow("company.team", "hello", 2)
    assert second is not None
    assert (second.source, second.disabled) == ("two", True)
    first = store.revisions("company.team", "hello")[0]
    assert (first.labels, first.description) == ({"a": "b"}, "Says hello.")
    assert store.flow("company.team", "hello", 9) is None
    assert store.flow("company.team", "other") is None


def test_flows_are_listed_in_their_newest_revision(store: Store) -> None:
    for given in (
        flow("b", "1"),
        flow("a", "1"),
        flow("a", "2"),
        flow("c", "1", "company"),
        flow("d", "1", "companyx"),
    ):
        store.save_flow(given)
    assert [(f.id, f.revision) for f in store.flows()] == [("c", 1), ("a", 2), ("b", 1), ("d", 1)]
    assert [f.id for f in store.flows("company")] == ["c", "a", "b"]
    assert store.distinct_namespaces() == ["company", "company.team", "companyx"]
    assert store.distinct_namespaces("TEAM") == ["company.team"]


def test_what_is_wrong_with_a_file_is_kept_until_it_is_right(store: Store) -> None:
    store.save_flow_problem(FlowProblem("a.yaml", (SimpleNamespace(line=3, column=1, path="tasks", message="no"),)))
    store.save_flow_problem(FlowProblem("a.yaml", (SimpleNamespace(line=4, column=2, path="", message="still no"),)))
    (problem,) = store.flow_problems()
    assert problem.file == "a.yaml"
    assert problem.violations == ({"line": 4, "column": 2, "path": "", "message": "still no"},)
    store.clear_flow_problem("a.yaml")
    store.clear_flow_problem("never there.yaml")
    assert store.flow_problems() == []
