"""What several explanations may take together, so that many that are each within bounds are bounded too."""

from __future__ import annotations

from weft_language.expressions.limits import CHARS_PER_STEP


class Effort:
    """Shares: each explanation may take its part of what those before it left.

    steps: that the one of the moment may still evaluate.  values: that it may still show, a long text being several.
    """

    __slots__ = ("_count", "_steps", "_values", "steps", "values")

    def __init__(self, steps: int, values: int, count: int) -> None:
        self.steps = self.values = 0
        self._steps, self._values, self._count = steps, values, count

    def next(self) -> Effort:
        """Begin the next of them."""
        self._steps += self.steps
        self._values += self.values
        self._count = max(1, self._count)
        self.steps, self.values = self._steps // self._count, self._values // self._count
        self._steps -= self.steps
        self._values -= self.values
        self._count -= 1
        return self

    def show(self, chars: int = 0) -> bool:
        """Whether there was room for one more value. chars: of its text."""
        self.values -= 1 + chars // CHARS_PER_STEP
        return self.values >= 0
