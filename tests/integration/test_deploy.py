"""Two web processes, two executors, three workers over PostgreSQL and Redis: each is killed once while flows run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from engine.states import TERMINAL, State
from scripts.redisserver import redis_server
from tests.integration.fleet import Fleet, running
from tests.integration.homes import Homes

FLOWS = {
    "work.yaml": """
id: work
namespace: tests.fleet
inputs:
  - {{id: n, type: INT}}
tasks:
  - id: both
    type: io.kestra.plugin.core.flow.Parallel
    tasks:
      - id: mark
        type: io.kestra.plugin.scripts.shell.Commands
        commands:
          - echo "{{{{ taskrun.id }}}} {{{{ taskrun.attemptsCount }}}}" >> {marks}
          - sleep 0.3
      - {{id: say, type: io.kestra.plugin.core.log.Log, message: "number {{{{ inputs.n }}}}"}}
  - id: below
    type: io.kestra.plugin.core.flow.Subflow
    namespace: tests.fleet
    flowId: below
    wait: true
  - id: last
    type: io.kestra.plugin.core.flow.If
    condition: "{{{{ inputs.n % 5 == 0 }}}}"
    then:
      - {{id: fail, type: io.kestra.plugin.core.execution.Fail, errorMessage: "every fifth fails"}}
""",
    "below.yaml": """
id: below
namespace: tests.fleet
tasks:
  - id: mark
    type: io.kestra.plugin.scripts.shell.Commands
    commands: ['echo "{{{{ taskrun.id }}}} {{{{ taskrun.attemptsCount }}}}" >> {marks}']
""",
}
EXECUTIONS = 40


VICTIMS = ("executor-0", "worker-0", "web-0", "executor-1", "worker-1", "logs-0", "web-1", "worker-2")


@pytest.fixture(scope="module")
def fleet(homes: Homes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    folder = tmp_path_factory.mktemp("fleet")
    for name in ("flows", "redis"):
        (folder / name).mkdir()
    for name, source in FLOWS.items():
        (folder / "flows" / name).write_text(source.format(marks=folder / "marks"))
    url = "redis://:secret@127.0.0.1:{port}/0"
    with (
        homes.fresh("postgresql", folder) as database_url,
        redis_server(folder / "redis", url=url, requirepass="secret", appendonly="yes") as port,
        running(folder, url.format(port=port), database_url, web=2, executor=2, logs=1, worker=3) as made,
    ):
        made.until(lambda: made.call(1, "/api/v1/main/flows/tests.fleet/below"), "the flows")
        yield made


def ask(fleet: Fleet, number: int) -> str:
    """One more execution, asked of one or the other web process; once, for whoever asks twice gets two."""
    web = number % len(fleet.ports)
    fleet.until(lambda: fleet.call(web, "/health"), "the web process")
    return fleet.execute(web, "tests.fleet/work", n=str(number))


def test_each_process_is_killed_once_and_nothing_is_lost_or_run_twice(fleet: Fleet) -> None:
    asked: dict[str, int] = {}
    for victim in VICTIMS:
        for _ in range(EXECUTIONS // len(VICTIMS)):
            asked[ask(fleet, len(asked))] = len(asked)
        fleet.kill(victim)
        if victim.startswith("web"):
            assert fleet.shown(1 - int(victim[-1])), "the other one goes on"
        fleet.start(victim)
    total = 2 * EXECUTIONS  # each has a subflow
    fleet.until(lambda: sum(State(s) in TERMINAL for s in fleet.shown(0).values()) == total, "all ends")
    fleet.until(lambda: fleet.ready(0) and fleet.ready(1), "all ready")

    shown = fleet.shown(0)
    assert shown == fleet.shown(1)
    assert len(shown) == total
    assert {n: shown[i] for i, n in asked.items()} == {n: "SUCCESS" if n % 5 else "FAILED" for n in asked.values()}
    marks = Counter((fleet.folder / "marks").read_text().split("\n")[:-1])
    assert max(marks.values()) == 1, "an attempt runs once"
    runs = {mark.split()[0] for mark in marks}
    assert len(runs) == total
    assert len(marks) - len(runs) <= 6, "a second attempt only where a worker was killed: three, of two tasks each"


def test_login_rates_count_for_the_address_behind_the_proxy_over_all_web_processes(fleet: Fleet) -> None:
    def wrong(number: int, address: str) -> str:
        with pytest.raises(OSError, match=r"^(401|429)") as refused:
            fleet.call(number % 2, "/api/v1/main/executions/search", password="no", **{"X-Forwarded-For": address})
        return str(refused.value)[:3]

    assert "429" in [wrong(number, "10.1.1.1") for number in range(5)]
    assert wrong(0, "10.1.1.2") == "401"
    assert wrong(0, "10.1.1.2, 10.1.1.1") == "429", "only what the nearest proxy says is believed"
