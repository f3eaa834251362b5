"""What a stretch of work spends on all of its expressions together, so that many that are each within bounds are bounded too."""

from __future__ import annotations

from contextvars import ContextVar, Token
from types import TracebackType
from typing import Final

from weft_language.expressions.errors import LIMIT, ExpressionError
from weft_language.expressions.limits import STEPS

TOGETHER_STEPS: Final = 2 * STEPS
"""What the expressions of one node, or of one template, may take together."""


class Meter:
    """Counts the steps of the expressions that are evaluated within its `with`.

    limit: what they may take together, None for no bound.  spent: so far.
    """

    __slots__ = ("_around", "_limit", "_token", "_until", "spent")

    def __init__(self, limit: int | None = None) -> None:
        self.spent = 0
        self._limit = self._until = limit
        self._around: Meter | None = None
        self._token: Token[Meter | None] | None = None

    def __enter__(self) -> Meter:
        self._around = _METER.get()
        self._token = _METER.set(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None) -> None:
        if self._token is not None:
            _METER.reset(self._token)

    def renew(self) -> None:
        """Let what follows take the whole limit again, and that of whoever measures a longer stretch around this one."""
        if self._limit is not None:
            self._until = self.spent + self._limit
        if self._around is not None:
            self._around.renew()

    def take(self, steps: int) -> None:
        """Count steps, also for who measures a longer stretch around this one. Raises: ExpressionError (expression_limit)."""
        self.spent += steps
        if self._around is not None:
            self._around.take(steps)
        if self._until is not None and self.spent > self._until:
            message = f"the expressions here take more than {self._limit} steps together; work on shorter lists or texts"
            raise ExpressionError(LIMIT, message)


_METER: Final[ContextVar[Meter | None]] = ContextVar("weft expressions", default=None)


def take(steps: int) -> None:
    """Tell whoever measures that so many steps were spent. Raises: ExpressionError (expression_limit)."""
    meter = _METER.get()
    if meter is not None:
        meter.take(steps)


def renew() -> None:
    """Let what follows take the whole limit of whoever measures again: it is about something else."""
    meter = _METER.get()
    if meter is not None:
        meter.renew()
