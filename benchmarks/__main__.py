"""Run benchmarks one after the other and hold their figures against ``bars.toml``: exit code 1 where one isn't met."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

HERE = Path(__file__).parent
FIGURES = ("p50", "p95", "p99", "value")
_NOT_BENCHES = {"__init__", "__main__", "results", "product", "loader", "subscribers"}


def names() -> list[str]:
    """All benchmarks: the modules of this folder."""
    return sorted(path.stem for path in HERE.glob("*.py") if path.stem not in _NOT_BENCHES)


def run(name: str, options: list[str]) -> list[dict[str, Any]]:
    """Run one benchmark in a process of its own, its JSON lines passed on as they come."""
    command = [sys.executable, "-m", f"benchmarks.{name}", *options]
    results = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=HERE.parent) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            if line.startswith("{"):
                results.append(json.loads(line))
    if process.returncode:
        raise SystemExit(f"benchmark {name} failed with exit code {process.returncode}")
    return results


def bars() -> dict[tuple[str, str], dict[str, float]]:
    """(bench, case) -> figure name -> the most it may be (``min_…``: the least)."""
    with (HERE / "bars.toml").open("rb") as file:
        entries = tomllib.load(file)["bar"]
    return {(entry.pop("bench"), entry.pop("case")): entry for entry in entries}


def missed(result: dict[str, Any], bar: dict[str, float]) -> list[str]:
    """Which bars of ``bar`` the result does not meet, in words."""
    words = []
    for figure, limit in bar.items():
        at_least = figure.startswith("min_")
        got = result[figure.removeprefix("min_")]
        if (got < limit) if at_least else (got > limit):
            words.append(f"{figure.removeprefix('min_')} {got} {'<' if at_least else '>'} {limit}")
    return words


def report(results: list[dict[str, Any]], whole: bool) -> bool:
    """Print the table; whether every bar is met, in a ``whole`` run also those of cases that gave no figure."""
    table = Table("bench", "case", "n", *FIGURES, "unit", "bar")
    known, good = bars(), True
    for result in results:
        bar = known.get((result["bench"], result["case"]))
        misses = missed(result, bar) if bar else []
        good = good and not misses
        verdict = "" if bar is None else "[red]missed: " + ", ".join(misses) if misses else "[green]met"
        figures = [str(result.get(figure, "")) for figure in FIGURES]
        table.add_row(result["bench"], result["case"], str(result["n"]), *figures, result["unit"], verdict)
    for bench, case in sorted(known.keys() - {(r["bench"], r["case"]) for r in results}) if whole else ():
        if bench in {result["bench"] for result in results}:
            good = False
            table.add_row(bench, case, *[""] * (len(FIGURES) + 2), "[red]missed: no figure")
    Console(stderr=True, width=None if sys.stderr.isatty() else 140).print(table)
    return good


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help=f"which ones, of: {', '.join(names())} (default: all)")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter cases, to see that they work")
    options, others = parser.parse_known_args()
    if others and len(options.names) != 1:
        parser.error(f"{' '.join(others)}: options of one benchmark need its name alone")
    unknown = set(options.names) - set(names())
    if unknown:
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are: {', '.join(names())}")
    passed = [*(["--quick"] if options.quick else []), *others]
    results = [result for name in options.names or names() for result in run(name, passed)]
    sys.exit(not report(results, whole=not passed))


if __name__ == "__main__":
    main()
