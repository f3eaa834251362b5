"""Conditions as data: `{all|any|none: [...]}` over `{left, op, right}`, compiled to CEL.

left: a path or any CEL expression (`trigger.payload.amount`, also as `{{ ... }}`). For `changed`, `changed_to` and
`changed_from`, which compare the rows `trigger.payload.old` and `trigger.payload.new` of a record trigger, the field:
`status`, `trigger.payload.status` or `trigger.payload.new.status`. A row or field that is absent counts as null.
right: a JSON value; a text with `{{ ... }}` is a template, so `"{{ vars.limit }}"` compares with a variable. Absent for
`exists`, `not_exists`, `is_empty`, `is_not_empty` and `changed`. `between` takes `[lowest, highest]`, both included;
`before` and `after` a time or day; `within` a duration around `now`, on either side.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

from weft_language.expressions.errors import LIMIT, SYNTAX, ExpressionError
from weft_language.expressions.expression import Expression, build_expression, compile_expression
from weft_language.expressions.limits import DEPTH, GENERATED_CHARS
from weft_language.expressions.literals import quoted
from weft_language.expressions.template import split

_GROUPS: Final = ("all", "any", "none")
_IGNORED: Final = "x-"
"""What members begin with that are kept for whoever wrote them, as everywhere in a definition."""
_UNARY: Final = frozenset({"exists", "not_exists", "is_empty", "is_not_empty", "changed"})
_ROW: Final = re.compile(r"(?:trigger\.payload\.(?:(?:new|old)\.)?)?([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)", re.ASCII)
_PATH: Final = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*|\[(?:\d+|\"[^\"\\]*\"|'[^'\\]*')\])+", re.ASCII)


def compile_conditions(data: Any) -> Expression:
    """The expression that conditions mean; its `text` is the CEL.

    data: a group, a single condition, or a list, which means `all` of it.
    Raises: ExpressionError with the `pointer` of the condition that is wrong: expression_syntax where the shape or an
    operator is unknown, and as `compile_expression`.
    """
    try:
        key = json.dumps(data, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        raise ExpressionError(SYNTAX, "conditions are plain JSON, not nested too deep") from None
    return _compile(key)


@lru_cache(maxsize=1024)
def _compile(key: str) -> Expression:
    return build_expression(_group(json.loads(key), "", 0), GENERATED_CHARS)


def _group(data: Any, pointer: str, depth: int) -> str:
    if depth > DEPTH // 4:
        raise ExpressionError(LIMIT, f"conditions are nested over {DEPTH // 4} levels", pointer=pointer)
    if isinstance(data, list):
        return _join("all", data, pointer, depth)
    if not isinstance(data, Mapping):
        raise ExpressionError(SYNTAX, f"a condition is {{left, op, right}} or {{all|any|none: [...]}}, not {data!r:.80}", pointer=pointer)
    data = {name: value for name, value in data.items() if not name.startswith(_IGNORED)}
    names = [name for name in data if name in _GROUPS]
    if not names:
        return _condition(data, pointer)
    if len(data) != 1:
        raise ExpressionError(
            SYNTAX, f"a group has one of all, any and none, and nothing beside it; here are {', '.join(data)}", pointer=pointer
        )
    name = names[0]
    if not isinstance(data[name], list):
        raise ExpressionError(SYNTAX, f"`{name}` holds a list of conditions", pointer=f"{pointer}/{name}")
    return _join(name, data[name], f"{pointer}/{name}", depth)


def _join(name: str, items: list[Any], pointer: str, depth: int) -> str:
    parts = [_group(item, f"{pointer}/{place}", depth + 1) for place, item in enumerate(items)]
    if not parts:
        return "false" if name == "any" else "true"
    joined = (" && " if name == "all" else " || ").join(f"({part})" for part in parts)
    return f"!({joined})" if name == "none" else joined


def _condition(data: Mapping[str, Any], pointer: str) -> str:
    unknown = [field for field in data if field not in ("left", "op", "right")]
    if unknown:
        raise ExpressionError(SYNTAX, f"a condition has left, op and right, no `{unknown[0]:.80}`", pointer=pointer)
    op, left = data.get("op"), data.get("left")
    if not isinstance(op, str) or op not in _OPERATORS:
        known = ", ".join(_OPERATORS)
        raise ExpressionError(SYNTAX, f"`op` is one of {known}, not {op!r:.80}", pointer=f"{pointer}/op")
    if not isinstance(left, str) or not left.strip():
        raise ExpressionError(SYNTAX, "`left` is a path or an expression", pointer=f"{pointer}/left")
    if op in _UNARY:
        if data.get("right") is not None:
            raise ExpressionError(SYNTAX, f"`{op}` takes no `right`", pointer=f"{pointer}/right")
    elif "right" not in data:
        raise ExpressionError(SYNTAX, f"`{op}` needs `right`", pointer=pointer)
    text = _OPERATORS[op](_left(left, op, f"{pointer}/left"), data.get("right"), f"{pointer}/right")
    try:
        build_expression(text, GENERATED_CHARS)
    except ExpressionError as error:
        error.pointer = pointer
        raise
    return text


def _left(left: str, op: str, pointer: str) -> str:
    text = left.strip()
    if op.startswith("changed"):
        found = _ROW.fullmatch(text)
        if found is None:
            raise ExpressionError(SYNTAX, f"`{op}` compares a field of a row, such as status, not `{text:.80}`", pointer=pointer)
        return found[1]
    if "{{" in text:
        parts = _split(text, pointer)
        if len(parts) != 1 or not isinstance(parts[0], Expression):
            raise ExpressionError(SYNTAX, "`left` is one expression", pointer=pointer)
        text = parts[0].text
    else:
        try:
            compile_expression(text)
        except ExpressionError as error:
            error.pointer = pointer
            raise
    return text if _PATH.fullmatch(text) or text.isidentifier() else f"({text})"


def _split(text: str, pointer: str) -> list[str | Expression]:
    try:
        return split(text)
    except ExpressionError as error:
        error.pointer = pointer
        raise


def _value(value: Any, pointer: str) -> str:
    """The CEL that stands for the right side."""
    if value is None or isinstance(value, bool | int):
        return json.dumps(value)
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, list):
        return "[" + ", ".join(_value(item, f"{pointer}/{place}") for place, item in enumerate(value)) + "]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{quoted(key)}: {_value(item, f'{pointer}/{key}')}" for key, item in value.items()) + "}"
    if "{{" not in value:
        return quoted(value)
    parts = _split(value, pointer)
    if len(parts) == 1 and isinstance(parts[0], Expression):
        return f"({parts[0].text})"
    return "(" + " + ".join(quoted(part) if isinstance(part, str) else f"text({part.text})" for part in parts) + ")"


def _plain(pattern: str) -> Callable[[str, Any, str], str]:
    return lambda left, right, pointer: pattern.format(left, _value(right, pointer))


def _text_or_list(left: str, right: Any, pointer: str) -> str:
    value = _value(right, pointer)
    if not isinstance(right, str):
        return f"{value} in {left}"
    return f"(type({left}) == string ? {left}.contains({value}) : {value} in {left})"


def _between(left: str, right: Any, pointer: str) -> str:
    if not isinstance(right, list) or len(right) != 2:
        raise ExpressionError(SYNTAX, "`between` takes [lowest, highest]", pointer=pointer)
    low, high = _value(right[0], f"{pointer}/0"), _value(right[1], f"{pointer}/1")
    return f"{left} >= {low} && {left} <= {high}"


def _within(left: str, right: Any, pointer: str) -> str:
    span = f"duration({_value(right, pointer)})"
    return f"date({left}) >= now - {span} && date({left}) <= now + {span}"


def _exists(left: str, right: Any, pointer: str) -> str:
    if not _PATH.fullmatch(left):
        raise ExpressionError(
            SYNTAX, f"`exists` asks for a path with a dot, not for {left:.80}", pointer=pointer.removesuffix("right") + "left"
        )
    return f"has({left})"


def _empty(left: str, right: Any, pointer: str) -> str:
    value = f"default({left}, null)" if _PATH.fullmatch(left) else left
    return f'({value} in [null, "", [], {{}}])'


def _changed(left: str, right: Any, pointer: str) -> str:
    return f"{_row('old', left)} != {_row('new', left)}"


def _row(which: str, field: str) -> str:
    return f"default(trigger.payload.{which}.{field}, null)"


_OPERATORS: Final[dict[str, Callable[[str, Any, str], str]]] = {
    "eq": _plain("{} == {}"),
    "ne": _plain("{} != {}"),
    "lt": _plain("{} < {}"),
    "lte": _plain("{} <= {}"),
    "gt": _plain("{} > {}"),
    "gte": _plain("{} >= {}"),
    "in": _plain("{} in {}"),
    "not_in": _plain("!({} in {})"),
    "contains": _text_or_list,
    "not_contains": lambda left, right, pointer: f"!({_text_or_list(left, right, pointer)})",
    "starts_with": _plain("{}.startsWith({})"),
    "ends_with": _plain("{}.endsWith({})"),
    "matches": _plain("{}.matches({})"),
    "exists": _exists,
    "not_exists": lambda left, right, pointer: f"!{_exists(left, right, pointer)}",
    "is_empty": _empty,
    "is_not_empty": lambda left, right, pointer: f"!{_empty(left, right, pointer)}",
    "changed": _changed,
    "changed_to": lambda left, right, pointer: f"{_changed(left, right, pointer)} && {_row('new', left)} == {_value(right, pointer)}",
    "changed_from": lambda left, right, pointer: f"{_changed(left, right, pointer)} && {_row('old', left)} == {_value(right, pointer)}",
    "between": _between,
    "before": _plain("date({}) < date({})"),
    "after": _plain("date({}) > date({})"),
    "within": _within,
}
