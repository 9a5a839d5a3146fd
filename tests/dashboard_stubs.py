"""Services for tests of the dashboard alone: a store with a few rows, commands that note what was asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from dashboard.services import Services
from data.records import User
from engine.states import Action
from streaming.messages import Answer
from watchfloor.settings import Settings

PASSWORD = "correct horse"
EXPIRES = datetime(2100, 1, 1, tzinfo=UTC)


@dataclass
class StubStore:
    """Knows one user, admin, and one login token; pings unless it is told to be away."""

    away: bool = False
    tokens: set[str] = field(default_factory=lambda: {"once"})
    sessions: dict[str, str] = field(default_factory=dict)
    audited: list[tuple[Any, ...]] = field(default_factory=list)

    def _check(self) -> None:
        if self.away:
            from data import StoreUnavailable

            raise StoreUnavailable("The database is locked.")

    def ping(self) -> None:
        self._check()

    def user(self, name: str) -> Any:
        self._check()
        return User("admin", "admin") if name == "admin" else None

    def views(self, person: str) -> list[Any]:
        self._check()
        return []

    def check_password(self, name: str, password: str) -> Any:
        self._check()
        return self.user(name) if password == PASSWORD else None

    def use_login_token(self, token: str) -> Any:
        if token not in self.tokens:
            return None
        self.tokens.remove(token)
        return self.user("admin")

    def open_session(self, name: str, seconds: float, address: str | None, device: str | None) -> Any:
        self._check()
        session = f"session-{len(self.sessions) + 1}"
        self.sessions[session] = name
        return SimpleNamespace(id=session, expires_at=EXPIRES)

    def session_user(self, session_id: str) -> Any:
        self._check()
        name = self.sessions.get(session_id)
        return (SimpleNamespace(id=session_id, expires_at=EXPIRES), self.user(name)) if name else None

    def end_sessions(self, by: Any, *, ids: Any = (), **_: Any) -> None:
        self._check()
        for one in ids:
            self.sessions.pop(one, None)

    def token_user(self, text: str) -> Any:
        self._check()
        return None

    def seen(self, sessions: Any, tokens: Any) -> None:
        self._check()

    def audit(self, *row: Any, **more: Any) -> int:
        self._check()
        self.audited.append(row)
        return len(self.audited)


@dataclass
class StubBus:
    """A bus that answers, with nothing on it."""

    redis: Any = field(default_factory=lambda: SimpleNamespace(hgetall=lambda key: {}, llen=lambda key: 0))

    def ping(self) -> None:
        return None

    def length(self, stream: str) -> int:
        return 0


@dataclass
class StubCommands:
    """Notes every call; ``refuse`` maps an execution id to the error it raises; ``answer`` is what ``wait`` gives."""

    calls: list[tuple[Any, ...]] = field(default_factory=list)
    refuse: dict[str, Exception] = field(default_factory=dict)
    answer: Answer | None = field(default_factory=lambda: Answer("event-1", Action.KILL))

    def wait(self, event_id: str, timeout: float) -> Answer | None:
        return self.answer

    def act(self, action: Any, execution_id: str, **details: Any) -> str:
        if execution_id in self.refuse:
            raise self.refuse[execution_id]
        self.calls.append((action, execution_id, details))
        return "event-1"

    def execute(self, namespace: str, flow_id: str, **details: Any) -> str:
        if flow_id in self.refuse:
            raise self.refuse[flow_id]
        self.calls.append(("execute", f"{namespace}.{flow_id}", details))
        return "0198c0de-0000-7000-8000-000000000001"


def services(folder: Path, **settings: Any) -> Services:
    """Stub services that keep their files in ``folder``."""
    given = Settings(_env_file=None, data_dir=folder, **settings)
    return Services(given, StubStore(), StubBus(), StubCommands())  # type: ignore[arg-type]
