"""Macros: calls that are forms of their own, because they look at their arguments before these are evaluated."""

from __future__ import annotations

from typing import Final

from weft_language.expressions import tree
from weft_language.expressions.errors import SYNTAX, ExpressionError
from weft_language.expressions.tree import Node, Placed, build

_ALIASES: Final = {"exists_one": "existsOne"}
_SHAPES: Final[dict[str, dict[int, tuple[int, int]]]] = {
    # arguments: (variables among them, bodies among them)
    "all": {2: (1, 1), 3: (2, 1)},
    "exists": {2: (1, 1), 3: (2, 1)},
    "existsOne": {2: (1, 1), 3: (2, 1)},
    "filter": {2: (1, 1)},
    "map": {2: (1, 1), 3: (1, 2)},
    "sortBy": {2: (1, 1)},
    "transformList": {3: (2, 1), 4: (2, 2)},
    "transformMap": {3: (2, 1), 4: (2, 2)},
}


def call(place: Placed, function: str, args: tuple[Node, ...]) -> Node:
    """A call of a global function, or what it means where it is a macro: `has` or `default`."""
    if function == "has":
        if len(args) != 1 or not isinstance(args[0], tree.Select | tree.Index):
            raise ExpressionError(SYNTAX, "has(...) takes one path, such as has(step.check.output)", offset=place.start_pos)
        return build(tree.Has, place, args[0], below=args)
    if function == "default":
        if len(args) != 2 or not isinstance(args[0], tree.Select | tree.Index | tree.Name):
            hint = "default(...) takes a path and a value, such as default(input.note, 'none')"
            raise ExpressionError(SYNTAX, hint, offset=place.start_pos)
        return build(tree.Default, place, *args, below=args)
    return build(tree.Call, place, function, None, args, below=args)


def method(place: Placed, target: Node, function: str, args: tuple[Node, ...]) -> Node:
    """A call on a value, or a comprehension where `function` names one."""
    function = _ALIASES.get(function, function)
    shapes = _SHAPES.get(function)
    if shapes is None:
        return build(tree.Call, place, function, target, args, below=(target, *args))
    if len(args) not in shapes:
        counts = " or ".join(str(count) for count in shapes)
        raise ExpressionError(SYNTAX, f"{function}(...) takes {counts} arguments, not {len(args)}", offset=place.start_pos)
    count, bodies = shapes[len(args)]
    names = tuple(_variable(node, function) for node in args[:count])
    if len(set(names)) < count:
        raise ExpressionError(SYNTAX, f"{function}(...) names `{names[0]}` twice", offset=args[0].start)
    return build(tree.Each, place, function, target, names, args[count : count + bodies], below=(target, *args[count:]))


def _variable(node: Node, function: str) -> str:
    if not isinstance(node, tree.Name):
        hint = f"the first argument of {function}(...) is a name for the item, such as {function}(item, ...)"
        raise ExpressionError(SYNTAX, hint, offset=node.start)
    return node.name
