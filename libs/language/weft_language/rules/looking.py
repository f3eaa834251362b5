"""What an event makes of each condition of a rule, one by one: how a rule is tried, and why it did not match."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from weft_language.compilation.following import holds
from weft_language.expressions import ExpressionError, compile_conditions, compile_expression
from weft_language.rules.compiling import parts_of
from weft_language.rules.model import RuleFields


@dataclass(frozen=True, slots=True)
class Look:
    """One condition. pointer: to it in the rule.  held: None where it cannot be evaluated.  error: why.  condition: as `Explanation`."""

    pointer: str
    held: bool | None
    error: str | None
    condition: dict[str, Any]


def looks(rule: RuleFields, names: Mapping[str, Any]) -> list[Look]:
    """Every condition, each on its own. names: what the trigger's expressions read."""
    return [_look(pointer, part, names) for pointer, part in parts_of(rule)]


def _look(pointer: str, part: dict[str, Any] | str, names: Mapping[str, Any]) -> Look:
    expression = compile_expression(part) if isinstance(part, str) else compile_conditions(part)
    tree = expression.explain(names).to_dict()
    try:
        return Look(pointer, holds(expression, names), None, tree)
    except ExpressionError as error:
        return Look(pointer, None, error.message, tree)
