"""The documents say what the code says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dashboard.permissions import PERMISSIONS, Permission
from engine.states import ACTIONS, STATES, State, works_in
from watchfloor.cli import app
from watchfloor.settings import Settings

DOCS = Path(__file__).parents[2] / "docs"


def rows(page: str) -> dict[str, list[str]]:
    """First cell of each table row -> the other cells."""
    lines = (DOCS / page).read_text().splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    return {first: rest for first, *rest in cells}


@pytest.mark.parametrize("name", list(Settings.model_fields))
def test_each_setting_is_documented_with_its_default_and_meaning(name: str) -> None:
    field = Settings.model_fields[name]
    default = "" if field.default is None else f"`{field.default}`"
    assert rows("settings.md")[f"`WATCHFLOOR_{name.upper()}`"] == [default, field.description]


def test_no_setting_is_documented_that_does_not_exist() -> None:
    named = set(re.findall(r"WATCHFLOOR_([A-Z_]+)", (DOCS / "settings.md").read_text()))
    assert named - {"SECRET_API_KEY"} == {n.upper() for n in Settings.model_fields}


@pytest.mark.parametrize("page", ["deploy.md", "operations.md", "security.md"])
def test_other_pages_name_settings_that_exist(page: str) -> None:
    named = set(re.findall(r"WATCHFLOOR_([A-Z_]+)", (DOCS / page).read_text()))
    assert named
    assert named <= {n.upper() for n in Settings.model_fields}


@pytest.mark.parametrize("state", list(State))
def test_each_state_is_documented(state: State) -> None:
    info = STATES[state]
    of = " ".join(word for word, on in (("execution", info.of_execution), ("task run", info.of_task_run)) if on)
    assert rows("states.md")[state] == ["yes" if info.terminal else "no", of, info.letter, info.shape]


@pytest.mark.parametrize("action", list(ACTIONS))
def test_each_action_is_documented_with_the_states_it_works_in(action: str) -> None:
    info = ACTIONS[action]
    allowed = ", ".join(state for state in State if state in works_in(info.action))
    assert rows("states.md")[info.title] == [f"`{action}`", allowed, ", ".join(info.targets)]


@pytest.mark.parametrize("one", PERMISSIONS.values(), ids=lambda one: str(one.verb))
def test_each_permission_is_documented_with_its_least_role(one: Permission) -> None:
    least = one.least.title if one.least else "anybody signed in"
    assert rows("security.md")[f"`{one.verb}`"] == [least, one.title + ", with a role everywhere" * one.everywhere]


def test_the_readme_names_every_command_and_no_other() -> None:
    table = (DOCS.parent / "README.md").read_text().partition("## Commands")[2].partition("##")[0]
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    named = {text.removeprefix("watchfloor ").split()[0] for cell in cells for text in re.findall(r"`([^`]+)`", cell)}
    commands = [command.name or command.callback.__name__ for command in app.registered_commands if command.callback]
    assert named == {*commands, *(group.name for group in app.registered_groups)}


@pytest.mark.parametrize("page", ["README.md", "CHANGELOG.md"])
def test_no_line_stands_there_twice(page: str) -> None:
    lines = [line for line in (DOCS.parent / page).read_text().splitlines() if line.startswith(("- ", "## "))]
    assert len(lines) == len(set(lines))
