"""Expressions: CEL behind one small port.

`compile_expression`, `compile_template` and `compile_conditions` give what is evaluated; all that can go wrong is an
`ExpressionError`. Syntax, functions, bounds and conformance: docs/reference/cel.md.
"""

from weft_language.expressions.conditions import compile_conditions
from weft_language.expressions.effort import Effort
from weft_language.expressions.equalities import Equality, equalities
from weft_language.expressions.errors import ExpressionError
from weft_language.expressions.explain import Explanation
from weft_language.expressions.expression import Expression, compile_expression, int_divisions, join_all
from weft_language.expressions.functions.calendars import DAYS, Calendar, calendar_named, compile_calendar, minutes_of
from weft_language.expressions.limits import STEPS
from weft_language.expressions.metering import TOGETHER_STEPS, Meter, renew
from weft_language.expressions.paths import CALENDARS
from weft_language.expressions.template import Template, compile_template, constant_template, escape
from weft_language.expressions.wording import to_json, to_text

__all__ = [
    "CALENDARS",
    "DAYS",
    "STEPS",
    "TOGETHER_STEPS",
    "Calendar",
    "Effort",
    "Equality",
    "Explanation",
    "Expression",
    "ExpressionError",
    "Meter",
    "Template",
    "calendar_named",
    "compile_calendar",
    "compile_conditions",
    "compile_expression",
    "compile_template",
    "constant_template",
    "equalities",
    "escape",
    "int_divisions",
    "join_all",
    "minutes_of",
    "renew",
    "to_json",
    "to_text",
]
