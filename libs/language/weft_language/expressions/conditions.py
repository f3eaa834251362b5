"""Conditions as data, for builders: `{all|any|none: [...]}` over `{left, op, right}`. They mean, and compile to, CEL.

left: a path or another CEL expression, as text.  right: a JSON value; a text that is one `{{ expression }}` is that expression.
`changed`, `changed_to` and `changed_from` compare the row before and after: `left` is a field of the row, read from
`trigger.payload.old` and `trigger.payload.new`, with or without that prefix.  `before`, `after` and `within` compare times; `within` takes
a duration from now, either way.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

from weft_language.expressions.errors import LIMIT, SYNTAX, VALUE, ExpressionError
from weft_language.expressions.expression import Expression, compile_expression, compile_generated
from weft_language.expressions.literals import quoted
from weft_language.model.durations import InvalidDuration, parse_duration

MAX_DEPTH: Final = 20
MAX_CONDITIONS: Final = 500
_JOINS: Final = {"all": " && ", "any": " || ", "none": " || "}
_ROWS: Final = ("trigger.payload.new.", "trigger.payload.old.", "trigger.payload.")


def compile_conditions(data: Any) -> Expression:
    """The expression that conditions mean; its text is their CEL. Raises: ExpressionError, with the pointer of what is wrong."""
    return compile_generated(_group(data, "", 0, [MAX_CONDITIONS]))


def _group(data: Any, pointer: str, depth: int, left: list[int]) -> str:
    left[0] -= 1
    if depth > MAX_DEPTH or left[0] < 0:
        message = f"conditions are at most {MAX_CONDITIONS}, nested at most {MAX_DEPTH} levels"
        raise ExpressionError(LIMIT, message, pointer=pointer)
    if not isinstance(data, dict):
        raise _wrong("a condition is an object: {all|any|none: [...]} or {left, op, right}", pointer)
    words = [word for word in _JOINS if word in data]
    if not words:
        return _comparison(data, pointer)
    if len(words) > 1 or len(data) > 1:
        raise _wrong(f"a group of conditions has one member: all, any or none, not {', '.join(map(str, data))}", pointer)
    (word,) = words
    members = data[word]
    if not isinstance(members, list):
        raise _wrong(f"`{word}` holds a list of conditions", f"{pointer}/{word}")
    parts = [_group(member, f"{pointer}/{word}/{place}", depth + 1, left) for place, member in enumerate(members)]
    if not parts:
        return "false" if word == "any" else "true"
    joined = f"({_JOINS[word].join(parts)})"
    return f"!{joined}" if word == "none" else joined


def _comparison(data: dict[str, Any], pointer: str) -> str:
    unknown = set(data) - {"left", "op", "right"}
    if unknown or not isinstance(data.get("left"), str) or not isinstance(data.get("op"), str):
        raise _wrong("a condition is {left, op, right}: `left` a path or expression, `op` an operator", pointer)
    operation = OPERATIONS.get(data["op"])
    if operation is None:
        known = ", ".join(OPERATIONS)
        raise ExpressionError(VALUE, f"there is no operator {data['op'][:40]!r}; use one of {known}", pointer=f"{pointer}/op")
    try:
        compile_expression(data["left"])
    except ExpressionError as error:
        error.pointer = f"{pointer}/left"
        raise
    try:
        return f"({operation(data['left'].strip(), data)})"
    except ExpressionError as error:
        error.pointer = f"{pointer}/right"
        raise


def _wrong(message: str, pointer: str) -> ExpressionError:
    return ExpressionError(SYNTAX, message, pointer=pointer)


def _value(value: Any) -> str:
    """A JSON value as CEL."""
    if isinstance(value, str):
        stripped = value.strip()
        if stripped.startswith("{{") and stripped.endswith("}}"):
            inner = stripped[2:-2].strip()
            compile_expression(inner)
            return f"({inner})"
        return quoted(value)
    if isinstance(value, list):
        return f"[{', '.join(_value(item) for item in value)}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{quoted(str(key))}: {_value(item)}" for key, item in value.items()) + "}"
    if isinstance(value, float) and value.is_integer():
        return f"{value:.1f}" if abs(value) < 1e15 else repr(value)
    return json.dumps(value)


def _right(data: dict[str, Any]) -> str:
    if "right" not in data:
        raise ExpressionError(SYNTAX, f"the operator {data['op']} needs `right`")
    return _value(data["right"])


def _infix(operator: str) -> Callable[[str, dict[str, Any]], str]:
    return lambda left, data: f"({left}) {operator} {_right(data)}"


def _method(name: str) -> Callable[[str, dict[str, Any]], str]:
    return lambda left, data: f"({left}).{name}({_right(data)})"


def _contains(left: str, data: dict[str, Any]) -> str:
    right = _right(data)
    return f"type({left}) == string ? ({left}).contains({right}) : {right} in ({left})"


def _exists(left: str, data: dict[str, Any]) -> str:
    return f"has({left})" if "." in left or "[" in left else "true"


def _empty(left: str, data: dict[str, Any]) -> str:
    value = f"default({left}, null)"
    return f"{value} == null || (type({value}) in [string, list, map] && size({value}) == 0)"


def _between(left: str, data: dict[str, Any]) -> str:
    bounds = data.get("right")
    if not isinstance(bounds, list) or len(bounds) != 2:
        raise ExpressionError(VALUE, "`between` takes two bounds: [low, high], both included")
    return f"({left}) >= {_value(bounds[0])} && ({left}) <= {_value(bounds[1])}"


def _time(operator: str) -> Callable[[str, dict[str, Any]], str]:
    return lambda left, data: f"date({left}) {operator} date({_right(data)})"


def _within(left: str, data: dict[str, Any]) -> str:
    try:
        seconds = parse_duration(data.get("right", ""))
    except (InvalidDuration, TypeError, AttributeError) as error:
        raise ExpressionError(VALUE, f"`within` takes a duration such as 3d: {error}") from error
    span = f"duration('{seconds:f}s')"
    return f"date({left}) >= now - {span} && date({left}) <= now + {span}"


def _row(left: str, side: str) -> str:
    field = next((left.removeprefix(prefix) for prefix in _ROWS if left.startswith(prefix)), left)
    return f"default(trigger.payload.{side}.{field}, null)"


def _changed(left: str, data: dict[str, Any]) -> str:
    return f"{_row(left, 'old')} != {_row(left, 'new')}"


def _changed_to(left: str, data: dict[str, Any]) -> str:
    return f"{_changed(left, data)} && {_row(left, 'new')} == {_right(data)}"


def _changed_from(left: str, data: dict[str, Any]) -> str:
    return f"{_changed(left, data)} && {_row(left, 'old')} == {_right(data)}"


def _not(operation: Callable[[str, dict[str, Any]], str]) -> Callable[[str, dict[str, Any]], str]:
    return lambda left, data: f"!({operation(left, data)})"


OPERATIONS: Final[dict[str, Callable[[str, dict[str, Any]], str]]] = {
    "eq": _infix("=="),
    "ne": _infix("!="),
    "lt": _infix("<"),
    "lte": _infix("<="),
    "gt": _infix(">"),
    "gte": _infix(">="),
    "in": _infix("in"),
    "not_in": _not(_infix("in")),
    "contains": _contains,
    "not_contains": _not(_contains),
    "starts_with": _method("startsWith"),
    "ends_with": _method("endsWith"),
    "matches": _method("matches"),
    "exists": _exists,
    "not_exists": _not(_exists),
    "is_empty": _empty,
    "is_not_empty": _not(_empty),
    "changed": _changed,
    "changed_to": _changed_to,
    "changed_from": _changed_from,
    "between": _between,
    "before": _time("<"),
    "after": _time(">"),
    "within": _within,
}
