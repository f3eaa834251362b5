"""What an expression reads, and where it may truncate: questions a verifier asks of the tree."""

from __future__ import annotations

from typing import Final

from weft_language.expressions import tree
from weft_language.expressions.functions import GLOBALS
from weft_language.expressions.tree import Node, children
from weft_language.expressions.values import TYPES

Path = tuple[str, ...]
_DOUBLE_CALLS: Final = frozenset({"double", "avg", "math.sqrt", "math.ceil", "math.floor", "math.round", "math.trunc"})
_WHOLE: Final = frozenset({"+", "-", "*", "/"})


def references(root: Node) -> tuple[frozenset[Path], frozenset[Path]]:
    """The paths an expression reads: those that must exist, and those it takes care of when they do not.

    A path ends before the first computed key; constant indexes count (`items[0].id` reads ("items", "0", "id")). A path is taken care of
    inside `has(...)` and `default(...)`, and everywhere in an expression that asks `has(...)` for it or for what it
    begins with. Variables of comprehensions are no references.
    """
    required: set[Path] = set()
    optional: set[Path] = set()
    asked: set[Path] = set()
    waiting: list[tuple[Node, frozenset[str], bool]] = [(root, frozenset(), False)]
    while waiting:
        node, bound, guarded = waiting.pop()
        match node:
            case tree.Name() | tree.Select() | tree.Index():
                path = _path(node, bound)
                if path is not None:
                    (optional if guarded else required).add(path)
                waiting.extend((part, bound, guarded) for part in _computed(node))
            case tree.Has(operand=operand):
                asked.add(_path(operand, bound) or ())
                waiting.append((operand, bound, True))
            case tree.Default(operand=operand, fallback=fallback):
                waiting += [(operand, bound, True), (fallback, bound, guarded)]
            case tree.Each(source=source, variables=variables, bodies=bodies):
                waiting.append((source, bound, guarded))
                waiting.extend((body, bound | set(variables), guarded) for body in bodies)
            case tree.Call(function=function, target=tree.Name(name=name), args=args) if (
                f"{name}.{function}" in GLOBALS and name not in bound
            ):
                waiting.extend((arg, bound, guarded) for arg in args)
            case _:
                waiting.extend((part, bound, guarded) for part in children(node))
    asked.discard(())
    cared = {path for path in required if any(path[:size] in asked for size in range(1, len(path) + 1))}
    return frozenset(required - cared), frozenset((optional | cared) - (required - cared))


def _path(node: Node, bound: frozenset[str]) -> Path | None:
    """The longest constant path that reading `node` reads; None where it begins with no name in scope."""
    keys: list[str] = []
    while True:
        match node:
            case tree.Name(name=name):
                if name in bound:
                    return None
                path = (name, *reversed(keys))
                return None if name in TYPES or ".".join(path) in TYPES else path
            case tree.Select(operand=operand, field=field):
                keys.append(field)
            case tree.Index(operand=operand, key=tree.Literal(value=value)) if type(value) in (str, int):
                keys.append(str(value))
            case tree.Index(operand=operand):
                keys.clear()
            case _:
                return None
        node = operand


def _computed(node: Node) -> list[Node]:
    """What a chain of reads holds besides names: computed keys, and what it begins with when that is no name."""
    parts: list[Node] = []
    while True:
        match node:
            case tree.Name():
                return parts
            case tree.Select(operand=operand):
                node = operand
            case tree.Index(operand=operand, key=key):
                if not isinstance(key, tree.Literal):
                    parts.append(key)
                node = operand
            case _:
                parts.append(node)
                return parts


def divisions(root: Node) -> tuple[Node, ...]:
    """The divisions that may be of two ints, and so may truncate, in source order."""
    found: list[Node] = []
    waiting = [root]
    while waiting:
        node = waiting.pop()
        waiting.extend(reversed(children(node)))
        if isinstance(node, tree.Binary) and node.operator == "/" and not (_is_double(node.left) or _is_double(node.right)):
            found.append(node)
    return tuple(found)


def _is_double(node: Node) -> bool:
    """Whether a node surely gives a double (or nothing that `/` takes with an int)."""
    match node:
        case tree.Literal(value=value):
            return type(value) is not int
        case tree.Call(function=function, target=target):
            name = f"{target.name}.{function}" if isinstance(target, tree.Name) else function
            return name in _DOUBLE_CALLS
        case tree.Binary(operator=operator, left=left, right=right) if operator in _WHOLE:
            return _is_double(left) or _is_double(right)
        case tree.Unary(operand=operand):
            return _is_double(operand)
        case tree.Conditional(then=then, otherwise=otherwise):
            return _is_double(then) and _is_double(otherwise)
        case _:
            return False
