"""How what somebody wrote becomes a part of an expression or template: always as a value, never as code."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from weft_language.expressions import escape
from weft_language.expressions.literals import quoted

_WORD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def literal(value: Any) -> Any:
    """A template that renders to exactly this JSON value: its texts are no templates."""
    if isinstance(value, str):
        return escape(value)
    if isinstance(value, list | tuple):
        return [literal(one) for one in value]
    if isinstance(value, dict):
        return {name: literal(one) for name, one in value.items()}
    return value


def texts(values: Iterable[str]) -> str:
    """A CEL list of texts."""
    return "[" + ", ".join(quoted(value) for value in values) + "]"


def path(root: str, field: str) -> str:
    """The CEL of a field below `root`: words between dots lead inside, any other name is one field."""
    words = field.split(".")
    if all(_WORD.match(word) for word in words):
        return ".".join((root, *words))
    # Braces are written as what they stand for: in an expression's text they could be taken for those of a template.
    name = quoted(field).replace("{", r"\u007b").replace("}", r"\u007d")
    return f"{root}[{name}]"
