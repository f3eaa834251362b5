"""ExpressionError: the one thing that can go wrong with an expression, said precisely."""

from __future__ import annotations

from typing import Final

SYNTAX: Final = "expression_syntax"
PATH: Final = "expression_path"
TYPE: Final = "expression_type"
LIMIT: Final = "expression_limit"
ARITHMETIC: Final = "expression_arithmetic"
FUNCTION: Final = "expression_function"
VALUE: Final = "expression_value"
CALENDAR: Final = "unknown_calendar"


class ExpressionError(ValueError):
    """An expression that cannot be compiled or evaluated.

    code: stable; `expression_syntax` (not CEL), `expression_path` (reads what does not exist), `expression_type` (an
      operator or function got values of the wrong types), `expression_limit` (a bound was passed; the message names
      it), `expression_arithmetic` (overflow, division by zero, not finite), `expression_function` (no such function or
      wrong number of arguments), `expression_value` (right type, impossible value: a text that is no time, a bad
      pattern), `unknown_calendar` (names a business calendar that there is not).
    message: what is wrong and how to mend it, without the place.
    expression: the whole source text.  path: the missing path, for `expression_path`.
    position: (line, column) in the source, both from 1; None when the whole is meant.
    pointer: JSON pointer of the string inside the template or conditions it stands in; "" for the value itself.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        expression: str | None = None,
        path: str | None = None,
        position: tuple[int, int] | None = None,
        offset: int | None = None,
        pointer: str = "",
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.expression = expression or ""
        self.path = path
        self.position = position
        self.offset = offset
        self.pointer = pointer

    def at(self, offset: int) -> ExpressionError:
        """This error, told where in the source it happened unless it knows already."""
        if self.offset is None:
            self.offset = offset
        return self

    def locate(self, text: str) -> ExpressionError:
        """This error, told which source it happened in; the position follows from its offset."""
        if not self.expression:
            self.expression = text
            if self.position is None and self.offset is not None:
                before = text[: self.offset]
                self.position = (before.count("\n") + 1, self.offset - (before.rfind("\n") + 1) + 1)
        return self

    def __str__(self) -> str:
        shown = self.expression if len(self.expression) <= 200 else self.expression[:197] + "..."
        if not shown:
            return self.message
        if self.position is None:
            return f"{self.message} (in `{shown}`)"
        line, column = self.position
        return f"{self.message} (line {line}, column {column} of `{shown}`)"
