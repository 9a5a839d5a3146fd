"""The table of who may do what: each verb by each role, everywhere and in namespaces."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from dashboard.oidc import rights
from dashboard.permissions import (
    PERMISSIONS,
    AnyVerb,
    Forbidden,
    Role,
    Verb,
    demand,
    limited,
    may,
    may_somewhere,
    namespaces,
    narrowed,
    refusal,
    role_in,
)
from data.filters import Filters
from data.matching import matches
from engine.states import Action

ROLES = ("none", "viewer", "operator", "admin")
NONE, VIEWER, OPERATOR, ADMIN = range(4)
# What each verb needs, written down a second time on purpose: a change of the table is a decision.
NEEDS: dict[AnyVerb, int] = {
    Verb.ACCOUNT: NONE,
    Verb.READ: VIEWER,
    Verb.EXPORT: VIEWER,
    Verb.VIEWS: VIEWER,
    Verb.TOKENS: VIEWER,
    Verb.SHARE_VIEWS: OPERATOR,
    Verb.EXECUTE: OPERATOR,
    Verb.EDIT_FLOWS: OPERATOR,
    Verb.TRIGGERS: OPERATOR,
    Verb.OPERATIONS: OPERATOR,
    Verb.READ_AUDIT: ADMIN,
    Verb.MANAGE_USERS: ADMIN,
    Verb.MANAGE_SESSIONS: ADMIN,
    **dict.fromkeys(Action, OPERATOR),
}
EVERYWHERE = {Verb.READ_AUDIT, Verb.MANAGE_USERS, Verb.MANAGE_SESSIONS}


def person(role: str = "none", **grants: str) -> Any:
    return SimpleNamespace(name="ada", role=role, grants={name.replace("__", "."): r for name, r in grants.items()})


def test_every_verb_and_action_is_in_the_table() -> None:
    assert set(PERMISSIONS) == {*Verb, *Action} == set(NEEDS)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("verb", list(NEEDS), ids=str)
def test_a_role_everywhere_may_what_the_table_says(verb: AnyVerb, role: str) -> None:
    allowed = ROLES.index(role) >= NEEDS[verb]
    assert may(person(role), verb) is allowed
    assert may(person(role), verb, "company.team") is allowed
    assert may_somewhere(person(role), verb) is allowed
    assert (refusal(person(role), verb) is None) is allowed


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("verb", [verb for verb, least in NEEDS.items() if least], ids=str)
def test_a_role_in_a_namespace_counts_there_and_below(verb: AnyVerb, role: str) -> None:
    ada = person(company=role)
    allowed = ROLES.index(role) >= NEEDS[verb] and verb not in EVERYWHERE
    for inside in ("company", "company.team", "company.team.deep"):
        assert may(ada, verb, inside) is allowed
    for outside in (None, "companyx", "other", "other.company", ""):
        assert not may(ada, verb, outside)
    assert may_somewhere(ada, verb) is allowed


def test_the_better_of_two_roles_counts() -> None:
    ada = person("viewer", company__team="operator", company="viewer", company__team__deep="viewer")
    assert role_in(ada, "company") is Role.VIEWER
    assert role_in(ada, "company.team") is Role.OPERATOR
    assert role_in(ada, "company.team.deep") is Role.OPERATOR


def test_namespaces_are_the_highest_ones() -> None:
    ada = person(a__b="viewer", a="viewer", c="operator", ab="viewer")
    assert namespaces(ada, Verb.READ) == ("a", "ab", "c")
    assert namespaces(ada, Verb.EXECUTE) == ("c",)
    assert namespaces(ada, Verb.MANAGE_USERS) == ()
    assert namespaces(person("viewer", a="admin"), Verb.READ) is None


def test_filters_are_narrowed_to_what_one_may_see() -> None:
    def seen(ada: Any) -> list[str]:
        filters = narrowed(Filters(), ada)
        names = ("a", "a.b", "ab", "c", "c.d.e")
        rows = [SimpleNamespace(namespace=name) for name in names]
        return [row.namespace for row in rows if matches(filters, row, datetime.now(UTC))]  # type: ignore[arg-type]

    assert seen(person("viewer")) == ["a", "a.b", "ab", "c", "c.d.e"]
    assert seen(person(a="viewer", c__d="admin")) == ["a", "a.b", "c.d.e"]
    assert seen(person()) == []


@pytest.mark.parametrize("name", [None, "", "root", "ADMIN ", "superuser"])
def test_an_unknown_role_may_nothing(name: str | None) -> None:
    assert Role.named(name) is Role.NONE


def test_somebody_without_any_attribute_may_nothing() -> None:
    assert not may(object(), Verb.READ, "a")
    assert not may_somewhere(object(), Verb.READ)


def test_a_refusal_says_what_is_needed_and_what_there_is() -> None:
    assert refusal(person("viewer"), Verb.EXECUTE, "a") == (
        "To execute flows and upload files for them you need the role operator in a; yours is viewer."
    )
    with pytest.raises(Forbidden, match="admin everywhere; yours is none"):
        demand(person(a="admin"), Verb.MANAGE_USERS, "a")
    demand(person(a="admin"), Action.KILL, "a")


@pytest.mark.parametrize(
    ("role", "names", "left"),
    [
        ("viewer", None, ("viewer", {"a": "viewer", "b": "viewer"})),
        ("admin", None, ("viewer", {"a": "admin", "b": "operator"})),
        ("operator", ("a.x",), ("none", {"a.x": "operator"})),
        ("admin", ("b", "c"), ("none", {"b": "operator", "c": "viewer"})),
        ("admin", (), ("none", {})),
    ],
)
def test_a_token_has_no_more_than_its_owner(role: str, names: Any, left: Any) -> None:
    assert limited(person("viewer", a="admin", b="operator"), role, names) == left


def test_the_best_role_of_all_groups_counts() -> None:
    table = {"a": "viewer", "b": "operator@x,viewer@y", "c": "admin@x", "*": "viewer@open"}
    assert rights(table, ["a", "b", "c", "unknown"]) == ("viewer", {"open": "viewer", "x": "admin", "y": "viewer"})
    assert rights(table, []) == ("none", {"open": "viewer"})
