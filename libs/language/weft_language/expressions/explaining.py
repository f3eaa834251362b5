"""Why an expression gave what it gave: the tree of its parts with the values they saw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from weft_language.expressions import tree
from weft_language.expressions.compiler import Compiler
from weft_language.expressions.errors import LIMIT, ExpressionError
from weft_language.expressions.limits import STEPS
from weft_language.expressions.tree import Node
from weft_language.expressions.wording import to_json, to_text

MAX_PARTS: Final = 200
MAX_VALUE_CHARS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Explanation:
    """One part of an expression. value: a JSON value, shortened when long.  error: why there is none."""

    expression: str
    value: Any
    error: str | None
    children: tuple[Explanation, ...]

    def to_dict(self) -> dict[str, Any]:
        """As the API shows it: `{expression, value, error, children}`."""
        return {
            "expression": self.expression,
            "value": self.value,
            "error": self.error,
            "children": [child.to_dict() for child in self.children],
        }


def explain(text: str, root: Node, names: Mapping[str, Any]) -> Explanation:
    """The tree for an expression, at most `MAX_PARTS` parts, outermost first. Constants and the bodies of comprehensions are left out."""
    left = [MAX_PARTS]
    steps = [STEPS]
    return _explain(text, root, names, left, steps)


def _explain(text: str, node: Node, names: Mapping[str, Any], left: list[int], steps: list[int]) -> Explanation:
    left[0] -= 1
    value, error = _value(text, node, names, steps)
    children = []
    for part in _parts(node):
        if left[0] <= 0:
            break
        children.append(_explain(text, part, names, left, steps))
    return Explanation(text[node.start : node.end], value, error, tuple(children))


def _value(text: str, node: Node, names: Mapping[str, Any], steps: list[int]) -> tuple[Any, str | None]:
    compiler = Compiler(text)
    try:
        run = compiler.compile(node, {})
        frame: list[Any] = [steps[0], *([None] * compiler.slots)]
        value = run(names, frame)
        steps[0] = frame[0]
        return _shortened(value), None
    except ExpressionError as error:
        return None, error.message
    except RecursionError:
        return None, ExpressionError(LIMIT, "a value is nested too deep to be worked on").message


def _shortened(value: Any) -> Any:
    shown = to_json(value)
    if isinstance(shown, (str, list, dict, Mapping)):
        text = shown if isinstance(shown, str) else to_text(shown)
        if len(text) > MAX_VALUE_CHARS:
            return text[: MAX_VALUE_CHARS - 3] + "..."
    return shown


def _parts(node: Node) -> tuple[Node, ...]:
    """The parts worth telling: a path is one, a comprehension's body depends on its item."""
    match node:
        case tree.Select() | tree.Index() | tree.Has() | tree.Name() | tree.Literal():
            return ()
        case tree.Each(source=source):
            found: tuple[Node, ...] = (source,)
        case tree.Call(target=tree.Name(), args=args):
            found = args
        case _:
            found = tree.children(node)
    return tuple(part for part in found if not isinstance(part, tree.Literal))
