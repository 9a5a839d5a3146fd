"""Runs of mixed executions in which processes are killed, connections cut and held, and the disk is full for a while.

Each seed is run twice: undisturbed, then with faults at random moments, each kind at least once. The two are equal when
every execution has the same state, task runs, attempts, outputs and log lines in both, apart from attempts that were
RESUBMITTED and from outputs and lines of killed ones, and no attempt ran twice.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.chaos.drive import NotEnded, Run, schedule
from benchmarks.chaos.mix import draw
from benchmarks.chaos.outcome import Outcome, differences
from benchmarks.chaos.world import world
from benchmarks.results import value, write

SEEDS, QUICK_SEEDS = 20, 2
EXECUTIONS, QUICK_EXECUTIONS = 200, 40
ASKED_WITHIN = 15.0  # seconds
LIMIT = 55.0
MORE = 3  # faults beyond one of each kind


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--seeds", type=int, help="how many")
    parser.add_argument("--first", type=int, default=1, help="the first one")
    parser.add_argument("--executions", type=int)
    parser.add_argument("--only", help="this kind of fault alone")
    parser.add_argument("--keep", type=Path, help="a folder for what unequal runs said")
    options = parser.parse_args()
    seeds = options.seeds or (QUICK_SEEDS if options.quick else SEEDS)
    count = options.executions or (QUICK_EXECUTIONS if options.quick else EXECUTIONS)
    unequal = twice = resubmitted = 0
    slowest = 0.0
    for seed in range(options.first, options.first + seeds):
        said, got, seconds = one(seed, count, options.only, options.keep)
        slowest = max(slowest, seconds)
        unequal += bool(said)
        twice += len(got.twice) if got else 0
        resubmitted += got.resubmitted if got else 0
        for words in said[:20]:
            print(f"seed {seed}: {words}", file=sys.stderr)
        print(
            f"seed {seed}: {'NOT equal' if said else 'equal'}, {got and got.resubmitted} resubmitted", file=sys.stderr
        )
    case = f"{count} executions"
    write(value("faults", f"{case}: seeds not equal to the undisturbed run", unequal, "seeds", seeds))
    write(value("faults", f"{case}: attempts that ran twice", twice, "attempts", seeds))
    write(value("faults", f"{case}: attempts RESUBMITTED", resubmitted, "attempts", seeds))
    write(value("faults", f"{case}: slowest disturbed run", slowest, "s", seeds))


def one(seed: int, count: int, only: str | None, keep: Path | None = None) -> tuple[list[str], Outcome | None, float]:
    """One seed: what is not equal, what came out of the disturbed run, and how many seconds that took."""
    plan = draw(seed, count, ASKED_WITHIN * count / EXECUTIONS)
    with tempfile.TemporaryDirectory(prefix="wf-") as folder:
        home = Path(folder)
        with world(home / "calm", disk=False) as calm:
            expected = Run(calm, plan, [], LIMIT).outcome()
        try:
            with world(home / "storm", disk=True) as storm:
                kinds = [only] if only else storm.faults
                faults = schedule(seed, kinds, max(6.0, plan[-1].at), MORE)
                began = time.monotonic()
                try:
                    got = Run(storm, plan, faults, LIMIT).outcome()
                finally:
                    seconds = time.monotonic() - began
        except NotEnded as error:
            said, got = [str(error)], None
        else:
            said = differences(expected, got)
        if said and keep is not None:
            shutil.copytree(
                home / "storm", keep / f"seed-{seed}", ignore=shutil.ignore_patterns("data"), dirs_exist_ok=True
            )
    return said, got, seconds


if __name__ == "__main__":
    main()
