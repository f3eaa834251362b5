"""The few expressions that generated programs use, evaluated by Python's own grammar: where both languages agree, and only there."""

from __future__ import annotations

import ast
import json
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

_BRACES: Final = re.compile(r"\{\{(.*?)\}\}")
_BINARY: Final[dict[type[Any], Callable[[Any, Any], Any]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Lt: operator.lt,
    ast.Gt: operator.gt,
    ast.LtE: operator.le,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_WORDS: Final = {"null": None, "true": True, "false": False}


@dataclass(frozen=True)
class Plain:
    """A value that is no template, whatever it looks like."""

    value: Any


class Missing(LookupError):
    """A path that does not exist."""


def evaluate(text: str, names: Mapping[str, Any]) -> Any:
    """The value of an expression. Raises: Missing."""
    return _value(_parsed(text.strip()), names)


def render(value: Any, names: Mapping[str, Any]) -> Any:
    """A JSON value with its templates filled in."""
    if isinstance(value, Plain):
        return value.value
    if isinstance(value, str):
        whole = _BRACES.fullmatch(value)
        if whole is not None:
            return evaluate(whole[1], names)
        return _BRACES.sub(lambda match: _text(evaluate(match[1], names)), value)
    if isinstance(value, dict):
        return {name: render(member, names) for name, member in value.items()}
    if isinstance(value, list):
        return [render(member, names) for member in value]
    return value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


@lru_cache(maxsize=4096)
def _parsed(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


def _value(node: ast.expr, names: Mapping[str, Any]) -> Any:
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name):
            return _WORDS[name] if name in _WORDS else _member(names, name)
        case ast.Attribute(value=owner, attr=name):
            return _member(_value(owner, names), name)
        case ast.BinOp(left=left, op=op, right=right):
            return _BINARY[type(op)](_value(left, names), _value(right, names))
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return _BINARY[type(op)](_value(left, names), _value(right, names))
        case ast.Call(func=ast.Name(id="default"), args=[path, other]):
            try:
                return _value(path, names)
            except Missing:
                return _value(other, names)
        case ast.List(elts=members):
            return [_value(member, names) for member in members]
    raise AssertionError(f"the shadow does not know this expression: {ast.unparse(node)}")


def _member(owner: Any, name: str) -> Any:
    if not isinstance(owner, Mapping) or name not in owner:
        raise Missing(name)
    return owner[name]
