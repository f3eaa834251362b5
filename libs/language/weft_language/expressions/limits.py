"""The bounds of an expression. Beyond any of them evaluation ends in `expression_limit`, never in a hang.

A straight expression costs no more than its length allows, so only what repeats or copies is counted in steps:
comprehensions (items times the size of their body), lists and texts that are built, searched or compared.
"""

from __future__ import annotations

from typing import Any, Final

from weft_language.expressions.errors import LIMIT, ExpressionError

SOURCE_CHARS: Final = 4096
GENERATED_CHARS: Final = 65_536
"""Length of the CEL that conditions as data may compile to."""
DEPTH: Final = 96
"""Nesting of an expression, and of the values it compares, converts or returns."""
STEPS: Final = 250_000
"""About a twentieth of a second of computing: who evaluates holds up everybody else of the process for no longer."""
RESULT_BYTES: Final = 262_144
PATTERN_CHARS: Final = 1000
CHARS_PER_STEP: Final = 32

INT_MIN: Final = -(2**63)
INT_MAX: Final = 2**63 - 1
UINT_MAX: Final = 2**64 - 1

Frame = list[Any]
"""What one evaluation owns: [0] the steps it has left, [1:-1] the variables of its comprehensions, by slot, [-1] the patterns it used."""


def new_frame(slots: int) -> Frame:
    """A frame to evaluate in. slots: how many variables its comprehensions have."""
    return [STEPS] + [None] * (slots + 1)


def spend(frame: Frame, steps: int) -> None:
    """Take `steps` from what this evaluation has left. Raises: ExpressionError (expression_limit) when none remain."""
    frame[0] -= steps
    if frame[0] < 0:
        raise ExpressionError(LIMIT, f"the expression takes more than {STEPS} steps; work on a shorter list or text")


def spend_text(frame: Frame, chars: int) -> None:
    """Count a text of `chars` characters that is built or searched; one longer than a result may be is refused."""
    if chars > RESULT_BYTES:
        raise ExpressionError(LIMIT, f"a text of {chars} characters is over the limit of {RESULT_BYTES}")
    spend(frame, chars // CHARS_PER_STEP + 1)
