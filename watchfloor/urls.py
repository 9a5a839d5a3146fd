"""Addresses of servers, as settings name them: checked, completed, and as they may be shown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, urlsplit

_REDIS = ("redis", "rediss", "unix")
_POSTGRESQL = ("postgresql", "postgres", "postgresql+psycopg")


def redis_url(given: str | None) -> str | None:
    """A Redis URL that clients take; raises ``ValueError``."""
    if given is None:
        return None
    try:
        parts = urlsplit(given)
        known = parts.scheme in _REDIS and bool(parts.path if parts.scheme == "unix" else parts.hostname)
        _ = parts.port  # raises for one that is no number
    except ValueError:
        known = False
    if not known:
        raise ValueError(
            "expected redis://[user:password@]host:port/0, rediss:// for TLS, or unix:///path/of/socket; "
            "signs such as @ or / in a password are written %40, %2F"
        )
    return given


def database_url(given: str | None) -> str | None:
    """A database URL with the driver that is installed; raises ``ValueError``."""
    if given is None:
        return None
    scheme, colon, rest = given.partition("://")
    if colon and scheme in _POSTGRESQL:
        return f"{_POSTGRESQL[-1]}://{rest}"
    if colon and scheme == "sqlite" and rest.startswith("/"):
        return given
    raise ValueError(
        "expected postgresql://user:password@host:5432/database or sqlite:////path/of/file.db; "
        "signs such as @ or / in a password are written %40, %2F"
    )


def issuer_url(given: str | None) -> str | None:
    """The address of an OpenID Connect issuer; raises ``ValueError``. Without TLS only on this machine."""
    if given is None:
        return None
    parts = urlsplit(given)
    here = parts.hostname in ("localhost", "127.0.0.1", "::1")
    if not parts.hostname or parts.scheme not in (("http", "https") if here else ("https",)):
        raise ValueError("expected https://host/path of an issuer, below which .well-known/openid-configuration is")
    return given


def tls_file(given: Path | None, redis: str | None) -> Path | None:
    """A file for TLS to Redis, as an absolute path; raises ``ValueError``."""
    if given is None:
        return None
    if not (redis or "").startswith("rediss://"):
        raise ValueError("is for TLS alone, and WATCHFLOOR_REDIS_URL does not begin with rediss://")
    if not given.is_file():
        raise ValueError(f"there is no file {given.resolve()}")
    return given.resolve()


def with_options(url: str, options: Mapping[str, object | None]) -> str:
    """``url`` with query options, those left out that are ``None`` or that it has already."""
    known = {part.partition("=")[0] for part in urlsplit(url).query.split("&")}
    new = "&".join(f"{name}={quote(str(v))}" for name, v in options.items() if v is not None and name not in known)
    return f"{url}{'&' if '?' in url else '?'}{new}" if new else url


def without_password(url: str) -> str:
    """``url`` as it may be shown."""
    return re.sub(r"(?<=[?&]password=)[^&]*", "…", re.sub(r"(?<=//)[^@/]*@", "…@", url))
