"""Explanations: what each part of an expression evaluated to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from weft_language.expressions import tree
from weft_language.expressions.compiler import Compiler
from weft_language.expressions.effort import Effort
from weft_language.expressions.errors import ExpressionError
from weft_language.expressions.limits import STEPS, Frame
from weft_language.expressions.paths import Evaluator, Names
from weft_language.expressions.tree import Node
from weft_language.expressions.wording import to_json

_CHILDREN_LIMIT: Final = 25
"""Parts shown of one part: a comprehension evaluates its body for each item, of which the first are shown."""
_PARTS_LIMIT: Final = 300
_TEXT_LIMIT: Final = 500
_ITEMS_LIMIT: Final = 20
_LEVELS_LIMIT: Final = 4
_VALUES_LIMIT: Final = 10_000
_SHORT: Final = 40
"""What is shown of a text, as of a list nothing but its length, where there is no room any more."""


@dataclass(slots=True)
class Explanation:
    """One part of an expression and what it gave.

    expression: its source text.  value: what it evaluated to; None with an error.  error: why it has no value.
    children: the parts that were evaluated for it, in the order in which they were; constants, and parts that were not
      needed, are left out.
    """

    expression: str
    value: Any = None
    error: ExpressionError | None = None
    children: list[Explanation] = field(default_factory=list)

    def to_dict(self, effort: Effort | None = None) -> dict[str, Any]:
        """The tree as bounded JSON, `{expression, value, error, children}`: what is cut says so, children may be left out.

        effort: what it is shown with; alone where absent.
        """
        return self._to_dict(effort or Effort(STEPS, _VALUES_LIMIT, 1).next())

    def _to_dict(self, effort: Effort) -> dict[str, Any]:
        effort.show(len(self.expression))
        error = None if self.error is None else {"code": self.error.code, "message": self.error.message}
        return {
            "expression": _cut_text(self.expression),
            "value": _shown(self.value, 0, effort),
            "error": error,
            "children": [child._to_dict(effort) for child in self.children if effort.values > 0],
        }


def _cut_text(text: str, most: int = _TEXT_LIMIT) -> str:
    return text if len(text) <= most else f"{text[:most]}... ({len(text)} characters)"


def _shown(value: Any, level: int, effort: Effort) -> Any:
    if type(value) is str:
        return _cut_text(value, _TEXT_LIMIT if effort.show(min(len(value), _TEXT_LIMIT)) else _SHORT)
    if type(value) is list:
        if level >= _LEVELS_LIMIT or not effort.show():
            return f"(a list of {len(value)})"
        kept = [_shown(item, level + 1, effort) for item in value[:_ITEMS_LIMIT]]
        return kept if len(value) <= _ITEMS_LIMIT else [*kept, f"... ({len(value)} items)"]
    if isinstance(value, Mapping):
        if level >= _LEVELS_LIMIT or not effort.show():
            return f"(a map of {len(value)})"
        keys = list(value)[:_ITEMS_LIMIT]
        out = {_cut_text(str(getattr(key, "value", key))): _shown(value[key], level + 1, effort) for key in keys}
        return out if len(value) <= _ITEMS_LIMIT else {**out, "...": f"({len(value)} entries)"}
    effort.show()
    try:
        shown = to_json(value)
    except ExpressionError as error:
        return f"({error.message})"
    return _cut_text(shown) if type(shown) is str else shown


class TracingCompiler(Compiler):
    """A compiler whose closures write down what they give. For one evaluation: `top.children[0]` is then its root."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.top = Explanation("")
        self._open = [self.top]
        self._parts = 0

    def compile(self, node: Node) -> Evaluator:
        """The closure of a node, with its trace unless it is a constant."""
        run = super().compile(node)
        return run if isinstance(node, tree.Literal) else self._traced(run, self._source(node))

    def _traced(self, run: Evaluator, text: str) -> Evaluator:
        stack = self._open

        def traced(names: Names, frame: Frame) -> Any:
            parent = stack[-1]
            part = Explanation(text)
            if len(parent.children) < _CHILDREN_LIMIT and self._parts < _PARTS_LIMIT:
                parent.children.append(part)
                self._parts += 1
            stack.append(part)
            try:
                part.value = run(names, frame)
            except ExpressionError as error:
                part.error = error
                raise
            finally:
                stack.pop()
            return part.value

        return traced
