"""The one error of expressions: what is wrong, and where in the template."""

from __future__ import annotations


class ExpressionError(ValueError):
    """An expression can't be read or evaluated. ``line`` and ``column`` count from 1; 0 means not known."""

    def __init__(self, message: str, line: int = 0, column: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column

    def __str__(self) -> str:
        return f"{self.message} (line {self.line}, column {self.column})" if self.line else self.message


class LimitExceeded(ExpressionError):
    """An expression took too long, or made something too large."""
