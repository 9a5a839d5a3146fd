"""Runs of mixed executions in which processes are killed, connections cut and held, and the disk is full for a while.

Each seed is run twice: undisturbed, then with faults at random moments, each kind at least once. The two are equal when
every execution has the same states in the same order, labels, outputs, task runs, attempts, metrics and log lines in
both, apart from attempts that were RESUBMITTED and from outputs and lines of killed ones; when no attempt ran twice,
nothing is left lying (timers, outbox, slots, jobs), the kept counts are those of a recount; and when a page that was
open all the time shows what the store says.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from benchmarks.chaos.drive import NotEnded, Run, schedule
from benchmarks.chaos.mix import draw, watched
from benchmarks.chaos.outcome import Outcome, differences
from benchmarks.chaos.world import NoDisk, world
from benchmarks.results import value, write
from scripts.postgresql import Cluster, postgres
from watchfloor.product import ProductError

SEEDS, QUICK_SEEDS = 20, 2
EXECUTIONS, QUICK_EXECUTIONS = 200, 40
ASKED_WITHIN = 15.0  # seconds: the executions
HAPPEN_WITHIN = 20.0  # seconds: the faults
LIMIT = 300.0  # seconds; how quick it must be, the bar says
MORE = 3  # faults beyond one of each kind


class Case(msgspec.Struct, frozen=True):
    """What is run for each seed: of all faults ``only`` one kind, or all ``without`` some; in a database of
    ``cluster``, else in SQLite; ``keep`` is a folder for what unequal runs said."""

    executions: int
    only: str | None = None
    without: tuple[str, ...] = ()
    cluster: Cluster | None = None
    keep: Path | None = None


class Verdict(msgspec.Struct, frozen=True):
    """Of one seed: what is not equal, what came out of the disturbed run, the faults that happened by kind, how the
    watcher was answered, and how many seconds that took."""

    said: list[str]
    got: Outcome | None
    happened: Counter[str]
    answers: Counter[str]
    seconds: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--seeds", type=int, help="how many")
    parser.add_argument("--first", type=int, default=1, help="the first one")
    parser.add_argument("--executions", type=int)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--only", help="this kind of fault alone")
    parser.add_argument("--without", action="append", default=[], help="not this kind of fault")
    parser.add_argument("--keep", type=Path, help="a folder for what unequal runs said")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # so that what was started is ended
    seeds = options.seeds or (QUICK_SEEDS if options.quick else SEEDS)
    count = options.executions or (QUICK_EXECUTIONS if options.quick else EXECUTIONS)
    with _cluster(options.database) as cluster:
        case = Case(count, options.only, tuple(options.without), cluster, options.keep)
        try:
            verdicts = [_told(seed, one(seed, case)) for seed in range(options.first, options.first + seeds)]
        except NoDisk as error:
            sys.exit(str(error))
    name = f"{count} executions" + (" on PostgreSQL" if cluster else "")
    got = [verdict.got for verdict in verdicts if verdict.got]
    happened = sum((verdict.happened for verdict in verdicts), Counter())
    print(f"faults: {', '.join(f'{n} {kind}' for kind, n in happened.items())}", file=sys.stderr)
    figures = {
        "seeds not equal to the undisturbed run": (sum(bool(verdict.said) for verdict in verdicts), "seeds"),
        "attempts that ran twice": (sum(len(outcome.twice) for outcome in got), "attempts"),
        "attempts RESUBMITTED": (sum(outcome.resubmitted for outcome in got), "attempts"),
        "kinds of faults": (len(happened), "kinds"),
        "faults": (happened.total(), "faults"),
        "slowest disturbed run": (max(verdict.seconds for verdict in verdicts), "s"),
    }
    for words, (figure, unit) in figures.items():
        write(value("faults", f"{name}: {words}", figure, unit, seeds))


@contextmanager
def _cluster(database: str) -> Iterator[Cluster | None]:
    """A server whose commits survive its processes; nobody cuts the power."""
    if database == "sqlite":
        yield None
        return
    with postgres(synchronous_commit="on") as cluster:
        yield cluster


def _told(seed: int, verdict: Verdict) -> Verdict:
    for words in verdict.said[:20]:
        print(f"seed {seed}: {words}", file=sys.stderr)
    equal = "NOT equal" if verdict.said else "equal"
    resubmitted = verdict.got and verdict.got.resubmitted
    page = ", ".join(f"{n} {how}" for how, n in sorted(verdict.answers.items()))
    print(f"seed {seed}: {equal}, {resubmitted} resubmitted, {verdict.seconds:.0f} s; page: {page}", file=sys.stderr)
    return verdict


def one(seed: int, case: Case) -> Verdict:
    """Run one seed, calm and then with faults. Raises ``NoDisk``."""
    plan = draw(seed, case.executions, ASKED_WITHIN * case.executions / EXECUTIONS)
    seen, disk = watched(plan), case.only in (None, "disk") and "disk" not in case.without
    verdict = Verdict([], None, Counter(), Counter(), 0.0)
    with tempfile.TemporaryDirectory(prefix="wf-") as folder:
        home = Path(folder)
        try:
            with world(home / "calm", seen, disk=False, cluster=case.cluster) as calm:
                expected = Run(calm, plan, [], LIMIT).outcome()
            with world(home / "storm", seen, disk=disk, cluster=case.cluster) as storm:
                kinds = [case.only] if case.only else [kind for kind in storm.faults if kind not in case.without]
                run = Run(storm, plan, schedule(seed, kinds, HAPPEN_WITHIN, MORE), LIMIT)
                verdict = msgspec.structs.replace(verdict, happened=run.happened, answers=storm.watcher.answers)
                began = time.monotonic()
                try:
                    got = run.outcome()
                finally:
                    verdict = msgspec.structs.replace(verdict, seconds=time.monotonic() - began)
            verdict = msgspec.structs.replace(verdict, got=got, said=differences(expected, got))
        except (NotEnded, ProductError) as error:
            verdict = msgspec.structs.replace(verdict, said=[str(error)])
        if verdict.said and case.keep is not None:
            kept = case.keep / f"seed-{seed}"
            shutil.copytree(home, kept, ignore=shutil.ignore_patterns("data"), dirs_exist_ok=True)
    return verdict


if __name__ == "__main__":
    main()
