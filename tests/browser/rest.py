"""The product as a script sees it: a login, the REST API, and executions by it."""

from __future__ import annotations

import requests

from watchfloor.product import Product

PASSWORD = "correct horse battery staple"
API = "/api/v1/main"
EXECUTIONS = f"{API}/executions"


def admin() -> requests.Session:
    """The REST API as admin."""
    session = requests.Session()
    session.auth = ("admin", PASSWORD)
    return session


def login(product: Product) -> dict[str, str]:
    """Cookies of a new login session."""
    session = requests.Session()
    session.get(product.login_url).raise_for_status()
    return dict(session.cookies)


def start(product: Product, api: requests.Session, flow: str, **inputs: str) -> str:
    """Execute a flow; its execution's id."""
    parts = {name: (None, value) for name, value in inputs.items()} or {"": (None, "")}
    answer = api.post(f"{product.url}{EXECUTIONS}/company.tests/{flow}", files=parts, timeout=10)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


def state_of(product: Product, api: requests.Session, execution_id: str) -> str:
    """State of an execution."""
    return str(api.get(f"{product.url}{EXECUTIONS}/{execution_id}", timeout=10).json()["state"]["current"])


def log_of(product: Product, api: requests.Session, execution_id: str) -> list[str]:
    """What the tasks of an execution said."""
    lines = api.get(f"{product.url}{API}/logs/{execution_id}", timeout=10).json()
    return [line["message"] for line in lines if line.get("taskId")]
