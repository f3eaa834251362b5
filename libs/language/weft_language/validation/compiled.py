"""Expressions and templates, compiled once per validation and shared by the layers."""

from functools import lru_cache

from weft_language.expressions import Expression, ExpressionError, Template, compile_expression, compile_template

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
