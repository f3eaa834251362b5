"""Expressions behind one small port: CEL, compiled once to closures, bounded, without side effects, able to say why."""

from weft_language.expressions.conditions import compile_conditions
from weft_language.expressions.errors import ExpressionError
from weft_language.expressions.explaining import Explanation
from weft_language.expressions.expression import Expression, compile_expression, int_divisions
from weft_language.expressions.template import Template, compile_template
from weft_language.expressions.wording import to_json

__all__ = [
    "Explanation",
    "Expression",
    "ExpressionError",
    "Template",
    "compile_conditions",
    "compile_expression",
    "compile_template",
    "int_divisions",
    "to_json",
]
