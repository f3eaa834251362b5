"""Expressions and templates, compiled once per validation and shared by the layers."""

from functools import lru_cache
from typing import Any

from weft_language.expressions import Expression, ExpressionError, Template, compile_conditions, compile_expression, compile_template

Path = tuple[str, ...]


@lru_cache(maxsize=2048)
def expression(text: str) -> Expression | ExpressionError:
    """The compiled expression, or why there is none."""
    try:
        return compile_expression(text)
    except ExpressionError as error:
        return error


@lru_cache(maxsize=2048)
def template(text: str) -> Template | ExpressionError:
    """The compiled template of one text, or why there is none."""
    try:
        return compile_template(text)
    except ExpressionError as error:
        return error


def conditions(data: Any) -> Expression | ExpressionError:
    """The expression that conditions as data mean, or why there is none."""
    try:
        return compile_conditions(data)
    except ExpressionError as error:
        return error
