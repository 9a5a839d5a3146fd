"""What to do about an error of Redis, in the words of the settings."""

from __future__ import annotations

_ADVICE = (  # part of what was said, the first that fits -> what to do about it
    ("WRONGPASS", "mend user and password in WATCHFLOOR_REDIS_URL"),
    ("invalid username-password", "mend user and password in WATCHFLOOR_REDIS_URL"),
    ("NOAUTH", "the server wants a password: rediss://user:password@host in WATCHFLOOR_REDIS_URL"),
    ("Authentication required", "the server wants a password: rediss://user:password@host in WATCHFLOOR_REDIS_URL"),
    ("HELLO must be called", "the server wants a password: rediss://user:password@host in WATCHFLOOR_REDIS_URL"),
    ("NOPERM", "let the user do everything with its own keys: ACL SETUSER … ~wf:* &wf:* +@all"),
    ("no permissions", "let the user do everything with its own keys: ACL SETUSER … ~wf:* &wf:* +@all"),
    ("Hostname mismatch", "name the server in WATCHFLOOR_REDIS_URL as its certificate does"),
    ("IP address mismatch", "name the server in WATCHFLOOR_REDIS_URL as its certificate does"),
    ("certificate has expired", "renew the server's certificate"),
    ("CERTIFICATE_VERIFY_FAILED", "name who signed the server's certificate in WATCHFLOOR_REDIS_CA_FILE"),
    ("alert unknown ca", "the server does not know who signed WATCHFLOOR_REDIS_CERT_FILE"),
    ("EOF occurred in violation", "the server wants WATCHFLOOR_REDIS_CERT_FILE and WATCHFLOOR_REDIS_KEY_FILE"),
    ("certificate required", "the server wants WATCHFLOOR_REDIS_CERT_FILE and WATCHFLOOR_REDIS_KEY_FILE"),
    ("handshake failure", "the server wants WATCHFLOOR_REDIS_CERT_FILE and WATCHFLOOR_REDIS_KEY_FILE"),
    ("WRONG_VERSION_NUMBER", "the server speaks no TLS there: redis:// instead of rediss://"),
    ("record layer failure", "the server speaks no TLS there: redis:// instead of rediss://"),
    ("Timeout connecting", "mend host and port, or redis:// instead of rediss:// where it speaks no TLS"),
    ("Connection closed by server", "if it speaks TLS there: rediss:// instead of redis://"),
    ("Connection reset by peer", "if it speaks TLS there: rediss:// instead of redis://"),
    ("OOM command not allowed", "raise the server's maxmemory"),
    ("READONLY", "the server is a replica: name its primary in WATCHFLOOR_REDIS_URL"),
    ("Name or service not known", "mend the host in WATCHFLOOR_REDIS_URL"),
    ("Connection refused", "start it, or mend host and port in WATCHFLOOR_REDIS_URL"),
)


_LASTING = (
    "WRONGPASS",
    "username-password",
    "NOAUTH",
    "Authentication required",
    "HELLO must",
    "NOPERM",
    "no permissions",
)
_LASTING += ("mismatch", "CERTIFICATE_VERIFY_FAILED", "unknown ca", "certificate required", "handshake failure")
_LASTING += ("EOF occurred in violation", "WRONG_VERSION_NUMBER", "record layer failure")


def is_lasting(error: Exception) -> bool:
    """Whether waiting helps nothing: somebody has to mend a setting."""
    return any(part in str(error) for part in _LASTING)


def explained(error: Exception) -> str:
    """What the error says, and what to do about it where that is known."""
    said = " ".join(str(error).split()) or type(error).__name__
    found = next((advice for part, advice in _ADVICE if part in said), None)
    return f"{said}; {found}" if found else said
