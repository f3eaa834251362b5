"""Results: bounded, and told apart into plain JSON and what needs converting, in one walk."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from weft_language.expressions.errors import LIMIT, TYPE, ExpressionError
from weft_language.expressions.limits import DEPTH, INT_MAX, INT_MIN, RESULT_BYTES, Frame
from weft_language.expressions.values import CelType, Uint, spoken
from weft_language.expressions.wording import storable, to_json

_SMALL: Final = 2
_WALKED_PER_STEP: Final = 2
_SPECIAL: Final = (datetime, timedelta, CelType, Uint)


def check_size(value: Any, frame: Frame | None = None) -> bool:
    """Refuse a result of more than RESULT_BYTES as JSON, about, or nested deeper than DEPTH.

    frame: of the evaluation that gave it, which the walk is counted in; the result itself is not refused for it.
    Returns: whether it is plain JSON as it stands, so that nothing needs converting.
    Raises: ExpressionError (expression_limit); expression_type for what is no CEL value.
    """
    left, plain, depth = RESULT_BYTES, True, 0
    level: list[Any] = [value]
    while level:
        if depth > DEPTH:
            raise ExpressionError(LIMIT, f"the result is nested over {DEPTH} levels")
        below: list[Any] = []
        for current in level:
            kind = type(current)
            if kind is str:
                left -= len(current) + _SMALL
                plain = plain and storable(current)
            elif kind is int:
                left -= _SMALL
                plain = plain and INT_MIN <= current <= INT_MAX
            elif kind is float:
                left -= _SMALL
                plain = plain and math.isfinite(current)
            elif kind is bool or current is None:
                left -= _SMALL
            elif kind is list:
                left -= len(current) + _SMALL
                if left >= 0:
                    below += current
            else:
                left, plain = _take(current, below, left, plain)
            if left < 0:
                hint = "take a smaller part of it"
                raise ExpressionError(LIMIT, f"the result is larger than {RESULT_BYTES} bytes; {hint}")
        if frame is not None:
            frame[0] -= len(below) // _WALKED_PER_STEP
        level = below
        depth += 1
    return plain


def _take(value: Any, below: list[Any], left: int, plain: bool) -> tuple[int, bool]:
    """Count a map and put its values on the next level, or count what is no JSON. Gives what is left, and whether all is plain."""
    if isinstance(value, Mapping):
        left -= 4 * len(value) + _SMALL
        if left < 0:
            return left, plain
        below += value.values()
        plain = plain and type(value) is dict
        for key in value:
            if type(key) is str:
                left -= len(key)
                plain = plain and storable(key)
            else:
                plain = False
        return left, plain
    if type(value) is bytes:
        return left - len(value) * 4 // 3 - _SMALL, False
    if isinstance(value, _SPECIAL):
        return left - _SMALL, False
    raise ExpressionError(TYPE, f"the result is {spoken(value)}, which is no CEL value")


def result_json(value: Any, frame: Frame | None = None) -> Any:
    """A result as a JSON value, bounded. Parameters and errors: as `check_size` and `to_json`."""
    return value if check_size(value, frame) else to_json(value)
