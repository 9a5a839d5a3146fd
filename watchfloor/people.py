"""``watchfloor user``: users from the shell, for whoever has it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

app = typer.Typer(help="Users: add, passwd, list, disable, enable, role, delete.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The user's name.")]
Roles = Annotated[list[str] | None, typer.Option("--grant", "-g", help="NAMESPACE=ROLE; may be repeated.")]
Password = Annotated[
    str, typer.Option(help="Asked for when it is not given.", prompt=True, hide_input=True, confirmation_prompt=True)
]


@contextmanager
def _people() -> Iterator[Any]:
    """What changes users, with the settings of this folder; errors as one line."""
    from redis.exceptions import RedisError

    from dashboard.people import People, Root
    from dashboard.services import Services
    from data import Store
    from data.errors import DataError
    from streaming.bus import Bus
    from streaming.commands import Commands
    from watchfloor.cli import _settings

    settings = _settings()
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    store, bus = Store(settings.resolved_database_url), Bus.of(settings)
    try:
        store.migrate()
        yield People(Services(settings, store, bus, Commands(store, bus)), Root(), "cli")
    except RedisError:
        typer.echo("Done. Redis does not answer, so pages that are open notice it within five seconds only.", err=True)
    except DataError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    finally:
        store.close()
        bus.close()


@app.command()
def add(
    name: Name,
    password: Password,
    role: Annotated[str, typer.Option(help="Role everywhere: viewer, operator, admin or none.")] = "none",
    grants: Roles = None,
) -> None:
    """Make a user."""
    with _people() as people:
        people.add(name, role, _grants(grants), password)
        typer.echo(f"{name} may sign in now.")


@app.command()
def passwd(name: Name, password: Password) -> None:
    """Give a user a new password; their sessions end."""
    with _people() as people:
        people.set_password(name, password)


@app.command()
def role(name: Name, role: Annotated[str, typer.Argument(help="Role everywhere.")], grants: Roles = None) -> None:
    """Give a user another role everywhere, and these roles in namespaces instead of those it has."""
    with _people() as people:
        people.change(name, role=role, grants=_grants(grants))


@app.command()
def disable(name: Name) -> None:
    """Let a user in no more; what is open of theirs ends."""
    with _people() as people:
        people.change(name, disabled=True)


@app.command()
def enable(name: Name) -> None:
    """Let a user in again."""
    with _people() as people:
        people.change(name, disabled=False)


@app.command()
def delete(name: Name) -> None:
    """Remove a user. What they did stays in the audit."""
    with _people() as people:
        people.delete(name)


@app.command(name="list")
def list_() -> None:
    """All users with their roles."""
    with _people() as people:
        for one in people.users():
            grants = " ".join(f"{namespace}={role}" for namespace, role in one.grants.items())
            off = " disabled" if one.disabled else ""
            typer.echo(f"{one.name:<24} {one.role:<9} {one.source:<9}{off} {grants}".rstrip())


def _grants(given: list[str] | None) -> dict[str, str]:
    from watchfloor.cli import _pairs

    return _pairs("--grant", given)
