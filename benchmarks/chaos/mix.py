"""What is executed: flows whose ends, outputs and lines don't depend on when anything happens."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.product import PASSWORD
from engine.ids import dated_id
from engine.model import Trigger
from streaming.messages import ExecutionCreated

NAMESPACE = "tests.faults"
FLOWS = Path(__file__).with_name("flows")
NAMES = sorted(path.stem for path in FLOWS.glob("*.yaml"))
WEIGHTS = {
    "sequence": 5,
    **dict.fromkeys(("parallel", "retried", "parent", "paused", "killed", "chatty", "limited"), 2),
}


class Planned(msgspec.Struct, frozen=True):
    """One execution that is asked for ``at`` so many seconds after the start."""

    number: int
    flow: str
    id: str
    at: float

    def event(self) -> ExecutionCreated:
        """What asks for it; the same event however often it is sent."""
        trigger = Trigger("manual", "manual")
        moment = datetime.now(UTC)
        return ExecutionCreated(
            f"create-{self.id}",
            self.id,
            moment,
            NAMESPACE,
            self.flow,
            1,
            inputs={"n": str(self.number)},
            trigger=trigger,
        )


def write_flows(folder: Path, side: Path) -> None:
    """The flow files; each attempt that runs notes its name in the file ``side``."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in NAMES:
        text = (FLOWS / f"{name}.yaml").read_text()
        (folder / f"{name}.yaml").write_text(text.replace("SIDE", str(side)))


def draw(seed: int, count: int, seconds: float) -> list[Planned]:
    """``count`` executions spread over ``seconds``: each flow at least once, where there are enough."""
    luck = random.Random(seed)
    drawn = NAMES + luck.choices(NAMES, [WEIGHTS.get(name, 1) for name in NAMES], k=max(0, count - len(NAMES)))
    luck.shuffle(drawn)
    times = sorted(luck.uniform(0, seconds) for _ in range(count))
    return [
        Planned(number, name, dated_id(1_700_000_000_000 + number, "faults", seed, number), at)
        for number, (name, at) in enumerate(zip(drawn[:count], times, strict=True))
    ]


def options() -> dict[str, Any]:
    """Settings of the product for this: retries of attempts enough for every worker that is killed."""
    return {
        "WATCHFLOOR_TASK_MAX_RESUBMITS": "50",
        "WATCHFLOOR_KILL_GRACE": "2",
        "WATCHFLOOR_STOP_GRACE": "1",
        "WATCHFLOOR_LOG_LEVEL": "INFO",
        "WATCHFLOOR_ADMIN_PASSWORD": PASSWORD,
    }


def watched(plan: list[Planned]) -> list[str]:
    """The first execution of each flow: those that somebody looks at."""
    return list({planned.flow: planned.id for planned in reversed(plan)}.values())
