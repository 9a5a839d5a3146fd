"""Signing in elsewhere: OpenID Connect, when an issuer is set. Without one nothing here is loaded or asked.

The authorization code flow with PKCE, state and nonce. Whose groups have no role stays outside.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import flask
import structlog

from dashboard import login
from dashboard.accounts import Accounts, account_of
from dashboard.permissions import Role
from dashboard.services import Services
from data.audit import By
from data.records import User
from watchfloor.settings import Settings

log = structlog.get_logger()

NEXT = "oidc-next"  # in the session's cookie: where the person wanted to go
TIMEOUT = 10.0  # seconds for each request to the issuer


class Refused(ValueError):
    """The issuer vouches for somebody who may not in here."""


def register(server: flask.Flask, services: Services, accounts: Accounts) -> None:
    """The two routes, when there is an issuer."""
    settings = services.settings
    if not settings.oidc_issuer:
        return
    client = _client(server, settings)

    @server.get("/login/oidc", endpoint="login_oidc")
    def start() -> Any:
        flask.session[NEXT] = flask.request.args.get("next")
        try:
            return client.authorize_redirect(_callback_url(settings))
        except Exception as error:  # whatever the issuer or the way to it does
            return _failed(services, accounts, f"The sign-in service can't be reached: {_short(error)}", 502)

    @server.get("/login/oidc/callback", endpoint="login_oidc_callback")
    def callback() -> Any:
        goal = flask.session.pop(NEXT, None)
        try:
            claims = client.authorize_access_token()["userinfo"]
        except Exception as error:  # a forged state, code, nonce or signature ends here
            return _failed(services, accounts, f"The sign-in was refused: {_short(error)}", 401)
        try:
            user = accept(services, claims)
        except Refused as error:
            return _failed(services, accounts, str(error), 403)
        return login.enter(services, accounts, account_of(user), "oidc", goal)


def _client(server: flask.Flask, settings: Settings) -> Any:
    from authlib.integrations.flask_client import OAuth

    secret = settings.oidc_client_secret
    assert settings.oidc_issuer is not None
    return OAuth(server).register(
        "oidc",
        client_id=settings.oidc_client_id,
        client_secret=secret.get_secret_value() if secret else None,
        server_metadata_url=f"{settings.oidc_issuer.rstrip('/')}/.well-known/openid-configuration",
        client_kwargs={
            "scope": settings.oidc_scopes,
            "code_challenge_method": "S256",
            "default_timeout": TIMEOUT,
            **({} if secret else {"token_endpoint_auth_method": "none"}),
        },
    )


def _callback_url(settings: Settings) -> str:
    root = (settings.public_url or flask.request.host_url).rstrip("/")
    return root + flask.url_for("login_oidc_callback")


def _failed(services: Services, accounts: Accounts, message: str, status: int) -> Any:
    accounts.failed("oidc")
    log.warning("oidc.failed", why=message)
    return login.page(services, message, status)


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


# -- who it is here


def accept(services: Services, claims: Mapping[str, Any]) -> User:
    """The user of these claims, made or brought up to what its groups say now. Raises ``Refused``."""
    settings = services.settings
    name = str(claims.get(settings.oidc_name_claim) or "").strip()
    if not name:
        raise Refused(f"The sign-in service gave no {settings.oidc_name_claim} (WATCHFLOOR_OIDC_NAME_CLAIM).")
    given = claims.get(settings.oidc_groups_claim) or ()
    role, grants = rights(settings.oidc_roles, [given] if isinstance(given, str) else given)
    if role == Role.NONE.title and not grants:
        raise Refused(f"{name} is known to the sign-in service, but none of its groups has a role here.")
    return _keep(services, User(name, role, grants, source="oidc"))


def _keep(services: Services, wanted: User) -> User:
    by, known = By("oidc"), services.store.user(wanted.name)
    if known is None:
        services.store.add_user(wanted, None, by)
        return wanted
    if known.source != "oidc":
        raise Refused(f"There is a user {known.name} with a password here, so nobody else gets in by that name.")
    if known.disabled:
        raise Refused(f"{known.name} is disabled here.")
    services.store.change_user(wanted.name, by, role=wanted.role, grants=wanted.grants)
    return wanted


def rights(table: Mapping[str, str], groups: Iterable[Any]) -> tuple[str, dict[str, str]]:
    """(role everywhere, roles by namespace) of somebody in ``groups``, the best of each.

    ``table`` maps a group to ``role`` or ``role@namespace``, several by commas; ``*`` stands for everybody.
    """
    everywhere, grants = Role.NONE, dict[str, Role]()
    for group in ("*", *map(str, groups)):
        for part in filter(None, (one.strip() for one in table.get(group, "").split(","))):
            name, at, namespace = part.partition("@")
            role = Role.named(name)
            if at:
                grants[namespace] = max(role, grants.get(namespace, Role.NONE))
            else:
                everywhere = max(role, everywhere)
    return everywhere.title, {namespace: role.title for namespace, role in grants.items()}
