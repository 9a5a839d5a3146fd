"""What is wrong with a flow file, said so that it can be mended: where, what was expected, what came."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec


class Violation(msgspec.Struct, frozen=True, order=True):
    """One problem. ``line`` and ``column`` count from 1; ``path`` is like ``tasks[2].then[0].duration``."""

    line: int
    column: int
    path: str
    message: str

    def __str__(self) -> str:
        where = f"line {self.line}, column {self.column}"
        return f"{where}: {self.path}: {self.message}" if self.path else f"{where}: {self.message}"


class FlowError(ValueError):
    """The source is not a flow. ``violations`` are all of its problems, in the order of the file."""

    def __init__(self, violations: Sequence[Violation]) -> None:
        self.violations = sorted(violations)
        super().__init__("\n".join(str(violation) for violation in self.violations))


def path_text(path: Sequence[str | int]) -> str:
    """``("tasks", 2, "then")`` as ``tasks[2].then``."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text
