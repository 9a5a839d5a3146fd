"""The command ``watchfloor``. What a command needs is imported when it runs, so that ``--help`` is quick."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from watchfloor import people
from watchfloor.loading import loading

app = typer.Typer(
    name="watchfloor",
    help="A live control room for workflow executions.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

app.add_typer(people.app, name="user")

Host = Annotated[str | None, typer.Option(help="Address to listen on.", show_default="127.0.0.1")]
Port = Annotated[int | None, typer.Option(help="Port of the web process; 0 takes a free one.", show_default="8050")]
DataDir = Annotated[Path | None, typer.Option(help="Folder of everything that is kept.", show_default="var")]
Flows = Annotated[Path | None, typer.Option(help="Folder of flow files.", show_default="flows")]


def _settings(**given: Any) -> Any:
    from pydantic import ValidationError

    from watchfloor.settings import Settings
    from watchfloor.urls import without_password

    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        for problem in error.errors():
            name = "WATCHFLOOR_" + "_".join(str(part) for part in problem["loc"]).upper()
            typer.echo(f"{name}: {problem['msg']}, got {without_password(repr(problem['input']))}.", err=True)
        raise typer.Exit(2) from error


def _console() -> Any:
    from rich.console import Console

    return Console(highlight=False)


def _process(name: str, **given: Any) -> Any:
    import structlog

    from watchfloor import __version__
    from watchfloor.logs import configure_process

    settings = _settings(**given)
    configure_process(settings, name)
    structlog.get_logger().info("process.started", version=__version__)
    return settings


@app.command()
def up(host: Host = None, port: Port = None, data_dir: DataDir = None, flows: Flows = None) -> None:
    """Start the whole product and print its address with a one-time login link."""
    from watchfloor.up import UpError, up

    settings = _settings(host=host, port=port, data_dir=data_dir, flows_dir=flows)
    try:
        code = up(settings, _console())
    except UpError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    raise typer.Exit(code)


@app.command()
def web(host: Host = None, port: Port = None) -> None:
    """Run the web process: pages, live gateway and REST API."""
    import os

    settings = _settings(host=host, port=port)
    os.environ |= {"WATCHFLOOR_HOST": settings.host, "WATCHFLOOR_PORT": str(settings.port)}
    from watchfloor.web import main

    main(settings)


@app.command()
def executor(
    partition: Annotated[int | None, typer.Option(help="Which partition of the events.", show_default="0")] = None,
) -> None:
    """Run the executor of one partition: the reducer, timers and schedules. A second one there waits as a standby."""
    settings = _process("executor", partition=partition)
    with loading():
        from streaming.executor import main

    main(settings)


@app.command()
def logs() -> None:
    """Run the log writer: log lines into the store."""
    settings = _process("logs")
    with loading():
        from streaming.logwriter import main

    main(settings)


@app.command()
def worker(processes: Annotated[int | None, typer.Option(help="Tasks run at once.")] = None) -> None:
    """Run a worker, on this or any machine that reaches the same Redis."""
    settings = _process("worker", worker_processes=processes)
    with loading():
        from engine.worker.main import main

    raise typer.Exit(main(settings))


@app.command()
def run(
    flow: Annotated[Path, typer.Argument(help="Flow file.", exists=True, dir_okay=False)],
    inputs: Annotated[list[str] | None, typer.Option("--input", "-i", help="NAME=VALUE; may be repeated.")] = None,
    labels: Annotated[list[str] | None, typer.Option("--label", "-l", help="KEY=VALUE; may be repeated.")] = None,
    resume: Annotated[bool, typer.Option(help="Resume at once wherever it pauses.")] = False,
    alone: Annotated[bool, typer.Option(help="Run it in a private engine even if a product runs.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Execute a flow file and follow it here.

    Exit code: 0 SUCCESS or WARNING, 1 FAILED, 130 KILLED or CANCELLED, 2 for a broken file or a wrong input.
    """
    from redis.exceptions import RedisError

    from data import StoreUnavailable
    from watchfloor.run import Options, run
    from watchfloor.valkey import ValkeyError

    settings = _settings(data_dir=data_dir)
    options = Options(_pairs("--input", inputs), _pairs("--label", labels), resume, alone)
    try:
        code = run(settings, flow, options, _console())
    except (ValkeyError, StoreUnavailable, RedisError) as error:
        typer.echo(f"The engine can't be reached: {error}", err=True)
        raise typer.Exit(1) from error
    raise typer.Exit(code)


@app.command()
def load(
    rate: Annotated[float, typer.Option(help="Events a second.", min=0.1)] = 100,
    seconds: Annotated[float, typer.Option(help="How long.", min=0.1)] = 60,
    alive: Annotated[int, typer.Option(help="Executions at a time.", min=1)] = 200,
    seed: Annotated[int, typer.Option(help="The same seed gives the same states.")] = 0,
    data_dir: DataDir = None,
) -> None:
    """Send synthetic executions, labelled as such, through the real event stream."""
    import redis

    settings = _settings(data_dir=data_dir)
    from streaming.advice import explained
    from streaming.bus import Bus
    from streaming.load import load
    from watchfloor.urls import without_password

    bus = Bus.of(settings)
    try:
        bus.ping()
        typer.echo(f"Sending {rate:g} events/s for {seconds:g} s to {without_password(settings.resolved_redis_url)}")
        sent = load(bus, rate, seconds, seed=seed, alive=alive)
    except redis.RedisError as error:
        typer.echo(f"Redis does not answer: {explained(error)}. `watchfloor up` starts the product.", err=True)
        raise typer.Exit(1) from error
    finally:
        bus.close()
    typer.echo(
        f"Sent {sent.events:,} events of {sent.executions:,} executions in {sent.seconds:.1f} s "
        f"({sent.events / sent.seconds:,.0f}/s, at worst {sent.behind * 1000:.0f} ms late)."
    )


@app.command()
def seed(
    executions: Annotated[int, typer.Option(help="How many.", min=1)] = 10_000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same past.")] = 0,
    data_dir: DataDir = None,
) -> None:
    """Write a synthetic past into the store, labelled as such."""
    import time

    settings = _settings(data_dir=data_dir)
    from data import Store
    from data.seed import seed as write

    settings.data_dir.mkdir(parents=True, exist_ok=True)
    store = Store(settings.resolved_database_url)
    typer.echo(f"Writing {executions:,} synthetic executions")
    began = time.monotonic()
    try:
        store.migrate()
        write(store, executions, seed=seed, progress=lambda done: typer.echo(f"{done:,} of {executions:,}"))
    finally:
        store.close()
    typer.echo(f"Done in {time.monotonic() - began:.1f} s.")


@app.command()
def migrate(data_dir: DataDir = None) -> None:
    """Bring the database's tables to this version's. Starting an executor or the log writer does so too."""
    settings = _settings(data_dir=data_dir)
    from data import Store
    from data.errors import DataError

    store = Store(settings.resolved_database_url)
    try:
        typer.echo(f"The tables are of version {store.migrate()}.")
    except DataError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    finally:
        store.close()


@app.command()
def prune(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would go.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Remove now what retention (WATCHFLOOR_RETENTION) doesn't keep; the executor and the log writer do it."""
    from redis.exceptions import RedisError

    from data import StoreUnavailable
    from watchfloor.prune import prune

    settings = _settings(data_dir=data_dir)
    try:
        code = prune(settings, _console(), dry_run=dry_run)
    except (StoreUnavailable, RedisError) as error:
        typer.echo(f"The product can't be reached: {error}. Start it with `watchfloor up` first.", err=True)
        raise typer.Exit(1) from error
    raise typer.Exit(code)


@app.command()
def doctor(data_dir: DataDir = None, flows: Flows = None) -> None:
    """Check the set-up: what is wrong, and how to mend it. Exit code 1 if something is broken."""
    from watchfloor.doctor import doctor

    raise typer.Exit(doctor(_settings(data_dir=data_dir, flows_dir=flows), _console()))


def _pairs(option: str, given: list[str] | None) -> dict[str, str]:
    pairs = {}
    for text in given or []:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise typer.BadParameter(f"expected NAME=VALUE, got {text!r}", param_hint=option)
        pairs[name] = value
    return pairs


if __name__ == "__main__":
    app()
