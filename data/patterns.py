"""Regular expressions that can't run away: matched by sets of states, in a time that grows with the text alone.

The dialect is what people use in filters: characters, ``.``, classes ``[a-z]``, ``\\d \\w \\s`` and their opposites,
groups, ``|``, ``* + ? {2,5}`` and the anchors ``^ $``. A text matches where the expression is found anywhere in it,
letter case counts. There are no back references, look-arounds or word boundaries, so no text makes it slow; how long
an expression may be, and how large with its repetitions written out, is bounded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache

MAX_LENGTH = 200  # characters of an expression
MAX_STATES = 2_000  # of the automaton, repetitions written out
_MAX_REPEATS = 100
_REMEMBERED = 5_000  # steps of the automaton kept, the rest is worked out anew

Accepts = Callable[[str], bool]


class PatternError(ValueError):
    """The text is no expression of this dialect; says where and why."""


class Pattern:
    """A compiled expression: ``finds(text)``."""

    def __init__(self, source: str) -> None:
        if len(source) > MAX_LENGTH:
            raise PatternError(f"expected at most {MAX_LENGTH} characters, got {len(source)}")
        self._machine = _Machine()
        start, end = _Parser(source, self._machine).parse()
        self._final = end
        self._first = frozenset([start])
        self._steps: dict[tuple[frozenset[int], str], frozenset[int]] = {}

    def finds(self, text: str) -> bool:
        """Whether the expression is found anywhere in ``text``."""
        machine, final = self._machine, self._final
        states = machine.reach(self._first, at_start=True, at_end=not text)
        last = len(text) - 1
        for index, char in enumerate(text):
            if final in states:
                return True
            states = self._step(states, char) if index != last else machine.step(states, char, self._first, True)
        return final in states

    def _step(self, states: frozenset[int], char: str) -> frozenset[int]:
        found = self._steps.get((states, char))
        if found is None:
            found = self._machine.step(states, char, self._first, False)
            if len(self._steps) < _REMEMBERED:
                self._steps[states, char] = found
        return found


@lru_cache(maxsize=128)
def pattern(source: str) -> Pattern:
    """The compiled expression. Raises ``PatternError``."""
    return Pattern(source)


class _Machine:
    """States with edges that take a character, and edges that take none (``at``: only at that end of the text)."""

    def __init__(self) -> None:
        self._takes: list[list[tuple[Accepts, int]]] = []
        self._free: list[list[tuple[str, int]]] = []

    def state(self) -> int:
        if len(self._takes) >= MAX_STATES:
            raise PatternError("the expression is too large with its repetitions written out")
        self._takes.append([])
        self._free.append([])
        return len(self._takes) - 1

    def take(self, source: int, accepts: Accepts, target: int) -> None:
        self._takes[source].append((accepts, target))

    def free(self, source: int, target: int, at: str = "") -> None:
        self._free[source].append((at, target))

    def reach(self, states: Iterable[int], *, at_start: bool, at_end: bool) -> frozenset[int]:
        """The states and what is reached from them without a character."""
        found = set(states)
        waiting = list(found)
        while waiting:
            for at, target in self._free[waiting.pop()]:
                allowed = not at or (at == "^" and at_start) or (at == "$" and at_end)
                if allowed and target not in found:
                    found.add(target)
                    waiting.append(target)
        return frozenset(found)

    def step(self, states: frozenset[int], char: str, first: frozenset[int], at_end: bool) -> frozenset[int]:
        """Where ``char`` leads; the expression may begin behind it too."""
        reached = {target for state in states for accepts, target in self._takes[state] if accepts(char)}
        return self.reach(reached | first, at_start=False, at_end=at_end)


_CLASSES: dict[str, Accepts] = {
    "d": str.isdecimal,
    "w": lambda char: char.isalnum() or char == "_",
    "s": str.isspace,
}
_CONTROLS = {"t": "\t", "n": "\n", "r": "\r"}
_Part = Callable[[], tuple[int, int]]


class _Parser:
    """Reads an expression into a machine. A part is a function that makes its states, so that it can be repeated."""

    def __init__(self, source: str, machine: _Machine) -> None:
        self._source = source
        self._machine = machine
        self._at = 0
        self._depth = 0

    def parse(self) -> tuple[int, int]:
        part = self._choice()
        if self._at < len(self._source):
            raise self._wrong("this parenthesis closes nothing")
        return part()

    def _wrong(self, why: str) -> PatternError:
        return PatternError(f"not a regular expression we know: {why} (character {self._at + 1} of {self._source!r})")

    def _peek(self) -> str:
        return self._source[self._at : self._at + 1]

    def _next(self) -> str:
        char = self._peek()
        self._at += 1
        return char

    def _choice(self) -> _Part:
        parts = [self._sequence()]
        while self._peek() == "|":
            self._at += 1
            parts.append(self._sequence())
        return parts[0] if len(parts) == 1 else self._either(parts)

    def _either(self, parts: list[_Part]) -> _Part:
        def make() -> tuple[int, int]:
            start, end = self._machine.state(), self._machine.state()
            for part in parts:
                first, last = part()
                self._machine.free(start, first)
                self._machine.free(last, end)
            return start, end

        return make

    def _sequence(self) -> _Part:
        parts = []
        while self._peek() not in ("", "|", ")"):
            parts.append(self._repeated(self._atom()))

        def make() -> tuple[int, int]:
            start = end = self._machine.state()
            for part in parts:
                first, last = part()
                self._machine.free(end, first)
                end = last
            return start, end

        return make

    def _repeated(self, part: _Part) -> _Part:
        bounds = {"*": (0, None), "+": (1, None), "?": (0, 1)}.get(self._peek())
        if bounds is not None:
            self._at += 1
        elif self._peek() == "{":
            bounds = self._bounds()
        else:
            return part
        if self._peek() == "?":  # as few as possible: the same texts match
            self._at += 1
        if self._peek() and self._peek() in "*+?{":
            raise self._wrong("a repetition of a repetition needs parentheses")
        return self._times(part, *bounds)

    def _bounds(self) -> tuple[int, int | None]:
        close = self._source.find("}", self._at)
        low, comma, high = self._source[self._at + 1 : max(close, self._at)].partition(",")
        if close < 0 or not low.isdecimal() or (high and not high.isdecimal()):
            raise self._wrong("expected {2}, {2,} or {2,5}")
        least, most = int(low), int(high) if high else None if comma else int(low)
        if max(least, most or 0) > _MAX_REPEATS or (most is not None and most < least):
            raise self._wrong(f"expected a repetition of at most {_MAX_REPEATS}, the smaller number first")
        self._at = close + 1
        return least, most

    def _times(self, part: _Part, least: int, most: int | None) -> _Part:
        def make() -> tuple[int, int]:
            start = end = self._machine.state()
            for _ in range(least):
                end = self._then(end, part)
            if most is None:
                loop = self._machine.state()
                self._machine.free(end, loop)
                self._machine.free(self._then(loop, part), loop)
                return start, loop
            ends = [end]
            for _ in range(most - least):
                end = self._then(end, part)
                ends.append(end)
            final = self._machine.state()
            for each in ends:
                self._machine.free(each, final)
            return start, final

        return make

    def _then(self, end: int, part: _Part) -> int:
        first, last = part()
        self._machine.free(end, first)
        return last

    def _atom(self) -> _Part:
        char = self._next()
        if char == "(":
            return self._group()
        if char in "^$":
            return self._anchor(char)
        if char == "[":
            return self._taking(self._set())
        if char == ".":
            return self._taking(lambda other: other != "\n")
        if char == "\\":
            return self._taking(self._escape())
        if char in "*+?{":
            self._at -= 1
            raise self._wrong(f"nothing stands before {char!r} that could be repeated")
        return self._taking(_same(char))

    def _group(self) -> _Part:
        if self._source.startswith("?:", self._at):
            self._at += 2
        elif self._peek() == "?":
            raise self._wrong("look-arounds, flags and named groups are not known here")
        self._depth += 1
        if self._depth > 20:
            raise self._wrong("parentheses are nested too deep")
        part = self._choice()
        if self._next() != ")":
            raise self._wrong("a parenthesis is not closed")
        self._depth -= 1
        return part

    def _anchor(self, at: str) -> _Part:
        def make() -> tuple[int, int]:
            start, end = self._machine.state(), self._machine.state()
            self._machine.free(start, end, at)
            return start, end

        return make

    def _taking(self, accepts: Accepts) -> _Part:
        def make() -> tuple[int, int]:
            start, end = self._machine.state(), self._machine.state()
            self._machine.take(start, accepts, end)
            return start, end

        return make

    def _escape(self) -> Accepts:
        char = self._next()
        if char in _CONTROLS:
            return _same(_CONTROLS[char])
        if known := _CLASSES.get(char.lower()):
            return known if char.islower() else _not(known)
        if not char or char.isalnum():
            raise self._wrong(f"\\{char} is not known here" if char else "nothing stands behind the backslash")
        return _same(char)

    def _set(self) -> Accepts:
        opposite = self._peek() == "^"
        self._at += opposite
        parts: list[Accepts] = []
        while self._peek() != "]" or not parts:
            char = self._next()
            if not char:
                raise self._wrong("a bracket is not closed")
            if char == "\\":
                parts.append(self._escape())
            elif self._peek() == "-" and self._source[self._at + 1 : self._at + 2] not in ("", "]"):
                self._at += 1
                parts.append(self._range(char))
            else:
                parts.append(_same(char))
        self._at += 1
        accepts: Accepts = lambda other: any(part(other) for part in parts)  # noqa: E731
        return _not(accepts) if opposite else accepts

    def _range(self, low: str) -> Accepts:
        high = self._next()
        if high == "\\":
            high = self._next()
        if not high or high < low:
            raise self._wrong("expected a range such as a-z, the smaller one first")
        return lambda other: low <= other <= high


def _same(char: str) -> Accepts:
    return lambda other: other == char


def _not(accepts: Accepts) -> Accepts:
    return lambda other: not accepts(other)
