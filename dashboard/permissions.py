"""Who may do what: one table of verbs, asked by REST, callbacks, routes and live subscriptions alike.

A person has a role everywhere, and may have roles in namespaces, which hold for those below them too. The better one
counts. Verbs that are about no namespace (users, the audit) need the role everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum, StrEnum
from typing import Any, Protocol

import msgspec

from data.filters import Filters
from data.namespaces import covers, in_namespaces
from engine.states import ACTIONS, Action


class Role(IntEnum):
    """How much somebody may; more includes less."""

    NONE = 0
    VIEWER = 1
    OPERATOR = 2
    ADMIN = 3

    @classmethod
    def named(cls, name: str | None) -> Role:
        """The role of that name; an unknown one may nothing."""
        return cls.__members__.get((name or "").upper(), cls.NONE)

    @property
    def title(self) -> str:
        """Its name as people and the wire write it."""
        return self.name.lower()


class Verb(StrEnum):
    """What can be done, beside the actions on executions (``engine.states.Action``), which are verbs too."""

    ACCOUNT = "account"
    READ = "read"
    EXPORT = "export"
    VIEWS = "views"
    SHARE_VIEWS = "share-views"
    EXECUTE = "execute"
    EDIT_FLOWS = "edit-flows"
    TRIGGERS = "triggers"
    OPERATIONS = "operations"
    TOKENS = "tokens"
    READ_AUDIT = "read-audit"
    MANAGE_USERS = "manage-users"
    MANAGE_SESSIONS = "manage-sessions"


AnyVerb = Verb | Action


class Permission(msgspec.Struct, frozen=True):
    """A row of the table: the least role that may, and whether it must be held everywhere."""

    verb: AnyVerb
    least: Role
    title: str
    everywhere: bool = False


PERMISSIONS: dict[AnyVerb, Permission] = {
    one.verb: one
    for one in (
        Permission(Verb.ACCOUNT, Role.NONE, "Change one's own password, end one's own sessions"),
        Permission(Verb.READ, Role.VIEWER, "Look at executions, flows, logs and triggers"),
        Permission(Verb.EXPORT, Role.VIEWER, "Export what one may look at"),
        Permission(Verb.VIEWS, Role.VIEWER, "Save views for oneself"),
        Permission(Verb.TOKENS, Role.VIEWER, "Make API tokens with no more than one's own rights"),
        Permission(Verb.SHARE_VIEWS, Role.OPERATOR, "Share saved views with everybody"),
        Permission(Verb.EXECUTE, Role.OPERATOR, "Execute flows and upload files for them"),
        Permission(Verb.EDIT_FLOWS, Role.OPERATOR, "Create, change and delete flows"),
        Permission(Verb.TRIGGERS, Role.OPERATOR, "Switch triggers, make backfills"),
        Permission(Verb.OPERATIONS, Role.OPERATOR, "Act on many executions at once"),
        *(Permission(action, Role.OPERATOR, f"{info.title} an execution") for action, info in ACTIONS.items()),
        Permission(Verb.READ_AUDIT, Role.ADMIN, "Read and export the audit", everywhere=True),
        Permission(Verb.MANAGE_USERS, Role.ADMIN, "Create, change, disable and delete users", everywhere=True),
        Permission(Verb.MANAGE_SESSIONS, Role.ADMIN, "See and revoke everybody's sessions and tokens", everywhere=True),
    )
}


class Person(Protocol):
    """Somebody with rights: an account, a token, a user of the store."""

    @property
    def name(self) -> str:
        """Who it is."""
        ...

    @property
    def role(self) -> str:
        """The role everywhere: viewer, operator, admin or none."""
        ...


class Forbidden(PermissionError):
    """The person's rights don't reach; the message says what is needed and what there is."""


def grants_of(person: Any) -> dict[str, str]:
    """Roles by namespace; somebody without the attribute has none."""
    return getattr(person, "grants", None) or {}


def role_in(person: Any, namespace: str | None = None) -> Role:
    """The role in a namespace: that of everywhere, or of the namespace or one above it when that is better."""
    best = Role.named(getattr(person, "role", None))
    if namespace is not None:
        for granted, role in grants_of(person).items():
            if covers(granted, namespace):
                best = max(best, Role.named(role))
    return best


def may(person: Any, verb: AnyVerb, namespace: str | None = None) -> bool:
    """Whether a person may do this in a namespace; without one: everywhere."""
    asked = PERMISSIONS[verb]
    return role_in(person, None if asked.everywhere else namespace) >= asked.least


def may_somewhere(person: Any, verb: AnyVerb) -> bool:
    """Whether there is any namespace in which a person may do this."""
    return may(person, verb) or bool(namespaces(person, verb))


def namespaces(person: Any, verb: AnyVerb) -> tuple[str, ...] | None:
    """The namespaces (each with those below it) in which a person may do this; ``None``: all there are."""
    asked = PERMISSIONS[verb]
    if may(person, verb):
        return None
    if asked.everywhere:
        return ()
    mine = sorted(name for name, role in grants_of(person).items() if Role.named(role) >= asked.least)
    return tuple(one for one in mine if not any(other != one and covers(other, one) for other in mine))


def narrowed(filters: Filters, person: Any, verb: AnyVerb = Verb.READ) -> Filters:
    """The filters, and that it is in a namespace in which the person may do this."""
    return in_namespaces(filters, namespaces(person, verb))


def refusal(person: Any, verb: AnyVerb, namespace: str | None = None) -> str | None:
    """Why a person may not do this there; ``None`` when it may."""
    if may(person, verb, namespace):
        return None
    asked = PERMISSIONS[verb]
    namespace = None if asked.everywhere else namespace
    where = " everywhere" if asked.everywhere else f" in {namespace}" if namespace is not None else ""
    what, role = asked.title[0].lower() + asked.title[1:], role_in(person, namespace).title
    return f"To {what} you need the role {asked.least.title}{where}; yours is {role}."


def demand(person: Any, verb: AnyVerb, namespace: str | None = None) -> None:
    """Raise ``Forbidden`` unless the person may do this there."""
    if (why := refusal(person, verb, namespace)) is not None:
        raise Forbidden(why)


def limited(person: Any, role: str, names: Iterable[str] | None) -> tuple[str, dict[str, str]]:
    """What is left of a person's rights under a token's: (role everywhere, roles by namespace).

    No namespace gets more than the person has there, nor more than ``role``; outside ``names`` nothing is left.
    """
    most = Role.named(role)
    own = {name: min(most, Role.named(granted)).title for name, granted in grants_of(person).items()}
    if names is None:
        return min(most, role_in(person)).title, own
    wanted = tuple(names)
    roots = {name: min(most, role_in(person, name)).title for name in wanted}
    below = {name: got for name, got in own.items() if any(covers(one, name) for one in wanted)}
    return Role.NONE.title, {**below, **roots}
