"""The folder of flow files against a real store: broken files, files that go, servers that are away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Event as Stop

import pytest

from data import Store
from engine.flow import parse_stored
from engine.flow_size import FlowSize
from streaming import codec, keys
from streaming.bus import Bus, Subscription
from streaming.executor import FlowFiles
from streaming.flow_commands import FlowCommands
from streaming.messages import FlowsChanged
from tests.integration.homes import only

GOOD = """
id: {id}
namespace: company.team
tasks:
  - id: one
    type: io.kestra.plugin.core.log.Log
    message: {message}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for flow files."""
    folder = tmp_path / "flows"
    folder.mkdir()
    return folder


@pytest.fixture
def control(bus: Bus) -> Iterator[Subscription]:
    """What is told to every process."""
    with bus.subscription(keys.CONTROL) as subscription:
        while not subscription.confirmed:
            subscription.get(0.1)
        yield subscription


def test_a_broken_file_is_told_and_its_last_good_revision_stays(folder: Path, store: Store, bus: Bus) -> None:
    files = FlowFiles(folder, store, bus)
    (folder / "a.yaml").write_text(GOOD.format(id="a", message="first"))
    assert files.sync() == [("company.team", "a")]
    (folder / "a.yaml").write_text(GOOD.format(id="a", message="second").replace("tasks:", "tusks:"))
    assert files.sync() == []
    (problem,) = store.flow_problems()
    assert problem.file == "a.yaml"
    stored = store.flow("company.team", "a")
    assert stored is not None
    assert (stored.revision, "first" in stored.source) == (1, True)
    (folder / "a.yaml").write_text(GOOD.format(id="a", message="third"))
    assert files.sync() == [("company.team", "a")]
    assert store.flow_problems() == []


def test_files_of_one_name_in_two_folders_have_each_their_problem(folder: Path, store: Store, bus: Bus) -> None:
    for name in ("x", "y"):
        (folder / name).mkdir()
        (folder / name / "a.yaml").write_text("id: [")
    FlowFiles(folder, store, bus).sync()
    assert [problem.file for problem in store.flow_problems()] == ["x/a.yaml", "y/a.yaml"]


def test_a_file_that_is_too_large_is_told_with_the_settings_name(folder: Path, store: Store, bus: Bus) -> None:
    source = "id: large\nnamespace: company.team\ntasks: [{id: a, type: io.kestra.plugin.core.log.Log, message: hi}]\n"
    (folder / "large.yaml").write_text(source)
    assert FlowFiles(folder, store, bus).sync() == [("company.team", "large")]
    (folder / "large.yaml").write_text(source + "# " + "x" * 1_000)
    assert FlowFiles(folder, store, bus, FlowSize(max_bytes=1_000)).sync() == []
    (problem,) = store.flow_problems()
    assert "expected at most 1,000 bytes (WATCHFLOOR_FLOW_MAX_BYTES)" in problem.violations[0]["message"]
    assert [flow.source for flow in store.flows()] == [source]


def test_a_broken_file_that_went_while_nobody_looked_is_no_problem_any_more(
    folder: Path, store: Store, bus: Bus
) -> None:
    (folder / "a.yaml").write_text("id: [")
    FlowFiles(folder, store, bus).sync()
    assert len(store.flow_problems()) == 1
    (folder / "a.yaml").unlink()
    FlowFiles(folder, store, bus).sync()
    assert store.flow_problems() == []


def test_what_the_api_makes_of_a_flow_stays_until_its_file_changes(folder: Path, store: Store, bus: Bus) -> None:
    commands, who = FlowCommands(store, bus), {"actor": "ada"}
    for name in "abc":
        (folder / f"{name}.yaml").write_text(GOOD.format(id=name, message="first"))
    FlowFiles(folder, store, bus).sync()
    commands.delete([("company.team", "a")], **who)
    commands.switch([("company.team", "b")], disabled=True, **who)
    commands.save(GOOD.format(id="c", message="edited"), **who)

    files = FlowFiles(folder, store, bus)  # another start
    assert files.sync() == []
    assert [(one.id, one.revision, one.disabled) for one in store.flows()] == [("b", 2, True), ("c", 2, False)]

    for name in "abc":
        (folder / f"{name}.yaml").write_text(GOOD.format(id=name, message="third"))
    assert len(files.sync()) == 3
    assert [(one.id, one.revision, one.disabled) for one in store.flows()] == [
        ("a", 3, False), ("b", 3, False), ("c", 3, False),
    ]  # fmt: skip


def test_what_was_accepted_once_is_switched_off_even_if_it_would_be_refused_now(store: Store, bus: Bus) -> None:
    head = "id: held\nnamespace: company.team\ntasks:\n"
    errors = "{id: told, type: io.kestra.plugin.core.log.Log, message: hi}"
    held = f"{head}  - {{id: wait, type: io.kestra.plugin.core.flow.Pause, errors: [{errors}]}}\n"
    store.save_flow(parse_stored(held))
    (switched,) = FlowCommands(store, bus, FlowSize(10, 10)).switch(
        [("company.team", "held")], disabled=True, actor="a"
    )
    assert (switched.revision, switched.disabled) == (2, True)


def test_a_file_that_went_and_came_back_is_taken_anew(folder: Path, store: Store, bus: Bus) -> None:
    path, source = folder / "a.yaml", GOOD.format(id="a", message="first")
    path.write_text(source)
    files = FlowFiles(folder, store, bus)
    files.sync()
    FlowCommands(store, bus).delete([("company.team", "a")], actor="ada")
    path.unlink()
    assert files.sync() == []
    assert store.flow_files() == {}
    path.write_text(source)
    assert files.sync() == [("company.team", "a")]
    assert store.flow("company.team", "a") is not None


@only("sqlite")
def test_what_was_saved_while_the_database_went_away_is_told_afterwards(
    folder: Path, store: Store, bus: Bus, control: Subscription, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = FlowFiles(folder, store, bus)
    for name in ("a", "b"):
        (folder / f"{name}.yaml").write_text(GOOD.format(id=name, message="x"))
    save, path, away = store.save_flow, folder.parent / "watchfloor.db", folder.parent / "away.db"

    def save_one(flow: object) -> object:
        saved = save(flow)  # type: ignore[arg-type]
        if not away.exists():
            path.rename(away)
        return saved

    monkeypatch.setattr(store, "save_flow", save_one)
    files.try_sync()
    assert control.get(0.2) is None
    away.rename(path)
    monkeypatch.undo()
    files.try_sync()
    heard = control.get(1)
    assert heard is not None
    assert codec.decode_control(heard[1]) == FlowsChanged((("company.team", "a"), ("company.team", "b")))


@only("sqlite")
def test_a_standby_leaves_the_flows_until_it_is_at_work(folder: Path, store: Store, bus: Bus) -> None:
    (folder / "a.yaml").write_text(GOOD.format(id="a", message="first"))
    files, stop, looks = FlowFiles(folder, store, bus), Stop(), []

    def works() -> bool:
        """A standby at three looks, then at work for one."""
        looks.append(len(store.flows()))
        if len(looks) == 4:
            stop.set()
        return len(looks) == 4

    files.watch(stop, works, seconds=0.01)
    assert looks == [0, 0, 0, 0]
    assert len(store.flows()) == 1
