"""Each rule of docs/states.md and docs/flow-files.md that has a case in ``rules/``: see ``rule_world`` for the form."""

from __future__ import annotations

from pathlib import Path

import pytest
from reducer_world import flow_of, from_store
from rule_world import Case, RuleWorld, cases, plain, replayed

from engine.flow import FlowError

DOCS = Path(__file__).parents[2] / "docs"
PAGES = {name: plain((DOCS / name).read_text(encoding="utf-8")) for name in ("states.md", "flow-files.md")}
CASES = list(cases())


@pytest.mark.parametrize("case", [case for case in CASES if "expect" in case.body], ids=str)
def test_rule(case: Case) -> None:
    world = RuleWorld(case).play(case)
    assert replayed(world) == {name: from_store(execution) for name, execution in world.executions.items()}


@pytest.mark.parametrize("case", [case for case in CASES if "refused" in case.body], ids=str)
def test_refused(case: Case) -> None:
    with pytest.raises(FlowError) as refused:
        flow_of(case.body["flow"])
    assert [str(violation) for violation in refused.value.violations] == case.body["refused"]


@pytest.mark.parametrize("rule", sorted({case.rule for case in CASES}))
def test_rules_stand_in_the_documents(rule: str) -> None:
    assert any(plain(rule) in page for page in PAGES.values())
