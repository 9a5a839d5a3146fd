"""Each rule of docs/states.md and docs/flow-files.md that has a case in ``rules/``: see ``rule_world`` for the form."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine.flow import FlowError
from tests.unit.reducer_world import flow_of, from_store
from tests.unit.rule_world import Case, RuleWorld, cases, plain, replayed

DOCS = Path(__file__).parents[2] / "docs"
PAGES = {name: (DOCS / name).read_text(encoding="utf-8") for name in ("states.md", "flow-files.md")}
CASES = list(cases())
RULES = sorted({case.rule for case in CASES})
ROLL_UP = PAGES["states.md"].split("## How task runs roll up")[1]
SENTENCES = [
    sentence.rstrip(".")
    for item in re.findall(r"(?<=\n)\s*- (.*?)(?=\n\s*- |\n\n|\Z)", ROLL_UP, re.DOTALL)
    for sentence in re.split(r"(?<=\.) (?=[A-Z`])", plain(item))
]


def is_told_at_once(case: Case) -> bool:
    """Whether all its workers answer, and nothing happens after that."""
    return "expect" in case.body and "then" not in case.body and None not in case.body.get("answers", {}).values()


@pytest.mark.parametrize("case", [case for case in CASES if "expect" in case.body], ids=str)
def test_rule(case: Case) -> None:
    world = RuleWorld(case).play(case)
    assert replayed(world) == {name: from_store(execution) for name, execution in world.executions.items()}


@pytest.mark.parametrize("case", [case for case in CASES if is_told_at_once(case)], ids=str)
def test_an_attempt_may_end_before_its_start_is_told(case: Case) -> None:
    wanted = {name: value for name, value in case.body["expect"].items() if name in ("state", "runs", "order", "error")}
    short = Case(case.file, case.rule, case.name, {**case.body, "expect": wanted})
    RuleWorld(short, started=False).play(short)


@pytest.mark.parametrize("case", [case for case in CASES if "refused" in case.body], ids=str)
def test_refused(case: Case) -> None:
    with pytest.raises(FlowError) as refused:
        flow_of(case.body["flow"])
    assert [str(violation) for violation in refused.value.violations] == case.body["refused"]


@pytest.mark.parametrize("rule", RULES)
def test_rules_stand_in_the_documents(rule: str) -> None:
    assert any(plain(rule) in plain(page) for page in PAGES.values())


@pytest.mark.parametrize("sentence", SENTENCES)
def test_each_sentence_on_how_task_runs_roll_up_has_a_case(sentence: str) -> None:
    rules = [plain(rule).rstrip(".") for rule in RULES]
    assert any(rule in sentence or sentence in rule for rule in rules)
