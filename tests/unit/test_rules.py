"""Each rule of docs/states.md and docs/flow-files.md that has a case in ``rules/``: see ``rule_world`` for the form."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine.flow import Flow, FlowError, Retry, Task
from engine.flow.base import Model
from engine.flow.retry import RETRIES
from engine.flow.tasks import TASKS
from tests.unit.reducer_world import flow_of, from_store
from tests.unit.rule_world import Case, RuleWorld, cases, plain, replayed

TESTS = Path(__file__).parents[1]
DOCS = TESTS.parent / "docs"
PAGES = {name: (DOCS / name).read_text(encoding="utf-8") for name in ("states.md", "flow-files.md")}
CASES = list(cases())
RULES = sorted({case.rule for case in CASES})
RULED = PAGES["states.md"].split("## Actions\n")[1]
"""From here on the page says nothing but rules."""
ELSEWHERE = {
    "Where a worker has it meanwhile, its claim keeps the second delivery from running": (
        "integration/test_worker_runner.py::test_a_duplicate_delivery_is_dropped_at_the_claim"
    ),
    "**Kill** ends running tasks with SIGTERM to their whole process group": (
        "integration/test_worker_runner.py::test_a_kill_ends_the_whole_family_even_what_left_the_group"
    ),
    "Flow triggers that wait for the new state hear of it": (
        "integration/test_executor_triggers.py::test_a_flow_trigger_hears_of_an_end_that_a_person_gives"
    ),
    "The audit stays": "integration/test_delete.py::test_what_is_ticked_goes_and_the_rest_stays",
    "Pages that show it say that it is gone": (
        "browser/test_retention.py::test_rows_leave_the_table_and_an_execution_says_that_it_is_gone"
    ),
    "A worker that is told to stop (SIGTERM) starts nothing new": (
        "integration/test_worker_celery.py::test_a_worker_told_to_stop_lets_its_task_finish"
    ),
    "What runs has `WATCHFLOOR_STOP_GRACE` to end": (
        "integration/test_worker_celery.py::test_a_worker_told_to_stop_ends_what_takes_longer_and_gives_it_back"
    ),
    "Deploying a new version fails nothing": (
        "integration/test_deploy.py::test_each_process_is_killed_once_and_nothing_is_lost_or_run_twice"
    ),
    "The newest revision's limit rules: raised, those that wait begin at once": (
        "integration/test_concurrency.py::test_a_higher_limit_lets_those_begin_that_wait"
    ),
    "`GET /concurrency-limit/search` lists who holds how many": (
        "integration/test_api_triggers.py::test_flows_with_a_limit_are_listed"
    ),
}
"""Rules that only real workers, executors or pages can show, and the test that does."""
LEADING = (
    "What becomes of one more, its `behavior` says:",
    "`sla` says what must hold for every execution of a flow, and what happens when one of them breaks it",
    "is broken",
    "Over the task runs of one level (the flow's own, or those of a task that holds others):",
)
"""What leads to the rules that follow."""


def sentences(text: str) -> list[str]:
    """The sentences of lists and paragraphs, and what the rows of tables say at their end."""
    found = []
    for block in re.split(r"\n(?=\s*- )|\n\n|\n(?=\|)", text):
        said = plain(re.sub(r"^\s*- ", "", block))
        if said.startswith("|"):
            said = said.strip("| ").rpartition(" | ")[2]
        if said and not said.startswith(("#", "---")):
            found += [one.rstrip(".") for one in re.split(r"(?<=\.) (?=[A-Z`*])", said)]
    return [one for one in found if one not in LEADING]


NO_RULES = {"description", "triggers", "logLevel"}
"""Keys that steer nothing (triggers have tests of their own), or only what a worker keeps."""
MODELS = {Flow, *RETRIES.types.values(), *(kind for kind in TASKS.types.values() if kind.flowable)}


def keys_in_cases() -> dict[type[Model], set[str]]:
    """By model the keys that are written in the flows of cases."""
    found: dict[type[Model], set[str]] = {}
    for case in CASES:
        for source in (case.body["flow"], *case.body.get("flows", {}).values()) if "expect" in case.body else ():
            flow = flow_of(source)
            found.setdefault(Flow, set()).update(flow.raw)
            for holder in (flow, *(task for task, _ in flow.walk())):
                found.setdefault(type(holder), set()).update(holder.raw)
                if holder.retry is not None:
                    found.setdefault(type(holder.retry), set()).update(holder.retry.model_fields_set)
    return found


ACTIONS, OTHERS = RULED.split("\n- **Restart**", 1)
SENTENCES = sentences(ACTIONS.rpartition("|\n")[2] + "\n- **Restart**" + OTHERS)


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
def test_each_rule_has_a_case_or_a_test_elsewhere(sentence: str) -> None:
    rules = [plain(rule).rstrip(".") for rule in [*RULES, *ELSEWHERE]]
    assert any(rule in sentence or sentence in rule for rule in rules)


def test_every_key_of_flows_and_of_tasks_that_steer_others_is_in_a_case() -> None:
    written = keys_in_cases()
    common = set().union(*written.values())
    for model in MODELS:
        childless = {"errors"} if getattr(model, "BRANCHES", None) == () else set()
        own = {field.alias or name for name, field in model.model_fields.items()} - NO_RULES - childless
        shared = set(Task.model_fields) | set(Retry.model_fields)
        assert own - shared <= written.get(model, set()), model
        assert own & shared <= common, model


@pytest.mark.parametrize(("rule", "test"), ELSEWHERE.items())
def test_what_is_tested_elsewhere_stands_in_the_document_and_is_tested(rule: str, test: str) -> None:
    assert rule in plain(RULED)
    file, _, name = test.partition("::")
    assert f"def {name}(" in (TESTS / file).read_text(encoding="utf-8")
